-- What script-player.lua goes by where it is not given anything else. Change it to what your house needs.
return {
  -- The script: scripts/NAME-en.lua and scripts/NAME-zh.lua in this library folder.
  script = "appointment",
  -- The program that says what a caller said (docs/flows.md, "Bot scripts"), as "wss://asr.example/v1"; nil: callers press
  -- keys. It must be among `allowed` of `[streams]` of the configuration.
  recogniser = nil,
  -- The longest time for an answer, seconds.
  listen = 6,
  -- How long a caller who is handed over waits for a person, seconds.
  wait = 120,
}
