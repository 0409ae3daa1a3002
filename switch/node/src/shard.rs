//! The signalling thread: reads UDP itself, takes everything else from lanes, and carries out what the shard wants.

use crate::chats::ChatDesk;
use crate::clock::Clock;
use crate::dns::Question;
use crate::fetch;
use crate::gauges::ShardGauges;
use crate::guard::guarded;
use crate::hashing::Job;
use crate::held::Held;
use crate::hep::HepOrder;
use crate::journal::JournalOrder;
use crate::media::{BuildOrder, MediaOrder, Parted};
use crate::owed::Owed;
use crate::placing::{Placed, Placing};
use crate::question::Asked;
use crate::speech::Wish;
use crate::transport::StreamOrder;
use cordboard_core::{Shard, ShardCommand, ShardInput, ShardOutput};
use cordboard_lane::{OwnedPermit, Receiver, Sender, Sleep};
use cordboard_model::cdr::RecordingEntry;
use cordboard_model::dns::DnsAnswer;
use cordboard_model::event::Event;
use cordboard_model::fetch::{FetchError, Fetched};
use cordboard_model::id::{AssetId, CallId, LegId, StreamId};
use cordboard_model::journal::JournalRecord;
use cordboard_model::media::{MediaCommand, MediaEvent};
use cordboard_model::signin::Hashed;
use cordboard_model::stream::{StreamCommand, StreamEnd, StreamOutcome};
use cordboard_model::time::{Duration, Time, WallClock};
use cordboard_sip::engine::{Datagram, Flow, Transport};
use cordboard_sip::wire::Frame;
use mio::event::Event as Readiness;
use mio::net::UdpSocket;
use mio::{Events, Interest, Poll, Token, Waker};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use tokio::sync::mpsc;

pub(crate) const WAKE: Token = Token(usize::MAX);
/// Datagrams read from one socket before lanes and timers have their turn.
const BURST: usize = 64;
/// Inputs handled before the threads that were sent something hear of it: an answer must not wait for the end of a
/// burst, and a wake-up for each item costs more than the item.
const QUIET: u32 = 8;
/// Items taken from one lane before the next has its turn.
const TURN: usize = 256;
/// Longest turn of a lane: a list of thousands of calls is an order like a digit, and takes a thousand times as long.
const TURN_TIME: Duration = Duration::from_millis(5);
/// How often a full lane to the journal is looked at: nothing wakes this thread when it has room again.
const JOURNAL_LOOK: Duration = Duration::from_millis(10);
/// A wait that is longer was one: a poll that finds something takes less.
const SLEPT: Duration = Duration::from_millis(1);
/// Longest datagram: what UDP can carry.
const DATAGRAM: usize = 65_535;

/// To the signalling thread.
pub enum Order {
    /// A stream held this next.
    Frame {
        /// The connection.
        flow: Flow,
        /// What it held.
        frame: Box<Frame>,
        /// The same as it came.
        bytes: Vec<u8>,
    },
    /// A message that came whole, over WebSocket.
    Message {
        /// The connection.
        flow: Flow,
        /// The message.
        bytes: Vec<u8>,
    },
    /// A connection is gone or could not be opened.
    FlowClosed(Flow),
    /// A media thread reports.
    Media(MediaEvent),
    /// A leg has left its media thread for the one where it is wanted; nothing if it could not.
    Moved(LegId, Option<Box<Parted>>),
    /// The journal has a record, or could not write it.
    Journalled(u64, bool),
    /// The journal has come to a mark.
    Written(u64),
    /// From the API, a signal or the boot.
    Command(ShardCommand),
    /// A question, or a command whose refusal matters.
    Ask(Box<dyn Asked>),
    /// The wall clock moved.
    Wall(WallClock),
    /// A question to the domain name system is answered.
    Looked {
        /// Names the question.
        ticket: u64,
        /// The answer.
        answer: DnsAnswer,
    },
    /// A stream ended, or never had a connection.
    StreamEnded {
        /// Its call.
        call: CallId,
        /// Which.
        stream: StreamId,
        /// How.
        outcome: StreamOutcome,
    },
    /// A flow's question is answered, or will not be.
    Fetched {
        /// Names the question.
        ticket: u64,
        /// What came of it.
        fetched: Fetched,
    },
    /// A password was looked at for a flow, or there was no room for that.
    Hashed {
        /// Names the work.
        ticket: u64,
        /// What came of it.
        hashed: Hashed,
    },
    /// Speech was made, or could not be.
    Spoken {
        /// Names the wish.
        ticket: u64,
        /// By which name it is played.
        asset: Option<AssetId>,
    },
}

