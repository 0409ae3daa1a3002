//! `call:dial{{agent = "1001"}, {user = "anna"}, {trunk = "carrier", number = "+4930123"}, timeout = 20}`: rings one after
//! another until one answers; then the flow ends. `together = true` rings all at once, a list in the list those in it. Gives
//! `nil` and the cause of the last one if nobody does. With `go_on = true` the flow goes on when the called side leaves
//! first, with `"served"` or `"limit"` and who it was.
//!
//! The loop is in the prelude; each round of ringing is a step of its own.

use super::arg::{Arg, BadOption, Options, Table, at_most};
use super::{Asked, Plain, Reply, Request, collect, enqueue, items, transfer};
use cordboard_model::dial::{Accept, DIAL_WAYS_MAX, Dial, DialWay};
use cordboard_model::id::TenantId;
use cordboard_model::media::PlayItem;
use cordboard_model::verb::{Verb, VerbAnswer};

/// As written in a flow.
pub const NAME: &str = "dial";

const TARGETS: [&str; 3] = ["agent", "user", "trunk"];
/// What is of one target.
pub(super) const OF_ONE: [&str; 7] = ["agent", "user", "trunk", "number", "timeout", "caller", "caller_name"];
/// What is of all.
const OF_ALL: [&str; 9] =
    ["timeout", "caller", "caller_name", "together", "whisper", "accept", "music", "talk", "go_on"];
/// What is of a target that stands alone.
const ALONE: [&str; 13] = [
    "agent",
    "user",
    "trunk",
    "number",
    "timeout",
    "caller",
    "caller_name",
    "together",
    "whisper",
    "accept",
    "music",
    "talk",
    "go_on",
];
/// Longest ringing, seconds.
const TIMEOUT_MAX: f64 = 600.0;
/// Longest talk that can be asked for, seconds.
const TALK_MAX: f64 = 86_400.0;
/// Time to accept if none is given, milliseconds; the longest, seconds.
const ACCEPT_MS: u32 = 10_000;
const ACCEPT_MAX: f64 = 60.0;
/// The key that accepts if none is given.
const ACCEPT_KEY: char = '1';
/// Longest number or name shown as calling, bytes.
const CALLER_MAX: usize = 64;

/// Reads everything, and gives the round of this number (from one).
pub fn request(tenant: TenantId, args: &[Arg]) -> Result<Request, BadOption> {
    let mut rounds = read(tenant, args.get(..1).unwrap_or_default())?;
    let at = match args.get(1) {
        Some(Arg::Int(n)) => usize::try_from(*n).unwrap_or_default().saturating_sub(1),
        _ => 0,
    };
    if at >= rounds.len() {
        return Err(BadOption::new(NAME, "takes one table"));
    }
    Ok((Verb::Dial(Box::new(rounds.swap_remove(at))), Asked::Dial))
}

/// Checks everything before anybody is rung, and gives the number of rounds.
pub fn targets(tenant: TenantId, args: &[Arg]) -> Result<i64, BadOption> {
    at_most(NAME, args, 1)?;
    let rounds = read(tenant, args)?;
    Ok(i64::try_from(rounds.len()).unwrap_or_default())
}

/// Reads the answer.
pub fn reply(answer: VerbAnswer) -> Reply {
    match answer {
        VerbAnswer::Dialled { end, who } => Reply::Values(vec![Plain::text(end.as_str()), Plain::text(who)]),
        // who was dialled sent the caller to a queue, where nobody took him
        VerbAnswer::Queue(_) => enqueue::reply(answer),
        _ => Reply::End,
    }
}

