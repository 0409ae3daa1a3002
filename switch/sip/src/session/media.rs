//! Offer and answer over the life of a session (RFC 3264 5 to 8).
//!
//! Invariants: our address and session id never change once they were told to a peer. "the version in the origin field MUST
//! increment by one from the previous SDP. If the version in the origin line does not increment,
//! the SDP MUST be identical to the SDP with that version number." (8) "if the previous SDP had N
//! "m=" lines, the new SDP MUST have at least N "m=" lines" (8). An offer that was refused leaves
//! what was settled as it was.

use core::net::IpAddr;

use cordboard_model::media::Direction;

use super::Base;
use crate::engine::{Flow, Transport};
use crate::sdp::{self, KeySeed, Keying, Local, Negotiated, SdpError, Security, VideoSettled};
use cordboard_model::srtp::SrtpPolicy;

/// Our side of a session's media.
#[derive(Clone, Debug, Default)]
pub(crate) struct Media {
    /// Our media. The version is that of the description we sent last, refused or not.
    local: Option<Local>,
    /// Our address as we were given it, whichever a peer is told.
    named: Option<IpAddr>,
    /// The description of ours that holds.
    ours: Vec<u8>,
    /// The description we sent last.
    sent: Vec<u8>,
    settled: Option<Negotiated>,
    /// There was video once.
    had_video: bool,
    /// What a later offer of ours asks for, until it is answered.
    pending: Option<Direction>,
}

impl Media {
    pub(crate) fn new(local: Local) -> Self {
        Self { local: Some(local), ..Self::default() }
    }

    /// Whether our offers have video.
    pub(crate) fn has_video(&self) -> bool {
        self.local.as_ref().is_some_and(|local| local.video.is_some())
    }

    /// From now on they have none: what is offered again to a peer that refused them.
    pub(crate) fn drop_video(&mut self) {
        if let Some(local) = &mut self.local {
            local.video = None;
            self.ours = sdp::offer(local);
            self.sent.clone_from(&self.ours);
        }
    }

    /// What holds now.
    pub(crate) fn settled(&self) -> Option<&Negotiated> {
        self.settled.as_ref()
    }

    /// The description we sent last, if any.
    pub(crate) fn ours(&self) -> Option<&[u8]> {
        Some(self.ours.as_slice()).filter(|ours| !ours.is_empty())
    }

    /// Whether we hold the peer.
    pub(crate) fn holds(&self) -> bool {
        let local = self.local.as_ref();
        local.is_some_and(|local| !local.direction.receives())
    }

    /// Takes our media for the first time; later ones are ignored.
    pub(crate) fn take(&mut self, base: &mut Base, local: Local) {
        if self.local.is_none() {
            self.local = Some(local);
        }
        if let Some(local) = &mut self.local
            && local.session_id == 0
        {
            local.session_id = base.cx.tokens.number();
            local.version = local.version.max(1);
        }
        if let Some(local) = &mut self.local
            && local.security.seed.is_none()
        {
            local.security.seed = Some(KeySeed(base.cx.tokens.key_seed()));
            local.security.dtls = base.cx.config.dtls;
        }
    }

    /// Before the first description to a peer, whose media are at `peer`: our address in its family, if we have one, and
    /// keys of ours as `secured` says. A description that another branch of the same call was sent stays what it was.
    pub(crate) fn for_peer(&mut self, base: &Base, peer: IpAddr, secured: Keying) {
        if let Some(local) = &mut self.local
            && self.settled.is_none()
        {
            let before = local.addr.ip();
            let named = *self.named.get_or_insert(before);
            local.addr.set_ip(base.cx.config.media_for(named, peer));
            let same = local.addr.ip() == before && local.security.offered == secured;
            local.security.offered = secured;
            if !same && !self.ours.is_empty() {
                self.ours = sdp::offer(local);
                self.sent.clone_from(&self.ours);
            }
        }
    }

    /// How our offer by this flow is secured. An error if it must and may not: they would be told in the clear.
    pub(crate) fn secures(&self, base: &Base, flow: &Flow) -> Result<Keying, SdpError> {
        let has_dtls = base.cx.config.dtls.is_some();
        match self.local.as_ref().map(|local| keying(&local.security, has_dtls, flow.transport)) {
            Some(Some(secured)) => Ok(secured),
            Some(None) => Err(SdpError::NotSecured),
            None => Ok(Keying::Plain),
        }
    }

