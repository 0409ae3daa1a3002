-- ends by: memory
call:answer()
local kept = {} while true do kept[#kept + 1] = ('x'):rep(100000) .. #kept call:wait(0.01) end
