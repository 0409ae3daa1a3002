-- The main menu: sales, support or the operator, while the office is open. At other times after-hours.lua has the call.
--
-- Call data it reads:  language ("en" or "zh"; English if there is none)
-- Call data it writes: choice ("sales", "support" or "operator")
-- It needs the queues `sales` and `support` and the agent `1001`; the calendar `office` says when it is open (always, if there
-- is none).

local prompts = require("prompts")

local OPERATOR = "1001"

-- queue-wait.lua has the caller from here on.
local function wait_for(queue)
  call.data.choice = queue
  call:run("queue-wait", { queue = queue })
end

local function operator()
  call.data.choice = "operator"
  call:play(prompts.of("please-wait"))
  local done, why = call:transfer({ agent = OPERATOR })
  if not done then
    call:log("the operator did not take the call:", why)
    wait_for("support")
  end
end

call:answer()
local state = call:calendar("office")
if state == "closed" or state == "holiday" then
  call:transfer({ flow = "after-hours" })
end
call:play(prompts.of("welcome"))

local again = "again"
repeat
  local result = call:menu({
    prompt = prompts.of("menu"),
    invalid = prompts.of("invalid-choice"),
    no_input = prompts.of("no-input"),
    tries = 3,
    ["1"] = function() wait_for("sales") end,
    ["2"] = function() wait_for("support") end,
    ["0"] = operator,
    ["#"] = again,
  })
until result ~= again

call:play(prompts.of("goodbye"))
call:hang_up()
