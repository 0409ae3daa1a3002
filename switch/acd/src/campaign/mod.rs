//! Campaigns: which numbers are called when, how many at a time, and what came of each.
//!
//! Invariant: a number is in hand from the moment it was taken until what became of it is written, and nobody takes it meanwhile;
//! of those in hand no more wait for an agent than the pace allows. Nothing here reads a clock or a database: the shell asks
//! how many to take, says what it found, and writes what it is given before anything is called.

mod check;
mod hours;
mod outcome;
mod pace;
#[cfg(test)]
mod tests;

pub use check::faults;
pub use hours::campaign_hours;
pub use outcome::{is_final, outcome_of, outcome_of_refusal};
pub use pace::{Floor, wanted};

use cordboard_model::callback::CallbackId;
use cordboard_model::campaign::{
    BusinessResult, Campaign, CampaignNumber, CampaignState, NumberResult, NumberState, Outcome,
};
use cordboard_model::cdr::Cdr;
use cordboard_model::id::CallId;
use cordboard_model::time::Wall;
use std::collections::BTreeMap;

/// Most numbers that are taken at a time.
const TAKE_MAX: u32 = 50;
/// How long the database is not asked again that had no number whose time has come.
const DRY_MS: i64 = 5_000;
/// How long after a fault of ours, or of a carrier, nothing is called.
const FAULT_MS: i64 = 30_000;

/// How far a number in hand has come.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Stage {
    /// It is written that it is called; the switch is being asked.
    Asked,
    /// This call calls it; it may be with whom it is for.
    Called(CallId, bool),
    /// It waits for an agent by an entry of the list.
    Placed(Waiting),
}

/// A number for which an agent is sought.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Waiting {
    place: CallbackId,
    /// An agent is being rung, or talks.
    served: bool,
    /// What came of the last call to it. One in which no agent answered is none to it: the next agent is rung.
    last: Option<NumberResult>,
    /// The entry is done with: what came of its call is what came of it.
    over: bool,
}

impl Waiting {
    fn new(place: CallbackId) -> Self {
        Self { place, served: false, last: None, over: false }
    }
}

/// One campaign's numbers in hand.
#[derive(Debug)]
pub struct Dialler {
    campaign: Campaign,
    hand: BTreeMap<u64, (CampaignNumber, Stage)>,
    /// Nothing is taken before.
    not_before: Wall,
}

impl Dialler {
    /// Of a campaign, with nothing in hand.
    pub fn new(campaign: Campaign) -> Self {
        Self { campaign, hand: BTreeMap::new(), not_before: Wall(0) }
    }

    /// What it is.
    pub fn campaign(&self) -> &Campaign {
        &self.campaign
    }

    /// It is so from now on. What is in hand goes on as it was begun.
    pub fn change(&mut self, campaign: Campaign) {
        self.campaign = campaign;
        self.not_before = Wall(0);
    }

    /// Numbers came: the database is asked again.
    pub fn filled(&mut self) {
        self.not_before = Wall(0);
    }

    /// Whether nothing is in hand.
    pub fn is_idle(&self) -> bool {
        self.hand.is_empty()
    }

    /// How many are in hand.
    pub fn in_hand(&self) -> u32 {
        u32::try_from(self.hand.len()).unwrap_or(u32::MAX)
    }

    /// Of those, for how many an agent will be wanted who is counted as free now: the phones still ring, or the agents' will.
    pub fn unserved(&self) -> u32 {
        let waits = |stage: &Stage| match stage {
            Stage::Asked => true,
            Stage::Called(_, served) => !served,
            Stage::Placed(waiting) => !waiting.served,
        };
        u32::try_from(self.hand.values().filter(|(_, stage)| waits(stage)).count()).unwrap_or(u32::MAX)
    }

    /// How many numbers to take now. `open`: it is within its hours. `lines`: what the tenant has left.
    pub fn takes(&self, now: Wall, open: bool, floor: Floor, lines: u32) -> u32 {
        let runs = self.campaign.state(now) == CampaignState::Running && now >= self.campaign.spec.begins;
        if !runs || !open || now < self.not_before {
            return 0;
        }
        wanted(&self.campaign.spec, floor, (self.in_hand(), self.unserved())).min(lines).min(TAKE_MAX)
    }

