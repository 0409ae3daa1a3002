call:answer()
local last
-- Every entry keeps the one before.
while true do
  local number = 0
  last = { before = last }
  number = number + 1
end
