-- What a caller hears when nobody is there. The route decides when that is; this flow only says so and
-- lets what cannot wait through.
--
-- Call data it reads:  language ("en" or "zh"; English if there is none)
-- Call data it writes: choice ("emergency")
-- It needs the queue `emergency`.

local language = call.data.language or "en"

call:answer()
call:play(language .. ".closed")
call:menu({
  prompt = language .. ".emergency",
  tries = 1,
  first = 4,
  ["1"] = function()
    call.data.choice = "emergency"
    call:play(language .. ".please-wait")
    if call:enqueue("emergency", { timeout = 300, priority = 9 }) ~= "served" then
      call:play(language .. ".all-busy")
    end
  end,
})
call:play(language .. ".goodbye")
call:hang_up()
