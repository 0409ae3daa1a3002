//! One shard, with a media thread and a journal that answer at once or when told.

use cordboard_core::{
    AcdCommand, Datagram, Refused, Restore, Shard, ShardCommand, ShardConfig, ShardInput, ShardOutput,
    Transport,
};
use cordboard_model::audio::{NumberAudio, QueueAudio};
use cordboard_model::config::{Agent, CalledNumber, Queue, Snapshot, Tenant, Trunk, User};
use cordboard_model::desk::{DeskFault, DeskOrder};
use cordboard_model::dns::DnsQuery;
use cordboard_model::event::EventKind;
use cordboard_model::fetch::{Fetch, FetchOrder, Method};
use cordboard_model::id::{AgentId, Name, QueueId, TenantId, TrunkId, UserId};
use cordboard_model::journal::{ContactRecord, JournalRecord};
use cordboard_model::media::{Codec, LegStats, MediaCommand, MediaEvent};
use cordboard_model::routes::Otherwise;
use cordboard_model::service::{AgentOrder, Duty, Service, Spare, Unanswered};
use cordboard_model::signin::HashWork;
use cordboard_model::time::{Duration, Time, Wall, WallClock};
use cordboard_model::verb::Destination;
use cordboard_plugin_api::{
    Ask, AskAnswer, Notes, Registry, RouteContext, RouteRequest, RoutingPlugin, Urgent, Verdict, decision,
    follow, instead,
};
use cordboard_sip::auth::{Algorithm, Identity, answer_challenge, ha1};
use cordboard_sip::wire::parse_datagram;
use std::net::SocketAddr;
use std::sync::Arc;

pub const SWITCH: &str = "192.0.2.1:5060";
/// The trunk's peer.
pub const TRUNK: &str = "198.51.100.7:5060";

pub fn addr(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

/// Numbers as they are configured, and accounts by their names.
struct Numbers;

impl RoutingPlugin for Numbers {
    fn name(&self) -> &'static str {
        "numbers"
    }

    fn route(&self, req: &RouteRequest, ctx: &dyn RouteContext, _: &mut Notes) -> Verdict {
        let tenant = ctx.tenant();
        if let Some(number) = tenant.numbers.iter().find(|n| n.access_code == req.to.user) {
            return Verdict::Decide { to: number.to.clone(), why: "it is configured".into() };
        }
        match tenant.users.get(req.to.user.as_str()) {
            Some(user) => {
                Verdict::Decide { to: Destination::User(user.id.clone()), why: "an account".into() }
            }
            None => Verdict::Pass { why: "it is nothing".into() },
        }
    }
}

/// Does what the tenant's routes say, and asks where they say so.
struct Obeys;

impl RoutingPlugin for Obeys {
    fn name(&self) -> &'static str {
        "obeys"
    }

    fn route(&self, req: &RouteRequest, ctx: &dyn RouteContext, notes: &mut Notes) -> Verdict {
        let (routes, number) = (&ctx.tenant().routes, req.to.user.clone());
        let seen = format!(
            "alike {}, draw {}, urgent {}, talked {:?}, row {:?}, closed {:?}",
            ctx.alike(&req.from.user, &number),
            req.draw != 0,
            ctx.urgent(),
            ctx.last_agent(&req.from.user).map(|(agent, _)| agent.name),
            ctx.row(&Name::new("vip").unwrap(), &req.from.user),
            ctx.calendar(&Name::new("office").unwrap(), req.at).map(|state| !state.open),
        );
        notes.reject("seen", seen);
        if let Some(help) = routes.emergency.as_ref().filter(|help| help.numbers.contains(&number)) {
            let first = ctx.urgent() < help.calls;
            let urgent = Urgent { caller: help.caller.clone(), location: help.location.clone(), first };
            let (by, urgent) = (help.trunks.clone(), Some(Box::new(urgent)));
            return Verdict::Leave { by, number, urgent, why: "help".into() };
        }
        if let Some(way) = routes.ways.iter().find(|way| number.starts_with(&way.prefix)) {
            for way in &way.trunks {
                notes.reject(&way.trunk, ctx.trunk(&way.trunk).as_str());
            }
            let by = way.trunks.iter().map(|way| way.trunk.clone()).collect();
            return Verdict::Leave { by, number, urgent: None, why: "a way out".into() };
        }
        let ask = |what, deadline| Verdict::Ask { what, deadline, why: "who knows".into() };
        match (&routes.http, &routes.lua) {
            (Some(rule), _) => {
                let fetch = Fetch {
                    method: Method::Get,
                    url: rule.url.clone(),
                    headers: Vec::new(),
                    body: None,
                    timeout_ms: 1_000,
                    retries: 0,
                };
                ask(Ask::Fetch(Box::new(fetch)), rule.within)
            }
            (None, Some(rule)) => ask(Ask::Flow(rule.flow.clone()), rule.within),
            (None, None) => Verdict::Pass { why: "nothing is said".into() },
        }
    }

    fn resume(
        &self,
        req: &RouteRequest,
        answer: AskAnswer,
        ctx: &dyn RouteContext,
        _: &mut Notes,
    ) -> Verdict {
        let read = match answer {
            AskAnswer::Fetched { body, .. } => decision(&body, ctx.tenant()),
            AskAnswer::Returned(text) => decision(text.as_deref().unwrap_or("null"), ctx.tenant()),
            AskAnswer::Failed { why } => Err(why),
            AskAnswer::Late => Err("late".into()),
        };
        match read {
            Ok(decision) => follow("it", decision, req),
            Err(why) => instead("it", &why, &Otherwise::Pass),
        }
    }
}

