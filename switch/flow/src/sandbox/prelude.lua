-- The library of flows, as far as it is written in Lua: everything that calls back into a flow is here,
-- so that a flow can always be stopped from the hook. `raw` holds functions of the machine, `rust` those
-- of the host, `verbs` the names of the verbs.
local raw, rust, verbs = ...

local error, type, select = raw.error, raw.type, raw.select
local rawget, yield = raw.rawget, raw.yield
local metafield, concat, seek = rust.metafield, rust.concat, rust.seek
local sub = raw.string.sub

-- A view of a table of the library: readable, not writable, its metatable out of reach.
local setmeta = rust.setmetatable
local function proxy(target, name)
  return setmeta({}, {
    __index = target,
    __newindex = function() rust.readonly(name) end,
    __metatable = false,
  })
end

local function bad(i, name, want, got)
  error("bad argument #" .. i .. " to '" .. name .. "' (" .. want .. " expected, got " .. type(got) .. ")", 3)
end

-- Text of a value, never an address.
local function tostring(v)
  local kind = type(v)
  if kind == "string" then return v end
  if kind == "number" or kind == "boolean" or kind == "nil" then return raw.tostring(v) end
  local f = metafield(v, "__tostring")
  if f ~= nil then
    local text = f(v)
    if type(text) ~= "string" then error("'__tostring' must return a string", 2) end
    return text
  end
  -- The only thing of the host's that a flow holds is a secret.
  if kind == "userdata" then return "(secret)" end
  local name = metafield(v, "__name")
  return type(name) == "string" and name or kind
end

local function joined(separator, ...)
  local list = {}
  for i = 1, select("#", ...) do list[i] = tostring((select(i, ...))) end
  return concat(list, separator)
end

-- Errors -----------------------------------------------------------------------------------------------

-- A spent budget is never given back to the flow: the coroutine is left here and not resumed.
local function finish(ok, ...)
  if ok then return true, ... end
  local dead, value = rust.caught((...))
  if dead then yield() end
  return false, value
end

local function pcall(f, ...) return finish(raw.pcall(f, ...)) end

local function xpcall_finish(handler, ok, ...)
  if ok then return true, ... end
  local handled, value = pcall(handler, (...))
  return false, value
end

local function xpcall(f, handler, ...) return xpcall_finish(handler, pcall(f, ...)) end

-- Tables -----------------------------------------------------------------------------------------------

local function ipairs_next(t, i)
  i = i + 1
  local v = t[i]
  if v ~= nil then return i, v end
end

local function ipairs(t)
  if t == nil then bad(1, "ipairs", "table", t) end
  return ipairs_next, t, 0
end

local function pairs(t)
  local f = metafield(t, "__pairs")
  if f ~= nil then
    local a, b, c = f(t)
    return a, b, c
  end
  if type(t) ~= "table" then bad(1, "pairs", "table", t) end
  local keys, i = rust.keys(t), 0
  return function()
    while true do
      i = i + 1
      local k = keys[i]
      if k == nil then return nil end
      local v = rawget(t, k)
      if v ~= nil then return k, v end
    end
  end, t, nil
end

local table = { concat = concat, unpack = rust.unpack, pack = raw.table.pack }

function table.insert(t, ...)
  if type(t) ~= "table" then bad(1, "insert", "table", t) end
  local count, size = select("#", ...), #t
  if count == 1 then
    t[size + 1] = (...)
  elseif count == 2 then
    local at, v = ...
    at = raw.math.tointeger(at)
    if not at then bad(2, "insert", "whole number", (...)) end
    if at < 1 or at > size + 1 then error("bad argument #2 to 'insert' (position out of bounds)", 2) end
    for i = size, at, -1 do t[i + 1] = t[i] end
    t[at] = v
  else
    error("wrong number of arguments to 'insert'", 2)
  end
end

function table.remove(t, at)
  if type(t) ~= "table" then bad(1, "remove", "table", t) end
  local size = #t
  if at == nil then at = size end
  at = raw.math.tointeger(at)
  if not at then bad(2, "remove", "whole number", at) end
  if at ~= size and (at < 1 or at > size + 1) then
    error("bad argument #2 to 'remove' (position out of bounds)", 2)
  end
  local v = t[at]
  for i = at, size - 1 do t[i] = t[i + 1] end
  if at <= size then t[size] = nil end
  return v
