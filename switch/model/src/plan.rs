//! Country plans: what somebody dialled, read as a number that means the same everywhere (E.164), and written back as a
//! carrier wants it.
//!
//! Invariant: reading is idempotent, and what is not surely a public number stays as it was dialled: an extension, a
//! short number, a service code with `*` or `#`, a name, `anonymous`.

use crate::config::{Tenant, Trunk};
use crate::id::TenantId;
use crate::number::rewritten;
use serde::{Deserialize, Serialize};

/// Most digits of a number that is read. E.164 6 has 15; digits that are dialled through to an extension behind a
/// private exchange may follow.
const DIGITS_MAX: usize = 24;

/// How numbers are dialled in one place.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NumberPlan {
    /// Digits of the country (E.164 6.1), as `49`.
    pub country_code: String,
    /// What is dialled before a number of the same country; empty if nothing is.
    pub national_prefix: String,
    /// What is dialled before a country code.
    pub international_prefix: String,
    /// The area, without the national prefix, to which numbers that name none belong; empty if that is not known.
    pub area_code: String,
    /// The least digits of a number that is dialled within the area: shorter ones are extensions.
    pub local_least: u8,
    /// Numbers of the country that are dialled without its prefix: how they begin, and their digits.
    pub whole: Vec<(String, u8)>,
    /// Numbers that are dialled as they are: emergency calls, services.
    pub short: Vec<String>,
}

/// How a number is written for a carrier.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NumberForm {
    /// `+493012345`.
    #[default]
    E164,
    /// `493012345`.
    Digits,
    /// As one dials in the plan's country: `03012345`, and `0033...` to another one.
    National,
    /// Always with the international prefix: `00493012345`.
    International,
}

type Country = (&'static str, [&'static str; 3], u8, &'static [(&'static str, u8)], &'static [&'static str]);

/// Country, code, prefixes, least local digits, numbers without prefix, short numbers.
const COUNTRIES: &[Country] = &[
    (
        "CN",
        ["86", "0", "00"],
        7,
        &[
            ("13", 11),
            ("14", 11),
            ("15", 11),
            ("16", 11),
            ("17", 11),
            ("18", 11),
            ("19", 11),
            ("400", 10),
            ("800", 10),
        ],
        &[
            "110", "112", "114", "119", "120", "122", "999", "10000", "10010", "10086", "12110", "12315",
            "12345", "12395",
        ],
    ),
    ("HK", ["852", "", "001"], 8, &[("", 8)], &["112", "992", "999", "1081", "1083", "1823"]),
    ("DE", ["49", "0", "00"], 5, &[], &["110", "112", "115", "116117", "116116", "19222"]),
    (
        "US",
        ["1", "1", "011"],
        7,
        &[("", 10)],
        &["112", "211", "311", "411", "511", "611", "711", "811", "911", "988"],
    ),
    (
        "GB",
        ["44", "0", "00"],
        5,
        &[],
        &["100", "101", "105", "111", "112", "116123", "118500", "123", "155", "195", "999"],
    ),
];

/// The countries that have a plan of their own.
pub fn countries() -> impl Iterator<Item = &'static str> {
    COUNTRIES.iter().map(|(name, ..)| *name)
}

impl NumberPlan {
    /// The plan of a country, by its two letters (ISO 3166-1).
    pub fn of_country(letters: &str) -> Option<Self> {
        let (_, [code, national, international], local, whole, short) =
            COUNTRIES.iter().find(|(name, ..)| name.eq_ignore_ascii_case(letters))?;
        Some(Self {
            country_code: (*code).into(),
            national_prefix: (*national).into(),
            international_prefix: (*international).into(),
            area_code: String::new(),
            local_least: *local,
            whole: whole.iter().map(|(begin, digits)| ((*begin).to_owned(), *digits)).collect(),
            short: short.iter().map(|number| (*number).to_owned()).collect(),
        })
    }

