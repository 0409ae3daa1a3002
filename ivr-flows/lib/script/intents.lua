-- What did the caller mean? local intents = require("script.intents")
--
-- An intent is what can be meant, and how it is said:
--   { keywords = { "later", "not now" },      one of these words stands in the answer
--     regex    = { "call .* (back|later)" },  this is found in the answer
--     phrases  = { "please call me later" },  the answer is much like this sentence
--     keys     = "3" }                        or this key is pressed
--
-- What is heard is compared without capitals and punctuation. Keywords of letters a to z are whole words: "no" is not in
-- "know". Chinese, which is written without spaces, is searched as it stands.

local regex = require("script.regex")

local intents = {}

-- How much of an answer must be like a phrase: 1 is all of it.
local ALIKE = 0.65
-- More than any answer is long: a key leaves no doubt.
local CERTAIN = 10000

local PUNCTUATION = { "，", "。", "？", "！", "、", "；", "：", "“", "”", "（", "）", "…" }

-- A text as it is compared: small letters, no punctuation, one space between words.
function intents.plain(text)
  for _, sign in ipairs(PUNCTUATION) do text = text:gsub(sign, " ") end
  -- The apostrophe goes without a space: "don't" is one word, "dont".
  text = text:lower():gsub("'", ""):gsub("’", ""):gsub("%p", " "):gsub("%s+", " ")
  return text:match("^ ?(.-) ?$")
end

local function find_keyword(keyword, text)
  keyword = intents.plain(keyword)
  if keyword == "" then return nil end
  if keyword:find("[\128-\255]") then
    keyword, text = keyword:gsub(" ", ""), text:gsub(" ", "")
    return text:find(keyword, 1, true) and utf8.len(keyword)
  end
  return (" " .. text .. " "):find(" " .. keyword .. " ", 1, true) and #keyword
end

local function find_regex(expression, text)
  local first, last = regex.find(regex.compile(expression), text)
  return first and last - first + 1
end

-- How often each pair of neighbouring characters stands in a text, and how many pairs there are.
local function pairs_of(text)
  local count, all, before = {}, 0, nil
  for _, code in utf8.codes(text) do
    if before then
      local pair = before * 0x110000 + code
      count[pair] = (count[pair] or 0) + 1
      all = all + 1
    end
    before = code
  end
  return count, all
end

-- How much two texts are alike, from 0 to 1: the share of the pairs of characters that both have.
local function alike(a, b)
  if a == b then return 1 end
  local in_a, all_a = pairs_of(a)
  local in_b, all_b = pairs_of(b)
  if all_a + all_b == 0 then return 0 end
  local common = 0
  for pair, count in pairs(in_a) do common = common + math.min(count, in_b[pair] or 0) end
  return 2 * common / (all_a + all_b)
end

local function find_phrase(phrase, text)
  phrase = intents.plain(phrase)
  return alike(phrase, text) >= ALIKE and utf8.len(phrase)
end

local WAYS = { { "keywords", find_keyword }, { "regex", find_regex }, { "phrases", find_phrase } }

-- How well an answer fits an intent: how many characters of it say so; nil if it does not. An answer is
-- { key = "1" } or { words = "...", plain = intents.plain("...") }.
function intents.fits(intent, answer)
  if answer.key then
    return intent.keys and intent.keys:find(answer.key, 1, true) and CERTAIN
  end
  local best
  for _, way in ipairs(WAYS) do
    local name, find = way[1], way[2]
    for _, wanted in ipairs(intent[name] or {}) do
      local length = find(wanted, answer.plain)
      if length and (not best or length > best) then best = length end
    end
  end
  return best
end

return intents
