//! Flows that run others and take in libraries.

use crate::world::{answer, call, drain, engine, failure, finish, snapshot, start};
use cordboard_flow::{FlowCommand, FlowEngine, FlowErrorKind, FlowInput, FlowOutput};
use cordboard_model::config::{FlowLimits, Library, Snapshot};
use cordboard_model::id::{Name, TenantId};
use cordboard_model::time::Time;
use cordboard_model::verb::VerbAnswer;

fn with_libraries(flows: &[(&str, &str)], libraries: &[(&str, &str)]) -> Snapshot {
    let mut snapshot = snapshot(FlowLimits::default(), flows);
    for (name, source) in libraries {
        let library = Library { file: format!("lib/{name}.lua"), source: (*source).to_owned() };
        let tenant = snapshot.tenants.get_mut(&TenantId::DEFAULT).unwrap();
        tenant.kit.libraries.insert(Name::new(name).unwrap(), library);
    }
    snapshot
}

fn configured(flows: &[(&str, &str)], libraries: &[(&str, &str)]) -> FlowEngine {
    let mut engine = FlowEngine::new([7; 32]);
    let snapshot = with_libraries(flows, libraries);
    engine.handle_command(FlowCommand::Configure(&snapshot), Time::ZERO).unwrap();
    engine
}

/// The log lines of `main`, and its error.
fn told(flows: &[(&str, &str)], libraries: &[(&str, &str)]) -> (Vec<String>, Option<String>) {
    let mut engine = configured(flows, libraries);
    start(&mut engine, 1);
    let (logs, error) = finish(&mut engine, 1);
    (logs, error.map(|error| error.to_string()))
}

#[test]
fn a_flow_runs_another_with_arguments_and_goes_on_with_what_it_returns() {
    let main = "mine = 1\nprint(call:run('other', 2, {n = 3}))\nprint(mine, theirs)";
    let other = "local a, b = ... call:wait(1) theirs = 4 print(mine, a, b.n) return a + b.n, 'x'";
    let (logs, error) = told(&[("main", main), ("other", other)], &[]);
    assert_eq!((logs, error), (vec!["nil\t2\t3".into(), "5\tx".into(), "1\tnil".into()], None));
}

#[test]
fn a_library_runs_once_for_each_call_and_has_globals_of_its_own() {
    let main = "local a, b = require('names'), require 'names'\nprint(a == b, a.of(7), seen)\n\
        call:wait(1)\nprint(require('names').of(8))";
    let names = "print('taken in') seen = 1\nlocal names = {}\nfunction names.of(n) call:wait(1) return 'n' .. n end\n\
        return names";
    let mut engine = configured(&[("main", main)], &[("names", names)]);
    for number in [1, 2] {
        start(&mut engine, number);
        let (logs, error) = finish(&mut engine, number);
        assert_eq!((logs, error), (vec!["taken in".into(), "true\tn7\tnil".into(), "n8".into()], None));
    }
    let (logs, error) = told(&[("main", "print(require('empty'), require('empty'))")], &[("empty", "")]);
    assert_eq!((logs, error), (vec!["true\ttrue".into()], None));
}

