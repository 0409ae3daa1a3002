-- Whether a bot script is written as it must be: require("script.check")(name, script, intents) gives it back, or is an error
-- that lists everything that is wrong with it, each with its place:
--
--   scripts.appointment-en: nodes.when.branches.later leads to 'cal_back': there is no such node; did you mean 'call_back'?
--
-- `intents` are those that the script may name: its own and the standard ones of its language.

local regex = require("script.regex")

local ACTIONS = { hang_up = true, hand_over = true, finish = true, back = true }
local FOR_ALL = { silence = true, not_understood = true, any = true }

local SCRIPT = { language = "string", start = "string", nodes = "table", intents = "table", knowledge = "table", rules = "table" }
local INTENT = { keywords = "table", regex = "table", phrases = "table", keys = "string" }
local NODE = { say = "say", branches = "table", action = "string", queue = "string", tag = "string", save = "string", interrupt = "boolean" }
local BRANCH = { go = "string", intents = "table", tag = "string" }
local ENTRY = { keywords = "table", regex = "table", phrases = "table", keys = "string", intents = "table", say = "say", go = "string", wait = "boolean", tag = "string" }
local STEP = { say = "say", go = "string" }
local LIMIT = { most = "number", say = "say", go = "string" }
local RULES = {
  silence = STEP, not_understood = STEP, ["repeat"] = LIMIT, interrupt = LIMIT, all_silence = LIMIT, all_not_understood = LIMIT,
  same_question = LIMIT, questions = LIMIT, turns = LIMIT,
}
local ITEM = { date = true, digits = true, money = true, number = true, say = true, silence = true, time = true, tone = true }

-- Whether a table is an item of call:play.
local function is_item(item)
  for field in pairs(type(item) == "table" and item or {}) do
    if ITEM[field] then return true end
  end
  return false
end

