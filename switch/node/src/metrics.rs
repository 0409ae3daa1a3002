//! /metrics and /healthz, from the numbers that threads leave.

use crate::gauges::{BuilderGauges, MediaGauges, ShardGauges};
use crate::guard;
use crate::hub::EventGauges;
use crate::journal::JournalGauges;
use crate::recordings::RecorderGauges;
use crate::streams::StreamCounts;
use crate::transport::StreamGauges;
use crate::webhooks::WebhookGauges;
use cordboard_api::switch::Health;
use cordboard_lane::LaneStats;
use cordboard_store::Store;
use std::fmt::Write;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Instant;

/// Reads the counters of one lane.
pub type LaneReading = Box<dyn Fn() -> LaneStats + Send + Sync>;

/// Everything that is counted.
pub struct Gauges {
    /// The start.
    pub started: Instant,
    /// Of the signalling thread.
    pub shard: Arc<ShardGauges>,
    /// Of TCP, TLS and WebSocket connections.
    pub streams: Arc<StreamGauges>,
    /// Of the media threads.
    pub media: Vec<Arc<MediaGauges>>,
    /// Of who makes what the media threads need.
    pub builder: Arc<BuilderGauges>,
    /// Of streams to programs.
    pub programs: Arc<StreamCounts>,
    /// Of the event stream.
    pub events: Arc<EventGauges>,
    /// Of webhooks.
    pub webhooks: Arc<WebhookGauges>,
    /// Passwords that nobody looked at, for too many waited.
    pub passwords_refused: Arc<AtomicU64>,
    /// Of the journal.
    pub journal: Arc<JournalGauges>,
    /// Of the recording writer.
    pub recorder: Arc<RecorderGauges>,
    /// The database.
    pub store: Arc<Store>,
    /// Lanes.
    pub lanes: Vec<LaneReading>,
}

pub(crate) fn line(out: &mut String, kind: &str, name: &str, help: &str, value: u64) {
    // Writing to a String cannot fail.
    let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}");
}

impl Gauges {
    /// Of a switch that starts now.
    pub fn new(media: Vec<Arc<MediaGauges>>, store: Arc<Store>, lanes: Vec<LaneReading>) -> Self {
        Self {
            started: Instant::now(),
            shard: Arc::default(),
            media,
            builder: Arc::default(),
            streams: Arc::default(),
            programs: Arc::default(),
            events: Arc::default(),
            webhooks: Arc::default(),
            passwords_refused: Arc::default(),
            journal: Arc::default(),
            recorder: Arc::default(),
            store,
            lanes,
        }
    }

    fn media(&self, of: impl Fn(&MediaGauges) -> &AtomicU64) -> u64 {
        self.media.iter().map(|gauges| of(gauges).load(Relaxed)).sum()
    }

    /// The Prometheus text format, version 0.0.4.
    pub fn render(&self) -> String {
        let mut out = String::with_capacity(4_096);
        let o = &mut out;
        line(
            o,
            "gauge",
            "cordboard_uptime_seconds",
            "Seconds since the start.",
            self.started.elapsed().as_secs(),
        );
        self.render_calls(o);
        self.render_chats(o);
        let media = |of: fn(&MediaGauges) -> &AtomicU64| self.media(of);
        line(o, "counter", "cordboard_rtp_received_total", "RTP packets received.", media(|m| &m.received));
        line(
            o,
            "counter",
            "cordboard_rtp_looped_total",
            "Packets of ours that a peer made come back, dropped.",
            media(|m| &m.looped),
        );
        line(
            o,
            "counter",
            "cordboard_rtp_late_total",
            "Packets for a port whose leg had ended, dropped.",
            media(|m| &m.late),
        );
        line(o, "counter", "cordboard_rtp_sent_total", "RTP and RTCP packets sent.", media(|m| &m.sent));
        line(
            o,
            "counter",
            "cordboard_rtp_send_failed_total",
            "Packets that could not be sent.",
            media(|m| &m.send_failed),
        );
        line(o, "gauge", "cordboard_media_legs", "Legs with media.", media(|m| &m.legs));
        line(
            o,
            "gauge",
            "cordboard_media_ports_free",
            "Free pairs of media ports.",
            media(|m| &m.ports_free),
        );
        line(
            o,
            "gauge",
            "cordboard_media_io_uring",
            "Media threads whose sockets are asked for by io_uring.",
            media(|m| &m.io_uring),
        );
        self.render_builder(o);
        self.render_streams(o);
        self.render_programs(o);
        self.render_records(o);
        self.events.render(o);
        self.webhooks.render(o);
        self.render_lanes(o);
        out
    }

