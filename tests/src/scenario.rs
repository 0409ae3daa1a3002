//! SIPp scenarios put together from steps, so that a test reads as the ladder it plays.
//!
//! Invariant: nothing is timed. Where a phone is to wait for the test, it waits for a MESSAGE in its call
//! ([`crate::sipp::Sipp::go_on`]), which SIPp takes from anywhere.

mod extended;

use crate::fail::Fail;
use std::fmt::Write;
use std::path::{Path, PathBuf};

pub use extended::NOWHERE;

/// What a phone's session description says.
#[derive(Clone, Copy, Debug)]
pub struct Sdp {
    /// Audio payload types, static ones, in the order of preference.
    pub audio: &'static [u8],
    /// The payload type of RFC 4733 events, if the phone has them.
    pub events: Option<u8>,
}

/// Mu-law and events as most phones number them.
pub const MU_LAW: Sdp = Sdp { audio: &[0], events: Some(101) };
/// A-law, events under another number.
pub const A_LAW: Sdp = Sdp { audio: &[8], events: Some(97) };
/// A codec that the switch does not speak.
pub const G729: Sdp = Sdp { audio: &[18], events: None };

impl Sdp {
    /// The body, with this version and direction.
    fn body(self, version: u32, way: &str) -> String {
        let mut formats: Vec<String> = self.audio.iter().map(u8::to_string).collect();
        formats.extend(self.events.map(|events| events.to_string()));
        let (at, way) = if way == NOWHERE { (NOWHERE, "sendrecv") } else { ("[media_ip]", way) };
        let mut text = format!(
            "v=0\no=sipp 53655765 {version} IN IP[media_ip_type] [media_ip]\ns=-\n\
             c=IN IP[media_ip_type] {at}\nt=0 0\nm=audio [rtp] RTP/AVP {}\n",
            formats.join(" ")
        );
        for audio in self.audio {
            let name = match audio {
                0 => "PCMU/8000",
                8 => "PCMA/8000",
                13 => "CN/8000",
                _ => "G729/8000",
            };
            let _ = writeln!(text, "a=rtpmap:{audio} {name}");
        }
        if let Some(events) = self.events {
            let _ = writeln!(text, "a=rtpmap:{events} telephone-event/8000\na=fmtp:{events} 0-15");
        }
        let _ = writeln!(text, "a=ptime:20\na={way}");
        text
    }
}

/// A scenario that grows step by step.
#[derive(Clone, Debug)]
pub struct Scenario {
    xml: String,
    /// Messages so far: SIPp counts branches by them.
    index: usize,
    cseq: u32,
    /// Version of its next session description (RFC 3264 8).
    version: u32,
    /// Index of the last INVITE sent.
    invite: usize,
    sdp: Sdp,
    /// Whether this side was called.
    called: bool,
    labels: u32,
}

impl Scenario {
    fn describe(&mut self, way: &str) -> String {
        self.version += 1;
        self.sdp.body(self.version, way)
    }

    fn new(sdp: Sdp, called: bool) -> Self {
        Self { xml: String::new(), index: 0, cseq: 0, version: 1, invite: 0, sdp, called, labels: 0 }
    }

    /// A phone that calls.
    pub fn caller(sdp: Sdp) -> Self {
        Self::new(sdp, false)
    }

    /// A phone that is called: takes the INVITE.
    pub fn called(sdp: Sdp) -> Self {
        let mut this = Self::new(sdp, true);
        this.xml.push_str(
            r#"<recv request="INVITE"><action>
<ereg regexp=".*" search_in="hdr" header="Via:" assign_to="via"/>
<ereg regexp=".*" search_in="hdr" header="From:" assign_to="from"/>
<ereg regexp=".*" search_in="hdr" header="To:" assign_to="to"/>
<ereg regexp=".*" search_in="hdr" header="CSeq:" assign_to="cseq"/>
<ereg regexp="sip:[^ ;]*[0-9]" search_in="hdr" header="Contact:" assign_to="contact"/>
</action></recv>
<Reference variables="via,from,to,cseq,contact"/>
"#,
        );
        this.index += 1;
        this
    }

    /// Registers [service] with digest: 401, then 200 (or what `last` says).
    pub fn register(expires: u32, last: u16) -> Self {
        let this = Self::new(MU_LAW, false);
        let this = this.register_once(expires, "").receives_to_authorise();
        this.register_once(expires, "[authentication]\n").receives(last)
    }

