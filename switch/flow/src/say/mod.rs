//! Numbers as lists of prompts. Pure: a language and a number in, asset names out.
//!
//! The names are those of the prompts that ship in `ivr-flows/prompts`; a tenant that wants another
//! voice puts other files under the same names.

pub mod en;
pub mod zh;

use cordboard_model::id::Name;

/// The largest number that can be said.
pub const NUMBER_MAX: u64 = 999_999_999_999;

/// A language that numbers can be read in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lang {
    /// English, without "and".
    En,
    /// Chinese (Mandarin).
    Zh,
}

impl Lang {
    /// Every language.
    pub const ALL: [Lang; 2] = [Lang::En, Lang::Zh];

    /// Reads `en` or `zh`.
    pub fn new(text: &str) -> Option<Lang> {
        Lang::ALL.into_iter().find(|lang| lang.as_str() == text)
    }

    /// The word the configuration uses.
    pub fn as_str(self) -> &'static str {
        match self {
            Lang::En => "en",
            Lang::Zh => "zh",
        }
    }
}

/// The prompts that read `n`; none if it is above [`NUMBER_MAX`].
pub fn number(lang: Lang, n: u64) -> Vec<Name> {
    if n > NUMBER_MAX {
        return Vec::new();
    }
    let words = match lang {
        Lang::En => en::words(n),
        Lang::Zh => zh::words(n),
    };
    names(words)
}

/// The prompts that tell a waiting caller his place: "you are number", the number, "in the queue".
pub fn queue_position(lang: Lang, place: u64) -> Vec<Name> {
    let (before, after) = match lang {
        Lang::En => ("en.queue.you-are-number", "en.queue.in-line"),
        Lang::Zh => ("zh.queue.you-are-number", "zh.queue.in-line"),
    };
    let mut list = names(vec![before]);
    list.extend(number(lang, place));
    list.extend(names(vec![after]));
    list
}

fn names(words: Vec<&'static str>) -> Vec<Name> {
    words.into_iter().filter_map(|word| Name::new(word).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_a_valid_asset_name() {
        for lang in Lang::ALL {
            for n in [0, 7, 10, 19, 20, 90, 100, 2_000, 20_000, 123_456_789_012, NUMBER_MAX] {
                let words = match lang {
                    Lang::En => en::words(n),
                    Lang::Zh => zh::words(n),
                };
                assert_eq!(number(lang, n).len(), words.len(), "{lang:?} {n}");
            }
        }
    }

    #[test]
    fn a_number_too_large_to_say_gives_nothing() {
        assert!(number(Lang::En, NUMBER_MAX + 1).is_empty());
    }

    #[test]
    fn the_place_in_the_queue_is_framed_by_two_phrases() {
        let list: Vec<String> = queue_position(Lang::Zh, 12).iter().map(Name::to_string).collect();
        assert_eq!(list, ["zh.queue.you-are-number", "zh.10", "zh.2", "zh.queue.in-line"]);
    }
}