fn read(tenant: TenantId, args: &[Arg]) -> Result<Vec<Dial>, BadOption> {
    let Some(Arg::Table(table)) = args.first() else {
        return Err(BadOption::new(NAME, "takes one table"));
    };
    let is_list = !table.list.is_empty();
    if is_list
        && let Some(name) = table
            .named
            .keys()
            .find(|name| OF_ONE.contains(&name.as_str()) && !OF_ALL.contains(&name.as_str()))
    {
        let text = format!("option '{name}' stands beside a list; it belongs into it");
        return Err(BadOption::new(NAME, text));
    }
    let known: &'static [&'static str] = if is_list { &OF_ALL } else { &ALONE };
    let all = Arg::Table(Table { list: Vec::new(), named: table.named.clone() });
    let options = Options::new(NAME, Some(&all), known)?;
    let common = common(&options, tenant)?;
    let usual = shown_and_time(&options, None)?;
    let groups = match () {
        () if !is_list => vec![vec![way(&options, tenant, &usual)?]],
        () if options.flag("together", false)? => {
            vec![flat(tenant, &table.list, &usual)?]
        }
        () => table
            .list
            .iter()
            .map(|entry| flat(tenant, core::slice::from_ref(entry), &usual))
            .collect::<Result<Vec<_>, _>>()?,
    };
    if groups.iter().map(Vec::len).sum::<usize>() > DIAL_WAYS_MAX {
        return Err(BadOption::new(NAME, format!("more than {DIAL_WAYS_MAX} targets")));
    }
    let last = groups.len().saturating_sub(1);
    let round = |(at, ways)| Dial { ways, more: at < last, ..common.clone() };
    Ok(groups.into_iter().enumerate().map(round).collect())
}

/// Targets, and lists of targets.
fn flat(tenant: TenantId, entries: &[Arg], usual: &DialWayOptions) -> Result<Vec<DialWay>, BadOption> {
    let mut ways = Vec::new();
    for entry in entries {
        match entry {
            Arg::Table(table) if !table.list.is_empty() => {
                if let Some(name) = table.named.keys().next() {
                    let text = format!("a list of targets that ring together cannot have '{name}' in it");
                    return Err(BadOption::new(NAME, text));
                }
                for target in &table.list {
                    ways.push(way(&Options::new(NAME, Some(target), &OF_ONE)?, tenant, usual)?);
                }
            }
            target => ways.push(way(&Options::new(NAME, Some(target), &OF_ONE)?, tenant, usual)?),
        }
    }
    Ok(ways)
}

/// For how long it rings and who is shown as calling.
#[derive(Clone, Default)]
pub(super) struct DialWayOptions {
    timeout_ms: Option<u32>,
    number: Option<String>,
    name: Option<String>,
}

/// Reads them; what is not said is as in `usual`.
pub(super) fn shown_and_time(
    options: &Options<'_>,
    usual: Option<&DialWayOptions>,
) -> Result<DialWayOptions, BadOption> {
    let usual = usual.cloned().unwrap_or_default();
    let timeout = options.millis("timeout", 1.0, TIMEOUT_MAX)?;
    let number = options.text("caller")?;
    if let Some(number) = number {
        let allowed = |c: char| c.is_ascii_alphanumeric() || "+*#-._".contains(c);
        if number.is_empty() || number.len() > CALLER_MAX || !number.chars().all(allowed) {
            return Err(options.wrong(format!("{number:?} is not a number that can be shown as calling")));
        }
    }
    let name = options.text("caller_name")?;
    if let Some(name) = name
        && (name.len() > CALLER_MAX || name.chars().any(|c| c.is_control() || c == '"' || c == '\\'))
    {
        return Err(options.wrong(format!("{name:?} is not a name that can be shown as calling")));
    }
    Ok(DialWayOptions {
        timeout_ms: timeout.or(usual.timeout_ms),
        // a name goes with its number: that of all is not shown with the number of one
        name: name.map(str::to_owned).or(if number.is_some() { None } else { usual.name }),
        number: number.map(str::to_owned).or(usual.number),
    })
}

/// Reads one who is rung.
pub(super) fn way(
    options: &Options<'_>,
    tenant: TenantId,
    usual: &DialWayOptions,
) -> Result<DialWay, BadOption> {
    let to = transfer::target(options, tenant, &TARGETS)?;
    let DialWayOptions { timeout_ms, number, name } = shown_and_time(options, Some(usual))?;
    Ok(DialWay { to, timeout_ms, number, name })
}

