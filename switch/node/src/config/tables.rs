//! The folder of tables: every CSV file below it (RFC 4180, UTF-8) is a table that flows look things up in. Its first line has
//! the names of the columns, and the first cell of every other line is the key of its row.

use super::assets::Folder;
use super::error::Problem;
use super::section::Section;
use super::shown;
use super::value::some_text;
use cordboard_model::id::Name;
use cordboard_model::lookup::{CELL_MAX, COLUMNS_MAX, KEY_MAX, LookupTable, ROWS_MAX};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

const FOLDER: Folder = Folder { kind: "table folder", thing: "table", endings: &["csv"], most: 1_000 };
/// Largest file, bytes.
const FILE_MAX: u64 = 32 << 20;

/// Reads them.
pub(super) fn read(section: &Section<'_>, base: &Path) -> BTreeMap<Name, Arc<LookupTable>> {
    let Some(at) = section.opt("tables", some_text) else {
        return BTreeMap::new();
    };
    let report = section.report();
    let files = FOLDER.read(report, at.pos, &base.join(at.value)).unwrap_or_default();
    let mut tables = BTreeMap::new();
    for (name, path) in files {
        let file = shown(&path);
        match contents(&path) {
            Err(why) => report.error(at.pos, Problem::File { kind: "table", path: file, why }),
            Ok(bytes) => match parse(&file, &bytes) {
                Ok(table) => {
                    tables.insert(name, Arc::new(table));
                }
                Err((line, why)) => report.error_in(file, line, 1, Problem::Table(why)),
            },
        }
    }
    tables
}

fn contents(path: &Path) -> Result<Vec<u8>, String> {
    let size = std::fs::metadata(path).map_err(|e| e.to_string())?.len();
    if size > FILE_MAX {
        return Err(format!("{size} bytes; at most {FILE_MAX} are taken"));
    }
    std::fs::read(path).map_err(|e| e.to_string())
}

/// A table, or the line and what is wrong with it.
fn parse(file: &str, bytes: &[u8]) -> Result<LookupTable, (u32, String)> {
    // What some programs begin such a file with.
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut reader = csv::ReaderBuilder::new().flexible(true).has_headers(false).from_reader(bytes);
    let mut table = LookupTable { file: file.to_owned(), ..LookupTable::default() };
    for record in reader.records() {
        let record = record.map_err(|error| {
            let line = error.position().map_or(1, csv::Position::line);
            let why = match error.kind() {
                csv::ErrorKind::Utf8 { .. } => "it is not UTF-8".to_owned(),
                _ => error.to_string(),
            };
            (u32::try_from(line).unwrap_or(u32::MAX), why)
        })?;
        let line = record.position().map_or(1, csv::Position::line);
        let cells: Vec<String> = record.iter().map(|cell| cell.trim().to_owned()).collect();
        take(&mut table, cells).map_err(|why| (u32::try_from(line).unwrap_or(u32::MAX), why))?;
    }
    match table.columns.is_empty() {
        true => Err((1, "expected the names of the columns in the first line".to_owned())),
        false => Ok(table),
    }
}

fn take(table: &mut LookupTable, mut cells: Vec<String>) -> Result<(), String> {
    if table.columns.is_empty() {
        let twice = cells.iter().enumerate().find(|(at, name)| cells[..*at].contains(name));
        return match (cells.len(), twice) {
            (n, _) if n > COLUMNS_MAX => Err(format!("{n} columns; at most {COLUMNS_MAX} are taken")),
            (_, Some((_, name))) => Err(format!("the column {name:?} is there twice")),
            _ if cells.iter().any(|name| name.is_empty() || name.len() > KEY_MAX) => {
                Err(format!("the name of a column has 1 to {KEY_MAX} bytes"))
            }
            _ => {
                table.columns = cells;
                Ok(())
            }
        };
    }
    if cells.len() != table.columns.len() {
        return Err(format!("{} cells, and there are {} columns", cells.len(), table.columns.len()));
    }
    if let Some(long) = cells.iter().find(|cell| cell.len() > CELL_MAX) {
        return Err(format!("a cell of {} bytes; at most {CELL_MAX} are taken", long.len()));
    }
    let key = cells.remove(0);
    if key.is_empty() || key.len() > KEY_MAX {
        return Err(format!("a key has 1 to {KEY_MAX} bytes"));
    }
    if table.rows.len() >= ROWS_MAX {
        return Err(format!("more than {ROWS_MAX} rows"));
    }
    match table.rows.insert(key.clone(), cells) {
        None => Ok(()),
        Some(_) => Err(format!("the key {key:?} is there twice")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_read_as_rfc_4180_writes_it() {
        let text = "\u{feff}number,name,note\r\n4930,\"Lovelace, Ada\",\"says \"\"hello\"\"\r\ntwice\"\r\n8610, Li ,\r\n";
        let table = parse("vip.csv", text.as_bytes()).unwrap();
        assert_eq!(table.columns, ["number", "name", "note"]);
        assert_eq!(table.rows["4930"], ["Lovelace, Ada", "says \"hello\"\r\ntwice"]);
        assert_eq!(table.rows["8610"], ["Li", ""]);
        assert_eq!(parse("vip.csv", b"number,name\n").unwrap().rows.len(), 0);
    }

    #[test]
    fn what_is_wrong_with_a_table_has_its_line() {
        let wrong = |text: &str| parse("vip.csv", text.as_bytes()).unwrap_err();
        assert_eq!(wrong("a,b\n1,2\n1,3\n"), (3, "the key \"1\" is there twice".into()));
        assert_eq!(wrong("a,b\n1,2\n3\n"), (3, "1 cells, and there are 2 columns".into()));
        assert_eq!(wrong("a,a\n"), (1, "the column \"a\" is there twice".into()));
        assert_eq!(wrong("a,\n"), (1, "the name of a column has 1 to 128 bytes".into()));
        assert_eq!(wrong("a,b\n,2\n"), (2, "a key has 1 to 128 bytes".into()));
        assert_eq!(wrong(""), (1, "expected the names of the columns in the first line".into()));
        assert_eq!(parse("x", b"a,b\n1,\xff\n").unwrap_err(), (2, "it is not UTF-8".into()));
        let long = format!("a,b\n1,{}\n", "x".repeat(1_025));
        assert_eq!(wrong(&long), (2, "a cell of 1025 bytes; at most 1024 are taken".into()));
        let mut many = String::from("a\n");
        for n in 0..=ROWS_MAX {
            many.push_str(&format!("{n}\n"));
        }
        assert_eq!(wrong(&many), (100_002, "more than 100000 rows".into()));
    }
}
