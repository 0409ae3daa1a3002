//! Runs whole-switch tests, several at once, each in a network namespace of its own where the rights allow it.
//!
//! The test binary starts itself once per test: a test that hangs or crashes costs only itself, and everything it
//! started goes with its process group.

use crate::fail::Outcome;
use std::collections::VecDeque;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// Longest time one test may take.
const LIMIT: Duration = Duration::from_secs(150);
/// The same for one that is asked for by its whole name.
const ASKED_LIMIT: Duration = Duration::from_secs(2 * 3_600);
/// A test that takes longer is named with its time.
const LONG: Duration = Duration::from_secs(10);
/// Tests at a time: they wait more than they compute.
const AT_ONCE: usize = 4;

/// Set in the environment of a test that has a network namespace of its own.
pub const APART: &str = "CORDBOARD_TEST_APART";

/// One test.
pub struct Test {
    /// Its name, as the requirements map it.
    pub name: &'static str,
    /// What it does, in a folder of its own.
    pub run: fn(&Path) -> Outcome,
    /// How it shares the machine.
    pub sharing: Sharing,
}

/// How a test shares the machine with others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sharing {
    /// With a few others.
    Few,
    /// It waits for most of its time, and takes no turn of the others.
    Beside,
    /// Not at all: loads and timings.
    Alone,
    /// It takes an hour or so, and runs only where its whole name is given.
    Asked,
}

/// A test that shares the machine.
pub const fn test(name: &'static str, run: fn(&Path) -> Outcome) -> Test {
    Test { name, run, sharing: Sharing::Few }
}

/// A test that does little but wait, and long.
pub const fn beside(name: &'static str, run: fn(&Path) -> Outcome) -> Test {
    Test { name, run, sharing: Sharing::Beside }
}

/// A test that has the machine to itself.
pub const fn alone(name: &'static str, run: fn(&Path) -> Outcome) -> Test {
    Test { name, run, sharing: Sharing::Alone }
}

/// A test that takes an hour or so, and runs only where its whole name is given.
pub const fn asked(name: &'static str, run: fn(&Path) -> Outcome) -> Test {
    Test { name, run, sharing: Sharing::Asked }
}

/// The entry point: with `--one NAME DIR` runs that test here, otherwise all whose name holds the filter.
pub fn main(tests: &'static [Test]) -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if let [one, name, dir] = args.as_slice()
        && one == "--one"
    {
        return run_here(tests, name, Path::new(dir));
    }
    if args.iter().any(|arg| arg == "--list") {
        for test in tests {
            println!("{}: test", test.name);
        }
        return ExitCode::SUCCESS;
    }
    let filter = args.iter().find(|arg| !arg.starts_with("--")).cloned().unwrap_or_default();
    let runs = |test: &&Test| match test.sharing {
        Sharing::Asked => test.name == filter,
        _ => test.name.contains(&filter),
    };
    let chosen = |sharing: Sharing| -> Vec<&Test> {
        tests.iter().filter(|test| test.sharing == sharing).filter(runs).collect()
    };
    let (few, beside, alone) = (chosen(Sharing::Few), chosen(Sharing::Beside), chosen(Sharing::Alone));
    let asked = chosen(Sharing::Asked);
    let namespaces = namespaces();
    println!("\nrunning {} tests", few.len() + beside.len() + alone.len() + asked.len());
    if namespaces.is_none() {
        println!("(no rights for network namespaces: one after another on this machine's loopback)");
    }
    let mut failed = if namespaces.is_some() {
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| run_all(beside, 1, namespaces));
            let mut failed = run_all(few, AT_ONCE, namespaces);
            failed.extend(waiting.join().unwrap_or_else(|_| vec!["the tests beside the others"]));
            failed
        })
    } else {
        let mut failed = run_all(few, 1, namespaces);
        failed.extend(run_all(beside, 1, namespaces));
        failed
    };
    failed.extend(run_all(alone, 1, namespaces));
    failed.extend(run_all(asked, 1, namespaces));
    let total = tests.iter().filter(runs).count();
    let word = if failed.is_empty() { "ok" } else { "FAILED" };
    println!(
        "\ntest result: {word}. {} passed; {} failed; 0 ignored; 0 measured; {} filtered out\n",
        total - failed.len(),
        failed.len(),
        tests.len() - total
    );
    if failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn run_here(tests: &[Test], name: &str, dir: &Path) -> ExitCode {
    let Some(test) = tests.iter().find(|test| test.name == name) else {
        eprintln!("no test is called {name}");
        return ExitCode::FAILURE;
    };
    match (test.run)(dir) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            println!("{why}");
            ExitCode::FAILURE
        }
    }
}