    /// The number in E.164 with its `+`, or none if it is no public number.
    fn e164(&self, dialled: &str) -> Option<String> {
        if let Some(rest) = dialled.strip_prefix('+') {
            return global(rest);
        }
        if !dialled.bytes().all(|b| b.is_ascii_digit()) || self.short.iter().any(|short| short == dialled) {
            return None;
        }
        let after = |prefix: &str| dialled.strip_prefix(prefix).filter(|_| !prefix.is_empty());
        if let Some(rest) = after(&self.international_prefix) {
            return global(rest);
        }
        let national = |number: &str| global(&format!("{}{number}", self.country_code));
        // The whole number first where the prefix is a digit that numbers begin with, too: 1 in the USA.
        let is_whole = |(begin, digits): &&(String, u8)| {
            let digits = usize::from(*digits);
            dialled.starts_with(begin.as_str())
                && (dialled.len() == digits || !begin.is_empty() && dialled.len() > digits)
        };
        if self.whole.iter().any(|whole| is_whole(&whole)) {
            return national(dialled);
        }
        if let Some(rest) =
            after(&self.national_prefix).filter(|rest| rest.len() >= usize::from(self.local_least))
        {
            return national(rest);
        }
        let is_local = !self.area_code.is_empty() && dialled.len() >= usize::from(self.local_least);
        is_local.then(|| national(&format!("{}{dialled}", self.area_code))).flatten()
    }

    /// A number that was read, as a carrier wants it; what is no number in E.164 stays.
    pub fn written(&self, number: &str, form: NumberForm) -> String {
        let Some(digits) = number.strip_prefix('+').filter(|rest| global(rest).is_some()) else {
            return number.to_owned();
        };
        match form {
            NumberForm::E164 => number.to_owned(),
            NumberForm::Digits => digits.to_owned(),
            NumberForm::International => format!("{}{digits}", self.international_prefix),
            NumberForm::National => match digits.strip_prefix(self.country_code.as_str()) {
                Some(rest)
                    if self
                        .whole
                        .iter()
                        .any(|(begin, n)| rest.starts_with(begin) && rest.len() >= usize::from(*n)) =>
                {
                    rest.to_owned()
                }
                Some(rest) => format!("{}{rest}", self.national_prefix),
                None => format!("{}{digits}", self.international_prefix),
            },
        }
    }
}

/// `+` and these digits, if a number can be so.
fn global(digits: &str) -> Option<String> {
    let is = (5..=DIGITS_MAX).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    (is && !digits.starts_with('0')).then(|| format!("+{digits}"))
}

/// What was dialled, in E.164 if it is a public number. Without a plan only `+`, and a number with the context that makes
/// it global, are understood.
pub fn read(plan: Option<&NumberPlan>, dialled: &str) -> String {
    // RFC 3966 3: local-number = local-number-digits *par context *par
    let mut parts = dialled.strip_prefix("tel:").unwrap_or(dialled).split(';');
    let first = parts.next().unwrap_or_default();
    let context = parts.find_map(|part| part.strip_prefix("phone-context="));
    let number = bare(first).unwrap_or_else(|| first.to_owned());
    if let Some(within) = context.and_then(|context| bare(context)?.strip_prefix('+').map(str::to_owned))
        && number.bytes().all(|b| b.is_ascii_digit())
        && let Some(found) = in_context(plan, &number, &within)
    {
        return found;
    }
    match plan {
        Some(plan) => plan.e164(&number).unwrap_or_else(|| first.to_owned()),
        None => number.strip_prefix('+').and_then(global).unwrap_or_else(|| first.to_owned()),
    }
}

/// RFC 3966 5.1.5: "The context MUST ... identify ... the global number prefix within which the number is valid". A number
/// that is written with its country's own prefix loses it.
fn in_context(plan: Option<&NumberPlan>, number: &str, within: &str) -> Option<String> {
    let own = plan.filter(|plan| plan.country_code == within);
    match own.and_then(|plan| plan.e164(number)) {
        Some(found) => Some(found),
        None => global(&format!("{within}{number}")).filter(|found| found.len() <= 16),
    }
}

