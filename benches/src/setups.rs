//! What a media thread does for a call outside of its packets: legs made, joined and freed, and the handshakes of browsers.

use crate::media::{agree, agreed, open_bare, party};
use cordboard_media::PortKey;
use cordboard_media::{Discarded, Identity, Kit, KitMaker, MediaConfig, MediaEngine};
use cordboard_model::id::{IdMaker, LegId, TenantId};
use cordboard_model::media::{Codec, MediaCommand, PlayItem, Repeat, Tone};
use cordboard_model::path::{DtlsRole, DtlsTerms, Fingerprint, FingerprintHash, MediaPath};
use cordboard_model::time::{Duration, Time};
use std::time::Instant;

/// Calls that are up while others come and go.
const UP: u32 = 500;

/// Calls of two that come and go.
pub struct SetUps {
    engine: MediaEngine,
    /// Who makes what the engine needs, if it is not to make it itself.
    maker: Option<KitMaker>,
    ids: IdMaker,
    codecs: [Codec; 2],
    recorded: bool,
    spent: Vec<Discarded>,
    /// What the thread of the engine spent on the call in hand, and who makes and frees for it.
    took: Took,
}

/// What a call took of two threads.
#[derive(Clone, Copy, Debug, Default)]
pub struct Took {
    /// Of the media thread.
    pub media: core::time::Duration,
    /// Of who makes and frees for it.
    pub beside: core::time::Duration,
}

impl SetUps {
    /// Calls between these codecs, recorded or not; with what they need made and freed beside the engine, or by it.
    pub fn new(codecs: [Codec; 2], recorded: bool, beside: bool) -> Self {
        let engine = MediaEngine::new(MediaConfig::default(), [7; 32]);
        let maker = beside.then(|| KitMaker::new(MediaConfig::default(), 4 * UP as usize));
        let (spent, took) = (Vec::with_capacity(1_000), Took::default());
        let mut calls = Self { engine, maker, ids: IdMaker::new(1, 0), codecs, recorded, spent, took };
        for call in 1..=UP {
            calls.begin(2 * call);
        }
        calls
    }

    fn begin(&mut self, port: u32) -> [LegId; 2] {
        let codecs = self.codecs;
        let legs = [0, 1].map(|side| {
            let (port, codec) = (port + side, codecs[side as usize]);
            let leg = self.ids.leg(TenantId::DEFAULT);
            self.give(MediaCommand::Open { leg, near: None });
            let begun = Instant::now();
            self.engine.port_opened(leg, PortKey(port), party(0), Time::ZERO);
            self.took.media += begun.elapsed();
            self.give(agreed(leg, party(port), codec, None));
            leg
        });
        let [a, b] = legs;
        self.give(MediaCommand::Bridge { a, b });
        if self.recorded {
            let recording = self.ids.recording(a.tenant);
            self.give(MediaCommand::Record { recording, left: a, right: Some(b) });
        }
        legs
    }

    fn give(&mut self, command: MediaCommand) {
        let begun = Instant::now();
        let kit: Option<Box<Kit>> = self.maker.as_mut().and_then(|maker| maker.prepare(&command));
        let made = Instant::now();
        self.engine.handle_prepared(command, kit, Time::ZERO);
        while let Some(spent) = self.engine.poll_discarded() {
            self.spent.push(spent);
        }
        if self.maker.is_none() {
            // it frees them itself
            self.spent.clear();
        }
        while self.engine.poll_output().is_some() {}
        while self.engine.poll_event().is_some() {}
        let obeyed = Instant::now();
        self.spent.clear();
        self.took.media += obeyed - made;
        self.took.beside += (made - begun) + obeyed.elapsed();
    }

    /// One call from its first leg to its end. Gives what it took.
    pub fn call(&mut self) -> Took {
        self.took = Took::default();
        for leg in self.begin(0) {
            self.give(MediaCommand::Close { leg });
        }
        self.took
    }

