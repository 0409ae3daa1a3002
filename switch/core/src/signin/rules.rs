//! Which passwords are taken.
//!
//! Invariant: a password is judged by itself and by its agent's number. Whether it was used before only hashes can tell.

use cordboard_model::signin::{PASSWORD_MAX, PasswordFault, SignInRules};

/// What the password of the agent with this number lacks. `phone`: he may sign in by keys, so that digits alone will do.
///
/// # Errors
/// The first thing that it lacks.
pub fn judge(rules: &SignInRules, phone: bool, number: &str, password: &str) -> Result<(), PasswordFault> {
    let length = password.chars().count();
    let by_keys = phone && password.bytes().all(|byte| byte.is_ascii_digit());
    let least = if by_keys { rules.digits } else { rules.length };
    if length < usize::from(least) {
        return Err(PasswordFault::Short(least));
    }
    if password.len() > PASSWORD_MAX {
        return Err(PasswordFault::Long);
    }
    if password == number || password.chars().eq(number.chars().rev()) {
        return Err(PasswordFault::Number);
    }
    if !by_keys && kinds(password) < rules.kinds {
        return Err(PasswordFault::Kinds(rules.kinds));
    }
    match is_guessed(password) {
        true => Err(PasswordFault::Guessed),
        false => Ok(()),
    }
}

/// Most characters of a piece that a password repeats.
const PIECE_MAX: usize = 4;
/// What people choose where digits alone will do, beside runs and repeated pieces, and what they choose elsewhere.
const COMMON: [&str; 14] = [
    "147258369",
    "147258",
    "159753",
    "159357",
    "258369",
    "789456",
    "951753",
    "19491001",
    "5201314",
    "1314520",
    "112358",
    "password1",
    "passw0rd",
    "qwerty12",
];

/// Whether it is among the first that anybody tries: a run up or down, a piece of a few characters again and again, or one of
/// the common ones.
fn is_guessed(password: &str) -> bool {
    let lower = password.to_lowercase();
    let chars: Vec<u32> = lower.chars().map(u32::from).collect();
    let run = |step: i64| {
        chars.windows(2).all(|pair| matches!(pair, [a, b] if i64::from(*b) - i64::from(*a) == step))
    };
    // After nine comes nought, and before it.
    let digits = |text: &str| "01234567890123456789".contains(text) || "98765432109876543210".contains(text);
    let repeats = (1..=PIECE_MAX)
        .any(|piece| chars.len() > piece && chars.iter().zip(chars.iter().skip(piece)).all(|(a, b)| a == b));
    run(1) || run(-1) || digits(&lower) || repeats || COMMON.contains(&lower.as_str())
}

/// Of how many kinds its characters are: small letters, capitals, digits, others. A letter that is neither small nor capital, as
/// those of Chinese, is one of the others.
fn kinds(password: &str) -> u8 {
    let kind = |c: char| match c {
        c if c.is_lowercase() => 0,
        c if c.is_uppercase() => 1,
        c if c.is_numeric() => 2,
        _ => 3,
    };
    let seen = password.chars().fold(0_u8, |seen, c| seen | (1 << kind(c)));
    u8::try_from(seen.count_ones()).unwrap_or(u8::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(phone: bool, number: &str, password: &str) -> Result<(), PasswordFault> {
        judge(&SignInRules::default(), phone, number, password)
    }

    #[test]
    fn a_password_has_its_length_its_kinds_and_is_not_the_number() {
        assert_eq!(judged(false, "1001", "correct7"), Ok(()));
        assert_eq!(judged(false, "1001", "Correct horse"), Ok(()));
        assert_eq!(judged(false, "1001", "correc7"), Err(PasswordFault::Short(8)));
        assert_eq!(judged(false, "1001", "correcthorse"), Err(PasswordFault::Kinds(2)));
        assert_eq!(judged(false, "1001", "83745018"), Err(PasswordFault::Kinds(2)));
        assert_eq!(judged(false, "agent-100x", "agent-100x"), Err(PasswordFault::Number));
        assert_eq!(judged(false, "agent-100x", "x001-tnega"), Err(PasswordFault::Number));
        assert_eq!(judged(false, "1001", &"correct7+".repeat(15)), Err(PasswordFault::Long));
        assert_eq!(judged(false, "1001", &"correct7".repeat(16)), Ok(()));
    }

    #[test]
    fn length_is_counted_in_characters_and_not_in_bytes() {
        assert_eq!(judged(false, "1001", "密码很长吗1"), Err(PasswordFault::Short(8)));
        assert_eq!(judged(false, "1001", "密码真的很长吗1"), Ok(()));
    }

    #[test]
    fn who_signs_in_by_keys_may_have_digits_alone_of_which_fewer_do() {
        assert_eq!(judged(true, "1001", "837450"), Ok(()));
        assert_eq!(judged(true, "1001", "83745"), Err(PasswordFault::Short(6)));
        assert_eq!(judged(true, "100123", "321001"), Err(PasswordFault::Number));
        assert_eq!(judged(true, "1001", "83745a"), Err(PasswordFault::Short(8)));
        assert_eq!(judged(false, "1001", "837450"), Err(PasswordFault::Short(8)));
    }

    #[test]
    fn what_anybody_tries_first_is_not_taken() {
        for guessed in [
            "123456", "1234567", "654321", "567890", "890123", "111111", "121212", "123123", "147258",
            "12341234",
        ] {
            assert_eq!(judged(true, "1001", guessed), Err(PasswordFault::Guessed), "{guessed}");
        }
        for guessed in ["Password1", "Abc1abc1", "passw0rd", "a1a1a1a1"] {
            assert_eq!(judged(false, "1001", guessed), Err(PasswordFault::Guessed), "{guessed}");
        }
        for good in ["837450", "112457", "198603"] {
            assert_eq!(judged(true, "1001", good), Ok(()), "{good}");
        }
    }

    #[test]
    fn every_kind_counts_once() {
        for (password, count) in [("", 0), ("abc", 1), ("abC", 2), ("abC1", 3), ("a C1", 4), ("密码", 1)] {
            assert_eq!(kinds(password), count, "{password:?}");
        }
    }
}