/// A tenant with a queue at 2000, the agent and account 1001, and a trunk with this peer.
pub fn tenant(id: &str, domain: &str, trunk: &str) -> Tenant {
    let id = TenantId::new(id).unwrap();
    let name = |text: &str| Name::new(text).unwrap();
    let user = UserId::new(id, "1001").unwrap();
    let queue = QueueId::new(id, "sales").unwrap();
    let agent = Agent {
        id: AgentId::new(id, "1001").unwrap(),
        display: "Agent".into(),
        user: user.clone(),
        queues: vec![queue.clone()],
        auto_sign_in: false,
        duty: Duty::default(),
        record: None,
    };
    let account = User {
        id: user,
        display: String::new(),
        ha1_md5: "0".repeat(32),
        ha1_sha256: "0".repeat(64),
        srtp: Default::default(),
        dtmf: cordboard_model::media::DtmfKind::default(),
    };
    let queues = Queue {
        id: queue.clone(),
        display: "Sales".into(),
        music: None,
        announce_every: None,
        announce_wait: true,
        language: "en".into(),
        ring: Duration::from_secs(10),
        wrap_up: Duration::ZERO,
        max_wait: Duration::from_secs(60),
        max_length: 10,
        audio: QueueAudio { number: NumberAudio::None, ..QueueAudio::default() },
        service: Service {
            unanswered: Unanswered { no_answer: Spare::For(Duration::from_secs(5)), ..Unanswered::default() },
            ..Service::default()
        },
        caller_pool: None,
        figures: Default::default(),
        callback: Default::default(),
    };
    let trunk =
        Trunk { peers: vec![addr(trunk)], max_calls: 3, ..Trunk::new(TrunkId::new(id, "carrier").unwrap()) };
    Tenant {
        id,
        domains: vec![domain.into()],
        codecs: Codec::DEFAULT.to_vec(),
        routing: vec!["numbers".into()],
        users: [(name("1001"), account)].into(),
        agents: [(name("1001"), agent)].into(),
        queues: [(name("sales"), queues)].into(),
        numbers: vec![CalledNumber {
            access_code: "2000".into(),
            extension_code: None,
            to: Destination::Queue(queue),
        }],
        trunks: [(name("carrier"), trunk)].into(),
        ..Tenant::new(id)
    }
}

pub fn snapshot(tenants: Vec<Tenant>) -> Snapshot {
    let mut snapshot = Snapshot::empty();
    snapshot.version = 1;
    snapshot.tenants = tenants.into_iter().map(|tenant| (tenant.id, tenant)).collect();
    snapshot
}

pub fn one_tenant() -> Snapshot {
    snapshot(vec![tenant("default", "example.com", TRUNK)])
}