    /// The database gave these whose time has come. They are in hand from now on, and are to be written so before they are called.
    /// `next`: when the next one is due, if it gave fewer than it was asked for.
    pub fn taken(
        &mut self,
        numbers: Vec<CampaignNumber>,
        asked: u32,
        next: Option<Wall>,
        now: Wall,
    ) -> Vec<CampaignNumber> {
        if numbers.len() < usize::try_from(asked).unwrap_or(usize::MAX) {
            let dry = Wall(now.0.saturating_add(DRY_MS));
            self.not_before = next.map_or(dry, |next| next.min(dry).max(now));
        }
        let mut begun = Vec::with_capacity(numbers.len());
        for mut number in numbers {
            if self.hand.contains_key(&number.id) {
                continue; // asked twice: the first counts
            }
            number.state = NumberState::Calling;
            number.attempts = number.attempts.saturating_add(1);
            (number.call, number.place) = (None, None);
            self.hand.insert(number.id, (number.clone(), Stage::Asked));
            begun.push(number);
        }
        begun
    }

    /// A number that was being called when the switch stopped.
    pub fn restore(&mut self, number: CampaignNumber) {
        let stage = match (number.call, &number.place) {
            (_, Some(place)) => Stage::Placed(Waiting::new(place.clone())),
            (Some(call), None) => Stage::Called(call, false),
            (None, None) => Stage::Asked,
        };
        self.hand.insert(number.id, (number, stage));
    }

    /// The numbers of which it is not known whether the switch was asked.
    pub fn asked(&self) -> Vec<CampaignNumber> {
        let asked = self.hand.values().filter(|(_, stage)| *stage == Stage::Asked);
        asked.map(|(number, _)| number.clone()).collect()
    }

    /// The calls of numbers in hand, by which no agent is sought first.
    pub fn calls(&self) -> Vec<(u64, CallId)> {
        let call = |(id, (_, stage)): (&u64, &(CampaignNumber, Stage))| match stage {
            Stage::Called(call, _) => Some((*id, *call)),
            _ => None,
        };
        self.hand.iter().filter_map(call).collect()
    }

    /// The entries of numbers in hand, each with whether an agent is being rung for it.
    pub fn places(&self) -> Vec<(u64, CallbackId, bool)> {
        let place = |(id, (_, stage)): (&u64, &(CampaignNumber, Stage))| match stage {
            Stage::Placed(waiting) => Some((*id, waiting.place.clone(), waiting.served)),
            _ => None,
        };
        self.hand.iter().filter_map(place).collect()
    }

    /// It is being called. Gives what is to be written.
    pub fn called(&mut self, id: u64, call: CallId) -> Option<CampaignNumber> {
        let (number, stage) = self.hand.get_mut(&id)?;
        *stage = Stage::Called(call, false);
        number.call = Some(call);
        Some(number.clone())
    }

    /// It waits for an agent. Gives what is to be written.
    pub fn placed(&mut self, id: u64, place: CallbackId) -> Option<CampaignNumber> {
        let (number, stage) = self.hand.get_mut(&id)?;
        *stage = Stage::Placed(Waiting::new(place.clone()));
        number.place = Some(place);
        Some(number.clone())
    }

    /// The number that a call calls.
    pub fn by_call(&self, call: CallId) -> Option<u64> {
        self.hand.iter().find(|(_, (number, _))| number.call == Some(call)).map(|(id, _)| *id)
    }

    /// The number that waits by an entry.
    pub fn by_place(&self, place: &CallbackId) -> Option<u64> {
        self.places().into_iter().find(|(_, of, _)| of == place).map(|(id, ..)| id)
    }

    /// The last call of a number in hand.
    pub fn call_of(&self, id: u64) -> Option<CallId> {
        self.hand.get(&id)?.0.call
    }

    /// What a program says of a number in hand goes with it.
    pub fn said(&mut self, id: u64, said: BusinessResult) {
        if let Some((number, _)) = self.hand.get_mut(&id) {
            number.business = Some(said);
        }
    }

