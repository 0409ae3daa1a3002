//! Amounts of money as lists of prompts, by the currency's own units.
//!
//! English: "twelve euros and fifty cents". Chinese: 十二元五角, 十二元零五分; other currencies as 十二欧元五十欧分.

use super::{Lang, NUMBER_MAX, en, zh};

/// A currency that can be said.
#[derive(Debug)]
pub struct Currency {
    /// As ISO 4217 writes it.
    pub code: &'static str,
    /// Digits of the minor unit.
    digits: usize,
    /// One, and several, of the unit and of its minor unit.
    en: [&'static str; 4],
    zh: Chinese,
}

#[derive(Debug)]
enum Chinese {
    /// Yuan, jiao and fen, or those of another dollar that is counted so.
    Tenths(&'static str),
    /// The unit and its minor unit.
    Units(&'static str, &'static str),
}

const CENTS: [&str; 2] = ["en.money.cent", "en.money.cents"];

const fn of(one: &'static str, many: &'static str, minor: [&'static str; 2]) -> [&'static str; 4] {
    [one, many, minor[0], minor[1]]
}

/// Every currency that can be said.
pub const CURRENCIES: [Currency; 9] = [
    Currency {
        code: "EUR",
        digits: 2,
        en: of("en.money.euro", "en.money.euros", CENTS),
        zh: Chinese::Units("zh.money.eur", "zh.money.euro-cent"),
    },
    Currency {
        code: "USD",
        digits: 2,
        en: of("en.money.dollar", "en.money.dollars", CENTS),
        zh: Chinese::Units("zh.money.usd", "zh.money.us-cent"),
    },
    Currency {
        code: "GBP",
        digits: 2,
        en: of("en.money.pound", "en.money.pounds", ["en.money.penny", "en.money.pence"]),
        zh: Chinese::Units("zh.money.gbp", "zh.money.penny"),
    },
    Currency {
        code: "CHF",
        digits: 2,
        en: of("en.money.franc", "en.money.francs", ["en.money.centime", "en.money.centimes"]),
        zh: Chinese::Units("zh.money.chf", "zh.money.centime"),
    },
    Currency {
        code: "CNY",
        digits: 2,
        en: of("en.money.yuan", "en.money.yuan", ["en.money.fen", "en.money.fen"]),
        zh: Chinese::Tenths("zh.money.yuan"),
    },
    Currency {
        code: "HKD",
        digits: 2,
        en: of("en.money.hong-kong-dollar", "en.money.hong-kong-dollars", CENTS),
        zh: Chinese::Tenths("zh.money.hkd"),
    },
    Currency {
        code: "JPY",
        digits: 0,
        en: of("en.money.yen", "en.money.yen", CENTS),
        zh: Chinese::Units("zh.money.jpy", ""),
    },
    Currency {
        code: "KRW",
        digits: 0,
        en: of("en.money.won", "en.money.won", CENTS),
        zh: Chinese::Units("zh.money.krw", ""),
    },
    Currency {
        code: "KWD",
        digits: 3,
        en: of("en.money.dinar", "en.money.dinars", ["en.money.fils", "en.money.fils"]),
        zh: Chinese::Units("zh.money.kwd", "zh.money.fils"),
    },
];

/// An amount in minor units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Amount {
    minus: bool,
    major: u64,
    minor: u64,
}

impl Currency {
    /// The currency of this code.
    pub fn new(code: &str) -> Option<&'static Currency> {
        CURRENCIES.iter().find(|currency| currency.code == code)
    }

    /// Reads `12.5`, `-0.05`; no digit may be lost that counts. Above [`NUMBER_MAX`] nothing can be said.
    pub fn read(&self, text: &str) -> Option<Amount> {
        let (minus, text) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (major, minor) = text.split_once('.').unwrap_or((text, "0"));
        let digits =
            |text: &str| !text.is_empty() && text.len() <= 32 && text.bytes().all(|b| b.is_ascii_digit());
        if !digits(major) || !digits(minor) {
            return None;
        }
        let kept = minor.trim_end_matches('0');
        if kept.len() > self.digits {
            return None;
        }
        let major = major.parse().ok().filter(|major| *major <= NUMBER_MAX)?;
        let scale = 10_u64.pow(u32::try_from(self.digits - kept.len()).unwrap_or_default());
        let minor = if kept.is_empty() { 0 } else { kept.parse::<u64>().ok()? * scale };
        Some(Amount { minus: minus && (major, minor) != (0, 0), major, minor })
    }
}

/// The prompts that read an amount.
pub fn money(lang: Lang, currency: &Currency, amount: Amount) -> Vec<&'static str> {
    let mut list = Vec::new();
    match lang {
        Lang::En => {
            list.extend(amount.minus.then_some("en.minus"));
            in_english(currency, amount, &mut list);
        }
        Lang::Zh => {
            list.extend(amount.minus.then_some("zh.minus"));
            in_chinese(currency, amount, &mut list);
        }
    }
    list
}

