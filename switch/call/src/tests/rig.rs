//! One call with a scripted world around it: media threads and phones that obey, unless told not to.

use crate::*;
use cordboard_model::audio::{QueueAudio, RecordRule, RecordWhen};
use cordboard_model::cause::{Cause, Party};
use cordboard_model::cdr::Cdr;
use cordboard_model::event::EventKind;
use cordboard_model::id::*;
use cordboard_model::leg::{Incoming, LegCommand, LegEvent, PartyId};
use cordboard_model::media::{LegStats, MediaCommand, MediaEvent, MixMember, OpenError, PlayItem, Repeat};
use cordboard_model::stream::StreamCommand;
use cordboard_model::time::{Duration, Time, Wall, WallClock};
use cordboard_model::verb::{Destination, Verb, VerbAnswer};
use core::net::SocketAddr;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

pub(super) const TENANT: TenantId = TenantId::DEFAULT;

pub(super) fn queue(name: &str) -> QueueId {
    QueueId::new(TENANT, name).unwrap()
}
pub(super) fn agent(name: &str) -> AgentId {
    AgentId::new(TENANT, name).unwrap()
}
pub(super) fn user(name: &str) -> UserId {
    UserId::new(TENANT, name).unwrap()
}
pub(super) fn flow(name: &str) -> FlowId {
    FlowId::new(TENANT, name).unwrap()
}
pub(super) fn asset(name: &str) -> PlayItem {
    PlayItem::Asset(AssetId::new(TENANT, name).unwrap())
}

/// The switch with one call in it.
pub(super) struct Rig {
    pub(super) engine: CallEngine,
    pub(super) now: Time,
    pub(super) call: CallId,
    pub(super) caller: LegId,
    /// Media threads obey.
    pub(super) media: bool,
    /// Phones and their sessions obey.
    pub(super) phones: bool,
    pub(super) outputs: Vec<CallOutput>,
    lines: Vec<String>,
    names: BTreeMap<LegId, String>,
    playing: BTreeMap<LegId, PlaybackId>,
    recordings: Vec<RecordingId>,
    ticket: Ticket,
}

impl Rig {
    pub(super) fn new() -> Self {
        Self::with(CallConfig::new(0x6560_0000, 0))
    }

    /// What `sales` does is recorded, unless the test says something else of it.
    pub(super) fn with(mut config: CallConfig) -> Self {
        let recorded = || {
            let record = Some(RecordRule::new(RecordWhen::Always));
            Arc::new(QueueAudio { record, ..QueueAudio::default() })
        };
        config.manners.queues.entry(queue("sales")).or_insert_with(recorded);
        let mut engine = CallEngine::new(config, WallClock { at_zero: Wall(1_000_000) });
        let (call, caller) = (engine.new_call(TENANT), engine.new_leg(TENANT));
        Self {
            engine,
            now: Time::ZERO,
            call,
            caller,
            media: true,
            phones: true,
            outputs: Vec::new(),
            lines: Vec::new(),
            names: BTreeMap::new(),
            playing: BTreeMap::new(),
            recordings: Vec::new(),
            ticket: 0,
        }
    }

    /// A call that was sent there.
    pub(super) fn routed(to: Destination) -> Self {
        let mut rig = Self::new();
        rig.incoming();
        rig.route(to);
        rig
    }

    /// A caller who waits in `sales` and hears music.
    pub(super) fn waiting() -> Self {
        let mut rig = Self::routed(Destination::Queue(queue("sales")));
        rig.music();
        rig
    }

    /// A caller who talks to agent 1001 from queue `sales`.
    pub(super) fn talking() -> (Self, LegId) {
        let mut rig = Self::waiting();
        rig.offer("1001");
        let leg = rig.leg_of("1001");
        rig.leg(leg, LegEvent::Ringing);
        rig.leg(leg, LegEvent::Answered);
        rig.said();
        (rig, leg)
    }

    /// A caller with a running flow `menu`, answered.
    pub(super) fn in_flow() -> Self {
        let mut rig = Self::routed(Destination::Flow(flow("menu")));
        rig.verb(Verb::Answer);
        rig.said();
        rig
    }

