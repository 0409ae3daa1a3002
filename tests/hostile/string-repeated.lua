-- ends by: memory
call:answer()
string.rep('x', 1e9)