-- How many signs two names differ in, at least.
local function distance(a, b)
  local before = {}
  for j = 0, #b do before[j] = j end
  for i = 1, #a do
    local row = { [0] = i }
    for j = 1, #b do
      local other = a:byte(i) == b:byte(j) and 0 or 1
      row[j] = math.min(before[j] + 1, row[j - 1] + 1, before[j - 1] + other)
    end
    before = row
  end
  return before[#b]
end

-- A hint at the name that was meant, if one is near.
local function meant(name, names)
  local best, least
  for known in pairs(names) do
    local far = distance(tostring(name), tostring(known))
    if far <= 2 and (not least or far < least) then best, least = known, far end
  end
  return best and "; did you mean '" .. best .. "'?" or ""
end

local Check = {}
Check.__index = Check

function Check:wrong(place, what)
  self.faults[#self.faults + 1] = self.name .. ": " .. place .. " " .. what
end

-- Only fields that are known, each of its type. Gives whether `value` is a table at all.
function Check:fields(place, value, known)
  if type(value) ~= "table" then
    self:wrong(place, "must be a table, not a " .. type(value))
    return false
  end
  for field, content in pairs(value) do
    local kind = known[field]
    if not kind then
      self:wrong(place, "has no field '" .. tostring(field) .. "'" .. meant(field, known))
    elseif kind == "say" then
      self:says(place .. "." .. field, content)
    elseif type(content) ~= kind then
      self:wrong(place .. "." .. field, "must be a " .. kind .. ", not a " .. type(content))
    end
  end
  return true
end

-- What is said: one text, or up to four that take turns; each a prompt or a list of items.
function Check:says(place, say)
  local variants = type(say) == "table" and say or { say }
  if #variants < 1 or #variants > 4 then self:wrong(place, "must be one to four texts") end
  for i, variant in ipairs(variants) do
    for _, item in ipairs(type(variant) == "table" and variant or { variant }) do
      if type(item) ~= "string" and not is_item(item) then
        self:wrong(place .. "[" .. i .. "]", "must be a prompt or a list of prompts and { say = ... }, { number = ... }")
      end
    end
  end
end

function Check:leads(place, go)
  if type(go) == "string" and not self.nodes[go] then
    self:wrong(place, "leads to '" .. go .. "': there is no such node" .. meant(go, self.nodes))
  end
end

function Check:named_intents(place, list)
  for _, name in ipairs(type(list) == "table" and list or {}) do
    if not self.intents[name] then
      self:wrong(place, "has the intent '" .. tostring(name) .. "', which is not there" .. meant(name, self.intents))
    end
  end
end

function Check:expressions(place, list)
  for i, expression in ipairs(type(list) == "table" and list or {}) do
    local compiled, why = regex.compile(expression)
    if not compiled then self:wrong(place .. ".regex[" .. i .. "]", "is '" .. expression .. "': " .. why) end
  end
end

function Check:branch(place, name, branch)
  if type(branch) == "string" then
    branch = { go = branch }
  elseif not self:fields(place, branch, BRANCH) then
    return
  end
  if not branch.go then self:wrong(place, "leads nowhere: 'go' is missing") end
  self:leads(place, branch.go)
  if branch.intents then
    self:named_intents(place, branch.intents)
  elseif not FOR_ALL[name] and not self.intents[name] then
    self:wrong(place, "is the name of no intent" .. meant(name, self.intents))
  end
end

function Check:node(name, node)
  local place = "nodes." .. name
  if not self:fields(place, node, NODE) then return end
  if (node.branches == nil) == (node.action == nil) then
    self:wrong(place, "must have either branches or an action")
  end
  if node.action ~= nil and not ACTIONS[node.action] then
    self:wrong(place, "has the action '" .. tostring(node.action) .. "', which is not there" .. meant(node.action, ACTIONS))
  end
  if (node.action == "hand_over") ~= (node.queue ~= nil) then
    self:wrong(place, "must have a queue if its action is 'hand_over', and only then")
  end
  local branches = type(node.branches) == "table" and node.branches or {}
  if node.branches and next(branches) == nil then self:wrong(place, "has no branch") end
  for branch, leads in pairs(branches) do
    self:branch(place .. ".branches." .. tostring(branch), branch, leads)
  end
  -- Any answer is all there is; beside it only what is no answer.
  for branch in pairs(branches.any and branches or {}) do
    if not FOR_ALL[branch] then self:wrong(place, "has a branch '" .. branch .. "' beside 'any', which takes every answer") end
  end
  if branches.any and branches.not_understood then
    self:wrong(place, "has a branch 'not_understood' beside 'any', which takes every answer")
  end
end

function Check:rule(name, rule)
  local place, known = "rules." .. tostring(name), RULES[name]
  if not known then
    self:wrong("rules", "has no field '" .. tostring(name) .. "'" .. meant(name, RULES))
  elseif known == STEP then
    for i, step in ipairs(type(rule) == "table" and rule or {}) do
      self:fields(place .. "[" .. i .. "]", step, STEP)
      self:leads(place .. "[" .. i .. "]", type(step) == "table" and step.go)
    end
    local last = type(rule) == "table" and rule[#rule]
    if type(last) ~= "table" or not last.go then
      self:wrong(place, "must be a list of what is done at the first, second ... time in a row, and the last must lead on by 'go'")
    end
  elseif self:fields(place, rule, LIMIT) then
    self:leads(place, rule.go)
    if name ~= "interrupt" and not (rule.most and rule.go) then self:wrong(place, "must say 'most' and 'go'") end
  end
end

function Check:script(script)
  if not self:fields("the script", script, SCRIPT) then return end
  self.nodes = type(script.nodes) == "table" and script.nodes or {}
  if not script.start then self:wrong("the script", "must say in 'start' at which node it begins") end
  self:leads("start", script.start)
  for name, intent in pairs(type(script.intents) == "table" and script.intents or {}) do
    if self:fields("intents." .. name, intent, INTENT) then self:expressions("intents." .. name, intent.regex) end
  end
  for name, node in pairs(self.nodes) do self:node(tostring(name), node) end
  for name, entry in pairs(type(script.knowledge) == "table" and script.knowledge or {}) do
    local place = "knowledge." .. tostring(name)
    if self:fields(place, entry, ENTRY) then
      self:expressions(place, entry.regex)
      self:named_intents(place, entry.intents)
      self:leads(place, entry.go)
      if not (entry.say or entry.go) then self:wrong(place, "must say something or lead on by 'go'") end
    end
  end
  local rules = type(script.rules) == "table" and script.rules or {}
  for name, rule in pairs(rules) do self:rule(name, rule) end
  for _, name in ipairs({ "silence", "not_understood" }) do
    if not rules[name] then self:wrong("rules", "must have '" .. name .. "': a caller who is not heard would be asked for ever") end
  end
end

return function(name, script, intents)
  local check = setmetatable({ name = name, intents = intents, nodes = {}, faults = {} }, Check)
  check:script(script)
  if #check.faults > 0 then error(table.concat(check.faults, "\n"), 0) end
  return script
end
