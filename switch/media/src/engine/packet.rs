//! The way of a packet through the engine.

use super::{MediaEngine, PortKey, Verdict};
use crate::codec::comfort;
use crate::dtmf::event::Event;
use crate::graph::bridge::{self, Content, Passage, Stop};
use crate::graph::leg::{Leg, Told, Way};
use crate::graph::recorder::Spoken;
use crate::graph::video::Route;
use crate::rtcp;
use crate::rtcp::write::LastReport;
use crate::rtp::header::{self, Header};
use crate::rtp::latch::Admission;
use crate::rtp::reception::Arrival;
use cordboard_model::media::{AudioNews, MediaEvent, StreamParams};
use cordboard_model::time::Time;
use core::net::SocketAddr;

impl MediaEngine {
    fn key_of(&mut self, port: PortKey) -> Option<u32> {
        let key = self.by_port.get(port.0 as usize).copied();
        let key = key.filter(|key| self.legs.get(*key).is_some());
        if key.is_none() {
            self.counters.unknown_port += 1;
        }
        key
    }

    /// A datagram on the RTP socket of `port`: the first `len` bytes of `buf`. What lies behind is room, in which the packet
    /// may grow; a packet that is to leave over secure RTP and has less than [`MediaEngine::ROOM`] is not sent.
    pub fn handle_packet(
        &mut self,
        port: PortKey,
        from: SocketAddr,
        buf: &mut [u8],
        len: usize,
        now: Time,
    ) -> Verdict {
        let Some(key) = self.key_of(port) else {
            return Verdict::Keep;
        };
        let from = match self.divert(key, from, buf, len, now) {
            Ok(from) => from,
            Err(verdict) => return verdict,
        };
        let Some(datagram) = buf.get_mut(..len) else {
            return Verdict::Keep;
        };
        if header::is_rtcp(datagram) {
            self.take_rtcp(key, from, datagram, false, now);
            return Verdict::Keep;
        }
        let Some(passage) = self.admit(key, from, datagram, now) else {
            return Verdict::Keep;
        };
        self.record(key, passage, buf, now);
        self.listen(key, passage, buf, now);
        self.stream(key, passage, buf, now);
        self.forward(key, passage, buf, now)
    }

    /// Everything that concerns the leg the packet came to: is it RTP, is it from the party, where
    /// does it stand. `None` when it goes no further.
    fn admit(&mut self, key: u32, from: SocketAddr, buf: &mut [u8], now: Time) -> Option<Passage> {
        let leg = self.legs.get_mut(key)?;
        let (header, content) = open(leg, from, buf, now)?;
        let stream = leg.stream.as_mut()?;
        let params = stream.params;
        let locked = match stream.latch.admit(from, header.ssrc, header.sequence, now) {
            Admission::Accepted { locked } => locked,
            Admission::Probation => {
                leg.unproved += 1;
                return None;
            }
            Admission::Foreign => {
                leg.foreign += 1;
                return None;
            }
        };
        leg.hear(now);
        let id = leg.id;
        let arrival = leg.reception.take(header.ssrc, header.sequence, now);
        let news = arrival.map(|arrival| note(leg, arrival, &header, content, now)).unwrap_or_default();
        if arrival.is_none() {
            self.counters.stale += 1;
        }
        if locked {
            self.mention(MediaEvent::Locked { leg: id, from });
            if from != params.remote {
                // its first packets were not believed, and a picture needs them all
                self.want_picture(key);
            }
        }
        if news.back {
            self.mention(MediaEvent::Audio { leg: id, news: AudioNews::Back });
        }
        if let Some(digit) = news.digit {
            self.pressed(key, digit, Told::Event, now);
        }
        let arrival = arrival.filter(|_| params.direction.receives())?;
        let (event_hz, clock_hz) = (params.dtmf_hz, params.codec.clock_hz());
        Some(Passage { from: key, arrival, header, content, event_hz, clock_hz })
    }

    fn record(&mut self, key: u32, passage: Passage, buf: &[u8], now: Time) {
        let (Some(leg), Content::Audio(_)) = (self.legs.get_mut(key), passage.content) else {
            return;
        };
        let is_taped = !leg.seat.is_some_and(|seat| seat.muted) && leg.taps.iter().any(Option::is_some);
        let Some(coders) = leg.coders.as_mut().filter(|_| is_taped) else {
            return;
        };
        let header = passage.header;
        let codes = buf.get(header.payload_start..header.payload_end).unwrap_or_default();
        let len = coders.tape.decode(codes, &mut self.scratch);
        let pcm = self.scratch.get(..len).unwrap_or_default();
        let secret = leg.secret.covers(now);
        for tap in leg.taps.iter().flatten() {
            let spoken = Spoken {
                epoch: passage.arrival.epoch,
                timestamp: header.timestamp,
                clock_hz: passage.clock_hz,
                pcm,
                secret,
            };
            if let Some(recording) = self.recordings.get_mut(tap.recording) {
                recording.recorder.place(tap.channel, spoken, now);
            }
        }
    }

