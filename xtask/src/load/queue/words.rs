//! What both sides say and read: SIP messages as texts, over one UDP socket for all calls of a side.

use std::io::{self, IoSliceMut};
use std::net::UdpSocket;
use std::os::fd::{AsFd, AsRawFd};
use std::time::{Duration, SystemTime};

use nix::sys::socket::{ControlMessageOwned, MsgFlags, recvmsg, setsockopt, sockopt};
use nix::sys::time::TimeSpec;

use super::super::place::SIP;
use super::super::probe::header;

/// Where the callers are, by a trunk, and where the agents' phones are.
pub(super) const CALLERS: &str = "127.0.0.10";
pub(super) const AGENTS: &str = "127.0.0.9";
/// The port that session descriptions name; nobody hears there.
const MEDIA: u16 = 40_000;
/// What a socket may keep while its thread does not run: a thousand BYEs at once, and their INVITEs.
const BUFFER: usize = 8 << 20;
/// Longest wait for a message before timers are looked at.
const TICK: Duration = Duration::from_millis(1);
/// What is not answered is sent again after this (RFC 3261 17.1: T1).
pub(super) const AGAIN: Duration = Duration::from_millis(500);

/// The socket of a side.
pub(super) struct Side {
    socket: UdpSocket,
    address: &'static str,
    buf: Vec<u8>,
    /// Room for when a message came.
    stamp: Vec<u8>,
    /// How long the message that was heard last had been there before.
    lay: Duration,
}

impl Side {
    pub(super) fn at(address: &'static str) -> io::Result<Self> {
        let socket = UdpSocket::bind(format!("{address}:5060"))?;
        // More than the system's limit takes a right; without it there is what the system gives.
        if setsockopt(&socket.as_fd(), sockopt::RcvBufForce, &BUFFER).is_err() {
            setsockopt(&socket.as_fd(), sockopt::RcvBuf, &BUFFER)?;
        }
        socket.connect(SIP)?;
        socket.set_read_timeout(Some(TICK))?;
        setsockopt(&socket.as_fd(), sockopt::ReceiveTimestampns, &true)?;
        let stamp = nix::cmsg_space!(TimeSpec);
        Ok(Self { socket, address, buf: vec![0; 65_535], stamp, lay: Duration::ZERO })
    }

    /// How long the message that was heard last had been there before, nanoseconds: this thread's own lateness.
    pub(super) fn lay(&self) -> u64 {
        u64::try_from(self.lay.as_nanos()).unwrap_or(u64::MAX)
    }

