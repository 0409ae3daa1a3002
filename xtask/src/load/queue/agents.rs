//! The agents' phones: they register, answer every call at once, talk for a while, hang up, and are free.
//!
//! Invariant: the time of a BYE is taken before it is sent and that of an INVITE after it was read, so what lies between is the
//! switch, the loopback twice and the wake-up of this thread.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, VecDeque};
use std::io;
use std::sync::atomic::Ordering::Relaxed;

use super::super::probe::header;
use super::digest::authorization;
use super::shared::{BURST, BURST_LOCKED, Shared, count};
use super::words::{AGAIN, AGENTS, Side, Talk, contact, status, user};

/// What every account has as password.
pub(super) const PASSWORD: &str = "the-agents-of-the-load";
/// A BYE that is not answered is sent so many times.
const TRIES: u8 = 8;

/// What was seen.
#[derive(Default)]
pub(in crate::load) struct Seen {
    /// From an agent's BYE to his next INVITE: the phase, when it came, how long it took; nanoseconds.
    pub(super) free: Vec<(u8, u64, u64)>,
    /// From a caller's INVITE to the agent's: the phase, how long it took; nanoseconds.
    pub(super) ring: Vec<(u8, u64)>,
    /// From an order to leave to the BYE of it; nanoseconds.
    pub(in crate::load) ordered: Vec<u64>,
}

/// A call at a phone.
struct Leg {
    agent: usize,
    /// Our side's value, theirs, and where they are asked.
    from: String,
    to: String,
    target: String,
    bye: String,
    up: bool,
}

struct Phones<'a> {
    side: Side,
    shared: &'a Shared,
    agents: usize,
    legs: BTreeMap<String, Leg>,
    /// When each agent hung up last, until he is called again.
    freed: Vec<Option<u64>>,
    /// Agents who were called before.
    called: Vec<bool>,
    hang_ups: BinaryHeap<Reverse<(u64, String)>>,
    /// BYEs without an answer: when each is sent again, and how often it was.
    byes: VecDeque<(u64, String, u8)>,
    registering: Registering,
    seen: Seen,
}

/// Which agent registers, and when that is tried again.
struct Registering {
    agent: usize,
    again: u64,
}

/// The name of an agent's account.
pub(in crate::load) fn name(agent: usize) -> String {
    format!("a{agent}")
}

/// Registers so many agents, and serves until it is over.
pub(in crate::load) fn run(shared: &Shared, agents: u32) -> io::Result<Seen> {
    let agents = agents as usize;
    let mut phones = Phones {
        side: Side::at(AGENTS)?,
        shared,
        agents,
        legs: BTreeMap::new(),
        freed: vec![None; agents],
        called: vec![false; agents],
        hang_ups: BinaryHeap::new(),
        byes: VecDeque::new(),
        registering: Registering { agent: 0, again: 0 },
        seen: Seen::default(),
    };
    while !shared.is_over() {
        phones.register(shared.now())?;
        if let Some(text) = phones.side.hear()? {
            phones.take(&text)?;
        }
        phones.hang_up(shared.now())?;
        phones.again(shared.now())?;
    }
    Ok(phones.seen)
}

