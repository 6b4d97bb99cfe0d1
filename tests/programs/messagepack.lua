-- MessagePack at work. Debian has the 5.3 edition of it, which suits 5.4.
package.path = "/usr/share/lua/5.3/?.lua;" .. package.path
local mp = require "MessagePack"

local function hex(bytes) return (bytes:gsub(".", function(c) return ("%02x "):format(c:byte()) end)) end

-- Every size of every kind, at its edges.
for _, value in ipairs { 0, 127, 128, 255, 256, 65535, 65536, 0xFFFFFFFF, 0x100000000, math.maxinteger, -1, -32, -33,
  -128, -129, -32768, -32769, -0x80000000, -0x80000001, math.mininteger, 0.5, -1e300, 1 / 0, true, false, "",
  "short", ("x"):rep(31), ("x"):rep(32), ("x"):rep(256), ("x"):rep(65536) } do
  local packed = mp.pack(value)
  print(hex(packed:sub(1, 10)), #packed, mp.unpack(packed) == value)
end
print(hex(mp.pack(nil)), mp.unpack(mp.pack(nil)), mp.unpack(mp.pack(0 / 0)) ~= mp.unpack(mp.pack(0 / 0)))

-- Arrays and maps.
for _, size in ipairs { 0, 1, 15, 16, 65535, 65536 } do
  local list = {}
  for i = 1, size do list[i] = i end
  local back = mp.unpack(mp.pack(list))
  print(size, #back, back[size] == list[size], hex(mp.pack(list):sub(1, 3)))
end
local nested = mp.unpack(mp.pack { name = { first = "Ada", years = { 1815, 1852 } } })
print(nested.name.first, table.concat(nested.name.years, "-"))

-- Floats as singles, strings as binary, arrays with holes.
mp.set_number "float"
print(hex(mp.pack(0.25)))
mp.set_number "double"
mp.set_string "binary"
print(hex(mp.pack "bin"))
mp.set_string "string_compat"
print(hex(mp.pack "raw"))
mp.set_string "string"
mp.set_array "with_hole"
print(hex(mp.pack { 1, nil, 3 }))
mp.set_array "without_hole"
mp.set_integer "signed"
print(hex(mp.pack(200)))
mp.set_integer "unsigned"

-- Extensions: dates of our own.
mp.packers["table"], mp.packers["was"] = function(buffer, value)
  if value.date then mp.packers["ext"](buffer, 7, value.date) else mp.packers["was"](buffer, value) end
end, mp.packers["table"]
mp.build_ext = function(tag, data) return { tag = tag, date = data } end
local dated = mp.unpack(mp.pack { { date = "2024-02-29" }, { date = "1970-01-01" } })
print(dated[1].tag, dated[1].date, dated[2].date)

-- A stream of values, read one by one, and what is cut off.
local stream = mp.pack "one" .. mp.pack(2) .. mp.pack { 3, 4 }
for _, value in mp.unpacker(stream) do io.write(type(value) == "table" and #value or value, " ") end
print()
for _, bad in ipairs { "", "\xA5abc", "\xC1", mp.pack(1) .. "rest", "\xDC\x00" } do
  local ok, why = pcall(mp.unpack, bad)
  print(ok, tostring(why):match "[^:]*$")
end
print(pcall(mp.pack, print))
