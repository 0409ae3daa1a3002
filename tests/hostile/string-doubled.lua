-- ends by: memory
call:answer()
local s = 'x' while true do s = s .. s end
