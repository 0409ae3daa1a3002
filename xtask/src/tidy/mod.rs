//! `cargo xtask tidy`: the rules of the tree that no compiler checks. One rule for each file; each has
//! trees under `xtask/fixtures/RULE/` that must fail, with what they must fail on in `expect.txt`.
//!
//! Deliberately absent: a list of files that are excused. What a rule does not apply to is said in
//! the rule, with the reason.

mod arrows;
mod doc;
mod house;
mod ignored;
mod owners;
mod purity;
pub(crate) mod ran;
mod requirements;
mod scan;
mod size;
mod tree;
mod words;

#[cfg(test)]
mod tests;

use std::fmt;
use std::path::{Path, PathBuf};

use crate::outcome::Outcome;
use tree::Tree;

/// Something that breaks a rule, at a place one can open.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Finding {
    path: String,
    line: usize,
    rule: &'static str,
    says: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}: {}", self.path, self.line, self.rule, self.says)
    }
}

/// Where a rule puts what it finds.
pub(crate) struct Findings {
    rule: &'static str,
    all: Vec<Finding>,
}

impl Findings {
    fn add(&mut self, path: &str, line: usize, says: impl Into<String>) {
        let (path, rule) = (path.to_owned(), self.rule);
        self.all.push(Finding { path, line, rule, says: says.into() });
    }
}

/// What the command line may ask for.
#[derive(Debug, Default)]
pub(crate) struct Options {
    /// The output of the tests; a name in tests/requirements.toml must have passed in it.
    pub(crate) ran: Option<PathBuf>,
    /// Lets a point of tests/requirements.toml be without a test.
    pub(crate) allow_unmapped: bool,
}

impl Options {
    pub(crate) fn parse(arguments: &[String]) -> Result<Self, String> {
        let mut options = Self::default();
        let mut arguments = arguments.iter();
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--allow-unmapped" => options.allow_unmapped = true,
                "--ran" => {
                    let file = arguments.next().ok_or("--ran needs a file")?;
                    options.ran = Some(PathBuf::from(file));
                }
                other => return Err(format!("no option {other:?}")),
            }
        }
        Ok(options)
    }
}

/// A rule: its name, and what finds the places that break it.
type Rule = (&'static str, fn(&Tree, &Options, &mut Findings));

const RULES: &[Rule] = &[
    ("arrows", arrows::check),
    ("purity", purity::check),
    ("owners", owners::check),
    ("size", size::check),
    ("requirements", requirements::check),
    ("words", words::check),
    ("doc", doc::check),
    ("ignored", ignored::check),
];

fn check(tree: &Tree, options: &Options) -> Vec<Finding> {
    let mut all = Vec::new();
    for (rule, run) in RULES {
        let mut findings = Findings { rule, all: Vec::new() };
        run(tree, options, &mut findings);
        all.append(&mut findings.all);
    }
    all.sort();
    all
}

/// Checks the repository at `root` and prints what it finds. True when there is nothing.
pub(crate) fn check_and_print(root: &Path, options: &Options) -> bool {
    let tree = match Tree::of_repository(root) {
        Ok(tree) => tree,
        Err(error) => {
            eprintln!("tidy: cannot read the tree: {error}");
            return false;
        }
    };
    let findings = check(&tree, options);
    for finding in &findings {
        println!("{finding}");
    }
    println!("tidy: {} files, {} rules, {} findings", tree.files.len(), RULES.len(), findings.len());
    findings.is_empty()
}

pub(crate) fn run(root: &Path, arguments: &[String]) -> Outcome {
    match Options::parse(arguments) {
        Ok(options) => Outcome::of(check_and_print(root, &options)),
        Err(why) => Outcome::Misused(why),
    }
}
