//! A pure crate touches nothing: no socket, file, clock, thread, random number of its own, and none
//! of the libraries that bring these.
//!
//! Test code may read files, because fixtures are files; it may not write them. The simulator's
//! command line (`switch/sim/src/bin`) is a program and not an engine.

use super::house::{folder_of, room};
use super::scan::PathUse;
use super::tree::Tree;
use super::{Findings, Options};

const PROGRAMS: &str = "switch/sim/src/bin/";

/// Names that mean the world wherever they stand, and what part of it.
const NAMES: &[(&str, &str)] = &[
    ("UdpSocket", "a socket"),
    ("TcpStream", "a socket"),
    ("TcpListener", "a socket"),
    ("UnixStream", "a socket"),
    ("UnixListener", "a socket"),
    ("UnixDatagram", "a socket"),
    ("ToSocketAddrs", "a name server"),
    ("Instant", "a clock"),
    ("SystemTime", "a clock"),
    ("OpenOptions", "a file"),
    ("ThreadRng", "a thread RNG"),
    ("thread_rng", "a thread RNG"),
    ("OsRng", "a random number of its own"),
    ("SysRng", "a random number of its own"),
    ("from_os_rng", "a random number of its own"),
    ("from_entropy", "a random number of its own"),
    ("getrandom", "a random number of its own"),
    ("RandomState", "a random number of its own"),
    ("thread_local", "a thread"),
];

/// Beginnings of paths, and what part of the world they are.
const PATHS: &[(&[&str], &str)] = &[
    (&["std", "fs"], "a file"),
    (&["std", "thread"], "a thread"),
    (&["std", "process"], "a process"),
    (&["std", "env"], "the environment"),
    (&["std", "io", "stdin"], "a file"),
    (&["std", "io", "stdout"], "a file"),
    (&["std", "io", "stderr"], "a file"),
    (&["std", "os"], "the operating system"),
    (&["std", "sync", "mpsc"], "a thread"),
    (&["std", "sync", "Mutex"], "a lock"),
    (&["std", "sync", "RwLock"], "a lock"),
    (&["std", "sync", "Condvar"], "a lock"),
    (&["rand", "rng"], "a thread RNG"),
    (&["rand", "random"], "a thread RNG"),
    (&["libc"], "the operating system"),
    (&["tokio"], "an async runtime"),
    (&["async_std"], "an async runtime"),
    (&["mio"], "a socket"),
    (&["socket2"], "a socket"),
    (&["axum"], "an HTTP server"),
    (&["hyper"], "an HTTP server"),
    (&["sqlx"], "a database"),
    (&["dashmap"], "shared state"),
    (&["parking_lot"], "a lock"),
    (&["rayon"], "a thread"),
];

/// What test code may use of the above: reading its fixtures, and where they are; saying aloud that an outside fixture
/// is missing; a lock in a plugin of its own, since plugins are shared.
const TESTS_MAY: &[&[&str]] = &[
    &["std", "fs"],
    &["std", "env"],
    &["std", "process"],
    &["std", "io", "stderr"],
    &["std", "sync", "Mutex"],
];
/// Names that test code may use: an allocator that counts per thread.
const TESTS_MAY_NAME: &[&str] = &["thread_local"];
/// And never: tests that leave something behind.
const NOBODY_MAY: &[&str] =
    &["write", "create_dir", "create_dir_all", "remove_file", "remove_dir_all", "rename", "copy"];

/// Where a library counts in `Instant`: it may be handed on there, and not read. Tests need one to begin with.
const INSTANTS: &str = "switch/media/src/dtls";
const INSTANTS_OF_TESTS: &str = "switch/media/";

/// Whether this is a moment that was given, and no look at the clock.
fn is_given(file: &str, path: &PathUse, in_test: bool) -> bool {
    let has = |name: &str| path.parts.iter().any(|part| part == name);
    let place = if in_test { INSTANTS_OF_TESTS } else { INSTANTS };
    has("Instant") && file.starts_with(place) && (in_test || !has("now"))
}

pub(crate) fn check(tree: &Tree, _: &Options, findings: &mut Findings) {
    for (file, scan) in tree.rust() {
        let pure = folder_of(&file.path).and_then(room).is_some_and(|room| room.pure);
        if !pure || file.path.starts_with(PROGRAMS) {
            continue;
        }
        for path in scan.paths() {
            let in_test = file.is_test || scan.path_is_test(&path);
            if is_given(&file.path, &path, in_test) {
                continue;
            }
            if let Some((name, what)) = touched(&path, in_test) {
                findings.add(&file.path, path.line, format!("a pure crate touches {what}: {name}"));
            }
        }
    }
    check_manifests(tree, findings);
}

fn touched(path: &PathUse, in_test: bool) -> Option<(String, &'static str)> {
    let named = |name: &str| path.parts.iter().any(|part| part == name);
    let allowed = |name: &str| in_test && TESTS_MAY_NAME.contains(&name);
    if let Some((name, what)) = NAMES.iter().find(|(name, _)| named(name) && !allowed(name)) {
        return Some(((*name).to_owned(), what));
    }
    let parts: Vec<&str> = path.parts.iter().map(String::as_str).collect();
    if in_test && writes(&parts) {
        return Some((parts.join("::"), "a file, writing"));
    }
    let first = parts.first()?;
    if *first == "crossbeam" || first.starts_with("crossbeam_") {
        return Some((parts.join("::"), "another thread's queue"));
    }
    let (begins, what) = PATHS.iter().find(|(begins, _)| parts.starts_with(begins))?;
    if in_test && TESTS_MAY.contains(begins) {
        return None;
    }
    Some((parts.join("::"), what))
}

/// `fs::write` and its like, with or without `std` before it.
fn writes(parts: &[&str]) -> bool {
    let file_call = |pair: &[&str]| match pair {
        ["fs", call] => NOBODY_MAY.contains(call),
        ["File", call] => *call == "create",
        _ => false,
    };
    parts.windows(2).any(file_call)
}

/// A pure crate does not even depend on the libraries that touch the world.
fn check_manifests(tree: &Tree, findings: &mut Findings) {
    for file in tree.files.iter().filter(|file| file.path.ends_with("/Cargo.toml")) {
        let folder = file.path.trim_end_matches("/Cargo.toml");
        if !room(folder).is_some_and(|room| room.pure) {
            continue;
        }
        for (at, line) in file.text.lines().enumerate() {
            let key = line.split(['.', '=', ' ']).next().unwrap_or_default().replace('-', "_");
            let known = PATHS.iter().find(|(begins, _)| *begins == [key.as_str()]).map(|(_, what)| *what);
            let what = if key.starts_with("crossbeam") { Some("another thread's queue") } else { known };
            if let Some(what) = what {
                findings.add(&file.path, at + 1, format!("a pure crate depends on {what}: {key}"));
            }
        }
    }
}
