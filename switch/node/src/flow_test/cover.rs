//! How much of flows their tests ran: by line, and by branch of their menus.

use cordboard_flow::script::Bench;
use cordboard_flow::{Coverage, Seen, coverage};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

/// What the tests ran, and the texts there are.
#[derive(Default)]
pub struct Covered {
    seen: Seen,
    texts: BTreeMap<String, String>,
    /// Flows that have a test; libraries and others count if something of them ran.
    tested: BTreeSet<String>,
}

/// What is asked for at least, in percent.
#[derive(Clone, Copy, Debug, Default)]
pub struct Least {
    /// Of lines.
    pub lines: u8,
    /// Of branches.
    pub branches: u8,
}

/// `./a.lua` and `a.lua` are one.
fn plain(file: &str) -> String {
    file.strip_prefix("./").unwrap_or(file).to_owned()
}

impl Covered {
    /// Adds what the cases of one test ran.
    pub fn add(&mut self, bench: &Bench, seen: Seen) {
        let others = bench.flows.values().chain(bench.libraries.values());
        for source in others.chain([&bench.flow]) {
            self.texts.insert(plain(&source.file), source.text.clone());
        }
        self.tested.insert(plain(&bench.flow.file));
        let mut renamed = Seen::default();
        for (file, lines) in seen.lines {
            renamed.lines.entry(plain(&file)).or_default().extend(lines);
        }
        for (into, from) in [(&mut renamed.menus, seen.menus), (&mut renamed.taken, seen.taken)] {
            for (mut at, branches) in from {
                at.file = plain(&at.file);
                into.entry(at).or_default().extend(branches);
            }
        }
        self.seen.add(renamed);
    }

    /// The table, and what falls short of the least.
    pub fn told(&self, least: Least) -> (String, Vec<String>) {
        let ran = |file: &&String| self.tested.contains(*file) || self.seen.lines.contains_key(*file);
        let files: Vec<&String> = self.texts.keys().filter(ran).collect();
        let width = files.iter().map(|file| file.chars().count()).max().unwrap_or(0).max(8);
        let mut out = format!("\n{:<width$}  {:>16}  {:>16}\n", "coverage", "lines", "menu branches");
        let mut short = Vec::new();
        for file in files {
            let found = coverage(file, &self.texts[file], &self.seen);
            let (lines, branches) = (share(lines_of(&found)), share(branches_of(&found)));
            // Writing to a String cannot fail.
            let _ = writeln!(out, "{file:<width$}  {lines:>16}  {branches:>16}");
            if !found.not_run.is_empty() {
                let _ = writeln!(out, "    not run: line {}", ranges(&found.not_run));
            }
            for (line, branch) in &found.not_taken {
                let _ = match branch {
                    Some(branch) => writeln!(out, "    not taken: {branch}, of the menu at line {line}"),
                    None => writeln!(out, "    not asked: the menu at line {line}"),
                };
            }
            for (what, of, least) in [
                ("lines", lines_of(&found), least.lines),
                ("menu branches", branches_of(&found), least.branches),
            ] {
                if of.0 * 100 < of.1 * usize::from(least) {
                    short.push(format!(
                        "{file}: {} of the {what} are covered; {least} % are asked for",
                        share(of)
                    ));
                }
            }
        }
        (out, short)
    }
}

fn lines_of(found: &Coverage) -> (usize, usize) {
    (found.lines.len() - found.not_run.len(), found.lines.len())
}

fn branches_of(found: &Coverage) -> (usize, usize) {
    (found.branches - found.not_taken.len(), found.branches)
}

fn share((some, all): (usize, usize)) -> String {
    match all {
        0 => "-".to_owned(),
        _ => format!("{some} of {all}, {:>3} %", some * 100 / all),
    }
}

/// `3, 5-7` of 3, 5, 6 and 7.
fn ranges(lines: &BTreeSet<u32>) -> String {
    let mut parts: Vec<(u32, u32)> = Vec::new();
    for line in lines {
        match parts.last_mut() {
            Some((_, last)) if *last + 1 == *line => *last = *line,
            _ => parts.push((*line, *line)),
        }
    }
    let word = |(first, last): (u32, u32)| match first == last {
        true => first.to_string(),
        false => format!("{first}-{last}"),
    };
    parts.into_iter().map(word).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_did_not_run_are_told_as_ranges() {
        assert_eq!(ranges(&[3, 5, 6, 7, 10].into()), "3, 5-7, 10");
        assert_eq!(share((0, 0)), "-");
        assert_eq!(share((199, 200)), "199 of 200,  99 %", "never rounded up to all");
    }
}
