//! Every point of every area has tests, by name, in tests/requirements.toml; and with `--ran` each of
//! these tests ran and passed.

use std::collections::BTreeMap;
use std::fs;

use serde::Deserialize;

use super::ran::{self, Ran};
use super::tree::Tree;
use super::{Findings, Options};

const FILE: &str = "tests/requirements.toml";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Requirements {
    #[serde(default)]
    point: Vec<toml::Spanned<Point>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Point {
    /// The piece of work it belongs to, in words.
    area: String,
    /// Its number there.
    n: String,
    /// What it asks for, in short.
    text: String,
    /// The end of each test's name as the runner prints it: `tests::a_full_lane_refuses`.
    tests: Vec<String>,
}

pub(crate) fn check(tree: &Tree, options: &Options, findings: &mut Findings) {
    let Some(file) = tree.file(FILE) else { return };
    let requirements: Requirements = match toml::from_str(&file.text) {
        Ok(requirements) => requirements,
        Err(error) => {
            let line = error.span().map_or(1, |span| line_at(&file.text, span.start));
            findings.add(FILE, line, error.message());
            return;
        }
    };
    let ran = match options.ran.as_ref().map(|path| fs::read(tree.root.join(path))).transpose() {
        Ok(ran) => ran.map(|bytes| ran::read(&String::from_utf8_lossy(&bytes))),
        Err(error) => {
            findings.add(FILE, 1, format!("the output of the tests cannot be read: {error}"));
            return;
        }
    };
    let mut seen = BTreeMap::new();
    for point in &requirements.point {
        let line = line_at(&file.text, point.span().start);
        let point = point.get_ref();
        if let Some(before) = seen.insert((&point.area, &point.n), line) {
            let says = format!("point {} of {:?} is there already, on line {before}", point.n, point.area);
            findings.add(FILE, line, says);
        }
        check_point(point, line, options, ran.as_ref(), findings);
    }
}

fn check_point(point: &Point, line: usize, options: &Options, ran: Option<&Ran>, findings: &mut Findings) {
    let which = format!("point {} of {:?}", point.n, point.area);
    if point.text.trim().is_empty() {
        findings.add(FILE, line, format!("{which} says nothing"));
    }
    if point.tests.is_empty() && !options.allow_unmapped {
        findings.add(FILE, line, format!("{which} has no test: {}", point.text));
    }
    let Some(ran) = ran else { return };
    for test in &point.tests {
        if let Some(why) = ran.why_not_passed(test) {
            findings.add(FILE, line, format!("{which}: {test} {why}"));
        }
    }
}

fn line_at(text: &str, offset: usize) -> usize {
    text.get(..offset).map_or(1, |before| before.matches('\n').count() + 1)
}
