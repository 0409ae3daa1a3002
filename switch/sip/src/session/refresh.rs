//! Session timers (RFC 4028): a session whose far end is gone without a word ends.
//!
//! Invariant: an answered session that has an interval is refreshed by one side; if that is us, at half of it, and if
//! nothing refreshes it, it ends before the interval does. A session that agreed on none has none.

use core::time::Duration;

use cordboard_model::cause::Cause;

use super::{Base, Session, Stage};
use crate::engine::context::{SUPPORTED, SessionTimer};
use crate::sdp::MEDIA_TYPE;
use crate::transaction::{TxId, TxUser, What};
use crate::wire::{HeaderName, Message, Method, Refresher, SessionExpires, delta};

/// "The Min-SE header field ... The minimum value for this header field is 90 seconds" (RFC 4028 5).
pub(crate) const LEAST: u32 = 90;

/// What was agreed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Agreed {
    secs: u32,
    /// Whether the refresh is ours.
    ours: bool,
}

/// The timer of one session.
#[derive(Clone, Debug, Default)]
pub(crate) struct Refresh {
    agreed: Option<Agreed>,
    /// The peer takes UPDATE, so that a refresh needs no offer.
    by_update: bool,
    /// A refresh by UPDATE that is not answered.
    pub(super) tx: Option<TxId>,
    /// The least that a peer asked for, by 422 or Min-SE.
    least: u32,
}

/// What a request of the peer asks of its timer, before it is answered.
pub(crate) enum Wish {
    /// Answer with this header, if any.
    Answer(Option<Agreed>),
    /// 422 with Min-SE.
    TooBrief,
}

fn supports_timer(message: &Message) -> bool {
    message.supported().chain(message.require()).any(|tag| tag.eq_ignore_ascii_case("timer"))
}

fn wanted(message: &Message) -> Option<SessionExpires> {
    message.header(&HeaderName::SessionExpires).and_then(SessionExpires::parse)
}

impl Session {
    /// What an INVITE or UPDATE of the peer asks for. "If an incoming request contains a Supported header field with a
    /// value 'timer' and a Session Expires header field, the UAS MAY reject the INVITE request with a 422 (Session
    /// Interval Too Small) response if the session interval in the Session-Expires header field is smaller than the
    /// minimum interval defined by the UAS' local policy. When sending the 422 response, the UAS MUST include a Min-SE
    /// header field with the value of its minimum interval." (9)
    pub(crate) fn timer_wish(base: &Base, request: &Message) -> Wish {
        let timers = base.cx.directory.timers();
        let own = seconds(timers.session_expires);
        let least = seconds(timers.session_min).max(LEAST);
        let known = supports_timer(request);
        let Some(asked) = wanted(request) else {
            // "If the UAC supports the timer, the UAS may ask for one": we do, and refresh ourselves.
            return Wish::Answer((known && own > 0).then_some(Agreed { secs: own.max(least), ours: true }));
        };
        if asked.secs < least {
            return match known {
                true => Wish::TooBrief,
                // who does not know the timer cannot be asked to raise what a proxy has set
                false => Wish::Answer(Some(Agreed { secs: least, ours: true })),
            };
        }
        let floor = request.header(&HeaderName::MinSe).and_then(delta).unwrap_or(0).max(least);
        let secs = if own > 0 { asked.secs.min(own).max(floor) } else { asked.secs };
        // "If the refresher parameter is not present in the request, the UAS chooses": who supports it and called
        // refreshes, for he is likelier to be the one behind a NAT. Without support it is the UAS (table 2).
        let ours = match (known, asked.refresher) {
            (false, _) | (true, Some(Refresher::Uas)) => true,
            (true, Some(Refresher::Uac) | None) => false,
        };
        Wish::Answer(Some(Agreed { secs, ours }))
    }

    /// Puts the agreement into a 2xx of ours. "If the refresher parameter ... has a value of 'uac', the UAS MUST place a
    /// Require header field into the response with the value 'timer'" (9).
    pub(super) fn tell_timer(&self, agreed: Option<Agreed>, response: &mut Message) {
        let Some(Agreed { secs, ours }) = agreed else {
            return;
        };
        let refresher = Some(if ours { Refresher::Uas } else { Refresher::Uac });
        response.push(HeaderName::SessionExpires, SessionExpires { secs, refresher }.to_string());
        if !ours {
            response.push(HeaderName::Require, "timer");
        }
    }

