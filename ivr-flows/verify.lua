-- Who is calling? Card number and PIN, checked by a server, before the call reaches any agent.
--
-- Run by another flow it gives the result and the answer's three texts:
--   local result, first, second, third = call:run("verify", { url = "https://id.example/verify" })
-- with any of the settings of lib/verify-settings.lua. By itself it leads a verified caller to the settings' queue.
--
-- The result is 0: no answer, 1: passed, 2: failed, 3: something went wrong.
-- Call data it reads:  language, verifyServiceNo (the number called if there is none), verifyWorkNo
-- Call data it writes: verifyResult, verifyReturn1, verifyReturn2, verifyReturn3
--
-- Nobody sees what is keyed in: it is in no event, ladder, log and recording, and no agent hears it.

local prompts = require("prompts")
local settings = require("verify-settings")
local given = ...

local NO_ANSWER, PASSED, FAILED, WRONG = 0, 1, 2, 3

local function setting(name)
  if given and given[name] ~= nil then return given[name] end
  return settings[name]
end

-- Attempts of one number in all its calls. Who does not show his number has those of this call.
local function may_try()
  if call.from == "" or call.from == "anonymous" then return true end
  local counted, why = call:count("verify:" .. call.from, { most = setting("most"), seconds = setting("seconds") })
  return counted ~= nil or why ~= "limit"
end

-- A text for the call data: at most 256 bytes of what the server says.
local function text(value)
  if type(value) == "string" then return value:sub(1, 256) end
  if type(value) == "number" then return tostring(value) end
end

-- Asks the server. Gives the result and its three texts.
local function ask(card, pin)
  local secret = setting("secret")
  local answer, why = call:http({
    url = setting("url"),
    headers = secret and { Authorization = { secret = secret } } or nil,
    json = {
      calldata = {
        verifyServiceNo = call.data.verifyServiceNo or call.to,
        verifyWorkNo = call.data.verifyWorkNo or "",
        cardNumber = card,
        password = pin,
      },
    },
    timeout = 8,
  })
  if not answer then return why == "late" and NO_ANSWER or WRONG end
  local body = answer.ok and type(answer.json) == "table" and answer.json
  local calldata = body and type(body.calldata) == "table" and body.calldata or body
  local data = calldata and calldata.data
  if type(data) ~= "table" then return WRONG end
  local result = tonumber(data.verifyResult)
  if result ~= NO_ANSWER and result ~= PASSED and result ~= FAILED then result = WRONG end
  return result, text(data.verifyReturn1), text(data.verifyReturn2), text(data.verifyReturn3)
end

-- One attempt; nil if the caller keyed in nothing.
local function attempt()
  local card = call:collect_secret({ prompt = prompts.of("verify.card"), max = setting("card"), first = 8 })
  if not card then return nil end
  local pin = call:collect_secret({ prompt = prompts.of("verify.pin"), max = setting("pin"), first = 8 })
  if not pin then return nil end
  call:play({ prompts.of("verify.checking"), barge_in = false })
  return ask(card, pin)
end

local function verify()
  for try = 1, setting("tries") do
    if not may_try() then
      call:play(prompts.of("verify.locked"))
      return FAILED
    end
    local result, first, second, third = attempt()
    if result == PASSED then
      call:play(prompts.of("verify.passed"))
      return PASSED, first, second, third
    end
    if result == WRONG or result == NO_ANSWER then
      call:play(prompts.of("verify.unavailable"))
      return result, first, second, third
    end
    if result == FAILED and try == setting("tries") then
      call:play(prompts.of("verify.failed"))
      return FAILED, first, second, third
    end
    call:play(prompts.of("verify.again"))
  end
  return FAILED
end

call:answer()
local result, first, second, third = verify()
call.data.verifyResult = result
call.data.verifyReturn1 = first
call.data.verifyReturn2 = second
call.data.verifyReturn3 = third
call:log("verified:", result)
if given then return result, first, second, third end

if result == PASSED then call:enqueue(setting("queue")) end
call:play(prompts.of("goodbye"))
call:hang_up()
