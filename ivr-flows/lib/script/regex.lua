-- Regular expressions, for intents: local regex = require("script.regex")
--
--   local compiled, why = regex.compile("(can|could) (you|we) .*later$")
--   local first, last = regex.find(compiled, "could you call me later")  --> 1, 23
--
-- It knows  . [abc] [^a-z] \d \w \s \b and \ before a sign  ( ) (?: ) |  * + ? {2} {2,} {2,5}  ^ $
-- Places are counted in characters, so that Chinese text is searched character by character.
--
-- An expression becomes a function that is given a place in the text and what has to match behind it (`rest`), and gives
-- the place where all of it ended, or nil. What takes too many tries uses up the call's own budget and nothing else.

local regex = {}

local NO_END = 1000 -- of a repetition without an upper bound: more than an answer has characters

-- The text that is searched, as code points. One at a time: a call does one thing at a time.
local text = {}

local function is_digit(c) return c >= 48 and c <= 57 end

local function is_space(c) return c == 32 or (c >= 9 and c <= 13) or c == 0x3000 end

local function is_word(c)
  return is_digit(c) or (c >= 65 and c <= 90) or (c >= 97 and c <= 122) or c == 95 or c >= 128
end

local function word_at(at)
  return text[at] ~= nil and is_word(text[at])
end

-- What stands for more than itself behind a backslash.
local CLASSES = { d = is_digit, s = is_space, w = is_word }

-- One character that passes a test.
local function one(test)
  return function(at, rest)
    if text[at] and test(text[at]) then return rest(at + 1) end
  end
end

local function nothing(at, rest) return rest(at) end

local function both(first, second)
  if first == nothing then return second end
  return function(at, rest)
    return first(at, function(next) return second(next, rest) end)
  end
end

local function either(first, second)
  return function(at, rest) return first(at, rest) or second(at, rest) end
end

-- As many as there are, at least `least` and at most `most`, and fewer if the rest does not match otherwise.
local function repeated(what, least, most)
  local function more(count, at, rest)
    if count < most then
      local ended = what(at, function(next)
        -- Going round without having moved would never end.
        if next > at or count < least then return more(count + 1, next, rest) end
      end)
      if ended then return ended end
    end
    if count >= least then return rest(at) end
  end
  return function(at, rest) return more(0, at, rest) end
end

-- Reading --------------------------------------------------------------------------------------------------

-- What is read: the expression's characters and how far it has been read.
local Reader = {}
Reader.__index = Reader

function Reader:peek() return self[self.at] end

function Reader:take(c)
  if self[self.at] ~= c then return false end
  self.at = self.at + 1
  return true
end

function Reader:fail(why)
  error({ why = why .. " at character " .. self.at })
end

-- The character behind a backslash: a test of what it stands for.
function Reader:escaped()
  local c = self:peek()
  if not c then self:fail("there is nothing behind the backslash") end
  self.at = self.at + 1
  local lower = c:lower()
  local class = CLASSES[lower]
  if class and lower == c then return class end
  if class then return function(d) return not class(d) end end
  local code = utf8.codepoint(c)
  return function(d) return d == code end, code
end

-- What stands in square brackets.
function Reader:set()
  local negative = self:take("^")
  local tests = {}
  repeat
    local c = self:peek()
    if not c then self:fail("']' is missing") end
    self.at = self.at + 1
    local test, low
    if c == "\\" then test, low = self:escaped() else low = utf8.codepoint(c) end
    if low and self:peek() == "-" and self[self.at + 1] ~= "]" then
      self.at = self.at + 1
      local high = self:peek() and utf8.codepoint(self:peek())
      if not high or high < low then self:fail("this is no range") end
      self.at = self.at + 1
      test = function(d) return d >= low and d <= high end
    elseif low then
      test = function(d) return d == low end
    end
    tests[#tests + 1] = test
  until self:take("]")
  return one(function(d)
    for i = 1, #tests do
      if tests[i](d) then return not negative end
    end
    return negative
  end)
end

-- `{2}`, `{2,}` or `{2,5}`, behind the bracket.
function Reader:bounds()
  local from = self.at
  while self:peek() and self:peek() ~= "}" do self.at = self.at + 1 end
  local said = table.concat(self, "", from, self.at - 1)
  if not self:take("}") then self:fail("'}' is missing") end
  local least, comma, most = said:match("^(%d+)(,?)(%d*)$")
  least = tonumber(least)
  most = comma == "" and least or tonumber(most) or NO_END
  if not least or most < least or most > NO_END then self:fail("'{" .. said .. "}' is no number of times") end
  return least, most
end

function Reader:atom()
  local c = self:peek()
  self.at = self.at + 1
  if c == "(" then
    if self:take("?") and not self:take(":") then self:fail("of (? only (?: is known") end
    local group = self:alternatives()
    if not self:take(")") then self:fail("')' is missing") end
    return group
  end
  if c == "[" then return self:set() end
  if c == "." then return one(function() return true end) end
  if c == "^" then return function(at, rest) if at == 1 then return rest(at) end end end
  if c == "$" then return function(at, rest) if at == #text + 1 then return rest(at) end end end
  if c == "*" or c == "+" or c == "?" or c == "{" then
    self.at = self.at - 1
    self:fail("there is nothing to repeat")
  end
  if c == "\\" then
    if self:take("b") then
      return function(at, rest) if word_at(at - 1) ~= word_at(at) then return rest(at) end end
    end
    return one((self:escaped()))
  end
  local code = utf8.codepoint(c)
  return one(function(d) return d == code end)
end

function Reader:sequence()
  local all = nothing
  while self:peek() and self:peek() ~= "|" and self:peek() ~= ")" do
    local part = self:atom()
    if self:take("*") then
      part = repeated(part, 0, NO_END)
    elseif self:take("+") then
      part = repeated(part, 1, NO_END)
    elseif self:take("?") then
      part = repeated(part, 0, 1)
    elseif self:take("{") then
      part = repeated(part, self:bounds())
    end
    all = both(all, part)
  end
  return all
end

function Reader:alternatives()
  local all = self:sequence()
  while self:take("|") do all = either(all, self:sequence()) end
  return all
end

-- The characters of a text, each as a string or as its code point.
local function characters(of, as_code)
  local list = {}
  for _, code in utf8.codes(of) do
    list[#list + 1] = as_code and code or utf8.char(code)
  end
  return list
end

-- Reads an expression; nil and what is wrong with it.
function regex.compile(expression)
  local read, result = pcall(function()
    local reader = setmetatable(characters(expression), Reader)
    reader.at = 1
    local compiled = reader:alternatives()
    if reader:peek() then reader:fail("')' without '('") end
    return compiled
  end)
  if read then return result end
  return nil, type(result) == "table" and result.why or result
end

-- Where it first matches in a text, first and last character, as far as it goes there; nil if nowhere.
function regex.find(compiled, subject)
  text = characters(subject, true)
  for at = 1, #text + 1 do
    local ended = compiled(at, function(next) return next end)
    if ended then return at, ended - 1 end
  end
end

return regex
