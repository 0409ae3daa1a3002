-- Who is it that the agent talks to? The agent sends his caller aside to this flow (POST /api/v1/calls/{call}/aside), waits,
-- and has him back with the result, which his page shows from the call data. What is keyed in nobody hears or sees.
--
-- Call data it reads:  what verify.lua reads; verifyWorkNo is the agent's number, which the switch puts there
-- Call data it writes: verifyResult (0: no answer, 1: passed, 2: failed, 3: something went wrong), verifyReturn1 to 3

call:run("verify", {})
