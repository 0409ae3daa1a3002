-- ends by: instructions
call:answer()
local s = ('a'):rep(60000) while true do s:find('b', 1, true) end
