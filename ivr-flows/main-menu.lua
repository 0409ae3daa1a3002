-- The main menu: sales, support or the operator.
--
-- Call data it reads:  language ("en" or "zh"; English if there is none)
-- Call data it writes: choice ("sales", "support" or "operator")
-- It needs the queues `sales` and `support` and the agent `1001`.

local OPERATOR = "1001"
local LONGEST_WAIT = 120 -- seconds

local language = call.data.language or "en"

local function prompt(name)
  return language .. "." .. name
end

local function goodbye()
  call:play(prompt("goodbye"))
  call:hang_up()
end

-- Brings the caller to a queue, and apologises if nobody took the call.
local function wait_for(queue)
  call.data.choice = queue
  call:play(prompt("please-wait"))
  local outcome = call:enqueue(queue, { timeout = LONGEST_WAIT })
  if outcome ~= "served" then
    call:log("nobody took the call in", queue, outcome)
    call:play(prompt("all-busy"))
  end
  goodbye()
end

local function operator()
  call.data.choice = "operator"
  call:play(prompt("please-wait"))
  local done, why = call:transfer({ agent = OPERATOR })
  if not done then
    call:log("the operator did not take the call:", why)
    wait_for("support")
  end
end

call:answer()
call:play(prompt("welcome"))

local again = "again"
repeat
  local result = call:menu({
    prompt = prompt("menu"),
    invalid = prompt("invalid-choice"),
    no_input = prompt("no-input"),
    tries = 3,
    ["1"] = function() wait_for("sales") end,
    ["2"] = function() wait_for("support") end,
    ["0"] = operator,
    ["#"] = again,
  })
until result ~= again

goodbye()
