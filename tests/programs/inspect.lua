-- inspect.lua at work. Debian has it for older versions; the code suits 5.4.
package.path = "/usr/share/lua/5.1/?.lua;" .. package.path
local inspect = require "inspect"

local world = {
  "gate", "hall", [10] = "attic", [3.5] = "landing", [true] = "yes",
  hero = { name = "you", bag = { "lute", "spectacles" }, ["odd key"] = 1, ["end"] = 2 },
  quote = 'a "b" \'c\' \\ \n \t \0 \127 \u{1F409}',
  empty = {}, huge = math.huge, tiny = 1e-300, int = 1 << 40, float = 2.0,
}
print(inspect(world))
print(inspect(world, { depth = 1 }))
print(inspect(world, { newline = "", indent = "" }))

-- Tables that meet again, and that hold themselves.
local shared = { "shared" }
local loop = { shared, shared, { shared } }
loop.self = loop
loop[loop] = "key"
print(inspect(loop))

-- Functions, coroutines and userdata get numbers, not addresses.
local f, g = function() end, function() end
print(inspect { f, g, f, coroutine.create(f), io.stdout, print })

-- Metatables, and leaving things out.
local account = setmetatable({ owner = "Ada", secret = "xyzzy" }, { __index = { kind = "account" }, __name = "Account" })
print(inspect(account))
print(inspect(account, { process = function(item, path)
  if path[#path] == inspect.METATABLE then return nil end
  if path[#path] == "secret" then return "***" end
  return item
end }))
print(inspect({ a = { b = { c = 1 } } }, { process = function(item, path)
  if item ~= inspect.KEY and #path > 0 then io.write("<", #path, "> ") end
  return item
end }))
print(inspect(setmetatable({}, { __tostring = function() return "hello" end, __len = function() return 99 end })))
for _, value in ipairs { 1, 1.5, "text", true, 'it is "so"', "it's" } do io.write(inspect(value), " ") end
print(inspect(nil), inspect(-0.0))

-- A deep one and a wide one.
local deep = {}
for _ = 1, 60 do deep = { deep } end
print(#inspect(deep))
local wide = {}
for i = 1, 2000 do wide[i], wide["k" .. i] = i, i end
local text = inspect(wide)
print(#text, select(2, text:gsub("\n", "\n")))
