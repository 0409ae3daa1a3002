//! The callers: they call, are answered by the queue, wait without a sound, and are followed by others when they were
//! served.

use std::collections::VecDeque;
use std::io;
use std::sync::atomic::Ordering::Relaxed;

use super::super::place::SIP;
use super::super::probe::header;
use super::shared::{Shared, count};
use super::words::{AGAIN, CALLERS, Side, Talk, contact, status};

/// The access code of the first queue; the others follow it.
pub(super) const FIRST_QUEUE: u32 = 9_300;
/// An INVITE that is not answered is sent so many times.
const TRIES: u8 = 8;

/// How far a call is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Sent,
    /// Something came back, be it a 100.
    Heard,
    /// It rings: the queue has it, and answers with the agent.
    Rings,
    Up,
    Over,
}

struct Call {
    stage: Stage,
    queue: u32,
}

struct Callers<'a> {
    side: Side,
    shared: &'a Shared,
    queues: u32,
    calls: Vec<Call>,
    /// Calls whose INVITE is not answered yet: when it is sent again, and how often it was.
    unheard: VecDeque<(u64, u32, u8)>,
    /// Calls that were begun because they are wanted, not to follow another.
    begun: u32,
}

/// Calls as it is told, until it is over.
pub(in crate::load) fn run(shared: &Shared, queues: u32) -> io::Result<()> {
    let (calls, unheard) = (Vec::new(), VecDeque::new());
    let mut callers = Callers { side: Side::at(CALLERS)?, shared, queues, calls, unheard, begun: 0 };
    let (mut next, mut rate) = (shared.now(), 0);
    while !shared.is_over() {
        if let Some(text) = callers.side.hear()? {
            callers.take(&text)?;
        }
        let now = shared.now();
        if rate != shared.rate.load(Relaxed) {
            (rate, next) = (shared.rate.load(Relaxed), now);
        }
        if callers.begun >= shared.wanted.load(Relaxed) {
            next = next.max(now);
        } else if next <= now {
            next += 1_000_000_000 / u64::from(rate.max(1));
            callers.begun += 1;
            callers.call(callers.begun % queues)?;
        }
        callers.again(now)?;
    }
    Ok(())
}

impl Callers<'_> {
    fn call(&mut self, queue: u32) -> io::Result<()> {
        let call = u32::try_from(self.calls.len()).unwrap_or(u32::MAX);
        if call >= self.shared.room() {
            count(&self.shared.failed);
            return Ok(());
        }
        self.calls.push(Call { stage: Stage::Sent, queue });
        let invite = self.invite(call);
        self.shared.invites(call);
        self.side.say(&invite)?;
        self.unheard.push_back((self.shared.now() + again(), call, 1));
        Ok(())
    }

    fn invite(&self, call: u32) -> String {
        let queue = self.calls.get(call as usize).map_or(0, |call| call.queue);
        let uri = format!("sip:{}@{SIP}", FIRST_QUEUE + queue);
        self.request("INVITE", &uri, &format!("<{uri}>"), call, 1)
    }

    fn request(&self, method: &str, target: &str, to: &str, call: u32, cseq: u32) -> String {
        let (id, from) =
            (format!("q{call}"), format!("<sip:{}@{CALLERS}:5060>;tag=q{call}", Shared::number(call)));
        self.side.request(method, target, Talk { from: &from, to, id: &id, cseq }, "")
    }

    fn take(&mut self, text: &str) -> io::Result<()> {
        let id = header(text, "Call-ID").and_then(|id| id.strip_prefix('q')?.parse::<u32>().ok());
        let Some((call, stage)) = id.and_then(|id| Some((id, self.calls.get(id as usize)?.stage))) else {
            return Ok(());
        };
        let Some((code, method)) = status(text) else {
            return self.asked(text, call, stage);
        };
        if method != "INVITE" {
            return Ok(());
        }
        if code < 200 {
            return self.tried(code, call, stage);
        }
        let to = header(text, "To").unwrap_or_default();
        let ok = code < 300;
        let target = contact(text).filter(|_| ok).map_or_else(|| format!("sip:{SIP}"), str::to_owned);
        let ack = self.request("ACK", &target, to, call, 1);
        // That of a refusal belongs to the INVITE's transaction (RFC 3261 17.1.1.3).
        let ack = if ok { ack } else { ack.replacen(".1.ACK", ".1.INVITE", 1) };
        self.side.say(&ack)?;
        if matches!(stage, Stage::Up | Stage::Over) {
            return Ok(());
        }
        match (ok, stage) {
            (true, Stage::Rings) => {}
            (true, _) => _ = count(&self.shared.answered),
            (false, _) => _ = count(&self.shared.failed),
        }
        self.set(call, if ok { Stage::Up } else { Stage::Over })
    }

    /// A provisional response: after "trying" the call waits, if it is not answered first.
    fn tried(&mut self, code: u16, call: u32, stage: Stage) -> io::Result<()> {
        match stage {
            Stage::Sent | Stage::Heard if code > 100 => {
                count(&self.shared.answered);
                self.set(call, Stage::Rings)
            }
            Stage::Sent => self.set(call, Stage::Heard),
            _ => Ok(()),
        }
    }

    /// A request of the switch's.
    fn asked(&mut self, text: &str, call: u32, stage: Stage) -> io::Result<()> {
        if text.starts_with("ACK ") {
            return Ok(());
        }
        let agreement = self.side.agreement(text);
        self.side.say(&agreement)?;
        if !text.starts_with("BYE ") || stage == Stage::Over {
            return Ok(());
        }
        self.set(call, Stage::Over)?;
        count(&self.shared.ended);
        match self.shared.refill.load(Relaxed) {
            true => self.call(self.calls.get(call as usize).map_or(0, |call| call.queue) % self.queues),
            false => Ok(()),
        }
    }

    fn set(&mut self, call: u32, stage: Stage) -> io::Result<()> {
        if let Some(call) = self.calls.get_mut(call as usize) {
            call.stage = stage;
        }
        Ok(())
    }

    /// Sends again what nobody has answered.
    fn again(&mut self, now: u64) -> io::Result<()> {
        while let Some((_, call, tries)) = self.unheard.pop_front_if(|(at, ..)| *at <= now) {
            if self.calls.get(call as usize).is_none_or(|call| call.stage != Stage::Sent) {
                continue;
            }
            if tries >= TRIES {
                count(&self.shared.failed);
                self.set(call, Stage::Over)?;
                continue;
            }
            count(&self.shared.resent);
            let invite = self.invite(call);
            self.side.say(&invite)?;
            self.unheard.push_back((now + again(), call, tries + 1));
        }
        Ok(())
    }
}

fn again() -> u64 {
    u64::try_from(AGAIN.as_nanos()).unwrap_or(u64::MAX)
}
