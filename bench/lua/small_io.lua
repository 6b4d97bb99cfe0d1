-- 100,000 small writes, then as many small reads, each a system call of its own.
local path, times = arg[1] .. "/small", 100000

local file = assert(io.open(path, "w"))
file:setvbuf("no")
for i = 1, times do assert(file:write(("%07d\n"):format(i))) end
file:close()

local sum = 0
file = assert(io.open(path))
file:setvbuf("no")
for _ = 1, times do sum = sum + assert(file:read(8)) end
file:close()
print(sum)