/// A number without its visual separators (RFC 3966 5.1.1), or none if it is something else.
fn bare(text: &str) -> Option<String> {
    let number: String = text.chars().filter(|c| !matches!(c, '-' | '.' | '(' | ')' | ' ')).collect();
    let digits = number.strip_prefix('+').unwrap_or(&number);
    (!digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit())).then_some(number)
}

/// The plan of numbers on a trunk, or of a tenant's own phones.
fn plan_of<'a>(tenant: &'a Tenant, trunk: Option<&'a Trunk>) -> Option<&'a NumberPlan> {
    trunk.and_then(|trunk| trunk.plan.as_ref()).or(tenant.plan.as_ref())
}

/// A called number as the tenant works with it. Accounts, called numbers and emergency numbers of the tenant are what they
/// are.
pub fn called(tenant: &Tenant, trunk: Option<&Trunk>, dialled: &str) -> String {
    let leads = |access: &str, extension: Option<&str>| {
        dialled.strip_prefix(access).is_some_and(|rest| rest == extension.unwrap_or_default())
    };
    let is_help =
        tenant.routes.emergency.as_ref().is_some_and(|help| help.numbers.iter().any(|n| n == dialled));
    let is_own = is_help
        || tenant.users.contains_key(dialled)
        || tenant.numbers.iter().any(|n| leads(&n.access_code, n.extension_code.as_deref()));
    if is_own { dialled.to_owned() } else { read(plan_of(tenant, trunk), dialled) }
}

/// The tenant to whom a number of a trunk was given, if it is not the trunk's own.
pub fn owner(tenant: &Tenant, trunk: &Trunk, dialled: &str) -> Option<TenantId> {
    if trunk.shared.is_empty() {
        return None;
    }
    let number = read(plan_of(tenant, Some(trunk)), &rewritten(&trunk.numbers.in_called, dialled));
    trunk.shared.iter().find(|shared| shared.number == number).map(|shared| shared.tenant)
}

/// Caller and called number of a call that came, as the tenant works with them: by the trunk's rules first, then by the
/// plan. Who has proved to be an account is called by its name.
pub fn inside(
    tenant: &Tenant,
    trunk: Option<&Trunk>,
    is_account: bool,
    caller: &str,
    dialled: &str,
) -> (String, String) {
    let (mut from, mut to) = (caller.to_owned(), dialled.to_owned());
    if let Some(trunk) = trunk {
        from = rewritten(&trunk.numbers.in_caller, &from);
        to = rewritten(&trunk.numbers.in_called, &to);
    }
    if !is_account {
        from = read(plan_of(tenant, trunk), &from);
    }
    (from, called(tenant, trunk, &to))
}

