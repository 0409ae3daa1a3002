//! Table 4-2 of the reference documents, what a skill queue is: one test for each row, with its range and its default. What a
//! queue lets its callers hear is in `audio`.

use super::{faults, good};
use cordboard_model::config::Queue;
use cordboard_model::id::{QueueId, TenantId};
use cordboard_model::service::{BusyWhen, Channel, Nobody, QueueKind};
use cordboard_model::verb::Destination;
use core::time::Duration;

/// Two queues; `lines` stand in the first.
fn text(lines: &str) -> String {
    format!("[tenant.default.queue.sales]\n{lines}\n[tenant.default.queue.help]\n")
}

/// The same of chats.
fn chat(lines: &str) -> String {
    text(&format!("kind = \"multimedia\"\n{lines}"))
        .replace("queue.help]", "queue.help]\nkind = \"multimedia\"")
}

/// With somewhere to go for callers whom it is too busy for.
fn busy(lines: &str) -> String {
    text(&format!("on_busy = \"queue:help\"\n{lines}"))
}

fn read(text: &str) -> Queue {
    good(text).snapshot.tenants[&TenantId::DEFAULT].queues["sales"].clone()
}

fn queue(lines: &str) -> Queue {
    read(&text(lines))
}

fn secs(s: u64) -> Duration {
    Duration::from_secs(s)
}

fn help() -> Option<Destination> {
    Some(Destination::Queue(QueueId::new(TenantId::DEFAULT, "help").unwrap()))
}

/// What is good, and what is not, of one key.
fn range(text: fn(&str) -> String, key: &str, right: &[&str], wrong: &[&str]) {
    for value in right {
        good(&text(&format!("{key} = {value}")));
    }
    for value in wrong {
        let said = faults(&text(&format!("{key} = {value}")));
        assert!(said.len() == 1 && said[0].contains(&format!("\"{key}\" in ")), "{key} = {value}: {said:?}");
    }
}

#[test]
fn table_4_2_a_queues_name_is_of_a_hundred_bytes_at_the_most() {
    let (long, longer) = (format!("\"{}\"", "q".repeat(100)), format!("\"{}\"", "q".repeat(101)));
    range(text, "display", &[&long, "\"Verkauf\""], &[&longer]);
    let chinese = format!("\"{}\"", "队".repeat(34));
    range(text, "display", &[], &[&chinese]);
    assert_eq!(queue("display = \"Verkauf\"").display, "Verkauf");
}

#[test]
fn table_4_2_a_description_is_of_fifty_characters_at_the_most() {
    let (long, longer) = (format!("\"{}\"", "队".repeat(50)), format!("\"{}\"", "队".repeat(51)));
    range(text, "description", &["\"\"", &long], &[&longer]);
}

#[test]
fn table_4_2_a_queue_is_of_one_of_five_kinds_voice_if_nothing_is_said() {
    let kinds = ["voice", "video", "multimedia", "voice_click", "video_click"];
    for (kind, is) in kinds.iter().zip([
        QueueKind::Voice,
        QueueKind::Video,
        QueueKind::Multimedia,
        QueueKind::VoiceClick,
        QueueKind::VideoClick,
    ]) {
        assert_eq!(queue(&format!("kind = \"{kind}\"")).service.kind, is);
    }
    range(text, "kind", &[], &["\"fax\""]);
    assert_eq!(queue("").service.kind, QueueKind::Voice);
}

#[test]
fn table_4_2_a_multimedia_queue_has_sub_kinds_or_all() {
    range(chat, "channels", &["[\"web\", \"rcs\"]", "[\"wechat\"]"], &["[\"fax\"]"]);
    assert_eq!(read(&chat("channels = [\"wechat\"]")).service.channels, [Channel::Wechat]);
    assert_eq!(read(&chat("")).service.channels, [], "none are all");
}