    /// Whether a peer that refuses keys may be offered plain RTP.
    pub(crate) fn may_be_plain(&self) -> bool {
        self.local.as_ref().is_some_and(|local| local.security.takes(Keying::Plain))
    }

    /// Our first offer; the same again if there was one.
    pub(crate) fn offer(&mut self, base: &mut Base) -> Result<Vec<u8>, SdpError> {
        let local = self.local.take().ok_or(SdpError::NoAddress)?;
        self.take(base, local);
        if let (Some(local), true) = (&self.local, self.ours.is_empty()) {
            self.ours = sdp::offer(local);
            self.sent.clone_from(&self.ours);
        }
        Ok(self.ours.clone())
    }

    /// Our answer to an offer. The version grows if our description changes by it.
    pub(crate) fn answer(&mut self, offer: &[u8]) -> Result<(Vec<u8>, Negotiated), SdpError> {
        let before = self.settled.as_ref().map(|settled| settled.keys.map(|keys| keys.send.suite()));
        let video_before = self.settled.as_ref().and_then(|settled| settled.video.as_ref()?.suite());
        if let Some(settled) = &self.settled {
            // Video comes with the call or not at all: the other party was told of it once.
            let had_video = self.had_video;
            if let Some(local) = &mut self.local {
                local.video.take_if(|_| !had_video);
                if let (Some(video), Some(settled)) = (&mut local.video, &settled.video) {
                    video.terms.formats = vec![settled.ours.clone()];
                }
            }
        }
        let local = self.local.as_mut().ok_or(SdpError::NoAddress)?;
        let (mut bytes, mut settled) = sdp::answer(offer, local)?;
        let suite = settled.keys.map(|keys| keys.send.suite());
        let video = settled.video.as_ref().and_then(sdp::VideoSettled::suite);
        let is_other = suite.is_some() && before.is_some_and(|before| before != suite);
        if is_other || (video_before.is_some() && video.is_some() && video_before != video) {
            // the packets of another suite begin again, and must not under a key that had packets
            local.security.generation += 1;
            (bytes, settled) = sdp::answer(offer, local)?;
        }
        let is_restart = |before: &Negotiated| {
            let theirs = |of: &Negotiated| Some(of.path.as_ref()?.ice.as_ref()?.theirs.clone());
            theirs(before).is_some() && theirs(before) != theirs(&settled)
        };
        if self.settled.as_ref().is_some_and(is_restart) {
            // "the answerer MUST change the values of both" credentials (RFC 8839 4.4.1.1.1)
            local.security.ice_generation += 1;
            (bytes, settled) = sdp::answer(offer, local)?;
        }
        if !self.sent.is_empty() && bytes != self.sent {
            local.version += 1;
            bytes = sdp::answer(offer, local)?.0;
        }
        local.security.settle(&settled);
        keep_format(local, &settled);
        self.had_video |= settled.video.is_some();
        self.ours.clone_from(&bytes);
        self.sent.clone_from(&bytes);
        self.settled = Some(settled.clone());
        Ok((bytes, settled))
    }

    /// A later offer: as we are, held or not. What was settled is offered again, so that the
    /// peer need not choose anew.
    pub(crate) fn offer_again(&mut self, hold: Option<bool>) -> Result<Vec<u8>, SdpError> {
        let local = self.local.as_mut().ok_or(SdpError::NoAddress)?;
        let direction = match hold {
            Some(true) => Direction::SendOnly,
            Some(false) => Direction::SendRecv,
            None => local.direction,
        };
        let video = local.video.as_ref().map_or(direction, |video| sdp::video_direction(video, direction));
        let mut bytes = with_changes(&self.ours, local.version, direction, video);
        if bytes != self.sent {
            local.version += 1;
            bytes = with_changes(&self.ours, local.version, direction, video);
        }
        self.sent.clone_from(&bytes);
        self.pending = Some(direction);
        Ok(bytes)
    }