/// Caller and called number of a call that leaves by a trunk, as its carrier wants them: read by the tenant's plan,
/// written by the trunk's, and then by its rules.
pub fn outside(tenant: &Tenant, trunk: &Trunk, caller: &str, number: &str) -> (String, String) {
    let plan = plan_of(tenant, Some(trunk));
    let write = |number: &str| match plan {
        Some(plan) => plan.written(&read(tenant.plan.as_ref().or(Some(plan)), number), trunk.number_form),
        None => number.to_owned(),
    };
    let caller = if tenant.users.contains_key(caller) { caller.to_owned() } else { write(caller) };
    (rewritten(&trunk.numbers.out_caller, &caller), rewritten(&trunk.numbers.out_called, &write(number)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(country: &str, area: &str) -> NumberPlan {
        NumberPlan { area_code: area.into(), ..NumberPlan::of_country(country).unwrap() }
    }

    #[test]
    fn every_way_to_dial_a_number_in_five_countries_is_one_number_and_the_rest_stays() {
        let tables = [
            (
                "CN",
                "10",
                "+861065551234",
                vec!["+861065551234", "00861065551234", "01065551234", "65551234", "+86-10-6555-1234"],
            ),
            (
                "CN",
                "10",
                "+8613800138000",
                vec!["13800138000", "008613800138000", "tel:13800138000;phone-context=+86"],
            ),
            ("CN", "10", "+864008001234", vec!["4008001234", "+86 400 800 1234"]),
            ("CN", "", "+862161112222", vec!["02161112222"]),
            ("HK", "", "+85223456789", vec!["23456789", "+852 2345 6789", "00185223456789"]),
            (
                "DE",
                "30",
                "+493012345",
                vec!["03012345", "00493012345", "12345", "030 12345", "tel:12345;phone-context=+4930"],
            ),
            ("DE", "30", "+12125550123", vec!["0012125550123", "+1 (212) 555-0123"]),
            (
                "US",
                "212",
                "+12125550123",
                vec!["2125550123", "12125550123", "5550123", "+12125550123", "01112125550123"],
            ),
            ("US", "", "+493012345", vec!["011493012345"]),
            ("GB", "20", "+442079460000", vec!["02079460000", "00442079460000", "79460000"]),
        ];
        for (country, area, is, ways) in tables {
            for way in ways {
                let plan = plan(country, area);
                let made = read(Some(&plan), way);
                assert_eq!(made, is, "{country} {way}");
                assert_eq!(read(Some(&plan), &made), made, "reading twice is reading once");
            }
        }
        for (country, area, dialled) in [
            ("CN", "10", "110"),
            ("CN", "10", "12345"),
            ("CN", "10", "1001"),
            ("CN", "", "65551234"),
            ("HK", "", "999"),
            ("DE", "30", "112"),
            ("DE", "30", "1001"),
            ("DE", "", "12345"),
            ("US", "", "911"),
            ("GB", "20", "0"),
            ("DE", "30", "*21#"),
            ("DE", "30", "anonymous"),
            ("DE", "30", "anna-1"),
            ("DE", "30", ""),
            ("DE", "30", "+"),
            ("DE", "30", "+0123456"),
            ("DE", "30", "999999999999999999999999999999999999"),
        ] {
            assert_eq!(read(Some(&plan(country, area)), dialled), dialled, "{country}");
        }
        assert_eq!(
            read(Some(&plan("DE", "30")), "1001;phone-context=pbx.example"),
            "1001",
            "a context is no number"
        );
    }

    #[test]
    fn without_a_plan_only_what_is_global_is_read() {
        assert_eq!(read(None, "+49-30-12345"), "+493012345");
        assert_eq!(read(None, "12345;phone-context=+4930"), "+493012345");
        for dialled in ["03012345", "10-01", "anna", "", "110"] {
            assert_eq!(read(None, dialled), dialled);
        }
    }

    #[test]
    fn a_carrier_gets_numbers_in_the_form_it_wants() {
        let number = "+493012345";
        for (country, form, text) in [
            ("DE", NumberForm::E164, "+493012345"),
            ("DE", NumberForm::Digits, "493012345"),
            ("DE", NumberForm::National, "03012345"),
            ("DE", NumberForm::International, "00493012345"),
            ("US", NumberForm::National, "011493012345"),
        ] {
            assert_eq!(plan(country, "").written(number, form), text, "{country} {form:?}");
        }
        assert_eq!(plan("CN", "").written("+8613800138000", NumberForm::National), "13800138000");
        assert_eq!(plan("CN", "").written("+861065551234", NumberForm::National), "01065551234");
        assert_eq!(plan("HK", "").written("+85223456789", NumberForm::National), "23456789");
        assert_eq!(plan("US", "").written("+12125550123", NumberForm::National), "2125550123");
        for stays in ["110", "1001", "anonymous", "*21#"] {
            assert_eq!(plan("DE", "").written(stays, NumberForm::Digits), stays);
        }
    }

    #[test]
    fn a_country_without_a_plan_has_none() {
        assert_eq!(NumberPlan::of_country("XX"), None);
        assert_eq!(countries().count(), 5);
    }
}