    /// Legs that there are.
    pub fn legs(&self) -> usize {
        self.engine.legs()
    }
}

/// Two legs that shake hands by DTLS with each other.
pub struct Handshakes {
    identity: Identity,
}

/// What a handshake took.
#[derive(Clone, Copy, Debug, Default)]
pub struct Handshake {
    /// In all, for both sides.
    pub whole: core::time::Duration,
    /// The longest single datagram.
    pub longest: core::time::Duration,
    /// Datagrams of it that were carried.
    pub datagrams: u32,
    /// Packets of audio that each side took from the other afterwards, by the keys that came of it.
    pub heard: [u64; 2],
}

impl Default for Handshakes {
    fn default() -> Self {
        Self::new()
    }
}

impl Handshakes {
    /// With a certificate of our own.
    #[allow(clippy::expect_used)]
    pub fn new() -> Self {
        Self { identity: Identity::new(Instant::now()).expect("a certificate can be made") }
    }

    /// One handshake between two legs of one engine.
    pub fn shake(&self) -> Handshake {
        let mut engine =
            MediaEngine::new(MediaConfig::default(), [7; 32]).with_identity(self.identity.clone());
        let mut ids = IdMaker::new(1, 0);
        let legs = [0, 1].map(|n| open_bare(&mut engine, &mut ids, n));
        let digest = self.identity.fingerprint().to_vec();
        for (n, role) in [(1, DtlsRole::Server), (0, DtlsRole::Client)] {
            let theirs = Fingerprint { hash: FingerprintHash::Sha256, digest: digest.clone() };
            let path = MediaPath { ice: None, dtls: Some(DtlsTerms { role, theirs }) };
            agree(&mut engine, legs[n], party(1 - n as u32), Codec::Pcma, Some(Box::new(path)));
        }
        for leg in legs {
            let (playback, items) = (ids.playback(leg.tenant), vec![PlayItem::Tone(Tone::Hertz(440), 2_000)]);
            let play = MediaCommand::Play { leg, playback, items, repeat: Repeat::Once };
            engine.handle_command(play, Time::ZERO);
        }
        let (mut result, mut buf) = (Handshake::default(), [0; 2_048]);
        for ms in 0..2_000_u32 {
            let now = Time::ZERO + Duration::from_millis(ms.into());
            engine.handle_timeout(now);
            loop {
                let begun = Instant::now();
                let Some((port, _, len)) = engine.poll_transmit(&mut buf, now) else { break };
                // RFC 7983 7: "[20..63]: DTLS", RTP is above.
                let is_dtls = (20..64).contains(&buf[0]);
                let there = cordboard_media::PortKey(1 - port.0);
                engine.handle_packet(there, party(port.0), &mut buf, len, now);
                if !is_dtls {
                    continue;
                }
                let took = begun.elapsed();
                result.whole += took;
                result.longest = result.longest.max(took);
                result.datagrams += 1;
            }
            while engine.poll_rtcp(&mut buf, now).is_some() {}
        }
        result.heard = legs.map(|leg| engine.leg_stats(leg).map_or(0, |stats| stats.received));
        result
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_that_has_ended_has_left_nothing() {
        for beside in [false, true] {
            let mut calls = SetUps::new([Codec::Pcma, Codec::Opus], true, beside);
            for _ in 0..10 {
                let took = calls.call();
                assert_eq!(calls.legs(), 2 * UP as usize);
                assert!(!took.media.is_zero());
            }
            let made = calls.engine.kit_counters().made_here;
            assert_eq!(made == 0, beside, "{made}");
        }
    }

    #[test]
    fn after_a_handshake_that_is_measured_each_hears_the_other() {
        let shaken = Handshakes::new().shake();
        assert!(shaken.heard.iter().all(|heard| *heard > 50), "{shaken:?}");
        assert!(shaken.datagrams >= 4 && shaken.longest < shaken.whole, "{shaken:?}");
    }
}
