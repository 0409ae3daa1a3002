-- ends by: instructions
call:answer()
while true do end