impl std::fmt::Debug for Order {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Order::Frame { .. } | Order::Message { .. } => "stream",
            Order::FlowClosed(_) => "flow closed",
            Order::Media(_) | Order::Moved(..) => "media",
            Order::Journalled(..) | Order::Written(_) => "journalled",
            Order::Command(_) => "command",
            Order::Ask(_) => "ask",
            Order::Wall(_) => "wall",
            Order::Looked { .. } => "looked",
            Order::Spoken { .. } => "spoken",
            Order::Fetched { .. } => "fetched",
            Order::Hashed { .. } => "hashed",
            Order::StreamEnded { .. } => "stream ended",
        })
    }
}

/// What the signalling thread is made of.
pub struct ShardSetup {
    /// The shard.
    pub shard: Shard,
    /// Bound SIP sockets.
    pub sockets: Vec<std::net::UdpSocket>,
    /// From media threads, the journal, the API: each its own lane, so that none starves another.
    pub orders: Vec<Receiver<Order>>,
    /// To the connections of TCP, TLS and WebSocket.
    pub streams: Sender<StreamOrder>,
    /// To media threads, past the builder: for legs that arrive, whose place was kept.
    pub media: Vec<Sender<MediaOrder>>,
    /// To media threads, by way of who makes what they need.
    pub builder: Sender<BuildOrder>,
    /// To the journal. It has room for the closing record of every call that may be up.
    pub journal: Sender<JournalOrder>,
    /// To who asks the domain name system.
    pub dns: mpsc::Sender<Question>,
    /// To who carries streams to programs.
    pub programs: mpsc::Sender<StreamCommand>,
    /// To who makes speech.
    pub speech: mpsc::Sender<Wish>,
    /// To who asks for flows by HTTP.
    pub fetch: mpsc::Sender<fetch::Question>,
    /// To who looks at passwords for flows.
    pub hash: mpsc::Sender<Job>,
    /// To the event hub.
    pub events: Sender<Event>,
    /// Recordings that have ended, to the keeper.
    pub ended: Sender<RecordingEntry>,
    /// Copies of messages, if somebody collects them.
    pub hep: Option<Sender<HepOrder>>,
    /// Who waits for chats.
    pub chat_desk: Arc<ChatDesk>,
    /// The clock.
    pub clock: Clock,
    /// Read by the metrics.
    pub gauges: Arc<ShardGauges>,
}

/// A running signalling thread's state.
pub struct ShardThread {
    setup: ShardSetup,
    journal: Owed,
    /// Answers that wait for the journal.
    held: Held,
    poll: Poll,
    sockets: Vec<(SocketAddr, UdpSocket)>,
    unread: Vec<Token>,
    /// Which media thread a leg lives on.
    placing: Placing,
    /// The place kept for the leg that is under way, on the thread of this number.
    room: Option<(usize, OwnedPermit<MediaOrder>)>,
    /// Inputs handled since the other threads were woken.
    quiet: u32,
    /// When each socket was last known to be empty: what is read from it has waited no longer than since then.
    emptied: Vec<Time>,
    /// The last step of the ladders that was looked at for copies.
    copied: u64,
}

/// Adds the sockets that are `ready` to those that were not read to their end, each once: a flood that makes a socket
/// ready again and again must not buy it a second turn.
pub(crate) fn turns(unread: &mut Vec<Token>, ready: impl Iterator<Item = Token>) {
    unread.extend(ready.filter(|token| *token != WAKE));
    unread.sort_unstable();
    unread.dedup();
}

impl ShardThread {
    /// Registers sockets and wake-ups.
    ///
    /// # Errors
    /// The operating system gives no epoll or eventfd.
    pub fn new(mut setup: ShardSetup) -> io::Result<Self> {
        let poll = Poll::new()?;
        let waker = Arc::new(Waker::new(poll.registry(), WAKE)?);
        for lane in &mut setup.orders {
            let waker = Arc::clone(&waker);
            let wake = move || {
                // A wake-up that fails means a closed descriptor: the thread is gone.
                let _ = waker.wake();
            };
            lane.set_waker(wake).map_err(|_| io::Error::other("the lane has a waker already"))?;
        }
        let mut sockets = Vec::new();
        for (index, socket) in std::mem::take(&mut setup.sockets).into_iter().enumerate() {
            let addr = socket.local_addr()?;
            let mut socket = UdpSocket::from_std(socket);
            poll.registry().register(&mut socket, Token(index), Interest::READABLE)?;
            sockets.push((addr, socket));
        }
        let journal = Owed::new(setup.journal.clone());
        let placing = Placing::new(setup.media.len());
        let emptied = vec![setup.clock.now(); sockets.len()];
        Ok(Self {
            setup,
            journal,
            held: Held::default(),
            poll,
            sockets,
            unread: Vec::new(),
            placing,
            room: None,
            quiet: 0,
            emptied,
            copied: 0,
        })
    }

