//! `cordboard flow run`: a phone in the terminal. The flow runs in the same engine as in the switch; its prompts are printed,
//! and what is typed is what the caller keys in, what a server answers, what becomes of a wait. Time passes as the flow says,
//! not as it is typed. What was typed can be kept as a test.

use crate::cli::FlowRunArgs;
use crate::flow_test::bench;
use cordboard_flow::script::{Case, Live, Next, StepSpec, line};
use cordboard_model::ask::Ask;
use cordboard_model::media::PlayItem;
use cordboard_model::verb::Verb;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::io::{BufRead, Write};
use std::path::Path;

/// What ends the call from the caller's side.
const HANG_UP: &str = "hang up";
/// Most steps of a call that is typed.
const STEPS: usize = 10_000;

/// Plays one call.
///
/// # Errors
/// In words: a flow that cannot be read or is wrong, a terminal that is gone, a test that cannot be written.
pub fn run(args: &FlowRunArgs, input: &mut dyn BufRead, out: &mut dyn Write) -> Result<(), String> {
    let bench = bench(&args.flow)?;
    let case = Case {
        name: format!("a call of {}", args.from),
        from: args.from.clone(),
        to: args.to.clone(),
        data: BTreeMap::new(),
        at: jiff::Timestamp::now().to_string(),
        zone: args.zone.clone(),
        steps: Vec::new(),
        end: String::new(),
    };
    let folder = args.flow.parent().unwrap_or(Path::new(""));
    let mut phone = Phone { texts: texts(folder), input, out, steps: Vec::new() };
    let mut live = Live::begin(&bench, &case)?;
    let over = phone.talk(&mut live).map_err(|why| format!("the terminal: {why}"))?;
    if let Some(file) = &args.save {
        save(file, &args.flow, &case, &phone.steps, &over)?;
        writeln!(phone.out, "The call is kept in {}.", file.display()).map_err(|why| why.to_string())?;
    }
    Ok(())
}

/// What prompts say, by their names: from the `texts.tsv` of the folder `prompts` beside the flow or above it.
fn texts(folder: &Path) -> BTreeMap<String, String> {
    let mut files = folder.ancestors().map(|folder| folder.join("prompts").join("texts.tsv"));
    let text = files.find_map(|file| std::fs::read_to_string(file).ok()).unwrap_or_default();
    let read = |line: &str| {
        let mut fields = line.split('\t');
        let (name, _, text) = (fields.next()?, fields.next()?, fields.next()?);
        Some((name.replace('/', "."), text.to_owned()))
    };
    text.lines().filter(|line| !line.starts_with('#')).filter_map(read).collect()
}

struct Phone<'a> {
    texts: BTreeMap<String, String>,
    input: &'a mut dyn BufRead,
    out: &'a mut dyn Write,
    /// The steps so far, as a test writes them.
    steps: Vec<String>,
}

impl Phone<'_> {
    /// The whole call; how the flow ended.
    fn talk(&mut self, live: &mut Live<'_>) -> std::io::Result<String> {
        writeln!(
            self.out,
            "Type keys, or nothing to wait. \"{HANG_UP}\" hangs up. The fields of a test's step work, too."
        )?;
        for _ in 0..STEPS {
            let next = live.waits_for();
            // What the flow logged; what it asked for is told below.
            for happened in live.happened().iter().filter(|line| line.contains(" log ")) {
                writeln!(self.out, "{happened}")?;
            }
            let verb = match next {
                Next::Verb(verb) => verb,
                Next::Over(how) => {
                    writeln!(self.out, "The flow {how}.")?;
                    return Ok(how);
                }
            };
            let ends = matches!(verb, Verb::HangUp { .. } | Verb::Reject { .. });
            self.show(&verb)?;
            let (step, written) = self.answer(&verb)?;
            self.steps.push(written);
            live.answer(&step);
            if step.hung_up {
                writeln!(self.out, "You hung up.")?;
                return Ok("ended".to_owned());
            }
            if ends {
                writeln!(self.out, "The switch hung up.")?;
                return Ok("ended".to_owned());
            }
        }
        Ok("ended".to_owned())
    }

    fn show(&mut self, verb: &Verb) -> std::io::Result<()> {
        writeln!(self.out, "> {}", line(verb))?;
        let (Verb::Play { items, .. } | Verb::Collect { prompt: items, .. }) = verb else {
            return Ok(());
        };
        for item in items {
            let said = match item {
                PlayItem::Asset(id) => self.texts.get(id.name.as_str()).map(String::as_str),
                PlayItem::Say(speech) => Some(speech.text.as_str()),
                PlayItem::Tone(..) | PlayItem::Silence(_) => None,
            };
            if let Some(said) = said {
                writeln!(self.out, "  \u{201c}{said}\u{201d}")?;
            }
        }
        Ok(())
    }

    /// Asks for the answer of a verb that has one; gives it, and how a test writes it.
    fn answer(&mut self, verb: &Verb) -> std::io::Result<(StepSpec, String)> {
        let expect = format!("{:?}", expected(verb));
        let Some(hint) = hint(verb) else {
            let written = format!("{{ expect = {expect} }}");
            let step = StepSpec { expect: expected(verb), ..StepSpec::default() };
            return Ok((step, written));
        };
        loop {
            write!(self.out, "  {hint}: ")?;
            self.out.flush()?;
            let mut typed = String::new();
            // The end of what is typed is the end of the call.
            if self.input.read_line(&mut typed)? == 0 {
                typed = HANG_UP.to_owned();
            }
            let fields = fields(verb, typed.trim());
            let comma = if fields.is_empty() { "" } else { ", " };
            let written = format!("{{ expect = {expect}{comma}{fields} }}");
            match read(&written) {
                Ok(step) => return Ok((step, written)),
                Err(why) => writeln!(self.out, "  That is not understood: {why}")?,
            }
        }
    }
}

