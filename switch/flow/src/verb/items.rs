//! What can be played: prompts by name, tones, silence, and lists of these.
//!
//! `"welcome"` | `{tone="busy", seconds=3}` | `{silence=0.5}` | `{say="Hello", language="en"}` | `{number=42}` |
//! `{"a", "b", {silence=1}, "c"}`

use super::arg::{Arg, BadOption, Options, Table, millis};
use super::spoken;
use cordboard_model::id::{AssetId, TenantId};
use cordboard_model::media::{PlayItem, Tone};
use cordboard_model::speech::{Speech, TEXT_MAX, is_name};

/// Most things in one list.
pub const ITEMS_MAX: usize = 128;
/// Longest tone or silence, seconds.
const SECONDS_MAX: f64 = 3_600.0;
/// Length of the beep, milliseconds.
const BEEP_MS: u32 = 200;
/// Length of any other tone if none is given, milliseconds.
const TONE_MS: u32 = 1_000;

/// The language of what is said if none is named.
const LANGUAGE: &str = "en";

/// The tones that have a name; how they sound is for the country of the tenant to say.
const TONES: [(&str, Tone); 6] = [
    ("ringback", Tone::RingBack),
    ("busy", Tone::Busy),
    ("congestion", Tone::Congestion),
    ("dial", Tone::Dial),
    ("information", Tone::Information),
    ("beep", Tone::Beep),
];

/// The prompt of this name.
pub fn asset(verb: &'static str, tenant: TenantId, name: &str) -> Result<PlayItem, BadOption> {
    match AssetId::new(tenant, name) {
        Ok(id) => Ok(PlayItem::Asset(id)),
        Err(error) => Err(BadOption::new(verb, format!("{name:?} is not a prompt's name: {error}"))),
    }
}

/// Reads one thing or a list of things, and adds them.
pub fn read(
    verb: &'static str,
    tenant: TenantId,
    arg: &Arg,
    items: &mut Vec<PlayItem>,
) -> Result<(), BadOption> {
    match arg {
        Arg::Text(name) => items.push(asset(verb, tenant, name)?),
        Arg::Table(table) if is_item(table) => {
            match spoken::KINDS.into_iter().find(|kind| table.named.contains_key(*kind)) {
                Some(kind) => items.extend(spoken::item(verb, tenant, kind, arg)?),
                None => items.push(item(verb, arg)?),
            }
        }
        Arg::Table(table) => {
            if let Some(name) = table.named.keys().next() {
                let text = format!("a list of prompts cannot have the name '{name}' in it");
                return Err(BadOption::new(verb, text));
            }
            list(verb, tenant, &table.list, items)?;
        }
        other => {
            let text = format!(
                "a prompt must be a name, a tone, silence, speech, what is read aloud, or a list of these, not a {}",
                other.type_name()
            );
            return Err(BadOption::new(verb, text));
        }
    }
    if items.len() > ITEMS_MAX {
        return Err(BadOption::new(verb, format!("more than {ITEMS_MAX} prompts in one list")));
    }
    Ok(())
}

/// Reads the entries of a list.
pub fn list(
    verb: &'static str,
    tenant: TenantId,
    entries: &[Arg],
    items: &mut Vec<PlayItem>,
) -> Result<(), BadOption> {
    entries.iter().try_for_each(|entry| read(verb, tenant, entry, items))
}

/// Whether a table is one tone or silence rather than a list.
pub fn is_item(table: &Table) -> bool {
    let single = ["tone", "silence", "say"];
    single.into_iter().chain(spoken::KINDS).any(|kind| table.named.contains_key(kind))
}

/// Speech: a text, the language it is in, and a voice if not the language's own.
pub fn speech(options: &Options<'_>, text: &str) -> Result<PlayItem, BadOption> {
    if text.trim().is_empty() || text.len() > TEXT_MAX {
        return Err(
            options.wrong(format!("what is said must have 1 to {TEXT_MAX} bytes, not {}", text.len()))
        );
    }
    let name = |key: &str| match options.text(key)? {
        Some(name) if !is_name(name) => Err(options.wrong(format!("{name:?} cannot be a {key}"))),
        name => Ok(name.map(str::to_owned)),
    };
    let language = name("language")?.unwrap_or_else(|| LANGUAGE.to_owned());
    let voice = name("voice")?;
    Ok(PlayItem::Say(Box::new(Speech { text: text.to_owned(), language, voice })))
}

fn item(verb: &'static str, arg: &Arg) -> Result<PlayItem, BadOption> {
    if let Arg::Table(table) = arg
        && table.named.contains_key("say")
    {
        let options = Options::new(verb, Some(arg), &["say", "language", "voice"])?;
        return speech(&options, options.text("say")?.unwrap_or_default());
    }
    let options = Options::new(verb, Some(arg), &["tone", "silence", "seconds"])?;
    if let Some(silence) = options.raw("silence") {
        if options.raw("tone").is_some() || options.raw("seconds").is_some() {
            return Err(options.wrong("silence goes with neither 'tone' nor 'seconds'"));
        }
        return Ok(PlayItem::Silence(millis(verb, "option 'silence'", silence, 0.0, SECONDS_MAX)?));
    }
    let tone = tone(&options)?;
    let length = match (options.millis("seconds", 0.01, SECONDS_MAX)?, tone) {
        (Some(length), _) => length,
        (None, Tone::Beep) => BEEP_MS,
        (None, _) => TONE_MS,
    };
    Ok(PlayItem::Tone(tone, length))
}

