//! The flows that ship: each has a test beside it, every case of it passes, every prompt it plays is there.

use cordboard_flow::{check, script};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../ivr-flows")
}

/// Every file below a folder, by its path there.
fn files(below: &Path) -> BTreeMap<String, PathBuf> {
    let mut found = BTreeMap::new();
    let mut folders = vec![below.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.insert(path.strip_prefix(below).unwrap().to_str().unwrap().to_owned(), path);
            }
        }
    }
    found
}

/// The flows, by their path below the folder, without the types.
fn flows() -> BTreeMap<String, PathBuf> {
    let is_flow =
        |name: &str| name.ends_with(".lua") && !name.starts_with("types/") && !name.starts_with("lib/");
    files(&folder()).into_iter().filter(|(name, _)| is_flow(name)).collect()
}

/// The Lua texts of a folder, by name: `a.b` is `a/b.lua`.
pub fn sources(folder: &Path) -> BTreeMap<String, script::Source> {
    let named = |(name, path): (String, PathBuf)| {
        let name = name.strip_suffix(".lua")?.replace('/', ".");
        let text = std::fs::read_to_string(&path).unwrap();
        Some((name, script::Source { file: path.display().to_string(), text }))
    };
    let below = if folder.is_dir() { files(folder) } else { BTreeMap::new() };
    below.into_iter().filter_map(named).collect()
}

/// The flows of a folder itself, by name.
fn flows_of(folder: &Path) -> BTreeMap<String, script::Source> {
    let mut sources = sources(folder);
    sources.retain(|name, _| !name.contains('.'));
    sources
}

/// Asset names of the prompts.
pub fn prompts() -> BTreeSet<String> {
    let name = |path: String| path.strip_suffix(".wav").map(|name| name.replace('/', "."));
    files(&folder().join("prompts")).into_keys().filter_map(name).collect()
}

#[test]
fn every_flow_passes_its_test_and_plays_only_prompts_that_are_there() {
    let prompts = prompts();
    let flows = flows();
    assert!(flows.len() >= 3);
    for (name, path) in flows {
        let source = std::fs::read_to_string(&path).unwrap();
        check(&source, &name).unwrap_or_else(|errors| panic!("{errors:?}"));
        let beside = path.with_extension("test.toml");
        let text =
            std::fs::read_to_string(&beside).unwrap_or_else(|_| panic!("{name} has no test beside it"));
        let tests: script::Script =
            toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", beside.display()));
        assert!(name.ends_with(&tests.flow), "{} tests {}", beside.display(), tests.flow);
        let bench = script::Bench {
            flow: script::Source { file: name.clone(), text: source },
            flows: flows_of(path.parent().unwrap()),
            libraries: sources(&folder().join("lib")),
            ..script::Bench::default()
        };
        for case in &tests.cases {
            let report = script::run(&bench, case).unwrap_or_else(|why| panic!("{name}: {why}"));
            for line in &report.trace {
                let words: Vec<&str> = line.split_whitespace().collect();
                let played = match words.as_slice() {
                    [_, "play", items @ ..] => items,
                    [_, "collect", prompt, ..] => std::slice::from_ref(prompt),
                    _ => &[],
                };
                let missing: Vec<&&str> = played
                    .iter()
                    .filter(|item| **item != "-" && !item.contains(['=', ':']) && !prompts.contains(**item))
                    .collect();
                assert!(missing.is_empty(), "{name}: no prompt {missing:?}");
            }
        }
    }
}

#[test]
fn every_word_of_a_number_has_a_prompt() {
    let prompts = prompts();
    for lang in cordboard_flow::say::Lang::ALL {
        let numbers = (0..=10_000).chain([100_000, 1_000_000, 1_000_000_000, 200_000_000, 123_456_789_012]);
        for n in numbers {
            for name in cordboard_flow::say::queue_position(lang, n) {
                assert!(prompts.contains(name.as_str()), "{name}");
            }
        }
    }
}

