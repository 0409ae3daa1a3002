//! A verb as scripts, traces and logs write it.

use cordboard_model::ask::{Ask, CallbackAsk};
use cordboard_model::conference::Conference;
use cordboard_model::data;
use cordboard_model::dial::{Dial, DialWay};
use cordboard_model::fetch::Fetch;
use cordboard_model::media::{PlayItem, Tone};
use cordboard_model::service::AgentOrder;
use cordboard_model::signin::PhoneAct;
use cordboard_model::time::Duration;
use cordboard_model::verb::{Destination, First, Verb, Wish};

/// A verb in one line, as scripts write it.
pub fn line(verb: &Verb) -> String {
    match verb {
        Verb::Answer => "answer".to_owned(),
        Verb::Play { items, barge_in } => {
            let keys = if *barge_in { "" } else { " barge_in=false" };
            format!("play {}{keys}", items_line(items))
        }
        Verb::Collect {
            prompt,
            min,
            max,
            terminators,
            first_timeout_ms,
            inter_timeout_ms,
            patterns,
            secret,
            ear,
            ..
        } => {
            let like =
                if patterns.is_empty() { String::new() } else { format!(" patterns={}", patterns.join(",")) };
            let speech = if ear.is_some() { " speech" } else { "" };
            format!(
                "collect {} max={max} min={min} terminators={terminators} first={} inter={}{like}{}{speech}",
                items_line(prompt),
                seconds(*first_timeout_ms),
                seconds(*inter_timeout_ms),
                if *secret { " secret" } else { "" }
            )
        }
        Verb::Record { act, why } => format!("record {} {why}", act.as_str()).trim_end().to_owned(),
        Verb::Enqueue { queue, timeout_ms, priority, keys, staffed, wish } => {
            let timeout = timeout_ms.map_or("queue's".to_owned(), seconds);
            let keys = if keys.is_empty() { String::new() } else { format!(" keys={keys}") };
            let staffed = if *staffed { " staffed" } else { "" };
            let agent = wish.as_ref().map(agent_wanted).unwrap_or_default();
            format!("enqueue {} timeout={timeout} priority={priority}{keys}{staffed}{agent}", queue.name)
        }
        Verb::Stream { url, .. } => format!("stream {url}"),
        Verb::Transfer { to } => format!("transfer {}", destination(to)),
        Verb::Dial(dial) => dialled(dial),
        Verb::Conference(conference) => conferred(conference),
        Verb::Ring => "ring".to_owned(),
        Verb::Reject { cause } => format!("reject {}", cause.as_str()),
        Verb::HangUp { cause } => format!("hang_up {}", cause.as_str()),
        Verb::SetData { key, value } => format!("set {key} = {}", data::shown(value)),
        Verb::GetData { key } => format!("get {key}"),
        Verb::Ask(ask) => asked(ask),
        // Neither the query nor the body: they may hold what is nobody's business.
        Verb::Http(fetch) => asked_of(fetch),
        Verb::Phone(act) => keyed(act),
        Verb::First(first) => awaited(first),
        Verb::Wait { ms } => format!("wait {}", seconds(*ms)),
        Verb::Log { text } => format!("log {text}"),
    }
}

/// The agent a caller is to wait for.
fn agent_wanted(wish: &Wish) -> String {
    let wait = |wait: Duration| {
        let ms = u32::try_from(wait.as_millis()).unwrap_or(u32::MAX);
        format!(" agent_wait={}", seconds(ms))
    };
    format!(" agent={}{}", wish.agent.name, wish.wait.map(wait).unwrap_or_default())
}

fn asked_of(fetch: &Fetch) -> String {
    format!("http {} {}", fetch.method.as_str(), fetch.url.split('?').next().unwrap_or_default())
}

/// What is waited for; a question alone, with music, is written as one without.
fn awaited(first: &First) -> String {
    let mut words = Vec::new();
    if first.key || first.ms.is_some() {
        words.push("first".to_owned());
    }
    if first.key {
        words.push("key".to_owned());
    }
    words.extend(first.ms.map(|ms| format!("seconds={}", seconds(ms))));
    words.extend(first.fetch.as_ref().map(|fetch| asked_of(fetch)));
    if !first.music.is_empty() {
        words.push(format!("music={}", items_line(&first.music)));
    }
    words.join(" ")
}

fn seconds(ms: u32) -> String {
    format!("{}", f64::from(ms) / 1_000.0)
}

fn items_line(items: &[PlayItem]) -> String {
    if items.is_empty() {
        return "-".to_owned();
    }
    let word = |item: &PlayItem| match item {
        PlayItem::Asset(id) => id.name.to_string(),
        PlayItem::Silence(ms) => format!("silence:{}", seconds(*ms)),
        PlayItem::Say(speech) => format!("say:{}:{:?}", speech.language, speech.text),
        PlayItem::Tone(tone, ms) => {
            let name = match (tone, tone.signal()) {
                (Tone::Hertz(hertz), _) => hertz.to_string(),
                (_, Some(signal)) => signal.name().to_owned(),
                (_, None) => "beep".to_owned(),
            };
            format!("tone:{name}:{}", seconds(*ms))
        }
    };
    items.iter().map(word).collect::<Vec<_>>().join(" ")
}