/// How to get a namespace for network and mounts here: with the rights there are, or in a user namespace.
fn namespaces() -> Option<&'static [&'static str]> {
    const WAYS: [&[&str]; 2] = [&["-n", "-m"], &["-r", "-n", "-m"]];
    let works = |way: &&&[&str]| {
        let tried = Command::new("unshare").args(**way).args(["ip", "link", "set", "lo", "up"]).output();
        tried.is_ok_and(|output| output.status.success())
    };
    WAYS.iter().find(works).copied()
}

fn run_all(tests: Vec<&'static Test>, workers: usize, namespaces: Option<&[&str]>) -> Vec<&'static str> {
    let queue = Mutex::new(VecDeque::from(tests));
    let failed = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                while let Some(test) = queue.lock().ok().and_then(|mut queue| queue.pop_front()) {
                    let begun = Instant::now();
                    let (ok, text) = run_apart(test, namespaces);
                    let took = begun.elapsed();
                    let word = if ok { "ok" } else { "FAILED" };
                    let mut out = std::io::stdout().lock();
                    // A closed pipe means nobody reads; the exit code still tells.
                    let _ = writeln!(out, "test {} ... {word}", test.name);
                    if took > LONG {
                        let _ = writeln!(out, "(it took {:.1} s)", took.as_secs_f64());
                    }
                    if ok {
                        let _ = write!(out, "{text}");
                    } else {
                        let _ = writeln!(out, "---- {} ----\n{text}", test.name);
                        if let Ok(mut failed) = failed.lock() {
                            failed.push(test.name);
                        }
                    }
                }
            });
        }
    });
    failed.into_inner().unwrap_or_default()
}

fn folder(name: &str) -> PathBuf {
    let safe: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    std::env::temp_dir().join(format!("cordboard-test-{}-{safe}", std::process::id()))
}

/// Runs one test in a process group of its own and ends the whole group afterwards.
fn run_apart(test: &Test, namespaces: Option<&[&str]>) -> (bool, String) {
    let dir = folder(test.name);
    let prepared = std::fs::remove_dir_all(&dir).or(Ok(())).and_then(|()| std::fs::create_dir_all(&dir));
    let Ok(me) = prepared.and_then(|()| std::env::current_exe()) else {
        return (false, format!("cannot make {}", dir.display()));
    };
    let log = dir.join("test.out");
    let mut command = Command::new("setsid");
    command.arg("--wait");
    if let Some(way) = namespaces {
        command.env(APART, "1").arg("unshare").args(way).args([
            "sh",
            "-c",
            "ip link set lo up && exec \"$@\"",
            "sh",
        ]);
    }
    command.arg(me).args(["--one", test.name]).arg(&dir).stdin(Stdio::null());
    let started = std::fs::File::create(&log).and_then(|file| {
        command.stdout(file.try_clone()?).stderr(file);
        command.spawn()
    });
    let Ok(child) = started else {
        return (false, "cannot start the test's process".into());
    };
    let limit = if test.sharing == Sharing::Asked { ASKED_LIMIT } else { LIMIT };
    let (ok, note) = watch(child, limit);
    let text = std::fs::read_to_string(&log).unwrap_or_default();
    if ok {
        // What a passed test leaves is of no use; a failed one's folder is named below.
        let _ = std::fs::remove_dir_all(&dir);
        let told = ["skipped:", "measured:"];
        let told = text.lines().filter(|line| told.iter().any(|word| line.starts_with(word)));
        return (true, told.map(|line| format!("({line})\n")).collect());
    }
    (false, format!("{text}{note}\nits folder: {}", dir.display()))
}

fn watch(mut child: Child, limit: Duration) -> (bool, String) {
    let end = Instant::now() + limit;
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return (status.success(), String::new()),
            Ok(None) if Instant::now() < end => std::thread::sleep(Duration::from_millis(20)),
            _ => {
                // The group is the session that setsid made; its leader is our child or the child's child.
                let group = children_group(child.id());
                let _ = Command::new("kill").args(["-9", "--", &format!("-{group}")]).status();
                let _ = child.kill();
                let _ = child.wait();
                return (false, format!("it took longer than {limit:?}"));
            }
        }
    }
}

/// The process group of the first child of `pid`, or `pid` itself.
fn children_group(pid: u32) -> u32 {
    let listed = Command::new("ps").args(["-o", "pgid=", "--ppid", &pid.to_string()]).output();
    let text = listed.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    text.split_whitespace().next().and_then(|group| group.parse().ok()).unwrap_or(pid)
}
