-- The caller pays by card while the agent is on the line: the agent sends him aside to this flow (POST
-- /api/v1/calls/{call}/aside with the amount in the call data), hears a soft tone, and has him back with the result. The
-- card is in no event, ladder, log and recording, the agent hears none of its keys, and it is shown to the server alone.
--
-- Call data it reads:  amount (in the smallest unit, as 1999), currency ("EUR" if there is none), order,
--                      language ("en" or "zh"; English if there is none)
-- Call data it writes: paymentResult ("paid", "declined", "failed", or "none" if the caller gave no card), paymentReference

local prompts = require("prompts")
local settings = require("payment-settings")

local EXPIRY, CODE = 4, 3 -- digits: month and year, and those on the back

-- One entry of the card; nil if the caller gives none.
local function entry(prompt, most, least)
  return call:collect_secret({ prompt = prompts.of("payment." .. prompt), min = least or most, max = most, first = 10 })
end

-- Asks the server. Gives what came of it, and its reference.
local function charge(card, expiry, code)
  local answer = call:http({
    url = settings.url,
    headers = settings.secret and { Authorization = { secret = settings.secret } } or nil,
    json = {
      amount = call.data.amount,
      currency = call.data.currency or "EUR",
      order = call.data.order,
      card = card,
      expiry = expiry,
      code = code,
    },
    timeout = 10,
  })
  local told = answer and answer.ok and type(answer.json) == "table" and answer.json
  if not told then return "failed" end
  local result = told.result == "paid" and "paid" or told.result == "declined" and "declined" or "failed"
  return result, type(told.reference) == "string" and told.reference:sub(1, 64) or nil
end

local function pay()
  for try = 1, settings.tries do
    local card = entry("card", 19, 12)
    local expiry = card and entry("expiry", EXPIRY)
    local code = expiry and entry("code", CODE)
    if not code then return "none" end
    call:play({ prompts.of("payment.checking"), barge_in = false })
    local result, reference = charge(card, expiry, code)
    if result ~= "declined" or try == settings.tries then return result, reference end
    call:play(prompts.of("payment.wrong"))
  end
end

call:answer()
local result, reference = pay()
call.data.paymentResult = result
call.data.paymentReference = reference
call:play(prompts.of(result == "paid" and "payment.paid" or "payment.failed"))
