//! What the shell does in the real switch: carries what one machine wants to the other, and to the network.

use super::agenda::{Happening, Sending};
use super::network::Network;
use super::{Agenda, Handset, SWITCH, Trace, Way, World, ladder};
use crate::phone::{PhoneCommand, PhoneInput, PhoneOutput};
use crate::setup::SPEECH_HZ;
use cordboard_core::{Datagram, ShardInput, ShardOutput, Transport};
use cordboard_media::tone::Sine;
use cordboard_media::{Audio, LiveChunk, MediaEngine, MediaOutput, Recorded, Verdict};
use cordboard_model::dns::DnsAnswer;
use cordboard_model::fetch::{FetchError, Fetched};
use cordboard_model::id::{AssetId, CallId, TenantId};
use cordboard_model::journal::JournalRecord;
use cordboard_model::media::OpenError;
use cordboard_model::signin::{HashWork, Hashed, PasswordHash};
use cordboard_model::speech::Speech;
use cordboard_model::stream::{StreamCommand, StreamEnd, StreamOpening};
use cordboard_model::time::{Duration, Time};
use core::net::{IpAddr, SocketAddr};
use rand_core::RngCore;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Longest time that the domain name system takes.
const LOOKUP: Duration = Duration::from_millis(80);
/// How long a program has a call.
const BOT: Duration = Duration::from_secs(3);
/// Longest time that looking at a password takes.
const HASHING: Duration = Duration::from_millis(60);
/// Longest time that making speech takes.
const SPEAKING: Duration = Duration::from_millis(500);

impl World {
    pub(super) fn happen(&mut self, what: Happening) {
        let now = self.now;
        match what {
            Happening::SipToSwitch { from, bytes } => {
                self.trace.line(now, || format!("sip in {from} {}", Trace::sip(&bytes)));
                let datagram =
                    Datagram { transport: Transport::Udp, local: SWITCH, remote: from, bytes: &bytes };
                self.input(ShardInput::Datagram(datagram));
            }
            Happening::MediaToSwitch { from, port, bytes } => self.media_packet(from, port, bytes),
            Happening::SipToPhone { phone, bytes } => {
                if let Some(handset) = self.handsets.get_mut(phone) {
                    if let Some(line) = ladder::line(&handset.name, '<', &bytes) {
                        self.ladder.push(line);
                    }
                    handset.phone.handle_input(PhoneInput::Sip { from: SWITCH, bytes: &bytes }, now);
                }
                self.drain_phone(phone);
            }
            Happening::MediaToPhone { phone, line, bytes } => {
                if let Some(handset) = self.handsets.get_mut(phone) {
                    handset.phone.handle_input(PhoneInput::Rtp { line, bytes: &bytes }, now);
                }
            }
            Happening::Journalled { ticket, ok } => {
                self.trace.line(now, || format!("journal has {ticket}: {ok}"));
                self.input(ShardInput::Journalled { ticket, ok });
            }
            Happening::Command(command) => {
                self.trace.line(now, || "command".to_owned());
                self.order(*command);
            }
            Happening::Wish(agent, wish) => self.wish(&agent, wish),
            Happening::Looked { ticket, answer } => self.input(ShardInput::Looked { ticket, answer }),
            Happening::StreamEnded { call, stream, end } => {
                if self.bots.remove(&stream).is_some() {
                    self.input(ShardInput::StreamEnded { call, stream, outcome: end.into() });
                }
            }
            Happening::Fetched { ticket, fetched } => self.input(ShardInput::Fetched { ticket, fetched }),
            Happening::Hashed { ticket, hashed } => self.input(ShardInput::Hashed { ticket, hashed }),
            Happening::Spoken { ticket, asset } => self.input(ShardInput::Spoken { ticket, asset }),
            Happening::Send(call, sending) => self.send(call, &sending),
            Happening::MediaCommand(command) => {
                self.trace.line(now, || format!("media does {command:?}"));
                self.media.handle_command(command, now);
                self.drain_media();
            }
            Happening::MediaEvent(event) => {
                self.trace.line(now, || format!("media says {event:?}"));
                self.input(ShardInput::Media(event));
            }
            Happening::Phone(phone, command) => self.phone_command(phone, *command),
            Happening::Cut { phone, cut } => {
                self.trace.line(now, || format!("phone {phone} cut {cut}"));
                if let Some(handset) = self.handsets.get(phone) {
                    let host = handset.phone.config().sip_addr.ip();
                    self.network.path(host, Way::In).cut = cut;
                    self.network.path(host, Way::Out).cut = cut;
                }
            }
        }
    }

