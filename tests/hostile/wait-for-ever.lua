-- ends by: seconds
call:answer()
while true do call:wait(1) end
