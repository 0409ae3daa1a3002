//! The options of a load driver: `--NAME NUMBER`, `--against NAME`, `--binary PATH`, and flags.

use std::path::PathBuf;

/// The flag that a name follows: with whom to compare.
pub(super) const AGAINST: &str = "--against";

/// The flag that a path follows: the switch that is loaded, in place of one that is built here. Every driver takes it.
const BINARY: &str = "--binary";

/// What was asked for.
pub(super) struct Options<'a> {
    arguments: &'a [String],
}

impl<'a> Options<'a> {
    /// Refuses what is in neither list.
    pub(super) fn new(arguments: &'a [String], numbers: &[&str], flags: &[&str]) -> Result<Self, String> {
        let mut rest = arguments.iter();
        while let Some(name) = rest.next() {
            if name == AGAINST && flags.contains(&AGAINST) {
                match rest.next().map(String::as_str) {
                    Some("kamailio" | "rtpengine") => continue,
                    _ => return Err(format!("{AGAINST} takes a name; kamailio and rtpengine are known")),
                }
            }
            if name == BINARY {
                match rest.next() {
                    Some(_) => continue,
                    None => return Err(format!("{BINARY} takes the path of a switch")),
                }
            }
            if flags.contains(&name.as_str()) {
                continue;
            }
            if !numbers.contains(&name.as_str()) {
                return Err(format!("no option {name:?}"));
            }
            let value = rest.next().map(|value| value.parse::<u32>());
            if !matches!(value, Some(Ok(1..))) {
                return Err(format!("{name} takes a whole number from 1"));
            }
        }
        Ok(Self { arguments })
    }

    pub(super) fn flag(&self, name: &str) -> bool {
        self.arguments.iter().any(|argument| argument == name)
    }

    /// The switch to be loaded, if it is not to be built.
    pub(super) fn binary(&self) -> Option<PathBuf> {
        let mut pairs = self.arguments.windows(2);
        pairs.find_map(|pair| match pair {
            [key, value] if key == BINARY => Some(PathBuf::from(value)),
            _ => None,
        })
    }

    pub(super) fn number(&self, name: &str, default: u32) -> u32 {
        let mut pairs = self.arguments.windows(2);
        let found = pairs.find_map(|pair| match pair {
            [key, value] if key == name => value.parse().ok(),
            _ => None,
        });
        found.unwrap_or(default)
    }
}

#[cfg(test)]
mod tests {
    use super::Options;

    fn words(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn a_number_is_read_and_a_missing_one_has_its_default() {
        let given = words("--no-build --rate 300");
        let options = Options::new(&given, &["--rate", "--seconds"], &["--no-build"]);
        let options =
            options.map(|o| (o.number("--rate", 1), o.number("--seconds", 40), o.flag("--no-build")));
        assert_eq!(options, Ok((300, 40, true)));
    }

    #[test]
    fn what_is_not_known_or_not_a_number_is_refused() {
        assert!(Options::new(&words("--against kamailio --rate 9"), &["--rate"], &["--against"]).is_ok());
        assert!(Options::new(&words("--against nobody"), &["--rate"], &["--against"]).is_err());
        let given = words("--binary /tmp/switch --rate 3");
        let options = Options::new(&given, &["--rate"], &[]);
        let read = options.map(|options| (options.binary(), options.number("--rate", 1)));
        assert_eq!(read, Ok((Some("/tmp/switch".into()), 3)));
        for text in ["--binary", "--rat 300", "--rate", "--rate 0", "--rate many", "--against kamailio"] {
            assert!(Options::new(&words(text), &["--rate"], &[]).is_err(), "{text}");
        }
    }
}
