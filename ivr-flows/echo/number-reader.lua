-- Enter a number and hear it read back, until nothing is entered. For trying keys and prompts.
--
-- Call data it reads: language ("en" or "zh"; English if there is none)

local language = call.data.language or "en"

call:answer()
while true do
  local digits = call:collect({
    prompt = language .. ".enter-number",
    max = 12,
    terminators = "#",
    first = 8,
    inter = 4,
  })
  if not digits then
    break
  end
  call:play(language .. ".you-entered")
  call:say_number(digits, language)
end
call:play(language .. ".goodbye")
call:hang_up()
