---@meta cordboard
-- What a flow can call, for editors with the Lua language server. Not run by the switch.
-- Put this folder into `workspace.library` of .luarc.json; see docs/flows.md.
-- Times are seconds, fractions allowed.

---The call this flow runs on.
---@class cordboard.Call
---@field from string The calling party: number or user name.
---@field to string The called number.
---@field data table<string, string|number|boolean|table|nil> Call data: travels with the call to the agent and into the record. Values stay what they are; a table that is read is a copy. Keys have at most 64 bytes, values 16,384; `nil` removes an entry.
call = {}

---A prompt by its name: its path below the prompt folder, with `.` for `/` and without its ending.
---@alias cordboard.Prompt string

---@class cordboard.ToneItem
---@field tone "ringback"|"busy"|"congestion"|"dial"|"information"|"beep"|integer A tone by name, or a frequency of 100 to 3400 hertz.
---@field seconds? number How long; 0.2 for the beep, otherwise 1.

---@class cordboard.SilenceItem
---@field silence number How long.

---@class cordboard.SayItem
---@field say string What to say, up to 4,096 bytes.
---@field language? string A tag as "en" or "zh"; English if not said.
---@field voice? string By the engine's name; the language's own if not said.

---@class cordboard.NumberItem
---@field number integer|string Read as a number; see `say_number`.
---@field language? "en"|"zh" English if not said.

---@class cordboard.DigitsItem
---@field digits string|integer Read key by key; see `say_digits`.
---@field language? "en"|"zh"

---@class cordboard.DateItem
---@field date string|cordboard.Moment A day as "2026-11-21", or what `call:now()` gave.
---@field language? "en"|"zh"
---@field weekday? boolean With its weekday; no if not said.
---@field year? boolean With its year; yes if not said.

---@class cordboard.TimeItem
---@field time string|cordboard.Moment As "09:05", or what `call:now()` gave.
---@field language? "en"|"zh"

---@class cordboard.MoneyItem
---@field money string|number As "12.50".
---@field currency cordboard.Currency
---@field language? "en"|"zh"

---@alias cordboard.Currency "EUR"|"USD"|"GBP"|"CHF"|"CNY"|"HKD"|"JPY"|"KRW"|"KWD"
---@alias cordboard.Read cordboard.NumberItem|cordboard.DigitsItem|cordboard.DateItem|cordboard.TimeItem|cordboard.MoneyItem
---@alias cordboard.Item cordboard.Prompt|cordboard.ToneItem|cordboard.SilenceItem|cordboard.SayItem|cordboard.Read
---@alias cordboard.Items cordboard.Item|cordboard.Item[]

---@class cordboard.PlayList
---@field [integer] cordboard.Item What to play, in order.
---@field barge_in? boolean Whether a key cuts it short; yes if not said.

---Answers the call. Does nothing if it is answered.
---@return true|nil done
---@return string? cause Why not.
function call:answer() end

---Tells a caller who is not answered that it rings, without audio.
---@return true|nil done
function call:ring() end

---Refuses a call that is not answered. Never returns, unless the call is answered.
---@param cause? "declined"|"busy"|"no_answer"|"not_found"|"forbidden"|"congestion"
---@return nil
---@return string cause "protocol_error": the call is answered.
function call:reject(cause) end

---Plays prompts, tones and silence in order. Before an answer it is early media.
---@param first cordboard.Item|cordboard.PlayList
---@param ... cordboard.Item
---@return true|string|nil key The key that cut it short, or true; nil if it could not be played.
---@return string? cause Why not.
function call:play(first, ...) end

---Says a text.
---@param text string|integer Up to 4,096 bytes.
---@param options? { language?: string, voice?: string, barge_in?: boolean } English in its own voice if not said.
---@return true|string|nil key As `play`.
---@return string? cause "speech_failed" if there is no engine, or it failed or was too slow.
function call:say(text, options) end

