-- Brings the caller to a queue and says what he can expect: how long it will be if that is long, and the keys by which he can
-- be called back or leave a message instead of waiting. His place, and how long it still is, the queue tells while he waits
-- (`announce_every` and `announce_wait` of its configuration).
--
-- Another flow runs it with the queue's name, and does not get the call back:
--   call:run("queue-wait", { queue = "sales", timeout = 300, priority = 5 })
-- By itself it goes by the call data.
--
-- Call data it reads:  queue (if none is given; "support" if there is none), language ("en" or "zh"; English if there is none)
-- Call data it writes: mailbox (the queue, for whose agents a message is)
-- It needs the flows `queue-full`, `nobody-on-duty`, `call-back` and `voicemail`.

local prompts = require("prompts")
local given = ... or {}

local LONG = 120 -- seconds: who waits longer is told before
local INSTEAD = { ["1"] = "call-back", ["2"] = "voicemail" } -- of waiting, by the key

local queue = given.queue or call.data.queue or "support"

-- Leaves for another flow. A message is for the agents of this queue.
local function leave_for(flow)
  if flow == "voicemail" then call.data.mailbox = queue end
  call:transfer({ flow = flow })
end

local function say_wait(seconds)
  local minutes = { number = (seconds + 59) // 60, language = prompts.language }
  call:play(prompts.of("queue.about"), minutes, prompts.of("queue.minutes"))
end

-- Says by which keys he can leave; who presses one of them meanwhile does not even begin to wait.
local function offer_instead()
  local flow = call:menu({
    prompt = prompts.of("queue.or-press"),
    tries = 1,
    first = 0.1,
    ["1"] = INSTEAD["1"],
    ["2"] = INSTEAD["2"],
  })
  if flow then leave_for(flow) end
end

-- What the caller is told, and whether it is worth waiting at all.
local function prepare()
  local state = call:queue(queue)
  if not state then return end
  if state.agents == 0 then call:transfer({ flow = "nobody-on-duty" }) end
  if state.full then call:run("queue-full", { queue = queue }) end
  call:play(prompts.of("please-wait"))
  if state.wait and state.wait > LONG then say_wait(state.wait) end
  if state.ready == 0 then offer_instead() end
end

call:answer()
prepare()
local outcome, key = call:enqueue(queue, {
  timeout = given.timeout or 600,
  priority = given.priority or 0,
  keys = "12",
  staffed = true,
})
if outcome == "key" then
  leave_for(INSTEAD[key])
elseif outcome == "nobody_signed_in" then
  call:transfer({ flow = "nobody-on-duty" })
elseif outcome ~= "served" then
  call:log("nobody took the call in", queue, outcome)
  call:play(prompts.of("all-busy"))
  call:transfer({ flow = "call-back" })
end
call:play(prompts.of("goodbye"))
call:hang_up()