    /// Keys in the audio of who has them as tones.
    fn listen(&mut self, key: u32, passage: Passage, buf: &[u8], now: Time) {
        let ear = self.legs.get_mut(key).and_then(|leg| leg.ear.as_mut());
        let (Some(ear), Content::Audio(_), header) = (ear, passage.content, passage.header) else {
            return;
        };
        let codes = buf.get(header.payload_start..header.payload_end).unwrap_or_default();
        let pressed = ear.take(passage.arrival, header.timestamp, codes);
        let is_down = ear.hears_tones();
        if let (true, Some(leg)) = (is_down, self.legs.get_mut(key)) {
            leg.secret.key(now);
        }
        for digit in pressed.into_iter().flatten() {
            self.pressed(key, digit, Told::Tones, now);
        }
    }

    /// Whether a packet is part of a secret. The keys in it were told to the shard; nobody else has it.
    fn is_secret(&mut self, key: u32, content: Content, now: Time) -> bool {
        let Some(leg) = self.legs.get_mut(key) else {
            return false;
        };
        if matches!(content, Content::Event(_)) {
            leg.secret.key(now);
        }
        leg.secret.covers(now)
    }

    /// The audio of a party that a program has; of a secret it gets silence.
    fn stream(&mut self, key: u32, passage: Passage, buf: &[u8], now: Time) {
        let Some(leg) = self.legs.get_mut(key) else {
            return;
        };
        let (Some(live), header) = (leg.live.as_mut(), passage.header) else {
            return;
        };
        if matches!(passage.content, Content::Event(_)) {
            leg.secret.key(now);
        }
        if leg.secret.covers(now) {
            return live.feed().stop();
        }
        match passage.content {
            Content::Audio(_) => {
                let codes = buf.get(header.payload_start..header.payload_end).unwrap_or_default();
                live.feed().put(passage.arrival, header.timestamp, codes, now);
            }
            Content::Comfort(level) => live.feed().comfort(passage.arrival, level),
            Content::Event(_) => live.feed().hush(now),
        }
    }

    fn forward(&mut self, key: u32, passage: Passage, buf: &mut [u8], now: Time) -> Verdict {
        let secret = self.is_secret(key, passage.content, now);
        if let Some(seat) = self.legs.get(key).and_then(|leg| leg.seat) {
            if !secret {
                self.say(seat, passage, buf, now);
            }
            return Verdict::Keep;
        }
        let partner = self.legs.get(key).and_then(|leg| leg.partner);
        let pair = partner.and_then(|partner| self.legs.pair_mut(key, partner));
        let Some((from, to)) = pair else {
            return Verdict::Keep;
        };
        let known = match passage.content {
            Content::Event(_) => from.press_known,
            Content::Comfort(_) => false,
            // who gets the key in another way does not hear it, too
            Content::Audio(_) => {
                to.way() != Some(Way::Tones) && from.ear.as_ref().is_some_and(|ear| ear.hears_tones())
            }
        };
        if known || secret {
            to.outgoing.leave_out(key, passage.arrival);
            return Verdict::Keep;
        }
        if let (true, Some(partner)) = (bridge::feed(passage, to, buf, now), partner) {
            self.start_ticking(partner, now);
            return Verdict::Keep;
        }
        match bridge::relay(passage, to, buf, now) {
            Ok(Verdict::Send { port, to: address, offset, len }) if to.srtp.is_some() => {
                let sealed = buf.get_mut(offset..).and_then(|packet| to.seal(packet, len, false));
                match sealed {
                    Some(len) => Verdict::Send { port, to: address, offset, len },
                    None => {
                        self.counters.unsealable += 1;
                        Verdict::Keep
                    }
                }
            }
            Ok(verdict) => verdict,
            Err(Stop::NotHeard) => Verdict::Keep,
            Err(Stop::Stale) => {
                self.counters.stale += 1;
                Verdict::Keep
            }
        }
    }

    /// A datagram on the RTCP socket of `port`; `buf` is exactly the datagram.
    pub fn handle_rtcp(&mut self, port: PortKey, from: SocketAddr, buf: &mut [u8], now: Time) {
        if let Some(key) = self.key_of(port) {
            self.take_rtcp(key, from, buf, true, now);
        }
    }