end

function table.move(a, from, to, at, b)
  if type(a) ~= "table" then bad(1, "move", "table", a) end
  b = b or a
  if to >= from then
    if at > to or at <= from or a ~= b then
      for i = 0, to - from do b[at + i] = a[from + i] end
    else
      for i = to - from, 0, -1 do b[at + i] = a[from + i] end
    end
  end
  return b
end

-- A merge sort: stable, so that equal entries keep their order, and harmless with a wrong `before`.
function table.sort(t, before)
  if type(t) ~= "table" then bad(1, "sort", "table", t) end
  if before ~= nil and type(before) ~= "function" then bad(2, "sort", "function", before) end
  local size = #t
  local from, to = t, {}
  local width = 1
  while width < size do
    for low = 1, size, 2 * width do
      local middle, high = low + width, low + 2 * width
      if middle > size + 1 then middle = size + 1 end
      if high > size + 1 then high = size + 1 end
      local i, j = low, middle
      for k = low, high - 1 do
        local left
        if i >= middle then
          left = false
        elseif j >= high then
          left = true
        elseif before then
          left = not before(from[j], from[i])
        else
          left = not (from[j] < from[i])
        end
        if left then
          to[k] = from[i]
          i = i + 1
        else
          to[k] = from[j]
          j = j + 1
        end
      end
    end
    if from == t then from, to = to, {} else from, to = to, from end
    width = 2 * width
  end
  if from ~= t then
    for i = 1, size do t[i] = from[i] end
  end
end

-- Strings ----------------------------------------------------------------------------------------------

local string = {
  byte = raw.string.byte, char = raw.string.char, len = raw.string.len, lower = raw.string.lower,
  reverse = raw.string.reverse, sub = sub, upper = raw.string.upper,
  find = rust.find, match = rust.match, rep = rust.rep,
}

function string.format(form, ...)
  local letters = rust.directives(form)
  local args = table.pack(...)
  for i = 1, #letters do
    local letter = sub(letters, i, i)
    if i > args.n then error("bad argument #" .. (i + 1) .. " to 'format' (no value)", 2) end
    if letter == "s" then args[i] = tostring(args[i]) end
  end
  return raw.string.format(form, table.unpack(args, 1, args.n))
end

function string.gmatch(s, p, init)
  local from, last = init or 1, 0
  if from < 0 then from = #s + from + 1 end
  if from < 1 then from = 1 end
  local function give(at, after, ...)
    if not at then
      from = #s + 2
      return nil
    end
    from, last = after, after
    return ...
  end
  return function()
    if from > #s + 1 then return nil end
    return give(seek(s, p, from, last, false))
  end
end