    fn register_once(mut self, expires: u32, authorization: &str) -> Self {
        self.cseq += 1;
        let cseq = self.cseq;
        self.send(&format!(
            "REGISTER sip:[remote_ip]:[remote_port] SIP/2.0\n\
             Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch];rport\n\
             From: <sip:[service]@[remote_ip]>;tag=[pid]r[call_number]\nTo: <sip:[service]@[remote_ip]>\n\
             Call-ID: [call_id]\nCSeq: {cseq} REGISTER\n\
             Contact: <sip:[service]@[local_ip]:[local_port];transport=[transport]>;expires={expires}\n{authorization}\
             Max-Forwards: 70\nUser-Agent: SIPp\nContent-Length: 0\n"
        ))
    }

    /// Sends; requests but ACK, and final answers to an INVITE, are repeated until something comes (RFC 3261 17).
    fn send(mut self, text: &str) -> Self {
        let answers_invite = text.starts_with("SIP/2.0") && !text.contains("[last_CSeq:]");
        let final_answer = answers_invite && !text.starts_with("SIP/2.0 1");
        let request = !text.starts_with("SIP/2.0") && !text.starts_with("ACK ");
        let again = if request || final_answer { " retrans=\"500\"" } else { "" };
        let _ = writeln!(self.xml, "<send{again}><![CDATA[\n\n{text}\n]]></send>");
        self.index += 1;
        self
    }

    /// A request in or before the dialog.
    fn request(self, method: &str, uri: &str, cseq: u32, branch: &str, more: &str, body: &str) -> Self {
        let via = "SIP/2.0/[transport] [local_ip]:[local_port];branch=";
        let (from, to) = if self.called {
            ("From:[$to];tag=[pid]a[call_number]".into(), "To:[$from]".into())
        } else {
            let tag = if method == "ACK" || uri != SERVICE { "[peer_tag_param]" } else { "" };
            let from = "From: \"Caller\" <sip:[caller]@[remote_ip]>;tag=[pid]c[call_number]";
            (from.to_owned(), format!("To: <sip:[service]@[remote_ip]:[remote_port]>{tag}"))
        };
        let kind = if body.is_empty() { "" } else { "Content-Type: application/sdp\n" };
        let length = if body.is_empty() { "0" } else { "[len]" };
        self.send(&format!(
            "{method} {uri} SIP/2.0\nVia: {via}{branch}\n{from}\n{to}\nCall-ID: [call_id]\nCSeq: {cseq} {method}\n\
             Contact: <sip:[caller]@[local_ip]:[local_port];transport=[transport]>\nMax-Forwards: 70\n{more}{kind}\
             Content-Length: {length}\n\n{body}"
        ))
    }

    /// Calls [service].
    pub fn invites(self) -> Self {
        self.invites_with("")
    }

    /// The same with headers of its own, each line ended.
    pub fn invites_with(mut self, more: &str) -> Self {
        self.cseq += 1;
        self.invite = self.index;
        let (cseq, body) = (self.cseq, self.describe("sendrecv"));
        self.request("INVITE", SERVICE, cseq, "[branch]", more, &body)
    }

    /// Calls [service], is asked who it is (401), and says it.
    pub fn invites_with_digest(self) -> Self {
        let asked = self.invites().may_receive(100).receives_to_authorise().acknowledges_refusal();
        asked.invites_with("[authentication]\n")
    }

    /// Asks something outside a dialog.
    pub fn asks(mut self, method: &str) -> Self {
        self.cseq += 1;
        let cseq = self.cseq;
        self.request(method, SERVICE, cseq, "[branch]", "", "")
    }

    /// Offers again in the dialog, with a direction: `sendonly` is hold, as are `inactive` and [`NOWHERE`].
    pub fn offers_again(mut self, way: &str) -> Self {
        self.cseq += 1;
        self.invite = self.index;
        let (cseq, body) = (self.cseq, self.describe(way));
        let uri = self.target();
        self.request("INVITE", uri, cseq, "[branch]", "", &body)
    }

