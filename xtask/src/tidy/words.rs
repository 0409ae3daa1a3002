//! Words that do not belong in the repository: paths of one machine, work left open, and macros that
//! stand where code should. What is open is an issue, with a reader; a remark in the code has none.

use super::tree::{SourceFile, Tree};
use super::{Findings, Options};

/// The file that has to name them.
const THIS_FILE: &str = "xtask/src/tidy/words.rs";

/// In every text file: folders that only one machine has.
const PLACES: &[&str] = &["/work/", "/root/"];
/// In code, its comments too, as whole words.
const OPEN: &[&str] = &["TODO", "FIXME", "XXX"];
/// In Rust, with an exclamation mark.
const MACROS: &[&str] = &["todo", "unimplemented"];
const CODE: &[&str] = &["rs", "ts", "vue", "lua", "js", "mjs", "css", "html", "sh", "sql", "toml", "xml"];

pub(crate) fn check(tree: &Tree, _: &Options, findings: &mut Findings) {
    for file in tree.files.iter().filter(|file| file.path != THIS_FILE) {
        check_text(file, findings);
    }
    for (file, scan) in tree.rust() {
        for pair in scan.tokens().windows(2) {
            let [name, mark] = pair else { continue };
            if mark.text == "!" && MACROS.contains(&name.text.as_str()) {
                findings.add(&file.path, name.line, format!("{}! stands where code should", name.text));
            }
        }
    }
}

fn check_text(file: &SourceFile, findings: &mut Findings) {
    let is_code = CODE.contains(&file.extension());
    for (at, line) in file.text.lines().enumerate() {
        for place in PLACES.iter().filter(|place| has_place(line, place)) {
            findings.add(&file.path, at + 1, format!("a path of one machine: {place}"));
        }
        for word in OPEN.iter().filter(|word| is_code && has_word(line, word)) {
            findings.add(&file.path, at + 1, format!("work left open: {word}"));
        }
    }
}

/// A path that begins there: `net/work/` and `host.example/work/` are others.
fn has_place(line: &str, place: &str) -> bool {
    line.match_indices(place).any(|(at, _)| {
        let before = line.get(..at).and_then(|before| before.chars().next_back());
        before.is_none_or(|c| !c.is_alphanumeric() && !matches!(c, '.' | '_' | '-' | '}' | ')' | '*'))
    })
}

fn has_word(line: &str, word: &str) -> bool {
    let part_of_word = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word).any(|(at, _)| {
        let before = line.get(..at).and_then(|before| before.chars().next_back());
        let after = line.get(at + word.len()..).and_then(|after| after.chars().next());
        !before.is_some_and(part_of_word) && !after.is_some_and(part_of_word)
    })
}

#[cfg(test)]
mod tests {
    use super::{has_place, has_word};

    #[test]
    fn a_place_is_one_only_where_a_path_begins() {
        assert!(has_place("cd /work/main", "/work/"));
        assert!(has_place("\"/root/.cargo\"", "/root/"));
        assert!(!has_place("net/work/x", "/work/"));
        assert!(!has_place("https://host.example/work/x", "/work/"));
    }

    #[test]
    fn a_word_is_one_only_as_a_whole() {
        assert!(has_word("// TODO: later", "TODO"));
        assert!(!has_word("the TODOS of a mastodon", "TODO"));
        assert!(!has_word("1XXX", "XXX"));
    }
}