#[test]
fn every_word_of_a_date_a_time_an_amount_and_a_key_has_a_prompt() {
    use cordboard_flow::say::{date, money};
    let prompts = prompts();
    let there = |names: Vec<cordboard_model::id::Name>| {
        assert!(!names.is_empty());
        names.iter().for_each(|name| assert!(prompts.contains(name.as_str()), "{name}"));
    };
    for lang in cordboard_flow::say::Lang::ALL {
        there(cordboard_flow::say::digits(lang, "0123456789*#+").unwrap());
        for day in (0..3 * 366).filter_map(|n| date::Date::new(1_999 + n / 366, n % 366 / 31 + 1, n % 31 + 1))
        {
            there(cordboard_flow::say::date(lang, day, true, true));
        }
        for year in [1, 800, 1_905, 1_984, 2_000, 2_009, 2_026, 2_100, 9_999] {
            there(cordboard_flow::say::date(lang, date::Date::new(year, 1, 1).unwrap(), true, true));
        }
        for minute in 0..24 * 60 {
            there(cordboard_flow::say::time(lang, date::Clock::new(minute / 60, minute % 60).unwrap()));
        }
        for currency in &money::CURRENCIES {
            for text in ["0", "1", "2", "-1.10", "2.01", "2.02", "3.5", "0.05", "1.005", "123456789.99"] {
                if let Some(amount) = currency.read(text) {
                    there(cordboard_flow::say::money(lang, currency, amount));
                }
            }
        }
    }
}

#[test]
fn prompts_are_what_the_switch_plays_and_not_too_large() {
    let mut total = 0;
    let folder = folder().join("prompts");
    let waves = files(&folder).into_iter().filter(|(name, _)| name.ends_with(".wav"));
    let texts = std::fs::read_to_string(folder.join("texts.tsv")).unwrap();
    for (name, path) in waves {
        let bytes = std::fs::read(&path).unwrap();
        total += bytes.len();
        // RIFF, PCM, one channel, 8,000 a second, 16 bit.
        assert_eq!((&bytes[..4], &bytes[8..16]), (&b"RIFF"[..], &b"WAVEfmt "[..]), "{name}");
        assert_eq!(&bytes[20..28], [1, 0, 1, 0, 0x40, 0x1f, 0, 0], "{name}");
        assert_eq!(&bytes[34..36], [16, 0], "{name}");
        assert!(bytes.len() > 44 + 8_000 / 4, "{name} is all but empty");
        let known = name == "music.wav" || texts.contains(&format!("{}\t", name.trim_end_matches(".wav")));
        assert!(known, "{name} is not in texts.tsv");
    }
    assert!(total < 12_000_000, "{total} bytes of prompts");
}

#[test]
fn the_types_name_every_verb() {
    let types = std::fs::read_to_string(folder().join("types/cordboard.lua")).unwrap();
    let guide = std::fs::read_to_string(folder().join("../docs/flows.md")).unwrap();
    for verb in cordboard_flow::VERBS {
        assert!(types.contains(&format!("function call:{verb}(")), "{verb} has no type");
        assert!(guide.contains(&format!("call:{verb}")), "{verb} is not in the guide");
    }
    let typed = types.lines().filter(|line| line.starts_with("function call:")).count();
    assert_eq!(typed, cordboard_flow::VERBS.len(), "a type of a verb that is not there");
    check(&types.replace("call = {}", ""), "types/cordboard.lua").unwrap();
}

#[test]
fn a_flow_that_has_its_caller_verified_gets_the_result_and_the_texts() {
    let read = |name: &str| std::fs::read_to_string(folder().join(name)).unwrap();
    let source = |file: &str, text: &str| script::Source { file: file.into(), text: text.into() };
    let main = "local result, first = call:run('verify', {url = 'https://own.example/v', secret = 'id', tries = 1})\n\
        call:transfer{queue = first .. result}";
    let bench = script::Bench {
        flow: source("main.lua", main),
        flows: [("verify".to_owned(), source("verify.lua", &read("verify.lua")))].into(),
        libraries: sources(&folder().join("lib")),
        ..script::Bench::default()
    };
    let test = r#"
        flow = "main.lua"
        [[case]]
        name = "verified by another flow"
        from = "anonymous"
        steps = [
          { expect = "answer" },
          { expect = "collect en.verify.card", digits = "6222#" },
          { expect = "collect en.verify.pin", digits = "471147#" },
          { expect = "play en.verify.checking" },
          { expect = "get verifyServiceNo" },
          { expect = "get verifyWorkNo" },
          { expect = "http POST https://own.example/v", json = { calldata = { data = { verifyResult = 1, verifyReturn1 = "gold" } } } },
          { expect = "play en.verify.passed" },
          { expect = "set verifyResult = 1" },
          { expect = "set verifyReturn1 = gold" },
          { expect = "set verifyReturn2 =" },
          { expect = "set verifyReturn3 =" },
          { expect = "transfer queue gold1" },
        ]"#;
    let tests: script::Script = toml::from_str(test).unwrap();
    let report = script::run(&bench, &tests.cases[0]).unwrap_or_else(|why| panic!("{why}"));
    let told = report.trace.join("\n");
    assert!(!told.contains("6222") && !told.contains("4711"), "{told}");
}