    pub(super) fn incoming(&mut self) {
        let incoming = Incoming {
            leg: self.caller,
            from: PartyId::new("alice"),
            to: PartyId::new("4000"),
            trunk: None,
            user: None,
            replaces: None,
            data: BTreeMap::new(),
        };
        let call = self.call;
        self.tell(CallInput::New { call, incoming });
    }

    /// Another call, by this account, sent there. The rig's `call` is the new one from now on.
    pub(super) fn another(
        &mut self,
        from: &str,
        to: Destination,
        replaces: Option<LegId>,
    ) -> (CallId, LegId) {
        let (call, leg) = (self.engine.new_call(TENANT), self.engine.new_leg(TENANT));
        let (from, user) = (PartyId::new(from), Some(user(from)));
        let incoming = Incoming {
            leg,
            from,
            to: PartyId::new("5000"),
            trunk: None,
            user,
            replaces,
            data: BTreeMap::new(),
        };
        self.tell(CallInput::New { call, incoming });
        self.tell(CallInput::Routed { call, to, reasons: Vec::new() });
        (call, leg)
    }

    /// The record of one of several calls.
    pub(super) fn cdr_of(&self, wanted: CallId) -> &Cdr {
        let found = self.outputs.iter().find_map(|output| match output {
            CallOutput::Closing { call, cdr } if *call == wanted => Some(cdr),
            _ => None,
        });
        found.expect("a record")
    }

    pub(super) fn route(&mut self, to: Destination) {
        let call = self.call;
        self.tell(CallInput::Routed { call, to, reasons: Vec::new() });
    }

    pub(super) fn music(&mut self) {
        let call = self.call;
        self.tell(CallInput::Music { call, items: vec![asset("music")] });
    }

    pub(super) fn offer(&mut self, who: &str) {
        self.offer_saying(who, &[]);
    }

    /// The same of an agent whose number is said by these prompts.
    pub(super) fn offer_saying(&mut self, who: &str, number: &[&str]) {
        self.tell(CallInput::Offer {
            call: self.call,
            agent: agent(who),
            user: user(who),
            display: String::new(),
            ring: Duration::from_secs(15),
            number: number.iter().map(|name| asset(name)).collect(),
        });
    }

    /// Asks for a step; gives its ticket.
    pub(super) fn verb(&mut self, verb: Verb) -> Ticket {
        self.ticket += 1;
        let (call, ticket) = (self.call, self.ticket);
        self.tell(CallInput::VerbRequest { call, ticket, verb });
        ticket
    }

    /// What a step was answered, if it was.
    pub(super) fn answer_to(&self, wanted: Ticket) -> Option<VerbAnswer> {
        self.outputs.iter().find_map(|output| match output {
            CallOutput::Flow(FlowOutput::Answer { ticket, answer, .. }) if *ticket == wanted => {
                Some(answer.clone())
            }
            _ => None,
        })
    }

    pub(super) fn keys(&mut self, keys: &str) {
        for digit in keys.chars() {
            let leg = self.caller;
            self.tell(CallInput::Media(MediaEvent::Digit { leg, digit }));
        }
    }

    pub(super) fn leg(&mut self, leg: LegId, event: LegEvent) {
        self.tell(CallInput::Leg(leg, event));
    }

    /// The party at the end of `leg` ends it.
    pub(super) fn hangs_up(&mut self, leg: LegId, cause: Cause, sip_status: Option<u16>) {
        self.leg(leg, LegEvent::Ended { cause, by_peer: true, sip_status });
    }

    /// What plays on `leg` comes to its end.
    pub(super) fn play_ends(&mut self, leg: LegId) {
        let playback = self.playing.remove(&leg).expect("something plays");
        self.tell(CallInput::Media(MediaEvent::PlayDone { leg, playback, finished: true }));
    }

    pub(super) fn plays(&self, leg: LegId) -> bool {
        self.playing.contains_key(&leg)
    }

    pub(super) fn tell(&mut self, input: CallInput) {
        self.engine.handle_input(input, self.now);
        self.drain();
    }

