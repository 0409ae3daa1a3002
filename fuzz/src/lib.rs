//! What is given any bytes at all: the functions behind libFuzzer's targets, which tests call with the corpus.
//!
//! Invariant: whatever the bytes are, each returns. What it panics on is a fault of the switch; the promises that are
//! checked stand in the assertions of each.

use cordboard_core::{Datagram, Flow, Shard, ShardCommand, ShardConfig, ShardInput, ShardOutput, Transport};
use cordboard_model::media::{Codec, LegStats, MediaCommand, MediaEvent};
use cordboard_model::time::{Duration, Time, Wall, WallClock};
use cordboard_plugin_api::Registry;
use cordboard_plugin_called_number::CalledNumberPlugin;
use cordboard_plugin_registered_extension::RegisteredExtensionPlugin;
use cordboard_sim::setup::{DOMAIN, Setup};
use cordboard_sip::sdp::{Local, LocalVideo, SessionDescription, accept_answer, answer, offer, video_of};
use cordboard_sip::wire::{Framer, Message, parse_datagram};
use core::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

/// Our end.
const SWITCH: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)), 5060);
/// The peer of the trunk, and a stranger.
const PEERS: [SocketAddr; 2] = [
    SocketAddr::new(IpAddr::V4(Ipv4Addr::new(198, 51, 100, 7)), 5060),
    SocketAddr::new(IpAddr::V4(Ipv4Addr::new(203, 0, 113, 5)), 5060),
];
/// Inputs of one run: more find nothing that fewer do not.
const INPUTS: usize = 64;
/// Deadlines that one run lets act before time goes on without them.
const DEADLINES: usize = 5_000;

/// One datagram, and the same bytes as a stream, whole and in two parts.
pub fn wire(data: &[u8]) {
    if let Ok(message) = parse_datagram(data) {
        look_at(&message);
        let printed = message.to_bytes();
        let again = parse_datagram(&printed);
        assert!(
            again.as_ref().is_ok_and(|again| *again == message || again.to_bytes() == printed),
            "what was read is not what is read of it when it is printed: {again:?}"
        );
    }
    let cut = data.first().map_or(0, |byte| usize::from(*byte)).min(data.len());
    let frames = |parts: &[&[u8]]| {
        let mut framer = Framer::new();
        let mut found = Vec::new();
        for part in parts {
            framer.push(part);
            found.extend(framer.by_ref().map(|frame| format!("{frame:?}")));
        }
        found
    };
    let (head, tail) = data.split_at(cut);
    assert_eq!(frames(&[data]), frames(&[head, tail]), "a stream says the same however it is cut");
}

/// Asks for every header that the engine reads.
fn look_at(message: &Message) {
    drop(message.via_top());
    drop((message.from_(), message.to(), message.contacts(), message.cseq(), message.call_id()));
    drop((message.max_forwards(), message.content_type(), message.request_uri()));
    let _ = message.require().count();
}

/// A session description, as an offer and as an answer.
pub fn sdp(data: &[u8]) {
    let local = Local {
        spoken: Some(Codec::G722),
        ..Local::plain(SocketAddr::new(SWITCH.ip(), 20_000), 1, &Codec::ALL)
    };
    if let Ok(read) = SessionDescription::parse(data) {
        for media in &read.media {
            let _ = (read.connection_of(media), read.direction_of(media));
            for payload_type in media.payload_types() {
                drop(media.rtpmap(payload_type));
                let _ = media.fmtp(payload_type);
            }
        }
    }
    if let Ok((ours, _)) = answer(data, &local) {
        assert!(SessionDescription::parse(&ours).is_ok(), "an answer of ours cannot be read");
    }
    drop(accept_answer(data, &local));
    if let Some(terms) = video_of(data) {
        let local = Local { video: Some(LocalVideo { port: 20_002, terms }), ..local.clone() };
        if let Ok((ours, _)) = answer(data, &local) {
            assert!(SessionDescription::parse(&ours).is_ok(), "an answer of ours with video cannot be read");
        }
        assert!(
            SessionDescription::parse(&offer(&local)).is_ok(),
            "what a party says of video cannot be offered on"
        );
    }
    assert!(SessionDescription::parse(&offer(&local)).is_ok());
}

/// The whole shard, from the first message until every deadline has passed.
///
/// The data are messages, with a zero byte between. A message may begin with a byte under 9, which says who sends it
/// (the lowest bit: the trunk's peer or a stranger) and how much time passes before. `@TAG@`, `@VIA@`, `@CALL@` and
/// `@FROM@` stand for what the switch sent last, so that dialogs can be reached.
pub fn shard(data: &[u8]) {
    let Some(mut run) = Run::new() else {
        return;
    };
    for message in data.split(|byte| *byte == 0).take(INPUTS) {
        let (how, bytes) = match message.split_first() {
            Some((how, rest)) if *how < 9 => (*how, rest),
            _ => (0, message),
        };
        run.wait([0, 600, 5_000, 40_000, 0][usize::from(how / 2).min(4)]);
        run.receive(PEERS[usize::from(how % 2)], &run.filled(bytes));
    }
    // Longer than any call: each ends at its limit, if nothing else ends it.
    run.wait(LONGEST_MS);
    let left = run.shard.leftovers();
    assert!(left.is_empty() || run.deadlines >= DEADLINES, "left over: {left:?}");
}

/// More than the longest call and what it leaves behind.
const LONGEST_MS: u64 = 900_000;

struct Run {
    shard: Shard,
    now: Time,
    last: Option<Message>,
    ports: u16,
    deadlines: usize,
}

