//! Entries and choices that are said, in tests of flows.

use cordboard_flow::script::{Bench, Script, Source, run};

/// Digits and phrases that are said, a word that is none, one that the recogniser is not sure of, and keys; and a choice of a menu.
#[test]
fn an_entry_and_a_choice_are_said_and_asked_for_again() {
    let flow = r#"
        call:answer()
        local speech = {url = "ws://r/", phrases = {operator = "a person"}, least = 0.5}
        print(call:collect{prompt = "number", max = 3, tries = 3, invalid = "again", speech = speech})
        print(call:collect{max = 3, speech = speech})
        print(call:collect{max = 3, speech = speech})
        print(call:menu{prompt = "menu", invalid = "wrong", ["1"] = "sales", ["2"] = "support",
          speech = {url = "ws://r/", phrases = {["2"] = {"help", "support"}}}})
    "#;
    let steps = r#"
        [[case]]
        name = "said"
        steps = [
          { expect = "answer" },
          { expect = "collect number max=3 min=1 terminators=# first=5 inter=3 speech", said = "one two three four" },
          { expect = "play again" },
          { expect = "collect number", said = "three five one", confidence = 0.4 },
          { expect = "play again" },
          { expect = "collect number", said = "three five one", confidence = 0.9 },
          { expect = "collect", said = "I want a person" },
          { expect = "collect", digits = "42#" },
          { expect = "collect menu", said = "nonsense" },
          { expect = "play wrong" },
          { expect = "collect menu", said = "I need help" },
        ]
    "#;
    let script: Script = toml::from_str(steps).unwrap();
    let bench = Bench { flow: Source { file: "f.lua".into(), text: flow.into() }, ..Bench::default() };
    let report = run(&bench, &script.cases[0]).unwrap();
    let logs: Vec<&str> =
        report.trace.iter().filter_map(|line| Some(line.split_once("log ")?.1.split_once(": ")?.1)).collect();
    assert_eq!(
        logs,
        ["351\tspeech\t0.9", "operator\tspeech", "42\tterminator", "support\t2"],
        "{:?}",
        report.trace
    );
    let keys_alone = Bench {
        flow: Source { file: "f.lua".into(), text: "call:collect{max = 1}".into() },
        ..Bench::default()
    };
    let case = "[[case]]\nname = 'a'\nsteps = [{ expect = 'collect', said = 'one' }]";
    let script: Script = toml::from_str(case).unwrap();
    let why = run(&keys_alone, &script.cases[0]).unwrap_err();
    assert_eq!(why.expected, "collect speech", "nobody hears what is said there");
}
