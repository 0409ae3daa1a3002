//! Number rewriting: what a carrier sends and wants, and what the tenant works with.
//!
//! Invariant: of the rules for one number the first that fits is applied, and no other; a number that none fits stays as
//! it is. A rule costs one comparison of its prefix: no pattern can be made to run long.

use serde::{Deserialize, Serialize};

/// One rule: numbers that begin with `prefix` lose `strip` characters at the front and get `prepend` there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rewrite {
    /// Digits, `+`, `*`, `#`; empty fits every number.
    pub prefix: String,
    /// Characters taken off, at most as many as the number has.
    pub strip: u8,
    /// What is put before the rest.
    pub prepend: String,
}

/// The rules of a trunk, by direction and number.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrunkNumbers {
    /// Who is called, in calls that come by the trunk.
    pub in_called: Vec<Rewrite>,
    /// Who calls, in calls that come by the trunk.
    pub in_caller: Vec<Rewrite>,
    /// Who is called, in calls that leave by the trunk.
    pub out_called: Vec<Rewrite>,
    /// Who calls, in calls that leave by the trunk.
    pub out_caller: Vec<Rewrite>,
}

/// What the rules make of a number. Only what is a number is rewritten: a name, and `anonymous`, stay.
pub fn rewritten(rules: &[Rewrite], number: &str) -> String {
    let is_number =
        !number.is_empty() && number.chars().all(|c| c.is_ascii_digit() || matches!(c, '+' | '*' | '#'));
    let rule = rules.iter().find(|rule| is_number && number.starts_with(&rule.prefix));
    match rule {
        Some(rule) => {
            let rest: String = number.chars().skip(usize::from(rule.strip)).collect();
            format!("{}{rest}", rule.prepend)
        }
        None => number.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(prefix: &str, strip: u8, prepend: &str) -> Rewrite {
        Rewrite { prefix: prefix.into(), strip, prepend: prepend.into() }
    }

    #[test]
    fn the_first_rule_that_fits_makes_a_number_e164_and_names_stay() {
        let rules = [
            rule("+", 0, ""),
            rule("00", 2, "+"),
            rule("0", 1, "+49"),
            rule("110", 0, ""),
            rule("", 0, "+4930"),
        ];
        for (number, made) in [
            ("+12125551212", "+12125551212"),
            ("0012125551212", "+12125551212"),
            ("03012345", "+493012345"),
            ("110", "110"),
            ("12345", "+493012345"),
            ("anonymous", "anonymous"),
            ("anna", "anna"),
            ("", ""),
        ] {
            assert_eq!(rewritten(&rules, number), made, "{number}");
        }
        assert_eq!(rewritten(&[rule("1", 9, "")], "123"), "");
        assert_eq!(rewritten(&[], "0301"), "0301");
    }
}
