//! Commands.

use cordboard_model::cause::Cause;
use cordboard_model::id::UserId;

use super::context::TimerKey;
use super::{Dest, Directory, Flow, SessionId, SipCommand, SipEngine, SipEvent};
use crate::dialog::Dialog;
use crate::registrar::Binding;
use crate::session::request::answer;
use crate::session::{Call, Session, Target, bye};

impl SipEngine {
    pub(super) fn command(&mut self, command: SipCommand) {
        match command {
            SipCommand::Invite { session, target, from, to, host, local, told } => {
                if let Dest::Uri { flow, .. } = &target {
                    self.guard.know(flow.remote, self.base.cx.now);
                }
                let account = match &target {
                    Dest::Aor(user) => Some(user.clone()),
                    Dest::Uri { .. } => None,
                };
                let call = Call { targets: self.targets(target), from, to, host, local, told: *told };
                self.invite(session, call, account);
            }
            SipCommand::Ring { session } => {
                self.with_session(session, |session, base| session.ring(base));
            }
            SipCommand::EarlyMedia { session, local } => {
                self.with_session(session, |session, base| session.early_media(base, local));
            }
            SipCommand::Answer { session, local } => {
                self.with_session(session, |session, base| session.answer(base, local));
            }
            SipCommand::HangUp { session, cause, text } => self.with_session(session, |session, base| {
                session.hang_up(base, cause, text.as_deref());
            }),
            SipCommand::Hold { session, on } => {
                self.with_session(session, |session, base| session.hold(base, on));
            }
            SipCommand::Talk { session } => {
                self.with_session(session, |session, base| session.tell_to_answer(base));
            }
            SipCommand::Digit { session, digit, length_ms } => {
                self.with_session(session, |session, base| session.send_digit(base, digit, length_ms));
            }
            SipCommand::ReferResult { session, ticket, status } => {
                self.with_session(session, |session, base| session.refer_result(base, ticket, status));
            }
            SipCommand::Request(request) => {
                self.guard.know(request.flow.remote, self.base.cx.now);
                let base = &mut self.base;
                self.client.ask(&mut base.cx, &mut base.tx, *request);
            }
            SipCommand::Dialog { user, dialog, over } => {
                let base = &mut self.base;
                self.subscriptions.set_dialog(&mut base.cx, &mut base.tx, user, dialog, over);
            }
            SipCommand::Messages { user, waiting } => {
                let base = &mut self.base;
                self.subscriptions.set_messages(&mut base.cx, &mut base.tx, user, waiting);
            }
            SipCommand::AnswerBye { session } => self.answer_bye(session),
            SipCommand::ByeFromRecord(record) => {
                if let Some(mut dialog) = Dialog::of_record(&record, &self.base.cx.config) {
                    let reason = "Q.850;cause=41;text=\"lost_by_restart\"";
                    bye(&mut self.base, &mut dialog, reason);
                }
            }
            SipCommand::Configure(directory) => self.configure(*directory),
            SipCommand::Secret { user, secret } => self.base.cx.directory.set_secret(&user, secret),
            SipCommand::RestoreContact(record) => {
                if let Ok(flow) = Flow::parse(&record.flow, self.base.cx.config.local) {
                    self.guard.know(flow.remote, self.base.cx.now);
                }
                self.registrar.restore(&mut self.base.cx, &record);
            }
            SipCommand::SetClock(clock) => self.base.cx.config.clock = clock,
            SipCommand::Drain => self.draining = true,
            SipCommand::Shutdown => self.shut_down(),
        }
    }

    /// The 200 to a BYE that was kept waiting.
    pub(super) fn answer_bye(&mut self, session: SessionId) {
        self.base.cx.deadlines.clear(&TimerKey::Bye(session));
        if let Some(tx) = self.base.byes.remove(&session) {
            answer(&mut self.base, tx, 200);
        }
    }

    fn configure(&mut self, directory: Directory) {
        self.registrar.keep_known(&mut self.base.cx, &directory);
        let base = &mut self.base;
        self.subscriptions.keep_known(&mut base.cx, &mut base.tx, &directory);
        self.guard.configure(directory.guard());
        self.base.cx.directory = directory;
    }

    pub(super) fn targets(&self, target: Dest) -> Vec<Target> {
        match target {
            Dest::Aor(user) => {
                let target = |binding: &Binding, spare: Vec<Target>| Target {
                    uri: binding.request_uri(),
                    flow: binding.flow,
                    routes: binding.path.clone(),
                    credentials: None,
                    spare,
                };
                let device = |flows: Vec<&Binding>| {
                    let (first, rest) = flows.split_first()?;
                    let spare = rest.iter().map(|flow| target(flow, Vec::new())).collect();
                    Some(target(first, spare))
                };
                self.registrar.devices(&user).into_iter().filter_map(device).collect()
            }
            Dest::Uri { uri, flow, routes, credentials } => {
                vec![Target { uri, flow, routes, credentials, spare: Vec::new() }]
            }
        }
    }

    fn invite(&mut self, id: SessionId, call: Call, account: Option<UserId>) {
        if self.sessions.contains_key(&id) {
            return;
        }
        let full = self.sessions.len() >= self.base.cx.config.sessions_max
            || self.base.tx.len() >= self.base.cx.config.transactions_max;
        if full || self.stopping {
            let cause = if full { Cause::Congestion } else { Cause::Shutdown };
            return self.base.cx.event(SipEvent::Ended {
                session: id,
                cause,
                by_peer: false,
                sip_status: None,
            });
        }
        let mut session = Session::call(&mut self.base, id, call);
        session.is_of(account);
        self.keep(id, session);
    }

    fn shut_down(&mut self) {
        self.stopping = true;
        let ids: Vec<SessionId> = self.sessions.keys().copied().collect();
        for id in ids {
            self.with_session(id, |session, base| {
                session.hang_up(base, Cause::Shutdown, None);
            });
        }
    }
}