    pub(super) fn command(&mut self, command: CallCommand) {
        self.engine.handle_command(command, self.now);
        self.drain();
    }

    /// Lets time pass, deadline by deadline.
    pub(super) fn after(&mut self, ms: u64) {
        let until = self.now + Duration::from_millis(ms);
        while let Some((at, _)) = self.engine.poll_timeout().filter(|(at, _)| *at <= until) {
            self.now = at.max(self.now);
            self.engine.handle_timeout(self.now);
            self.drain();
        }
        self.now = until;
    }

    /// Everything said since the last time this was asked, one line each.
    pub(super) fn said(&mut self) -> String {
        core::mem::take(&mut self.lines).join("\n")
    }

    /// The latest leg whose party is called so.
    pub(super) fn leg_of(&self, name: &str) -> LegId {
        let found = self.names.iter().rfind(|(_, n)| *n == name);
        *found.expect("a leg of that name").0
    }

    /// The only record.
    pub(super) fn cdr(&self) -> &Cdr {
        let mut cdrs = self.outputs.iter().filter_map(|output| match output {
            CallOutput::Closing { cdr, .. } => Some(cdr),
            _ => None,
        });
        let cdr = cdrs.next().expect("a record");
        assert!(cdrs.next().is_none(), "a call has one record");
        cdr
    }

    /// The record of the only call, which the caller ends for it.
    pub(super) fn cdr_at_the_end(&mut self) -> &Cdr {
        self.hangs_up(self.caller, Cause::Normal, None);
        self.cdr()
    }

    /// What was said to flows, in a word or two each.
    pub(super) fn outputs_of_flows(&self) -> Vec<String> {
        let word = |output: &CallOutput| match output {
            CallOutput::Flow(FlowOutput::Start { flow, above, .. }) => {
                Some(format!("start {}{}", flow.name, if *above { " above" } else { "" }))
            }
            CallOutput::Flow(FlowOutput::Answer { .. }) => Some("answer".into()),
            CallOutput::Flow(FlowOutput::Back { .. }) => Some("back".into()),
            CallOutput::Flow(FlowOutput::Stop { .. }) => Some("stop".into()),
            _ => None,
        };
        self.outputs.iter().filter_map(word).collect()
    }

    pub(super) fn ended(&self) -> (Cause, Party) {
        (self.cdr().cause, self.cdr().ended_by)
    }

    /// Asserts that nothing is left and that the call was forgotten once.
    pub(super) fn nothing_left(&self) {
        let forgotten = |o: &&CallOutput| matches!(o, CallOutput::Forgotten { .. });
        assert_eq!(self.outputs.iter().filter(forgotten).count(), 1);
        assert!(self.engine.is_quiescent(), "{:?}", self.engine);
    }

    pub(super) fn alarms(&self) -> usize {
        let alarm = |o: &&CallOutput| matches!(o, CallOutput::Event(_, EventKind::Alarm { .. }));
        self.outputs.iter().filter(alarm).count()
    }

    pub(super) fn drain(&mut self) {
        let mut answers = VecDeque::new();
        loop {
            while let Some(output) = self.engine.poll_output() {
                self.note(&output);
                self.obey(&output, &mut answers);
                self.outputs.push(output);
            }
            match answers.pop_front() {
                Some(input) => self.engine.handle_input(input, self.now),
                None => return,
            }
        }
    }

    fn obey(&mut self, output: &CallOutput, answers: &mut VecDeque<CallInput>) {
        match output {
            CallOutput::Media(command) if self.media => self.obey_media(command, answers),
            CallOutput::Leg(leg, LegCommand::Answer) if self.phones => {
                answers.push_back(CallInput::Leg(*leg, LegEvent::Answered));
                answers.push_back(CallInput::Leg(*leg, LegEvent::Confirmed));
            }
            CallOutput::Leg(leg, LegCommand::HangUp { cause }) if self.phones => {
                let ended = LegEvent::Ended { cause: *cause, by_peer: false, sip_status: None };
                answers.push_back(CallInput::Leg(*leg, ended));
            }
            CallOutput::Leg(leg, LegCommand::Hold { on }) if self.phones => {
                answers.push_back(CallInput::Leg(*leg, LegEvent::HoldDone { on: *on, ok: true }));
            }
            _ => {}
        }
    }

