//! Chinese numbers: groups of four digits with 万 and 亿, one 零 for any run of zeros inside, 两 for a
//! two that counts hundreds, thousands, or a whole 万 or 亿, and 十 without 一 at the very beginning.

pub(super) const DIGITS: [&str; 10] =
    ["zh.0", "zh.1", "zh.2", "zh.3", "zh.4", "zh.5", "zh.6", "zh.7", "zh.8", "zh.9"];
const LIANG: &str = "zh.liang";
const GROUPS: [(u64, Option<&str>); 3] =
    [(100_000_000, Some("zh.100000000")), (10_000, Some("zh.10000")), (1, None)];
const PLACES: [(u64, Option<&str>); 4] =
    [(1_000, Some("zh.1000")), (100, Some("zh.100")), (10, Some("zh.10")), (1, None)];

/// The prompts that read `n`, which is at most [`super::NUMBER_MAX`].
pub fn words(n: u64) -> Vec<&'static str> {
    if n == 0 {
        return vec![DIGITS[0]];
    }
    let mut list = Vec::new();
    for (size, unit) in GROUPS {
        let group = n / size % 10_000;
        if group == 0 {
            continue;
        }
        // A group with an empty thousands place, after anything said, is led in by one zero.
        if !list.is_empty() && group < 1_000 {
            list.push(DIGITS[0]);
        }
        if group == 2 && unit.is_some() {
            list.push(LIANG);
        } else {
            below_ten_thousand(group, &mut list);
        }
        list.extend(unit);
    }
    list
}

/// Reads one group, 1 to 9,999.
fn below_ten_thousand(group: u64, list: &mut Vec<&'static str>) {
    let (mut said, mut gap) = (false, false);
    for (size, place) in PLACES {
        let digit = group / size % 10;
        if digit == 0 {
            gap = said;
            continue;
        }
        if gap {
            list.push(DIGITS[0]);
            gap = false;
        }
        let bare_ten = size == 10 && digit == 1 && list.is_empty();
        if digit == 2 && size >= 100 {
            list.push(LIANG);
        } else if !bare_ten {
            list.push(DIGITS[digit as usize]);
        }
        list.extend(place);
        said = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(n: u64) -> String {
        let sign = |word: &&str| match *word {
            "zh.0" => '零',
            "zh.1" => '一',
            "zh.2" => '二',
            "zh.3" => '三',
            "zh.4" => '四',
            "zh.5" => '五',
            "zh.6" => '六',
            "zh.7" => '七',
            "zh.8" => '八',
            "zh.9" => '九',
            "zh.10" => '十',
            "zh.100" => '百',
            "zh.1000" => '千',
            "zh.10000" => '万',
            "zh.100000000" => '亿',
            "zh.liang" => '两',
            _ => '?',
        };
        words(n).iter().map(sign).collect()
    }

    #[test]
    fn numbers_are_read_as_people_say_them() {
        for (n, want) in [
            (0, "零"),
            (2, "二"),
            (10, "十"),
            (12, "十二"),
            (20, "二十"),
            (22, "二十二"),
            (100, "一百"),
            (101, "一百零一"),
            (110, "一百一十"),
            (112, "一百一十二"),
            (200, "两百"),
            (222, "两百二十二"),
            (1_000, "一千"),
            (1_001, "一千零一"),
            (1_010, "一千零一十"),
            (1_100, "一千一百"),
            (2_002, "两千零二"),
            (10_000, "一万"),
            (10_001, "一万零一"),
            (10_200, "一万零两百"),
            (12_000, "一万两千"),
            (20_000, "两万"),
            (22_000, "两万两千"),
            (100_000, "十万"),
            (105_000, "十万五千"),
            (120_000, "十二万"),
            (220_000, "二十二万"),
            (1_234_567, "一百二十三万四千五百六十七"),
            (100_000_000, "一亿"),
            (100_000_001, "一亿零一"),
            (200_002_000, "两亿两千"),
            (200_020_000, "两亿零两万"),
            (1_002_000_300, "十亿零两百万零三百"),
            (999_999_999_999, "九千九百九十九亿九千九百九十九万九千九百九十九"),
        ] {
            assert_eq!(read(n), want, "{n}");
        }
    }

    #[test]
    fn what_is_said_is_the_number() {
        let value = |n: u64| {
            let (mut total, mut group, mut digit) = (0u64, 0u64, 0u64);
            for word in words(n) {
                match word.trim_start_matches("zh.") {
                    "liang" => digit = 2,
                    "10" => group += core::mem::take(&mut digit).max(1) * 10,
                    "100" => group += core::mem::take(&mut digit) * 100,
                    "1000" => group += core::mem::take(&mut digit) * 1_000,
                    "10000" => {
                        total += (core::mem::take(&mut group) + core::mem::take(&mut digit)) * 10_000;
                    }
                    "100000000" => {
                        total += (core::mem::take(&mut group) + core::mem::take(&mut digit)) * 100_000_000;
                    }
                    word => digit = word.parse::<u64>().unwrap(),
                }
            }
            total + group + digit
        };
        for n in (0..20_000).chain((0..4_000).map(|i| i * 249_999_937 % 1_000_000_000_000)) {
            assert_eq!(value(n), n, "{}", read(n));
        }
    }
}
