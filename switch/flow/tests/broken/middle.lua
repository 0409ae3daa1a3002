local greetings = { en = { hello = "en.welcome" }, zh = { hello = "zh.welcome" } }

call:answer()
call:play(greetings.en.hello)

local language = "de"
local function greet()
  -- Nobody recorded a German greeting.
  call:play(greetings.de.hello)
end

if pcall(error, "this one is caught") then
  return
end
greet()
