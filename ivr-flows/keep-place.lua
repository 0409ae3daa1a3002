-- What those hear who wait in a queue: music, and now and then their place and the offer to be called back without losing it.
-- Who takes it hears that his place is kept, and is hung up; he is called when it is his turn.
--
-- It is the flow of a wait:  [tenant.NAME.queue.NAME]  wait_flow = "keep-place"
--
-- Call data it reads:  language ("en" or "zh"; English if there is none)
-- Call data that is there afterwards: callback (the entry of the list of call-backs)
-- It needs the prompt `music`.

local prompts = require("prompts")

local AFTER, EVERY = 30, 60 -- seconds of music before the first offer, and between two
local LONG = 180 -- whose wait will be as long as that, in seconds, is offered it at once
local MUSIC = "music"
local FEWEST, MOST = 4, 15 -- digits of a number

-- Music for a time; a key ends it, too.
local function music(seconds)
  call:first({ key = true, seconds = seconds, music = MUSIC })
end

-- The place, and how long it will be if that is known.
local function say_place()
  local state = call:queue()
  if not state or not state.position then return end
  local place = { number = state.position, language = prompts.language }
  call:play(prompts.of("queue.you-are-number"), place, prompts.of("queue.in-line"))
  if state.wait and state.wait > 60 then
    local minutes = { number = (state.wait + 59) // 60, language = prompts.language }
    call:play(prompts.of("queue.about"), minutes, prompts.of("queue.minutes"))
  end
end

-- The number that he wants to be called at: "" is his own, nil if he stays on the line.
local function ask()
  local key = call:menu({ prompt = prompts.of("call-back.offer"), tries = 1, first = 4, ["1"] = "own", ["2"] = "other" })
  if key == "own" then return "" end
  if key ~= "other" then return nil end
  return call:collect({ prompt = prompts.of("call-back.enter"), min = FEWEST, max = MOST, first = 8 })
end

-- Keeps the place and says goodbye, or says that it cannot be done.
local function keep(number)
  local kept, why = call:callback({ number = number ~= "" and number or nil })
  if kept then
    call:play(prompts.of("call-back.kept"))
    call:hang_up()
  end
  call:log("no call-back", why)
  if why == "anonymous" then
    -- he shows no number: perhaps he says one
    local other = call:collect({ prompt = prompts.of("call-back.enter"), min = FEWEST, max = MOST, first = 8 })
    if other then return keep(other) end
  end
  call:play(prompts.of("call-back.cannot"))
end

local state = call:queue()
if not state or not state.wait or state.wait < LONG then music(AFTER) end
while true do
  say_place()
  local number = ask()
  if number then keep(number) end
  music(EVERY)
end
