//! No test looks alive and is not: `#[ignore]`, also behind `cfg_attr`, and examples in docs that are
//! not run. What needs a person or a day of machine time is a command of its own.

use super::tree::Tree;
use super::{Findings, Options};

pub(crate) fn check(tree: &Tree, _: &Options, findings: &mut Findings) {
    for (file, scan) in tree.rust() {
        for attribute in scan.attributes() {
            let Some(tokens) = scan.tokens().get(attribute) else {
                continue;
            };
            let first = tokens.first().map_or("", |token| token.text.as_str());
            let ignored = tokens.iter().find(|token| token.text == "ignore");
            if let Some(token) = ignored.filter(|_| matches!(first, "ignore" | "cfg_attr")) {
                findings.add(&file.path, token.line, "a test that does not run");
            }
        }
        for (line, comment) in scan.comments() {
            let text = comment.trim_start_matches(['/', '!', '*', ' ']);
            if text
                .strip_prefix("```")
                .is_some_and(|kinds| kinds.split(',').any(|kind| kind.trim() == "ignore"))
            {
                findings.add(&file.path, *line, "an example that does not compile");
            }
        }
    }
}
