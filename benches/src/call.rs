//! A shard between two scripted peers: a carrier whose calls come by a trunk, and a phone that is registered.
//!
//! The shell that the shard wants (media ports, journal) answers at once, so that a call takes no time but
//! the shard's own.

use cordboard_core::{Restore, Shard, ShardCommand, ShardConfig, ShardInput, ShardOutput};
use cordboard_model::config::{Snapshot, Tenant, Trunk, User};
use cordboard_model::id::{IdError, Name, TenantId, TrunkId, UserId};
use cordboard_model::journal::ContactRecord;
use cordboard_model::media::{Codec, LegStats, MediaCommand, MediaEvent};
use cordboard_model::time::{Duration, Time, Wall, WallClock};
use cordboard_plugin_api::Registry;
use cordboard_plugin_registered_extension::RegisteredExtensionPlugin;
use cordboard_sip::engine::{Datagram, Transport};
use cordboard_sip::wire::{HeaderName, Message, Method, Uri, parse_datagram};
use core::fmt::Write as _;
use core::net::SocketAddr;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

const SWITCH: SocketAddr = at([192, 0, 2, 1], 5060);
const CARRIER: SocketAddr = at([198, 51, 100, 7], 5060);
const PHONE: SocketAddr = at([203, 0, 113, 5], 5060);
/// Virtual time from one call to the next: 200 calls a second, so that the transactions that RFC 3261 keeps
/// for 32 s after a call stand at their usual number.
const STEP: Duration = Duration::from_millis(5);

const fn at(ip: [u8; 4], port: u16) -> SocketAddr {
    SocketAddr::new(core::net::IpAddr::V4(core::net::Ipv4Addr::new(ip[0], ip[1], ip[2], ip[3])), port)
}

/// What the world outside of the shard has for it.
enum Arrival {
    Sip(SocketAddr, Vec<u8>),
    Media(MediaEvent),
    Written(u64),
}

/// What one call cost and did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spent {
    /// Time inside the shard, from the INVITE to the last record.
    pub shard: Duration,
    /// SIP messages that the shard took and sent.
    pub messages: u32,
    /// Whether the call was bridged, ended and left nothing.
    pub whole: bool,
}

/// See the module.
pub struct Exchange {
    shard: Shard,
    now: Time,
    number: u64,
    arrivals: VecDeque<Arrival>,
    port: u16,
    spent: Spent,
    bridged: bool,
    /// Calls that stay up.
    standing: usize,
    /// The 200 of the call at hand, as the carrier got it.
    answer: Option<Message>,
}

fn snapshot() -> Result<Snapshot, IdError> {
    let tenant = TenantId::DEFAULT;
    let phone = UserId::new(tenant, "1002")?;
    let user = User {
        id: phone.clone(),
        display: "Ben".into(),
        ha1_md5: "0".repeat(32),
        ha1_sha256: "0".repeat(64),
        srtp: Default::default(),
        dtmf: cordboard_model::media::DtmfKind::default(),
    };
    let id = TrunkId::new(tenant, "carrier")?;
    let trunk = Trunk { peers: vec![CARRIER], max_calls: 100_000, ..Trunk::new(id.clone()) };
    let tenant = Tenant {
        id: tenant,
        display: "default".into(),
        domains: vec!["switch.example.com".into()],
        codecs: Codec::DEFAULT.to_vec(),
        routing: vec!["registered-extension".into()],
        users: [(phone.name, user)].into(),
        trunks: [(Name::new("carrier")?, trunk)].into(),
        ..Tenant::new(tenant)
    };
    Ok(Snapshot { tenants: [(tenant.id, tenant)].into(), ..Snapshot::empty() })
}

fn contact() -> Result<ContactRecord, IdError> {
    Ok(ContactRecord {
        user: UserId::new(TenantId::DEFAULT, "1002")?,
        uri: format!("sip:1002@{PHONE}"),
        flow: format!("udp:{PHONE}"),
        path: Vec::new(),
        call_id: "registration@phone".into(),
        cseq: 1,
        q_milli: 1_000,
        user_agent: "Example".into(),
        expires: Wall(i64::MAX / 2),
    })
}

fn sdp(ip: SocketAddr) -> String {
    let ip = ip.ip();
    format!(
        "v=0\r\no=- 1 1 IN IP4 {ip}\r\ns=-\r\nc=IN IP4 {ip}\r\nt=0 0\r\nm=audio 30000 RTP/AVP 8 0 101\r\n\
         a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=ptime:20\r\na=sendrecv\r\n"
    )
}