    /// The answer to our offer, the first or a later one.
    pub(crate) fn accept(&mut self, answer: &[u8]) -> Result<Negotiated, SdpError> {
        let local = self.local.as_ref().ok_or(SdpError::NoAddress)?;
        let Some(direction) = self.pending else {
            let mut settled = sdp::accept_answer(&audio_of(answer, &self.sent), local)?;
            settled.video = self.accept_video(answer, local);
            self.had_video |= settled.video.is_some();
            if let Some(local) = &mut self.local {
                keep_format(local, &settled);
            }
            self.keep_only(&settled);
            self.settled = Some(settled.clone());
            return Ok(settled);
        };
        let before = self.settled.as_ref().map(|settled| settled.stream);
        let asked = Local {
            direction,
            dtmf_pt: match before {
                Some(stream) if stream.dtmf.is_none() => None,
                _ => local.dtmf_pt,
            },
            rtcp_mux: self.sent.split(|byte| *byte == b'\n').any(|line| line.starts_with(b"a=rtcp-mux")),
            ..local.clone()
        };
        let mut settled = sdp::accept_answer(&audio_of(answer, &self.sent), &asked)?;
        if let Some(before) = before
            && before.codec == settled.stream.codec
        {
            // the offer repeated the numbers at which we receive
            settled.stream.recv_payload_type = before.recv_payload_type;
            let ours = before.dtmf.map(|(_, ours)| ours);
            settled.stream.dtmf = settled.stream.dtmf.map(|(theirs, _)| theirs).zip(ours);
            let ours = before.comfort.map(|(_, ours)| ours);
            settled.stream.comfort = settled.stream.comfort.map(|(theirs, _)| theirs).zip(ours);
        }
        settled.video = self.accept_video(answer, &asked);
        self.had_video |= settled.video.is_some();
        if let Some(local) = &mut self.local {
            local.direction = direction;
            local.security.settle(&settled);
        }
        self.pending = None;
        self.ours.clone_from(&self.sent);
        self.settled = Some(settled.clone());
        Ok(settled)
    }

    /// What an answer to the description that was sent last says to its video.
    fn accept_video(&self, answer: &[u8], local: &Local) -> Option<VideoSettled> {
        let index = used(&self.sent, b"m=video")?;
        let whole = sections(answer).count() == sections(&self.sent).count();
        whole.then(|| sdp::accept_video(answer, local, index)).flatten()
    }

    /// Of the keys that were offered only the one that was taken is offered again, and of video only what was agreed on.
    fn keep_only(&mut self, settled: &Negotiated) {
        self.keep_only_key(settled);
        if let Some(local) = self.local.as_ref().filter(|local| local.video.is_some()) {
            let mut kept = local.clone();
            kept.security.settle_video(settled.video.as_ref());
            kept.video = kept.video.zip(settled.video.as_ref()).map(|(mut video, settled)| {
                video.terms.formats = vec![settled.ours.clone()];
                video
            });
            self.ours = sdp::with_video(&self.ours, &kept);
        }
    }

    fn keep_only_key(&mut self, settled: &Negotiated) {
        if let Some(local) = &mut self.local {
            local.security.settle(settled);
        }
        let Some(tag) = settled.tag else {
            return;
        };
        let taken = format!("a=crypto:{tag} ");
        let kept = |line: &&[u8]| !line.starts_with(b"a=crypto:") || line.starts_with(taken.as_bytes());
        self.ours =
            self.ours.split_inclusive(|byte| *byte == b'\n').filter(kept).flatten().copied().collect();
    }

    /// Our later offer was refused.
    pub(crate) fn refused(&mut self) {
        self.pending = None;
    }
}

/// How an offer is secured; `None` if it must be and may not. Browsers take DTLS alone, so that is what is offered over
/// WebSocket.
fn keying(security: &Security, has_dtls: bool, over: Transport) -> Option<Keying> {
    let hidden = matches!(over, Transport::Tls | Transport::Wss) || security.rule.without_tls;
    let browser = matches!(over, Transport::Ws | Transport::Wss) && has_dtls;
    match security.rule.policy {
        SrtpPolicy::Off => Some(Keying::Plain),
        SrtpPolicy::Dtls => has_dtls.then_some(Keying::Dtls),
        _ if browser => Some(Keying::Dtls),
        SrtpPolicy::Optional if hidden && over != Transport::Wss => Some(Keying::Sdes),
        SrtpPolicy::Optional => Some(Keying::Plain),
        SrtpPolicy::Required => hidden.then_some(Keying::Sdes),
    }
}