    fn obey_media(&mut self, command: &MediaCommand, answers: &mut VecDeque<CallInput>) {
        let event = match command {
            MediaCommand::Open { leg, .. } => {
                let local = SocketAddr::from(([127, 0, 0, 1], 40_000));
                MediaEvent::Opened { leg: *leg, local }
            }
            MediaCommand::Close { leg } => {
                let stats = LegStats { received: 50, sent: 49, ..LegStats::default() };
                MediaEvent::Closed { leg: *leg, stats }
            }
            MediaCommand::StopPlay { leg, playback } => {
                let (leg, playback) = (*leg, *playback);
                MediaEvent::PlayDone { leg, playback, finished: false }
            }
            MediaCommand::PauseRecord { recording, on } => MediaEvent::RecordingPaused {
                recording: *recording,
                on: *on,
                sample: if *on { 800 } else { 1_600 },
            },
            MediaCommand::StopRecord { recording } => {
                MediaEvent::RecordingClosed { recording: *recording, length_ms: 1_000, dropped_ms: 0 }
            }
            _ => return,
        };
        answers.push_back(CallInput::Media(event));
    }

    pub(super) fn open_fails(&mut self, leg: LegId) {
        let why = OpenError::RangeExhausted;
        self.tell(CallInput::Media(MediaEvent::OpenFailed { leg, why }));
    }

    fn name(&self, leg: LegId) -> &str {
        self.names.get(&leg).map_or("?", String::as_str)
    }

    fn note(&mut self, output: &CallOutput) {
        if let CallOutput::Event(_, EventKind::LegStarted { leg, party, .. }) = output {
            self.names.insert(*leg, party.user.clone());
        }
        match output {
            CallOutput::Media(MediaCommand::Play { leg, playback, .. }) => {
                self.playing.insert(*leg, *playback);
            }
            CallOutput::Media(MediaCommand::StopPlay { leg, .. } | MediaCommand::Close { leg }) => {
                self.playing.remove(leg);
            }
            CallOutput::Media(MediaCommand::Record { recording, .. }) => {
                self.recordings.push(*recording);
            }
            _ => {}
        }
        let line = self.line(output);
        self.lines.push(line);
    }

    fn line(&self, output: &CallOutput) -> String {
        match output {
            CallOutput::Leg(leg, command) => format!("{}: {command:?}", self.name(*leg)),
            CallOutput::Dial { leg, .. } => format!("{}: Dial", self.name(*leg)),
            CallOutput::Media(command) => format!("media: {}", self.media_line(command)),
            CallOutput::Route { .. } => "route".into(),
            CallOutput::Flow(FlowOutput::Start { flow, above, .. }) => {
                format!("flow: start {flow}{}", if *above { " above" } else { "" })
            }
            CallOutput::Flow(FlowOutput::Back { .. }) => "flow: back".into(),
            CallOutput::Flow(FlowOutput::Answer { answer, .. }) => format!("flow: {answer:?}"),
            CallOutput::Flow(FlowOutput::Stop { hung_up, .. }) => {
                format!("flow: stop{}", if *hung_up { ", hung up" } else { "" })
            }
            CallOutput::Queue(output) => format!("queue: {}", queue_line(output)),
            CallOutput::Stream(command) => match command {
                StreamCommand::Open(opening) => format!("stream: open {}", opening.url),
                StreamCommand::Digit { digit, .. } => format!("stream: digit {digit}"),
                StreamCommand::Close { .. } => "stream: close".into(),
            },
            CallOutput::Event(_, event) => format!("  event: {}", self.event_line(event)),
            CallOutput::Journal(record) => {
                let text = format!("{record:?}");
                let word = text.split([' ', '(']).next().unwrap_or_default();
                format!("journal: {word}")
            }
            CallOutput::Closing { cdr, .. } => {
                format!("CLOSING: {:?} by {:?}", cdr.cause, cdr.ended_by)
            }
            CallOutput::Speak { items, .. } => {
                format!("have made: {}", items.iter().map(item_line).collect::<Vec<_>>().join(", "))
            }
            CallOutput::Moved { leg, .. } => format!("{} moved", self.name(*leg)),
            CallOutput::Forgotten { .. } => "FORGOTTEN".into(),
        }
    }