impl Exchange {
    /// A shard with a trunk, an account and that account's phone.
    ///
    /// # Errors
    /// In words: the rig itself is wrong.
    pub fn new() -> Result<Self, String> {
        let wall = WallClock { at_zero: Wall(1_795_132_800_000) };
        let config = ShardConfig {
            shard: 0,
            start_secs: 1_795_132_800,
            seed: [9; 32],
            local: SWITCH,
            listeners: Vec::new(),
            advertised: None,
            advertised_other: None,
            media_other: None,
            dtls: None,
            authenticated: Vec::new(),
            ptime_ms: 20,
            rtcp_mux: false,
            video: None,
            comfort_noise: false,
            wall,
            panic_key: None,
            trace: cordboard_model::trace::TraceLimits::default(),
        };
        let registry = Registry::new(vec![Box::new(RegisteredExtensionPlugin)]);
        let mut shard = Shard::new(config, registry.map_err(|why| why.to_string())?);
        let snapshot = snapshot().map_err(|why| why.to_string())?;
        shard.handle_command(ShardCommand::Configure(Arc::new(snapshot)), Time::ZERO);
        let contacts = vec![contact().map_err(|why| why.to_string())?];
        let restore = Restore { contacts, ..Restore::default() };
        shard.handle_command(ShardCommand::Restore(Box::new(restore)), Time::ZERO);
        while shard.poll_output().is_some() {}
        Ok(Self {
            shard,
            now: Time::ZERO,
            number: 0,
            arrivals: VecDeque::new(),
            port: 0,
            spent: Spent::default(),
            bridged: false,
            standing: 0,
            answer: None,
        })
    }

    /// One call: the carrier's INVITE, the phone's 180 and 200, the ACKs, the carrier's BYE and the phone's 200.
    pub fn call(&mut self) -> Spent {
        let answered = self.set_up();
        if let Some(bye) = answered.as_ref().and_then(|ok| self.within(ok, Method::Bye, 2)) {
            self.arrivals.push_back(Arrival::Sip(CARRIER, bye));
        }
        self.run();
        self.spent.whole = self.bridged && answered.is_some() && self.shard.call_count() == self.standing;
        self.spent
    }

    /// One more call that stays up. Whether it was bridged.
    pub fn stand(&mut self) -> bool {
        self.standing += 1;
        self.set_up().is_some() && self.bridged && self.shard.call_count() == self.standing
    }

    /// The call as far as the carrier's ACK; gives the 200.
    fn set_up(&mut self) -> Option<Message> {
        self.number += 1;
        self.now = self.now + STEP;
        (self.spent, self.bridged, self.answer) = (Spent::default(), false, None);
        if self.shard.poll_timeout().is_some_and(|(due, _)| due <= self.now) {
            let begun = Instant::now();
            self.shard.handle_timeout(self.now);
            self.spent.shard += begun.elapsed();
            self.carry_out();
        }
        let invite = self.invite();
        self.arrivals.push_back(Arrival::Sip(CARRIER, invite));
        self.run();
        let answered = self.answer.take();
        if let Some(ack) = answered.as_ref().and_then(|ok| self.within(ok, Method::Ack, 1)) {
            self.arrivals.push_back(Arrival::Sip(CARRIER, ack));
        }
        self.run();
        answered
    }

    /// Transactions that stand; for the reader of a figure.
    pub fn transactions(&self) -> usize {
        self.shard.transaction_count()
    }

    fn run(&mut self) {
        while let Some(arrival) = self.arrivals.pop_front() {
            let (shard, now) = (&mut self.shard, self.now);
            let begun = Instant::now();
            match &arrival {
                Arrival::Sip(remote, bytes) => {
                    let (transport, local, remote) = (Transport::Udp, SWITCH, *remote);
                    let datagram = Datagram { transport, local, remote, bytes };
                    shard.handle_input(ShardInput::Datagram(datagram), now);
                    self.spent.messages += 1;
                }
                Arrival::Media(event) => shard.handle_input(ShardInput::Media(event.clone()), now),
                Arrival::Written(ticket) => {
                    shard.handle_input(ShardInput::Journalled { ticket: *ticket, ok: true }, now);
                }
            }
            self.spent.shard += begun.elapsed();
            self.carry_out();
        }
    }

    /// Does what the shard wants, as its shell and its peers would.
    fn carry_out(&mut self) {
        while let Some(output) = self.shard.poll_output() {
            match output {
                ShardOutput::Transmit { flow, bytes } => {
                    self.spent.messages += 1;
                    if let Ok(message) = parse_datagram(&bytes) {
                        self.peer(flow.remote, &message);
                    }
                }
                ShardOutput::Media(command) => self.media(&command),
                ShardOutput::Journal { ticket, .. } => self.arrivals.extend(ticket.map(Arrival::Written)),
                ShardOutput::Event(_)
                | ShardOutput::Lookup { .. }
                | ShardOutput::Speak { .. }
                | ShardOutput::Fetch { .. }
                | ShardOutput::Hash { .. }
                | ShardOutput::ChatKept { .. }
                | ShardOutput::ChatNews { .. }
                | ShardOutput::Stream(_) => {}
            }
        }
    }

