//! A leg goes from one media thread to another: taken out of one engine whole, put into the other, between two packets.
//!
//! What it goes on with there: what was negotiated, keys, sequence numbers and timestamps towards its party, what was
//! counted, a playback and keys that are being sent. What it leaves: its partner, who is joined anew by whoever
//! asked for the move, and recordings.

use super::{MediaEngine, NO_LEG, PortKey};
use crate::graph::leg::Leg;
use cordboard_model::id::LegId;
use cordboard_model::media::LegStats;
use cordboard_model::time::Time;

/// A leg between two engines.
#[derive(Debug)]
pub struct Traveller(Box<Leg>);

impl Traveller {
    /// Whose leg it is.
    pub fn leg(&self) -> LegId {
        self.0.id
    }

    /// Its figures so far.
    pub fn stats(&self) -> LegStats {
        self.0.stats()
    }
}

impl MediaEngine {
    /// Takes a leg out, if it is there, open, and in no recording: a recording's two channels are heard on one thread. By
    /// `force` its recordings go on without it. Its pair of ports goes with it: no packet of it may be handed in here afterwards.
    pub fn release(&mut self, leg: LegId, force: bool, now: Time) -> Option<(PortKey, Traveller)> {
        let key = self.by_id.get(&leg)?;
        let there = self.legs.get(key)?;
        let port = there.port?;
        if there.closing || (!force && there.taps.iter().any(Option::is_some)) {
            return None;
        }
        let taps = there.taps;
        self.leave_recordings(key, &taps, now);
        self.part(key);
        self.ticks.cancel(key);
        self.watches.cancel(key);
        self.frames.retain(|waiting| *waiting != key);
        self.reports.retain(|waiting| *waiting != key);
        self.muxed.retain(|waiting| *waiting != key);
        self.leave_path(key);
        self.pause_live(key);
        let mut taken = self.legs.remove(key)?;
        self.by_id.remove(&leg);
        if let Some(owner) = self.by_port.get_mut(port.0 as usize) {
            *owner = NO_LEG;
        }
        taken.port = None;
        taken.taps = Default::default();
        (taken.cadence, taken.reports.queued) = (Default::default(), false);
        Some((port, Traveller(Box::new(taken))))
    }

    /// Takes in a leg that another engine released; its pair has this key now. It is never refused for the number of
    /// legs: it is one that the switch has accepted.
    pub fn take_in(&mut self, traveller: Traveller, port: PortKey, now: Time) {
        let mut leg = *traveller.0;
        let id = leg.id;
        leg.port = Some(port);
        let key = self.legs.insert(leg);
        self.by_id.insert(id, key);
        self.make_room();
        self.own_port(port, key);
        let Some(leg) = self.legs.get(key) else {
            return;
        };
        let (is_agreed, is_made_for) = (leg.stream.is_some(), leg.is_made_for());
        if is_agreed {
            self.start_watching(key, now);
            self.settle_path(key, now);
        }
        if is_made_for {
            self.start_ticking(key, now);
        }
        self.resume_live(key, now);
    }
}
