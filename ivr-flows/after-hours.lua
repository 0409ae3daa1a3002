-- What a caller hears when the office is closed. What cannot wait goes through; for the rest he can leave a message.
--
-- Call data it reads:  language ("en" or "zh"; English if there is none)
-- Call data it writes: choice ("emergency" or "message")
-- It needs the queue `emergency` and the flow `voicemail`; if the calendar `office` knows a holiday, he is told of it.

local prompts = require("prompts")

call:answer()
local state = call:calendar("office")
call:play(prompts.of(state == "holiday" and "holiday" or "closed"))
call:menu({
  prompt = { prompts.of("emergency"), prompts.of("leave-message") },
  tries = 1,
  first = 4,
  ["1"] = function()
    call.data.choice = "emergency"
    call:play(prompts.of("please-wait"))
    if call:enqueue("emergency", { timeout = 300, priority = 9, staffed = true }) ~= "served" then
      call:play(prompts.of("all-busy"))
    end
  end,
  ["2"] = function()
    call.data.choice = "message"
    call:run("voicemail", { mailbox = "office" })
  end,
})
call:play(prompts.of("goodbye"))
call:hang_up()