/// What is of all targets; the targets are added.
fn common(options: &Options<'_>, tenant: TenantId) -> Result<Dial, BadOption> {
    let played = |name: &str| {
        let mut list: Vec<PlayItem> = Vec::new();
        if let Some(arg) = options.raw(name) {
            items::read(NAME, tenant, arg, &mut list)?;
        }
        Ok(list)
    };
    Ok(Dial {
        ways: Vec::new(),
        whisper: played("whisper")?,
        accept: options.raw("accept").map(|arg| accept(tenant, arg)).transpose()?,
        music: played("music")?,
        talk_ms: options.millis("talk", 1.0, TALK_MAX)?,
        go_on: options.flag("go_on", false)?,
        more: false,
    })
}

/// `{prompt = "en.press-one", key = "1", refuse = "2", timeout = 10}`.
fn accept(tenant: TenantId, arg: &Arg) -> Result<Accept, BadOption> {
    let Arg::Table(_) = arg else {
        let text = format!("option 'accept' must be a table, not a {}", arg.type_name());
        return Err(BadOption::new(NAME, text));
    };
    let options = Options::new("dial: accept", Some(arg), &["prompt", "key", "refuse", "timeout"])?;
    let mut prompt = Vec::new();
    if let Some(arg) = options.raw("prompt") {
        items::read(NAME, tenant, arg, &mut prompt)?;
    }
    let key = |name: &str| match options.raw(name) {
        None => Ok(None),
        Some(Arg::Int(n @ 0..=9)) => Ok(char::from_digit(u32::try_from(*n).unwrap_or_default(), 10)),
        Some(Arg::Text(text)) if text.len() == 1 && collect::KEYS.contains(text) => Ok(text.chars().next()),
        Some(_) => Err(options.wrong(format!("option '{name}' must be one of the keys {}", collect::KEYS))),
    };
    let (takes, refuse) = (key("key")?.unwrap_or(ACCEPT_KEY), key("refuse")?);
    if refuse == Some(takes) {
        return Err(options.wrong("one key cannot take and refuse the call"));
    }
    let timeout_ms = options.millis("timeout", 1.0, ACCEPT_MAX)?.unwrap_or(ACCEPT_MS);
    Ok(Accept { prompt, key: takes, refuse, timeout_ms })
}

#[cfg(test)]
mod tests {
    use super::super::arg::build::{table, text};
    use super::*;
    use cordboard_model::dial::DialEnd;
    use cordboard_model::verb::QueueEnd;

    fn asked(args: &[Arg]) -> Result<i64, String> {
        targets(TenantId::DEFAULT, args).map_err(|error| error.0)
    }

    fn round(arg: &Arg, n: i64) -> Dial {
        match request(TenantId::DEFAULT, &[arg.clone(), Arg::Int(n)]) {
            Ok((Verb::Dial(dial), Asked::Dial)) => *dial,
            other => panic!("{other:?}"),
        }
    }

    fn agent(name: &str) -> Arg {
        table(&[("agent", text(name))], &[])
    }

    #[test]
    fn one_target_or_a_list_with_a_time_for_all() {
        let agent = table(&[("agent", text("1001")), ("timeout", Arg::Int(20))], &[]);
        assert_eq!(asked(std::slice::from_ref(&agent)), Ok(1));
        let trunk = table(&[("trunk", text("c")), ("number", text("+4930"))], &[]);
        let list = table(&[("timeout", Arg::Int(9))], &[agent.clone(), trunk.clone()]);
        assert_eq!(asked(std::slice::from_ref(&list)), Ok(2));
        assert_eq!(round(&list, 1).ways[0].timeout_ms, Some(20_000), "its own");
        assert_eq!(round(&list, 2).ways[0].timeout_ms, Some(9_000), "that of all");
        assert_eq!(round(&trunk, 1).ways[0].timeout_ms, None);
        assert_eq!((round(&list, 1).more, round(&list, 2).more), (true, false));
    }

    #[test]
    fn those_who_ring_together_are_one_round() {
        let group = table(&[], &[agent("1001"), agent("1002")]);
        let list = table(&[], &[group, agent("1003")]);
        assert_eq!(asked(std::slice::from_ref(&list)), Ok(2));
        assert_eq!((round(&list, 1).ways.len(), round(&list, 2).ways.len()), (2, 1));
        let all = table(&[("together", Arg::Bool(true))], &[agent("1001"), agent("1002"), agent("1003")]);
        assert_eq!(asked(std::slice::from_ref(&all)), Ok(1));
        assert_eq!(round(&all, 1).ways.len(), 3);
    }

