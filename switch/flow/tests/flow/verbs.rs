//! The verbs as a designer writes them.

use crate::world::{answer, engine, failure, start};
use cordboard_flow::{FlowErrorKind, FlowOutput, script};
use cordboard_model::ask::Told;
use cordboard_model::calendar::CalendarState;
use cordboard_model::cause::Cause;
use cordboard_model::config::FlowLimits;
use cordboard_model::dial::DialEnd;
use cordboard_model::fetch::{FetchError, Fetched};
use cordboard_model::verb::{CollectEnd, FirstEnd, QueueEnd, VerbAnswer};

/// Runs a text, giving these answers in turn; the verbs, log lines and the end.
fn ladder(source: &str, answers: &[VerbAnswer]) -> Vec<String> {
    let mut engine = engine(FlowLimits::default(), source);
    start(&mut engine, 1);
    let mut answers = answers.iter();
    let mut said = Vec::new();
    while let Some(output) = engine.poll_output() {
        match output {
            FlowOutput::Verb { ticket, verb, .. } => {
                said.push(script::line(&verb));
                if let Some(next) = answers.next() {
                    answer(&mut engine, 1, ticket, next.clone());
                }
            }
            FlowOutput::Log { text, .. } => said.push(format!("log {text}")),
            FlowOutput::Ended { .. } => said.push("ended".into()),
            FlowOutput::Failed { error, .. } => said.push(format!("failed {error}")),
        }
    }
    said
}

fn digits(digits: &str, end: CollectEnd) -> VerbAnswer {
    VerbAnswer::Digits { digits: digits.into(), end }
}

#[test]
fn every_verb_as_the_guide_writes_it() {
    let source = "call:answer()\n\
        print(call:play('welcome', {tone = 'beep'}, {silence = 0.5}))\n\
        local pin, how = call:collect{prompt = 'enter-pin', max = 4, terminators = '#', first = 5, inter = 3} print(pin, how)\n\
        call:say_number(42, 'en')\n\
        print(call:enqueue('sales', {timeout = 60, staffed = true}))\n\
        print(call:enqueue('sales', {agent = '1001', agent_wait = 20}))\n\
        print(call:enqueue('sales', {agent = '1001'}))\n\
        call.data.x = 'y'\n\
        call:wait(0.25)\n\
        call:log('from', call.from, 'to', call.to, {})\n\
        call:hang_up('busy')";
    let answers = [
        VerbAnswer::Done,
        VerbAnswer::Played { key: Some('4') },
        digits("1234", CollectEnd::Max),
        VerbAnswer::Played { key: None },
        VerbAnswer::Queue(QueueEnd::NobodySignedIn),
        VerbAnswer::Queue(QueueEnd::Timeout),
        VerbAnswer::Queue(QueueEnd::NoAgent),
        VerbAnswer::Done,
        VerbAnswer::Done,
    ];
    assert_eq!(
        ladder(source, &answers),
        [
            "answer",
            "play welcome tone:beep:0.2 silence:0.5",
            "log 4",
            "collect enter-pin max=4 min=1 terminators=# first=5 inter=3",
            "log 1234\tmax",
            "play en.digits.40 en.digits.2",
            "enqueue sales timeout=60 priority=0 staffed",
            "log nobody_signed_in",
            "enqueue sales timeout=queue's priority=0 agent=1001 agent_wait=20",
            "log timeout",
            "enqueue sales timeout=queue's priority=0 agent=1001",
            "log no_agent",
            "set x = y",
            "wait 0.25",
            "log from 1001 to 100 table",
            "hang_up busy",
            "ended",
        ]
    );
}

#[test]
fn the_time_the_calendar_and_what_is_counted_come_back_as_values() {
    let at = cordboard_model::calendar::read("2026-10-25T02:30:00+02:00").unwrap();
    let zone = cordboard_model::calendar::zone("Europe/Berlin").unwrap();
    let told = |told| VerbAnswer::Told(Box::new(told));
    let state = CalendarState { open: false, holiday: Some("Sunday".into()), changes: Some(90) };
    let source = "local now = call:now() print(now.date, now.time, now.weekday, now.offset, now.hour + 1)\n\
        print(call:calendar('office'))\nprint(call:count('x', {most = 3}))\nprint(call:count('x'))\nprint(call:now('X/Y'))\n\
        print(call:lookup('vip', call.from).name, call:lookup('vip', 7))";
    let answers = [
        told(Told::Now(cordboard_model::calendar::moment(at, &zone))),
        told(Told::Calendar(state)),
        told(Told::Count(Some(3))),
        told(Told::Count(None)),
        VerbAnswer::Failed(Cause::NotFound),
        told(Told::Row(Some(vec![("name".into(), "Ada".into())]))),
        told(Told::Row(None)),
    ];
    assert_eq!(
        ladder(source, &answers),
        [
            "now",
            "log 2026-10-25\t02:30:00\t7\t7200\t3",
            "calendar office",
            "log holiday\tSunday\t90",
            "count x add=1 most=3 seconds=3600",
            "log 3",
            "count x add=1 seconds=3600",
            "log nil\tlimit",
            "now X/Y",
            "log now X/Y: not_found",
            "log nil\tnot_found",
            "lookup vip 1001",
            "lookup vip 7",
            "log Ada\tnil\tnot_found",
            "ended",
        ]
    );
}

