call:answer()
local digits
-- The entry is asked for once only, so an empty one never becomes anything else.
digits = call:collect { max = 4 }
while not digits do
end