/// A description of ours with another version and another direction of its used streams.
fn with_changes(ours: &[u8], version: u64, audio: Direction, video: Direction) -> Vec<u8> {
    let mut out = Vec::with_capacity(ours.len() + 8);
    let mut direction = audio;
    for line in ours.split_inclusive(|byte| *byte == b'\n') {
        let text = line.strip_suffix(b"\r\n").unwrap_or(line);
        match text {
            [b'o', b'=', rest @ ..] => out.extend(origin(rest, version)),
            b"a=sendrecv" | b"a=sendonly" | b"a=recvonly" | b"a=inactive" => {
                out.extend_from_slice(match direction {
                    Direction::SendRecv => b"a=sendrecv",
                    Direction::SendOnly => b"a=sendonly",
                    Direction::RecvOnly => b"a=recvonly",
                    Direction::Inactive => b"a=inactive",
                });
            }
            text if text.starts_with(b"m=") => {
                direction = if text.starts_with(b"m=video") { video } else { audio };
                out.extend_from_slice(text);
            }
            // "the offerer MUST [...] use 'actpass'" in whatever offer (RFC 8842 5.2, 5.5); who has which part stays
            text if text.starts_with(b"a=setup:") => out.extend_from_slice(b"a=setup:actpass"),
            other => out.extend_from_slice(other),
        }
        out.extend_from_slice(b"\r\n");
    }
    out
}

/// `o=user id version ...` with another version.
fn origin(rest: &[u8], version: u64) -> Vec<u8> {
    let version = version.to_string();
    let mut fields: Vec<&[u8]> = rest.split(|byte| *byte == b' ').collect();
    if let Some(field) = fields.get_mut(2) {
        *field = version.as_bytes();
    }
    let mut line = b"o=".to_vec();
    line.extend(fields.join(&b' '));
    line
}

/// Of an answer to a description with several streams, only the stream we use: the streams of an
/// answer stand in the order of its offer (RFC 3264 6).
fn audio_of(answer: &[u8], ours: &[u8]) -> Vec<u8> {
    let used = used(ours, b"m=audio");
    let streams = sections(ours).count();
    if streams <= 1 || sections(answer).count() != streams {
        return answer.to_vec();
    }
    let mut at = None;
    let mut out = Vec::with_capacity(answer.len());
    for line in answer.split_inclusive(|byte| *byte == b'\n') {
        if line.starts_with(b"m=") {
            at = Some(at.map_or(0, |at: usize| at + 1));
        }
        if at.is_none() || at == used {
            out.extend_from_slice(line);
        }
    }
    out
}

/// Which of our streams is the first of its kind that is not refused.
fn used(ours: &[u8], kind: &[u8]) -> Option<usize> {
    sections(ours).position(|line| {
        let mut fields = line.split(|byte| *byte == b' ');
        fields.next() == Some(kind) && fields.next() != Some(b"0")
    })
}

/// The `m=` lines.
/// From now on our video is what was settled, at the number that the peer was told: it sends under that after our own offers, too.
fn keep_format(local: &mut Local, settled: &Negotiated) {
    if let (Some(video), Some(settled)) = (&mut local.video, &settled.video) {
        video.terms.formats = vec![settled.ours.clone()];
        local.parted |= settled.path.is_some();
    }
}

fn sections(description: &[u8]) -> impl Iterator<Item = &[u8]> {
    let lines = description.split(|byte| *byte == b'\n');
    lines.filter(|line| line.starts_with(b"m="))
}

#[cfg(test)]
mod tests {
    use super::*;
    use cordboard_model::media::Codec;

    fn local() -> Local {
        Local::plain("198.51.100.1:40000".parse().unwrap(), 7, &[Codec::Pcma, Codec::Pcmu])
    }

    fn offer(version: u64, media: &str) -> Vec<u8> {
        let head = "s=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n";
        format!("v=0\r\no=- 5 {version} IN IP4 192.0.2.1\r\n{head}{media}").into_bytes()
    }

    fn line(text: &[u8], start: &str) -> String {
        let text = String::from_utf8(text.to_vec()).unwrap();
        let found = text.lines().find(|line| line.starts_with(start));
        found.unwrap_or_default().to_owned()
    }

    const TWO: &str = "m=video 4000 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n\
        m=audio 4002 RTP/AVP 0 97\r\na=rtpmap:97 telephone-event/8000\r\n";

    #[test]
    fn the_version_grows_only_when_our_description_changes() {
        let mut media = Media::new(local());
        let (first, _) = media.answer(&offer(1, TWO)).unwrap();
        let (same, _) = media.answer(&offer(1, TWO)).unwrap();
        assert_eq!(first, same);
        let (held, settled) = media.answer(&offer(2, &format!("{TWO}a=inactive\r\n"))).unwrap();
        assert!(settled.held_by_peer);
        assert_eq!(line(&held, "o="), "o=- 7 2 IN IP4 198.51.100.1");
    }