/// What a test should expect of a verb: without the times for keys, which may be changed without breaking it.
fn expected(verb: &Verb) -> String {
    let whole = line(verb);
    match verb {
        Verb::Collect { .. } => whole.split(" min=").next().unwrap_or_default().to_owned(),
        _ => whole,
    }
}

/// What is asked for; nothing where there is but one answer.
fn hint(verb: &Verb) -> Option<&'static str> {
    match verb {
        Verb::Collect { ear: Some(_), .. } => Some("keys, or what is said"),
        Verb::Collect { .. } => Some("keys"),
        Verb::Enqueue { .. } => Some("served, timeout, full, nobody_signed_in, no_agent or gone"),
        Verb::Dial(dial) if dial.go_on => Some("served or limit after the talk, or busy, no_answer ..."),
        Verb::Dial { .. } | Verb::Transfer { .. } => {
            Some("nothing if it is answered, or busy, no_answer ...")
        }
        Verb::Conference(_) => {
            Some("ended, limit or nobody; and who came, as parties = [{ who = \"anna\", seconds = 60 }]")
        }
        Verb::Stream { .. } => Some("closed or timeout, and what the program found"),
        Verb::First(_) => {
            Some("a key; what the server answers, as for http; nothing if the time comes first")
        }
        Verb::Http(_) => Some("status and JSON, as 200 {\"name\": \"Ann\"}; or late, unreachable ..."),
        Verb::Phone(_) => Some("nothing if it is done, or wrong, locked, expired, elsewhere ..."),
        Verb::Ask(Ask::Calendar { .. }) => Some("open or closed"),
        Verb::Ask(Ask::Callback(_)) => Some("kept, known, anonymous, not_dialable, full or too_often"),
        Verb::Ask(Ask::Lookup { .. }) => {
            Some("the row, as name = \"Ann\", level = \"2\"; nothing if there is none")
        }
        _ => None,
    }
}

/// What was typed, as the fields of a test's step.
fn fields(verb: &Verb, typed: &str) -> String {
    let is_keys = |text: &str| text.chars().all(|key| key.is_ascii_digit() || "*#ABCD".contains(key));
    let (first, rest) = typed.split_once(' ').unwrap_or((typed, ""));
    match verb {
        _ if typed == HANG_UP => "hung_up = true".to_owned(),
        Verb::Collect { .. } if !typed.is_empty() && is_keys(typed) => format!("digits = {typed:?}"),
        Verb::Ask(Ask::Lookup { .. }) if typed.contains('=') && !typed.starts_with("row") => {
            format!("row = {{ {typed} }}")
        }
        // Fields of a step as they are.
        _ if typed.is_empty() || typed.contains('=') => typed.to_owned(),
        Verb::Collect { ear: Some(_), .. } => format!("said = {typed:?}"),
        Verb::Enqueue { .. } => format!("queue = {typed:?}"),
        Verb::Phone(_) => format!("refused = {typed:?}"),
        Verb::First(_) if typed.len() == 1 && is_keys(typed) => format!("key = {typed:?}"),
        Verb::Dial(_) if matches!(typed, "served" | "limit") => format!("dial = {typed:?}"),
        Verb::Conference(_) if matches!(typed, "ended" | "limit" | "nobody") => {
            format!("conference = {typed:?}")
        }
        Verb::Ask(Ask::Calendar { .. }) => format!("calendar = {typed:?}"),
        Verb::Ask(Ask::Callback(_)) => format!("callback = {typed:?}"),
        Verb::Stream { .. } if rest.is_empty() => format!("stream = {first:?}"),
        Verb::Stream { .. } => format!("stream = {first:?}, result = {rest:?}"),
        Verb::Http(_) | Verb::First(_) => {
            match (first.parse::<u16>(), answered(if rest.is_empty() { "" } else { rest })) {
                (Ok(status), None) if rest.is_empty() => format!("status = {status}"),
                (Ok(status), Some(json)) => format!("status = {status}, json = {json}"),
                (Ok(status), None) => format!("status = {status}, text = {rest:?}"),
                (Err(_), _) => {
                    answered(typed).map_or(format!("http = {typed:?}"), |json| format!("json = {json}"))
                }
            }
        }
        _ => format!("failed = {typed:?}"),
    }
}