#[test]
fn an_error_and_a_log_line_name_the_file_they_come_from() {
    let library =
        "local m = {}\nfunction m.f(x)\n  return x.y.z\nend\nfunction m.g()\n  call:wait('x')\nend\nreturn m";
    let libraries = [("deep.er", library)];
    let run = |main: &str| told(&[("main", main), ("other", "\n\nerror('done')")], &libraries).1.unwrap();
    assert_eq!(
        run("require('deep.er').f({})"),
        "lib/deep.er.lua:3: attempt to index a nil value (field 'y')"
    );
    assert_eq!(
        run("\nrequire('deep.er').g()"),
        "lib/deep.er.lua:6: wait: the time must be a number of seconds, not a string"
    );
    assert_eq!(run("\ncall:run('other')"), "flows/other.lua:3: done");
    assert_eq!(run("call:run('other')\nprint('never')"), "flows/other.lua:3: done");
    // The place that a caught error tells is the same.
    let main = "print(select(2, pcall(call.run, call, 'other')))\nerror('own')";
    let (logs, error) = told(&[("main", main), ("other", "\nerror('theirs')")], &[]);
    assert_eq!((logs[0].as_str(), error.unwrap().as_str()), ("other.lua:2: theirs", "flows/main.lua:2: own"));

    let mut engine = configured(&[("main", "print(1)\ncall:run('other')"), ("other", "\nprint(2)")], &[]);
    start(&mut engine, 1);
    let places: Vec<(String, u32)> = drain(&mut engine)
        .into_iter()
        .filter_map(|output| match output {
            FlowOutput::Log { file, line, .. } => Some((file, line)),
            _ => None,
        })
        .collect();
    assert_eq!(places, [("flows/main.lua".into(), 1), ("flows/other.lua".into(), 2)]);
}

#[test]
fn a_text_that_is_not_there_is_an_error_with_the_one_that_was_meant() {
    let run = |main: &str| told(&[("main", main), ("verify", "")], &[("names", "")]).1.unwrap();
    assert_eq!(
        run("\nrequire('nmaes')"),
        "flows/main.lua:2: require: there is no library 'nmaes'; did you mean 'names'?"
    );
    assert_eq!(
        run("call:run('verfy')"),
        "flows/main.lua:1: run: there is no flow 'verfy'; did you mean 'verify'?"
    );
    for (main, says) in [
        ("require(7)", "flows/main.lua:1: require: the name must be a string, not a number"),
        ("require()", "flows/main.lua:1: require: the name must be a string, not a nil"),
        (
            "return require('../x')",
            "flows/main.lua:1: require: \"../x\" is not a name: an id cannot hold '/'",
        ),
        ("call:run({})", "flows/main.lua:1: run: the name must be a string, not a table"),
        ("call.run('x')", "flows/main.lua:1: run: write call:run(...) with a colon"),
    ] {
        assert_eq!(run(main), says);
    }
    let (logs, error) = told(&[("main", "print(pcall(require, 'gone'))")], &[]);
    assert_eq!((logs, error), (vec!["false\tmain.lua:1: require: there is no library 'gone'".into()], None));
}

#[test]
fn texts_that_take_in_each_other_in_a_circle_end_in_an_error_or_a_budget() {
    let circle = [("a", "require('b')"), ("b", "\nrequire('a')")];
    let (_, error) = told(&[("main", "require('a')")], &circle);
    assert_eq!(
        error.unwrap(),
        "lib/b.lua:2: require: 'a' requires itself by way of others, or failed before"
    );
    let mut engine = configured(&[("main", "call:run('main')")], &[]);
    start(&mut engine, 1);
    let (_, error) = finish(&mut engine, 1);
    assert!(error.unwrap().kind.is_budget());
    let mut engine = configured(&[("main", "while true do call:run('other') end"), ("other", "")], &[]);
    start(&mut engine, 1);
    let (_, error) = finish(&mut engine, 1);
    assert!(error.unwrap().kind.is_budget());
}

#[test]
fn a_call_sees_the_texts_of_its_beginning_to_its_end() {
    let main = "call:wait(1)\nprint(require('names'), call:run('other'))";
    let mut engine =
        configured(&[("main", main), ("other", "return 'old flow'")], &[("names", "return 'old'")]);
    start(&mut engine, 1);
    let newer =
        with_libraries(&[("main", main), ("other", "return 'new flow'")], &[("names", "return 'new'")]);
    engine.handle_command(FlowCommand::Configure(&newer), Time::ZERO).unwrap();
    start(&mut engine, 2);
    let mut lines = Vec::new();
    for output in drain(&mut engine) {
        if let FlowOutput::Verb { call, ticket, .. } = output {
            answer(&mut engine, call.number, ticket, VerbAnswer::Done);
            lines.extend(drain(&mut engine).into_iter().filter_map(|output| match output {
                FlowOutput::Log { text, .. } => Some(text),
                _ => None,
            }));
        }
    }
    assert_eq!(lines, ["old\told flow", "new\tnew flow"]);
}