    #[test]
    fn a_later_offer_keeps_every_stream_and_its_numbers() {
        let mut media = Media::new(local());
        let (_, before) = media.answer(&offer(1, TWO)).unwrap();
        let hold = media.offer_again(Some(true)).unwrap();
        assert_eq!(line(&hold, "o="), "o=- 7 2 IN IP4 198.51.100.1");
        assert_eq!(line(&hold, "m=video"), "m=video 0 RTP/AVP 96");
        assert_eq!(line(&hold, "m=audio"), "m=audio 40000 RTP/AVP 0 97");
        assert_eq!(line(&hold, "a=sendonly"), "a=sendonly");
        let answer = offer(2, &TWO.replace("4000", "0"));
        let settled = media.accept(&answer).unwrap();
        assert_eq!(settled.stream.direction, Direction::SendOnly);
        assert_eq!(settled.stream.dtmf, before.stream.dtmf);
        assert!(media.holds());
        let back = media.offer_again(Some(false)).unwrap();
        assert_eq!(line(&back, "o="), "o=- 7 3 IN IP4 198.51.100.1");
    }

    #[test]
    fn a_refused_offer_changes_nothing_but_the_version_of_the_next() {
        let mut media = Media::new(local());
        media.answer(&offer(1, TWO)).unwrap();
        media.offer_again(Some(true)).unwrap();
        media.refused();
        assert!(!media.holds());
        // the same text again has the same version, what was there before has a new one
        let again = media.offer_again(Some(true)).unwrap();
        assert_eq!(line(&again, "o="), "o=- 7 2 IN IP4 198.51.100.1");
        media.refused();
        let (answer, _) = media.answer(&offer(2, TWO)).unwrap();
        assert_eq!(line(&answer, "o="), "o=- 7 3 IN IP4 198.51.100.1");
        assert_eq!(line(&answer, "a=sendrecv"), "a=sendrecv");
    }

    const BROWSER: &str = "m=audio 4002 UDP/TLS/RTP/SAVPF 0\r\na=rtcp-mux\r\na=mid:0\r\na=setup:actpass\r\n\
        a=ice-ufrag:uFrA\r\na=ice-pwd:aBcDeFgHiJkLmNoPqRsTuVwX\r\n\
        a=fingerprint:sha-256 AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB\r\n";

    #[test]
    fn other_ice_credentials_are_a_restart_that_is_answered_with_others_and_roles_stay() {
        let mut local = local();
        local.security.dtls = Some(sdp::DtlsSelf { fingerprint: [1; 32], ice_lite: false });
        local.security.seed = Some(KeySeed([4; 32]));
        let mut media = Media::new(local);
        let (first, before) = media.answer(&offer(1, BROWSER)).unwrap();
        assert_eq!(line(&first, "a=setup"), "a=setup:active");
        let (same, _) = media.answer(&offer(1, BROWSER)).unwrap();
        assert_eq!(first, same);
        let (other, after) = media.answer(&offer(2, &BROWSER.replace("uFrA", "uFrB"))).unwrap();
        assert_ne!(line(&first, "a=ice-ufrag"), line(&other, "a=ice-ufrag"));
        assert_ne!(line(&first, "a=ice-pwd"), line(&other, "a=ice-pwd"));
        let dtls = |settled: &Negotiated| settled.path.clone().unwrap().dtls;
        assert_eq!(dtls(&before), dtls(&after));
        let hold = media.offer_again(Some(true)).unwrap();
        assert_eq!(line(&hold, "a=setup"), "a=setup:actpass");
        assert_eq!(line(&hold, "a=ice-ufrag"), line(&other, "a=ice-ufrag"), "hold is no restart");
        let answer = BROWSER.replace("actpass", "passive").replace("uFrA", "uFrB");
        let settled = media.accept(&offer(3, &answer)).unwrap();
        assert_eq!(dtls(&settled), dtls(&after));
        assert!(settled.stream.rtcp_mux);
    }

    #[test]
    fn a_called_browser_that_began_the_handshake_goes_on_as_its_client_when_it_makes_an_offer_itself() {
        let mut local = local();
        local.security.dtls = Some(sdp::DtlsSelf { fingerprint: [1; 32], ice_lite: false });
        local.security.seed = Some(KeySeed([4; 32]));
        local.security.offered = Keying::Dtls;
        let ours = sdp::offer(&local);
        let mut media = Media::new(local);
        (media.ours, media.sent) = (ours.clone(), ours);
        let before = media.accept(&offer(1, &BROWSER.replace("actpass", "active"))).unwrap();
        let (answer, after) = media.answer(&offer(2, &BROWSER.replace("uFrA", "uFrB"))).unwrap();
        assert_eq!(line(&answer, "a=setup"), "a=setup:passive");
        let dtls = |settled: &Negotiated| settled.path.clone().unwrap().dtls;
        assert_eq!(dtls(&before), dtls(&after));
    }

