-- Takes down the number at which a caller wants to be called back: his own, or one that he keys in. It stands in the call
-- data, and so in the call's record and in the event `data_changed`; who calls back goes by these.
--
-- Call data it reads:  language ("en" or "zh"; English if there is none)
-- Call data it writes: callBack (the number)

local prompts = require("prompts")

local FEWEST, MOST = 4, 15 -- digits of a number
local HOUR = 3600

-- Says a number, and asks whether it is right. Gives true, false for another one, or nil for no answer.
local function is_right(number)
  return call:menu({
    prompt = {
      prompts.of("call-back.number"),
      { digits = number, language = prompts.language },
      prompts.of("call-back.right"),
    },
    invalid = prompts.of("invalid-choice"),
    tries = 2,
    ["1"] = true,
    ["2"] = false,
  })
end

-- The number at which the caller can be reached; nil if he gives none.
local function ask()
  local number = call.from:match("^%+?(%d+)$") or ""
  for _ = 1, 3 do
    local right = false
    if #number >= FEWEST then right = is_right(number) end
    if right then return number end
    if right == nil then return nil end
    number = call:collect({ prompt = prompts.of("call-back.enter"), min = FEWEST, max = MOST, first = 8 }) or ""
  end
end

call:answer()
local number = ask()
if not number then
  call:play(prompts.of("goodbye"))
elseif call:count("call-back:" .. number, { most = 1, seconds = HOUR }) then
  call.data.callBack = number
  call:play(prompts.of("call-back.thanks"))
else
  -- Who calls again meanwhile is not called back twice.
  call:play(prompts.of("call-back.known"))
end
call:hang_up()
