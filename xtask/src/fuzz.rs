//! `cargo xtask fuzz TARGET [--minutes N]`: runs one of fuzz/'s targets and writes down what came of it.
//!
//! The stable compiler takes the flags of libFuzzer's coverage with RUSTC_BOOTSTRAP. What grew is added to the corpus
//! that `make test` replays; the report stands in docs/fuzz.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::outcome::Outcome;

const TARGETS: [&str; 3] = ["wire", "sdp", "shard"];
/// One hour, if nothing else is said.
const MINUTES: u32 = 60;
/// Longest input: some messages of ordinary length.
const INPUT_MAX: u32 = 8_192;
/// Inputs that are added to the corpus of the repository after one run: the smallest of those that found something.
const ADDED_MAX: usize = 200;
/// libFuzzer's view of the program: edges, comparisons.
const FLAGS: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares --cfg fuzzing";

pub(crate) fn run(root: &Path, arguments: &[String]) -> Outcome {
    let (target, minutes) = match arguments {
        [target] => (target, Some(MINUTES)),
        [target, word, minutes] if word == "--minutes" => (target, minutes.parse().ok().filter(|n| *n > 0)),
        _ => return Outcome::Misused(format!("a target is missing; there are {}", TARGETS.join(", "))),
    };
    let Some(minutes) = minutes else {
        return Outcome::Misused("--minutes takes a whole number from 1".to_owned());
    };
    if !TARGETS.contains(&target.as_str()) {
        return Outcome::Misused(format!("no target {target:?}; there are {}", TARGETS.join(", ")));
    }
    match fuzz(root, target, minutes) {
        Ok(true) => Outcome::Passed,
        Ok(false) => Outcome::Failed,
        Err(why) => Outcome::Misused(why),
    }
}

fn fuzz(root: &Path, target: &str, minutes: u32) -> Result<bool, String> {
    let binary = build(root, target)?;
    let work = root.join("target").join("fuzz").join(target);
    let (grown, artifacts) = (work.join("corpus"), work.join("artifacts"));
    for folder in [&grown, &artifacts] {
        fs::create_dir_all(folder).map_err(|why| format!("{}: {why}", folder.display()))?;
    }
    let seeds = root.join("fuzz").join("corpus").join(target);
    let mut command = Command::new(binary);
    command.arg(format!("-max_total_time={}", minutes * 60)).arg(format!("-max_len={INPUT_MAX}"));
    command.args(["-print_final_stats=1", "-timeout=20", "-rss_limit_mb=4096"]);
    command.arg(format!("-artifact_prefix={}/", artifacts.display())).arg(&grown).arg(&seeds);
    let output = command.output().map_err(|why| format!("the target did not start: {why}"))?;
    let log = String::from_utf8_lossy(&output.stderr).into_owned();
    fs::write(work.join("log"), &log).map_err(|why| format!("the log: {why}"))?;
    let added = add(&grown, &seeds)?;
    let report = report(root, target, minutes, &log, added, output.status.success());
    print!("{report}");
    let folder = root.join("docs").join("fuzz");
    let written =
        fs::create_dir_all(&folder).and_then(|()| fs::write(folder.join(format!("{target}.md")), report));
    written.map_err(|why| format!("the report: {why}"))?;
    Ok(output.status.success())
}

fn build(root: &Path, target: &str) -> Result<PathBuf, String> {
    let host = "x86_64-unknown-linux-gnu";
    let folder = root.join("target").join("fuzz").join("build");
    let mut command = Command::new("cargo");
    command
        .args(["build", "--release", "--target", host, "--bin", target])
        .current_dir(root.join("fuzz").join("libfuzzer"));
    command.env("RUSTC_BOOTSTRAP", "1").env("RUSTFLAGS", FLAGS).env("CARGO_TARGET_DIR", &folder);
    match command.status() {
        Ok(status) if status.success() => Ok(folder.join(host).join("release").join(target)),
        Ok(_) => Err("the target could not be built".to_owned()),
        Err(why) => Err(format!("cargo did not start: {why}")),
    }
}

/// Copies the smallest of what grew to the corpus of the repository.
fn add(grown: &Path, seeds: &Path) -> Result<usize, String> {
    let wrong = |why: std::io::Error| format!("the corpus: {why}");
    let mut found = Vec::new();
    for entry in fs::read_dir(grown).map_err(wrong)? {
        let entry = entry.map_err(wrong)?;
        found.push((entry.metadata().map_err(wrong)?.len(), entry.path()));
    }
    found.sort();
    let new = found.iter().filter_map(|(_, path)| Some((path, seeds.join(path.file_name()?))));
    let new: Vec<_> = new.filter(|(_, to)| !to.exists()).take(ADDED_MAX).collect();
    for (from, to) in &new {
        fs::copy(from, to).map_err(wrong)?;
    }
    Ok(new.len())
}

/// A number of libFuzzer's final statistics.
fn statistic(log: &str, name: &str) -> String {
    let line =
        log.lines().find_map(|line| line.strip_prefix("stat::")?.strip_prefix(name)?.strip_prefix(':'));
    line.map_or("unknown".to_owned(), |value| value.trim().to_owned())
}

/// The last value of a word in libFuzzer's progress, as `cov: 123`.
fn progress(log: &str, word: &str) -> String {
    let lines = log.lines().rev();
    let mut values =
        lines.filter_map(|line| line.split_once(word)?.1.split_whitespace().next().map(str::to_owned));
    values.next().unwrap_or_else(|| "unknown".to_owned())
}

fn report(root: &Path, target: &str, minutes: u32, log: &str, added: usize, ok: bool) -> String {
    let git = Command::new("git").args(["rev-parse", "--short", "HEAD"]).current_dir(root).output();
    let commit =
        git.map_or("unknown".to_owned(), |out| String::from_utf8_lossy(&out.stdout).trim().to_owned());
    let outcome = if ok { "nothing" } else { "a fault: see target/fuzz and the log there" };
    format!(
        "# Fuzzing: {target}\n\n| what | value |\n| --- | --- |\n| commit | {commit} |\n| asked for | {minutes} min |\n\
         | executions | {} |\n| a second | {} |\n| edges covered | {} |\n| features | {} |\n\
         | inputs added to fuzz/corpus/{target} | {added} |\n| found | {outcome} |\n",
        statistic(log, "number_of_executed_units"),
        statistic(log, "average_exec_per_sec"),
        progress(log, "cov: "),
        progress(log, "ft: "),
    )
}

#[cfg(test)]
mod tests {
    use super::{progress, statistic};

    #[test]
    fn the_numbers_of_a_run_are_read_from_its_log() {
        let log = "#2\tINITED cov: 12 ft: 13 corp: 1/1b\n#90\tDONE   cov: 456 ft: 789 corp: 9/9b\n\
                   stat::number_of_executed_units: 90\nstat::average_exec_per_sec:     45\n";
        assert_eq!((progress(log, "cov: "), progress(log, "ft: ")), ("456".into(), "789".into()));
        assert_eq!(statistic(log, "number_of_executed_units"), "90");
        assert_eq!(statistic(log, "nothing"), "unknown");
    }
}