    fn send(&mut self, call: CallId, sending: &Sending) {
        let now = self.now;
        self.trace.line(now, || format!("send {call} {sending:?}"));
        // a refusal is an answer to who asked, and nobody here waits for one
        let _ = match sending {
            Sending::Blind(to) => self.shard.transfer(call, None, to, false, now),
            Sending::Consult(to) => self.shard.transfer(call, None, to, true, now),
            Sending::Complete => self.shard.complete_transfer(call, now),
            Sending::Cancel => self.shard.cancel_transfer(call, now),
            Sending::Join(other) => self.shard.transfer_to_call(call, None, *other, now),
            Sending::Room(order) => {
                let _ = self.shard.room(call, order.clone(), now);
                Ok(())
            }
        };
        self.drain_shard();
    }

    pub(super) fn input(&mut self, input: ShardInput<'_>) {
        self.shard.handle_input(input, self.now);
        self.drain_shard();
    }

    pub(super) fn phone_command(&mut self, phone: usize, command: PhoneCommand) {
        let now = self.now;
        if let Some(handset) = self.handsets.get_mut(phone) {
            self.trace.line(now, || format!("phone {} does {command:?}", handset.name));
            handset.phone.handle_command(command, now);
        }
        self.drain_phone(phone);
    }

    fn media_packet(&mut self, from: SocketAddr, port: u16, mut bytes: Vec<u8>) {
        let now = self.now;
        self.trace.line(now, || format!("media in {from} to {port} {}", Trace::packet(&bytes)));
        let Some((key, is_rtcp)) = self.ports.find(port) else { return };
        if is_rtcp {
            self.media.handle_rtcp(key, from, &mut bytes, now);
            return self.drain_media();
        }
        let len = bytes.len();
        bytes.resize(len + MediaEngine::ROOM, 0);
        if let Verdict::Send { port, to, offset, len } =
            self.media.handle_packet(key, from, &mut bytes, len, now)
            && let Some(port) = self.ports.port(port)
            && let Some(packet) = bytes.get(offset..offset + len)
        {
            if let Some(to) = self.edges.inward(SocketAddr::new(SWITCH.ip(), port), to, now) {
                send_media(&self.handsets, &self.by_ip, &mut self.network, &mut self.agenda, now, to, packet);
            }
            self.trace.line(now, || format!("media out {port} to {to} {}", Trace::packet(packet)));
        }
        self.drain_media();
    }

    pub(super) fn drain_shard(&mut self) {
        let now = self.now;
        while let Some(output) = self.shard.poll_output() {
            match output {
                ShardOutput::Transmit { flow, bytes } => self.sip_to(flow.remote, bytes),
                ShardOutput::Media(command) => {
                    let delay = self.up_to(self.config.lane);
                    self.to_media = self.to_media.max(now + delay);
                    self.agenda.plan(self.to_media, Happening::MediaCommand(command));
                }
                ShardOutput::Journal { ticket, record } => {
                    self.trace.line(now, || format!("journal {ticket:?} {record:?}"));
                    self.journalled(ticket, *record);
                }
                ShardOutput::Lookup { ticket, query, .. } => {
                    let nothing = || DnsAnswer::Nothing { ttl: Duration::from_secs(60) };
                    let answer = self.names.get(&query).cloned().unwrap_or_else(nothing);
                    self.trace.line(now, || format!("asks {query:?}: {answer:?}"));
                    let delay = self.up_to(LOOKUP);
                    self.agenda.plan(now + delay, Happening::Looked { ticket, answer });
                }
                ShardOutput::Stream(command) => {
                    self.trace.line(now, || format!("stream {command:?}"));
                    self.stream(command);
                }
                ShardOutput::Speak { ticket, tenant, speech } => {
                    self.trace.line(now, || format!("speaks {speech:?}"));
                    let asset = self.speak(tenant, &speech);
                    let delay = self.up_to(SPEAKING);
                    self.agenda.plan(now + delay, Happening::Spoken { ticket, asset });
                }
                ShardOutput::Fetch { ticket, order } => {
                    self.trace.line(now, || format!("asks {order:?}"));
                    let fetched = self.pages.get(&order.url).cloned();
                    let fetched = fetched.unwrap_or(Fetched::Failed(FetchError::Unreachable));
                    self.asked.push(*order);
                    let delay = self.up_to(LOOKUP);
                    self.agenda.plan(now + delay, Happening::Fetched { ticket, fetched });
                }
                ShardOutput::Hash { ticket, work, .. } => {
                    self.trace.line(now, || format!("looks at {work:?}"));
                    let delay = self.up_to(HASHING);
                    self.agenda.plan(now + delay, Happening::Hashed { ticket, hashed: hashed(&work) });
                }
                ShardOutput::ChatKept { ticket, ok } => {
                    self.trace.line(now, || format!("chat {ticket:x} kept {ok}"));
                }
                ShardOutput::ChatNews { .. } => {}
                ShardOutput::Event(event) => {
                    self.trace.line(now, || format!("event {} {:?}", event.seq, event.what));
                    self.events.push(event);
                }
            }
        }
    }