fn in_english(currency: &Currency, Amount { major, minor, .. }: Amount, list: &mut Vec<&'static str>) {
    let [one, many, minor_one, minor_many] = currency.en;
    if major > 0 || minor == 0 {
        list.extend(en::words(major));
        list.push(if major == 1 { one } else { many });
    }
    if minor > 0 {
        list.extend((major > 0).then_some("en.and"));
        list.extend(en::words(minor));
        list.push(if minor == 1 { minor_one } else { minor_many });
    }
}

fn in_chinese(currency: &Currency, Amount { major, minor, .. }: Amount, list: &mut Vec<&'static str>) {
    let (Chinese::Tenths(unit) | Chinese::Units(unit, _)) = currency.zh;
    if major > 0 || minor == 0 {
        counted(major, list);
        list.push(unit);
    }
    match currency.zh {
        _ if minor == 0 => {}
        Chinese::Units(_, small) => {
            counted(minor, list);
            list.push(small);
        }
        Chinese::Tenths(_) => {
            let (jiao, fen) = (minor / 10, minor % 10);
            if jiao > 0 {
                counted(jiao, list);
                list.push("zh.money.jiao");
            } else if major > 0 {
                list.push(zh::DIGITS[0]);
            }
            if fen > 0 {
                counted(fen, list);
                list.push("zh.money.fen");
            }
        }
    }
}

/// A number before what it counts: a two by itself is 两.
fn counted(n: u64, list: &mut Vec<&'static str>) {
    match n {
        2 => list.push("zh.liang"),
        n => list.extend(zh::words(n)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(lang: Lang, code: &str, text: &str) -> String {
        let currency = Currency::new(code).unwrap();
        let list = money(lang, currency, currency.read(text).unwrap());
        let word = |name: &&str| {
            name.replace("en.", "").replace("zh.", "").replace("digits.", "").replace("money.", "")
        };
        list.iter().map(word).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn english_amounts() {
        for (code, text, wanted) in [
            ("EUR", "0", "0 euros"),
            ("EUR", "1", "1 euro"),
            ("EUR", "1.01", "1 euro and 1 cent"),
            ("EUR", "12.5", "12 euros and 50 cents"),
            ("EUR", "0.05", "5 cents"),
            ("EUR", "-3.10", "minus 3 euros and 10 cents"),
            ("EUR", "-0.00", "0 euros"),
            ("USD", "1000000", "1 million dollars"),
            ("GBP", "2.01", "2 pounds and 1 penny"),
            ("GBP", "0.99", "90 9 pence"),
            ("CHF", "20.20", "20 francs and 20 centimes"),
            ("JPY", "1500", "1 thousand 5 hundred yen"),
            ("JPY", "1500.00", "1 thousand 5 hundred yen"),
            ("KWD", "1.005", "1 dinar and 5 fils"),
            ("KWD", "3.25", "3 dinars and 2 hundred 50 fils"),
            ("CNY", "12.34", "12 yuan and 30 4 fen"),
            ("HKD", "8.80", "8 hong-kong-dollars and 80 cents"),
        ] {
            assert_eq!(said(Lang::En, code, text), wanted, "{code} {text}");
        }
    }

    #[test]
    fn chinese_amounts_with_yuan_jiao_and_fen() {
        for (code, text, wanted) in [
            ("CNY", "0", "0 yuan"),
            ("CNY", "2", "liang yuan"),
            ("CNY", "12", "10 2 yuan"),
            ("CNY", "12.50", "10 2 yuan 5 jiao"),
            ("CNY", "12.34", "10 2 yuan 3 jiao 4 fen"),
            ("CNY", "12.05", "10 2 yuan 0 5 fen"),
            ("CNY", "0.05", "5 fen"),
            ("CNY", "0.50", "5 jiao"),
            ("CNY", "2.22", "liang yuan liang jiao liang fen"),
            ("CNY", "200.10", "liang 100 yuan 1 jiao"),
            ("CNY", "-100.01", "minus 1 100 yuan 0 1 fen"),
            ("CNY", "100000000", "1 100000000 yuan"),
            ("HKD", "8.80", "8 hkd 8 jiao"),
            ("EUR", "12.50", "10 2 eur 5 10 euro-cent"),
            ("USD", "0.02", "liang us-cent"),
            ("JPY", "10000", "1 10000 jpy"),
            ("KWD", "1.005", "1 kwd 5 fils"),
        ] {
            assert_eq!(said(Lang::Zh, code, text), wanted, "{code} {text}");
        }
    }

    #[test]
    fn what_is_no_amount_of_the_currency_is_refused() {
        let read = |code: &str, text: &str| Currency::new(code).unwrap().read(text);
        for (code, text) in [
            ("EUR", ""),
            ("EUR", "1,5"),
            ("EUR", "1."),
            ("EUR", ".5"),
            ("EUR", "1.001"),
            ("EUR", "--1"),
            ("EUR", "1e3"),
            ("JPY", "1.5"),
            ("EUR", "1000000000000"),
        ] {
            assert_eq!(read(code, text), None, "{code} {text}");
        }
        assert_eq!(read("EUR", "1.500"), read("EUR", "1.5"));
        assert!(Currency::new("QQQ").is_none());
    }
}
