//! Wrong passwords of one agent: how many came from where, and who has to wait.
//!
//! Invariants: who has sent as many wrong ones as are allowed has no more of them looked at for a while, and keeps nobody else
//! from the agent; for everybody the agent is locked only when [`SPREAD`] times as many came from several places. A try counts
//! while it is looked at, so that many at a time gain nothing.

use super::accounts::At;
use cordboard_model::signin::{KeptSource, KeptTries, SignInFault, SignInLock, SignInRules};
use cordboard_model::time::{Duration, Time, Wall};
use core::net::Ipv6Addr;

/// A password that was not done with after so long is not waited for: who asked has given up in a way that nobody told us of.
const GIVEN_UP: Duration = Duration::from_secs(30);
/// So many times as many wrong ones as one place may send lock the agent for all.
const SPREAD: u16 = 4;
/// Most places that are remembered of an agent.
const SOURCES_MAX: usize = 8;
/// Longest name of a place that is told apart, characters.
const FROM_MAX: usize = 64;

/// Where passwords come from.
#[derive(Debug)]
struct Source {
    from: String,
    /// Wrong ones in a row.
    wrong: u8,
    /// Those that are being looked at: each may be wrong.
    looked_at: u8,
    /// When the last of them began.
    began: Time,
    /// None is looked at before.
    next: Time,
    locked: Option<Wall>,
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Tries {
    sources: Vec<Source>,
    /// Wrong ones from anywhere, since one was right or nobody tried for as long as a lock.
    total: u16,
    last: Wall,
    locked: Option<Wall>,
}

/// The place that counts: whoever has one address of an IPv6 network has all of them.
fn place(from: &str) -> String {
    match from.parse::<Ipv6Addr>() {
        Ok(ip) if ip.to_ipv4_mapped().is_none() => {
            let [a, b, c, d, ..] = ip.segments();
            format!("{}/64", Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
        _ => from.chars().take(FROM_MAX).collect(),
    }
}

fn left(until: &mut Option<Wall>, now: Wall) -> Option<u32> {
    let ms = (*until)?.0.saturating_sub(now.0);
    if ms <= 0 {
        *until = None;
        return None;
    }
    Some(u32::try_from((ms + 999) / 1_000).unwrap_or(u32::MAX))
}

impl Tries {
    /// Takes back what the journal held.
    pub(super) fn restored(kept: Option<KeptTries>, locked: Option<Wall>) -> Self {
        let KeptTries { total, last, sources } = kept.unwrap_or_default();
        let source = |kept: KeptSource| {
            let KeptSource { from, wrong, locked } = kept;
            Source { from, wrong, looked_at: 0, began: Time::ZERO, next: Time::ZERO, locked }
        };
        Self { sources: sources.into_iter().take(SOURCES_MAX).map(source).collect(), total, last, locked }
    }

    /// What the journal is to hold: until when nobody's password is looked at, and what was counted.
    pub(super) fn kept(&self) -> (Option<Wall>, Option<KeptTries>) {
        let source = |source: &Source| {
            let Source { from, wrong, locked, .. } = source;
            KeptSource { from: from.clone(), wrong: *wrong, locked: *locked }
        };
        let counts = |source: &&Source| source.wrong > 0 || source.locked.is_some();
        let sources: Vec<_> = self.sources.iter().filter(counts).map(source).collect();
        let counted = self.total > 0 || !sources.is_empty();
        let tries = counted.then_some(KeptTries { total: self.total, last: self.last, sources });
        (self.locked, tries)
    }

    /// Where passwords are not looked at now.
    pub(super) fn locks(&self, now: Wall) -> Vec<SignInLock> {
        let all = self.locked.map(|until| SignInLock { from: None, until });
        let of = |source: &Source| {
            let until = source.locked?;
            Some(SignInLock { from: Some(source.from.clone()), until })
        };
        let locks = all.into_iter().chain(self.sources.iter().filter_map(of));
        locks.filter(|lock| lock.until > now).collect()
    }

    /// None of those that were wrong counts any more. Whether any did.
    pub(super) fn forget(&mut self, now: At) -> bool {
        let counted = self.total > 0 || self.count(now);
        // one that is looked at now ends without a place, which is no fault
        *self = Self::default();
        counted
    }

    /// Whether a try is answered otherwise than the first.
    pub(super) fn count(&self, now: At) -> bool {
        let later = |until: &Option<Wall>| until.is_some_and(|until| until > now.wall);
        let counts =
            |source: &Source| source.next > now.time || source.looked_at > 0 || later(&source.locked);
        later(&self.locked) || self.sources.iter().any(counts)
    }

    /// Whether a password from there may be looked at now. It counts from now on, until [`Tries::end`].
    pub(super) fn begin(&mut self, rules: &SignInRules, from: &str, now: At) -> Result<(), SignInFault> {
        if let Some(seconds) = left(&mut self.locked, now.wall) {
            return Err(SignInFault::Locked(seconds));
        }
        if elapsed(self.last, now.wall) >= rules.lock {
            self.total = 0;
        }
        for source in self.sources.iter_mut().filter(|source| now.time.since(source.began) >= GIVEN_UP) {
            source.looked_at = 0;
        }
        let under_way: u16 = self.sources.iter().map(|source| u16::from(source.looked_at)).sum();
        let all = u16::from(rules.tries).saturating_mul(SPREAD);
        let source = self.source(&place(from), now.wall).ok_or(SignInFault::Busy)?;
        if let Some(seconds) = left(&mut source.locked, now.wall) {
            return Err(SignInFault::Locked(seconds));
        }
        let wait = source.next.since(now.time);
        if !wait.is_zero() {
            return Err(SignInFault::TooSoon(seconds(wait)));
        }
        if source.wrong.saturating_add(source.looked_at) >= rules.tries {
            return Err(SignInFault::Busy);
        }
        source.looked_at = source.looked_at.saturating_add(1);
        source.began = now.time;
        if self.total.saturating_add(under_way) >= all {
            self.end(from);
            return Err(SignInFault::Busy);
        }
        Ok(())
    }

    /// The place, which is remembered from now on. None if all that are remembered must be.
    fn source(&mut self, from: &str, now: Wall) -> Option<&mut Source> {
        if let Some(at) = self.sources.iter().position(|source| source.from == from) {
            return self.sources.get_mut(at);
        }
        if self.sources.len() >= SOURCES_MAX {
            // what is forgotten of it still counts in the total
            let idle =
                |source: &Source| source.looked_at == 0 && source.locked.is_none_or(|until| until <= now);
            let least = self.sources.iter().enumerate().filter(|(_, source)| idle(source));
            let (at, _) = least.min_by_key(|(_, source)| (source.wrong, source.began))?;
            self.sources.remove(at);
        }
        let (began, next) = (Time::ZERO, Time::ZERO);
        self.sources.push(Source {
            from: from.to_owned(),
            wrong: 0,
            looked_at: 0,
            began,
            next,
            locked: None,
        });
        self.sources.last_mut()
    }

    fn known(&mut self, from: &str) -> Option<&mut Source> {
        let from = place(from);
        self.sources.iter_mut().find(|source| source.from == from)
    }

    /// A password was looked at, or nobody had time for it.
    pub(super) fn end(&mut self, from: &str) {
        if let Some(source) = self.known(from) {
            source.looked_at = source.looked_at.saturating_sub(1);
        }
    }

    /// It was right. Whether something is to be forgotten that is kept.
    pub(super) fn right(&mut self, from: &str) -> bool {
        let counted = core::mem::take(&mut self.total) > 0;
        let known = self.known(from).map(|source| core::mem::take(&mut source.wrong) > 0);
        counted || known.unwrap_or(false)
    }

    /// It was wrong: how that is answered, and whether the journal is to know. It learns of the first, the second, the fourth
    /// and so on, and of each lock: a restart forgets half of them at most, and a flood writes little.
    pub(super) fn wrong(&mut self, rules: &SignInRules, from: &str, now: At) -> (SignInFault, bool) {
        self.total = self.total.saturating_add(1);
        self.last = now.wall;
        if self.total >= u16::from(rules.tries).saturating_mul(SPREAD) {
            *self = Self { locked: Some(after(now.wall, rules.lock)), ..Self::default() };
            return (SignInFault::Locked(seconds(rules.lock)), true);
        }
        let Some(source) = self.source(&place(from), now.wall) else { return (SignInFault::Wrong, true) };
        let many = u32::from(source.wrong).min(16);
        source.wrong = source.wrong.saturating_add(1);
        source.next = now.time + rules.slow.saturating_mul(1 << many).min(rules.lock);
        if source.wrong < rules.tries {
            return (SignInFault::Wrong, source.wrong.is_power_of_two());
        }
        (source.wrong, source.next) = (0, now.time);
        source.locked = Some(after(now.wall, rules.lock));
        (SignInFault::Locked(seconds(rules.lock)), true)
    }
}

fn elapsed(since: Wall, now: Wall) -> Duration {
    Duration::from_millis(u64::try_from(now.0.saturating_sub(since.0)).unwrap_or(0))
}

fn after(wall: Wall, length: Duration) -> Wall {
    Wall(wall.0.saturating_add(i64::try_from(length.as_millis()).unwrap_or(i64::MAX)))
}

/// Whole seconds, rounded up.
fn seconds(length: Duration) -> u32 {
    u32::try_from(length.as_millis().div_ceil(1_000)).unwrap_or(u32::MAX)
}