    /// The next message; none if none comes soon.
    pub(super) fn hear(&mut self) -> io::Result<Option<String>> {
        match self.receive() {
            Ok(length) => {
                Ok(Some(String::from_utf8_lossy(self.buf.get(..length).unwrap_or_default()).into_owned()))
            }
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::WouldBlock
                        | io::ErrorKind::TimedOut
                        | io::ErrorKind::ConnectionRefused
                        | io::ErrorKind::Interrupted
                ) =>
            {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    fn receive(&mut self) -> io::Result<usize> {
        let mut into = [IoSliceMut::new(&mut self.buf)];
        let got =
            recvmsg::<()>(self.socket.as_raw_fd(), &mut into, Some(&mut self.stamp), MsgFlags::empty())?;
        let came = got.cmsgs()?.find_map(|said| match said {
            ControlMessageOwned::ScmTimestampns(at) => Some(Duration::from(at)),
            _ => None,
        });
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        self.lay = came.map_or(Duration::ZERO, |came| now.saturating_sub(came));
        Ok(got.bytes)
    }

    pub(super) fn say(&self, text: &str) -> io::Result<()> {
        match self.socket.send(text.as_bytes()) {
            // The switch is gone, or its socket is full: it is said again where an answer is missed.
            Err(error)
                if matches!(error.kind(), io::ErrorKind::ConnectionRefused | io::ErrorKind::WouldBlock) =>
            {
                Ok(())
            }
            said => said.map(drop),
        }
    }

    /// A request with these values of From and To.
    pub(super) fn request(&self, method: &str, target: &str, talk: Talk<'_>, more: &str) -> String {
        let Talk { from, to, id, cseq } = talk;
        let address = self.address;
        let head = format!(
            "{method} {target} SIP/2.0\r\nVia: SIP/2.0/UDP {address}:5060;branch=z9hG4bK{id}.{cseq}.{method}\r\n\
             From: {from}\r\nTo: {to}\r\nCall-ID: {id}\r\nCSeq: {cseq} {method}\r\n\
             Contact: <sip:load@{address}:5060>\r\nMax-Forwards: 70\r\n{more}"
        );
        // as a browser asks: a caller is one open file of the switch then, and not two
        self.whole(head, (method == "INVITE").then_some("a=rtcp-mux\r\n"))
    }

    /// A 200 to a request, with a description if it is an INVITE.
    pub(super) fn agreement(&self, request: &str) -> String {
        let mut head = String::from("SIP/2.0 200 OK\r\n");
        for line in request.lines().take_while(|line| !line.is_empty()) {
            let name = line.split(':').next().unwrap_or_default();
            if ["Via", "Record-Route", "From", "Call-ID", "CSeq"].contains(&name) {
                head.push_str(&format!("{line}\r\n"));
            } else if name == "To" {
                let tag = if line.contains(";tag=") { "" } else { ";tag=load" };
                head.push_str(&format!("{line}{tag}\r\n"));
            }
        }
        head.push_str(&format!("Contact: <sip:load@{}:5060>\r\n", self.address));
        self.whole(head, request.starts_with("INVITE ").then_some(""))
    }

    /// With a description that says `more`, or none.
    fn whole(&self, head: String, more: Option<&str>) -> String {
        let Some(more) = more else {
            return format!("{head}Content-Length: 0\r\n\r\n");
        };
        let address = self.address;
        let body = format!(
            "v=0\r\no=- 1 1 IN IP4 {address}\r\ns=-\r\nc=IN IP4 {address}\r\nt=0 0\r\nm=audio {MEDIA} RTP/AVP 8\r\n\
             a=rtpmap:8 PCMA/8000\r\na=ptime:20\r\n{more}"
        );
        let length = body.len();
        format!("{head}Content-Type: application/sdp\r\nContent-Length: {length}\r\n\r\n{body}")
    }
}

/// Whose request it is.
#[derive(Clone, Copy)]
pub(super) struct Talk<'a> {
    pub(super) from: &'a str,
    pub(super) to: &'a str,
    pub(super) id: &'a str,
    pub(super) cseq: u32,
}

/// The status of a response, and the method that it answers.
pub(super) fn status(text: &str) -> Option<(u16, &str)> {
    let code = text.strip_prefix("SIP/2.0 ")?.get(..3)?.parse().ok()?;
    Some((code, header(text, "CSeq")?.split_whitespace().nth(1)?))
}

/// The address of a Contact.
pub(super) fn contact(text: &str) -> Option<&str> {
    header(text, "Contact")?.split(['<', '>']).nth(1)
}

/// The user part of the address in a header or a request line.
pub(super) fn user(text: &str) -> Option<&str> {
    text.split_once("sip:")?.1.split(['@', '>', ' ', ';']).next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_read_by_status_user_and_contact() {
        let text =
            "SIP/2.0 401 Unauthorized\r\nCSeq: 7 REGISTER\r\nContact: <sip:a1@127.0.0.9:5060>;q=1\r\n\r\n";
        assert_eq!(status(text), Some((401, "REGISTER")));
        assert_eq!(contact(text), Some("sip:a1@127.0.0.9:5060"));
        assert_eq!(status("INVITE sip:a1@127.0.0.9 SIP/2.0\r\n\r\n"), None);
        assert_eq!(user("INVITE sip:a17@127.0.0.9:5060 SIP/2.0"), Some("a17"));
        assert_eq!(user("\"x\" <sip:5000003@127.0.0.1>;tag=4"), Some("5000003"));
    }
}
