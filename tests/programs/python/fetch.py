"""Starts a web server, fetches from it, interrupts it, and tells all about it but the time.

    fetch.py PORT COMMAND ...
"""
import http.client
import re
import signal
import subprocess
import sys
import time

PORT, *COMMAND = sys.argv[1:]

# Nothing is asserted about time: this only ends what never listens.
PATIENCE = 300


def connect():
    for _ in range(PATIENCE):
        connection = http.client.HTTPConnection("127.0.0.1", int(PORT), timeout=60)
        try:
            connection.connect()
            return connection
        except ConnectionRefusedError:
            time.sleep(0.1)
    raise SystemExit("nobody listens")


def fetch(method, path, headers={}):
    connection = connect()
    connection.request(method, path, headers=headers)
    answer = connection.getresponse()
    told = sorted((name, value) for name, value in answer.getheaders() if name != "Date")
    print(method, path, answer.status, answer.reason, told)
    print(answer.read().decode())
    connection.close()


server = subprocess.Popen(COMMAND, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
try:
    for path in ["/", "/hello.txt", "/pages", "/pages/", "/missing", "/../outcomes.py", "/%2e%2e/outcomes.py"]:
        fetch("GET", path)
    fetch("HEAD", "/hello.txt")
    fetch("POST", "/hello.txt")
    fetch("GET", "/hello.txt", {"If-Modified-Since": "Fri, 31 Dec 2100 00:00:00 GMT"})
finally:
    server.send_signal(signal.SIGINT)
    output, log = server.communicate()
print(output)
print(re.sub(r"\[[^]]*\]", "[then]", log))
print("status", server.returncode)
