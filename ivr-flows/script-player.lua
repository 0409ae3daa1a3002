-- Talks with the caller as a bot script says (docs/flows.md, "Bot scripts"): a talk of several turns, with answers in
-- words or by keys, questions that may be asked at any time, and a person who takes over.
--
-- Run by another flow it gives the node at which the talk ended, and its tags:
--   local ending, tags = call:run("script-player", { script = "appointment", recogniser = "wss://asr.example/v1" })
-- with any of the settings of lib/script/settings.lua. By itself it goes by the settings and ends the call.
--
-- Call data it reads:  script (if none is given), language ("en" or "zh"; English if there is none), what the script says
-- Call data it writes: scriptEnd, scriptTags, what the script saves

local play = require("script.player")
local prompts = require("prompts")
local settings = require("script.settings")
local given = ...

local function setting(name)
  if given and given[name] ~= nil then return given[name] end
  return settings[name]
end

-- A person takes over.
local function hand_over(queue)
  local outcome = call:enqueue(queue, { timeout = setting("wait") })
  if outcome ~= "served" then
    call:log("nobody took over in", queue, outcome)
    call:play(prompts.of("all-busy"))
  end
end

local script = given and given.script or call.data.script or setting("script")
local name = "scripts." .. script .. "-" .. prompts.language

call:answer()
local ending, node, tags = play(name, require(name), { recogniser = setting("recogniser"), listen = setting("listen") })
if node.action == "hand_over" then hand_over(node.queue) end
if node.action == "finish" and given then return ending, tags end
call:hang_up()