    fn media(&mut self, command: &MediaCommand) {
        match command {
            MediaCommand::Open { leg, .. } => {
                self.port = (self.port + 2) % 20_000;
                let local = SocketAddr::new(SWITCH.ip(), 20_000 + self.port);
                self.arrivals.push_back(Arrival::Media(MediaEvent::Opened { leg: *leg, local }));
            }
            MediaCommand::Vacate { leg } => {
                let stats = LegStats::default();
                self.arrivals.push_back(Arrival::Media(MediaEvent::Vacated { leg: *leg, stats }));
            }
            MediaCommand::Close { leg } => {
                let stats = LegStats::default();
                self.arrivals.push_back(Arrival::Media(MediaEvent::Closed { leg: *leg, stats }));
            }
            MediaCommand::Play { leg, playback, .. } | MediaCommand::StopPlay { leg, playback } => {
                if matches!(command, MediaCommand::StopPlay { .. }) {
                    let (leg, playback) = (*leg, *playback);
                    let done = MediaEvent::PlayDone { leg, playback, finished: false };
                    self.arrivals.push_back(Arrival::Media(done));
                }
            }
            MediaCommand::Bridge { .. } => self.bridged = true,
            _ => {}
        }
    }

    fn peer(&mut self, at: SocketAddr, message: &Message) {
        if at == PHONE {
            for answer in phone(message) {
                self.arrivals.push_back(Arrival::Sip(PHONE, answer));
            }
        } else if message.status() == Some(200)
            && message.cseq().is_ok_and(|cseq| cseq.method == Method::Invite)
        {
            self.answer = Some(message.clone());
        }
    }

    fn invite(&self) -> Vec<u8> {
        let (n, body) = (self.number, sdp(CARRIER));
        let mut text = String::with_capacity(1_024);
        // Writing to a String cannot fail.
        let _ = write!(
            text,
            "INVITE sip:1002@{SWITCH} SIP/2.0\r\nVia: SIP/2.0/UDP {CARRIER};branch=z9hG4bK{n}.1;rport\r\n\
             From: \"Caller {n}\" <sip:+4930{n:08}@{CARRIER}>;tag=c{n}\r\nTo: <sip:1002@{SWITCH}>\r\n\
             Call-ID: {n}@carrier.example.com\r\nCSeq: 1 INVITE\r\nContact: <sip:{CARRIER}>\r\n\
             Max-Forwards: 70\r\nAllow: INVITE, ACK, BYE, CANCEL, OPTIONS\r\nSupported: timer\r\n\
             User-Agent: Example Carrier 1.0\r\nContent-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        text.into_bytes()
    }

    /// A request of the carrier in the dialog that `ok` made.
    fn within(&self, ok: &Message, method: Method, cseq: u32) -> Option<Vec<u8>> {
        let n = self.number;
        let target: Uri = ok.contacts().ok()?.into_iter().next()?.uri;
        let via = format!("SIP/2.0/UDP {CARRIER};branch=z9hG4bK{n}.{cseq}.{method};rport");
        let number = format!("{cseq} {method}");
        let request = Message::request(method, target)
            .with(HeaderName::Via, via)
            .with(HeaderName::From, ok.header(&HeaderName::From)?)
            .with(HeaderName::To, ok.header(&HeaderName::To)?)
            .with(HeaderName::CallId, ok.call_id().ok()?)
            .with(HeaderName::CSeq, number)
            .with(HeaderName::MaxForwards, "70");
        Some(request.to_bytes())
    }
}

/// What the phone answers.
fn phone(request: &Message) -> Vec<Vec<u8>> {
    let answer = |code: u16| {
        let mut response = Message::response_to(request, code);
        response.set_to_tag("phone");
        response.with(HeaderName::Contact, format!("<sip:1002@{PHONE}>"))
    };
    match request.method() {
        Some(Method::Invite) => {
            let ok = answer(200).with_body("application/sdp", sdp(PHONE).into_bytes());
            vec![answer(180).to_bytes(), ok.to_bytes()]
        }
        Some(Method::Ack) | None => Vec::new(),
        Some(_) => vec![answer(200).to_bytes()],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_that_is_measured_is_bridged_and_leaves_nothing() {
        let mut exchange = Exchange::new().unwrap();
        for _ in 0..3 {
            let spent = exchange.call();
            assert!(spent.whole, "{spent:?}");
            // INVITE 100 INVITE 180 180 200 ACK 200 ACK BYE 200 BYE 200
            assert_eq!(spent.messages, 13);
        }
    }

    #[test]
    fn calls_that_stand_are_not_taken_for_leftovers() {
        let mut exchange = Exchange::new().unwrap();
        assert!(exchange.stand() && exchange.stand());
        assert!(exchange.call().whole);
        assert!(exchange.stand());
    }

    #[test]
    fn transactions_of_earlier_calls_end_by_themselves() {
        let mut exchange = Exchange::new().unwrap();
        let per_second = 1_000 / STEP.as_millis() as usize;
        for _ in 0..40 * per_second {
            assert!(exchange.call().whole);
        }
        assert!(exchange.transactions() < 33 * per_second * 4, "{}", exchange.transactions());
    }
}