---Reads a number from prompt files.
---@param number integer|string 0 to 999,999,999,999, or its digits.
---@param language? "en"|"zh" English if not said.
---@param options? { barge_in?: boolean }
---@return true|string|nil key As `play`.
---@return string? cause
function call:say_number(number, language, options) end

---Reads keys one by one from prompt files.
---@param digits string|integer 0 to 9, `*`, `#` and `+`, up to 64; spaces and dashes are passed over.
---@param language? "en"|"zh" English if not said.
---@param options? { barge_in?: boolean }
---@return true|string|nil key As `play`.
---@return string? cause
function call:say_digits(digits, language, options) end

---Reads a day from prompt files.
---@param date string|cordboard.Moment As "2026-11-21", or what `call:now()` gave.
---@param language? "en"|"zh" English if not said.
---@param options? { weekday?: boolean, year?: boolean, barge_in?: boolean } Without its weekday and with its year if not said.
---@return true|string|nil key As `play`.
---@return string? cause
function call:say_date(date, language, options) end

---Reads a time of day from prompt files: in English by twelve hours, in Chinese by the part of the day.
---@param time string|cordboard.Moment As "09:05", or what `call:now()` gave.
---@param language? "en"|"zh" English if not said.
---@param options? { barge_in?: boolean }
---@return true|string|nil key As `play`.
---@return string? cause
function call:say_time(time, language, options) end

---Reads an amount of money from prompt files, by the units of its currency.
---@param amount string|number As "12.50"; no more digits than the currency has.
---@param currency cordboard.Currency
---@param language? "en"|"zh" English if not said.
---@param options? { barge_in?: boolean }
---@return true|string|nil key As `play`.
---@return string? cause
function call:say_money(amount, currency, language, options) end

---@class cordboard.Speech
---@field url string Where the recogniser listens: `ws://` or `wss://`, among those that the operator allows.
---@field language? string What is spoken; "en" if not said.
---@field phrases? table<string, string|string[]> By the name of the entry, what may be said for it.
---@field digits? boolean Digits may be said one by one; yes if not said.
---@field least? number How sure the recogniser must be, 0 to 1; 0 if not said.
---@field grammar? string What it is told of what may be said (JSGF); made of digits and phrases if not said.

---@class cordboard.Collect
---@field prompt? cordboard.Items|fun(try: integer): cordboard.Items Played first; the first key ends it.
---@field max? integer How many digits are wanted, 1 to 64; must be said, unless patterns say it.
---@field min? integer Fewest digits that count as an entry; 1 if not said.
---@field terminators? string Keys that end the entry; `#` if not said, none if `max` is 1.
---@field first? number Time for the first key after the prompt; 5 if not said.
---@field inter? number Time between keys; 3 if not said.
---@field secret? boolean The keys are a secret: in no event, ladder or recording, and heard by nobody.
---@field patterns? string|string[] What an entry looks like: keys, X (0 to 9), Z (1 to 9), N (2 to 9), "." at the end for any number of digits. It ends as soon as that is decided.
---@field tries? integer How often is asked, 1 to 10; once if not said.
---@field invalid? cordboard.Items|fun(try: integer): cordboard.Items Played after keys that are no entry.
---@field no_input? cordboard.Items|fun(try: integer): cordboard.Items Played when no key came.
---@field speech? cordboard.Speech The caller may speak instead.

---Collects keys.
---@param options cordboard.Collect
---@return string|nil digits Without the terminator; nil if fewer than `min` came.
---@return "terminator"|"max"|"timeout"|"pattern"|"invalid"|string how How the entry ended, or why it could not be made.
function call:collect(options) end

---What a caller keyed in in secret. It cannot be read or printed; `http` sends it within `json`.
---@class cordboard.Secret
local secret = {}

---Whether it is this text or the same secret.
---@param other string|cordboard.Secret
---@return boolean
function secret:equals(other) end

---How many keys.
---@return integer
function secret:length() end

