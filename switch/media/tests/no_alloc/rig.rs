//! An engine, its parties, and all that is to be taken out of it.

use cordboard_media::{MediaEngine, MediaOutput, PortKey, Recorded, Verdict};
use cordboard_model::id::{IdMaker, LegId, TenantId};
use cordboard_model::media::{Codec, Direction, MediaCommand, OpusParams, StreamParams};
use cordboard_model::srtp::SrtpKeys;
use cordboard_model::time::Time;
use core::net::SocketAddr;

pub const LEGS: u32 = 6;

/// The codec of leg `n`.
pub fn codec_of(n: u32) -> Codec {
    match n {
        0 | 2 => Codec::Pcmu,
        4 => Codec::G722,
        _ => Codec::Pcma,
    }
}

pub fn phone(n: u32) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, n as u8 + 1], 4_000))
}

pub fn packet(payload_type: u8, n: u32, event: Option<u8>) -> [u8; 172] {
    let mut out = [0x55; 172];
    out[0] = 0x80;
    out[1] = if event.is_some() { 101 } else { payload_type };
    out[2..4].copy_from_slice(&(n as u16).to_be_bytes());
    out[4..8].copy_from_slice(&(n * 160).to_be_bytes());
    out[8..12].copy_from_slice(&7u32.to_be_bytes());
    if let Some(code) = event {
        out[12..16].copy_from_slice(&[code, 0x0a, 0, 160]);
    }
    out
}

pub struct Shell {
    pub engine: MediaEngine,
    pub buf: [u8; 2_048],
    pub out: [i16; 2_000],
    pub relayed: u64,
    pub played: u64,
    pub reports: u64,
    pub recorded: u64,
    pub events: u64,
}

impl Shell {
    pub fn drain(&mut self, now: Time) {
        while self.engine.poll_transmit(&mut self.buf, now).is_some() {
            self.played += 1;
        }
        while self.engine.poll_rtcp(&mut self.buf, now).is_some() {
            self.reports += 1;
        }
        while let Some(Recorded { frames, .. }) = self.engine.poll_recorded(&mut self.out) {
            self.recorded += frames as u64;
        }
        while self.engine.poll_event().is_some() {
            self.events += 1;
        }
    }

    /// Around an engine whose legs are as they are to be.
    pub fn new(engine: MediaEngine) -> Self {
        Self {
            engine,
            buf: [0; 2_048],
            out: [0; 2_000],
            relayed: 0,
            played: 0,
            reports: 0,
            recorded: 0,
            events: 0,
        }
    }

    /// A second of everything, from millisecond `from` on.
    pub fn second(&mut self, from: u64) {
        for frame in 0..50u64 {
            let n = (from / 20 + frame) as u32;
            for leg in 0..LEGS {
                let now = Time::from_millis(from + frame * 20 + u64::from(leg));
                let payload_type = codec_of(leg).static_payload_type();
                let event = frame.is_multiple_of(25).then_some(5);
                let bytes = packet(payload_type, n, event);
                self.buf[..172].copy_from_slice(&bytes);
                let verdict = self.engine.handle_packet(PortKey(leg), phone(leg), &mut self.buf, 172, now);
                self.relayed += u64::from(matches!(verdict, Verdict::Send { .. }));
                self.engine.handle_timeout(now);
                self.drain(now);
            }
        }
    }
}

pub fn open(engine: &mut MediaEngine, ids: &mut IdMaker, n: u32) -> LegId {
    open_with(engine, ids, n, None)
}

pub fn open_with(engine: &mut MediaEngine, ids: &mut IdMaker, n: u32, keys: Option<SrtpKeys>) -> LegId {
    let (leg, codec) = (open_leg(engine, ids, n), codec_of(n));
    configure(engine, leg, n, codec, codec.static_payload_type(), OpusParams::default(), keys);
    leg
}

/// A leg with a port, for which nothing is agreed yet.
pub fn open_leg(engine: &mut MediaEngine, ids: &mut IdMaker, n: u32) -> LegId {
    let leg = ids.leg(TenantId::DEFAULT);
    engine.handle_command(MediaCommand::Open { leg, near: None }, Time::ZERO);
    assert_eq!(engine.poll_output(), Some(MediaOutput::OpenPort { leg }));
    engine.port_opened(leg, PortKey(n), phone(99), Time::ZERO);
    leg
}

/// What the leg and phone `n` agree on; RTP events have the number 101.
pub fn configure(
    engine: &mut MediaEngine,
    leg: LegId,
    n: u32,
    codec: Codec,
    payload_type: u8,
    opus: OpusParams,
    keys: Option<SrtpKeys>,
) {
    let params = StreamParams {
        remote: phone(n),
        rtcp_mux: false,
        codec,
        send_payload_type: payload_type,
        recv_payload_type: payload_type,
        dtmf: Some((101, 101)),
        dtmf_hz: codec.clock_hz(),
        comfort: None,
        opus,
        ptime_ms: 20,
        direction: Direction::SendRecv,
    };
    let keys = keys.map(Box::new);
    engine
        .handle_command(MediaCommand::Configure { leg, params, signals: None, keys, path: None }, Time::ZERO);
}
