-- Plays a bot script: a talk of several turns that is written down as data (docs/flows.md, "Bot scripts").
--
--   local play = require("script.player")
--   local ending, tags = play(name, script, options)
--
-- `options` are those of script/settings.lua. What is found out goes into the call data: `scriptEnd`, the node at which the talk
-- ended; `scriptTags`, what the talk was tagged with; and what the script saves. The call's log has every turn.

local check = require("script.check")
local intents = require("script.intents")
local hearing = require("script.hearing")

-- A script that goes from node to node without asking anything is no talk.
local MOST_NODES = 500

local Talk = {}
Talk.__index = Talk

-- The script's own intents, with what the standard ones of its language add.
local function all_intents(script)
  local all = {}
  for name, intent in pairs(require("script.standard-" .. (script.language or "en"))) do all[name] = { intent } end
  for name, intent in pairs(script.intents or {}) do
    all[name] = all[name] or {}
    table.insert(all[name], intent)
  end
  return all
end

-- Speaking -------------------------------------------------------------------------------------------------

-- Puts call data into a text: "${name}".
local function filled(value)
  if type(value) ~= "string" then return value end
  return (value:gsub("%${(%w+)}", function(name)
    local known = call.data[name]
    if known == nil or type(known) == "table" then return "" end
    return tostring(known)
  end))
end

-- An item with its call data, in the language of the script; nil if the call data has nothing to fill in.
function Talk:item(item)
  if type(item) == "string" then return filled(item) end
  local whole = {}
  for field, value in pairs(item) do
    whole[field] = filled(value)
    if whole[field] == "" then return nil end
  end
  if not item.tone and not item.silence then whole.language = item.language or self.language end
  return whole
end