    /// The timer begins anew, by what was agreed in a request of the peer.
    pub(super) fn refreshed_by_peer(&mut self, base: &mut Base, request: &Message, agreed: Option<Agreed>) {
        self.note_methods(request);
        self.restart_timer(base, agreed);
    }

    /// The timer begins anew, by what a 2xx of the peer says. "If the 2xx response does not contain a Session-Expires
    /// header field, there is no session expiration" (7.2).
    pub(super) fn refreshed_by_us(&mut self, base: &mut Base, response: &Message) {
        self.note_methods(response);
        let agreed = wanted(response).map(|value| Agreed {
            secs: value.secs.max(LEAST),
            ours: value.refresher != Some(Refresher::Uas),
        });
        self.restart_timer(base, agreed);
    }

    fn note_methods(&mut self, message: &Message) {
        if message.headers.contains(&HeaderName::Allow) {
            self.refresh.by_update = message.allow().any(|method| method == Method::Update);
        }
    }

    fn restart_timer(&mut self, base: &mut Base, agreed: Option<Agreed>) {
        self.refresh.agreed = agreed;
        base.cx.stop_session(self.id, SessionTimer::Refresh);
        base.cx.stop_session(self.id, SessionTimer::Lapse);
        let Some(Agreed { secs, ours }) = agreed.filter(|_| !self.over) else {
            return;
        };
        let secs = u64::from(secs);
        if ours {
            // "It is RECOMMENDED that this refresh be sent once half the session interval has elapsed." (10)
            base.cx.start_session(self.id, SessionTimer::Refresh, Duration::from_secs(secs / 2));
        }
        // "if the side not performing refreshes does not receive a session refresh request before the session
        // expiration, it SHOULD send a BYE to terminate the session, slightly before the session expiration. The
        // minimum of 32 seconds and one third of the session interval is RECOMMENDED." (10)
        let early = 32.min(secs / 3);
        base.cx.start_session(self.id, SessionTimer::Lapse, Duration::from_secs(secs - early));
    }

    /// What an INVITE of ours, the first or a later one, or an UPDATE asks for.
    pub(super) fn ask_timer(&self, base: &Base, request: &mut Message) {
        let own = seconds(base.cx.directory.timers().session_expires);
        let agreed = self.refresh.agreed;
        let secs = agreed.map_or(own, |agreed| agreed.secs);
        if secs == 0 {
            return;
        }
        // once agreed, who refreshes stays: "the UAC SHOULD ... keep the same refresher" (7.4)
        let refresher = agreed.map(|agreed| if agreed.ours { Refresher::Uac } else { Refresher::Uas });
        let secs = secs.max(self.refresh.least).max(LEAST);
        request.push(HeaderName::SessionExpires, SessionExpires { secs, refresher }.to_string());
        let least = seconds(base.cx.directory.timers().session_min).max(self.refresh.least);
        if least > LEAST {
            request.push(HeaderName::MinSe, least.to_string());
        }
    }

    /// A 422 to a request of ours: "the UAC MAY retry the request ... It MUST contain a Min-SE header field with the
    /// largest value that it has received" (7.3 and 8.1). False if it asks for nothing more than before.
    pub(super) fn note_too_brief(&mut self, response: &Message) -> bool {
        let asked = response.header(&HeaderName::MinSe).and_then(delta).unwrap_or(0);
        // a peer that wants a day is asked for a day, and no more
        let asked = asked.min(86_400);
        let grows = asked > self.refresh.least.max(LEAST);
        self.refresh.least = self.refresh.least.max(asked);
        grows
    }

    /// Time to refresh.
    pub(super) fn on_refresh_due(&mut self, base: &mut Base) {
        if self.over || self.stage != Stage::Up {
            return;
        }
        if !self.refresh.by_update {
            self.refresh_wanted = true;
            return self.go_on_with_hold(base);
        }
        let Some((mut update, flow)) = self.dialog.as_mut().map(|dialog| dialog.request(Method::Update))
        else {
            return;
        };
        update.push(HeaderName::Supported, SUPPORTED);
        self.ask_timer(base, &mut update);
        let tx = base.tx.send(&mut base.cx, TxUser::Session(self.id), flow, update);
        self.refresh.tx = Some(tx);
    }

