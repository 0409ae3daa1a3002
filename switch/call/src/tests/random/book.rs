//! What the world remembers of what the engine asked of it.

use super::*;

impl World {
    pub(super) fn book(&mut self, output: CallOutput) {
        self.book_act(&output);
        match output {
            CallOutput::Leg(leg, command) => self.book_leg(leg, &command),
            CallOutput::Dial { call, leg, .. } => {
                assert!(self.ports.contains(&leg), "dialled without a port");
                let book = self.calls.get_mut(&call).unwrap();
                book.living.insert(leg);
                assert_eq!(book.closings, 0, "dialled after the record");
            }
            CallOutput::Media(command) => self.book_media(command),
            CallOutput::Route { call, .. } => {
                let to = self.destination();
                self.owe(CallInput::Routed { call, to, reasons: Vec::new() });
            }
            CallOutput::Flow(output) => self.book_flow(output),
            CallOutput::Queue(output) => self.book_queue(output),
            CallOutput::Event(_, EventKind::Alarm { code, .. }) => {
                self.seen.forced += u64::from(code == "call_teardown");
            }
            CallOutput::Event(_, EventKind::LegHeld { held: true, .. }) => self.seen.held += 1,
            CallOutput::Event(_, EventKind::CallTransfer { transfer, .. }) => match transfer.outcome {
                TransferOutcome::Done if transfer.kind == TransferKind::Taken => self.seen.taken += 1,
                TransferOutcome::Done => self.seen.transferred += 1,
                TransferOutcome::Failed | TransferOutcome::Cancelled => self.seen.brought_back += 1,
                TransferOutcome::Conference => self.seen.conferred += 1,
                TransferOutcome::Open => {}
            },
            CallOutput::Event(_, EventKind::CallSupervised { call, supervision }) => {
                self.book_supervision(call, &supervision);
            }
            CallOutput::Event(_, EventKind::CallConference { change, .. }) => self.book_conference(change),
            CallOutput::Moved { leg, from, to } => {
                self.seen.moved += 1;
                assert_eq!(self.whose.insert(leg, to), Some(from), "moved from where it was not");
                let book = self.calls.get_mut(&from).unwrap();
                book.legs.remove(&leg);
                let living = book.living.remove(&leg);
                assert_eq!(book.closings, 0, "moved after the record");
                let book = self.calls.get_mut(&to).unwrap();
                assert_eq!(book.closings, 0, "moved to a call that has its record");
                book.legs.insert(leg);
                if living {
                    book.living.insert(leg);
                }
            }
            CallOutput::Event(..)
            | CallOutput::Journal(_)
            | CallOutput::Stream(_)
            | CallOutput::Speak { .. } => {}
            CallOutput::Closing { call, cdr } => {
                assert_eq!(cdr.call, call);
                let book = self.calls.get_mut(&call).unwrap();
                book.closings += 1;
                assert_eq!(book.forgotten, 0);
            }
            CallOutput::Forgotten { call } => {
                let book = self.calls.get_mut(&call).unwrap();
                book.forgotten += 1;
                assert_eq!(book.closings, 1, "forgotten without a record");
                let legs = book.legs.clone();
                let ours = |input: &CallInput| matches!(input, CallInput::Leg(leg, _) if legs.contains(leg));
                self.owed.retain(|input| !ours(input));
            }
        }
    }

    fn book_leg(&mut self, leg: LegId, command: &LegCommand) {
        let call = self.whose[&leg];
        let book = self.calls.get_mut(&call).unwrap();
        assert_eq!(book.forgotten, 0, "{leg}: {command:?} after the end");
        match command {
            LegCommand::HangUp { cause } => {
                self.refers.retain(|(of, _)| *of != leg);
                let last = book.living.remove(&leg) && book.living.is_empty();
                assert!(!last || book.closings == 1, "{call}: the last leg went before the record");
                let (cause, by_peer, sip_status) = (*cause, false, None);
                self.owe(CallInput::Leg(leg, LegEvent::Ended { cause, by_peer, sip_status }));
            }
            LegCommand::Answer => {
                self.owe(CallInput::Leg(leg, LegEvent::Answered));
                self.owe(CallInput::Leg(leg, LegEvent::Confirmed));
            }
            LegCommand::Hold { on } => {
                let ok = !self.dice.one_in(3);
                self.owe(CallInput::Leg(leg, LegEvent::HoldDone { on: *on, ok }));
            }
            LegCommand::Dial { .. } => panic!("dialled without its call"),
            LegCommand::TransferResult { ticket, status } => {
                let asked = self.refers.contains(&(leg, *ticket));
                assert!(asked, "{leg}: {status} for a transfer that has its last word, or was not asked for");
                if *status >= 200 {
                    self.refers.remove(&(leg, *ticket));
                }
            }
            LegCommand::Ring | LegCommand::EarlyMedia => {}
        }
    }