    /// Runs until every lane to it is closed and drained.
    pub fn run(mut self) {
        let mut events = Events::with_capacity(256);
        let mut buf = vec![0u8; DATAGRAM];
        // What the restart made the shard want, a BYE to each cut call for one, waits for no timer.
        self.with_shard("start", |_, _| ());
        loop {
            self.journal.pay();
            self.flush();
            let (ready, finished) = self.lanes();
            if finished {
                return self.held.tell_all();
            }
            let wait = if ready || !self.unread.is_empty() { Some(Duration::ZERO) } else { self.wait() };
            let before = self.setup.clock.now();
            if let Err(why) = self.poll.poll(&mut events, wait)
                && why.kind() != io::ErrorKind::Interrupted
            {
                tracing::error!(%why, "the signalling thread cannot wait");
                return;
            }
            self.waited(before);
            turns(&mut self.unread, events.iter().map(Readiness::token));
            for token in std::mem::take(&mut self.unread) {
                self.read(token, &mut buf);
            }
            self.obey();
            let now = self.setup.clock.now();
            self.held.tell_late(now);
            if self.setup.shard.poll_timeout().is_some_and(|(at, _)| at <= now) {
                self.with_shard("timeout", |shard, clock| shard.handle_timeout(clock.now()));
            }
            self.gauges();
        }
    }

    /// Whether a lane has something, and whether all are finished.
    fn lanes(&mut self) -> (bool, bool) {
        let (mut ready, mut finished) = (false, true);
        for lane in &mut self.setup.orders {
            match lane.prepare_sleep() {
                Sleep::Ready => (ready, finished) = (true, false),
                Sleep::Armed => finished = false,
                Sleep::Finished => {}
            }
        }
        (ready, finished)
    }

    fn wait(&self) -> Option<Duration> {
        let owing = (!self.journal.is_empty()).then_some(JOURNAL_LOOK);
        let timeout = self.setup.shard.poll_timeout().map(|(at, _)| at);
        let due = timeout.into_iter().chain(self.held.due()).min();
        owing.into_iter().chain(due.map(|at| at.since(self.setup.clock.now()))).min()
    }

    fn read(&mut self, token: Token, buf: &mut [u8]) {
        for _ in 0..BURST {
            let Some((local, socket)) = self.sockets.get(token.0) else {
                return;
            };
            let local = *local;
            match socket.recv_from(buf) {
                Ok((len, remote)) => {
                    let emptied = self.emptied.get(token.0).copied().unwrap_or_default();
                    self.setup.shard.note_delay(self.setup.clock.now().since(emptied));
                    let bytes = buf.get(..len).unwrap_or_default();
                    let datagram = Datagram { transport: Transport::Udp, local, remote, bytes };
                    self.with_shard("datagram", |shard, clock| {
                        shard.handle_input(ShardInput::Datagram(datagram), clock.now());
                    });
                }
                Err(why) if why.kind() == io::ErrorKind::WouldBlock => return self.is_empty(token),
                // ICMP of an earlier send: the transaction's own timer says what it means.
                Err(_) => continue,
            }
        }
        self.unread.push(token);
    }

    /// A socket had nothing more.
    fn is_empty(&mut self, token: Token) {
        if let Some(emptied) = self.emptied.get_mut(token.0) {
            *emptied = self.setup.clock.now();
        }
        self.setup.shard.note_delay(Duration::ZERO);
    }

    /// The thread slept since `before`, if the time says so: until then nothing had come.
    fn waited(&mut self, before: Time) {
        let now = self.setup.clock.now();
        if now.since(before) >= SLEPT {
            self.emptied.fill(now);
        }
    }