/// The same with a password for account 1001, who is Ann.
pub fn with_password(password: &str) -> Snapshot {
    let mut known = one_tenant();
    for user in known.tenants.values_mut().flat_map(|tenant| tenant.users.values_mut()) {
        let ha1 = |algorithm| ha1(algorithm, "1001", "example.com", password);
        (user.ha1_md5, user.ha1_sha256) = (ha1(Algorithm::Md5), ha1(Algorithm::Sha256));
        user.display = "Ann".into();
    }
    known
}

/// An account's registration from a phone.
pub fn contact(name: &str, phone: &str) -> ContactRecord {
    ContactRecord {
        user: UserId::new(TenantId::DEFAULT, name).unwrap(),
        uri: format!("sip:{name}@{phone}"),
        flow: format!("udp:{phone}"),
        path: Vec::new(),
        user_agent: String::new(),
        q_milli: 1_000,
        call_id: name.into(),
        cseq: 1,
        expires: Wall(1_700_900_000_000),
    }
}

/// Everything that came out, in words.
pub struct Rig {
    pub shard: Shard,
    pub now: Time,
    pub said: Vec<String>,
    pub sent: Vec<(SocketAddr, String)>,
    pub events: Vec<(TenantId, u64, EventKind)>,
    pub records: Vec<JournalRecord>,
    /// Tickets that are not answered yet.
    pub owed: Vec<u64>,
    /// Questions to the domain name system.
    pub looked: Vec<(u64, DnsQuery)>,
    /// Questions by HTTP.
    pub fetched: Vec<(u64, FetchOrder)>,
    /// What was done with chats and is written, or is not.
    pub kept: Vec<(u64, bool)>,
    /// Passwords to be looked at.
    pub hashed: Vec<(u64, HashWork)>,
    /// The journal answers at once.
    pub prompt: bool,
    /// What media threads were asked for.
    pub media: Vec<MediaCommand>,
    ports: u16,
}

impl Rig {
    /// What an agent asks for.
    pub fn order(&mut self, agent: AgentId, what: AgentOrder) -> Result<(), Refused> {
        self.shard.agent_intent(AcdCommand::Order { agent, what, by: None }, self.now)
    }

    /// Gives an order at a desk.
    pub fn desk(&mut self, order: DeskOrder) -> Result<Vec<String>, DeskFault> {
        let answer = self.shard.desk(order, self.now);
        self.drain();
        answer
    }

    pub fn new() -> Self {
        let mut rig = Self::unconfigured([7; 32]);
        rig.configure(one_tenant());
        rig
    }

    /// Account 1001 is registered with a phone at `phone`.
    pub fn knows_the_phone(&mut self, phone: &str) {
        let restore = Restore { contacts: vec![contact("1001", phone)], ..Restore::default() };
        self.command(ShardCommand::Restore(Box::new(restore)));
    }

    /// A trunk's caller talks to account 1001 at its phone. Gives our INVITE to the phone.
    pub fn talks_to_the_phone(&mut self, phone: &str) -> String {
        self.configure(with_password("secret"));
        self.knows_the_phone(phone);
        self.datagram(TRUNK, &invite(TRUNK, "1001", "example.com", "a"));
        let ours = self.last("INVITE").to_owned();
        self.datagram(phone, &response(phone, &ours, "200 OK"));
        ours
    }

    pub fn unconfigured(seed: [u8; 32]) -> Self {
        Self::with_video(seed, false)
    }

    /// Whether the video of callers who wait is taken.
    pub fn with_video(seed: [u8; 32], waiting: bool) -> Self {
        let config = ShardConfig {
            shard: 0,
            start_secs: 0x6560_0000,
            seed,
            local: addr(SWITCH),
            listeners: Vec::new(),
            advertised: None,
            advertised_other: None,
            media_other: None,
            dtls: None,
            authenticated: Vec::new(),
            ptime_ms: 20,
            rtcp_mux: false,
            video: Some(cordboard_core::VideoRule { kbit: 1_500, waiting }),
            comfort_noise: false,
            wall: WallClock { at_zero: Wall(1_700_000_000_000) },
            panic_key: None,
            trace: cordboard_model::trace::TraceLimits::default(),
        };
        Self {
            shard: Shard::new(config, Registry::new(vec![Box::new(Obeys), Box::new(Numbers)]).unwrap()),
            now: Time::from_millis(1_000),
            said: Vec::new(),
            sent: Vec::new(),
            events: Vec::new(),
            records: Vec::new(),
            owed: Vec::new(),
            looked: Vec::new(),
            fetched: Vec::new(),
            hashed: Vec::new(),
            kept: Vec::new(),
            prompt: true,
            media: Vec::new(),
            ports: 0,
        }
    }

