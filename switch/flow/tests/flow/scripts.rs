//! The bot script player's libraries: regular expressions, what fits an intent, and what is said of a wrong script.

use crate::shipped::{folder, sources};
use cordboard_flow::script::{Bench, Mismatch, Report, Script, Source, run};

/// Runs a flow that may require what ships, against steps in TOML.
fn steps(flow: &str, steps: &str) -> Result<Report, Mismatch> {
    let bench = Bench {
        flow: Source { file: "test.lua".into(), text: flow.into() },
        libraries: sources(&folder().join("lib")),
        ..Bench::default()
    };
    let text = format!("flow = 'test.lua'\n[[case]]\nname = 'test'\nsteps = [{steps}]");
    run(&bench, &toml::from_str::<Script>(&text).unwrap().cases[0])
}

/// Runs a flow that asks nothing.
fn play(flow: &str) -> Result<Report, Mismatch> {
    steps(flow, "")
}

#[test]
fn a_regular_expression_finds_what_it_should_and_nothing_else() {
    play(
        r#"
        local regex = require("script.regex")
        local function found(expression, text)
          local first, last = regex.find(assert(regex.compile(expression)), text)
          return first and first .. "-" .. last or "-"
        end
        for _, row in ipairs({
          { "b", "abc", "2-2" }, { "", "abc", "1-0" }, { "x", "abc", "-" }, { "a.c", "abc", "1-3" },
          { "^b", "abc", "-" }, { "^a", "abc", "1-1" }, { "c$", "abc", "3-3" }, { "b$", "abc", "-" },
          { "ab*c", "ac", "1-2" }, { "ab+c", "ac", "-" }, { "ab?c", "abbc", "-" }, { "ab{2,3}c", "abbbc", "1-5" },
          { "ab{2}c", "abbbc", "-" }, { "ab{2,}c", "abbbbc", "1-6" }, { "(ab)+", "ababa", "1-4" },
          { "cat|dog", "a dog", "3-5" }, { "a(b|c)d", "acd", "1-3" }, { "a(?:b|)d", "ad", "1-2" },
          { "[a-c]+", "xxcabx", "3-5" }, { "[^a-c]+", "abxyc", "3-4" }, { "[\\]a]+", "a]", "1-2" },
          { "[a-]+", "a-", "1-2" }, { "\\d+", "ab12", "3-4" }, { "\\D+", "12ab", "3-4" }, { "\\w+", "!a_1", "2-4" },
          { "[\\d\\s]+", "a1 2", "2-4" }, { "\\bno\\b", "know no", "6-7" }, { "a\\.b", "axb", "-" }, { "a\\.b", "a.b", "1-3" },
          { "(a*)*b", "aaab", "1-4" }, { "(a|ab)c", "abc", "1-3" }, { ".*c", "abcab", "1-3" },
          { "多少(钱|元)", "请问多少钱", "3-5" }, { "[一二三]+", "十二三", "2-3" }, { "好.$", "你好吗", "2-3" },
        }) do
          local got = found(row[1], row[2])
          assert(got == row[3], row[1] .. " in " .. row[2] .. ": " .. got)
        end
        for expression, why in pairs({
          ["(a"] = "')' is missing at character 3", ["a)"] = "')' without '(' at character 2",
          ["[a"] = "']' is missing at character 3", ["*a"] = "there is nothing to repeat at character 1",
          ["a{2"] = "'}' is missing at character 4", ["a{3,2}"] = "'{3,2}' is no number of times at character 7",
          ["a{x}"] = "'{x}' is no number of times at character 5", ["a\\"] = "there is nothing behind the backslash at character 3",
          ["(?=a)"] = "of (? only (?: is known at character 3", ["[b-a]"] = "this is no range at character 4",
        }) do
          local compiled, got = regex.compile(expression)
          assert(compiled == nil and got == why, expression .. ": " .. tostring(got))
        end
        "#,
    )
    .unwrap_or_else(|why| panic!("{why}"));
}