    const VIDEO: &str = "m=audio 4000 RTP/AVP 0\r\nm=video 4002 RTP/AVP 99\r\na=rtpmap:99 VP8/90000\r\n";

    fn with_video() -> Local {
        let terms = sdp::video_of(&offer(1, VIDEO)).unwrap();
        Local { video: Some(sdp::LocalVideo { port: 40_002, terms }), ..local() }
    }

    fn video(settled: &Negotiated) -> Option<Direction> {
        settled.video.as_ref().map(|video| video.stream.direction)
    }

    #[test]
    fn a_hold_holds_video_too_and_it_comes_back() {
        let mut media = Media::new(with_video());
        let (_, settled) = media.answer(&offer(1, VIDEO)).unwrap();
        assert_eq!(video(&settled), Some(Direction::SendRecv));
        let both = |text: &[u8], line: &str| String::from_utf8_lossy(text).matches(line).count() == 2;
        let hold = media.offer_again(Some(true)).unwrap();
        assert!(both(&hold, "a=sendonly\r\n"));
        let held = VIDEO.replace("\r\nm=video", "\r\na=recvonly\r\nm=video") + "a=recvonly\r\n";
        assert_eq!(video(&media.accept(&offer(2, &held)).unwrap()), Some(Direction::SendOnly));
        let back = media.offer_again(Some(false)).unwrap();
        assert!(both(&back, "a=sendrecv\r\n"));
        assert_eq!(video(&media.accept(&offer(3, VIDEO)).unwrap()), Some(Direction::SendRecv));

        let (text, settled) = media.answer(&offer(4, &(VIDEO.to_owned() + "a=sendonly\r\n"))).unwrap();
        assert_eq!(video(&settled), Some(Direction::RecvOnly), "held by the peer");
        assert_eq!(line(&text, "m=video"), "m=video 40002 RTP/AVP 99");
        let (text, settled) = media.answer(&offer(5, &VIDEO.replace("4002", "0"))).unwrap();
        assert_eq!((video(&settled), line(&text, "m=video")), (None, "m=video 0 RTP/AVP 99".into()));
        let (_, settled) = media.answer(&offer(6, VIDEO)).unwrap();
        assert_eq!(video(&settled), Some(Direction::SendRecv), "the camera is on again");
    }

    #[test]
    fn video_comes_at_the_number_that_the_peer_was_told_after_our_own_offers_too() {
        // the other party of the call names its format by a number of its own
        let mut media = Media::new(Local { session_id: 7, ..with_video() });
        let numbered = VIDEO.replace("99", "98");
        let number = |settled: &Negotiated| {
            let stream = settled.video.as_ref().map(|video| video.stream).expect("video");
            (stream.send_payload_type, stream.recv_payload_type)
        };
        let (_, settled) = media.answer(&offer(1, &numbered)).unwrap();
        assert_eq!(number(&settled), (98, 98));
        for hold in [true, false] {
            media.offer_again(Some(hold)).unwrap();
            assert_eq!(number(&media.accept(&offer(2, &numbered)).unwrap()), (98, 98));
        }
    }

    #[test]
    fn video_comes_with_the_call_or_not_at_all() {
        let mut media = Media::new(Local { session_id: 7, ..with_video() });
        media.ours = sdp::offer(media.local.as_ref().unwrap());
        media.sent.clone_from(&media.ours);
        let refused = offer(1, &VIDEO.replace("4002", "0"));
        assert_eq!(video(&media.accept(&refused).unwrap()), None);
        let hold = media.offer_again(Some(true)).unwrap();
        assert_eq!(line(&hold, "m=video"), "m=video 0 RTP/AVP 99");
        let answer = VIDEO.replace("4002", "0").replace("\r\nm=video", "\r\na=recvonly\r\nm=video");
        assert_eq!(video(&media.accept(&offer(2, &answer)).unwrap()), None);
        let (text, settled) = media.answer(&offer(3, VIDEO)).unwrap();
        assert_eq!((video(&settled), line(&text, "m=video")), (None, "m=video 0 RTP/AVP 99".into()));
    }
}
