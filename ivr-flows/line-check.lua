-- What an agent's page calls to have its way to the switch measured: a tone for as long as that takes, while the switch counts
-- what the page says. Nothing is asked and nothing is recorded. The page finds it by its name: once a number leads to the flow
-- "line-check", the check of an agent's place uses it.

local LONGEST = 30 -- seconds

call:answer()
for _ = 1, LONGEST do
  call:play({ { tone = "dial", seconds = 0.9 }, { silence = 0.1 } })
end
call:hang_up()