/// JSON as TOML has it, if it is JSON that TOML can have.
fn answered(json: &str) -> Option<String> {
    let value: serde_json::Value = serde_json::from_str(json).ok()?;
    toml::Value::try_from(value).ok().map(|value| value.to_string())
}

fn read(step: &str) -> Result<StepSpec, String> {
    #[derive(Deserialize)]
    struct One {
        step: StepSpec,
    }
    let read: Result<One, _> = toml::from_str(&format!("step = {step}"));
    read.map(|one| one.step).map_err(|why| why.message().to_owned())
}

/// Writes the call as a test's case, behind those that are there.
fn save(file: &Path, flow: &Path, case: &Case, steps: &[String], over: &str) -> Result<(), String> {
    let wrong = |why: std::io::Error| format!("{}: {why}", file.display());
    let mut text = if file.exists() {
        std::fs::read_to_string(file).map_err(wrong)?
    } else {
        let name = flow.file_name().unwrap_or_default().to_string_lossy();
        format!("flow = {name:?}\n")
    };
    let end = match over.strip_prefix("failed ") {
        // Its first words say which error it is.
        Some(why) => format!("end = {:?}\n", why.split(':').next().unwrap_or_default()),
        None => String::new(),
    };
    let steps: String = steps.iter().map(|step| format!("  {step},\n")).collect();
    text.push_str(&format!(
        "\n[[case]]\nname = {:?}\nfrom = {:?}\nto = {:?}\nat = {:?}\nzone = {:?}\n{end}steps = [\n{steps}]\n",
        format!("{}, at {}", case.name, case.at),
        case.from,
        case.to,
        case.at,
        case.zone
    ));
    std::fs::write(file, text).map_err(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::FlowTestArgs;
    use crate::flow_test::test;

    const FLOW: &str = r#"
call:answer()
local key = call:menu{prompt = "en.menu", ["1"] = "sales", ["2"] = "support", invalid = "en.invalid-choice"}
if call:calendar("office") ~= "open" then call:play{{say = "We are closed."}} call:hang_up() end
local row = call:lookup("vip", call.from)
local answer, why = call:http{url = "https://crm.example/callers"}
call:log(key, row and row.name, answer and answer.json.level, why)
local how = call:enqueue(key)
if how == "timeout" then call:transfer{agent = "1001"} end
"#;

    fn typed(name: &str, lines: &str) -> (String, String) {
        let dir = std::env::temp_dir().join(format!("cordboard-flow-run-{name}-{}", std::process::id()));
        std::fs::create_dir_all(dir.join("prompts")).unwrap();
        std::fs::write(dir.join("a.lua"), FLOW).unwrap();
        std::fs::write(dir.join("prompts/texts.tsv"), "# names\nen/menu\ten\tFor sales, press 1.\n").unwrap();
        let args = FlowRunArgs {
            flow: dir.join("a.lua"),
            from: "1001".into(),
            to: "600".into(),
            zone: "Asia/Shanghai".into(),
            save: Some(dir.join("a.test.toml")),
        };
        let mut out = Vec::new();
        // Twice, so that the second is added to the first.
        for _ in 0..2 {
            run(&args, &mut lines.as_bytes(), &mut out).unwrap();
        }
        let told = test(&FlowTestArgs { paths: vec![dir.clone()], trace: true, ..FlowTestArgs::default() });
        let saved = std::fs::read_to_string(dir.join("a.test.toml")).unwrap();
        std::fs::remove_dir_all(&dir).unwrap();
        let told = told.unwrap_or_else(|why| panic!("{why}\n{saved}"));
        assert!(told.ends_with("2 cases in 1 files went as written\n"), "{told}");
        (String::from_utf8(out).unwrap(), saved)
    }

    #[test]
    fn a_call_is_talked_through_in_the_terminal_and_kept_as_a_test_that_passes() {
        let lines = "9\n1\nopen\nname = \"Ann\"\n200 {\"level\": 2}\ntimeout\nno_answer\n";
        let (out, saved) = typed("whole", lines);
        for seen in [
            "\u{201c}For sales, press 1.\u{201d}",
            "log 7: sales Ann 2",
            "> enqueue sales",
            "The flow ended.",
        ] {
            assert!(out.contains(seen), "no {seen:?} in {out}");
        }
        for kept in
            ["digits = \"9\"", "row = { name = \"Ann\" }", "json = { level = 2 }", "failed = \"no_answer\""]
        {
            assert!(saved.contains(kept), "no {kept:?} in {saved}");
        }
    }

    #[test]
    fn the_end_of_what_is_typed_is_the_end_of_the_call_and_what_is_wrong_is_asked_again() {
        let (out, saved) = typed("cut", "1\nperhaps\nclosed\n");
        assert!(out.contains("That is not understood: unknown variant `perhaps`"), "{out}");
        assert!(out.contains("\u{201c}We are closed.\u{201d}"), "{out}");
        assert!(saved.contains("expect = \"hang_up normal\""), "{saved}");
        let (out, saved) = typed("gone", "1\nopen\n\nunreachable\n");
        assert!(out.contains("You hung up."), "{out}");
        assert!(saved.contains("http = \"unreachable\"") && saved.contains("hung_up = true"), "{saved}");
    }
}
