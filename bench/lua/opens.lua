-- 20,000 opens of a file in a granted directory.
local path = arg[1] .. "/0001"
local opened = 0
for _ = 1, 20000 do
  assert(io.open(path)):close()
  opened = opened + 1
end
print(opened)
