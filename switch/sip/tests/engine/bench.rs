//! One engine, a clock, and messages as text.

use core::net::SocketAddr;
use core::time::Duration;

use cordboard_model::cause::Cause;
use cordboard_model::config::{Limits, Snapshot, Tenant, Trunk, User};
use cordboard_model::id::{Name, TenantId, TrunkId, UserId};
use cordboard_model::leg::PartyId;
use cordboard_model::media::Codec;
use cordboard_model::time::Time;
use cordboard_sip::auth::{Algorithm, ha1};
use cordboard_sip::engine::{
    Datagram, Dest, Directory, Flow, IncomingCall, SessionId, SipCommand, SipConfig, SipEngine, SipEvent,
    SipOutput, Transport,
};
use cordboard_sip::sdp::Local;
use cordboard_sip::wire::{Frame, HeaderName, Message, Method, Uri, parse_datagram};

pub const SWITCH: &str = "192.0.2.1:5060";
/// A trunk's peer: no digest.
pub const TRUNK: &str = "198.51.100.7:5060";
/// A phone somewhere: digest.
pub const PHONE: &str = "203.0.113.5:5060";

pub fn addr(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

pub fn user(name: &str) -> UserId {
    UserId::new(TenantId::DEFAULT, name).unwrap()
}

pub fn snapshot() -> Snapshot {
    let account = |name: &str| User {
        id: user(name),
        display: name.to_owned(),
        ha1_md5: ha1(Algorithm::Md5, name, "example.com", "secret"),
        ha1_sha256: ha1(Algorithm::Sha256, name, "example.com", "secret"),
        srtp: Default::default(),
        dtmf: cordboard_model::media::DtmfKind::default(),
    };
    let named = |text: &str| Name::new(text).unwrap();
    let trunk = Trunk {
        peers: vec![addr("198.51.100.7:0"), addr("198.51.100.8:0")],
        max_calls: 10,
        ..Trunk::new(TrunkId::new(TenantId::DEFAULT, "carrier").unwrap())
    };
    let tenant = Tenant {
        id: TenantId::DEFAULT,
        domains: vec!["example.com".into()],
        codecs: vec![Codec::Pcma, Codec::Pcmu],
        users: ["1001", "1002"].map(|n| (named(n), account(n))).into(),
        trunks: [(named("carrier"), trunk)].into(),
        ..Tenant::new(TenantId::DEFAULT)
    };
    let mut snapshot = Snapshot::empty();
    snapshot.limits = Limits { contacts: 3, ..Limits::default() };
    snapshot.tenants.insert(TenantId::DEFAULT, tenant);
    snapshot
}

pub fn local(port: u16) -> Local {
    Local::plain(SocketAddr::new(addr(SWITCH).ip(), port), 7, &[Codec::Pcma, Codec::Pcmu])
}

/// A peer's session description.
pub fn sdp(port: u16) -> String {
    sdp_with(port, "")
}

pub fn sdp_with(port: u16, more: &str) -> String {
    format!(
        "v=0\r\no=- 5 1 IN IP4 198.51.100.7\r\ns=-\r\nc=IN IP4 198.51.100.7\r\nt=0 0\r\n\
         m=audio {port} RTP/AVP 8 101\r\na=rtpmap:101 telephone-event/8000\r\n{more}"
    )
}

pub struct Bench {
    pub engine: SipEngine,
    pub now: Time,
    pub sent: Vec<(Flow, Message)>,
    pub events: Vec<SipEvent>,
    pub journal: Vec<SipOutput>,
    pub bytes: Vec<Vec<u8>>,
    /// The last request that was given to the engine.
    pub captured: Option<Vec<u8>>,
    /// What was sent and is no SIP.
    pub raw: Vec<(Flow, Vec<u8>)>,
}

impl Bench {
    pub fn new() -> Self {
        Self::with(SipConfig::new(addr(SWITCH)))
    }

    pub fn with(config: SipConfig) -> Self {
        let mut engine = SipEngine::new(config, [5; 32], 0x6560_0000);
        let directory = Box::new(Directory::new(&snapshot()));
        let now = Time::from_millis(1_000);
        engine.handle_command(SipCommand::Configure(directory), now);
        Self {
            engine,
            now,
            sent: Vec::new(),
            events: Vec::new(),
            journal: Vec::new(),
            bytes: Vec::new(),
            captured: None,
            raw: Vec::new(),
        }
    }

    /// Nobody is watched: what strangers get is looked at without the guard.
    pub fn unguarded(&mut self) {
        let mut snapshot = snapshot();
        snapshot.limits.guard.enabled = false;
        self.command(SipCommand::Configure(Box::new(Directory::new(&snapshot))));
    }

    fn drain(&mut self) {
        while let Some(output) = self.engine.poll_output() {
            match output {
                SipOutput::Transmit { flow, bytes } if bytes.first().is_some_and(|byte| *byte < 0x40) => {
                    self.raw.push((flow, bytes));
                }
                SipOutput::Transmit { flow, bytes } => {
                    let message = parse_datagram(&bytes).unwrap_or_else(|_| refusal(&bytes));
                    self.sent.push((flow, message));
                    self.bytes.push(bytes);
                }
                SipOutput::Event(event) => self.events.push(event),
                other => self.journal.push(other),
            }
        }
    }

    /// A datagram from a peer; line ends are made CRLF.
    pub fn recv(&mut self, from: &str, text: &str) {
        let text = text.replace("\r\n", "\n").replace('\n', "\r\n");
        self.recv_bytes(from, text.as_bytes());
    }

    /// The same from the trunk's address by a stream.
    pub fn recv_by(&mut self, transport: Transport, text: &str) {
        let text = text.replace("\r\n", "\n").replace('\n', "\r\n");
        let datagram =
            Datagram { transport, local: addr(SWITCH), remote: addr(TRUNK), bytes: text.as_bytes() };
        self.engine.handle_input(datagram, self.now);
        self.drain();
    }

    pub fn recv_bytes(&mut self, from: &str, bytes: &[u8]) {
        let datagram = Datagram { transport: Transport::Udp, local: addr(SWITCH), remote: addr(from), bytes };
        self.captured = Some(bytes.to_vec());
        self.engine.handle_input(datagram, self.now);
        self.drain();
    }

    /// What a connection held next.
    pub fn frame(&mut self, flow: Flow, frame: Frame) {
        self.engine.handle_frame(flow, frame, self.now);
        self.drain();
    }

    /// Bytes that are no SIP.
    pub fn datagram(&mut self, from: &str, bytes: &[u8]) {
        self.recv_bytes(from, bytes);
    }

    /// The transport says that a peer cannot be reached, or that a connection is gone.
    pub fn unreachable(&mut self, flow: Flow) {
        self.engine.handle_unreachable(flow, self.now);
        self.drain();
    }

    pub fn command(&mut self, command: SipCommand) {
        self.engine.handle_command(command, self.now);
        self.drain();
    }

    /// Lets time pass, every deadline at its moment.
    pub fn wait(&mut self, ms: u64) {
        let end = self.now + Duration::from_millis(ms);
        let mut steps = 0;
        while let Some((at, _)) = self.engine.poll_timeout().filter(|(at, _)| *at <= end) {
            self.now = self.now.max(at);
            self.engine.handle_timeout(self.now);
            self.drain();
            steps += 1;
            assert!(steps < 10_000, "timers run for ever");
        }
        self.now = end;
    }

    /// What was sent since the last look, as `200 INVITE` and `BYE`.
    pub fn lines(&mut self) -> Vec<String> {
        self.take().iter().map(|(_, message)| line(message)).collect()
    }

    pub fn take(&mut self) -> Vec<(Flow, Message)> {
        core::mem::take(&mut self.sent)
    }

    /// The only message sent since the last look.
    #[track_caller]
    pub fn one(&mut self) -> Message {
        let mut sent = self.take();
        let lines: Vec<String> = sent.iter().map(|(_, m)| line(m)).collect();
        assert_eq!(sent.len(), 1, "{lines:?}");
        sent.remove(0).1
    }

    pub fn take_events(&mut self) -> Vec<SipEvent> {
        core::mem::take(&mut self.events)
    }

    /// The names of the events since the last look.
    pub fn told(&mut self) -> Vec<String> {
        let name = |event: &SipEvent| {
            let text = format!("{event:?}");
            let end = text.find([' ', '(']).unwrap_or(text.len());
            match event {
                SipEvent::Ended { cause, by_peer, sip_status, .. } => {
                    let who = if *by_peer { "peer" } else { "us" };
                    match sip_status {
                        Some(code) => format!("Ended {} {who} {code}", cause.as_str()),
                        None => format!("Ended {} {who}", cause.as_str()),
                    }
                }
                SipEvent::HoldDone { on, ok, .. } => format!("HoldDone {on} {ok}"),
                SipEvent::Renegotiated { media, .. } => {
                    format!("Renegotiated {:?} held={}", media.stream.direction, media.held_by_peer)
                }
                SipEvent::Digit { digit, .. } => format!("Digit {digit}"),
                _ => text[..end].to_owned(),
            }
        };
        self.take_events().iter().map(name).collect()
    }

    /// An INVITE of the trunk, up to Incoming.
    #[track_caller]
    pub fn called(&mut self) -> IncomingCall {
        let text = invite("z9hG4bK1", &sdp(4000));
        self.recv(TRUNK, &text);
        assert_eq!(self.lines(), ["100 INVITE"]);
        match self.take_events().as_slice() {
            [SipEvent::Incoming(call)] => (**call).clone(),
            other => panic!("{other:?}"),
        }
    }

    /// A call of the trunk that is up. Returns the session and our 200.
    #[track_caller]
    pub fn up(&mut self) -> (SessionId, Message) {
        let session = self.called().session;
        self.command(SipCommand::Answer { session, local: local(30_000) });
        let ok = self.one();
        assert_eq!(line(&ok), "200 INVITE");
        self.recv(TRUNK, &ack(&ok));
        assert_eq!(self.told(), ["MediaSettled", "Confirmed"]);
        (session, ok)
    }

    /// Calls the trunk's peer. Returns the session and the INVITE.
    #[track_caller]
    pub fn dial(&mut self) -> (SessionId, Message) {
        let session = self.engine.new_session();
        self.command(SipCommand::Invite {
            session,
            target: Dest::Uri {
                uri: Uri::parse("sip:900@198.51.100.7").unwrap(),
                flow: Flow::udp(addr(SWITCH), addr(TRUNK)),
                routes: Vec::new(),
                credentials: None,
            },
            from: PartyId::new("1001"),
            to: PartyId::new("900"),
            host: "example.com".into(),
            local: local(30_000),
            told: Box::default(),
        });
        (session, self.one())
    }

    /// Calls the trunk's peer, which answers. Returns the session and the ACK.
    #[track_caller]
    pub fn dialled(&mut self) -> (SessionId, Message) {
        let (session, invite) = self.dial();
        self.recv(TRUNK, &reply(&invite, 200, "far", &sdp(4000)));
        let ack = self.one();
        assert_eq!(line(&ack), "ACK");
        assert_eq!(self.told(), ["Answered", "DialogUp"]);
        (session, ack)
    }

    pub fn hang_up(&mut self, session: SessionId, cause: Cause) {
        self.command(SipCommand::HangUp { session, cause, text: None });
    }

    /// Lets every timer run out and asserts that nothing is left.
    #[track_caller]
    pub fn settle(&mut self) {
        self.wait(200_000);
        assert!(self.engine.is_quiescent(), "{:#?}", self.engine);
    }
}

/// A refusal of a damaged request repeats its damaged headers; only its code can be read.
fn refusal(bytes: &[u8]) -> Message {
    let text = String::from_utf8_lossy(bytes);
    let code = text.strip_prefix("SIP/2.0 ").and_then(|rest| rest[..3].parse().ok());
    let code: u16 = code.expect("what we send can be read");
    assert!(matches!(code, 400 | 414 | 501 | 505 | 513), "{text}");
    let nothing = Message::request(Method::Options, Uri::parse("sip:nobody").unwrap());
    Message::response_to(&nothing, code)
}

/// `200 INVITE` for a response, the method for a request.
pub fn line(message: &Message) -> String {
    match message.status() {
        Some(code) => format!("{code} {}", message.cseq().unwrap().method),
        None => message.method().unwrap().to_string(),
    }
}

pub fn header(message: &Message, name: HeaderName) -> String {
    message.header(&name).unwrap_or_default().to_owned()
}

/// An INVITE of the trunk without To tag.
pub fn invite(branch: &str, body: &str) -> String {
    request("INVITE", branch, "1 INVITE", "", body)
}

/// A request of the trunk in the dialog that `to_tag` names; outside any if it is empty.
pub fn request(method: &str, branch: &str, cseq: &str, to_tag: &str, body: &str) -> String {
    let tag = if to_tag.is_empty() { String::new() } else { format!(";tag={to_tag}") };
    let kind = if body.is_empty() { "" } else { "Content-Type: application/sdp\n" };
    format!(
        "{method} sip:100@192.0.2.1 SIP/2.0\n\
         Via: SIP/2.0/UDP 198.51.100.7:5060;branch={branch}\n\
         Max-Forwards: 70\n\
         From: \"Anna\" <sip:4711@carrier.example>;tag=far\n\
         To: <sip:100@example.com>{tag}\n\
         Call-ID: call-1@carrier.example\n\
         CSeq: {cseq}\n\
         Contact: <sip:4711@198.51.100.7:5060>\n\
         {kind}\n{body}"
    )
}

/// The tag we gave in a response.
pub fn our_tag(response: &Message) -> String {
    response.to().unwrap().tag().unwrap_or_default().to_owned()
}

/// The trunk's ACK of our final response to `INVITE 1`.
pub fn ack(response: &Message) -> String {
    let seq = response.cseq().unwrap().seq;
    let branch = match response.status() {
        Some(200..=299) => "z9hG4bKack".to_owned(),
        _ => response.via_top().unwrap().branch().unwrap().to_owned(),
    };
    request("ACK", &branch, &format!("{seq} ACK"), &our_tag(response), "")
}

/// A peer's response to a request of ours.
pub fn reply(request: &Message, code: u16, tag: &str, body: &str) -> String {
    let mut response = Message::response_to(request, code);
    if code > 100 {
        response.set_to_tag(tag);
        response.push(HeaderName::Contact, "<sip:900@198.51.100.7:5060>");
    }
    if !body.is_empty() {
        response.set_body("application/sdp", body.as_bytes().to_vec());
    }
    String::from_utf8(response.to_bytes()).unwrap()
}
