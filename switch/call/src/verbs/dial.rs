//! Dial: devices ring for as long as the flow says. The flow ends when one has the call, or waits for the end of the talk.

use crate::call::{Call, Doing};
use crate::connect::Connect;
use crate::desk::Desk;
use crate::flow::{DialRule, StepKind};
use crate::fork::{Branch, Fork};
use crate::input::Ticket;
use crate::leg::Heard;
use cordboard_model::cause::Cause;
use cordboard_model::dial::{DIAL_WAYS_MAX, Dial, DialWay};
use cordboard_model::id::{AgentId, LegId};
use cordboard_model::leg::PartyId;
use cordboard_model::media::Repeat;
use cordboard_model::time::Duration;
use cordboard_model::verb::VerbAnswer;

impl Call {
    pub(super) fn verb_dial(&mut self, desk: &mut Desk, ticket: Ticket, dial: Dial) {
        let Dial { mut ways, whisper, accept, music, talk_ms, go_on, more } = dial;
        let talk = talk_ms.map(|ms| Duration::from_millis(ms.into()));
        self.begin_step(ticket, StepKind::Dial(DialRule { talk, go_on, more }));
        let goes_on = matches!(self.caller.playing, Some((_, Heard::Music)));
        if !music.is_empty() && !goes_on {
            self.open_ear(desk);
            self.play(desk, self.caller.id, Heard::Music, music, Repeat::Forever);
        }
        ways.truncate(DIAL_WAYS_MAX);
        let plain = ways.len() == 1 && whisper.is_empty() && accept.is_none();
        let rung: Vec<_> = ways.into_iter().filter_map(|way| self.ring_way(desk, way)).collect();
        match rung.into_iter() {
            // his early media is heard, and where his phone sends the call it goes
            mut one if plain && one.len() == 1 => {
                if let Some((leg, agent)) = one.next() {
                    self.doing = Doing::Connect(Connect { leg, agent, heard_early: false });
                }
            }
            several if several.len() > 0 => {
                let ways = several.map(|(leg, agent)| Branch { leg, agent, answered: false }).collect();
                self.doing = Doing::Fork(Fork { ways, whisper, accept, gathers: false });
            }
            // Flows and queues are not rung; a flow cannot ask for it.
            _ => self.finish_step(desk, VerbAnswer::Failed(Cause::NotFound)),
        }
    }

    /// Rings one, for as long as the flow says.
    pub(super) fn ring_way(&mut self, desk: &mut Desk, way: DialWay) -> Option<(LegId, Option<AgentId>)> {
        let ring = way.timeout_ms.map_or(desk.limits.ring, |ms| Duration::from_millis(ms.into()));
        let own = &self.caller.party;
        let from = match (way.number, way.name) {
            (None, None) => own.clone(),
            (number, name) => PartyId {
                user: number.unwrap_or_else(|| own.user.clone()),
                display: name.unwrap_or_default(),
            },
        };
        self.ring_device_for(desk, way.to, from, ring)
    }
}
