//! A shell in virtual time: ports without sockets, a clock that jumps from one deadline to the next.

use cordboard_media::codec::{Decoder, Encoder};
use cordboard_media::{Audio, MediaConfig, MediaEngine, MediaOutput, PortKey, Recorded, Verdict};
use cordboard_model::id::{AssetId, CallId, IdMaker, LegId, PlaybackId, RecordingId, TenantId};
use cordboard_model::media::OpusParams;
use cordboard_model::media::{
    Codec, Direction, LegStats, MediaCommand, MediaEvent, MixMember, PlayItem, Repeat, StreamParams,
};
use cordboard_model::time::Time;
use core::net::SocketAddr;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A packet that left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    pub at_ms: u64,
    pub leg: usize,
    pub to: SocketAddr,
    pub bytes: Vec<u8>,
}

impl Sent {
    pub fn payload_type(&self) -> u8 {
        self.bytes[1] & 0x7f
    }
    pub fn marker(&self) -> bool {
        self.bytes[1] & 0x80 != 0
    }
    pub fn sequence(&self) -> u16 {
        u16::from_be_bytes([self.bytes[2], self.bytes[3]])
    }
    pub fn timestamp(&self) -> u32 {
        u32::from_be_bytes(self.bytes[4..8].try_into().unwrap())
    }
    pub fn ssrc(&self) -> u32 {
        u32::from_be_bytes(self.bytes[8..12].try_into().unwrap())
    }
    pub fn payload(&self) -> &[u8] {
        &self.bytes[12..]
    }
}

/// A packet to hand in.
#[derive(Clone, Debug)]
pub struct Rtp {
    pub payload_type: u8,
    pub marker: bool,
    pub sequence: u16,
    pub timestamp: u32,
    pub ssrc: u32,
    pub payload: Vec<u8>,
}

impl Rtp {
    /// 20 ms of one code.
    pub fn audio(payload_type: u8, ssrc: u32, n: u32, code: u8) -> Self {
        Self {
            payload_type,
            marker: false,
            sequence: n as u16,
            timestamp: n.wrapping_mul(160),
            ssrc,
            payload: vec![code; 160],
        }
    }

    pub fn event(ssrc: u32, sequence: u16, timestamp: u32, code: u8, end: bool, dur: u16) -> Self {
        let [high, low] = dur.to_be_bytes();
        Self {
            payload_type: 101,
            marker: false,
            sequence,
            timestamp,
            ssrc,
            payload: vec![code, if end { 0x8a } else { 0x0a }, high, low],
        }
    }

    pub fn bytes(&self) -> Vec<u8> {
        let mut out = vec![0x80, self.payload_type | if self.marker { 0x80 } else { 0 }];
        out.extend(self.sequence.to_be_bytes());
        out.extend(self.timestamp.to_be_bytes());
        out.extend(self.ssrc.to_be_bytes());
        out.extend(&self.payload);
        out
    }
}

/// The address leg `n`'s session description names.
pub fn phone(n: usize) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, n as u8 + 1], 4_000))
}

pub fn params(n: usize, codec: Codec) -> StreamParams {
    StreamParams {
        remote: phone(n),
        rtcp_mux: false,
        codec,
        send_payload_type: codec.static_payload_type(),
        recv_payload_type: codec.static_payload_type(),
        dtmf: Some((101, 101)),
        dtmf_hz: codec.clock_hz(),
        comfort: None,
        opus: OpusParams::default(),
        ptime_ms: 20,
        direction: Direction::SendRecv,
    }
}

pub struct World {
    pub engine: MediaEngine,
    pub now: Time,
    pub legs: Vec<LegId>,
    pub sent: Vec<Sent>,
    pub rtcp: Vec<Sent>,
    pub events: Vec<(u64, MediaEvent)>,
    pub recorded: BTreeMap<RecordingId, Vec<[i16; 2]>>,
    /// Their rates.
    pub rates: BTreeMap<RecordingId, u32>,
    pub closed_ports: Vec<PortKey>,
    /// Second ports that are needed no more, or again.
    pub rtcp_ports: Vec<(PortKey, bool)>,
    /// Whether recorded audio is taken.
    pub writer: bool,
    pub ids: IdMaker,
    /// The one mix of a script.
    pub mix: Option<CallId>,
    /// Whether it makes voices equal.
    pub gain: bool,
}

