-- How content was the caller? One question after the talk, for the record of the call.
--
-- A queue whose `survey` it is has it for every caller whose agent hangs up first; an agent may also send his caller to a
-- number that leads to it, and another flow may run it: local score = call:run("survey", {}).
--
-- Call data it reads:  language ("en" or "zh"; English if there is none), surveyAgent and surveyQueue (the switch says of whom
--                      and of where the caller comes), sentBy (who sent him here)
-- Call data it writes: surveyScore (1 to 5; none if he gives no answer), surveyAgent

local prompts = require("prompts")
local given = ...

call:answer()
local score = call:menu({
  prompt = prompts.of("survey.rate"),
  invalid = prompts.of("invalid-choice"),
  tries = 2,
  ["1"] = 1,
  ["2"] = 2,
  ["3"] = 3,
  ["4"] = 4,
  ["5"] = 5,
})
call.data.surveyScore = score
call.data.surveyAgent = call.data.surveyAgent or call.data.sentBy
if score then call:play(prompts.of("survey.thanks")) end
if given then return score end
call:hang_up()