    fn book_media(&mut self, command: MediaCommand) {
        match command {
            MediaCommand::Open { leg, near } => {
                let call = near.map_or_else(|| self.whose[&leg], |near| self.whose[&near]);
                self.whose.insert(leg, call);
                self.calls.get_mut(&call).unwrap().legs.insert(leg);
                assert!(self.ports.insert(leg), "opened twice");
                let local = SocketAddr::from(([127, 0, 0, 1], 4_000));
                let event = match self.dice.one_in(10) {
                    true => MediaEvent::OpenFailed { leg, why: OpenError::BindFailed },
                    false => MediaEvent::Opened { leg, local },
                };
                self.owe(CallInput::Media(event));
            }
            MediaCommand::Close { leg } if self.refused.remove(&leg) => {}
            MediaCommand::Close { leg } => {
                assert!(self.ports.remove(&leg), "{leg} was closed without being open");
                self.part(leg);
                let recorded = self.recordings.values().any(|legs| legs.contains(&leg));
                assert!(!recorded, "{leg} was closed while it is recorded");
                let stats = LegStats::default();
                self.owe(CallInput::Media(MediaEvent::Closed { leg, stats }));
            }
            MediaCommand::Play { leg, playback, items, .. } => {
                self.seen.opened += u64::from(items == [asset("number")]);
                assert!(self.ports.contains(&leg), "played to a closed leg");
                let finished = !self.dice.one_in(5);
                self.owe(CallInput::Media(MediaEvent::PlayDone { leg, playback, finished }));
            }
            MediaCommand::Bridge { a, b } => {
                assert!(self.ports.contains(&a) && self.ports.contains(&b), "bridged a closed leg");
                for (leg, other) in [(a, b), (b, a)] {
                    self.leave_mix(leg);
                    let before = self.bridges.insert(leg, other);
                    assert!(before.is_none(), "{leg} was bridged to {before:?} already");
                }
            }
            MediaCommand::Unbridge { leg } => self.part(leg),
            MediaCommand::Mix { mix, members, .. } => self.book_mix(mix, &members),
            MediaCommand::Record { recording, left, right } => {
                self.recordings.insert(recording, [left, right.unwrap_or(left)]);
                self.seen.recorded += 1;
            }
            MediaCommand::StopRecord { recording } => {
                assert!(self.recordings.remove(&recording).is_some(), "stopped twice");
                let (length_ms, dropped_ms) = (1, 0);
                let event = MediaEvent::RecordingClosed { recording, length_ms, dropped_ms };
                self.owe(CallInput::Media(event));
            }
            _ => {}
        }
    }

    pub(super) fn part(&mut self, leg: LegId) {
        self.leave_mix(leg);
        if let Some(other) = self.bridges.remove(&leg) {
            self.bridges.remove(&other);
        }
    }

    fn book_flow(&mut self, output: FlowOutput) {
        if let FlowOutput::Start { flow: begun, .. } = &output {
            self.seen.aside += u64::from(*begun == flow("v"));
            self.seen.surveyed += u64::from(*begun == flow("s"));
        }
        match output {
            FlowOutput::Start { call, above: true, .. } => {
                self.seen.above += 1;
                let book = self.calls.get_mut(&call).unwrap();
                assert!(book.flow, "above nothing");
                assert_eq!(core::mem::replace(&mut book.above, Above::Runs), Above::None, "two above");
            }
            FlowOutput::Back { call } => {
                let book = self.calls.get_mut(&call).unwrap();
                assert_ne!(core::mem::take(&mut book.above), Above::None, "back from nowhere");
            }
            FlowOutput::Start { call, .. } => {
                let book = self.calls.get_mut(&call).unwrap();
                assert!(!core::mem::replace(&mut book.flow, true), "two flows at a time");
            }
            FlowOutput::Stop { call, .. } => {
                let book = self.calls.get_mut(&call).unwrap();
                book.above = Above::None;
                assert!(core::mem::take(&mut book.flow), "stopped what does not run");
            }
            FlowOutput::Answer { call, ticket, .. } => {
                assert!(self.asked.remove(&(call, ticket)), "answered twice or unasked");
            }
        }
    }

    fn book_queue(&mut self, output: QueueOutput) {
        match output {
            QueueOutput::Enter { call, by, .. } => {
                self.seen.asked += u64::from(by.is_some());
                let book = self.calls.get_mut(&call).unwrap();
                book.asks = by.is_some();
                assert!(!core::mem::replace(&mut book.waits, true), "waits twice");
            }
            QueueOutput::Abandoned { call } => {
                let book = self.calls.get_mut(&call).unwrap();
                assert!(core::mem::take(&mut book.waits), "abandoned what does not wait");
                assert!(book.offered.is_empty(), "abandoned before the offers failed");
            }
            QueueOutput::OfferRinging { call, agent } => {
                assert!(self.calls[&call].offered.contains(&agent));
            }
            QueueOutput::OfferAnswered { call, agent } => {
                let book = self.calls.get_mut(&call).unwrap();
                assert!(book.offered.remove(&agent), "answered twice");
                let others = book.offered.clone();
                self.seen.given += u64::from(core::mem::take(&mut book.asks));
                assert!(book.talking.insert(agent));
                book.waits = false;
                self.seen.settled += 1;
                self.seen.served += 1;
                self.seen.others += u64::try_from(others.len()).unwrap();
                // sooner or later: they may answer, fail or be lost first
                for agent in others {
                    self.owe(CallInput::OfferWithdrawn { call, agent, elsewhere: true });
                }
            }
            QueueOutput::OfferFailed { call, agent, .. } => {
                let book = self.calls.get_mut(&call).unwrap();
                assert!(book.offered.remove(&agent), "failed twice");
                self.seen.settled += 1;
            }
            QueueOutput::AgentReleased { call, agent } => {
                let book = self.calls.get_mut(&call).unwrap();
                assert!(book.talking.remove(&agent), "released twice");
            }
        }
    }
}
