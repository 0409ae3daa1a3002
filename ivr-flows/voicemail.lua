-- Takes a message. The caller can hear what to do, speak, and then keep the message or speak once more. The message is a
-- recording with the label "message for MAILBOX": `recordings` of the API lists and gives it.
--
-- Another flow runs it with the mailbox and gets whether there is a message:
--   local left = call:run("voicemail", { mailbox = "sales" })
--
-- Call data it reads:  mailbox (if none is given; the number called if there is none), language ("en" or "zh"; English if none)
-- Call data it writes: mailbox, message (1, 2 ...: which of the call's recordings is the message; none if there is none)

local prompts = require("prompts")
local given = ...

local LONGEST = 120 -- seconds, the most that can be waited for a key
local TRIES = 3

local mailbox = given and given.mailbox or call.data.mailbox or call.to
call.data.mailbox = mailbox

-- Records until a key is pressed or the time is over. The key ends the recording and is not in it.
local function record()
  call:play({ prompts.of("voicemail.speak"), { tone = "beep" }, barge_in = false })
  if not call:record("start", "message for " .. mailbox) then return false end
  call:collect({ max = 1, first = LONGEST, terminators = "" })
  call:record("stop")
  return true
end

local function take_message()
  for try = 1, TRIES do
    if not record() then return false end
    call.data.message = try
    local once_more = call:menu({
      prompt = prompts.of("voicemail.keep"),
      invalid = prompts.of("invalid-choice"),
      tries = 2,
      ["1"] = false,
      ["2"] = true,
      ["*"] = function()
        call.data.message = nil
        return false
      end,
    })
    -- Who has hung up or presses nothing has left a message, too.
    if not once_more then break end
  end
  return call.data.message ~= nil
end

call:answer()
local left = take_message()
call:play(prompts.of(left and "voicemail.thanks" or "voicemail.none"))
if given then return left end
call:hang_up()