    /// What media threads need for legs: made and freed beside them, or by themselves.
    fn render_builder(&self, o: &mut String) {
        let s = |gauge: &AtomicU64| gauge.load(Relaxed);
        let builder = &self.builder;
        line(o, "counter", "cordboard_media_kits_total", "Kits made for commands.", s(&builder.kits));
        line(o, "counter", "cordboard_media_freed_total", "Parts of legs freed.", s(&builder.freed));
        line(
            o,
            "counter",
            "cordboard_media_made_on_thread_total",
            "Parts that media threads made themselves: those of browsers' keys and of mixes.",
            self.media(|m| &m.made_here),
        );
        line(
            o,
            "counter",
            "cordboard_media_freed_on_thread_total",
            "Parts that media threads freed themselves, for their lane was full.",
            self.media(|m| &m.freed_here),
        );
    }

    fn render_chats(&self, o: &mut String) {
        let s = |gauge: &AtomicU64| gauge.load(Relaxed);
        let shard = &self.shard;
        line(o, "gauge", "cordboard_chats", "Chats that are not over.", s(&shard.chats_up));
        line(
            o,
            "gauge",
            "cordboard_chats_journal_owed",
            "Steps of chats that the journal has still to write, before anybody is told.",
            s(&shard.chats_owed),
        );
        line(o, "counter", "cordboard_chats_total", "Chats opened.", s(&shard.chats));
        line(o, "counter", "cordboard_chats_ended_total", "Chats that are over.", s(&shard.chats_ended));
        line(
            o,
            "counter",
            "cordboard_chat_messages_total",
            "Messages said in chats, by customers and agents.",
            s(&shard.chat_messages),
        );
    }

    fn render_calls(&self, o: &mut String) {
        let s = |gauge: &AtomicU64| gauge.load(Relaxed);
        let shard = &self.shard;
        line(o, "gauge", "cordboard_calls", "Calls up.", s(&shard.calls_up));
        line(o, "counter", "cordboard_calls_total", "Calls taken.", s(&shard.calls));
        line(o, "counter", "cordboard_calls_ended_total", "Calls with a record.", s(&shard.calls_ended));
        line(
            o,
            "counter",
            "cordboard_calls_refused_total",
            "Calls refused for a limit or a stop.",
            s(&shard.calls_refused),
        );
        line(
            o,
            "counter",
            "cordboard_passwords_refused_total",
            "Passwords not looked at, for too many waited.",
            s(&self.passwords_refused),
        );
        line(o, "counter", "cordboard_sip_received_total", "SIP messages received.", s(&shard.sip_messages));
        line(o, "counter", "cordboard_sip_sent_total", "SIP messages sent.", s(&shard.sip_sent));
        line(
            o,
            "counter",
            "cordboard_sip_send_failed_total",
            "SIP messages not sent.",
            s(&shard.sip_send_failed),
        );
        line(o, "gauge", "cordboard_trunk_gateways_down", "Gateways down.", s(&shard.gateways_down));
        for (name, help, gauge) in [
            ("bans", "Bans of sources.", &shard.bans),
            (
                "guard_dropped",
                "Messages of banned sources and scanners, dropped unread.",
                &shard.guard_dropped,
            ),
            ("guard_unanswered", "Answers to strangers that were not sent.", &shard.guard_unanswered),
            ("overload_refused", "Requests refused for the load of the switch.", &shard.overload),
            ("limit_refused", "Calls over the limit of an account or a called number.", &shard.over_limit),
        ] {
            line(o, "counter", &format!("cordboard_sip_{name}_total"), help, s(gauge));
        }
        line(o, "gauge", "cordboard_sip_transactions", "SIP transactions.", s(&shard.transactions));
        line(o, "counter", "cordboard_panics_total", "Panics that ended a call.", s(&shard.panics));
        line(o, "counter", "cordboard_panics_caught_total", "Panics caught in all threads.", guard::caught());
    }

    fn render_programs(&self, o: &mut String) {
        let p = |gauge: &AtomicU64| gauge.load(Relaxed);
        let programs = &self.programs;
        line(o, "gauge", "cordboard_programs", "Streams of calls to programs.", p(&programs.on));
        for (name, help, gauge) in [
            ("begun", "Streams that flows began.", &programs.begun),
            ("failed", "Streams that had no connection, or lost it.", &programs.failed),
            ("dropped_out", "Pieces of 20 ms that programs did not take in time.", &programs.dropped_out),
            ("dropped_in", "Samples of programs that found no room.", &programs.dropped_in),
        ] {
            line(o, "counter", &format!("cordboard_programs_{name}_total"), help, p(gauge));
        }
    }

