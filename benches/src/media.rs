//! A media engine with bridged pairs of legs, and the packets of their parties.

use cordboard_media::{MediaConfig, MediaEngine, MediaOutput, PortKey, Verdict};
use cordboard_model::id::{IdMaker, LegId, TenantId};
use cordboard_model::media::{Codec, Direction, MediaCommand, MixMember, OpusParams, StreamParams};
use cordboard_model::path::MediaPath;
use cordboard_model::time::{Duration, Time};
use core::net::SocketAddr;

/// RTP header and 20 ms of G.711.
const PACKET: usize = 172;
/// Most who speak at once in a conference that is measured; the others listen.
const SPEAKERS: u32 = 3;
/// Packets in sequence that lock a leg to its source.
const LEARN: u32 = 8;

/// Bridged pairs whose first legs speak in turn.
pub struct Bridges {
    engine: MediaEngine,
    pairs: u32,
    payload_type: u8,
    buf: [u8; 2_048],
    /// Packets that each pair has had, the one that is on included.
    round: u32,
    turn: u32,
}

/// Where the party of the leg at this port sits.
pub(crate) fn party(port: u32) -> SocketAddr {
    SocketAddr::from(([198, 51, 100, (port / 16_384) as u8 + 1], 20_000 + (port % 16_384) as u16))
}

impl Bridges {
    /// `pairs` bridges between a leg of codec `a` and one of codec `b`; each first leg is locked to its party.
    pub fn new(pairs: u32, a: Codec, b: Codec) -> Self {
        let config = MediaConfig { legs_max: 2 * pairs, ..MediaConfig::default() };
        let mut engine = MediaEngine::new(config, [7; 32]);
        let mut ids = IdMaker::new(1, 0);
        for pair in 0..pairs {
            let one = open(&mut engine, &mut ids, 2 * pair, a);
            let other = open(&mut engine, &mut ids, 2 * pair + 1, b);
            engine.handle_command(MediaCommand::Bridge { a: one, b: other }, Time::ZERO);
        }
        let mut bridges = Self {
            engine,
            pairs,
            payload_type: a.static_payload_type(),
            buf: [0x55; 2_048],
            round: 0,
            turn: 0,
        };
        for _ in 0..LEARN * pairs {
            bridges.forward();
        }
        while bridges.engine.poll_event().is_some() {}
        bridges
    }

    /// One packet of the next pair's first party, through the engine. Gives what is to be sent: the buffer's
    /// length, or 0 if the packet went nowhere.
    ///
    /// The header is written anew each time, for the engine writes over it: 12 bytes, a nanosecond or two of
    /// what is measured.
    pub fn forward(&mut self) -> usize {
        let port = 2 * self.turn;
        let sequence = self.round;
        self.buf[0] = 0x80;
        self.buf[1] = self.payload_type;
        self.buf[2..4].copy_from_slice(&(sequence as u16).to_be_bytes());
        self.buf[4..8].copy_from_slice(&sequence.wrapping_mul(160).to_be_bytes());
        self.buf[8..12].copy_from_slice(&(port + 1).to_be_bytes());
        let now = Time::ZERO + Duration::from_millis(20) * sequence;
        self.turn += 1;
        if self.turn == self.pairs {
            self.turn = 0;
            self.round += 1;
        }
        match self.engine.handle_packet(PortKey(port), party(port), &mut self.buf, PACKET, now) {
            Verdict::Send { len, .. } => len,
            Verdict::Keep => 0,
        }
    }
}

/// One conference: `members` who hear each other, of whom [`SPEAKERS`] speak.
pub struct Conference {
    engine: MediaEngine,
    members: u32,
    payload_type: u8,
    buf: [u8; 2_048],
    round: u32,
}

