-- Penlight at work: text in, tables and trees out.
local List = require "pl.List"
local OrderedMap = require "pl.OrderedMap"
local Set = require "pl.Set"
local array2d = require "pl.array2d"
local class = require "pl.class"
local comprehension = require("pl.comprehension").new()
local data = require "pl.data"
local func = require "pl.func"
local lexer = require "pl.lexer"
local permute = require "pl.permute"
local pretty = require "pl.pretty"
local seq = require "pl.seq"
local sip = require "pl.sip"
local stringio = require "pl.stringio"
local stringx = require "pl.stringx"
local tablex = require "pl.tablex"
local template = require "pl.template"
local text = require "pl.text"
local types = require "pl.types"
local url = require "pl.url"
local xml = require "pl.xml"

local function banner(title) print(("== %s"):format(title)) end

banner "List and func"
local numbers = List.range(1, 20)
print(numbers:filter(function(n) return n % 3 == 0 end):map("*", 2))
print(numbers:slice(-5, -1):reverse(), numbers:reduce "+")
print(List { "pear", "fig", "apple" }:sort():concat ", ")
local _1, _2 = func._1, func._2
print(tablex.map2(func.I(_1 * _1 + _2), { 1, 2, 3 }, { 10, 20, 30 })[3])
print(List(comprehension "x^2 for x" { 1, 2, 3 }):join " ")

banner "classes"
local Creature = class()
function Creature:_init(name, legs) self.name, self.legs = name, legs end
function Creature:__tostring() return ("%s on %d legs"):format(self.name, self.legs) end
local Spider = class(Creature)
function Spider:_init(name) self:super(name, 8) end
local spider = Spider "Webster"
print(spider, spider:is_a(Creature), Creature:class_of(spider), types.is_callable(Spider))

banner "maps and sets"
local map = OrderedMap()
map:set("z", 26):set("a", 1):set("m", 13)
for key, value in map:iter() do print(key, value) end
local a, b = Set { 1, 2, 3 }, Set { 2, 3, 4 }
print(Set.len(a * b), Set.len(a + b), Set.issubset(a * b, a))
print(tablex.deepcompare({ 1, { x = 2 } }, { 1, { x = 2 } }), tablex.find({ 5, 6, 7 }, 7))

banner "strings"
print(stringx.join("|", stringx.split("a,b,,c", ",")), stringx.title "the cellar", stringx.strip "  x ")
print(stringx.center("mid", 11, "*"), stringx.count("banana", "an"), stringx.rfind("banana", "an"))
print(text.wrap("The quick brown fox jumps over the lazy dog and is very pleased with itself", 30)
  :concat "\n")
print(text.dedent "    one\n      two\n    three")

banner "templates"
print((template.substitute([[
# for _, room in ipairs(rooms) do
$(room.name:upper()): $(#room.exits) exits
# end]], { ipairs = ipairs, rooms = { { name = "hall", exits = { 1, 2, 3 } }, { name = "gate", exits = { 1 } } } })))

banner "parsing"
local found = {}
sip.match("($v{name}) costs $i{price}", "(lute) costs 12", found)
print(found.name, found.price + 1)
for kind, value in lexer.lua "local x <const> = 1 + 0x10" do io.write(kind, "=", tostring(value), " ") end
print()
local sheet = data.read(stringio.open "name,age\nAda,36\nGrace,85\nAlan,41\n")
print(List(sheet:column_by_name "age"):reduce "+", sheet[2][1])
local tree = xml.parse "<house><room n='1'>hall</room><room n='2'>cellar</room></house>"
for room in tree:childtags() do print(room.attr.n, room:get_text()) end
print(xml.tostring(tree, "", "  "))
print(url.quote "a b&c/d?", url.unquote "a%20b%26c")

banner "tables"
print(pretty.write({ 1, 2, { 3, 4 } }, ""))
print(pretty.number(123456789, "T"), pretty.number(1536, "M"))
local read = pretty.read "{ name = 'x', list = { 1, 2, 3 } }"
print(read.name, #read.list)
array2d.write({ { 1, 2 }, { 3, 4 } }, nil, "%3d")
print(array2d.reduce_rows("+", { { 1, 2 }, { 3, 4 } })[2])
for p in permute.iter { 1, 2, 3 } do io.write(table.concat(p), " ") end
print(seq.sum { 1, 2, 3 }, seq.copy(seq.take(seq.map("^", seq.list { 1, 2, 3 }, 2), 2)):concat " ")