    /// A program that says what it hears, for three seconds or until a key is pressed. Nobody is at "nowhere".
    fn stream(&mut self, command: StreamCommand) {
        let now = self.now;
        match command {
            StreamCommand::Open(opening) => {
                let StreamOpening { stream, call, leg, url, .. } = *opening;
                let end = if url.contains("nowhere") { StreamEnd::Unreachable } else { StreamEnd::Closed };
                let after = if end == StreamEnd::Closed { BOT } else { self.up_to(LOOKUP) };
                self.bots.insert(stream, (call, leg));
                self.agenda.plan(now + after, Happening::StreamEnded { call, stream, end });
            }
            StreamCommand::Digit { stream, .. } => {
                if let Some((call, _)) = self.bots.get(&stream).copied() {
                    let end = StreamEnd::Closed;
                    self.agenda.plan(now, Happening::StreamEnded { call, stream, end });
                }
            }
            StreamCommand::Close { stream } => {
                self.bots.remove(&stream);
            }
        }
    }

    /// Speech as the simulator makes it: a tone as long as the text would take. A language but English and Chinese has no
    /// voice here, so that a flow can be tried with an engine that fails.
    fn speak(&mut self, tenant: TenantId, speech: &Speech) -> Option<AssetId> {
        let each_ms = match speech.language.as_str() {
            "en" => 65,
            "zh" => 230,
            _ => return None,
        };
        let mut pcm = vec![0; speech.text.chars().count() * each_ms * 8];
        Sine::new(SPEECH_HZ, 8_000).fill(&mut pcm);
        let name = format!("speech.{:x}", pcm.len());
        let asset = AssetId::new(tenant, &name).ok()?;
        self.media.load_asset(asset.clone(), Arc::new(Audio::from_pcm(&pcm)));
        Some(asset)
    }

    fn journalled(&mut self, ticket: Option<u64>, record: JournalRecord) {
        match &record {
            JournalRecord::CallOpened { call, .. } => self.opened.push(*call),
            JournalRecord::DialogUp { call, dialog, .. } => {
                self.dialogs.insert(dialog.call_id.clone(), *call);
            }
            JournalRecord::CallClosed(cdr) => self.cdrs.push((**cdr).clone()),
            _ => {}
        }
        self.journal.push(record);
        let Some(ticket) = ticket else { return };
        let pace = self.config.journal;
        let mut delay = pace.from + self.up_to(pace.to.saturating_sub(pace.from));
        if self.rng.next_u32() % 1_000 < pace.late_in_1000 {
            delay += pace.late;
        }
        let ok = self.rng.next_u32() % 1_000 >= pace.fails_in_1000;
        self.agenda.plan(self.now + delay, Happening::Journalled { ticket, ok });
    }

    fn sip_to(&mut self, to: SocketAddr, bytes: Vec<u8>) {
        let now = self.now;
        self.trace.line(now, || format!("sip out {to} {}", Trace::sip(&bytes)));
        let Some(to) = self.edges.inward(SWITCH, to, now) else { return };
        let Some(phone) = self.by_ip.get(&to.ip()).copied() else { return };
        if self.handsets.get(phone).is_none_or(|h| h.phone.config().sip_addr != to) {
            return;
        }
        if self.network.is_dropped(to.ip(), Way::Out, &bytes) {
            return self.trace.line(now, || "lost by rule".to_owned());
        }
        for at in self.network.send(to.ip(), Way::Out, now).into_iter().flatten() {
            self.agenda.plan(at, Happening::SipToPhone { phone, bytes: bytes.clone() });
        }
    }

    pub(super) fn drain_media(&mut self) {
        let now = self.now;
        while let Some(output) = self.media.poll_output() {
            match output {
                MediaOutput::OpenPort { leg } => match self.ports.open() {
                    Some((key, port)) => {
                        self.media.port_opened(leg, key, SocketAddr::new(SWITCH.ip(), port), now);
                    }
                    None => self.media.port_failed(leg, OpenError::RangeExhausted, now),
                },
                MediaOutput::ClosePort(key) => self.ports.close(key),
                MediaOutput::RtcpPort { .. } => {}
            }
        }
        let mut buf = core::mem::take(&mut self.buf);
        while let Some((key, to, len)) = self.media.poll_transmit(&mut buf, now) {
            self.media_out(key, to, buf.get(..len).unwrap_or_default());
        }
        while let Some((key, to, len)) = self.media.poll_rtcp(&mut buf, now) {
            self.media_out(key, to, buf.get(..len).unwrap_or_default());
        }
        self.buf = buf;
        let mut samples = [0i16; 640];
        while let Some(Recorded { recording, frames, .. }) = self.media.poll_recorded(&mut samples) {
            if self.config.keep_audio {
                let audio = self.audio.entry(recording).or_default();
                audio.extend(samples.get(..frames * 2).unwrap_or_default());
            }
        }
        while let Some(LiveChunk { talker, codes, taken, .. }) = self.media.poll_live() {
            if let Some(stream) = talker
                && let Some((_, leg)) = self.bots.get(&stream).copied()
            {
                self.media.feed_live(leg, stream, taken, &codes);
            }
        }
        while let Some(event) = self.media.poll_event() {
            let delay = self.up_to(self.config.lane);
            self.to_shard = self.to_shard.max(now + delay);
            self.agenda.plan(self.to_shard, Happening::MediaEvent(event));
        }
    }

