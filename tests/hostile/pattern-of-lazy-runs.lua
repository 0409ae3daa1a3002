-- ends by: instructions
call:answer()
local s = ('a'):rep(20000) s:match('.-.-.-.-b')
