//! What the call engine is made with. Every limit has a name, a unit and an outcome.

use crate::manners::Manners;
use cordboard_model::config::Limits;
use cordboard_model::id::TenantId;
use cordboard_model::media::PlayItem;
use cordboard_model::time::Duration;
use std::collections::BTreeMap;

/// Settings of a call engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallConfig {
    /// The second (UTC) at which the switch was started; part of every id.
    pub start_secs: u32,
    /// The shard; part of every id.
    pub shard: u8,
    /// Limits.
    pub limits: CallLimits,
    /// What a held party hears, by tenant, for ever. A tenant without an entry gets the music of
    /// the call's last queue, and a soft beep every five seconds if there was none.
    pub hold_items: BTreeMap<TenantId, Vec<PlayItem>>,
    /// Soft and loud voices of a conference are made equal.
    pub conference_gain: bool,
    /// What is heard and recorded.
    pub manners: Manners,
    /// What draws which calls are recorded. Counts at the start alone.
    pub seed: [u8; 32],
}

impl CallConfig {
    /// Default limits, no hold music, no gain.
    pub fn new(start_secs: u32, shard: u8) -> Self {
        Self {
            start_secs,
            shard,
            limits: CallLimits::default(),
            hold_items: BTreeMap::new(),
            conference_gain: false,
            manners: Manners::default(),
            seed: [0; 32],
        }
    }
}

/// Limits of the call engine. A change holds for deadlines that begin after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallLimits {
    /// Most calls at a time; the next ends with `Congestion`. `core` should refuse earlier.
    pub calls: u32,
    /// Longest call; then `MaxDuration`.
    pub call_length: Duration,
    /// Longest time a device may ring when an offer says nothing else; then `NoAnswer`.
    pub ring: Duration,
    /// Longest wait for a media port; then `Congestion`. 2 s.
    pub media_open: Duration,
    /// Longest wait for routing; then `NoRoute`. 5 s.
    pub route: Duration,
    /// Longest time from our wish to answer to the caller being answered; then `InternalError`. A caller who
    /// made no offer is answered when his ACK brings the answer to ours, and how long that may take is for SIP
    /// to say: 35 s, a little over its 64*T1, after which it ends the leg itself.
    pub answer: Duration,
    /// Longest wait for the end of a re-INVITE that holds or retrieves; then it counts as refused. 35 s,
    /// a little over RFC 3261's timer B.
    pub hold: Duration,
    /// Longest apology of a failed flow; then its fallback is followed. 30 s.
    pub apology: Duration,
    /// Longest announcement before two are joined; then they are joined. 30 s.
    pub opening: Duration,
    /// How long the record waits for media figures and recordings once the end is decided. 200 ms.
    pub close_wait: Duration,
    /// How long legs, media and recordings may take to go after the end; then the call is forgotten by
    /// force, with an alarm. 5 s.
    pub teardown: Duration,
    /// Most keys typed ahead in a flow; further ones are dropped. 64.
    pub digits: usize,
    /// Most times a call is sent on (transfer, overflow, fallback); then `NoRoute`. 32.
    pub hops: u32,
    /// Most called legs, and most waits, in a call's record; beyond it the oldest are dropped, of the legs only
    /// those that never answered. 64.
    pub leg_records: usize,
    /// Most recordings of one call: each is a file and a line in its record. 64.
    pub recordings: usize,
}

impl Default for CallLimits {
    fn default() -> Self {
        Self::from(&Limits::default())
    }
}

impl From<&Limits> for CallLimits {
    fn from(limits: &Limits) -> Self {
        Self {
            calls: limits.calls,
            call_length: limits.call_length,
            ring: limits.ring,
            media_open: Duration::from_secs(2),
            route: Duration::from_secs(5),
            answer: Duration::from_secs(35),
            hold: Duration::from_secs(35),
            apology: Duration::from_secs(30),
            opening: Duration::from_secs(30),
            close_wait: Duration::from_millis(200),
            teardown: Duration::from_secs(5),
            digits: 64,
            hops: 32,
            leg_records: 64,
            recordings: 64,
        }
    }
}