    #[test]
    fn what_each_side_hears_and_who_is_shown() {
        let question =
            table(&[("prompt", text("q")), ("refuse", Arg::Int(2)), ("timeout", Arg::Int(5))], &[]);
        let own = table(&[("user", text("anna")), ("caller", text("+4940"))], &[]);
        let all = [
            ("caller", text("+4930")),
            ("caller_name", text("Sales")),
            ("whisper", text("w")),
            ("accept", question),
            ("music", text("m")),
            ("talk", Arg::Int(60)),
            ("go_on", Arg::Bool(true)),
        ];
        let dial = round(&table(&all, &[agent("1001"), own]), 2);
        assert_eq!((dial.ways[0].number.as_deref(), dial.ways[0].name.as_deref()), (Some("+4940"), None));
        let accept = dial.accept.unwrap();
        assert_eq!((accept.key, accept.refuse, accept.timeout_ms), ('1', Some('2'), 5_000));
        assert_eq!((dial.whisper.len(), dial.music.len(), accept.prompt.len()), (1, 1, 1));
        assert_eq!((dial.talk_ms, dial.go_on), (Some(60_000), true));
        let first = round(&table(&all[..2], &[agent("1001")]), 1);
        assert_eq!(
            (first.ways[0].number.as_deref(), first.ways[0].name.as_deref()),
            (Some("+4930"), Some("Sales"))
        );
    }

    #[test]
    fn wrong_targets_are_refused_before_anybody_is_rung() {
        let good = agent("1001");
        let bad = table(&[("queue", text("sales"))], &[]);
        let with = |named: &[(&str, Arg)]| asked(&[table(named, std::slice::from_ref(&good))]).unwrap_err();
        assert!(
            asked(&[table(&[], &[good.clone(), bad])])
                .unwrap_err()
                .starts_with("dial: unknown option 'queue'")
        );
        assert_eq!(asked(&[]), Err("dial: takes one table".into()));
        assert_eq!(asked(&[table(&[], &[])]), Err("dial: needs exactly one of agent, user, trunk".into()));
        assert_eq!(asked(&[table(&[], &vec![good.clone(); 17])]), Err("dial: more than 16 targets".into()));
        assert_eq!(
            with(&[("agent", text("x"))]),
            "dial: option 'agent' stands beside a list; it belongs into it"
        );
        assert_eq!(
            with(&[("timeout", Arg::Int(0))]),
            "dial: option 'timeout' must be 1 to 600 seconds, not 0"
        );
        assert_eq!(
            with(&[("caller", text("+49 30"))]),
            "dial: \"+49 30\" is not a number that can be shown as calling"
        );
        assert!(
            with(&[("caller_name", text("a\"b"))]).ends_with("is not a name that can be shown as calling")
        );
        assert_eq!(
            with(&[("accept", table(&[("key", text("12"))], &[]))]),
            "dial: accept: option 'key' must be one of the keys 0123456789*#ABCD"
        );
        assert_eq!(
            with(&[("accept", table(&[("refuse", Arg::Int(1))], &[]))]),
            "dial: accept: one key cannot take and refuse the call"
        );
        assert_eq!(with(&[("wisper", text("x"))]), "dial: unknown option 'wisper'; did you mean 'whisper'?");
    }

    #[test]
    fn the_flow_ends_or_hears_how_the_talk_ended_and_with_whom() {
        assert_eq!(reply(VerbAnswer::Done), Reply::End);
        let answer = VerbAnswer::Dialled { end: DialEnd::Served, who: "anna".into() };
        assert_eq!(reply(answer), Reply::Values(vec![Plain::text("served"), Plain::text("anna")]));
        let queued = reply(VerbAnswer::Queue(QueueEnd::Timeout));
        assert_eq!(queued, Reply::Values(vec![Plain::text("timeout")]));
    }
}
