-- ends by: memory
call:answer()
while true do pcall(string.rep, 'x', 1e9) end