impl Phones<'_> {
    /// Sends the REGISTER of the next agent, or of the same again.
    fn register(&mut self, now: u64) -> io::Result<()> {
        if self.registering.agent >= self.agents || self.registering.again > now {
            return Ok(());
        }
        self.registering.again = now + again();
        self.side.say(&self.registration(1, ""))
    }

    fn registration(&self, cseq: u32, more: &str) -> String {
        let name = name(self.registering.agent);
        let (from, to) = (format!("<sip:{name}@127.0.0.1>;tag=r"), format!("<sip:{name}@127.0.0.1>"));
        let id = format!("r{name}");
        let talk = Talk { from: &from, to: &to, id: &id, cseq };
        let text = self.side.request("REGISTER", "sip:127.0.0.1", talk, &format!("Expires: 3600\r\n{more}"));
        text.replacen("<sip:load@", &format!("<sip:{name}@"), 1)
    }

    fn take(&mut self, text: &str) -> io::Result<()> {
        let now = self.shared.now();
        if let Some((code, method)) = status(text) {
            return match method {
                "REGISTER" => self.registered(text, code, now),
                "BYE" if code >= 200 => {
                    if let Some(id) = header(text, "Call-ID") {
                        self.legs.remove(id);
                    }
                    Ok(())
                }
                _ => Ok(()),
            };
        }
        let id = header(text, "Call-ID").unwrap_or_default().to_owned();
        if text.starts_with("ACK ") {
            self.acknowledged(&id, now);
            return Ok(());
        }
        if text.starts_with("INVITE ") && !self.legs.contains_key(&id) {
            self.invited(text, &id, now);
        }
        if text.starts_with("BYE ")
            && let Some(leg) = self.legs.remove(&id)
            && let Some(sent) = self.shared.ordered(leg.agent)
        {
            // It is on the wire when it is at the phone's socket; when this thread gets there is its own affair.
            self.seen.ordered.push(now.saturating_sub(self.side.lay()).saturating_sub(sent));
        }
        self.side.say(&self.side.agreement(text))
    }

    fn registered(&mut self, text: &str, code: u16, now: u64) -> io::Result<()> {
        let name = name(self.registering.agent);
        if header(text, "Call-ID") != Some(&format!("r{name}")) {
            return Ok(());
        }
        match code {
            401 => {
                let Some(shown) = authorization(text, "sip:127.0.0.1", &name, PASSWORD) else {
                    return Err(io::Error::other(format!("agent {name} is asked for what it has not")));
                };
                self.side.say(&self.registration(2, &shown))
            }
            200..=299 => {
                count(&self.shared.registered);
                self.registering = Registering { agent: self.registering.agent + 1, again: now };
                Ok(())
            }
            _ => Err(io::Error::other(format!("agent {name} is not registered: {code}"))),
        }
    }

    fn invited(&mut self, text: &str, id: &str, now: u64) {
        let line = text.lines().next().unwrap_or_default();
        let Some(agent) = user(line).and_then(|name| name.strip_prefix('a')?.parse::<usize>().ok()) else {
            return;
        };
        let phase = self.shared.phase();
        if let Some(freed) = self.freed.get_mut(agent).and_then(Option::take) {
            self.seen.free.push((phase, now, now.saturating_sub(freed)));
        }
        let caller = header(text, "From").and_then(user);
        if let Some(sent) = caller.and_then(|number| self.shared.invited(number)) {
            self.seen.ring.push((phase, now.saturating_sub(sent)));
        }
        count(&self.shared.offered);
        if [BURST, BURST_LOCKED].contains(&phase) {
            count(&self.shared.burst);
        }
        let value = |name: &str| header(text, name).unwrap_or_default().to_owned();
        let leg = Leg {
            agent,
            from: format!("{};tag=load", value("To")),
            to: value("From"),
            target: contact(text).unwrap_or_default().to_owned(),
            bye: String::new(),
            up: false,
        };
        self.legs.insert(id.to_owned(), leg);
    }

    /// The talk begins: it ends after its time, the first one of each agent at another time than those of others.
    fn acknowledged(&mut self, id: &str, now: u64) {
        let Some(leg) = self.legs.get_mut(id).filter(|leg| !leg.up) else {
            return;
        };
        leg.up = true;
        self.shared.begins(leg.agent);
        let talk = self.shared.talk_ms.load(Relaxed) * 1_000_000;
        let first = self.called.get_mut(leg.agent).is_some_and(|called| !std::mem::replace(called, true));
        let part = if first { talk / self.agents.max(1) as u64 * (leg.agent as u64 + 1) } else { talk };
        self.hang_ups.push(Reverse((now + part, id.to_owned())));
    }

    fn hang_up(&mut self, now: u64) -> io::Result<()> {
        let at_once = self.shared.talk_ms.load(Relaxed) == 0;
        while let Some(Reverse((due, _))) = self.hang_ups.peek()
            && (at_once || *due <= now)
        {
            let Some(Reverse((_, id))) = self.hang_ups.pop() else { break };
            let Some(leg) = self.legs.get_mut(&id) else { continue };
            let talk = Talk { from: &leg.from, to: &leg.to, id: &id, cseq: 1 };
            leg.bye = self.side.request("BYE", &leg.target, talk, "");
            self.shared.leaves(leg.agent);
            let sent = self.shared.now();
            if let Some(freed) = self.freed.get_mut(leg.agent) {
                *freed = Some(sent);
            }
            self.side.say(&leg.bye)?;
            self.byes.push_back((sent + again(), id, 1));
        }
        Ok(())
    }

    /// Sends again what nobody has answered.
    fn again(&mut self, now: u64) -> io::Result<()> {
        while let Some((_, id, tries)) = self.byes.pop_front_if(|(at, ..)| *at <= now) {
            let Some(leg) = self.legs.get(&id) else { continue };
            if tries >= TRIES {
                count(&self.shared.failed);
                self.legs.remove(&id);
                continue;
            }
            count(&self.shared.resent);
            self.side.say(&leg.bye)?;
            self.byes.push_back((now + again(), id, tries + 1));
        }
        Ok(())
    }
}

fn again() -> u64 {
    u64::try_from(AGAIN.as_nanos()).unwrap_or(u64::MAX)
}

/// Every agent with his account, as a configuration names them.
pub(super) fn accounts(agents: u32, queues: u32) -> String {
    let mut text = String::new();
    for agent in 0..agents {
        let name = name(agent as usize);
        // Three queues each, so that no agent has the same three as his neighbour.
        let mut serves =
            vec![agent % queues, (agent * 7 + 3) % queues, (agent / queues * 3 + agent + 1) % queues];
        serves.sort_unstable();
        serves.dedup();
        let serves: Vec<String> = serves.into_iter().map(|queue| format!("\"q{queue}\"")).collect();
        text.push_str(&format!(
            "[tenant.default.user.{name}]\npassword = \"{PASSWORD}\"\n\
             [tenant.default.agent.{name}]\nqueues = [{}]\nauto_sign_in = true\n",
            serves.join(", ")
        ));
    }
    text
}