    fn obey(&mut self) {
        for lane in 0..self.setup.orders.len() {
            let until = self.setup.clock.now() + TURN_TIME;
            for taken in 0..TURN {
                if taken > 0 && self.setup.clock.now() >= until {
                    break;
                }
                let Some(order) = self.setup.orders.get_mut(lane).and_then(Receiver::pop) else {
                    break;
                };
                self.forget_leg(&order);
                let order = match order {
                    Order::Moved(leg, parted) => {
                        self.moved(leg, parted);
                        continue;
                    }
                    Order::Ask(asked) => {
                        self.answer(asked);
                        continue;
                    }
                    Order::Written(mark) => {
                        self.held.tell(mark);
                        continue;
                    }
                    order => order,
                };
                if let Order::Wall(wall) = &order {
                    self.setup.clock.set_wall(*wall);
                }
                self.with_shard("order", |shard, clock| match order {
                    Order::Frame { flow, frame, bytes } => {
                        let input = ShardInput::Frame { flow, frame: *frame, bytes: &bytes };
                        shard.handle_input(input, clock.now());
                    }
                    Order::Message { flow, bytes } => {
                        let Flow { transport, local, remote } = flow;
                        let datagram = Datagram { transport, local, remote, bytes: &bytes };
                        shard.handle_input(ShardInput::Datagram(datagram), clock.now());
                    }
                    Order::FlowClosed(flow) => shard.handle_input(ShardInput::FlowClosed(flow), clock.now()),
                    Order::Media(event) => shard.handle_input(ShardInput::Media(event), clock.now()),
                    Order::Moved(..) | Order::Ask(_) | Order::Written(_) => {}
                    Order::Journalled(ticket, ok) => {
                        shard.handle_input(ShardInput::Journalled { ticket, ok }, clock.now());
                    }
                    Order::Command(command) => shard.handle_command(command, clock.now()),
                    Order::Wall(wall) => shard.handle_input(ShardInput::Wall(wall), clock.now()),
                    Order::Looked { ticket, answer } => {
                        shard.handle_input(ShardInput::Looked { ticket, answer }, clock.now());
                    }
                    Order::StreamEnded { call, stream, outcome } => {
                        shard.handle_input(ShardInput::StreamEnded { call, stream, outcome }, clock.now());
                    }
                    Order::Fetched { ticket, fetched } => {
                        shard.handle_input(ShardInput::Fetched { ticket, fetched }, clock.now());
                    }
                    Order::Hashed { ticket, hashed } => {
                        shard.handle_input(ShardInput::Hashed { ticket, hashed }, clock.now());
                    }
                    Order::Spoken { ticket, asset } => {
                        shard.handle_input(ShardInput::Spoken { ticket, asset }, clock.now());
                    }
                });
            }
        }
    }

    /// Puts a question, and answers it once what it led to is carried out: who is woken by the answer may be given this thread's
    /// core at once, and a message would be on the wire no sooner than he sleeps. What it led to that is to outlive a crash is in
    /// the journal before he hears of it.
    fn answer(&mut self, mut asked: Box<dyn Asked>) {
        let before = self.journal.records();
        self.with_shard("order", |shard, clock| {
            shard.empty_hand(clock.now());
            asked.put(shard);
        });
        if self.journal.records() == before {
            return asked.tell();
        }
        let mark = self.held.hold(asked, self.setup.clock.now());
        if self.journal.put(JournalOrder::Mark(mark)).is_err() {
            self.held.tell(mark);
        }
    }

    /// A leg is gone: who places legs forgets it, and who makes what they need, if it was never closed.
    fn forget_leg(&mut self, order: &Order) {
        match order {
            Order::Media(MediaEvent::Closed { leg, .. }) => self.placing.forget(*leg),
            Order::Media(MediaEvent::OpenFailed { leg, .. }) => {
                self.placing.forget(*leg);
                // With a full lane it is forgotten as the oldest, when there are too many.
                let _ = self.setup.builder.try_send_quietly(BuildOrder::Forget(*leg));
            }
            _ => {}
        }
    }

    /// Runs the shard, ends the call in hand if it panics, and carries out what it wants.
    fn with_shard(&mut self, what: &'static str, work: impl FnOnce(&mut Shard, &Clock)) {
        let (shard, clock) = (&mut self.setup.shard, &self.setup.clock);
        if guarded(what, || work(shard, clock)).is_none() {
            let now = clock.now();
            match guarded("after a panic", || shard.after_panic(now)) {
                Some(Some(call)) => tracing::error!(%call, "the call in hand was ended"),
                _ => tracing::error!("no call was in hand"),
            }
        }
        while let Some(output) = self.setup.shard.poll_output() {
            self.carry_out(output);
        }
        self.copy();
        self.quiet += 1;
        if self.quiet >= QUIET {
            self.flush();
        }
    }

