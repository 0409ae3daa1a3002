-- One verb that never was, and one that is spelt otherwise.
call:answer()
call:anounce("welcome")
call:play("goodbye")
call:hangup()
