//! Messages printed in RFCs: parsed, printed and parsed again they are the same.
//! They lie beside the repository; without them the tests say that they were skipped.

use cordboard_sip::wire::parse_datagram;
use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// A folder of the corpora beside the repository, if it is there.
pub fn corpus(name: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpora").join(name);
    if path.is_dir() {
        return Some(path);
    }
    // past the capture of the test runner, so that a skipped test does not look like a passed one
    let note = format!("SKIPPED: {} is not there\n", path.display());
    std::io::stderr().write_all(note.as_bytes()).unwrap();
    None
}

/// Every file below `dir` that ends with `.sip`, in order.
pub fn messages(dir: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(messages(&path));
        } else if path.extension().is_some_and(|extension| extension == "sip") {
            let data = std::fs::read(&path).unwrap();
            found.push((path, data));
        }
    }
    found.sort();
    found
}

/// Messages that the RFCs print with a fitting Content-Length and damage to their header lines:
/// a caption or comment taken for a header, a fold without its blank, `<allOneLine>` marks, a
/// URI without its scheme, a stray `;` or `>`, a backslash fold, a From that was left out.
const DAMAGED_IN_PRINT: &[(&str, &str)] = &[
    ("rfc3261/016.sip", "Malformed Header Line"),
    ("rfc3665/020.sip", "Malformed Header Line"),
    ("rfc3665/036.sip", "Malformed Header Line"),
    ("rfc3665/041.sip", "Malformed Header Line"),
    ("rfc3665/116.sip", "Malformed Header Line"),
    ("rfc3665/131.sip", "Malformed Header Line"),
    ("rfc3665/137.sip", "Malformed Header Line"),
    ("rfc3665/143.sip", "Malformed Header Line"),
    ("rfc3665/152.sip", "Malformed Header Line"),
    ("rfc3665/153.sip", "Malformed Header Line"),
    ("rfc3665/154.sip", "Malformed Header Line"),
    ("rfc3665/167.sip", "Malformed Header Line"),
    ("rfc3666/017.sip", "Malformed Header Line"),
    ("rfc3666/021.sip", "Malformed Header Line"),
    ("rfc3666/029.sip", "Malformed Header Line"),
    ("rfc3666/030.sip", "Malformed To"),
    ("rfc3666/036.sip", "Malformed Route"),
    ("rfc3666/038.sip", "Malformed Route"),
    ("rfc3666/100.sip", "Malformed Request-URI"),
    ("rfc3666/101.sip", "Malformed Request-URI"),
    ("rfc3666/114.sip", "Malformed Header Line"),
    ("rfc3666/116.sip", "Missing From"),
    ("rfc3666/119.sip", "Malformed Header Line"),
    ("rfc3666/120.sip", "Malformed Request-URI"),
    ("rfc3666/124.sip", "Malformed Request-URI"),
    ("rfc3666/125.sip", "Malformed Request-URI"),
    ("rfc3666/163.sip", "Malformed Header Line"),
    ("rfc5359/033.sip", "Malformed Header Line"),
    ("rfc5359/176.sip", "Malformed Header Line"),
    ("rfc5359/235.sip", "Malformed Header Line"),
    ("rfc5359/294.sip", "Malformed Header Line"),
    ("rfc5359/297.sip", "Malformed Header Line"),
    ("rfc5407/002.sip", "Malformed Header Line"),
    ("rfc5407/011.sip", "Malformed Header Line"),
    ("rfc5589/003.sip", "Malformed Header Line"),
    ("rfc5589/009.sip", "Malformed Header Line"),
    ("rfc5589/016.sip", "Malformed Header Line"),
    ("rfc5589/021.sip", "Malformed Header Line"),
    ("rfc5589/025.sip", "Malformed Header Line"),
    ("rfc5589/030.sip", "Malformed Header Line"),
    ("rfc5589/032.sip", "Malformed Header Line"),
    ("rfc5626/001.sip", "Malformed Contact"),
    ("rfc5626/002.sip", "Malformed Header Line"),
    ("rfc5627/002.sip", "Malformed Header Line"),
    ("rfc5627/004.sip", "Malformed Header Line"),
    ("rfc5627/005.sip", "Malformed Header Line"),
    ("rfc5627/006.sip", "Malformed Header Line"),
    ("rfc7131/005.sip", "Malformed Header Line"),
    ("rfc7131/053.sip", "Malformed Contact"),
];

/// The files whose Content-Length is a number and is the body's length.
fn fitting(dir: &Path) -> BTreeSet<String> {
    let index = std::fs::read_to_string(dir.join("index.json")).unwrap();
    let index: serde_json::Value = serde_json::from_str(&index).unwrap();
    let entries = index.as_array().unwrap().iter();
    entries
        .filter(|entry| entry["content_length"].as_str() == Some(&entry["body_bytes"].to_string()))
        .map(|entry| entry["file"].as_str().unwrap().to_owned())
        .collect()
}

/// The message without its Content-Length, so that all that follows is body.
fn without_length(data: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(data);
    let keep = |line: &&str| !line.to_ascii_lowercase().starts_with("content-length");
    text.split_inclusive("\r\n").filter(keep).collect::<String>().into_bytes()
}

fn assert_same_after_printing(name: &str, data: &[u8]) -> Result<(), String> {
    let message = parse_datagram(data).map_err(|error| error.kind.to_string())?;
    assert_eq!(parse_datagram(&message.to_bytes()).as_ref(), Ok(&message), "{name}");
    Ok(())
}

#[test]
fn rfc_flows_parse_print_and_parse_to_the_same() {
    let Some(dir) = corpus("rfc-flows") else {
        return;
    };
    let all = messages(&dir);
    let fitting = fitting(&dir);
    assert_eq!((all.len(), fitting.len()), (868, 540));
    let (mut read, mut refused) = (0, Vec::new());
    for (path, data) in &all {
        let name = path.strip_prefix(&dir).unwrap().to_str().unwrap().to_owned();
        if fitting.contains(&name) {
            match assert_same_after_printing(&name, data) {
                Ok(()) => read += 1,
                Err(why) => refused.push((name, why)),
            }
        }
    }
    let refused: Vec<_> = refused.iter().map(|(name, why)| (name.as_str(), why.as_str())).collect();
    assert_eq!(refused, DAMAGED_IN_PRINT);
    assert_eq!(read + refused.len(), fitting.len());
}

/// The others have "..." or a wrong number for their length; without it most can be read.
#[test]
fn rfc_flows_with_unfit_lengths_are_refused_or_read_without_them() {
    let Some(dir) = corpus("rfc-flows") else {
        return;
    };
    let fitting = fitting(&dir);
    let (mut read, mut refused) = (0, 0);
    for (path, data) in messages(&dir) {
        let name = path.strip_prefix(&dir).unwrap().to_str().unwrap().to_owned();
        if !fitting.contains(&name) {
            match assert_same_after_printing(&name, &without_length(&data)) {
                Ok(()) => read += 1,
                Err(why) => {
                    println!("refused {name}: {why}");
                    refused += 1;
                }
            }
        }
    }
    println!("{read} read, {refused} refused");
    // every refusal was looked at: captions, marks and backslash folds of the printed text
    assert_eq!((read, refused), (222, 106));
}
