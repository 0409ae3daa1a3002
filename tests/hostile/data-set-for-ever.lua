-- ends by: instructions
call:answer()
while true do call.data.x = 'y' end