#[test]
fn a_secret_can_be_sent_compared_and_measured_and_nothing_else() {
    let source = "local pin = call:collect_secret{max = 4}\nprint(pin, tostring(pin), string.format('%s', pin))\n\
        print(pin:equals('4711'), pin:equals('4712'), pin:equals(pin), pin:equals(4711), pin:length(), type(pin))\n\
        local function try(f) print((select(2, pcall(f)))) end\n\
        try(function() return pin .. '' end) try(function() return #pin end) try(function() return pin + 1 end)\n\
        try(function() call.data.pin = pin end) try(function() call:play(pin) end) try(function() return pin.x.y end)\n\
        try(function() pin.x = 1 end) try(function() return pin < pin end) try(function() for _ in pairs(pin) do end end)\n\
        try(function() return ('x'):rep(pin) end) try(function() error(pin) end) try(function() return string.len(pin) end)\n\
        try(function() return table.concat({pin}) end) try(function() setmetatable(pin, {}) end)\n\
        print(getmetatable(pin), rawequal(pin, pin), ({[pin] = 1})[pin])\n\
        call:http{url = 'https://id.example/v', json = {calldata = {pin = pin, deep = {{{{1}}}}}}}\nerror(pin)";
    let typed = digits("4711", CollectEnd::Max);
    let answer = Fetched::Answer { status: 204, json: false, body: String::new() };
    let said = ladder(source, &[typed, VerbAnswer::Fetched(Box::new(answer))]);
    assert_eq!(said[1], "log (secret)\t(secret)\t(secret)");
    assert_eq!(said[2], "log true\tfalse\ttrue\tfalse\t4\tuserdata");
    assert!(said.iter().all(|line| !line.contains("4711")), "{said:#?}");
    assert_eq!(said[said.len() - 2], "http POST https://id.example/v");
    assert_eq!(said[said.len() - 1], "failed flows/main.lua:12: an error object was raised (a userdata)");
    assert_eq!(said.len(), 20, "{said:#?}");
}

