-- ends by: steps
call:answer()
while true do print('x') end
