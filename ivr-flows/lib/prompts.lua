-- Prompts in the caller's language: local prompts = require("prompts"); call:play(prompts.of("welcome")).
-- The language is that of the call data when the library is taken in: "en" or "zh"; English if there is none.

local prompts = {}

prompts.language = call.data.language == "zh" and "zh" or "en"

-- The name of a prompt.
function prompts.of(name)
  return prompts.language .. "." .. name
end

return prompts
