-- ends by: instructions
call:answer()
local mt = {} mt.__close = function() while true do end end for i in next, {}, nil, setmetatable({}, mt) do end while true do end
