-- An agent who has only a telephone comes to work by its keys: number and password, then a menu with 1 ready, 2 not ready,
-- 3 a break, 9 sign out. A password that is too old, or was set by somebody else, is changed by keys, too. Lead an access code
-- here, and allow it to the agent: phone_sign_in = true.
--
-- The telephone that he calls from is his while he is signed in. He need not stay on the line: his calls come when he has
-- hung up. To be something else he calls again.
--
-- Call data it reads: language ("en" or "zh"; English if there is none)
-- Nobody sees what is keyed in as a password: it is in no event, ladder, log and recording.

local prompts = require("prompts")

local TRIES = 3 -- numbers and passwords a call
local PAUSE = 4 -- seconds, where the switch wants time between two passwords
local LONGEST = 32 -- digits of a password

local function of(name)
  return prompts.of("sign-in." .. name)
end

local function secret(name)
  return call:collect_secret({ prompt = of(name), max = LONGEST, first = 10 })
end

-- Asks the switch, and once more if it has no time just now.
local function ask(wanted)
  local ok, why = call:agent_sign_in(wanted)
  if why == "busy" then
    call:wait(PAUSE)
    ok, why = call:agent_sign_in(wanted)
  end
  return ok, why
end

-- A new password, twice. Signs him in with it.
local function change(agent, old)
  call:play(of("expired"))
  for _ = 1, TRIES do
    local new = secret("new")
    local again = new and secret("again")
    if not again then return nil end
    if new:equals(again) then
      local ok, why = ask({ agent = agent, password = old, new = new })
      if why ~= "refused" then return ok, why end
      call:play(of("refused"))
    else
      call:play(of("different"))
    end
  end
end

-- He is signed in at a desk or another telephone, or another agent is at this one: he alone and here, if he says so.
local function take_over(agent, password, why)
  local here = call:menu({ prompt = of(why), tries = 2, ["1"] = true })
  if not here then return nil end
  return ask({ agent = agent, password = password, take_over = true })
end

local function sign_in()
  for _ = 1, TRIES do
    local agent = call:collect({ prompt = of("number"), max = 20, first = 10 })
    local password = agent and secret("password")
    if not password then return nil end
    local ok, why = ask({ agent = agent, password = password })
    if why == "expired" then ok, why = change(agent, password) end
    if why == "elsewhere" or why == "taken" then ok, why = take_over(agent, password, why) end
    if ok then return true end
    if why ~= "wrong" then return nil, why end
    call:play(prompts.of("verify.again"))
  end
end

local function work()
  repeat
    local state = call:menu({
      prompt = of("menu"),
      invalid = prompts.of("invalid-choice"),
      tries = 2,
      ["1"] = "ready",
      ["2"] = "not_ready",
      ["3"] = "rest",
      ["9"] = "sign_out",
    })
    if not state then return end
    if not call:agent_state(state) then
      call:play(of("over"))
      return
    end
    call:play(of(state))
  until state == "sign_out"
end

call:answer()
local ok, why = sign_in()
if ok then
  call:play(of("welcome"))
  work()
elseif why == "locked" then
  call:play(prompts.of("verify.locked"))
end
call:play(prompts.of("goodbye"))
