call:answer()
local digits = call:collect {
  prompt = { "welcome",
    "enter-pin", silence = 0.5 max = 4,
}