    fn media_out(&mut self, key: cordboard_media::PortKey, to: SocketAddr, packet: &[u8]) {
        let (now, port) = (self.now, self.ports.port(key).unwrap_or(0));
        self.trace.line(now, || format!("media out {port} to {to} {}", Trace::packet(packet)));
        let Some(to) = self.edges.inward(SocketAddr::new(SWITCH.ip(), port), to, now) else { return };
        send_media(&self.handsets, &self.by_ip, &mut self.network, &mut self.agenda, now, to, packet);
    }

    pub(super) fn drain_phone(&mut self, phone: usize) {
        let now = self.now;
        let mut sent = Vec::new();
        let Some(handset) = self.handsets.get_mut(phone) else { return };
        let (sip, rtp) = (handset.phone.config().sip_addr, handset.phone.config().rtp_addr);
        while let Some(output) = handset.phone.poll_output() {
            match output {
                PhoneOutput::Event(event) => {
                    self.trace.line(now, || format!("phone {} says {event:?}", handset.name));
                    handset.events.push((now, event));
                }
                PhoneOutput::Sip { to, bytes } => {
                    if let Some(line) = ladder::line(&handset.name, '>', &bytes) {
                        self.ladder.push(line);
                    }
                    if to != SWITCH || self.network.is_dropped(sip.ip(), Way::In, &bytes) {
                        continue;
                    }
                    let from = self.edges.outward(sip, to, now);
                    for at in self.network.send(sip.ip(), Way::In, now).into_iter().flatten() {
                        self.agenda.plan(at, Happening::SipToSwitch { from, bytes: bytes.clone() });
                    }
                    if self.vandal.is_some() {
                        sent.push((from, bytes));
                    }
                }
                PhoneOutput::Rtp { line, to, bytes } | PhoneOutput::Rtcp { line, to, bytes } => {
                    let is_rtcp = matches!(bytes.get(1), Some(192..=223));
                    let port = rtp.port() + 2 * line + u16::from(is_rtcp);
                    let from = SocketAddr::new(rtp.ip(), port);
                    if to.ip() != SWITCH.ip() {
                        continue;
                    }
                    let from = self.edges.outward(from, to, now);
                    for at in self.network.send(sip.ip(), Way::In, now).into_iter().flatten() {
                        let bytes = bytes.clone();
                        self.agenda.plan(at, Happening::MediaToSwitch { from, port: to.port(), bytes });
                    }
                }
            }
        }
        for (from, bytes) in sent {
            self.vandalise(from, &bytes);
        }
    }
}

/// A media packet of the switch. What a phone would not listen to is not carried: it would change nothing.
fn send_media(
    handsets: &[Handset],
    by_ip: &BTreeMap<IpAddr, usize>,
    network: &mut Network,
    agenda: &mut Agenda,
    now: Time,
    to: SocketAddr,
    packet: &[u8],
) {
    let Some(phone) = by_ip.get(&to.ip()).copied() else { return };
    let Some(handset) = handsets.get(phone) else { return };
    let base = handset.phone.config().rtp_addr.port();
    let Some(offset) = to.port().checked_sub(base).filter(|offset| offset % 2 == 0) else { return };
    let line = offset / 2;
    if !handset.phone.is_listening(line) {
        return;
    }
    for at in network.send(to.ip(), Way::Out, now).into_iter().flatten() {
        agenda.plan(at, Happening::MediaToPhone { phone, line, bytes: packet.to_vec() });
    }
}

/// What comes of looking at a password here, where a hash is the password behind a word: real ones take time.
fn hashed(work: &HashWork) -> Hashed {
    let hash = |password: &str| PasswordHash(format!("hash of {password}"));
    let right =
        work.check.as_ref().is_none_or(|(password, known)| known.as_ref() == Some(&hash(&password.0)));
    let new = work.make.as_ref().filter(|_| right);
    let used = new.is_some_and(|(new, former)| former.contains(&hash(&new.0)));
    let made = new.filter(|_| !used).map(|(new, _)| hash(&new.0));
    Hashed::Done { right, used, made }
}
