//! English numbers: 0 to 19, the tens, hundred, thousand, million, billion; no "and", no hyphen.

const SMALL: [&str; 20] = [
    "en.digits.0",
    "en.digits.1",
    "en.digits.2",
    "en.digits.3",
    "en.digits.4",
    "en.digits.5",
    "en.digits.6",
    "en.digits.7",
    "en.digits.8",
    "en.digits.9",
    "en.digits.10",
    "en.digits.11",
    "en.digits.12",
    "en.digits.13",
    "en.digits.14",
    "en.digits.15",
    "en.digits.16",
    "en.digits.17",
    "en.digits.18",
    "en.digits.19",
];

const TENS: [&str; 10] = [
    "en.digits.0",
    "en.digits.10",
    "en.digits.20",
    "en.digits.30",
    "en.digits.40",
    "en.digits.50",
    "en.digits.60",
    "en.digits.70",
    "en.digits.80",
    "en.digits.90",
];

const GROUPS: [(u64, &str); 3] =
    [(1_000_000_000, "en.digits.billion"), (1_000_000, "en.digits.million"), (1_000, "en.digits.thousand")];

/// The prompts that read `n`, which is at most [`super::NUMBER_MAX`].
pub fn words(n: u64) -> Vec<&'static str> {
    if n == 0 {
        return vec![SMALL[0]];
    }
    let mut list = Vec::new();
    let mut rest = n;
    for (size, word) in GROUPS {
        if rest >= size {
            below_thousand(rest / size, &mut list);
            list.push(word);
            rest %= size;
        }
    }
    below_thousand(rest, &mut list);
    list
}

/// Reads 1 to 999; says nothing for 0.
fn below_thousand(n: u64, list: &mut Vec<&'static str>) {
    let (hundreds, rest) = (n / 100 % 10, n % 100);
    if hundreds > 0 {
        list.push(SMALL[hundreds as usize]);
        list.push("en.digits.hundred");
    }
    if (1..20).contains(&rest) {
        list.push(SMALL[rest as usize]);
    } else if rest >= 20 {
        list.push(TENS[(rest / 10) as usize]);
        if rest % 10 > 0 {
            list.push(SMALL[(rest % 10) as usize]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(n: u64) -> String {
        let short: Vec<&str> = words(n).iter().map(|w| w.trim_start_matches("en.digits.")).collect();
        short.join(" ")
    }

    #[test]
    fn numbers_are_read_as_people_say_them() {
        for (n, want) in [
            (0, "0"),
            (7, "7"),
            (10, "10"),
            (19, "19"),
            (20, "20"),
            (21, "20 1"),
            (99, "90 9"),
            (100, "1 hundred"),
            (101, "1 hundred 1"),
            (110, "1 hundred 10"),
            (999, "9 hundred 90 9"),
            (1_000, "1 thousand"),
            (1_001, "1 thousand 1"),
            (12_345, "12 thousand 3 hundred 40 5"),
            (1_000_000, "1 million"),
            (1_000_010, "1 million 10"),
            (2_000_003_000, "2 billion 3 thousand"),
            (
                999_999_999_999,
                "9 hundred 90 9 billion 9 hundred 90 9 million 9 hundred 90 9 thousand 9 hundred 90 9",
            ),
        ] {
            assert_eq!(read(n), want, "{n}");
        }
    }

    /// Reads the words back: what is said is the number, for every number below ten thousand and a
    /// spread of large ones.
    #[test]
    fn what_is_said_is_the_number() {
        let value = |n: u64| {
            let (mut total, mut group) = (0u64, 0u64);
            for word in words(n) {
                match word.trim_start_matches("en.digits.") {
                    "hundred" => group *= 100,
                    "thousand" => total += core::mem::take(&mut group) * 1_000,
                    "million" => total += core::mem::take(&mut group) * 1_000_000,
                    "billion" => total += core::mem::take(&mut group) * 1_000_000_000,
                    word => group += word.parse::<u64>().unwrap(),
                }
            }
            total + group
        };
        for n in (0..10_000).chain((0..4_000).map(|i| i * 249_999_937 % 1_000_000_000_000)) {
            assert_eq!(value(n), n);
        }
    }
}