    /// Gives copies of new messages to who sends them on. After all outputs: a message's call is known by then.
    fn copy(&mut self) {
        let Some(hep) = &self.setup.hep else {
            return;
        };
        let wall = self.setup.clock.wall();
        self.setup.shard.ladder().tap(&mut self.copied, |tapped| {
            // A full lane costs copies, and its counter tells of them.
            let _ = hep.try_send_quietly(HepOrder { tapped, wall });
        });
    }

    /// Wakes every thread that was sent something.
    fn flush(&mut self) {
        self.quiet = 0;
        self.journal.flush();
        self.setup.events.flush();
        self.setup.streams.flush();
        if let Some(hep) = &self.setup.hep {
            hep.flush();
        }
        self.setup.builder.flush();
    }

    /// An input that carrying out an output led to; what comes of it is carried out after it.
    fn tell_shard(&mut self, what: &'static str, input: ShardInput<'_>) {
        let now = self.setup.clock.now();
        let shard = &mut self.setup.shard;
        if guarded(what, || shard.handle_input(input, now)).is_none() {
            guarded("after a panic", || shard.after_panic(now));
        }
    }

    fn carry_out(&mut self, output: ShardOutput) {
        match output {
            ShardOutput::Transmit { flow, bytes } => {
                let gauge = match self.transmit(flow, bytes) {
                    true => &self.setup.gauges.sip_sent,
                    false => &self.setup.gauges.sip_send_failed,
                };
                gauge.fetch_add(1, Relaxed);
            }
            ShardOutput::Media(command) => self.send_to_media(command),
            ShardOutput::Journal { ticket, record } => {
                if let JournalRecord::RecordingClosed(entry) = &*record {
                    // Full: the recording has no manifest before the next start.
                    let _ = self.setup.ended.try_send(entry.clone());
                }
                let at = self.setup.clock.wall().at(self.setup.clock.now());
                let order = JournalOrder::Record { ticket, record, at };
                if self.journal.put(order).is_err()
                    && let Some(ticket) = ticket
                {
                    self.tell_shard("journal refused", ShardInput::Journalled { ticket, ok: false });
                }
            }
            ShardOutput::Lookup { ticket, query, domain } => {
                if self.setup.dns.try_send(Question { ticket, query, domain }).is_err() {
                    let answer = DnsAnswer::Failed;
                    self.tell_shard("name not asked", ShardInput::Looked { ticket, answer });
                }
            }
            ShardOutput::Stream(command) => {
                let opens = match &command {
                    StreamCommand::Open(opening) => Some((opening.call, opening.stream)),
                    StreamCommand::Digit { .. } | StreamCommand::Close { .. } => None,
                };
                if self.setup.programs.try_send(command).is_err()
                    && let Some((call, stream)) = opens
                {
                    let outcome = StreamEnd::Overloaded.into();
                    self.tell_shard("stream not begun", ShardInput::StreamEnded { call, stream, outcome });
                }
            }
            ShardOutput::Speak { ticket, tenant, speech } => {
                if self.setup.speech.try_send(Wish { ticket, tenant, speech }).is_err() {
                    self.tell_shard("speech not asked for", ShardInput::Spoken { ticket, asset: None });
                }
            }
            ShardOutput::Fetch { ticket, order } => {
                if self.setup.fetch.try_send(fetch::Question { ticket, order }).is_err() {
                    let fetched = Fetched::Failed(FetchError::Overloaded);
                    self.tell_shard("question not asked", ShardInput::Fetched { ticket, fetched });
                }
            }
            ShardOutput::Hash { ticket, tenant, work } => {
                if self.setup.hash.try_send(Job { ticket, tenant, work }).is_err() {
                    let hashed = Hashed::Busy;
                    self.tell_shard("password not looked at", ShardInput::Hashed { ticket, hashed });
                }
            }
            ShardOutput::ChatKept { ticket, ok } => self.setup.chat_desk.kept(ticket, ok),
            ShardOutput::ChatNews { chat, news } => self.setup.chat_desk.news(chat, news),
            ShardOutput::Event(event) => {
                // A full lane means a hub that hangs; its counter says so and readers see the gap in the numbers.
                let _ = self.setup.events.try_send_quietly(event);
            }
        }
    }

