//! Tables of calls and of recordings, with the reference's columns, and dates as it writes them.

use super::super::config::HuaweiTenant;
use crate::gateway::number::of_call;
use crate::switch::RecordingView;
use cordboard_model::calendar::{Moment, moment, zone};
use cordboard_model::cause::Cause;
use cordboard_model::cdr::{Cdr, LegRecord, LegRole};
use cordboard_model::id::{Name, QueueId};
use cordboard_model::time::Wall;
use std::collections::BTreeMap;

/// Most rows of a file.
const ROWS: usize = 10_000;

/// Columns of calls.
pub(crate) const CALLS: [&str; 23] = [
    "developer",
    "account_id",
    "cc_id",
    "agent_id",
    "call_id",
    "caller_no",
    "callee_no",
    "wait_begin",
    "wait_end",
    "ack_begin",
    "ack_end",
    "call_begin",
    "call_end",
    "device_type",
    "device_no",
    "call_type",
    "release_cause",
    "call_id_num",
    "vdn_id",
    "pre_device_type",
    "pre_device_no",
    "skill_id",
    "current_skill_id",
];
/// Columns of recordings.
pub(crate) const RECORDINGS: [&str; 18] = [
    "developer",
    "account_id",
    "cc_id",
    "agent_id",
    "call_id",
    "caller_no",
    "callee_no",
    "call_begin",
    "call_end",
    "file_name",
    "task_status",
    "task_result",
    "original_file_name",
    "vdn_id",
    "call_type",
    "media_type",
    "user_wanted_skill_id",
    "current_skill_id",
];

/// What rows are made with.
pub(crate) struct Maker<'a> {
    pub(crate) tenant: &'a HuaweiTenant,
    pub(crate) skills: &'a BTreeMap<Name, u32>,
    pub(crate) zone: &'a str,
}

fn there(at: Wall, name: &str) -> Option<Moment> {
    zone(name).or_else(|| zone("UTC")).map(|zone| moment(at, &zone))
}

/// `2026-11-22 10:00:00` in a zone.
pub(crate) fn date(at: Wall, zone: &str) -> String {
    let Some(m) = there(at, zone) else { return String::new() };
    format!("{:04}-{:02}-{:02} {:02}:{:02}:{:02}", m.year, m.month, m.day, m.hour, m.minute, m.second)
}

/// `20261122` in a zone.
pub(crate) fn day(at: Wall, zone: &str) -> String {
    date(at, zone).chars().take(10).filter(char::is_ascii_digit).collect()
}

/// Reads `2026-11-22 10:00:00` of a zone. An hour that comes twice is taken the first time.
pub(crate) fn read(text: &str, zone: &str) -> Option<Wall> {
    let text = text.trim();
    let shape = text.len() == 19 && text.as_bytes().get(10) == Some(&b' ');
    let as_utc =
        cordboard_model::calendar::read(&format!("{}Z", text.replacen(' ', "T", 1))).filter(|_| shape)?;
    let off = |at: Wall| there(at, zone).map(|m| i64::from(m.offset) * 1_000);
    let near = Wall(as_utc.0 - off(as_utc)?);
    Some(Wall(as_utc.0 - off(near)?))
}

/// The reference's release cause.
fn cause(cause: Cause) -> u16 {
    match cause {
        Cause::Normal | Cause::Transferred | Cause::AnsweredElsewhere | Cause::FlowEnded => 0,
        Cause::Congestion | Cause::QueueFull => 1,
        Cause::Unreachable | Cause::NotRegistered | Cause::NotFound | Cause::NoRoute => 7,
        Cause::NoAnswer | Cause::QueueTimeout => 8,
        Cause::Declined => 9,
        Cause::Busy => 47,
        Cause::Cancelled => 49,
        _ => 3,
    }
}

/// In, internal or out.
fn kind(cdr: &Cdr) -> u8 {
    let by_trunk = |role: LegRole| cdr.legs.iter().any(|leg| leg.role == role && leg.trunk.is_some());
    match (by_trunk(LegRole::Caller), by_trunk(LegRole::Callee)) {
        (true, _) => 0,
        (false, true) => 7,
        (false, false) => 6,
    }
}

