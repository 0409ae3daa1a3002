-- ends by: memory
call:answer()
local function f() return 1 + f() end f()