impl World {
    pub fn new(config: MediaConfig) -> Self {
        Self {
            engine: MediaEngine::new(config, [7; 32]),
            now: Time::from_millis(1_000),
            legs: Vec::new(),
            sent: Vec::new(),
            rtcp: Vec::new(),
            events: Vec::new(),
            recorded: BTreeMap::new(),
            rates: BTreeMap::new(),
            closed_ports: Vec::new(),
            rtcp_ports: Vec::new(),
            writer: true,
            ids: IdMaker::new(1, 0),
            mix: None,
            gain: false,
        }
    }

    /// Two configured legs, joined.
    pub fn bridged(a: Codec, b: Codec) -> Self {
        let mut world = World::new(MediaConfig::default());
        world.open(params(0, a));
        world.open(params(1, b));
        world.bridge(0, 1);
        world
    }

    pub fn command(&mut self, command: MediaCommand) {
        self.engine.handle_command(command, self.now);
        self.drain();
    }

    /// Opens a leg without configuring it.
    pub fn open_bare(&mut self) -> usize {
        let leg = self.ids.leg(TenantId::DEFAULT);
        self.legs.push(leg);
        self.command(MediaCommand::Open { leg, near: None });
        self.legs.len() - 1
    }

    pub fn open(&mut self, params: StreamParams) -> usize {
        let leg = self.open_bare();
        self.configure(leg, params);
        leg
    }

    pub fn configure(&mut self, leg: usize, params: StreamParams) {
        let leg = self.legs[leg];
        self.command(MediaCommand::Configure { leg, params, signals: None, keys: None, path: None });
    }

    pub fn bridge(&mut self, a: usize, b: usize) {
        let (a, b) = (self.legs[a], self.legs[b]);
        self.command(MediaCommand::Bridge { a, b });
    }

    /// A mix of these legs, each with a bit for every place in this list that it hears.
    pub fn mix(&mut self, rows: &[(usize, u32)]) {
        self.mix_muted(rows, &[]);
    }

    /// The same, with those muted.
    pub fn mix_muted(&mut self, rows: &[(usize, u32)], muted: &[usize]) {
        let mix = *self.mix.get_or_insert_with(|| self.ids.call(TenantId::DEFAULT));
        let member = |(leg, hears): &(usize, u32)| MixMember {
            leg: self.legs[*leg],
            hears: *hears,
            muted: muted.contains(leg),
        };
        let members = rows.iter().map(member).collect();
        self.command(MediaCommand::Mix { mix, members, gain: self.gain });
    }

    pub fn play(&mut self, leg: usize, items: Vec<PlayItem>, repeat: Repeat) -> PlaybackId {
        let playback = self.ids.playback(TenantId::DEFAULT);
        let leg = self.legs[leg];
        self.command(MediaCommand::Play { leg, playback, items, repeat });
        playback
    }

    pub fn record(&mut self, left: usize, right: usize) -> RecordingId {
        let recording = self.ids.recording(TenantId::DEFAULT);
        let (left, right) = (self.legs[left], self.legs[right]);
        self.command(MediaCommand::Record { recording, left, right: Some(right) });
        recording
    }

    pub fn asset(&mut self, name: &str, pcm: &[i16]) -> PlayItem {
        let id = AssetId::new(TenantId::DEFAULT, name).unwrap();
        self.engine.load_asset(id.clone(), Arc::new(Audio::from_pcm(pcm)));
        PlayItem::Asset(id)
    }

    /// Samples at another rate.
    pub fn asset_at(&mut self, name: &str, pcm: Vec<i16>, rate: u32) -> PlayItem {
        let id = AssetId::new(TenantId::DEFAULT, name).unwrap();
        self.engine.load_asset(id.clone(), Arc::new(Audio::from_samples(pcm, rate).unwrap()));
        PlayItem::Asset(id)
    }

    /// Hands in a datagram; what the verdict sends, it sends.
    pub fn give(&mut self, leg: usize, from: SocketAddr, datagram: &[u8]) -> Option<Sent> {
        let mut buf = datagram.to_vec();
        buf.resize(datagram.len() + MediaEngine::ROOM, 0);
        let port = PortKey(leg as u32);
        let verdict = self.engine.handle_packet(port, from, &mut buf, datagram.len(), self.now);
        let sent = match verdict {
            Verdict::Keep => None,
            Verdict::Send { port, to, offset, len } => Some(self.left(port, to, &buf[offset..offset + len])),
        };
        self.sent.extend(sent.clone());
        self.drain();
        sent
    }

    /// The phone of `leg` says something.
    pub fn say(&mut self, leg: usize, rtp: &Rtp) -> Option<Sent> {
        self.give(leg, phone(leg), &rtp.bytes())
    }