impl Maker<'_> {
    fn skill(&self, queue: Option<&QueueId>) -> String {
        queue.and_then(|queue| self.skills.get(&queue.name)).map(u32::to_string).unwrap_or_default()
    }

    fn date(&self, at: Option<Wall>) -> String {
        at.map(|at| date(at, self.zone)).unwrap_or_default()
    }

    /// Whom a leg reached: an agent, or a flow or number.
    fn device(&self, cdr: &Cdr, leg: Option<&LegRecord>) -> (String, String) {
        let agent = leg.and_then(|leg| leg.agent.as_ref());
        match (agent, cdr.queues.last(), leg) {
            (Some(agent), ..) => ("2".into(), agent.name.to_string()),
            (None, Some(visit), None) => ("1".into(), self.skill(Some(&visit.queue))),
            (None, _, Some(leg)) => ("2".into(), leg.party.user.clone()),
            (None, None, None) => {
                ("3".into(), cdr.flows.last().map(|f| f.name.to_string()).unwrap_or_default())
            }
        }
    }

    /// A row for each leg to somebody, the last one with the cause of the end.
    pub(crate) fn calls(&self, cdr: &Cdr) -> Vec<Vec<String>> {
        let legs: Vec<Option<&LegRecord>> =
            cdr.legs.iter().filter(|leg| leg.role == LegRole::Callee).map(Some).collect();
        let legs = if legs.is_empty() { vec![None] } else { legs };
        let mut before = (String::new(), String::new());
        let count = legs.len();
        let mut rows = Vec::with_capacity(count);
        for (at, leg) in legs.into_iter().enumerate() {
            let agent = leg.and_then(|leg| leg.agent.as_ref());
            let visit =
                cdr.queues.iter().find(|visit| visit.agent.is_some() && visit.agent.as_ref() == agent);
            let visit = visit.or_else(|| cdr.queues.last().filter(|_| leg.is_none()));
            let device = self.device(cdr, leg);
            let is_last = at + 1 == count;
            let why = if is_last { cdr.cause } else { leg.map_or(cdr.cause, |leg| leg.cause) };
            rows.push(vec![
                String::new(),
                cdr.call.tenant.to_string(),
                self.tenant.cc.to_string(),
                agent.map(|agent| agent.name.to_string()).unwrap_or_default(),
                of_call(cdr.call),
                cdr.from.user.clone(),
                cdr.to.user.clone(),
                self.date(visit.map(|visit| visit.entered)),
                self.date(visit.map(|visit| visit.left)),
                self.date(leg.map(|leg| leg.started)),
                self.date(leg.map(|leg| leg.answered.unwrap_or(leg.ended))),
                self.date(leg.map_or(cdr.answered, |leg| leg.answered)),
                self.date(Some(leg.map_or(cdr.ended, |leg| leg.ended))),
                device.0.clone(),
                device.1.clone(),
                kind(cdr).to_string(),
                cause(why).to_string(),
                if is_last { "-1".to_owned() } else { (at + 1).to_string() },
                self.tenant.tenant.vdn.to_string(),
                before.0,
                before.1,
                self.skill(cdr.queues.first().map(|visit| &visit.queue)),
                self.skill(cdr.queues.last().map(|visit| &visit.queue)),
            ]);
            before = device;
        }
        rows
    }

    /// The path by which a recording is asked for.
    pub(crate) fn file_name(&self, view: &RecordingView, agent: &str) -> String {
        let (cc, vdn) = (self.tenant.cc, self.tenant.tenant.vdn);
        let day = day(view.entry.started, self.zone);
        format!("/Y/{cc}/record/{vdn}/{day}/{agent}/{}.wav", view.entry.recording)
    }

    /// A row of a recording, with what is known of its call.
    pub(crate) fn recording(&self, view: &RecordingView, cdr: Option<&Cdr>) -> Vec<String> {
        let entry = &view.entry;
        let agent = entry.parties.iter().find_map(|party| party.agent.as_ref());
        let agent = agent.or_else(|| cdr.and_then(|cdr| cdr.agent.as_ref()));
        let agent = agent.map(|agent| agent.name.to_string()).unwrap_or_else(|| "0".to_owned());
        let length = i64::try_from(entry.length_ms).unwrap_or_default();
        let first = cdr.and_then(|cdr| cdr.queues.first()).map(|visit| &visit.queue);
        let last = cdr.and_then(|cdr| cdr.queues.last()).map(|visit| &visit.queue);
        vec![
            String::new(),
            entry.call.tenant.to_string(),
            self.tenant.cc.to_string(),
            agent.clone(),
            of_call(entry.call),
            cdr.map(|cdr| cdr.from.user.clone()).unwrap_or_default(),
            cdr.map(|cdr| cdr.to.user.clone()).unwrap_or_default(),
            self.date(Some(entry.started)),
            self.date(Some(Wall(entry.started.0.saturating_add(length)))),
            self.file_name(view, &agent),
            String::new(),
            String::new(),
            format!("Y:/{}", entry.recording),
            self.tenant.tenant.vdn.to_string(),
            cdr.map(kind).unwrap_or_default().to_string(),
            "5".to_owned(),
            self.skill(first),
            self.skill(last),
        ]
    }
}

/// Files of at most [`ROWS`] rows, each with a line of names first.
pub(crate) fn files(base: &str, what: &str, names: &[&str], rows: &[Vec<String>]) -> Vec<(String, Vec<u8>)> {
    let one = |(at, rows): (usize, &[Vec<String>])| {
        let mut text = names.join(",") + "\r\n";
        for row in rows {
            let cells: Vec<String> = row.iter().map(|value| crate::figures::cell(value)).collect();
            text.push_str(&cells.join(","));
            text.push_str("\r\n");
        }
        (format!("{base}_{what}_{}.csv", at + 1), text.into_bytes())
    };
    rows.chunks(ROWS).enumerate().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_the_zone_there_and_back() {
        let at = read("2026-11-22 10:00:00", "Asia/Shanghai").unwrap();
        assert_eq!(at, cordboard_model::calendar::read("2026-11-22T02:00:00Z").unwrap());
        assert_eq!(
            (date(at, "Asia/Shanghai"), day(at, "UTC")),
            ("2026-11-22 10:00:00".into(), "20261122".into())
        );
        let summer = read("2026-03-29 03:30:00", "Europe/Berlin").unwrap();
        assert_eq!(date(summer, "Europe/Berlin"), "2026-03-29 03:30:00");
        for wrong in ["", "2026-11-22", "2026-11-22T10:00:00", "2026-13-22 10:00:00", "2026-11-22 10:00:00Z"]
        {
            assert_eq!(read(wrong, "UTC"), None, "{wrong}");
        }
    }

    #[test]
    fn a_file_has_a_line_of_names_and_no_more_than_its_rows() {
        let rows: Vec<Vec<String>> = (0..ROWS + 1).map(|n| vec![n.to_string(), "=1".into()]).collect();
        let files = files("20261122_1", "call", &["n", "x"], &rows);
        assert_eq!(
            files.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(),
            ["20261122_1_call_1.csv", "20261122_1_call_2.csv"]
        );
        assert_eq!(String::from_utf8_lossy(&files[1].1), format!("n,x\r\n{ROWS},'=1\r\n"));
    }
}