#[test]
fn a_coroutine_that_took_in_other_texts_is_rebuilt_with_them() {
    let main = "local names = require('names')\nlocal x = call:run('other')\ncall:play(names.of(x))";
    let other = "call:wait(1)\ncall:wait(2)\nreturn 'x'";
    let names = "return {of = function(x) return 'name.' .. x end}";
    let mut first = configured(&[("main", main), ("other", other)], &[("names", names)]);
    start(&mut first, 9);
    answer(&mut first, 9, 1, VerbAnswer::Done);
    let record = first.record(call(9)).unwrap();
    assert_eq!(record.texts.len(), 2);
    drain(&mut first);
    // Another engine, whose configuration has other texts by these names.
    let mut second = configured(&[("main", "x = 1"), ("other", "return 'y'")], &[("names", "return 1")]);
    second.rebuild(record.clone()).unwrap();
    drain(&mut second);
    assert_eq!(second.record(call(9)), Some(record));
    for engine in [&mut first, &mut second] {
        answer(engine, 9, 2, VerbAnswer::Done);
        let said = drain(engine);
        let played = matches!(&said[..], [FlowOutput::Verb { verb, .. }]
            if cordboard_flow::script::line(verb) == "play name.x");
        assert!(played, "{said:?}");
    }
}

#[test]
fn steps_that_take_no_time_give_no_instructions() {
    let source = "while true do for i = 1, 20000 do end call.data.x = 'y' end";
    let mut engine = engine(FlowLimits::default(), source);
    start(&mut engine, 1);
    let mut steps = 0;
    loop {
        match engine.poll_output().unwrap() {
            FlowOutput::Verb { call, ticket, .. } => {
                steps += 1;
                let answer = FlowInput::Answer { call, ticket, answer: VerbAnswer::Done };
                engine.handle_input(answer, Time::ZERO);
            }
            FlowOutput::Failed { error, .. } => break assert_eq!(error.kind, FlowErrorKind::Instructions),
            other => panic!("{other:?}"),
        }
    }
    assert!((10..50).contains(&steps), "{steps}");
}

#[test]
fn questions_that_take_no_time_are_counted_by_the_time_they_take_us() {
    for (question, most) in
        [("call:calendar('office')", 110), ("call:now()", 520), ("call:count('x')", 1_050)]
    {
        let mut engine = engine(FlowLimits::default(), &format!("while true do {question} end"));
        start(&mut engine, 1);
        let mut steps = 0;
        let error = loop {
            match engine.poll_output().unwrap() {
                FlowOutput::Verb { call, ticket, .. } => {
                    steps += 1;
                    let answer = VerbAnswer::Failed(cordboard_model::cause::Cause::NotFound);
                    engine.handle_input(FlowInput::Answer { call, ticket, answer }, Time::ZERO);
                }
                FlowOutput::Log { .. } => {}
                FlowOutput::Failed { error, .. } => break error,
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(error.kind, FlowErrorKind::Instructions, "{question}");
        assert!((50..most).contains(&steps), "{question}: {steps}");
    }
}

#[test]
fn a_table_that_stands_in_many_places_counts_in_each() {
    let bomb = "local a = {} for i = 1, 200 do a[i] = 'x' end\nlocal b = {} for i = 1, 200 do b[i] = a end\ncall:play(b)";
    let error = failure(bomb);
    assert_eq!(
        (error.to_string().as_str(), error.kind),
        (
            "flows/main.lua:3: the tables given to a verb have more than 1024 entries",
            FlowErrorKind::BadOption
        )
    );
}