function string.gsub(s, p, repl, most)
  local kind = type(repl)
  if kind == "string" or kind == "number" then return rust.gsub(s, p, repl, most) end
  if kind ~= "function" and kind ~= "table" then bad(3, "gsub", "string/function/table", repl) end
  if type(s) == "number" then s = tostring(s) end
  if type(s) ~= "string" then bad(1, "gsub", "string", s) end
  local parts, count, from, last = {}, 0, 1, 0
  local once = sub(p, 1, 1) == "^"
  most = most or #s + 1
  while count < most and from <= #s + 1 do
    local found = table.pack(seek(s, p, from, last, true))
    if found.n == 0 then break end
    local at, after = found[1], found[2]
    count = count + 1
    parts[#parts + 1] = sub(s, from, at - 1)
    local v
    if kind == "function" then v = repl(table.unpack(found, 3, found.n)) else v = repl[found[3]] end
    if not v then
      v = sub(s, at, after - 1)
    elseif type(v) ~= "string" and type(v) ~= "number" then
      error("invalid replacement value (a " .. type(v) .. ")", 2)
    end
    parts[#parts + 1] = v
    from, last = after, after
    if once then break end
  end
  parts[#parts + 1] = sub(s, from)
  return concat(parts), count
end

-- Arithmetic on strings that read as numbers. The machine's own would call a flow's function from C.
local strings = { __index = string, __metatable = false }
do
  local function number(v)
    if type(v) == "number" then return v end
    if type(v) == "string" and #v <= 64 then return raw.tonumber(v) end
  end
  local operators = {
    __add = function(a, b) return a + b end, __sub = function(a, b) return a - b end,
    __mul = function(a, b) return a * b end, __div = function(a, b) return a / b end,
    __mod = function(a, b) return a % b end, __pow = function(a, b) return a ^ b end,
    __idiv = function(a, b) return a // b end, __unm = function(a) return -a end,
  }
  for _, name in ipairs({ "__add", "__sub", "__mul", "__div", "__mod", "__pow", "__idiv", "__unm" }) do
    local operator = operators[name]
    strings[name] = function(a, b)
      local x, y = number(a), number(b)
      if x and y then return operator(x, y) end
      local f = type(b) ~= "string" and metafield(b, name)
      if f then return f(a, b) end
      local culprit = x and b or a
      error("attempt to perform arithmetic on a " .. type(culprit) .. " value", 2)
    end
  end
end

-- Numbers ----------------------------------------------------------------------------------------------

local math = {}
for _, name in ipairs({
  "abs", "acos", "asin", "atan", "ceil", "cos", "deg", "exp", "floor", "fmod", "huge", "log", "max",
  "maxinteger", "min", "mininteger", "modf", "pi", "rad", "sin", "sqrt", "tan", "tointeger", "type", "ult",
}) do
  math[name] = raw.math[name]
end
math.random, math.randomseed = rust.random, rust.randomseed

local utf8 = {}
for _, name in ipairs({ "char", "charpattern", "codepoint", "codes", "len", "offset" }) do
  utf8[name] = raw.utf8[name]
end

-- The call ---------------------------------------------------------------------------------------------

-- A verb is resumed with nothing and its results, or with an error.
local function reply(wrong, ...)
  if wrong then error(wrong, 0) end
  return ...
end

local function ask(name, ...)
  rust.request(name, ...)
  return reply(yield())
end

local data = setmeta({}, {
  __index = function(_, key)
    local known, value = rust.data_get(key)
    if known then return value end
    return reply(yield())
  end,
  __newindex = function(_, key, value)
    rust.data_set(key, value)
    reply(yield())
  end,
  __pairs = function() return pairs(rust.data_list()) end,
  __metatable = false,
})

-- One of the tenant's texts, as a function of an environment.
local function text(ask_for, name)
  ask_for(name)
  return reply(yield())
end

local environment
local LOADING = {}

local function require(name)
  local thread = raw.running()
  local mine = raw.libraries[thread]
  if mine == nil then
    mine = {}
    raw.libraries[thread] = mine
  end
  local known = mine[name]
  if known == LOADING then
    error("require: '" .. name .. "' requires itself by way of others, or failed before", 2)
  end
  if known ~= nil then return known end
  local library = text(rust.library, name)
  mine[name] = LOADING
  local value = library(environment(), name)
  if value == nil then value = true end
  mine[name] = value
  return value
end

local own = {}

function own.run(name, ...)
  local flow = text(rust.flow, name)
  return flow(environment(), ...)
end

function own.log(...) rust.log(joined(" ", ...)) end

function own.get(...)
  local kind = rust.data_kind(...)
  local key, _, default = ...
  local value = data[key]
  if value == nil then return default end
  local is, read = type(value), nil
  if kind == "string" then
    if is ~= "table" then read = tostring(value) end
  elseif kind == is then
    read = value
  elseif kind == "boolean" then
    if value == "true" then read = true elseif value == "false" then read = false end
  elseif kind == "number" or kind == "integer" then
    if is == "number" or is == "string" and #value <= 64 then read = raw.tonumber(value) end
    if kind == "integer" and read ~= nil then read = raw.math.tointeger(read) end
  end
  if read == nil then return default, (kind == "integer" and "not_an_" or "not_a_") .. kind end
  return read
end

function own.dial(...)
  local count = rust.dial_targets(...)
  local options = ...
  local why
  for i = 1, count do
    local how, who = ask("dial", options, i)
    if how ~= nil then return how, who end
    why = who
  end
  return nil, why
end

-- Asks until there is an entry, or the last try is over. What is played may be a function of the try.
local function collect(verb, ...)
  local tries = rust.collect_tries(verb, ...)
  local options = ...
  local function of(what, try)
    if type(what) == "function" then return what(try) end
    return what
  end
  local how
  for try = 1, tries do
    local asked = options
    if type(rawget(options, "prompt")) == "function" then
      asked = {}
      local keys = rust.keys(options)
      for i = 1, #keys do asked[keys[i]] = rawget(options, keys[i]) end
      asked.prompt = options.prompt(try)
    end
    local digits, confidence
    digits, how, confidence = ask(verb, asked)
    if digits ~= nil or how ~= "timeout" and how ~= "invalid" then
      if confidence == nil then return digits, how end
      return digits, how, confidence
    end
    local sorry
    if how == "timeout" then sorry = of(options.no_input, try) else sorry = of(options.invalid, try) end
    if sorry ~= nil then ask("play", sorry) end
  end
  return nil, how
end

function own.collect(...) return collect("collect", ...) end

function own.collect_secret(...) return collect("collect_secret", ...) end

function own.menu(...)
  local tries = rust.menu_tries(...)
  local options = ...
  local why
  for try = 1, tries do
    local key, how = ask("collect", {
      prompt = options.prompt, max = 1, terminators = "", first = options.first, speech = options.speech,
    })
    if key then
      local choice = options[key]
      if choice == nil then choice = options[raw.math.tointeger(raw.tonumber(key) or -1)] end
      if choice ~= nil then rust.menu_took(key) end
      if type(choice) == "function" then return choice(key) end
      if choice ~= nil then return choice, key end
    end
    local wrong = key or how == "invalid"
    rust.menu_took(wrong and "wrong key" or "no key")
    local sorry
    if wrong then why, sorry = "invalid", options.invalid else why, sorry = "timeout", options.no_input end
    if sorry ~= nil then ask("play", sorry) end
  end
  return nil, why
end

local call
local methods = {}
for _, name in ipairs(verbs) do
  local f = own[name]
  methods[name] = function(self, ...)
    if self ~= call then rust.no_colon(name) end
    if f then return f(...) end
    return ask(name, ...)
  end
end

call = setmeta({}, {
  __index = function(_, name)
    local method = methods[name]
    if method then return method end
    if name == "data" then return data end
    if name == "from" then return rust.from() end
    if name == "to" then return rust.to() end
    rust.unknown(name)
  end,
  __newindex = function(_, name) rust.no_set(name) end,
  __name = "call",
  __metatable = false,
})

-- What a flow sees -------------------------------------------------------------------------------------

local library = {
  _VERSION = "Lua 5.4",
  assert = raw.assert, error = error, getmetatable = raw.getmetatable, ipairs = ipairs, next = rust.next,
  pairs = pairs, pcall = pcall, require = require, print = function(...) rust.log(joined("\t", ...)) end,
  rawequal = raw.rawequal, rawget = rawget, rawlen = raw.rawlen, rawset = rust.rawset, select = select,
  setmetatable = setmeta, tonumber = raw.tonumber, tostring = tostring, type = type, xpcall = xpcall,
  call = call,
  math = proxy(math, "math"), string = proxy(string, "string"), table = proxy(table, "table"),
  utf8 = proxy(utf8, "utf8"),
}

local outer = { __index = library, __metatable = false }

function environment()
  local env = {}
  env._G = env
  return setmeta(env, outer)
end

-- The body of a coroutine. The host notes an error, with its place, where it is raised.
local function run(flow, env)
  local ok, value = raw.xpcall(flow, rust.fault, env)
  if not ok then rust.unhandled(value) end
  if ok and value ~= nil then rust.returned(value) end
  if not ok and type(value) == "table" and metafield(value, "__tostring") ~= nil then
    local readable, text = raw.pcall(tostring, value)
    if readable then rust.fault_text(text) end
  end
  return ok
end

return { run = run, environment = environment }, strings
