-- ends by: instructions
call:answer()
error(setmetatable({}, {__tostring = function() while true do end end}))