    /// What became of a refresh by UPDATE.
    pub(super) fn on_update_result(&mut self, base: &mut Base, what: What) {
        let code = match &what {
            What::Response(response) => response.status().unwrap_or(0),
            What::Timeout => 408,
            What::Unreachable => 503,
            What::Ack(_) => return,
        };
        if code < 200 {
            return;
        }
        self.refresh.tx = None;
        match (code, what) {
            (200..=299, What::Response(response)) => self.refreshed_by_us(base, &response),
            (422, What::Response(response)) if self.note_too_brief(&response) => self.on_refresh_due(base),
            // 10: "If the session refresh request transaction times out or generates a 408 or 481 response, then the
            // UAC sends a BYE request"
            (408 | 481, _) => self.lapse(base),
            // the peer says that it takes UPDATE and does not
            (405 | 501, _) => {
                self.refresh.by_update = false;
                self.on_refresh_due(base);
            }
            // "If the session refresh request generates some other error, the session stays; a further refresh may be
            // tried": the next at half of what is left, the end at its time
            _ => {
                let left = base.cx.session_left(self.id, SessionTimer::Lapse).unwrap_or_default();
                base.cx.start_session(self.id, SessionTimer::Refresh, (left / 2).max(Duration::from_secs(1)));
            }
        }
    }

    /// Nothing refreshed the session.
    pub(super) fn lapse(&mut self, base: &mut Base) {
        if self.over {
            return;
        }
        self.send_bye(base, "SIP;cause=408;text=\"Session timer expired\"");
        self.end(base, Cause::Unreachable, true, Some(408));
    }

    /// The refresh by re-INVITE that had to wait its turn. It offers what holds.
    pub(super) fn refresh_offer(&mut self) -> Option<Vec<u8>> {
        self.media.offer_again(None).ok()
    }
}

/// A 422 to a request of the peer.
pub(crate) fn refuse_too_brief(base: &mut Base, tx: TxId) {
    let least = seconds(base.cx.directory.timers().session_min).max(LEAST).to_string();
    super::request::respond_with(base, tx, 422, |response| response.push(HeaderName::MinSe, least));
}

/// UPDATE (RFC 3311): a refresh, an offer, or both, at any time in a dialog.
impl Session {
    /// A peer's UPDATE. It is answered at once: "the UAS MUST ... respond promptly" (5.2).
    pub(super) fn on_peer_update(&mut self, base: &mut Base, tx: TxId, flow: crate::engine::Flow) {
        let Some(request) = base.tx.request(tx).cloned() else {
            return;
        };
        if self.over {
            return self.respond_to(base, tx, 481, None);
        }
        let agreed = match Self::timer_wish(base, &request) {
            Wish::TooBrief => return refuse_too_brief(base, tx),
            Wish::Answer(agreed) => agreed,
        };
        let mut description = None;
        if !request.body.is_empty() {
            if !super::uac::is_sdp(&request) {
                return super::request::refuse_body(base, tx);
            }
            // 5.2: "If an UPDATE is received that contains an offer, and the UAS has generated an offer (in an UPDATE,
            // PRACK or INVITE) to which it has not yet received an answer, the UAS MUST reject the UPDATE with a 491
            // response. ... and the UAS has received an offer to which it has not yet generated an answer, the UAS
            // MUST reject the UPDATE with a 500 response, and MUST include a Retry-After header field"
            if self.reinvite.is_some() || self.awaited.as_ref().is_some_and(|awaited| awaited.offered) {
                return self.respond_to(base, tx, 491, None);
            }
            if self.media.settled().is_none() {
                return super::reinvite::refuse_for_a_while(base, tx);
            }
            match self.media.answer(&request.body) {
                Ok((answer, settled)) => {
                    description = Some(answer);
                    self.tell_renegotiated(base, &settled);
                }
                Err(error) => return self.refuse_description(base, tx, error),
            }
        }
        if let Some(dialog) = &mut self.dialog {
            dialog.refresh(&request, flow);
        }
        let agreed = agreed.filter(|_| self.stage == Stage::Up);
        self.respond_adding(base, tx, 200, |session, response| {
            session.tell_timer(agreed, response);
            if let Some(description) = description {
                response.set_body(MEDIA_TYPE, description);
            }
        });
        if self.stage == Stage::Up {
            self.refreshed_by_peer(base, &request, agreed);
        }
    }

    /// Whether this transaction is our UPDATE.
    pub(super) fn is_update(&self, tx: TxId) -> bool {
        self.refresh.tx == Some(tx)
    }
}

fn seconds(time: Duration) -> u32 {
    u32::try_from(time.as_secs()).unwrap_or(u32::MAX)
}