---Collects keys that nobody may see: as `collect` with `secret = true`, and the flow cannot read them either.
---@param options cordboard.Collect
---@return cordboard.Secret|nil digits
---@return "terminator"|"max"|"timeout"|string how
function call:collect_secret(options) end

---Signs in an agent who has only a telephone. The password is what `collect_secret` gave.
---@param options { agent: string, password: cordboard.Secret, new?: cordboard.Secret, take_over?: boolean }
---@return true|nil ok
---@return "wrong"|"locked"|"busy"|"expired"|"refused"|"elsewhere"|string? why
function call:agent_sign_in(options) end

---Makes the agent who has signed in on this call something else.
---@param state "ready"|"not_ready"|"rest"|"sign_out"
---@param options? { reason?: string } For "not_ready" and "rest".
---@return true|nil ok
---@return "no_session"|string? why
function call:agent_state(state, options) end

---@class cordboard.Menu
---@field prompt? cordboard.Items Played at each try.
---@field tries? integer 1 to 10; 3 if not said.
---@field first? number Time for the key; 5 if not said.
---@field invalid? cordboard.Items Played after a key without a choice.
---@field no_input? cordboard.Items Played when no key came.
---@field speech? cordboard.Speech The caller may speak instead.
---@field [string] any The choices: `["1"] = function(key) ... end`, or a value to be returned.

---Asks for one key and does what stands beside it.
---@param options cordboard.Menu
---@return any result What the function returned, or the value beside the key; nil after the last try.
---@return any key_or_why The key, or "invalid" or "timeout".
function call:menu(options) end

---How a queue stands.
---@class cordboard.QueueState
---@field waiting integer How many wait.
---@field full boolean Whether it takes no more.
---@field agents integer Agents who serve it and are signed in.
---@field ready integer Of those, ready now.
---@field wait? integer Seconds that one who enters now will wait, or that the caller who waits there still will; nil if nothing is known to tell it by.
---@field position? integer The caller's place there, from one, if he waits there.

---Says how a queue stands; without a name, the one that the caller waits in.
---@param queue? string
---@return cordboard.QueueState|nil state
---@return string? cause "not_found": there is no such queue.
function call:queue(queue) end

