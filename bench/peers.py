#!/usr/bin/python3
"""What a script can do under each sandbox that is installed here, as a table; `make peers`.

Each is started as its own documentation starts a program that is to read and compute, and no more; the commands are printed.
A sandbox that was told more can do more. The script tries; what it did is looked at from outside, where it can be seen.
"""
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile

# What is tried, in Python and in JavaScript.
TRIES = {
    "reads a document in your home": (
        "print(open(HOME + '/document').read())",
        "console.log(Deno.readTextFileSync(HOME + '/document'))"),
    "sees that it is there": (
        "import os; os.stat(HOME + '/document')",
        "Deno.statSync(HOME + '/document')"),
    "removes it": (
        "import os; os.unlink(HOME + '/document')",
        "Deno.removeSync(HOME + '/document')"),
    "reads a secret of the environment": (
        "import os; print(os.environ['TOKEN'])",
        "console.log(Deno.env.get('TOKEN'))"),
    "starts a program": (
        "import subprocess; print(subprocess.run(['/bin/echo'], capture_output=True))",
        "new Deno.Command('/bin/echo').outputSync()"),
    "reaches a server on this machine": (
        "import socket; socket.create_connection(('127.0.0.1', PORT))",
        "(await Deno.connect({ hostname: '127.0.0.1', port: PORT })).close()"),
    "makes a user namespace": (
        "import ctypes, sys; sys.exit(ctypes.CDLL(None).unshare(0x10000000))",
        # Deno has threads, and the kernel makes none for a process that has.
        None),
    "takes two gigabytes": (
        "bytearray(2 << 30)",
        "new Uint8Array(2 ** 31)"),
    "types into your terminal": (
        "import fcntl, os; fcntl.ioctl(os.open('/dev/tty', os.O_RDWR), 0x5412, b'#')",
        "const c = Deno.dlopen('libc.so.6', { ioctl: { parameters: ['i32', 'u64', 'buffer'], result: 'i32' } });"
        "Deno.exit(c.symbols.ioctl(0, 0x5412n, new Uint8Array([35])))"),
}

PYTHON = "/usr/bin/python3"
# Those that only show what can be done stand first of their language.
PEERS = {
    "python3": [PYTHON],
    "hpython": ["hpython"],
    "bwrap": ["bwrap", "--unshare-all", "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc", PYTHON],
    "firejail": ["firejail", "--quiet", PYTHON],
    "landrun": ["landrun", "--rox", "/usr", "--ro", "/etc", PYTHON],
    "deno --allow-all": ["deno", "run", "--quiet", "--no-prompt", "--allow-all"],
    "deno": ["deno", "run", "--quiet", "--no-prompt"],
}


def tried(command, scripts, port):
    """`yes` or `no`: whether the script could do it, in a fresh home."""
    with tempfile.TemporaryDirectory(dir=pathlib.Path.home()) as home:
        home = pathlib.Path(home)
        document = home / "document"
        document.write_text("a year of work")
        environment = {"PATH": os.environ["PATH"], "HOME": str(home), "TOKEN": "secret"}
        python, javascript = scripts
        if command[0] == "deno":
            if not javascript:
                return ""
            (home / "script.js").write_text(f"const HOME = {str(home)!r}, PORT = {port};\n{javascript}\n")
            line = [*command, str(home / "script.js")]
        else:
            line = [*command, "-c", f"HOME, PORT = {str(home)!r}, {port}\n{python}"]
        # On a terminal of its own, which is the one that it may type into.
        ran = subprocess.run(["script", "-qec", " ".join(map(quoted, line)), "/dev/null"], env=environment, cwd="/",
                             stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=100)
        done = not document.exists() if "unlink" in python else ran.returncode == 0
        return "yes" if done else "no"


def quoted(word):
    return "'" + word.replace("'", "'\\''") + "'"


def main():
    os.environ["PATH"] = os.pathsep.join([*sys.argv[1:], os.environ["PATH"]])
    peers = {name: command for name, command in PEERS.items() if shutil.which(command[0])}
    print("| the script |", " | ".join(peers), "|")
    print("|---" * (1 + len(peers)) + "|")
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        for what, scripts in TRIES.items():
            answers = (tried(command, scripts, port) for command in peers.values())
            print(f"| {what} |", " | ".join(answers), "|", flush=True)
    print()
    for name, command in peers.items():
        print(f"- {name}: `{' '.join(command)}`")
    for name in PEERS.keys() - peers.keys():
        print(f"- {name} is not installed here")


main()