    /// `own_port`: it came where RTCP belongs, so its source is where ours goes.
    fn take_rtcp(&mut self, key: u32, from: SocketAddr, buf: &mut [u8], own_port: bool, now: Time) {
        let Some(leg) = self.legs.get_mut(key) else {
            return;
        };
        let Some(stream) = leg.stream.as_ref() else {
            return;
        };
        if !stream.latch.is_party_host(from) {
            leg.foreign += 1;
            return;
        }
        let Some(len) = leg.unseal(buf, true) else {
            return;
        };
        let ours = leg.outgoing.ssrc();
        let Some(compound) = buf.get(..len).and_then(|packet| rtcp::read::read(packet, ours)) else {
            leg.malformed += 1;
            return;
        };
        leg.hear(now);
        if leg.video.is_some() {
            self.pass_feedback(key, buf.get(..len).unwrap_or_default());
        }
        let Some(leg) = self.legs.get_mut(key) else {
            return;
        };
        // Reports are believed of the source whose RTP we hear, and of no other on the same host.
        if leg.reception.ssrc() != Some(compound.sender) {
            return;
        }
        if own_port {
            leg.reports.from = Some(from);
        }
        if let Some(about) = compound.about {
            let sent = leg.outgoing.sent().0;
            leg.reports.far.get_or_insert_default().hear(about, sent, now);
        }
        if let Some(sent_at) = compound.sent_at {
            leg.reports.last = Some(LastReport { sent_at, received_at: now });
        }
    }
}

impl MediaEngine {
    /// What a party of video says of the pictures it gets is for who makes them.
    fn pass_feedback(&mut self, key: u32, packet: &[u8]) {
        let Some(partner) = self.legs.get(key).and_then(|leg| leg.partner) else {
            return;
        };
        let Some((from, to)) = self.legs.pair_mut(key, partner) else {
            return;
        };
        let (Some(source), Some(video)) = (to.reception.ssrc(), to.video.as_mut()) else {
            return;
        };
        let route = Route { told_of: from.outgoing.ssrc(), source, ours: to.outgoing.ssrc() };
        if video.pass(packet, route, |sequence| from.outgoing.source_number(partner, sequence)) {
            self.report_soon(partner);
        }
    }
}

/// Opens what is sealed and reads it. `None`: it is not RTP of what was agreed on, and counted.
fn open(leg: &mut Leg, from: SocketAddr, buf: &mut [u8], now: Time) -> Option<(Header, Content)> {
    // Before the first Configure nothing is agreed, so nothing can be right or wrong.
    leg.stream.as_ref()?;
    let len = leg.unseal(buf, false)?;
    let buf = buf.get(..len)?;
    let stream = leg.stream.as_ref()?;
    let read = header::read(buf);
    if let Some(header) = read
        && let Some(content) = content(&stream.params, &header, buf)
    {
        return Some((header, content));
    }
    // Keep-alives of RFC 6263 are RTP of an unknown payload type: a sign of life.
    let is_alive = read.is_some() && stream.latch.is_party(from);
    leg.malformed += 1;
    if is_alive {
        leg.hear(now);
    }
    None
}

/// What a packet that was taken tells of its sender.
#[derive(Clone, Copy, Debug, Default)]
struct News {
    /// A key whose press begins with it.
    digit: Option<char>,
    /// The party is heard again.
    back: bool,
}

/// Enters a packet into what is known of its sender.
fn note(leg: &mut Leg, arrival: Arrival, header: &Header, content: Content, now: Time) -> News {
    if arrival.epoch != leg.epoch {
        leg.epoch = arrival.epoch;
        leg.digits_in.reset();
        leg.hearing.forget();
        if let Some(coders) = leg.coders.as_mut() {
            coders.tape.reset();
        }
    }
    let receives = leg.stream.is_some_and(|stream| stream.params.direction.receives());
    match content {
        Content::Audio(codec) => {
            leg.reception.time(header.timestamp, now);
            News { back: leg.hearing.hear(header.timestamp, codec.clock_hz(), now), ..News::default() }
        }
        Content::Event(event) if receives => {
            let begins = leg.digits_in.take(header.timestamp, event);
            News { digit: event.digit().filter(|_| begins), ..News::default() }
        }
        Content::Event(_) => News::default(),
        Content::Comfort(_) => News { back: leg.hearing.silent(now), ..News::default() },
    }
}

/// What a packet carries, if it is of a payload type that was agreed.
fn content(params: &StreamParams, header: &Header, buf: &[u8]) -> Option<Content> {
    match params.dtmf {
        Some((_, receive)) if header.payload_type == receive => {
            let payload = buf.get(header.payload_start..header.payload_end)?;
            Event::read(payload).map(Content::Event)
        }
        _ if header.payload_type == params.recv_payload_type => Some(Content::Audio(params.codec)),
        // As agreed, or by its static number, which some send without asking, whatever the clock.
        _ if (header.payload_type == comfort::PAYLOAD_TYPE && params.codec.clock_hz() <= 48_000)
            || params.comfort.is_some_and(|(_, receive)| header.payload_type == receive) =>
        {
            let level = buf.get(header.payload_start..header.payload_end)?.first()?;
            Some(Content::Comfort(*level))
        }
        _ => None,
    }
}