    fn target(&self) -> &'static str {
        if self.called { "[$contact]" } else { "[next_url]" }
    }

    /// Waits for a response.
    pub fn receives(mut self, status: u16) -> Self {
        let routes = if status == 200 { " rrs=\"true\"" } else { "" };
        let _ = writeln!(self.xml, "<recv response=\"{status}\"{routes}/>");
        self.index += 1;
        self
    }

    /// Takes a response that need not come.
    pub fn may_receive(mut self, status: u16) -> Self {
        let _ = writeln!(self.xml, "<recv response=\"{status}\" optional=\"true\"/>");
        self.index += 1;
        self
    }

    fn receives_to_authorise(mut self) -> Self {
        self.xml.push_str("<recv response=\"401\" auth=\"true\"/>\n");
        self.index += 1;
        self
    }

    /// Acknowledges a final response that refused the last INVITE.
    pub fn acknowledges_refusal(self) -> Self {
        let (cseq, branch) = (self.cseq, format!("[branch-{}]", self.index - self.invite));
        self.request("ACK", SERVICE, cseq, &branch, "", "")
    }

    /// Acknowledges the 200 of the last INVITE.
    pub fn acknowledges(self) -> Self {
        let (cseq, uri) = (self.cseq, self.target());
        self.request("ACK", uri, cseq, "[branch]", "", "")
    }

    /// Waits, with all that may come before, for the answer to its first INVITE, and acknowledges it.
    pub fn is_answered(self) -> Self {
        self.may_receive(100).may_receive(180).may_receive(183).receives(200).acknowledges()
    }

    /// Waits until its re-INVITE is answered, and acknowledges.
    pub fn is_agreed(self) -> Self {
        self.may_receive(100).receives(200).acknowledges()
    }

    /// Is refused with this status.
    pub fn is_refused(self, status: u16) -> Self {
        self.may_receive(100).may_receive(180).may_receive(183).receives(status).acknowledges_refusal()
    }

    /// One more line in the session descriptions so far.
    pub fn with_sdp_line(mut self, line: &str) -> Self {
        self.xml = self.xml.replace("a=ptime:20\n", &format!("a=ptime:20\n{line}\n"));
        self
    }

    /// Tells by INFO that a key was pressed, for so many milliseconds.
    pub fn presses_by_info(mut self, key: char, ms: u32) -> Self {
        self.cseq += 1;
        let (cseq, uri, before) = (self.cseq, self.target(), self.xml.len());
        let body = format!("Signal={key}\nDuration={ms}\n");
        let mut this = self.request("INFO", uri, cseq, "[branch]", "", &body);
        let sent = this.xml.split_off(before);
        this.xml += &sent.replace("application/sdp", "application/dtmf-relay");
        this.receives(200)
    }

    /// It asks in every request to be answered at the port it is seen at (RFC 3581), as phones do that may be behind NAT.
    pub fn asks_for_its_port(mut self) -> Self {
        self.xml =
            self.xml.replace(";rport", "").replace("[local_port];branch=", "[local_port];rport;branch=");
        self
    }

    /// The phone names the switch by this domain, and itself within it.
    pub fn within(mut self, domain: &str) -> Self {
        self.xml = self.xml.replace("[remote_ip]:[remote_port]", domain).replace("[remote_ip]", domain);
        self
    }

    /// Its INVITEs go to another domain than its own.
    pub fn dials_into(mut self, own: &str, other: &str) -> Self {
        self.xml = self
            .xml
            .replace(&format!("INVITE sip:[service]@{own}"), &format!("INVITE sip:[service]@{other}"));
        self
    }

    /// Takes a key by INFO.
    pub fn takes_info(self) -> Self {
        self.receives_request("INFO").agrees()
    }

    /// Waits until the test says go on.
    pub fn waits_for_word(mut self) -> Self {
        self.xml.push_str(WORD);
        self.index += 1;
        self
    }

    /// Gives up the call it made before an answer; the switch says 487.
    pub fn cancels(self) -> Self {
        let (cseq, branch) = (self.cseq, format!("[branch-{}]", self.index - self.invite));
        let sent = self.request("CANCEL", SERVICE, cseq, &branch, "", "");
        sent.receives(200).receives(487).acknowledges_refusal()
    }

    /// Answers the INVITE with a status and no body.
    pub fn says(self, status: u16, reason: &str) -> Self {
        self.respond(status, reason, "")
    }

    /// Answers the INVITE with 200 and a session description, and waits for ACK.
    pub fn answers(mut self) -> Self {
        let body = self.describe("sendrecv");
        let mut this = self.respond(200, "OK", &body);
        if this.xml.contains(WORD) {
            // An INVITE that was sent again before the switch had heard of the ringing: SIPp knows one by its being the same
            // as what came last, which is the word here.
            this.xml.push_str("<recv request=\"INVITE\" optional=\"true\"/>\n");
            this.index += 1;
        }
        this.receives_request("ACK")
    }

    /// Rings and answers at once.
    pub fn rings_and_answers(self) -> Self {
        self.says(180, "Ringing").answers()
    }

    fn respond(self, status: u16, reason: &str, body: &str) -> Self {
        self.respond_with(status, reason, "", body)
    }

    fn respond_with(self, status: u16, reason: &str, more: &str, body: &str) -> Self {
        let kind = if body.is_empty() { "" } else { "Content-Type: application/sdp\n" };
        let length = if body.is_empty() { "0" } else { "[len]" };
        self.send(&format!(
            "SIP/2.0 {status} {reason}\nVia:[$via]\nFrom:[$from]\nTo:[$to];tag=[pid]a[call_number]\n\
             Call-ID: [call_id]\nCSeq:[$cseq]\nContact: <sip:[service]@[local_ip]:[local_port];transport=[transport]>\n\
             {more}{kind}Content-Length: {length}\n\n{body}"
        ))
    }

    /// Rings, says that it can be told to answer, and answers when it is told (NOTIFY with the event "talk").
    pub fn answers_when_ordered(self) -> Self {
        let rings = self.respond_with(180, "Ringing", "Allow-Events: talk, hold\n", "");
        rings.receives_request("NOTIFY").agrees().answers()
    }

    /// Waits for a request.
    pub fn receives_request(mut self, method: &str) -> Self {
        let _ = writeln!(self.xml, "<recv request=\"{method}\"/>");
        self.index += 1;
        self
    }

    /// Answers the last request with 200.
    pub fn agrees(self) -> Self {
        self.agrees_with("", "")
    }

    fn agrees_with(self, more: &str, body: &str) -> Self {
        let kind = if body.is_empty() { "" } else { "Content-Type: application/sdp\n" };
        let length = if body.is_empty() { "0" } else { "[len]" };
        self.send(&format!(
            "SIP/2.0 200 OK\n[last_Via:]\n[last_From:]\n[last_To:]\n[last_Call-ID:]\n[last_CSeq:]\n\
             Contact: <sip:[service]@[local_ip]:[local_port];transport=[transport]>\n{more}{kind}Content-Length: {length}\n\n{body}"
        ))
    }

    /// Is cancelled: CANCEL, its 200, 487 to the INVITE, ACK.
    pub fn is_cancelled(self) -> Self {
        let taken = self.receives_request("CANCEL").agrees();
        taken.says(487, "Request Terminated").receives_request("ACK")
    }

    /// Takes a re-INVITE and answers it with this direction.
    pub fn is_offered_again(mut self, way: &str) -> Self {
        let body = self.describe(way);
        // Its ACK is sure to come at once; it is not repeated.
        self.receives_request("INVITE").agrees_with("", &body).receives_request("ACK")
    }

    /// Hangs up.
    pub fn hangs_up(mut self) -> Self {
        self.cseq += 1;
        let (cseq, uri) = (self.cseq, self.target());
        self.request("BYE", uri, cseq, "[branch]", "", "").receives(200)
    }

    /// Is hung up on.
    pub fn is_hung_up(self) -> Self {
        self.receives_request("BYE").agrees()
    }

    /// Hangs up when the test says so, or is hung up on, whichever comes first. The last step.
    pub fn ends(mut self) -> Self {
        self.labels += 1;
        let (ended, done) = (self.labels, self.labels + 1);
        self.labels += 1;
        let _ = writeln!(self.xml, "<recv request=\"BYE\" optional=\"true\" next=\"{ended}\"/>");
        self.index += 1;
        let mut this = self.waits_for_word().hangs_up();
        // The answer to its BYE is the last message on this branch of the ladder.
        if let Some(at) = this.xml.rfind("/>\n") {
            this.xml.insert_str(at, &format!(" next=\"{done}\""));
        }
        let _ = writeln!(this.xml, "<label id=\"{ended}\"/>");
        let mut this = this.agrees();
        let _ = writeln!(this.xml, "<label id=\"{done}\"/>");
        this
    }

    /// Writes the scenario to a file for SIPp.
    pub fn write(&self, dir: &Path, name: &str) -> Result<PathBuf, Fail> {
        let path = dir.join(format!("{name}.xml"));
        let xml = &self.xml;
        let text = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<scenario name=\"{name}\">\n{xml}</scenario>\n"
        );
        std::fs::write(&path, text)?;
        Ok(path)
    }
}

/// The test says go on.
const WORD: &str = "<recv request=\"MESSAGE\"/>\n";
/// The Request-URI of a request outside a dialog.
const SERVICE: &str = "sip:[service]@[remote_ip]:[remote_port]";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_acknowledged_on_the_branch_of_its_invite() {
        let scenario = Scenario::caller(MU_LAW).invites().is_refused(404);
        let ack = scenario.xml.split("ACK sip").nth(1).unwrap_or_default();
        // INVITE, 100, 180, 183, 404, ACK: five messages back.
        assert!(ack.contains("branch=[branch-5]"), "{ack}");
    }

    #[test]
    fn a_phone_that_may_end_either_way_has_both_ways() {
        let xml = Scenario::called(MU_LAW).rings_and_answers().ends().xml;
        assert!(xml.contains("<recv request=\"BYE\" optional=\"true\" next=\"1\"/>"), "{xml}");
        assert!(xml.contains("<recv response=\"200\" rrs=\"true\" next=\"2\"/>"), "{xml}");
    }
}
