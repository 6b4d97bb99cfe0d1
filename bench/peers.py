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

TRIES = {
    "reads a document in your home": "print(open(HOME + '/document').read())",
    "sees that it is there": "import os; os.stat(HOME + '/document')",
    "removes it": "import os; os.unlink(HOME + '/document')",
    "reads a secret of the environment": "import os; print(os.environ['TOKEN'])",
    "starts a program": "import subprocess; print(subprocess.run(['/bin/echo', 'started'], capture_output=True).stdout)",
    "reaches a server on this machine": "import socket; socket.create_connection(('127.0.0.1', PORT))",
    "makes a user namespace": "import ctypes; print('made' if not ctypes.CDLL(None).unshare(0x10000000) else exit(1))",
    "takes two gigabytes": "print(len(bytearray(2 << 30)))",
    "types into your terminal": "import fcntl, os; fcntl.ioctl(os.open('/dev/tty', os.O_RDWR), 0x5412, b'#')",
}

PEERS = {
    "python3": ["/usr/bin/python3"],
    "hpython": ["hpython"],
    "bwrap": ["bwrap", "--unshare-all", "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc", "/usr/bin/python3"],
    "firejail": ["firejail", "--quiet", "/usr/bin/python3"],
    "landrun": ["landrun", "--rox", "/usr", "--ro", "/etc", "/usr/bin/python3"],
}


def tried(command, script, port):
    """Whether the script could do it, in a fresh home."""
    with tempfile.TemporaryDirectory(dir=pathlib.Path.home()) as home:
        home = pathlib.Path(home)
        (home / "document").write_text("a year of work")
        environment = {"PATH": os.environ["PATH"], "HOME": str(home), "TOKEN": "secret"}
        line = [*command, "-c", f"HOME, PORT = {str(home)!r}, {port}\n{script}"]
        # On a terminal of its own, which is the one that it may type into.
        ran = subprocess.run(["script", "-qec", " ".join(map(quoted, line)), "/dev/null"], env=environment, cwd="/",
                             stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=100)
        if "unlink" in script:
            return not (home / "document").exists()
        return ran.returncode == 0


def quoted(word):
    return "'" + word.replace("'", "'\\''") + "'"


def main():
    os.environ["PATH"] = os.pathsep.join([*sys.argv[1:], os.environ["PATH"]])
    peers = {name: command for name, command in PEERS.items() if shutil.which(command[0])}
    print("| the script |", " | ".join(peers), "|")
    print("|---" * (1 + len(peers)) + "|")
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        for what, script in TRIES.items():
            answers = ("yes" if tried(command, script, port) else "no" for command in peers.values())
            print(f"| {what} |", " | ".join(answers), "|", flush=True)
    print()
    for name, command in peers.items():
        print(f"- {name}: `{' '.join(command)}`")
    for name in PEERS.keys() - peers.keys():
        print(f"- {name} is not installed here")


main()
