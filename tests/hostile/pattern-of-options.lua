-- ends by: instructions
call:answer()
local s = ('a'):rep(30) s:find(('a?'):rep(30) .. ('a'):rep(30))