    fn render_streams(&self, o: &mut String) {
        let s = |gauge: &AtomicU64| gauge.load(Relaxed);
        let streams = &self.streams;
        line(o, "gauge", "cordboard_sip_connections", "SIP connections open.", s(&streams.open));
        for (name, help, gauge) in [
            ("accepted", "Connections that peers opened.", &streams.accepted),
            ("connected", "Connections that the switch opened.", &streams.connected),
            ("unreachable", "Connections that could not be opened.", &streams.unreachable),
            ("refused", "Connections over a limit.", &streams.refused),
            ("idle", "Connections closed for silence.", &streams.idle),
            ("slow", "Connections closed for taking nothing.", &streams.slow),
            ("broken", "Connections closed for what could not be followed.", &streams.broken),
            ("handshakes_failed", "TLS and WebSocket handshakes that failed.", &streams.handshakes_failed),
        ] {
            line(o, "counter", &format!("cordboard_sip_connections_{name}_total"), help, s(gauge));
        }
    }

    fn render_records(&self, o: &mut String) {
        let j = |gauge: &AtomicU64| gauge.load(Relaxed);
        let (journal, recorder) = (&self.journal, &self.recorder);
        line(o, "counter", "cordboard_journal_records_total", "Journal records.", j(&journal.records));
        line(o, "counter", "cordboard_journal_commits_total", "Journal writes.", j(&journal.commits));
        line(o, "counter", "cordboard_journal_failed_total", "Failed journal writes.", j(&journal.failed));
        line(
            o,
            "counter",
            "cordboard_journal_late_total",
            "Records later than allowed.",
            j(&self.shard.journal_late),
        );
        line(o, "gauge", "cordboard_journal_bytes", "Size of the journal.", j(&journal.bytes));
        line(o, "gauge", "cordboard_journal_unstored", "Records the database has not.", j(&journal.unstored));
        line(o, "gauge", "cordboard_recordings_open", "Recordings being written.", j(&recorder.open));
        line(
            o,
            "counter",
            "cordboard_recordings_failed_total",
            "Recordings that failed.",
            j(&recorder.failed),
        );
        let store = self.store.status();
        line(o, "counter", "cordboard_store_written_total", "Records in the database.", store.written);
        line(o, "counter", "cordboard_store_refused_total", "Records it had no room for.", store.refused);
        line(o, "gauge", "cordboard_store_queued", "Records that wait for it.", store.queued);
    }

    fn render_lanes(&self, o: &mut String) {
        let readings: Vec<LaneStats> = self.lanes.iter().map(|read| read()).collect();
        type Column = (&'static str, &'static str, &'static str, fn(&LaneStats) -> u64);
        let columns: [Column; 4] = [
            ("cordboard_lane_capacity", "gauge", "Slots of a lane.", |s| s.capacity as u64),
            ("cordboard_lane_depth_max", "gauge", "Most slots ever taken.", |s| s.depth_high_water as u64),
            ("cordboard_lane_sent_total", "counter", "Items sent.", |s| s.sent),
            ("cordboard_lane_refused_total", "counter", "Items refused.", LaneStats::refused),
        ];
        for (name, kind, help, of) in columns {
            let _ = writeln!(o, "# HELP {name} {help}\n# TYPE {name} {kind}");
            for reading in &readings {
                let _ = writeln!(o, "{name}{{lane=\"{}\"}} {}", reading.name, of(reading));
            }
        }
    }

    /// How the switch is, with what is wrong in words.
    pub fn health(&self, takes_calls: bool) -> Health {
        let mut problems = Vec::new();
        if !takes_calls {
            problems.push("the switch is stopping and takes no new calls".to_owned());
        }
        if self.journal.failing.load(Relaxed) {
            problems.push("the journal cannot be written: look at the disk that holds it".to_owned());
        }
        if self.events.failing.load(Relaxed) != 0 {
            problems
                .push("events are not kept on the disk: look at the one that holds the journal".to_owned());
        }
        if self.recorder.failing.load(Relaxed) {
            problems.push("recordings cannot be written: look at the disk that holds them".to_owned());
        }
        if let Some(why) = self.store.status().down {
            problems.push(format!("the database takes no records: {why}; the journal keeps them"));
        }
        if self.media(|m| &m.ports_free) == 0 {
            problems.push(
                "no media port is free: new calls are refused; widen [media] port_min to port_max".to_owned(),
            );
        }
        Health {
            ready: takes_calls,
            uptime_s: self.started.elapsed().as_secs(),
            calls: u32::try_from(self.shard.calls_up.load(Relaxed)).unwrap_or(u32::MAX),
            problems,
        }
    }
}
