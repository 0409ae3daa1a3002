-- What a caller hears when a queue takes no more. He can be called back, leave a message, or stay: then he is asked to wait
-- until there is a place.
--
-- Another flow runs it with the queue's name and gets the call back when there is a place:
--   call:run("queue-full", { queue = "sales" })
-- By itself it goes by the call data, and then the caller goes to queue-wait.lua.
--
-- Call data it reads: queue (if none is given; "support" if there is none), language ("en" or "zh"; English if there is none)
-- Call data it writes: mailbox (the queue, for whose agents a message is)
-- It needs the flows `call-back`, `voicemail` and `queue-wait`.

local prompts = require("prompts")
local given = ...

local LOOKS, PAUSE = 15, 20 -- how often it looks for a place, and the seconds between

local queue = given and given.queue or call.data.queue or "support"

-- Waits until there is a place; false if there was none in time.
local function find_place()
  for _ = 1, LOOKS do
    local flow = call:menu({
      prompt = prompts.of("queue.or-press"),
      tries = 1,
      first = PAUSE,
      ["1"] = "call-back",
      ["2"] = "voicemail",
    })
    if flow == "voicemail" then call.data.mailbox = queue end
    if flow then call:transfer({ flow = flow }) end
    local state = call:queue(queue)
    if not state or not state.full then return true end
  end
  return false
end

call:answer()
call:play(prompts.of("queue.full"))
local found = find_place()
if found and given then return end
if found then call:transfer({ flow = "queue-wait" }) end
call:play(prompts.of("all-busy"))
call:hang_up()
