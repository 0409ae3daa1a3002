//! A crate begins with what it is: `lib.rs` opens with a module doc of its own, invariant first.

use super::tree::Tree;
use super::{Findings, Options};

/// Less than this many lines of text say nothing that the crate's name does not.
const FEWEST_LINES: usize = 2;

pub(crate) fn check(tree: &Tree, _: &Options, findings: &mut Findings) {
    for file in tree.files.iter().filter(|file| file.path.ends_with("/src/lib.rs")) {
        let doc = file.text.lines().take_while(|line| line.starts_with("//!"));
        let says = doc.filter(|line| line.trim_start_matches("//!").trim().len() > 1).count();
        if says == 0 {
            findings.add(&file.path, 1, "the crate does not begin with its module doc");
        } else if says < FEWEST_LINES {
            findings.add(&file.path, 1, "the crate's module doc does not say what the crate is");
        }
    }
}
