# 100,000 small writes, then as many small reads, each a system call of its own.
import sys

path, times = sys.argv[1] + "/small", 100000

with open(path, "wb", buffering=0) as file:
    for i in range(times):
        file.write(b"%07d\n" % i)
total = 0
with open(path, "rb", buffering=0) as file:
    for _ in range(times):
        total += int(file.read(8))
print(total)