#[test]
fn a_regular_expression_that_tries_without_end_uses_up_its_own_budget() {
    let error = play(
        r#"
        local regex = require("script.regex")
        regex.find(regex.compile("(a|aa|aaa)*$"), ("a"):rep(60) .. "b")
        "#,
    )
    .unwrap_err();
    assert!(error.got.starts_with("failed instructions"), "{}", error.got);
}

#[test]
fn an_intent_fits_by_keyword_expression_phrase_and_key_and_the_longest_counts() {
    play(
        r#"
        local intents = require("script.intents")
        local function fits(intent, words) return intents.fits(intent, { words = words, plain = intents.plain(words) }) end
        assert(intents.plain("  Don’t, PLEASE…  don't! ") == "dont please dont")
        assert(intents.plain("不，谢谢。") == "不 谢谢")
        local no = { keywords = { "no", "no thank you" } }
        assert(fits(no, "No!") == 2 and fits(no, "no, thank you") == 12)
        assert(not fits(no, "I know now") and not fits(no, ""))
        assert(fits({ keywords = { "不 要" } }, "我 不，要") == 2)
        assert(fits({ regex = { "call .*(back|later)" } }, "please call me back") == 12)
        assert(fits({ phrases = { "could you call me later" } }, "Could you call me later on?"))
        assert(not fits({ phrases = { "could you call me later" } }, "could you come"))
        assert(fits({ phrases = { "我想换个时间" } }, "我想换时间"))
        assert(not fits({ phrases = { "好" } }, "不"))
        assert(intents.fits({ keys = "12" }, { key = "2" }) and not intents.fits({ keys = "12" }, { key = "3" }))
        assert(not intents.fits({}, { key = "1" }) and not fits({}, "yes"))
        "#,
    )
    .unwrap_or_else(|why| panic!("{why}"));
}

#[test]
fn everything_that_is_wrong_with_a_script_is_said_at_once_with_its_place() {
    let flow = r#"
        local play = require("script.player")
        play("scripts.wrong", {
          start = "gret",
          intents = { later = { regexes = {}, regex = { "(a" } } },
          nodes = {
            greet = { say = { "a", "b", "c", "d", "e" }, branches = { yes = "en", latter = "e", later = { intents = { "yess" } } } },
            any = { say = { { 3 } }, branches = { any = "e", no = "e", silence = "e" } },
            e = { action = "hangup" },
            f = { action = "hand_over" },
            g = {},
            h = 3,
            i = { branches = {}, tag = 3 },
          },
          knowledge = { where = { keywords = { "where" } }, who = { intents = { "yes" }, go = "x" } },
          rules = { silence = { { say = "a" } }, ["repeat"] = { go = "e" }, questons = {} },
        }, {})
        "#;
    let error = play(flow).unwrap_err().got;
    insta::assert_snapshot!(error.split_once("check.lua").unwrap().1);
}

#[test]
fn a_talk_without_an_end_is_ended() {
    let turns = play(
        r#"
        local play = require("script.player")
        local ring = { start = "a", nodes = { a = { action = "back" } }, rules = { silence = { { go = "a" } }, not_understood = { { go = "a" } } } }
        play("ring", ring, {})
        "#,
    )
    .unwrap_err();
    assert!(turns.got.contains("the script went through 500 nodes without an end"), "{}", turns.got);
}

#[test]
fn a_caller_who_never_comes_to_an_end_is_led_on_after_so_many_turns() {
    let flow = r#"
        local play = require("script.player")
        play("round", {
          start = "ask",
          nodes = { ask = { say = "en.menu", branches = { yes = "ask" } }, out = { action = "finish" } },
          rules = { silence = { { go = "out" } }, not_understood = { { go = "out" } }, turns = { most = 2, go = "out" } },
        }, { listen = 4 })"#;
    let turn = "{ expect = 'play en.menu' }, { expect = 'collect - max=1', digits = '1' }";
    let expected =
        format!("{turn}, {turn}, {{ expect = 'play en.menu' }}, {{ expect = 'set scriptEnd = out' }}");
    steps(flow, &expected).unwrap_or_else(|why| panic!("{why}"));
}
