-- dkjson at work: documents out, in again, and the same.
local json = require "dkjson"

local document = {
  title = "The Cellar", year = 2024, price = 9.75, free = false, sequel = json.null,
  tags = { "text", "adventure", "\u{1F409} dragon" },
  rooms = {
    { name = "gate", exits = { "north" } },
    { name = "hall", exits = { "south", "east", "west", "down" }, things = { { name = "lute", strings = 7 } } },
  },
  empty_list = setmetatable({}, { __jsontype = "array" }),
  empty_object = setmetatable({}, { __jsontype = "object" }),
  odd = 'quotes " and \\ and \t tab and \127 and </script> and \u{2028}',
}
local order = { keyorder = { "title", "year", "price", "free", "sequel", "tags", "rooms", "name", "exits", "things",
  "strings", "empty_list", "empty_object", "odd" } }

local compact = json.encode(document, order)
print(compact)
print(json.encode(document, { indent = true, keyorder = order.keyorder }))

local back, position = json.decode(compact, 1, json.null)
print(position == #compact + 1, json.encode(back, order) == compact)
print(back.rooms[2].things[1].name, #back.rooms[2].exits, back.sequel == json.null, back.tags[3])

-- Numbers keep their kind and value.
for _, number in ipairs { 0, -1, 1e15, 2 ^ 53, 1 / 3, -0.5e-7, math.maxinteger, math.mininteger, 1e300 } do
  local text = json.encode(number)
  print(text, json.decode(text) == number, math.type(json.decode(text)))
end
print(json.encode { 1 / 0, 0 / 0, -1 / 0 })

-- Escapes and surrogates.
for _, text in ipairs { [["\u0041\u00e4\ud83d\udc09"]], [["\b\f\n\r\t\/\\\""]], [[ [1, 2 ,3 ] ]], [[{"a":{"b":[{}]}}]],
  [[/* comment */ true]], "null" } do
  local value = json.decode(text)
  print(text, type(value) == "table" and json.encode(value) or value)
end

-- Mistakes are found and placed.
for _, text in ipairs { [[{"a": ]], [[ [1 2] ]], [[{"a" 1}]], [["open]], [[nope]], "" } do
  print(select(3, json.decode(text)))
end

-- A value of its own kind, and a loop.
local point = setmetatable({ x = 1, y = 2 }, { __tojson = function(self) return ("[%d,%d]"):format(self.x, self.y) end })
print(json.encode { point, point })
local loop = {}
loop.self = loop
print(pcall(json.encode, loop))
print(json.encode({ print }, { exception = function(reason, value) return json.quotestring(reason .. " " .. type(value)) end }))

-- Something larger.
local big = {}
for i = 1, 5000 do big[i] = { id = i, name = ("row %d"):format(i), square = i * i, even = i % 2 == 0 } end
local options = { keyorder = { "id", "name", "square", "even" } }
local text = json.encode(big, options)
local again = json.decode(text)
print(#text, #again, again[5000].square, json.encode(again, options) == text)