fn tone(options: &Options<'_>) -> Result<Tone, BadOption> {
    match options.raw("tone") {
        Some(Arg::Text(name)) => {
            TONES.iter().find(|(known, _)| known == name).map(|(_, tone)| *tone).ok_or_else(|| {
                let names = TONES.map(|(name, _)| name).join(", ");
                options.wrong(format!("there is no tone '{name}'; there are {names}, or a frequency"))
            })
        }
        Some(Arg::Int(hertz)) => match u16::try_from(*hertz) {
            Ok(hertz @ 100..=3_400) => Ok(Tone::Hertz(hertz)),
            _ => Err(options.wrong(format!("a tone must have 100 to 3400 hertz, not {hertz}"))),
        },
        Some(other) => Err(options
            .wrong(format!("option 'tone' must be a name or a frequency, not a {}", other.type_name()))),
        None => Err(options.wrong("option 'tone' is missing")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::arg::build::{table, text};
    use super::*;

    fn reading(arg: &Arg) -> Result<Vec<PlayItem>, String> {
        let mut items = Vec::new();
        read("play", TenantId::DEFAULT, arg, &mut items).map(|()| items).map_err(|e| e.0)
    }

    #[test]
    fn prompts_tones_and_silence_can_be_mixed() {
        let beep = table(&[("tone", text("beep"))], &[]);
        let pause = table(&[("silence", Arg::Number(0.5))], &[]);
        let hertz = table(&[("tone", Arg::Int(440)), ("seconds", Arg::Int(2))], &[]);
        let items = reading(&table(&[], &[text("welcome"), pause, beep, hertz])).unwrap();
        assert_eq!(items.len(), 4);
        assert_eq!(items[1], PlayItem::Silence(500));
        assert_eq!(items[2], PlayItem::Tone(Tone::Beep, 200));
        assert_eq!(items[3], PlayItem::Tone(Tone::Hertz(440), 2_000));
    }

    #[test]
    fn what_is_read_aloud_stands_among_prompts() {
        let list = [
            text("you-owe"),
            table(&[("money", text("2.00")), ("currency", text("CNY")), ("language", text("zh"))], &[]),
            table(&[("number", Arg::Int(21))], &[]),
            table(&[("digits", text("07"))], &[]),
            table(&[("date", text("2026-11-02")), ("year", Arg::Bool(false))], &[]),
            table(&[("time", text("13:00"))], &[]),
        ];
        let items = reading(&table(&[], &list)).unwrap();
        let name = |item: &PlayItem| match item {
            PlayItem::Asset(id) => id.name.to_string(),
            other => format!("{other:?}"),
        };
        assert_eq!(
            items.iter().map(name).collect::<Vec<_>>().join(" "),
            "you-owe zh.liang zh.money.yuan en.digits.20 en.digits.1 en.digits.0 en.digits.7 en.months.11 \
             en.ordinals.2 en.digits.1 en.time.pm"
        );
        let wrong = table(&[("number", Arg::Int(1)), ("lang", text("zh"))], &[]);
        assert_eq!(reading(&wrong), Err("play: unknown option 'lang'; there are number, language".into()));
        let both = table(&[("number", Arg::Int(1)), ("silence", Arg::Int(1))], &[]);
        assert!(reading(&both).unwrap_err().starts_with("play: unknown option 'silence'"));
    }

    #[test]
    fn speech_is_a_text_with_its_language_and_a_voice_that_is_no_option_of_an_engine() {
        let chinese = table(&[("say", text("\u{4f60}\u{597d}")), ("language", text("zh"))], &[]);
        let items = reading(&chinese).unwrap();
        let [PlayItem::Say(speech)] = &items[..] else { panic!("not speech") };
        assert_eq!((speech.text.as_str(), speech.language.as_str()), ("\u{4f60}\u{597d}", "zh"));
        let english = table(&[("say", text("Hello")), ("voice", text("en+f3"))], &[]);
        assert!(matches!(&reading(&english).unwrap()[..], [PlayItem::Say(s)] if s.language == "en"));
        for (item, want) in [
            (table(&[("say", text(" "))], &[]), "play: what is said must have 1 to 4096 bytes, not 1"),
            (table(&[("say", Arg::Int(5))], &[]), "play: option 'say' must be a string, not a number"),
            (
                table(&[("say", text("a")), ("voice", text("-w/etc/passwd"))], &[]),
                "play: \"-w/etc/passwd\" cannot be a voice",
            ),
            (
                table(&[("say", text("a")), ("lang", text("zh"))], &[]),
                "play: unknown option 'lang'; there are say, language, voice",
            ),
        ] {
            assert_eq!(reading(&item), Err(want.to_owned()));
        }
    }

    #[test]
    fn what_cannot_be_played_is_refused_by_name() {
        for (arg, want) in [
            (text("wel come"), "play: \"wel come\" is not a prompt's name: an id cannot hold ' '"),
            (
                table(&[("tone", text("moo"))], &[]),
                "play: there is no tone 'moo'; there are ringback, busy, congestion, dial, information, beep, or a \
                 frequency",
            ),
            (table(&[("tone", Arg::Int(9))], &[]), "play: a tone must have 100 to 3400 hertz, not 9"),
            (
                Arg::Int(5),
                "play: a prompt must be a name, a tone, silence, speech, what is read aloud, or a list of these, not a number",
            ),
            (
                table(&[("silence", Arg::Int(1)), ("sec", Arg::Int(1))], &[]),
                "play: unknown option 'sec'; there are tone, silence, seconds",
            ),
        ] {
            assert_eq!(reading(&arg), Err(want.to_owned()));
        }
    }
}
