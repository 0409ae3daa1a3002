//! Runs the machines: events in, actions out, timers kept.

use super::layer::{Machine, Transactions, Tx, Upcall, What};
use super::{Action, Timer, TxId, client_invite, client_other, server_invite, server_other};
use crate::engine::Flow;
use crate::engine::context::{Context, PRODUCT};
use crate::wire::{HeaderName, Message, Method};

impl Transactions {
    /// A timer of a transaction fired.
    pub(crate) fn on_timer(&mut self, cx: &mut Context, id: TxId, timer: Timer) -> Option<Upcall> {
        let tx = self.table.get_mut(&id)?;
        tx.running &= !timer.bit();
        match (tx.machine, timer) {
            (Machine::ClientInvite(_), timer) => {
                let event = match timer {
                    Timer::A => client_invite::Event::TimerA,
                    Timer::B => client_invite::Event::TimerB,
                    Timer::D => client_invite::Event::TimerD,
                    Timer::M => client_invite::Event::TimerM,
                    Timer::CancelOver => client_invite::Event::CancelOver,
                    _ => return None,
                };
                self.client_invite(cx, id, event, None)
            }
            (Machine::ClientOther(_), timer) => {
                let event = match timer {
                    Timer::E => client_other::Event::TimerE,
                    Timer::F => client_other::Event::TimerF,
                    Timer::K => client_other::Event::TimerK,
                    _ => return None,
                };
                self.client_other(cx, id, event, None)
            }
            (Machine::ServerInvite(_), timer) => {
                let event = match timer {
                    Timer::G => server_invite::Event::TimerG,
                    Timer::H => server_invite::Event::TimerH,
                    Timer::I => server_invite::Event::TimerI,
                    Timer::L => server_invite::Event::TimerL,
                    _ => return None,
                };
                self.server_invite(cx, id, event, None)
            }
            (Machine::ServerOther(_), Timer::J) => self.server_other(cx, id, server_other::Event::TimerJ),
            (Machine::ServerOther(_), _) => None,
        }
    }

    /// The transport cannot reach this peer: every transaction with it is told.
    pub(crate) fn on_unreachable(&mut self, cx: &mut Context, flow: Flow) -> Vec<Upcall> {
        let is_it = |tx: &Tx| tx.flow.transport == flow.transport && tx.flow.remote == flow.remote;
        let with_it = self.table.iter().filter(|(_, tx)| is_it(tx));
        let ids: Vec<(TxId, Machine)> = with_it.map(|(id, tx)| (*id, tx.machine)).collect();
        let mut upcalls = Vec::new();
        for (id, machine) in ids {
            if self.goes_home(cx, id) {
                continue;
            }
            upcalls.extend(match machine {
                Machine::ClientInvite(_) => {
                    self.client_invite(cx, id, client_invite::Event::TransportError, None)
                }
                Machine::ClientOther(_) => {
                    self.client_other(cx, id, client_other::Event::TransportError, None)
                }
                Machine::ServerInvite(_) => {
                    self.server_invite(cx, id, server_invite::Event::TransportError, None)
                }
                Machine::ServerOther(_) => self.server_other(cx, id, server_other::Event::TransportError),
            });
        }
        upcalls
    }

    pub(super) fn client_invite(
        &mut self,
        cx: &mut Context,
        id: TxId,
        event: client_invite::Event,
        message: Option<Message>,
    ) -> Option<Upcall> {
        let tx = self.table.get_mut(&id)?;
        let Machine::ClientInvite(state) = tx.machine else {
            return None;
        };
        let (next, actions) = client_invite::on(state, event)?;
        tx.machine = Machine::ClientInvite(next);
        let upcall = self.act(cx, id, actions, message);
        if next == client_invite::State::Terminated {
            self.remove(cx, id);
        }
        upcall
    }

    pub(super) fn client_other(
        &mut self,
        cx: &mut Context,
        id: TxId,
        event: client_other::Event,
        message: Option<Message>,
    ) -> Option<Upcall> {
        let tx = self.table.get_mut(&id)?;
        let Machine::ClientOther(state) = tx.machine else {
            return None;
        };
        let (next, actions) = client_other::on(state, event)?;
        tx.machine = Machine::ClientOther(next);
        let upcall = self.act(cx, id, actions, message);
        if next == client_other::State::Terminated {
            self.remove(cx, id);
        }
        upcall
    }