/// Who rings, each with his own.
fn rung(ways: &[DialWay]) -> String {
    let way = |way: &DialWay| {
        let mut text = destination(&way.to);
        let timeout = way.timeout_ms.map(seconds);
        for (name, value) in [("timeout", &timeout), ("caller", &way.number), ("caller_name", &way.name)] {
            if let Some(value) = value {
                text.push_str(&format!(" {name}={value}"));
            }
        }
        text
    };
    ways.iter().map(way).collect::<Vec<_>>().join(" + ")
}

/// Who rings, and then what is of all.
fn conferred(conference: &Conference) -> String {
    let mut text = format!("conference {}", rung(&conference.ways));
    if !conference.music.is_empty() {
        text.push_str(&format!(" music={}", items_line(&conference.music)));
    }
    if let Some(talk) = conference.talk_ms {
        text.push_str(&format!(" talk={}", seconds(talk)));
    }
    if conference.without_caller {
        text.push_str(" without_caller");
    }
    text
}

/// Who rings, and then what is of all.
fn dialled(dial: &Dial) -> String {
    let mut text = format!("dial {}", rung(&dial.ways));
    for (name, list) in [("whisper", &dial.whisper), ("music", &dial.music)] {
        if !list.is_empty() {
            text.push_str(&format!(" {name}={}", items_line(list)));
        }
    }
    if let Some(accept) = &dial.accept {
        let refuse = accept.refuse.map(|key| format!("/{key}")).unwrap_or_default();
        text.push_str(&format!(" accept={}{refuse}", accept.key));
    }
    if let Some(talk) = dial.talk_ms {
        text.push_str(&format!(" talk={}", seconds(talk)));
    }
    if dial.go_on {
        text.push_str(" go_on");
    }
    text
}

fn destination(to: &Destination) -> String {
    match to {
        Destination::Flow(id) => format!("flow {}", id.name),
        Destination::Queue(id) => format!("queue {}", id.name),
        Destination::Agent(id) => format!("agent {}", id.name),
        Destination::User(id) => format!("user {}", id.name),
        Destination::Trunk(id, number) => format!("trunk {} {number}", id.name),
    }
}

/// Not the note and the data: they may be long.
fn called_back(ask: &CallbackAsk) -> String {
    let mut text = "callback".to_owned();
    let options = [
        ("queue", ask.queue.as_ref().map(|queue| queue.name.to_string())),
        ("number", ask.number.clone()),
        ("first", ask.first.map(|first| first.as_str().to_owned())),
        ("attempts", ask.attempts.map(|n| n.to_string())),
        ("every", ask.every.map(|s| s.to_string())),
        ("expires", ask.expires.map(|s| s.to_string())),
        ("calendar", ask.calendar.as_ref().map(ToString::to_string)),
    ];
    for (name, value) in options {
        if let Some(value) = value {
            text.push_str(&format!(" {name}={value}"));
        }
    }
    text
}

/// What an agent on a telephone does; his passwords are nobody's business.
fn keyed(act: &PhoneAct) -> String {
    let because =
        |reason: &Option<String>| reason.iter().map(|reason| format!(" {reason}")).collect::<String>();
    match act {
        PhoneAct::SignIn { agent, new, take_over, .. } => {
            let new = if new.is_some() { " new" } else { "" };
            let take_over = if *take_over { " take_over" } else { "" };
            format!("agent_sign_in {agent}{new}{take_over}")
        }
        PhoneAct::Want(AgentOrder::NotReady { reason }) => {
            format!("agent_state not_ready{}", because(reason))
        }
        PhoneAct::Want(AgentOrder::Rest { reason, .. }) => format!("agent_state rest{}", because(reason)),
        PhoneAct::Want(AgentOrder::Ready) => "agent_state ready".to_owned(),
        PhoneAct::Want(AgentOrder::SignOut) => "agent_state sign_out".to_owned(),
        PhoneAct::Want(AgentOrder::SignIn) => "agent_state sign_in".to_owned(),
        PhoneAct::Want(AgentOrder::Chats { most }) => format!("agent_state chats {most}"),
    }
}

fn asked(ask: &Ask) -> String {
    match ask {
        Ask::Now { zone: None } => "now".to_owned(),
        Ask::Now { zone: Some(zone) } => format!("now {zone}"),
        Ask::Calendar { name } => format!("calendar {name}"),
        Ask::Queue { queue: Some(queue) } => format!("queue {}", queue.name),
        Ask::Queue { queue: None } => "queue".to_owned(),
        Ask::Lookup { table, key } => format!("lookup {table} {key}"),
        Ask::Callback(ask) => called_back(ask),
        Ask::Count { name, add, most, seconds } => {
            let most = most.map(|most| format!(" most={most}")).unwrap_or_default();
            format!("count {name} add={add}{most} seconds={seconds}")
        }
    }
}
