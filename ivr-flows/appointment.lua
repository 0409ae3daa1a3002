-- Asks a patient whether tomorrow's appointment stands: a talk that is written in lib/scripts/appointment-en.lua and -zh.lua,
-- with a recogniser, so that he may answer in words. What came of it stands in the call data for the record.
--
-- Call data it reads:  hour (when the appointment is), language ("en" or "zh"; English if there is none)
-- Call data it writes: outcome ("coming", "cancelled", "later"), and what script-player.lua writes
-- It needs the queue `support`, and `[streams] allowed` of the configuration must have the recogniser.

local OUTCOMES = { thanks = "coming", cancelled = "cancelled", later = "later" }

local ending = call:run("script-player", { script = "appointment", recogniser = "wss://asr.example/v1" })
call.data.outcome = OUTCOMES[ending]
call:hang_up()