-- Says a prompt or a list of items. Gives the key that cut it short.
function Talk:say_items(items, barge_in)
  local list = { barge_in = barge_in }
  for _, item in ipairs(type(items) == "table" and items or { items }) do
    list[#list + 1] = self:item(item)
  end
  local key = call:play(list)
  return type(key) == "string" and key or nil
end

-- Says one of the texts that take turns: `whose` tells which has had its turn.
function Talk:say(whose, say, barge_in)
  if say == nil then return nil end
  local variants = type(say) == "table" and say or { say }
  local turn = self.turns[whose] or 0
  self.turns[whose] = turn + 1
  return self:say_items(variants[turn % #variants + 1], barge_in ~= false)
end

-- Noting ---------------------------------------------------------------------------------------------------

function Talk:tag(tag)
  if not tag or self.tagged[tag] then return end
  self.tagged[tag] = true
  self.tags[#self.tags + 1] = tag
  call.data.scriptTags = table.concat(self.tags, ",")
end

-- Counts for one of the rules. Gives where the talk goes if it was once too often.
function Talk:count(rule, key)
  key = key or rule
  self.counts[key] = (self.counts[key] or 0) + 1
  local limit = self.rules[rule]
  if limit and limit.most and self.counts[key] > limit.most then
    call:log("script: more than", limit.most, key)
    self:say("rules." .. rule, limit.say)
    return limit.go
  end
end

-- Understanding --------------------------------------------------------------------------------------------

-- Everything that can be meant at a node: what it is, its name, and its intents.
function Talk:expected(node)
  local list = {}
  local function add(kind, name, what, named)
    local wanted = {}
    for _, intent in ipairs(named) do
      for _, part in ipairs(self.intents[intent] or {}) do wanted[#wanted + 1] = part end
    end
    if kind == "question" then wanted[#wanted + 1] = what end
    list[#list + 1] = { kind = kind, name = name, what = what, wanted = wanted }
  end
  for name, branch in pairs(node.branches) do
    if name ~= "any" and name ~= "silence" and name ~= "not_understood" then
      if type(branch) == "string" then branch = { go = branch } end
      add("branch", name, branch, branch.intents or { name })
    end
  end
  for _, name in ipairs({ "repeat", "interrupt" }) do
    if self.rules[name] then add("rule", name, self.rules[name], { name }) end
  end
  for name, entry in pairs(self.knowledge) do add("question", name, entry, entry.intents or {}) end
  return list
end

-- What fits an answer best: that of which most was said. Of two that fit alike a branch of the node goes before the
-- rules, and these before a question.
local function best(list, answer)
  local found, most = nil, 0
  for _, candidate in ipairs(list) do
    for _, intent in ipairs(candidate.wanted) do
      local length = intents.fits(intent, answer)
      if length and length > most then found, most = candidate, length end
    end
  end
  return found
end

-- What is no branch. Each gives the node the talk goes to (the same one is said again), or nil: listen once more.

-- The caller is silent, or is not understood: for the first, second ... time in a row.
function Talk:missed(what)
  local go = self:count("all_" .. what)
  if go then return go end
  self.missed_here[what] = (self.missed_here[what] or 0) + 1
  local steps = self.rules[what]
  local step = steps[math.min(self.missed_here[what], #steps)]
  self.pressed = self:say(step, step.say)
  return step.go
end

-- The caller asks something. He is answered, and then asked once more what he was asked before, unless the answer
-- leads elsewhere or waits for what he says to it.
function Talk:question(name, entry)
  self:tag(entry.tag)
  local go = self:count("same_question", "question " .. name)
  if go then return go end
  if self.counts["question " .. name] == 1 then
    go = self:count("questions")
    if go then return go end
  end
  self.pressed = self:say("knowledge." .. name, entry.say)
  if entry.go then
    self.asked_at = self.here
    return entry.go
  end
  return not entry.wait and self.here or nil
end

function Talk:rule(name, rule)
  local go = self:count(name)
  if go then return go end
  if name == "interrupt" then
    self.pressed = self:say("rules.interrupt", rule.say)
    return rule.go
  end
  return self.here
end

-- One answer at a node, and where it leads.
function Talk:turn(node)
  local expected = self:expected(node)
  local wanted = {}
  for _, candidate in ipairs(expected) do
    for _, intent in ipairs(candidate.wanted) do wanted[#wanted + 1] = intent end
  end
  local pressed = self.pressed
  self.pressed = nil
  local answer = self.hearing:answer(wanted, pressed)
  local said = answer and (answer.key or answer.words) or ""
  local found = answer and best(expected, answer)
  local kind = found and found.kind
  local name = found and found.name
  local branch = kind == "branch" and found.what
  if not found then
    name = not answer and "silence" or node.branches.any and said ~= "" and "any" or "not_understood"
    branch = node.branches[name]
    if type(branch) == "string" then branch = { go = branch } end
  end
  call:log("script:", self.here, "heard", "'" .. said .. "':", kind or "", name)
  if branch then
    if node.save then call.data[node.save] = said ~= "" and said or nil end
    self:tag(branch.tag)
    return branch.go
  end
  if kind == "question" then return self:question(name, found.what) end
  if kind == "rule" then return self:rule(name, found.what) end
  return self:missed(name)
end

-- The talk -------------------------------------------------------------------------------------------------

-- Says what a node says, and listens until an answer leads on. Gives the next node.
function Talk:ask(node)
  self.missed_here = {}
  repeat
    local go = self:count("turns") or self:turn(node)
    if go then return go end
  until false
end

-- Goes from node to node until one ends the talk. Gives its name and the node.
function Talk:go(start)
  local next = start
  for _ = 1, MOST_NODES do
    local node = self.nodes[next]
    self.here = next
    self:tag(node.tag)
    self.pressed = self.pressed or self:say("nodes." .. next, node.say, node.interrupt)
    if node.branches then
      next = self:ask(node)
    elseif node.action == "back" then
      next = self.asked_at or start
    else
      return next, node
    end
  end
  error("the script went through " .. MOST_NODES .. " nodes without an end", 0)
end

return function(name, script, options)
  local all = all_intents(script)
  check(name, script, all)
  local talk = setmetatable({
    nodes = script.nodes,
    knowledge = script.knowledge or {},
    rules = script.rules,
    intents = all,
    language = script.language or "en",
    hearing = hearing(options.recogniser, options.listen, script.language or "en"),
    turns = {},
    counts = {},
    tags = {},
    tagged = {},
  }, Talk)
  local ending, node = talk:go(script.start)
  call.data.scriptEnd = ending
  return ending, node, talk.tags
end
