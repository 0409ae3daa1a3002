//! Every rule against its trees under `xtask/fixtures`: it finds what their `expect.txt` lists, there
//! and nowhere else, and no other rule finds anything.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::tree::Tree;
use super::{Options, RULES, check};

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")
}

fn folders(below: &Path) -> Vec<PathBuf> {
    let mut found: Vec<_> = fs::read_dir(below)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .collect();
    found.sort();
    found
}

fn options(tree: &Path, allow_unmapped: bool) -> Options {
    let ran = tree.join("ran.txt");
    Options { ran: ran.is_file().then_some(ran), allow_unmapped }
}

/// `RULE path:line` for each finding.
fn found(tree: &Path, allow_unmapped: bool) -> BTreeSet<String> {
    let files = Tree::of_folder(tree).unwrap();
    let findings = check(&files, &options(tree, allow_unmapped));
    findings.iter().map(|finding| format!("{} {}:{}", finding.rule, finding.path, finding.line)).collect()
}

fn fails_where_expected(rule: &str) {
    let cases = folders(&fixtures().join(rule));
    assert!(!cases.is_empty(), "{rule} has no tree that must fail");
    for case in cases {
        let expected = fs::read_to_string(case.join("expect.txt")).unwrap();
        let expected: BTreeSet<_> = expected.lines().map(|place| format!("{rule} {place}")).collect();
        assert!(!expected.is_empty(), "{} expects nothing", case.display());
        assert_eq!(found(&case, false), expected, "{}", case.display());
    }
}

#[test]
fn tidy_fails_on_an_import_against_the_arrows() {
    fails_where_expected("arrows");
}

#[test]
fn tidy_fails_on_a_pure_crate_that_touches_the_world() {
    fails_where_expected("purity");
}

#[test]
fn tidy_fails_on_a_crate_used_outside_the_folder_that_owns_it() {
    fails_where_expected("owners");
}

#[test]
fn tidy_fails_on_a_file_or_a_function_that_is_too_long() {
    fails_where_expected("size");
}

#[test]
fn tidy_fails_on_a_point_without_a_test_that_ran() {
    fails_where_expected("requirements");
}

#[test]
fn tidy_fails_on_words_that_do_not_belong() {
    fails_where_expected("words");
}

#[test]
fn tidy_fails_on_a_crate_without_its_module_doc() {
    fails_where_expected("doc");
}

#[test]
fn tidy_fails_on_a_test_that_does_not_run() {
    fails_where_expected("ignored");
}

#[test]
fn tidy_passes_a_clean_tree() {
    assert_eq!(found(&fixtures().join("clean"), false), BTreeSet::new());
}

/// Else a rule could be added without a tree, or a tree without the test above that looks at it.
#[test]
fn every_rule_has_trees_and_every_tree_a_rule() {
    let mut named: BTreeSet<_> = RULES.iter().map(|(rule, _)| (*rule).to_owned()).collect();
    named.insert("clean".to_owned());
    let there: BTreeSet<_> = folders(&fixtures())
        .iter()
        .filter_map(|folder| Some(folder.file_name()?.to_string_lossy().into_owned()))
        .collect();
    assert_eq!(there, named);
}

#[test]
fn a_point_without_a_test_passes_only_while_that_is_asked_for() {
    let tree = fixtures().join("requirements").join("unmapped");
    assert_eq!(found(&tree, true), BTreeSet::new());
    assert_eq!(found(&tree, false).len(), 1);
}

#[test]
fn options_that_are_not_known_are_refused() {
    let parse = |arguments: &[&str]| {
        Options::parse(&arguments.iter().map(|argument| (*argument).to_owned()).collect::<Vec<_>>())
    };
    assert!(parse(&["--ran", "var/ran.txt", "--allow-unmapped"]).is_ok_and(|o| o.allow_unmapped));
    assert!(parse(&["--ran"]).is_err());
    assert!(parse(&["--allow-everything"]).is_err());
}
