call:answer()

local function wait_for_sales()
  -- A verb at the very end of a function: Lua would forget the line.
  local options = { timout = 60 }
  return call:enqueue("sales", options)
end

wait_for_sales()