    /// Somebody has answered, or waits in the queue: it is counted there from now on.
    pub fn served(&mut self, id: u64) {
        if let Some((_, Stage::Called(_, served))) = self.hand.get_mut(&id) {
            *served = true;
        }
    }

    /// An agent is being rung for it, by a call. Gives what is to be written.
    pub fn rung(&mut self, id: u64, call: CallId) -> Option<CampaignNumber> {
        let (number, Stage::Placed(waiting)) = self.hand.get_mut(&id)? else { return None };
        (waiting.served, waiting.last) = (true, None);
        number.call = Some(call);
        Some(number.clone())
    }

    /// The agent has not answered: another one is sought.
    pub fn waits_again(&mut self, id: u64) {
        if let Some((_, Stage::Placed(waiting))) = self.hand.get_mut(&id) {
            waiting.served = false;
        }
    }

    /// Its call is over. Gives what is to be written.
    pub fn ended(&mut self, id: u64, cdr: &Cdr, now: Wall) -> Option<CampaignNumber> {
        let outcome = outcome_of(&self.campaign.spec, cdr);
        let recording = cdr.recordings.first().copied();
        let result = NumberResult { outcome, call: Some(cdr.call), at: cdr.started, recording };
        if let (_, Stage::Placed(waiting)) = self.hand.get_mut(&id)?
            && !waiting.over
        {
            // whether that was all, the entry says
            waiting.last = Some(result);
            return None;
        }
        self.settled(id, result, now)
    }

    /// The entry by which an agent was sought is done with, and so is it as soon as its call is. Gives what is to be written.
    pub fn place_over(&mut self, id: u64, now: Wall) -> Option<CampaignNumber> {
        let (number, Stage::Placed(waiting)) = self.hand.get_mut(&id)? else { return None };
        match (waiting.last.take(), number.call) {
            (Some(result), _) => self.settled(id, result, now),
            (None, Some(_)) => {
                waiting.over = true;
                None
            }
            (None, None) => self.failed(id, Outcome::NoAgent, now),
        }
    }

    /// It could not be called, or what became of it is not known. Gives what is to be written.
    pub fn failed(&mut self, id: u64, outcome: Outcome, now: Wall) -> Option<CampaignNumber> {
        if matches!(outcome, Outcome::NoLine | Outcome::Failed) {
            self.not_before = Wall(now.0.saturating_add(FAULT_MS));
        }
        let call = self.hand.get(&id).and_then(|(number, _)| number.call);
        self.settled(id, NumberResult { outcome, call, at: now, recording: None }, now)
    }

    /// It is not called after all and its turn comes again: the try does not count. Gives what is to be written.
    pub fn given_back(&mut self, id: u64, due: Wall) -> Option<CampaignNumber> {
        let (mut number, _) = self.hand.remove(&id)?;
        number.attempts = number.attempts.saturating_sub(1);
        (number.state, number.due) = (NumberState::Pending, due);
        (number.call, number.place) = (None, None);
        Some(number)
    }

    fn settled(&mut self, id: u64, result: NumberResult, now: Wall) -> Option<CampaignNumber> {
        let (mut number, _) = self.hand.remove(&id)?;
        let spec = &self.campaign.spec;
        (number.call, number.place) = (None, None);
        let again = Wall(now.0.saturating_add(i64::from(spec.every_s).saturating_mul(1_000)));
        let over = self.campaign.state(now) == CampaignState::Over || again >= spec.ends;
        if !is_final(result.outcome) && number.attempts < spec.attempts && !over {
            (number.state, number.due) = (NumberState::Pending, again);
            self.not_before = self.not_before.min(again);
            return Some(number);
        }
        number.state = NumberState::Done;
        number.result = Some(result);
        number.owed = spec.url.as_ref().map(|_| now);
        Some(number)
    }
}

/// When a result that was not taken is posted again: at once, then after ten minutes, twice in all behind the first.
/// None: it is given up.
pub fn posted_again(posts: u32, now: Wall) -> Option<Wall> {
    match posts {
        0 | 1 => Some(now),
        2 => Some(Wall(now.0.saturating_add(600_000))),
        _ => None,
    }
}
