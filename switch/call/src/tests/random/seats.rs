//! Orders in an agent's name, sensible or not, and calls that the switch begins.

use super::super::rig::{TENANT, agent, queue, user};
use super::{CallBook, World};
use crate::{CallInput, FirstParty, Origin};
use cordboard_model::desk::{Goal, SeatOrder, TransferWay};
use cordboard_model::id::{CallId, LegId};
use cordboard_model::leg::{LegEvent, PartyId};
use cordboard_model::media::MediaEvent;
use cordboard_model::verb::Destination;
use std::collections::BTreeMap;

impl World {
    fn goal(&mut self) -> Goal {
        match self.dice.roll(4) {
            0 => Goal::Number("9".into()),
            1 => Goal::Place(Destination::Queue(queue("sales"))),
            2 => Goal::Place(Destination::User(user("u"))),
            _ => Goal::Place(Destination::Agent(agent("9"))),
        }
    }

    /// A call whose caller is rung first.
    pub(super) fn originate(&mut self) {
        let (call, leg) = (self.engine.new_call(TENANT), self.engine.new_leg(TENANT));
        // his leg lives from the moment he is called
        let book = CallBook { legs: [leg].into(), ..CallBook::default() };
        self.calls.insert(call, book);
        self.whose.insert(leg, call);
        let (to, now) = (self.goal(), self.now);
        let first = match self.dice.roll(3) {
            0 => FirstParty::Agent(agent("8"), user("8")),
            1 => FirstParty::User(user("8")),
            _ => FirstParty::Number("8".into(), self.dice.one_in(2).then(|| user("8"))),
        };
        self.engine.originate(
            Origin {
                call,
                leg,
                first,
                caller: PartyId::new("8"),
                shown: PartyId::new("b"),
                to,
                data: BTreeMap::new(),
                rings: [None, None],
                recall: None,
            },
            now,
        );
    }

    /// One who talks consults a queue, which may have somebody for him.
    pub(super) fn consults(&mut self, call: CallId) {
        self.drain();
        let legs = self.calls.get(&call).map(|book| book.legs.clone()).unwrap_or_default();
        let order = SeatOrder::Consult(Goal::Place(Destination::Queue(queue("q"))));
        let now = self.now;
        if !legs.into_iter().any(|leg| self.engine.seat_order(call, leg, order.clone(), now).is_ok()) {
            return;
        }
        self.drain();
        for _ in 0..self.dice.roll(3) {
            self.offer(call);
            self.drain();
        }
        let newest = self.calls.get(&call).and_then(|book| book.legs.last().copied());
        if let Some(newest) = newest.filter(|_| self.dice.one_in(2)) {
            let opened = core::mem::take(&mut self.owed);
            for input in opened {
                match input {
                    CallInput::Media(MediaEvent::Opened { leg, .. }) if leg == newest => self.tell(input),
                    other => self.owed.push(other),
                }
            }
            self.tell(CallInput::Leg(newest, LegEvent::Answered));
        }
    }

    /// Something is ordered in the name of who is at the end of a leg. What is refused has changed nothing, so the call is
    /// as it was seen before.
    pub(super) fn at_a_seat(&mut self, call: CallId, leg: LegId) {
        let other = self.some_leg(call).unwrap_or(leg);
        let goal = self.goal();
        let way = if self.dice.one_in(2) { TransferWay::Blind } else { TransferWay::AfterSuccess };
        let order = match self.dice.roll(12) {
            0 => SeatOrder::Release,
            1 => SeatOrder::Hold(true),
            2 => SeatOrder::Hold(false),
            3 => SeatOrder::Mute(self.dice.one_in(2)),
            4 => SeatOrder::Consult(goal),
            5 => return self.consults(call),
            6 => SeatOrder::Complete,
            7 => SeatOrder::Cancel,
            8 => SeatOrder::Merge,
            9 | 10 => SeatOrder::Transfer(goal, way),
            _ if self.dice.one_in(2) => SeatOrder::Add(goal),
            _ => SeatOrder::Remove(other),
        };
        self.drain();
        let before = self.engine.view(call);
        let now = self.now;
        if self.engine.seat_order(call, leg, order, now).is_err() {
            assert_eq!(self.engine.view(call), before, "a refused order has changed something");
        }
    }
}