    pub fn configure(&mut self, snapshot: Snapshot) {
        self.command(ShardCommand::Configure(Arc::new(snapshot)));
    }

    pub fn command(&mut self, command: ShardCommand) {
        self.shard.handle_command(command, self.now);
        self.drain();
    }

    pub fn input(&mut self, input: ShardInput<'_>) {
        self.shard.handle_input(input, self.now);
        self.drain();
    }

    pub fn datagram(&mut self, from: &str, bytes: &[u8]) {
        let datagram = Datagram { transport: Transport::Udp, local: addr(SWITCH), remote: addr(from), bytes };
        self.input(ShardInput::Datagram(datagram));
    }

    /// Sends a request as account 1001: as it is, and again with the answer to the challenge.
    pub fn authenticated(&mut self, from: &str, text: &str, password: &str) {
        self.proved(from, text, Identity { username: "1001", password });
    }

    /// The same as somebody else.
    pub fn proved(&mut self, from: &str, text: &str, identity: Identity<'_>) {
        self.datagram(from, text.as_bytes());
        let challenge = parse_datagram(self.last("401").as_bytes()).unwrap();
        let mut again =
            parse_datagram(text.replace("branch=z9hG4bK", "branch=z9hG4bKagain").as_bytes()).unwrap();
        let (name, value) = answer_challenge(&challenge, &again, identity, "c0ffee", 1).unwrap();
        again.push(name, value);
        self.datagram(from, &again.to_bytes());
    }

    pub fn after(&mut self, ms: u64) {
        let until = self.now + Duration::from_millis(ms);
        while let Some((at, _)) = self.shard.poll_timeout().filter(|(at, _)| *at <= until) {
            self.now = at.max(self.now);
            self.shard.handle_timeout(self.now);
            self.drain();
        }
        self.now = until;
    }

    /// The journal has what it owes.
    pub fn journal_answers(&mut self, ok: bool) {
        for ticket in std::mem::take(&mut self.owed) {
            self.input(ShardInput::Journalled { ticket, ok });
        }
    }

    pub fn drain(&mut self) {
        while let Some(output) = self.shard.poll_output() {
            let mut answer = None;
            match output {
                ShardOutput::Transmit { flow, bytes } => {
                    let text = String::from_utf8_lossy(&bytes).into_owned();
                    let first = text.lines().next().unwrap_or_default().to_owned();
                    self.said.push(format!("{} {first}", flow.remote));
                    self.sent.push((flow.remote, text));
                }
                ShardOutput::Media(command) => answer = self.media(&command),
                ShardOutput::Journal { ticket, record } => {
                    let word = format!("{record:?}");
                    let word = word.split([' ', '(']).next().unwrap_or_default();
                    self.said.push(format!("journal {word}"));
                    self.records.push(*record);
                    self.owed.extend(ticket);
                }
                ShardOutput::Lookup { ticket, query, .. } => self.looked.push((ticket, query)),
                ShardOutput::Fetch { ticket, order } => self.fetched.push((ticket, *order)),
                ShardOutput::Hash { ticket, work, .. } => self.hashed.push((ticket, *work)),
                ShardOutput::ChatKept { ticket, ok } => self.kept.push((ticket, ok)),
                ShardOutput::Speak { .. } | ShardOutput::Stream(_) | ShardOutput::ChatNews { .. } => {}
                ShardOutput::Event(event) => self.events.push((event.tenant, event.seq, event.what)),
            }
            if let Some(event) = answer {
                self.shard.handle_input(ShardInput::Media(event), self.now);
            }
        }
        if self.prompt && !self.owed.is_empty() {
            self.journal_answers(true);
        }
    }