#[test]
fn a_servers_answer_is_a_table_and_its_size_is_bounded_by_the_flows_memory() {
    let source = "local a = call:http{url = 'https://x/'}\nprint(a.ok, a.status, a.json.list[2], a.json.name.first, a.json.none)\n\
        print(call:http{url = 'https://x/'})\ncall:http{url = 'https://x/'}\nprint('never')";
    let answer =
        |body: String| VerbAnswer::Fetched(Box::new(Fetched::Answer { status: 200, json: true, body }));
    let good = answer(r#"{"list":[1,2.5],"name":{"first":"Ada"},"none":null}"#.into());
    let late = VerbAnswer::Fetched(Box::new(Fetched::Failed(FetchError::Late)));
    let bomb = answer(format!("[{}0]", "[],".repeat(60_000)));
    assert_eq!(
        ladder(source, &[good, late, bomb]),
        [
            "http GET https://x/",
            "log true\t200\t2.5\tAda\tnil",
            "http GET https://x/",
            "log nil\tlate",
            "http GET https://x/",
            "failed flows/main.lua:4: the flow used up its budget of 1048576 bytes of memory between two steps"
        ]
    );
}

#[test]
fn dialling_goes_on_to_the_next_until_one_answers() {
    let source = "call:ring()\nprint(call:dial{{agent = '1001', timeout = 5}, {trunk = 'c', number = '+4930'}, timeout = 20})\n\
        call:dial{user = 'anna'}\nprint('never')";
    let no = |cause| VerbAnswer::Failed(cause);
    let answers = [VerbAnswer::Done, no(Cause::NoAnswer), no(Cause::Busy), VerbAnswer::Done];
    assert_eq!(
        ladder(source, &answers),
        [
            "ring",
            "dial agent 1001 timeout=5",
            "log dial agent 1001 timeout=5: no_answer",
            "dial trunk c +4930 timeout=20",
            "log dial trunk c +4930 timeout=20: busy",
            "log nil\tbusy",
            "dial user anna",
            "ended",
        ]
    );
    let refused =
        ladder("print(call:reject('busy'))\ncall:reject()", &[no(Cause::ProtocolError), VerbAnswer::Done]);
    assert_eq!(refused[3..], ["reject declined", "ended"], "{refused:?}");
    assert_eq!(refused[2], "log nil\tprotocol_error");
    let wrong = failure("\ncall:dial{{agent = '1001'}, {quue = 'sales'}}");
    assert_eq!(
        wrong.to_string(),
        "flows/main.lua:2: dial: unknown option 'quue'; there are agent, user, trunk, number, timeout, caller, caller_name"
    );
}

#[test]
fn dates_times_money_and_digits_are_read_by_verbs_and_among_prompts() {
    let source = "call:say_digits('40')\ncall:say_date('2026-11-21', 'en', {weekday = true, barge_in = false})\n\
        call:say_time('14:05', 'zh')\ncall:say_money('12.05', 'CNY', 'zh')\n\
        call:play('you-owe', {money = 3, currency = 'EUR'}, {date = '2026-01-02', language = 'zh', year = false})\n\
        call:play{number = 42}\nlocal now = call:now()\ncall:play{{date = now}, {time = now}}";
    let at = cordboard_model::calendar::read("2026-11-21T09:05:00+01:00").unwrap();
    let zone = cordboard_model::calendar::zone("Europe/Berlin").unwrap();
    let now = VerbAnswer::Told(Box::new(Told::Now(cordboard_model::calendar::moment(at, &zone))));
    let played = || VerbAnswer::Played { key: None };
    let answers = [played(), played(), played(), played(), played(), played(), now, played()];
    assert_eq!(
        ladder(source, &answers),
        [
            "play en.digits.4 en.digits.0",
            "play en.weekdays.6 en.months.11 en.digits.20 en.ordinals.1 en.digits.20 en.digits.20 en.digits.6 \
             barge_in=false",
            "play zh.time.afternoon zh.liang zh.time.hour zh.0 zh.5 zh.time.minute",
            "play zh.10 zh.2 zh.money.yuan zh.0 zh.5 zh.money.fen",
            "play you-owe en.digits.3 en.money.euros zh.1 zh.month zh.2 zh.day",
            "play en.digits.40 en.digits.2",
            "now",
            "play en.months.11 en.digits.20 en.ordinals.1 en.digits.20 en.digits.20 en.digits.6 en.digits.9 \
             en.digits.oh en.digits.5 en.time.am",
            "ended",
        ]
    );
}

#[test]
fn the_first_of_several_things_and_music_while_a_server_thinks() {
    let source = "local question = {url = 'https://x/a?b=c', json = {n = {1, {2}}}}\n\
        print(call:first{key = true, seconds = 2.5, http = question, music = 'm'})\n\
        print(call:first{seconds = 2})\n\
        local how, answer = call:first{http = question, key = true} print(how, answer.status)\n\
        question.music = {'m', {silence = 1}} print(call:http(question).status)\n\
        call:first{key = true}";
    let fetched =
        |status| VerbAnswer::Fetched(Box::new(Fetched::Answer { status, json: false, body: String::new() }));
    let answers = [
        VerbAnswer::First(FirstEnd::Key('5')),
        VerbAnswer::First(FirstEnd::Time),
        fetched(204),
        fetched(200),
    ];
    assert_eq!(
        ladder(source, &answers),
        [
            "first key seconds=2.5 http POST https://x/a music=m",
            "log key\t5",
            "first seconds=2",
            "log time",
            "first key http POST https://x/a",
            "log http\t204",
            "http POST https://x/a music=m silence:1",
            "log 200",
            "failed flows/main.lua:6: first: needs 'seconds' or 'http', so that it ends",
        ]
    );
}

#[test]
fn an_entry_is_asked_for_again_with_a_word_for_what_was_wrong() {
    let source = "print(call:collect{prompt = function(try) return try == 1 and 'ask' or 'ask-again' end, patterns = {'1XXX', '0'},\n\
        tries = 3, invalid = function(try) return 'wrong-' .. try end, no_input = 'silent'})\n\
        print(call:collect{max = 4, min = 4, tries = 2, invalid = 'wrong'})\n\
        print(call:collect_secret{prompt = 'pin', max = 4, tries = 2, no_input = 'silent'})";
    let answers = [
        digits("", CollectEnd::Invalid),
        VerbAnswer::Played { key: Some('1') },
        digits("", CollectEnd::Timeout),
        VerbAnswer::Played { key: None },
        digits("1234", CollectEnd::Pattern),
        digits("", CollectEnd::Timeout),
        digits("", CollectEnd::Invalid),
        VerbAnswer::Played { key: None },
        digits("", CollectEnd::Timeout),
        VerbAnswer::Played { key: None },
        digits("4711", CollectEnd::Max),
    ];
    let first =
        |prompt: &str| format!("collect {prompt} max=4 min=1 terminators=# first=5 inter=3 patterns=1XXX,0");
    let pin = "collect pin max=4 min=1 terminators=# first=5 inter=3 secret";
    let four = "collect - max=4 min=4 terminators=# first=5 inter=3";
    assert_eq!(
        ladder(source, &answers),
        [
            &first("ask"),
            "play wrong-1",
            &first("ask-again"),
            "play silent",
            &first("ask-again"),
            "log 1234\tpattern",
            four,
            four,
            "play wrong",
            "log nil\tinvalid",
            pin,
            "play silent",
            pin,
            "log (secret)\tmax",
            "ended",
        ]
    );
    let wrong = failure("call:collect{max = 4, tries = 2,\n  invalid = 5}");
    assert!(wrong.to_string().starts_with("flows/main.lua:1: collect: a prompt must be"), "{wrong}");
}

#[test]
fn rounds_of_several_are_dialled_and_the_flow_goes_on_after_the_talk() {
    let source = "print(call:dial{{{agent = '1001'}, {user = 'anna', timeout = 9}}, {trunk = 'c', number = '1'},\n\
        caller = '4000', caller_name = 'House', timeout = 20, music = 'm', whisper = {'w', {silence = 1}},\n\
        accept = {prompt = {'q', {say = 'one'}}, refuse = 2}, talk = 60, go_on = true})\n\
        print(call:dial{user = 'anna', go_on = true})\ncall:dial{{user = 'anna'}, {user = 'bert'}, together = true}\nprint('never')";
    let end = |end, who: &str| VerbAnswer::Dialled { end, who: who.into() };
    let answers = [
        VerbAnswer::Failed(Cause::Declined),
        end(DialEnd::Served, "1"),
        end(DialEnd::Limit, "anna"),
        VerbAnswer::Done,
    ];
    let rest = "whisper=w silence:1 music=m accept=1/2 talk=60 go_on";
    let house = "caller=4000 caller_name=House";
    let first = format!("dial agent 1001 timeout=20 {house} + user anna timeout=9 {house} {rest}");
    assert_eq!(
        ladder(source, &answers),
        [
            first.as_str(),
            &format!("log {first}: declined"),
            &format!("dial trunk c 1 timeout=20 {house} {rest}"),
            "log served\t1",
            "dial user anna go_on",
            "log limit\tanna",
            "dial user anna + user bert",
            "ended",
        ]
    );
}

#[test]
fn call_data_stays_what_it_is_and_is_read_as_what_is_wanted() {
    let source = "call.data.n = 7 call.data.x = 2.5 call.data.yes = true call.data.no = false call.data.word = 'seven'\n\
        print(call:get('n', 'integer') + 1, call:get('x', 'number') * 2, call:get('yes', 'boolean'), call:get('no', 'boolean'))\n\
        print(call:get('n'), call:get('gone'), call:get('gone', 'number', 5), call:get('word', 'number', 6))\n\
        print(call:get('x', 'integer'), call:get('n', 'boolean', false))\n\
        call:wait(1) print(call:get('n', 'integer', 0))\n\
        call.data.list = {1, {a = 'b'}} print(call.data.list[2].a, #call.data.list, call:get('list', 'table')[1])\n\
        print(call:get('list'), call.data.n + 1)\ncall:get('n', 'object')";
    let done = || VerbAnswer::Done;
    let list = || VerbAnswer::Data(Some(serde_json::json!([1, {"a": "b"}])));
    let answers = [
        done(),
        done(),
        done(),
        done(),
        done(),
        done(),
        VerbAnswer::Data(Some("8".into())),
        done(),
        list(),
        list(),
        list(),
        list(),
        VerbAnswer::Data(Some(8.into())),
    ];
    assert_eq!(
        ladder(source, &answers),
        [
            "set n = 7",
            "set x = 2.5",
            "set yes = true",
            "set no = false",
            "set word = seven",
            "log 8\t5.0\ttrue\tfalse",
            "log 7\tnil\t5\t6\tnot_a_number",
            "log nil\tfalse\tnot_a_boolean",
            "wait 1",
            "get n",
            "log 8",
            "set list = [1,{\"a\":\"b\"}]",
            "get list",
            "get list",
            "get list",
            "log b\t2\t1",
            "get list",
            "get n",
            "log nil\t9",
            "failed flows/main.lua:8: get: the kind is one of string, number, integer, boolean, table",
        ]
    );
}

#[test]
fn transfers_by_every_way() {
    for (lua, line) in [
        ("{queue='sales'}", "transfer queue sales"),
        ("{flow='night'}", "transfer flow night"),
        ("{agent='1001'}", "transfer agent 1001"),
        ("{user='anna'}", "transfer user anna"),
        ("{trunk='carrier', number='+4930'}", "transfer trunk carrier +4930"),
    ] {
        assert_eq!(ladder(&format!("call:transfer{lua}"), &[VerbAnswer::Done]), [line, "ended"]);
    }
}

const MENU: &str = "local r, key = call:menu{prompt = 'menu', tries = 2, invalid = 'wrong', no_input = 'nothing',\n\
    ['1'] = function(key) call:play('one') return 'first', key end, [2] = 'second', ['#'] = 'again'}\nprint(r, key)";

#[test]
fn a_menu_does_what_stands_beside_the_key() {
    let key = |key: &str| digits(key, CollectEnd::Max);
    let prompt = "collect menu max=1 min=1 terminators= first=5 inter=3";
    assert_eq!(ladder(MENU, &[key("1"), VerbAnswer::Done]), [prompt, "play one", "log first\t1", "ended"]);
    assert_eq!(ladder(MENU, &[key("2")]), [prompt, "log second\t2", "ended"]);
    assert_eq!(ladder(MENU, &[key("#")]), [prompt, "log again\t#", "ended"]);
}

#[test]
fn a_menu_asks_again_and_then_gives_up() {
    let key = |key: &str| digits(key, CollectEnd::Max);
    let nothing = digits("", CollectEnd::Timeout);
    let prompt = "collect menu max=1 min=1 terminators= first=5 inter=3";
    assert_eq!(
        ladder(MENU, &[key("9"), VerbAnswer::Done, nothing.clone(), VerbAnswer::Done]),
        [prompt, "play wrong", prompt, "play nothing", "log nil\ttimeout", "ended"]
    );
    assert_eq!(
        ladder(MENU, &[nothing, VerbAnswer::Done, key("*"), VerbAnswer::Done]),
        [prompt, "play nothing", prompt, "play wrong", "log nil\tinvalid", "ended"]
    );
}

#[test]
fn wrong_options_name_the_option_and_the_line() {
    for (source, want) in [
        (
            "\ncall:collect{max=4, terminator='#'}",
            "flows/main.lua:2: collect: unknown option 'terminator'; did you mean 'terminators'?",
        ),
        (
            "\n\nreturn call:enqueue('sales', {timout=1})",
            "flows/main.lua:3: enqueue: unknown option 'timout'; did you mean 'timeout'?",
        ),
        (
            "local function f()\n  return call:play()\nend\n\nf()",
            "flows/main.lua:2: play: nothing to play was given",
        ),
        (
            "local function f()\n  call:say_number('x')\nend\n\nreturn f()",
            "flows/main.lua:2: say_number: the number must be a whole one from 0 to 999999999999, not \"x\"",
        ),
        (
            "call:menu{prompt='m',\n  ['1'] = function()\n    return call:transfer{queue=1}\n  end}",
            "flows/main.lua:1: menu: takes one table",
        ),
        ("call.play('x')", "flows/main.lua:1: play: write call:play(...) with a colon"),
        (
            "call.data.x = print",
            "flows/main.lua:1: data: the value of 'x' must be a string, a number, a boolean or a table of these, not a function",
        ),
        ("call:play({{{{{'deep'}}}}})", "flows/main.lua:1: tables given to a verb nest too deep"),
        ("call:wait('x')", "flows/main.lua:1: wait: the time must be a number of seconds, not a string"),
    ] {
        if want.contains("menu:") {
            let said = ladder(source, &[digits("1", CollectEnd::Max)]);
            assert_eq!(
                said.last().unwrap(),
                "failed flows/main.lua:3: transfer: option 'queue' must be a string, not a number"
            );
            continue;
        }
        let error = failure(source);
        assert_eq!((error.to_string().as_str(), error.kind), (want, FlowErrorKind::BadOption), "{source}");
    }
}