    fn media_line(&self, command: &MediaCommand) -> String {
        match command {
            MediaCommand::Open { leg, .. } => format!("open {}", self.name(*leg)),
            MediaCommand::Play { leg, items, repeat, .. } => {
                let items: Vec<_> = items.iter().map(item_line).collect();
                let ever = if *repeat == Repeat::Forever { " for ever" } else { "" };
                format!("play to {}: {}{ever}", self.name(*leg), items.join(", "))
            }
            MediaCommand::StopPlay { leg, .. } => format!("stop play to {}", self.name(*leg)),
            MediaCommand::Bridge { a, b } => {
                format!("bridge {} and {}", self.name(*a), self.name(*b))
            }
            MediaCommand::Mix { members, .. } => {
                format!("mix {}", self.rows(members))
            }
            MediaCommand::Unbridge { leg } => format!("unbridge {}", self.name(*leg)),
            MediaCommand::Record { left, right, .. } => {
                let right = right.map_or("nobody", |leg| self.name(leg));
                format!("record {} left, {right} right", self.name(*left))
            }
            MediaCommand::StopRecord { .. } => "stop record".into(),
            MediaCommand::Held { leg, held } => format!("held {} {held}", self.name(*leg)),
            MediaCommand::Live { leg, .. } => format!("live {}", self.name(*leg)),
            MediaCommand::Listen { leg, track, .. } => {
                format!("listen to {} {}", self.name(*leg), track.as_str())
            }
            MediaCommand::StopLive { leg, .. } => format!("stop live {}", self.name(*leg)),
            MediaCommand::Close { leg } => format!("close {}", self.name(*leg)),
            MediaCommand::Configure { .. }
            | MediaCommand::Video { .. }
            | MediaCommand::Dtmf { .. }
            | MediaCommand::PauseRecord { .. }
            | MediaCommand::Secret { .. }
            | MediaCommand::Pressed { .. }
            | MediaCommand::Vacate { .. }
            | MediaCommand::SendDigits { .. } => {
                format!("{command:?}")
            }
        }
    }

    pub(super) fn rows(&self, members: &[MixMember]) -> String {
        let rows: Vec<String> = members.iter().map(|member| self.row(member, members)).collect();
        rows.join("; ")
    }

    fn row(&self, member: &MixMember, members: &[MixMember]) -> String {
        let heard = members.iter().enumerate().filter(|(n, _)| member.hears & (1 << n) != 0);
        let heard: Vec<&str> = heard.map(|(_, heard)| self.name(heard.leg)).collect();
        let muted = if member.muted { " muted" } else { "" };
        let heard = if heard.is_empty() { "nobody".to_owned() } else { heard.join(" and ") };
        format!("{}{muted} hears {heard}", self.name(member.leg))
    }