    fn media(&mut self, command: &MediaCommand) -> Option<MediaEvent> {
        self.media.push(command.clone());
        match command {
            MediaCommand::Open { leg, .. } => {
                self.ports += 2;
                let local = SocketAddr::new(addr(SWITCH).ip(), 20_000 + self.ports);
                Some(MediaEvent::Opened { leg: *leg, local })
            }
            MediaCommand::Vacate { leg } => {
                Some(MediaEvent::Vacated { leg: *leg, stats: LegStats::default() })
            }
            MediaCommand::Close { leg } => Some(MediaEvent::Closed { leg: *leg, stats: LegStats::default() }),
            MediaCommand::StopRecord { recording } => {
                Some(MediaEvent::RecordingClosed { recording: *recording, length_ms: 0, dropped_ms: 0 })
            }
            _ => None,
        }
    }

    /// The last message that was sent whose first line holds this.
    #[track_caller]
    pub fn last(&self, holds: &str) -> &str {
        let is = |(_, text): &&(SocketAddr, String)| text.lines().next().unwrap_or_default().contains(holds);
        match self.sent.iter().rev().find(is) {
            Some((_, text)) => text,
            None => panic!("nothing with {holds} was sent: {:#?}", self.said),
        }
    }

    pub fn heard(&self, holds: &str) -> usize {
        self.said.iter().filter(|line| line.contains(holds)).count()
    }

    pub fn alarms(&self) -> Vec<&str> {
        let alarm = |(_, _, what): &'_ (TenantId, u64, EventKind)| match what {
            EventKind::Alarm { code, .. } => Some(code.clone()),
            _ => None,
        };
        self.events.iter().filter_map(alarm).map(|code| &*code.leak()).collect()
    }
}

/// A header of a message.
pub fn header<'a>(text: &'a str, name: &str) -> &'a str {
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
    line.unwrap_or_default()
}

fn sdp(from: &str) -> String {
    let ip = addr(from).ip();
    format!(
        "v=0\r\no=- 5 1 IN IP4 {ip}\r\ns=-\r\nc=IN IP4 {ip}\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8 101\r\na=rtpmap:101 telephone-event/8000\r\n"
    )
}

/// An INVITE of a peer.
pub fn invite(from: &str, to: &str, host: &str, call: &str) -> Vec<u8> {
    let sdp = sdp(from);
    format!(
        "INVITE sip:{to}@{host} SIP/2.0\r\nVia: SIP/2.0/UDP {from};branch=z9hG4bK{call}i\r\nMax-Forwards: 70\r\n\
         From: \"{call}\" <sip:caller@{host}>;tag={call}\r\nTo: <sip:{to}@{host}>\r\nCall-ID: {call}\r\n\
         CSeq: 1 INVITE\r\nContact: <sip:caller@{from}>\r\nContent-Type: application/sdp\r\n\
         Content-Length: {}\r\n\r\n{sdp}",
        sdp.len()
    )
    .into_bytes()
}

/// ACK or BYE in the dialog that this 200 made.
pub fn within(method: &str, seq: u32, from: &str, answer: &str) -> Vec<u8> {
    let (party, to, call) = (header(answer, "From"), header(answer, "To"), header(answer, "Call-ID"));
    format!(
        "{method} sip:cordboard@{SWITCH} SIP/2.0\r\nVia: SIP/2.0/UDP {from};branch=z9hG4bK{call}{method}\r\n\
         Max-Forwards: 70\r\nFrom: {party}\r\nTo: {to}\r\nCall-ID: {call}\r\nCSeq: {seq} {method}\r\n\
         Content-Length: 0\r\n\r\n"
    )
    .into_bytes()
}

/// A response to a request of ours, with a description if it is a 200 to an INVITE.
pub fn response(from: &str, request: &str, status: &str) -> Vec<u8> {
    let (via, party, to) = (header(request, "Via"), header(request, "From"), header(request, "To"));
    let (call, cseq) = (header(request, "Call-ID"), header(request, "CSeq"));
    let body = if status.starts_with('2') && cseq.ends_with("INVITE") { sdp(from) } else { String::new() };
    let kind = if body.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
    format!(
        "SIP/2.0 {status}\r\nVia: {via}\r\nFrom: {party}\r\nTo: {to};tag=peer\r\nCall-ID: {call}\r\nCSeq: {cseq}\r\n\
         Contact: <sip:peer@{from}>\r\n{kind}Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}
