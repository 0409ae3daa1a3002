//! No file over 800 lines, no function over 70, tests included. A file is read from top to bottom
//! once by everyone who comes after; at 400 lines look for the seam.
//!
//! A function's lines are those of its body that hold code, as clippy counts them for
//! `too_many_lines`; this rule also sees code that clippy's configuration at hand does not build.

use super::tree::Tree;
use super::{Findings, Options};

const FILE_LINES: usize = 800;
const FUNCTION_LINES: usize = 70;
const KINDS: &[&str] = &["rs", "ts", "vue", "lua", "js", "mjs"];

pub(crate) fn check(tree: &Tree, _: &Options, findings: &mut Findings) {
    for file in tree.files.iter().filter(|file| KINDS.contains(&file.extension())) {
        let lines = file.text.lines().count();
        if lines > FILE_LINES {
            findings.add(&file.path, FILE_LINES + 1, format!("{lines} lines, over {FILE_LINES}"));
        }
    }
    for (file, scan) in tree.rust() {
        for function in scan.functions() {
            if function.code_lines > FUNCTION_LINES {
                let says = format!(
                    "function {} has {} lines of code, over {FUNCTION_LINES}",
                    function.name, function.code_lines
                );
                findings.add(&file.path, function.line, says);
            }
        }
    }
}