    fn event_line(&self, event: &EventKind) -> String {
        match event {
            EventKind::CallStarted { .. } => "call started".into(),
            EventKind::CallRouted { to, .. } => format!("routed to {to}"),
            EventKind::CallStage { stage, queue, agent, .. } => {
                let queue = queue.as_ref().map(|q| format!(" {q}")).unwrap_or_default();
                let agent = agent.as_ref().map(|a| format!(" {a}")).unwrap_or_default();
                format!("stage {stage:?}{queue}{agent}")
            }
            EventKind::CallAnswered { .. } => "call answered".into(),
            EventKind::LegStarted { leg, .. } => format!("leg {} started", self.name(*leg)),
            EventKind::LegAudio { leg, news, .. } => format!("leg {} audio {news:?}", self.name(*leg)),
            EventKind::LegAnswered { leg, .. } => format!("leg {} answered", self.name(*leg)),
            EventKind::LegHeld { leg, held, .. } => format!("leg {} held {held}", self.name(*leg)),
            EventKind::LegEnded { leg, cause, .. } => {
                format!("leg {} ended {cause:?}", self.name(*leg))
            }
            EventKind::CallTransfer { transfer, .. } => {
                let cause = transfer.cause.map(|cause| format!(" {cause:?}")).unwrap_or_default();
                let to = match transfer.leg {
                    Some(leg) => self.name(leg),
                    None => &transfer.to,
                };
                let by = self.name(transfer.by);
                format!("transfer {:?} by {by} to {to}: {:?}{cause}", transfer.kind, transfer.outcome)
            }
            EventKind::LegMuted { leg, muted, .. } => format!("leg {} muted {muted}", self.name(*leg)),
            EventKind::CallConference { to, change, cause, .. } => {
                let cause = cause.map(|cause| format!(" {cause:?}")).unwrap_or_default();
                format!("conference with {to}: {change:?}{cause}")
            }
            EventKind::CallSupervised { supervision, .. } => {
                let turns: Vec<&str> = supervision.turns.iter().map(|turn| turn.mode.as_str()).collect();
                let cause = supervision.cause.map(|cause| format!(", ended {cause:?}")).unwrap_or_default();
                let (by, of) = (&supervision.by.user, self.name(supervision.of));
                format!("{by} supervises {of}: {:?} [{}]{cause}", supervision.mode, turns.join(" "))
            }
            EventKind::Speaking { leg, .. } => {
                format!("{} speaks", leg.map_or("nobody", |leg| self.name(leg)))
            }
            EventKind::Digit { digit, .. } => format!("digit {digit}"),
            EventKind::DataChanged { key, value, .. } => format!("data {key} = {value}"),
            EventKind::FlowStarted { flow, .. } => format!("flow {flow} started"),
            EventKind::FlowFailed { error, .. } => format!("flow failed: {error}"),
            EventKind::FlowLog { text, .. } => format!("flow log: {text}"),
            EventKind::StreamStarted { way, by, .. } => format!("stream {way:?} started by {by}"),
            EventKind::StreamEnded { end, .. } => format!("stream ended {end:?}"),
            EventKind::PlayStarted { legs, by, .. } => {
                let legs: Vec<&str> = legs.iter().map(|leg| self.name(*leg)).collect();
                format!("play to {} started by {by}", legs.join(" and "))
            }
            EventKind::PlayEnded { how, .. } => format!("play ended {how:?}"),
            EventKind::CollectStarted { leg, by, .. } => {
                format!("collect from {} started by {by}", self.name(*leg))
            }
            EventKind::CollectEnded { how, digits, .. } => format!("collect ended {how:?} {digits:?}"),
            EventKind::RecordingStarted { .. } => "recording started".into(),
            EventKind::RecordingReady { length_ms, .. } => format!("recording ready {length_ms}"),
            EventKind::CallEnded { cause, .. } => format!("call ended {cause:?}"),
            EventKind::Alarm { code, .. } => format!("alarm {code}"),
            other => format!("{other:?}"),
        }
    }
}

fn item_line(item: &PlayItem) -> String {
    match item {
        PlayItem::Asset(asset) => asset.name.to_string(),
        PlayItem::Tone(tone, _) => format!("{tone:?}"),
        PlayItem::Silence(ms) => format!("silence {ms}"),
        PlayItem::Say(speech) => format!("say {:?}", speech.text),
    }
}

fn queue_line(output: &QueueOutput) -> String {
    match output {
        QueueOutput::Enter { queue, .. } => format!("enter {queue}"),
        QueueOutput::Abandoned { .. } => "abandoned".into(),
        QueueOutput::OfferRinging { agent, .. } => format!("{agent} rings"),
        QueueOutput::OfferAnswered { agent, .. } => format!("{agent} answered"),
        QueueOutput::OfferFailed { agent, why, caller_gone, .. } => {
            let gone = if *caller_gone { ", caller gone" } else { "" };
            format!("{agent} failed {why:?}{gone}")
        }
        QueueOutput::AgentReleased { agent, .. } => format!("{agent} released"),
    }
}