---Waits in a queue until an agent answers or the wait ends.
---@param queue string
---@param options? { timeout?: number, priority?: integer, keys?: string, staffed?: boolean, agent?: string, agent_wait?: number } Longest wait (the queue's own if not said); 0 to 255, higher goes first; keys that leave the queue; whether to wait only while an agent is signed in; the agent he waits for alone; for how long, 1 to 86400 (to the end if not said).
---@return "served"|"timeout"|"full"|"nobody_signed_in"|"no_agent"|"gone"|"key"|"callback"|nil outcome
---@return string? key_or_cause The key that left the queue, or why it could not be done.
function call:enqueue(queue, options) end

---The caller is to be called back and keeps his place in a queue: his priority and the time at which he came. One who waits
---does so no longer; the flow of the wait has him until it is over.
---@param options? { queue?: string, number?: string, note?: string, data?: table, priority?: integer, first?: "agent"|"customer", attempts?: integer, every?: number, expires?: number, calendar?: string } The queue (the one that he waits in if not said); whom to call (his own number); what the agent reads; call data of the call that calls back; the priority of one who does not wait yet; who is called first; how often, how many seconds apart and for how many seconds he is tried; only while this calendar is open. What is left out is as the queue has it.
---@return string? outcome "kept", or "known": he had a place there already, and keeps the older one.
---@return string? why "anonymous", "not_dialable", "full", "too_often", or why it could not be done.
function call:callback(options) end

---@class cordboard.DialTarget
---@field agent? string
---@field user? string
---@field trunk? string
---@field number? string With `trunk`: the number to dial.
---@field timeout? number How long it rings, 1 to 600; the list's own, or the configuration's, if not said.
---@field caller? string The number that is shown as calling; the caller's if not said.
---@field caller_name? string The name that is shown as calling.

---@class cordboard.Accept
---@field prompt? cordboard.Items What who answered is asked.
---@field key? string The key that takes the call; "1" if not said.
---@field refuse? string The key that refuses it; only time does if not said.
---@field timeout? number Time for the key after the prompt, 1 to 60; 10 if not said.

---@class cordboard.DialList : cordboard.DialTarget
---@field [integer] cordboard.DialTarget|cordboard.DialTarget[] Up to 16, rung one after another; those of a list in the list ring together.
---@field together? boolean All ring together; no if not said.
---@field whisper? cordboard.Items What who answers hears alone before he is joined.
---@field accept? cordboard.Accept Who answers must press a key to get the call; others may answer meanwhile.
---@field music? cordboard.Items What the caller hears until then, for ever; ring-back if not said.
---@field talk? number Longest talk, 1 to 86400.
---@field go_on? boolean The flow goes on when the called side leaves first; it ends with the answer if not said.

---Rings one after another, or together, until one answers; then the flow ends, unless `go_on` is said.
---@param targets cordboard.DialList One target, or a list.
---@return "served"|"limit"|nil how With `go_on`: the called side left first, or the talk had its longest time.
---@return string who_or_cause With whom the caller talked; or why the last one did not answer.
function call:dial(targets) end

---@class cordboard.ConferenceList
---@field [integer] cordboard.DialTarget Up to 16, rung at once.
---@field timeout? number How long each rings, 1 to 600; the configuration's if not said.
---@field caller? string The number that is shown as calling; the caller's if not said.
---@field caller_name? string The name that is shown as calling.
---@field music? cordboard.Items What the caller hears while he is alone, for ever; ring-back if not said.
---@field talk? number Longest time, ringing included, 1 to 86400.
---@field without_caller? boolean The others talk on when the caller leaves; all are let go if not said.

---@class cordboard.Attended
---@field who string The agent's or account's name, or the number.
---@field joined boolean Whether he was there.
---@field seconds? number For how long.
---@field cause string Why he left, or did not come.

---Rings several at once, and joins each who answers to the caller and to those who are there.
---@param parties cordboard.ConferenceList
---@return "ended"|"limit"|nil how All the others have left, or it had its longest time.
---@return cordboard.Attended[]|string parties_or_cause What became of each; or why the last one did not come.
---@return cordboard.Attended[]? parties What became of each, if nobody came.
function call:conference(parties) end

---@class cordboard.Stream
---@field url string Where the program listens: `ws://` or `wss://`, among those that the operator allows.
---@field parameters? table<string, string|number|boolean> What it is told at the start, beside the call data.
---@field timeout? number 0.1 to 86400; until the program is done if not said.

---Gives the call to a program by WebSocket, until it closes the connection. See docs/media-stream.md.
---@param options cordboard.Stream
---@return "closed"|"timeout"|nil how
---@return string? result What the program left, or why there was no connection or how it was lost.
function call:stream(options) end

---@class cordboard.Target
---@field queue? string
---@field flow? string
---@field agent? string
---@field user? string
---@field trunk? string
---@field number? string With `trunk`: the number to dial.

---Hands the call over. The flow ends, unless that fails.
---@param target cordboard.Target Exactly one target.
---@return nil
---@return string cause Why it failed.
function call:transfer(target) end

---Runs another flow of the tenant on this call, and comes back with what it returns.
---@param flow string
---@param ... any What it gets as `...`.
---@return any ...
function call:run(flow, ...) end

---@class cordboard.Moment
---@field year integer
---@field month integer
---@field day integer
---@field hour integer
---@field minute integer
---@field second integer
---@field weekday integer Monday is 1, Sunday 7.
---@field yearday integer
---@field offset integer Seconds east of UTC.
---@field unix integer Seconds since 1970-01-01 in UTC.
---@field date string As "2026-11-21".
---@field time string As "09:05:00".
---@field zone string

---Date and time.
---@param zone? string An IANA name; the tenant's zone if not said.
---@return cordboard.Moment|nil now
---@return string? cause "not_found": there is no such zone.
function call:now(zone) end

---Whether an office is open, by the tenant's calendar of this name.
---@param name string
---@return "open"|"closed"|"holiday"|nil state
---@return string? holiday The holiday that the day is; or why there is no state.
---@return integer? lasts For how many seconds this lasts; nil if for more than a month.
function call:calendar(name) end

---Counts something for all calls of the tenant.
---@param name string What, up to 128 bytes.
---@param options? { add?: integer, most?: integer, seconds?: integer } 1, no limit and 3600 if not said; `add = 0` only looks.
---@return integer|nil counted This time included.
---@return string? cause "limit": it would have been more than `most`, and was not counted.
function call:count(name, options) end

---Reads an entry of the call data as what it was.
---@param key string
---@param kind? "string"|"number"|"integer"|"boolean"|"table" "string" if not said.
---@param default? any What is given if there is no entry, or one of another kind.
---@return any value
---@return "not_a_string"|"not_a_number"|"not_an_integer"|"not_a_boolean"|"not_a_table"|nil cause There is an entry of another kind.
function call:get(key, kind, default) end

---Looks a key up in a table of the tenant.
---@param table string
---@param key string|integer Up to 128 bytes.
---@return table<string, string>|nil row The cells by the names of their columns.
---@return string? cause "not_found"
function call:lookup(table, key) end

---@class cordboard.Http
---@field url string `http://` or `https://`, among those that the operator allows for the tenant.
---@field method? "GET"|"POST"|"PUT"|"PATCH"|"DELETE" POST with a body, else GET, if not said.
---@field query? table<string, string|number|boolean> Encoded and put behind the URL.
---@field headers? table<string, string|integer|{ secret: string }> A value, or a secret of the configuration by its name.
---@field json? any Sent as JSON. A table with numbers from 1 on is an array, any other an object.
---@field text? string Sent as it is.
---@field timeout? number 0.1 to 60, in all; 5 if not said.
---@field retries? integer 0 to 5; 0 if not said.
---@field music? cordboard.Items What the caller hears meanwhile, for ever; silence if not said.

---@class cordboard.HttpAnswer
---@field status integer
---@field ok boolean Whether the status is 200 to 299.
---@field json? any If the answer is JSON. `null` is a field that is not there.
---@field text? string If it is not.

---Asks a server.
---@param options cordboard.Http
---@return cordboard.HttpAnswer|nil answer
---@return "forbidden"|"no_secret"|"unreachable"|"late"|"too_large"|"protocol_error"|"overloaded"|string? cause
function call:http(options) end

---Ends the call and the flow. Never returns.
---@param cause? "normal"|"busy"|"no_answer"|"declined"|"not_found"|"forbidden"|"congestion"|"flow_ended"
function call:hang_up(cause) end

---Begins, ends, pauses or resumes the recording of the call. A pause leaves silence of its length.
---@param act "start"|"stop"|"pause"|"resume"
---@param why? string The reason, for the mark that a pause leaves; at most 256 bytes.
---@return true|nil done
---@return string? cause "not_found": nobody is there to be recorded, or nothing is recorded.
function call:record(act, why) end

---Lets time pass, without audio.
---@param seconds number 0.01 to 3600.
---@return true|nil done
---@return string? cause
function call:wait(seconds) end

---@class cordboard.First
---@field key? boolean A key; it stays in the digit buffer.
---@field seconds? number A time, 0.01 to 3600.
---@field http? cordboard.Http The answer of a server.
---@field music? cordboard.Items What the caller hears meanwhile, for ever; silence if not said.

---Waits for the first of several things; one of `seconds` and `http` must be said.
---@param options cordboard.First
---@return "key"|"time"|"http"|nil what
---@return string|cordboard.HttpAnswer|nil value The key, or what the server answered.
---@return string? cause Why it did not.
function call:first(options) end

---Writes a line to the call's log. Values are joined by a space.
---@param ... any
function call:log(...) end
