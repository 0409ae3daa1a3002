-- ends by: memory
call:answer()
local t while true do t = {t} end
