# 20,000 opens of a file in a granted directory.
import sys

path = sys.argv[1] + "/0001"
opened = 0
for _ in range(20000):
    open(path).close()
    opened += 1
print(opened)
