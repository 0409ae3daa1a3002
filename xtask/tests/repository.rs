//! What holds for the repository as a whole and is not a rule about single files.

#![allow(clippy::unwrap_used, clippy::panic, reason = "test code; clippy spares only what is inside #[test]")]

use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn manifest(path: &str) -> toml::Table {
    read(path).parse().unwrap_or_else(|error| panic!("{path}: {error}"))
}

#[test]
fn every_crate_takes_edition_licence_and_lints_from_the_workspace() {
    let workspace = manifest("Cargo.toml");
    let package = &workspace["workspace"]["package"];
    assert_eq!(package["edition"].as_str(), Some("2024"));
    assert_eq!(package["license"].as_str(), Some("Apache-2.0"));
    let lints = &workspace["workspace"]["lints"];
    assert_eq!(lints["clippy"]["unwrap_used"].as_str(), Some("deny"));
    assert_eq!(lints["clippy"]["iter_over_hash_type"].as_str(), Some("deny"));
    assert!(lints["rust"]["missing_docs"].as_str().is_some());

    let members = workspace["workspace"]["members"].as_array().unwrap();
    assert!(!members.is_empty());
    for member in members {
        let path = format!("{}/Cargo.toml", member.as_str().unwrap());
        let crate_manifest = manifest(&path);
        assert_eq!(crate_manifest["lints"]["workspace"].as_bool(), Some(true), "{path}");
        for key in ["edition", "license", "rust-version"] {
            let inherited = crate_manifest["package"][key].get("workspace").and_then(toml::Value::as_bool);
            assert_eq!(inherited, Some(true), "{path}: {key}");
        }
    }
}

#[test]
fn ci_calls_make_test_and_nothing_else() {
    let script = read(".ci/run");
    let commands: Vec<_> = script.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
    assert_eq!(commands, ["set -eu", "cd \"$(dirname \"$0\")/..\"", "exec make test"]);
}

#[test]
fn the_tests_compile_with_the_cheap_profile() {
    let workspace = manifest("Cargo.toml");
    let dev = &workspace["profile"]["dev"];
    assert_eq!(dev["opt-level"].as_integer(), Some(1));
    assert_eq!(dev["package"]["*"]["opt-level"].as_integer(), Some(2));
    assert_eq!(dev["package"]["*"]["debug"].as_bool(), Some(false));
    assert!(read("Makefile").contains("export CARGO_INCREMENTAL := 0"));
    assert!(!read("xtask/src/ci.rs").contains("--release"));
}

#[test]
fn the_licence_and_the_house_rules_are_there() {
    assert!(read("LICENSE").contains("Apache License"));
    assert!(read("CONTRIBUTING.md").contains("make test"));
    assert!(read("CHANGELOG.md").contains("## Unreleased"));
}

#[test]
fn the_architecture_says_what_is_there_and_what_is_not() {
    let text = read("ARCHITECTURE.md");
    for heading in ["## Bird's eye", "## Code map", "## Invariants", "## Deliberately absent"] {
        assert!(text.contains(heading), "{heading}");
    }
    for member in manifest("Cargo.toml")["workspace"]["members"].as_array().unwrap() {
        let room = member.as_str().unwrap();
        let named = text.contains(&format!("| `{room}` |")) || room.starts_with("plugins/");
        assert!(named, "{room} is not in the code map");
    }
}

/// A newcomer follows the README: what it links to is there, and the two commands and a picture are in it.
#[test]
fn the_readme_names_the_two_commands_and_its_links_lead_somewhere() {
    let text = read("README.md");
    for needed in
        ["make demo", "make test", "![", "docs/live-page.png", "## Your first flow", "## Your first trunk"]
    {
        assert!(text.contains(needed), "{needed}");
    }
    let links: Vec<&str> = text.split("](").skip(1).filter_map(|rest| rest.split(')').next()).collect();
    assert!(links.len() > 5);
    for link in links.into_iter().filter(|link| !link.contains("://")) {
        assert!(root().join(link).exists(), "README.md links to {link}, which is not there");
    }
}

/// What waits for a protocol timer belongs into the simulator: a whole-switch test may listen for a while, not longer.
#[test]
fn no_whole_switch_test_sleeps_for_over_five_seconds() {
    let mut seen = 0;
    for entry in fs::read_dir(root().join("tests/switch")).unwrap() {
        let path = entry.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        for (number, line) in text.lines().enumerate().filter(|(_, line)| line.contains("sleep(")) {
            let seconds = line.split("from_secs(").nth(1).and_then(|rest| rest.split(')').next());
            let seconds: u64 = seconds.map_or(0, |text| text.parse().unwrap_or(u64::MAX));
            assert!(seconds <= 5, "{}:{}: {line}", path.display(), number + 1);
        }
        seen += 1;
    }
    assert!(seen > 3);
}