impl Run {
    fn new() -> Option<Self> {
        let plugins = Registry::new(vec![Box::new(CalledNumberPlugin), Box::new(RegisteredExtensionPlugin)]);
        let config = ShardConfig {
            shard: 0,
            start_secs: 0x6560_0000,
            seed: [7; 32],
            local: SWITCH,
            listeners: Vec::new(),
            advertised: None,
            advertised_other: None,
            media_other: None,
            dtls: None,
            authenticated: Vec::new(),
            ptime_ms: 20,
            rtcp_mux: false,
            video: Some(cordboard_core::VideoRule { kbit: 1_500, waiting: false }),
            comfort_noise: false,
            wall: WallClock { at_zero: Wall(1_700_000_000_000) },
            panic_key: None,
            trace: cordboard_model::trace::TraceLimits::default(),
        };
        let setup = Setup::new()
            .limits(|limits| {
                limits.call_length = Duration::from_secs(600);
                limits.guard.enabled = false;
            })
            .agent("1001", &["sales"])
            .user("1002")
            .queue("sales", |queue| queue.music = None)
            .trunk("carrier", PEERS[0])
            .number_to_queue("500", "sales")
            .number_to_agent("501", "1001");
        let mut snapshot = setup.snapshot().ok()?;
        // A gateway is asked for its health for ever, and there would be no end to look at.
        for trunk in snapshot.tenants.values_mut().flat_map(|tenant| tenant.trunks.values_mut()) {
            trunk.gateways.clear();
            trunk.named.clear();
        }
        let mut run = Self {
            shard: Shard::new(config, plugins.ok()?),
            now: Time::from_millis(1_000),
            last: None,
            ports: 0,
            deadlines: 0,
        };
        run.shard.handle_command(ShardCommand::Configure(Arc::new(snapshot)), run.now);
        run.drain();
        Some(run)
    }

    fn receive(&mut self, remote: SocketAddr, bytes: &[u8]) {
        let datagram = Datagram { transport: Transport::Udp, local: SWITCH, remote, bytes };
        self.shard.handle_input(ShardInput::Datagram(datagram), self.now);
        self.drain();
    }

    fn wait(&mut self, ms: u64) {
        let until = self.now + Duration::from_millis(ms);
        while let Some((at, _)) = self.shard.poll_timeout().filter(|(at, _)| *at <= until) {
            self.now = at.max(self.now);
            self.shard.handle_timeout(self.now);
            self.drain();
            self.deadlines += 1;
            if self.deadlines >= DEADLINES {
                break;
            }
        }
        self.now = until;
    }

    /// The bytes with the names of what was sent last filled in.
    fn filled(&self, bytes: &[u8]) -> Vec<u8> {
        let Some(last) = &self.last else {
            return bytes.to_vec();
        };
        if !bytes.contains(&b'@') {
            return bytes.to_vec();
        }
        let tag = |party: Option<&str>| party.unwrap_or_default().to_owned();
        let (from, to) = (last.from_().ok(), last.to().ok());
        let own = if last.is_request() { from.as_ref() } else { to.as_ref() };
        let words = [
            ("@TAG@", tag(own.and_then(|party| party.tag()))),
            ("@FROM@", from.as_ref().map(ToString::to_string).unwrap_or_default()),
            ("@CALL@", last.call_id().unwrap_or_default().to_owned()),
            ("@VIA@", last.via_top().map(|via| via.to_string()).unwrap_or_default()),
            ("@DOMAIN@", DOMAIN.to_owned()),
        ];
        let mut text = bytes.to_vec();
        for (word, value) in words {
            text = replaced(&text, word.as_bytes(), value.as_bytes());
        }
        text
    }

    fn drain(&mut self) {
        while let Some(output) = self.shard.poll_output() {
            let answer = match output {
                ShardOutput::Transmit { flow, bytes } => {
                    self.sent(flow, &bytes);
                    None
                }
                ShardOutput::Media(command) => self.media(&command).map(ShardInput::Media),
                ShardOutput::Journal { ticket, .. } => {
                    ticket.map(|ticket| ShardInput::Journalled { ticket, ok: true })
                }
                _ => None,
            };
            if let Some(answer) = answer {
                self.shard.handle_input(answer, self.now);
            }
        }
    }

    fn sent(&mut self, flow: Flow, bytes: &[u8]) {
        assert!(bytes.len() <= 65_535, "{} bytes to {flow}", bytes.len());
        if let Ok(message) = parse_datagram(bytes) {
            self.last = Some(message);
        }
    }

    fn media(&mut self, command: &MediaCommand) -> Option<MediaEvent> {
        match command {
            MediaCommand::Open { leg, .. } => {
                self.ports = self.ports.wrapping_add(2) % 20_000;
                let local = SocketAddr::new(SWITCH.ip(), 20_000 + self.ports);
                Some(MediaEvent::Opened { leg: *leg, local })
            }
            MediaCommand::Close { leg } => Some(MediaEvent::Closed { leg: *leg, stats: LegStats::default() }),
            MediaCommand::Vacate { leg } => {
                Some(MediaEvent::Vacated { leg: *leg, stats: LegStats::default() })
            }
            MediaCommand::StopRecord { recording } => {
                Some(MediaEvent::RecordingClosed { recording: *recording, length_ms: 0, dropped_ms: 0 })
            }
            _ => None,
        }
    }
}

fn replaced(text: &[u8], word: &[u8], value: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.windows(word.len()).position(|part| part == word) {
        let (before, after) = rest.split_at(at);
        out.extend_from_slice(before);
        out.extend_from_slice(value);
        rest = after.get(word.len()..).unwrap_or_default();
    }
    out.extend_from_slice(rest);
    out
}
