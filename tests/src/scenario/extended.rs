//! Steps beyond the plain call: reliable provisional responses, UPDATE, session timers, offers that come late or name
//! another medium.

use super::{SERVICE, Scenario};
use std::fmt::Write;

/// The `way` of a description that holds as phones did before RFC 3264: sent to nowhere (RFC 2543 B.5).
pub const NOWHERE: &str = "0.0.0.0";

/// T.38 over UDPTL, as a fax machine's gateway offers it.
const T38: &str = "v=0\no=sipp 53655765 9 IN IP[media_ip_type] [media_ip]\ns=-\n\
                   c=IN IP[media_ip_type] [media_ip]\nt=0 0\nm=image [rtp] udptl t38\n\
                   a=T38FaxVersion:0\na=T38MaxBitRate:14400\na=T38FaxRateManagement:transferredTCF\n";

impl Scenario {
    /// Calls [service] with these headers, each with its line end.
    pub fn invites_saying(self, headers: &str) -> Self {
        self.invites_with(headers)
    }

    /// Calls [service] without a description: the offer is to come in the answer (RFC 3261 13.2.1).
    pub fn invites_without_offer(mut self) -> Self {
        self.cseq += 1;
        self.invite = self.index;
        let cseq = self.cseq;
        self.request("INVITE", SERVICE, cseq, "[branch]", "", "")
    }

    /// Acknowledges the 200 of an INVITE without an offer with the answer to the offer in it.
    pub fn acknowledges_with_answer(mut self) -> Self {
        let (cseq, uri, body) = (self.cseq, self.target(), self.describe("sendrecv"));
        self.request("ACK", uri, cseq, "[branch]", "", &body)
    }

    /// Waits for a provisional response that is reliable, and acknowledges it (RFC 3262 4).
    pub fn acknowledges_reliable(mut self, status: u16) -> Self {
        let _ = writeln!(
            self.xml,
            "<recv response=\"{status}\" rrs=\"true\"><action>\n\
             <ereg regexp=\"[0-9]+\" search_in=\"hdr\" header=\"RSeq:\" check_it=\"true\" assign_to=\"rseq\"/>\n\
             <ereg regexp=\"100rel\" search_in=\"hdr\" header=\"Require:\" check_it=\"true\" assign_to=\"rel\"/>\n\
             </action></recv>\n<Reference variables=\"rel\"/>"
        );
        self.index += 1;
        let invite = self.cseq;
        self.cseq += 1;
        let (cseq, uri) = (self.cseq, self.target());
        let rack = format!("RAck: [$rseq] {invite} INVITE\n");
        self.request("PRACK", uri, cseq, "[branch]", &rack, "").receives(200)
    }

    /// Acknowledges the 200 of the first INVITE after requests of other kinds.
    pub fn acknowledges_first(self) -> Self {
        let uri = self.target();
        self.request("ACK", uri, 1, "[branch]", "", "")
    }

    /// Answers the INVITE with 183 and a description, reliably, and has it acknowledged (RFC 3262 3).
    pub fn progresses_reliably(mut self) -> Self {
        let body = self.describe("sendrecv");
        let said = self.respond_with(183, "Session Progress", "Require: 100rel\nRSeq: 4711\n", &body);
        said.receives_request("PRACK").agrees()
    }

    /// Answers the INVITE with 200 and no description: it was in a reliable response. Waits for ACK.
    pub fn answers_without_description(self) -> Self {
        self.says(200, "OK").receives_request("ACK")
    }

    /// Answers the INVITE with 200, these headers, each with its line end, and a description; waits for ACK.
    pub fn answers_saying(mut self, headers: &str) -> Self {
        let body = self.describe("sendrecv");
        self.respond_with(200, "OK", headers, &body).receives_request("ACK")
    }

    /// Refreshes the session with the description that holds (RFC 4028 7.4).
    pub fn refreshes_by_reinvite(mut self, headers: &str) -> Self {
        self.cseq += 1;
        self.invite = self.index;
        // "the version number in the origin field is not changed": an unchanged description (RFC 3264 8)
        self.version -= 1;
        let (cseq, uri, body) = (self.cseq, self.target(), self.describe("sendrecv"));
        self.request("INVITE", uri, cseq, "[branch]", headers, &body).is_agreed()
    }

    /// Refreshes the session by UPDATE, without a description.
    pub fn refreshes_by_update(mut self, headers: &str) -> Self {
        self.cseq += 1;
        let (cseq, uri) = (self.cseq, self.target());
        self.request("UPDATE", uri, cseq, "[branch]", headers, "").receives(200)
    }

    /// Takes a refresh by re-INVITE, and answers with the description that holds and these headers.
    pub fn is_refreshed_by_reinvite(mut self, headers: &str) -> Self {
        self.version -= 1;
        let body = self.describe("sendrecv");
        let taken = self.receives_request("INVITE").agrees_with(headers, &body);
        taken.receives_request("ACK")
    }

    /// Takes a refresh by UPDATE, and answers with these headers.
    pub fn is_refreshed_by_update(self, headers: &str) -> Self {
        self.receives_request("UPDATE").agrees_with(headers, "")
    }

    /// Offers a fax stream in place of the audio, is refused with 488, and acknowledges that in the dialog.
    pub fn offers_fax_in_vain(mut self) -> Self {
        self.cseq += 1;
        self.invite = self.index;
        let (cseq, uri) = (self.cseq, self.target());
        let asked = self.request("INVITE", uri, cseq, "[branch]", "", T38).may_receive(100).receives(488);
        let branch = format!("[branch-{}]", asked.index - asked.invite);
        asked.request("ACK", uri, cseq, &branch, "", "")
    }
}

#[cfg(test)]
mod tests {
    use super::super::MU_LAW;
    use super::*;

    #[test]
    fn a_refresh_says_the_description_that_holds() {
        let called = Scenario::called(MU_LAW).answers().is_refreshed_by_reinvite("").xml;
        let versions: Vec<&str> = called.lines().filter(|line| line.starts_with("o=")).collect();
        assert_eq!(versions.len(), 2, "{called}");
        assert_eq!(versions[0], versions[1], "{called}");
    }

    #[test]
    fn a_prack_names_the_invite_and_the_next_request_counts_on() {
        let xml = Scenario::caller(MU_LAW).invites().acknowledges_reliable(180).xml;
        assert!(xml.contains("RAck: [$rseq] 1 INVITE"), "{xml}");
        assert!(xml.contains("CSeq: 2 PRACK"), "{xml}");
    }
}