impl Conference {
    /// A conference of so many, all in `codec`, with jitter buffers that have found their delay.
    pub fn new(members: u32, codec: Codec) -> Self {
        let mut engine = MediaEngine::new(MediaConfig::default(), [7; 32]);
        let mut ids = IdMaker::new(1, 0);
        let legs: Vec<LegId> = (0..members).map(|n| open(&mut engine, &mut ids, n, codec)).collect();
        let member = |leg| MixMember { leg, hears: u32::MAX, muted: false };
        let mix = ids.call(TenantId::DEFAULT);
        let members_of = legs.into_iter().map(member).collect();
        engine.handle_command(MediaCommand::Mix { mix, members: members_of, gain: false }, Time::ZERO);
        let payload_type = codec.static_payload_type();
        let mut conference = Self { engine, members, payload_type, buf: [0x33; 2_048], round: 0 };
        for _ in 0..50 {
            conference.tick();
        }
        conference
    }

    /// 20 ms: a packet of each who speaks, in; a packet for each member, out. Gives how many went out.
    pub fn tick(&mut self) -> u32 {
        let now = Time::ZERO + Duration::from_millis(20) * self.round;
        for port in 0..self.members.min(SPEAKERS) {
            self.buf[0] = 0x80;
            self.buf[1] = self.payload_type;
            self.buf[2..4].copy_from_slice(&(self.round as u16).to_be_bytes());
            self.buf[4..8].copy_from_slice(&self.round.wrapping_mul(160).to_be_bytes());
            self.buf[8..12].copy_from_slice(&(port + 1).to_be_bytes());
            self.engine.handle_packet(PortKey(port), party(port), &mut self.buf, PACKET, now);
        }
        self.round += 1;
        // the mix's step lies somewhere within the 20 ms
        let end = now + Duration::from_millis(19);
        self.engine.handle_timeout(end);
        let mut sent = 0;
        while self.engine.poll_transmit(&mut self.buf, end).is_some() {
            sent += 1;
        }
        while self.engine.poll_event().is_some() {}
        while self.engine.poll_rtcp(&mut self.buf, end).is_some() {}
        sent
    }
}

fn open(engine: &mut MediaEngine, ids: &mut IdMaker, port: u32, codec: Codec) -> LegId {
    let leg = open_bare(engine, ids, port);
    agree(engine, leg, party(port), codec, None);
    leg
}

/// A leg with a port, for which nothing is agreed yet.
pub(crate) fn open_bare(engine: &mut MediaEngine, ids: &mut IdMaker, port: u32) -> LegId {
    let leg = ids.leg(TenantId::DEFAULT);
    engine.handle_command(MediaCommand::Open { leg, near: None }, Time::ZERO);
    while let Some(output) = engine.poll_output() {
        if let MediaOutput::OpenPort { leg } = output {
            let local = SocketAddr::from(([192, 0, 2, 1], 20_000));
            engine.port_opened(leg, PortKey(port), local, Time::ZERO);
        }
    }
    leg
}

/// What a leg and its party agree on.
pub(crate) fn agree(
    engine: &mut MediaEngine,
    leg: LegId,
    remote: SocketAddr,
    codec: Codec,
    path: Option<Box<MediaPath>>,
) {
    engine.handle_command(agreed(leg, remote, codec, path), Time::ZERO);
}

/// The command that says so.
pub(crate) fn agreed(
    leg: LegId,
    remote: SocketAddr,
    codec: Codec,
    path: Option<Box<MediaPath>>,
) -> MediaCommand {
    let params = StreamParams {
        remote,
        rtcp_mux: path.is_some(),
        codec,
        send_payload_type: codec.static_payload_type(),
        recv_payload_type: codec.static_payload_type(),
        dtmf: Some((101, 101)),
        dtmf_hz: codec.clock_hz(),
        comfort: None,
        opus: OpusParams::default(),
        ptime_ms: 20,
        direction: Direction::SendRecv,
    };
    MediaCommand::Configure { leg, params, signals: None, keys: None, path }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_tick_that_is_measured_sends_a_packet_to_each_member() {
        for members in [3, 8, 32] {
            let mut conference = Conference::new(members, Codec::Pcma);
            let sent: u32 = (0..500).map(|_| conference.tick()).sum();
            assert_eq!(sent, 500 * members);
        }
    }

    #[test]
    fn every_packet_that_is_measured_is_sent_on() {
        for b in [Codec::Pcma, Codec::Pcmu] {
            let mut bridges = Bridges::new(3, Codec::Pcma, b);
            for _ in 0..300_000 {
                assert_eq!(bridges.forward(), PACKET);
            }
        }
    }
}
