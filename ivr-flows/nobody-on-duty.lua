-- What a caller hears when nobody serves a queue: at night and on holidays what after-hours.lua says; otherwise that
-- nobody is at his desk. He can be called back or leave a message.
--
-- Call data it reads: language ("en" or "zh"; English if there is none)
-- It needs the flows `call-back`, `voicemail` and `after-hours`; the calendar `office` says when the office is open.

local prompts = require("prompts")

call:answer()
local state = call:calendar("office")
if state == "closed" or state == "holiday" then
  call:transfer({ flow = "after-hours" })
end
call:play(prompts.of("queue.nobody"))
local flow = call:menu({
  prompt = prompts.of("queue.or-press"),
  invalid = prompts.of("invalid-choice"),
  tries = 2,
  ["1"] = "call-back",
  ["2"] = "voicemail",
})
if flow then call:transfer({ flow = flow }) end
call:play(prompts.of("goodbye"))
call:hang_up()