    /// Sends a message, or gives it to its connection. False if that failed at once; timers of transactions say what it
    /// means.
    fn transmit(&self, flow: Flow, bytes: Vec<u8>) -> bool {
        if flow.transport != Transport::Udp {
            return self.setup.streams.try_send_quietly(StreamOrder { flow, bytes }).is_ok();
        }
        let own = self.sockets.iter().find(|(local, _)| *local == flow.local);
        let of_family = || self.sockets.iter().find(|(local, _)| local.is_ipv4() == flow.remote.is_ipv4());
        let socket = own.or_else(of_family);
        socket.is_some_and(|(_, socket)| socket.send_to(&bytes, flow.remote).is_ok())
    }

    /// A leg goes where its call's first leg is; a new call goes to the next thread.
    fn send_to_media(&mut self, command: MediaCommand) {
        let placed = self.placing.route(command);
        self.place(placed);
    }

    fn place(&mut self, placed: Vec<Placed>) {
        for placed in placed {
            match placed {
                Placed::Send(thread, command) => self.order_media(thread, command),
                Placed::SendAll(command) => {
                    (0..self.setup.media.len()).for_each(|thread| self.order_media(thread, command.clone()));
                }
                Placed::Move { from, leg, to, force } => {
                    // Room at its end first: a leg that is on no thread is lost.
                    let room = self.setup.media.get(to).and_then(|lane| lane.reserve_owned().ok());
                    let order = BuildOrder::Part { thread: from, leg, force };
                    if room.is_some() && self.setup.builder.try_send_quietly(order).is_ok() {
                        self.room = room.map(|room| (to, room));
                    } else {
                        let refused = self.placing.moved(leg, None);
                        self.place(refused);
                    }
                }
            }
        }
    }

    /// A leg has left its thread, or has not: it goes where there is room for it, and what waited follows it.
    fn moved(&mut self, leg: LegId, parted: Option<Box<Parted>>) {
        let thread = match (parted, self.room.take()) {
            (Some(parted), Some((thread, room))) => {
                room.send(MediaOrder::Arrive(parted));
                Some(thread)
            }
            _ => None,
        };
        let placed = self.placing.moved(leg, thread);
        self.place(placed);
    }

    fn order_media(&mut self, thread: usize, command: MediaCommand) {
        let opens = match &command {
            MediaCommand::Open { leg, .. } => Some(*leg),
            _ => None,
        };
        let sent = self.setup.builder.try_send_quietly(BuildOrder::Command(thread, command)).is_ok();
        if let Some(leg) = opens.filter(|_| !sent) {
            self.placing.forget(leg);
            let why = cordboard_model::media::OpenError::Overloaded;
            let refused = ShardInput::Media(MediaEvent::OpenFailed { leg, why });
            self.tell_shard("media refused", refused);
        }
    }

    fn gauges(&self) {
        let (gauges, figures) = (&self.setup.gauges, self.setup.shard.figures());
        gauges.sip_messages.store(figures.sip_messages, Relaxed);
        gauges.calls.store(figures.calls, Relaxed);
        gauges.calls_refused.store(figures.calls_refused, Relaxed);
        gauges.calls_ended.store(figures.calls_ended, Relaxed);
        gauges.chats.store(figures.chats, Relaxed);
        gauges.chat_messages.store(figures.chat_messages, Relaxed);
        gauges.chats_ended.store(figures.chats_ended, Relaxed);
        let (up, owed) = self.setup.shard.chat_counts();
        gauges.chats_up.store(up as u64, Relaxed);
        gauges.chats_owed.store(owed as u64, Relaxed);
        gauges.journal_late.store(figures.journal_late, Relaxed);
        let guard = self.setup.shard.guard_figures();
        gauges.bans.store(guard.bans, Relaxed);
        gauges.guard_dropped.store(guard.dropped, Relaxed);
        gauges.guard_unanswered.store(guard.unanswered, Relaxed);
        gauges.overload.store(guard.overload, Relaxed);
        gauges.over_limit.store(guard.over_limit, Relaxed);
        gauges.panics.store(figures.panics, Relaxed);
        gauges.calls_up.store(self.setup.shard.call_count() as u64, Relaxed);
        gauges.gateways_down.store(self.setup.shard.gateways_down(), Relaxed);
        gauges.transactions.store(self.setup.shard.transaction_count() as u64, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_under_flood_has_one_turn_however_often_it_is_ready() {
        let mut unread = vec![Token(1)];
        for _ in 0..3 {
            turns(&mut unread, [Token(1), WAKE, Token(0), Token(1)].into_iter());
        }
        assert_eq!(unread, [Token(0), Token(1)]);
    }
}
