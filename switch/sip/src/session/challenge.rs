//! A peer that challenges our INVITE (RFC 3261 22.2, 22.3).

use super::{Base, Session, Stage};
use crate::auth::{Identity, answer_challenge};
use crate::engine::Flow;
use crate::sdp::{Keying, MEDIA_TYPE};
use crate::transaction::TxUser;
use crate::wire::{HeaderName, Message};

/// Most challenges of one INVITE that are answered: the first, and one for a stale nonce.
const CHALLENGES_MAX: u8 = 2;

impl Session {
    /// Sends the INVITE of a branch again with credentials: "it MUST increment the CSeq
    /// header field value as it would normally when sending an updated request" (22.2). False if
    /// there are none, they were refused, or the call is given up.
    pub(super) fn answer_challenge(&mut self, base: &mut Base, at: usize, response: &Message) -> bool {
        if self.over || self.stage != Stage::Calling {
            return false;
        }
        let Some(branch) = self.branches.get_mut(at) else {
            return false;
        };
        // a peer that calls every nonce stale must not keep us busy
        let wanted = branch.challenges < CHALLENGES_MAX
            && branch.cancel_wanted.is_none()
            && !base.tx.is_waiting_for_cancel(branch.tx);
        let (Some(credentials), true) = (&branch.credentials, wanted) else {
            return false;
        };
        let Some((request, flow)) = base.tx.request(branch.tx).zip(base.tx.flow(branch.tx)) else {
            return false;
        };
        let identity = Identity { username: &credentials.username, password: &credentials.password };
        let cnonce = format!("{:016x}", base.cx.tokens.number());
        let Ok((name, value)) = answer_challenge(response, request, identity, &cnonce, 1) else {
            return false;
        };
        let mut again = request.clone();
        again.set(name, value);
        branch.challenges += 1;
        self.send_again(base, at, again, flow)
    }

    /// A peer's 422 (RFC 4028 7.3): the INVITE goes out again with what the peer asks for, once for each time it asks
    /// for more. False if the call is given up, or the peer asks for nothing.
    pub(super) fn ask_for_longer(&mut self, base: &mut Base, at: usize, response: &Message) -> bool {
        if self.over || self.stage != Stage::Calling || !self.note_too_brief(response) {
            return false;
        }
        let Some(branch) = self.branches.get_mut(at) else {
            return false;
        };
        // it counts as a challenge, so that nobody keeps us busy for ever
        let wanted = branch.challenges < CHALLENGES_MAX
            && branch.cancel_wanted.is_none()
            && !base.tx.is_waiting_for_cancel(branch.tx);
        let sent = base.tx.request(branch.tx).cloned().zip(base.tx.flow(branch.tx));
        let (Some((mut again, flow)), true) = (sent, wanted) else {
            return false;
        };
        branch.challenges += 1;
        again.headers.remove(&HeaderName::SessionExpires);
        again.headers.remove(&HeaderName::MinSe);
        self.ask_timer(base, &mut again);
        self.send_again(base, at, again, flow)
    }

    /// A peer that refuses what it is offered is offered less, as often as there is less. Its refusal may have had another reason; then it
    /// refuses again. First goes the video beside audio by DTLS, which a page cannot take that wants both in one transport (a bundle
    /// policy of `max-bundle`); then, where the rule lets that be, what is secured becomes plain.
    pub(super) fn offer_less(&mut self, base: &mut Base, at: usize) -> bool {
        if self.over || self.stage != Stage::Calling {
            return false;
        }
        let Some(branch) = self.branches.get_mut(at) else {
            return false;
        };
        let is_video = branch.secured == Keying::Dtls && self.media.has_video();
        let wanted = branch.secured != Keying::Plain
            && (is_video || self.media.may_be_plain())
            && branch.cancel_wanted.is_none()
            && !base.tx.is_waiting_for_cancel(branch.tx);
        let sent = base.tx.request(branch.tx).cloned().zip(base.tx.flow(branch.tx));
        let (Some((mut again, flow)), true) = (sent, wanted) else {
            return false;
        };
        if is_video {
            self.media.drop_video();
        } else {
            branch.secured = Keying::Plain;
            self.media.for_peer(base, flow.remote.ip(), Keying::Plain);
        }
        again.set_body(MEDIA_TYPE, self.media.ours().unwrap_or_default().to_vec());
        self.send_again(base, at, again, flow)
    }

    /// The INVITE of a branch in a new transaction, with the next CSeq.
    fn send_again(&mut self, base: &mut Base, at: usize, mut again: Message, flow: Flow) -> bool {
        let (Some(branch), Ok(cseq)) = (self.branches.get_mut(at), again.cseq()) else {
            return false;
        };
        again.headers.remove_first(&HeaderName::Via);
        again.set(HeaderName::CSeq, format!("{} INVITE", cseq.seq + 1));
        base.tx.release(branch.tx);
        let user = TxUser::Session(self.id);
        branch.tx = base.tx.send(&mut base.cx, user, flow, again);
        branch.provisional = false;
        branch.dialogs.clear();
        true
    }
}
