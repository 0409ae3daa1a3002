-- Hears one answer of the caller: require("script.hearing").
--
-- With a recogniser the caller speaks or presses a key; without one he presses keys. A recogniser that cannot be reached is
-- not asked again in this call.

local intents = require("script.intents")

local Hearing = {}
Hearing.__index = Hearing

-- `url` is the recogniser's, or nil; `listen` the longest time for an answer; `language` what is spoken.
local function new(url, listen, language)
  return setmetatable({ url = url, listen = listen, language = language }, Hearing)
end

-- What recognisers of short grammars need to know: the words that are waited for, as a grammar (JSGF).
local function grammar(wanted)
  local words, known = {}, {}
  for _, intent in ipairs(wanted) do
    for _, keyword in ipairs(intent.keywords or {}) do
      if keyword:find("^[%a ]+$") and not known[keyword] then
        known[keyword] = true
        words[#words + 1] = keyword
      end
    end
  end
  local text = "#JSGF V1.0; grammar answer; public <answer> = " .. table.concat(words, " | ") .. ";"
  return #words > 0 and #text <= 1000 and text or nil
end

local function a_key(key)
  if key then return { key = key } end
end

-- One answer, by the intents that are waited for: { key = "1" }, or { words = "Yes, please!", plain = "yes please" }, or nil
-- if nothing came. `pressed` says that a key is there already. Words that the recogniser did not understand are "".
function Hearing:answer(wanted, pressed)
  if self.url and not pressed then
    local parameters = { language = self.language, grammar = grammar(wanted) }
    local how, words = call:stream({ url = self.url, parameters = parameters, timeout = self.listen })
    if how and words and words:find("^[%d*#]$") then return a_key(words) end
    if how then return words and { words = words, plain = intents.plain(words) } end
    call:log("the recogniser cannot be asked:", words)
    self.url = nil
  end
  return a_key((call:collect({ max = 1, first = self.listen })))
end

return new
