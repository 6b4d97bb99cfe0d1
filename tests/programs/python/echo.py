"""asyncio: an echo server on a TCP port, and clients of it, all at once; a slow one is given up."""
import asyncio
import sys

PORT = int(sys.argv[1])


async def serve(reader, writer):
    while line := await reader.readline():
        if line == b"slow\n":
            await asyncio.sleep(60)
        writer.write(line.upper())
        await writer.drain()
    writer.close()
    await writer.wait_closed()


async def talk(number):
    reader, writer = await asyncio.open_connection("127.0.0.1", PORT)
    answers = []
    for text in ["one", "two", "x" * 50000]:
        writer.write(f"{number} {text}\n".encode())
        answers.append((await reader.readline()).decode().strip()[:12])
    writer.write_eof()
    answers.append(await reader.read())
    writer.close()
    await writer.wait_closed()
    return answers


async def wait_in_vain():
    reader, writer = await asyncio.open_connection("127.0.0.1", PORT)
    writer.write(b"slow\n")
    try:
        async with asyncio.timeout(0.2):
            print(await reader.readline())
    except TimeoutError:
        print("given up")
    writer.close()


async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", PORT)
    print([socket.getsockname()[0] for socket in server.sockets], server.is_serving())
    async with asyncio.TaskGroup() as group:
        talks = [group.create_task(talk(number)) for number in range(20)]
    for task in talks:
        print(task.result())
    await wait_in_vain()
    print(await asyncio.to_thread(sum, range(1000)))
    server.close()
    print(server.is_serving())


asyncio.run(main())