    fn left(&self, port: PortKey, to: SocketAddr, bytes: &[u8]) -> Sent {
        Sent { at_ms: self.now.as_millis(), leg: port.0 as usize, to, bytes: bytes.to_vec() }
    }

    pub fn drain(&mut self) {
        let mut buf = [0; MediaEngine::TRANSMIT_MIN];
        while let Some((port, to, len)) = self.engine.poll_transmit(&mut buf, self.now) {
            let sent = self.left(port, to, &buf[..len]);
            self.sent.push(sent);
        }
        while let Some((port, to, len)) = self.engine.poll_rtcp(&mut buf, self.now) {
            let sent = self.left(port, to, &buf[..len]);
            self.rtcp.push(sent);
        }
        while let Some(output) = self.engine.poll_output() {
            match output {
                MediaOutput::OpenPort { leg } => self.bind(leg),
                MediaOutput::ClosePort(port) => self.closed_ports.push(port),
                MediaOutput::RtcpPort { port, wanted } => self.rtcp_ports.push((port, wanted)),
            }
        }
        let mut out = [0; 700];
        while self.writer {
            let Some(Recorded { recording: id, frames, rate }) = self.engine.poll_recorded(&mut out) else {
                break;
            };
            let pairs = out[..frames * 2].chunks(2).map(|pair| [pair[0], pair[1]]);
            self.recorded.entry(id).or_default().extend(pairs);
            assert_eq!(*self.rates.entry(id).or_insert(rate), rate, "a recording has one rate");
        }
        while let Some(event) = self.engine.poll_event() {
            self.events.push((self.now.as_millis(), event));
        }
    }

    fn bind(&mut self, leg: LegId) {
        let n = self.legs.iter().position(|known| *known == leg).unwrap();
        let local = SocketAddr::from(([198, 51, 100, 1], 10_000 + 2 * n as u16));
        self.engine.port_opened(leg, PortKey(n as u32), local, self.now);
    }

    /// Lets time pass, from deadline to deadline.
    pub fn run_to(&mut self, ms: u64) {
        self.run_until(Time::from_millis(ms));
    }

    pub fn run_until(&mut self, end: Time) {
        let mut steps = 0;
        while let Some((at, _)) = self.engine.poll_timeout().filter(|(at, _)| *at <= end) {
            self.now = self.now.max(at);
            self.engine.handle_timeout(self.now);
            self.drain();
            steps += 1;
            assert!(steps < 1_000_000, "the engine asks for time without end");
        }
        self.now = self.now.max(end);
    }

    pub fn run(&mut self, ms: u64) {
        self.run_to(self.now.as_millis() + ms);
    }

    pub fn sent_by(&self, leg: usize) -> Vec<&Sent> {
        self.sent.iter().filter(|sent| sent.leg == leg).collect()
    }

    pub fn stats(&self, leg: usize) -> LegStats {
        self.engine.leg_stats(self.legs[leg]).unwrap()
    }

    pub fn digits(&self, leg: usize) -> String {
        let of = |event: &MediaEvent| match event {
            MediaEvent::Digit { leg: from, digit } if *from == self.legs[leg] => Some(*digit),
            _ => None,
        };
        self.events.iter().filter_map(|(_, event)| of(event)).collect()
    }

    /// Playbacks that ended: when, and whether to their end.
    pub fn play_done(&self) -> Vec<(u64, PlaybackId, bool)> {
        let done = self.events.iter().filter_map(|(at, event)| match event {
            MediaEvent::PlayDone { playback, finished, .. } => Some((*at, *playback, *finished)),
            _ => None,
        });
        done.collect()
    }
}

/// A sine as codes.
pub fn sine_codes(codec: Codec, hertz: u16, samples: usize) -> Vec<u8> {
    let mut sine = cordboard_media::tone::Sine::new(hertz, 8_000);
    let pcm: Vec<i16> = (0..samples).map(|_| sine.sample()).collect();
    let mut codes = vec![0; samples];
    Encoder::new(codec).encode(&pcm, &mut codes);
    codes
}

/// What a leg was sent, decoded, in order.
pub fn heard(sent: &[&Sent], codec: Codec) -> Vec<i16> {
    let mut decoder = Decoder::new(codec);
    let packets = sent.iter().filter(|s| s.payload_type() == codec.static_payload_type());
    let mut pcm = Vec::new();
    for packet in packets {
        let mut piece = vec![0; packet.payload().len()];
        decoder.decode(packet.payload(), &mut piece);
        pcm.extend(piece);
    }
    pcm
}