#[test]
fn table_4_2_the_longest_wait_is_a_minute() {
    range(text, "max_wait", &["\"1s\"", "\"60000s\""], &["\"999ms\"", "\"60001s\""]);
    assert_eq!(queue("").max_wait, secs(60));
}

#[test]
fn table_4_2_wrap_up_lasts_up_to_the_next_step_of_five_seconds() {
    range(text, "wrap_up", &["\"0s\"", "\"3600s\""], &["\"3601s\""]);
    assert_eq!(queue("").wrap_up, secs(10), "5s, rounded up as the table does");
    for (asked, lasts) in
        [("0s", 0), ("1s", 5), ("4s", 5), ("5s", 10), ("9s", 10), ("12s", 15), ("3600s", 3_605)]
    {
        assert_eq!(queue(&format!("wrap_up = \"{asked}\"")).wrap_up, secs(lasts), "{asked}");
    }
    assert_eq!(queue("wrap_up = \"300ms\"").wrap_up, Duration::from_millis(300));
}

#[test]
fn table_4_2_the_longest_queue_is_of_a_hundred() {
    range(text, "max_length", &["0", "10000"], &["-1", "10001"]);
    range(chat, "max_length", &["1", "10000"], &["0"]);
    assert_eq!(queue("").max_length, 100);
}

#[test]
fn table_4_2_after_the_longest_wait_callers_are_released_or_sent_on() {
    assert_eq!(queue("").service.on_timeout, None);
    assert_eq!(queue("on_timeout = \"release\"").service.on_timeout, None);
    assert_eq!(queue("on_timeout = \"queue:help\"").service.on_timeout, help());
    range(text, "on_timeout", &[], &["\"queue:none\"", "\"nowhere\""]);
    range(chat, "on_timeout", &["\"release\"", "\"queue:help\""], &["\"user:1\""]);
}

#[test]
fn table_4_2_a_busy_queue_releases_or_sends_on() {
    assert_eq!(queue("").service.on_busy, None);
    assert_eq!(queue("on_busy = \"queue:help\"").service.on_busy, help());
    assert_eq!(queue("overflow = \"queue:help\"").service.on_busy, help(), "the other name of it");
    range(text, "on_busy", &[], &["\"queue:none\"", "\"wait\""]);
}

#[test]
fn table_4_2_the_room_that_a_queue_must_have_to_be_sent_to_is_a_percentage() {
    range(busy, "busy_room", &["0", "100"], &["-1", "101"]);
    assert_eq!(queue("on_busy = \"queue:help\"").service.busy_room, None, "it is sent to always");
    assert_eq!(queue("on_busy = \"queue:help\"\nbusy_room = 70").service.busy_room, Some(70));
}

#[test]
fn table_4_2_a_queue_is_busy_by_its_occupancy_or_by_a_wait() {
    range(busy, "busy_occupancy", &["0", "100"], &["-1", "101"]);
    range(busy, "busy_wait", &["\"0s\"", "\"9999s\""], &["\"10000s\""]);
    assert_eq!(read(&busy("")).service.busy_when, None, "when it is full");
    assert_eq!(read(&busy("busy_occupancy = 80")).service.busy_when, Some(BusyWhen::Occupancy(80)));
    assert_eq!(read(&busy("busy_wait = \"9s\"")).service.busy_when, Some(BusyWhen::Wait(secs(9))));
}

#[test]
fn table_4_2_the_longest_queue_may_be_a_share_of_those_signed_in() {
    range(text, "max_length_share", &["0", "10000"], &["-1", "10001"]);
    assert_eq!(queue("").service.length_share, None, "a number");
    assert_eq!(queue("max_length_share = 150").service.length_share, Some(150));
}

#[test]
fn table_4_2_with_nobody_signed_in_callers_are_released_or_sent_on() {
    assert_eq!(queue("").service.nobody, Nobody::Release);
    assert_eq!(queue("on_nobody = \"wait\"").service.nobody, Nobody::Wait);
    range(text, "on_nobody", &["\"queue:help\""], &["\"queue:none\"", "\"releas\""]);
}