    pub(super) fn server_invite(
        &mut self,
        cx: &mut Context,
        id: TxId,
        event: server_invite::Event,
        message: Option<Message>,
    ) -> Option<Upcall> {
        let tx = self.table.get_mut(&id)?;
        let Machine::ServerInvite(state) = tx.machine else {
            return None;
        };
        let (next, actions) = server_invite::on(state, event)?;
        tx.machine = Machine::ServerInvite(next);
        let upcall = self.act(cx, id, actions, message);
        if next == server_invite::State::Terminated {
            self.remove(cx, id);
        }
        upcall
    }

    pub(super) fn server_other(
        &mut self,
        cx: &mut Context,
        id: TxId,
        event: server_other::Event,
    ) -> Option<Upcall> {
        let tx = self.table.get_mut(&id)?;
        let Machine::ServerOther(state) = tx.machine else {
            return None;
        };
        let (next, actions) = server_other::on(state, event)?;
        tx.machine = Machine::ServerOther(next);
        let upcall = self.act(cx, id, actions, None);
        if next == server_other::State::Terminated {
            self.remove(cx, id);
        }
        upcall
    }

    pub(super) fn act(
        &mut self,
        cx: &mut Context,
        id: TxId,
        actions: &[Action],
        mut message: Option<Message>,
    ) -> Option<Upcall> {
        let mut told = None;
        for action in actions {
            match action {
                Action::Send => self.transmit(cx, id),
                Action::Ack => self.ack_refusal(cx, id, message.as_ref()),
                Action::PassUp => {
                    told = message.take().map(|message| match message.is_request() {
                        true => What::Ack(message),
                        false => What::Response(message),
                    });
                }
                Action::TellTimeout => told = Some(What::Timeout),
                Action::TellUnreachable => told = Some(What::Unreachable),
                Action::Start(timer) => self.start(cx, id, *timer, false),
                Action::StartAtT2(timer) => self.start(cx, id, *timer, true),
                Action::Stop(timer) => self.stop(cx, id, *timer),
            }
        }
        let user = self.table.get(&id)?.user;
        told.map(|what| Upcall { tx: id, user, what })
    }

    fn transmit(&self, cx: &mut Context, id: TxId) {
        if let Some(tx) = self.table.get(&id)
            && !tx.bytes.is_empty()
        {
            cx.transmit(tx.flow, tx.bytes.clone());
        }
    }

    pub(super) fn start(&mut self, cx: &mut Context, id: TxId, timer: Timer, at_t2: bool) {
        let Some(tx) = self.table.get_mut(&id) else {
            return;
        };
        let base = cx.directory.timers();
        let reliable = tx.flow.transport.is_reliable();
        let after = if timer.repeats() {
            if reliable {
                return;
            }
            let after = match tx.interval {
                _ if at_t2 => base.t2,
                Some(last) => timer.next_interval(last, base),
                None => timer.length(base, reliable),
            };
            tx.interval = Some(after);
            after
        } else {
            timer.length(base, reliable)
        };
        tx.running |= timer.bit();
        cx.start_tx(id, timer, after);
    }

    fn stop(&mut self, cx: &mut Context, id: TxId, timer: Timer) {
        if let Some(tx) = self.table.get_mut(&id)
            && tx.running & timer.bit() != 0
        {
            tx.running &= !timer.bit();
            cx.stop_tx(id, timer);
        }
    }

    /// The ACK of a refusal (17.1.1.3): "MUST contain values for the Call-ID, From, and
    /// Request-URI that are equal to the values of those header fields in the request passed to
    /// the transport by the client transaction ... The To header field in the ACK MUST equal the
    /// To header field in the response being acknowledged ... The ACK MUST contain a single Via
    /// header field, and this MUST be equal to the top Via header field of the original request."
    fn ack_refusal(&mut self, cx: &mut Context, id: TxId, refusal: Option<&Message>) {
        let Some(tx) = self.table.get_mut(&id) else {
            return;
        };
        if tx.ack.is_empty()
            && let (Some(refusal), Some(uri), Ok(cseq)) =
                (refusal, tx.request.request_uri(), tx.request.cseq())
        {
            let mut ack = Message::request(Method::Ack, uri.clone());
            let top = tx.request.header(&HeaderName::Via).unwrap_or_default();
            ack.push(HeaderName::Via, top);
            for name in [HeaderName::From, HeaderName::CallId, HeaderName::Route] {
                ack.headers.copy_from(&tx.request.headers, &name);
            }
            ack.headers.copy_from(&refusal.headers, &HeaderName::To);
            ack.push(HeaderName::CSeq, format!("{} ACK", cseq.seq));
            ack.push(HeaderName::MaxForwards, "70");
            ack.push(HeaderName::UserAgent, PRODUCT);
            tx.ack = ack.to_bytes();
        }
        cx.transmit(tx.flow, tx.ack.clone());
    }
}
