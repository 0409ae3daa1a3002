//! A phone or gateway on a bare socket, for what SIPp and real phones do not do: several flows, keep-alives, sudden ends.
//!
//! Only the reading of messages and the digest arithmetic are the switch's own; both have test vectors of their own.

use crate::config::PASSWORD;
use crate::fail::{Fail, fail};
use crate::process::{SOON, wait_for};
use cordboard_sip::auth::{Identity, answer_challenge};
use cordboard_sip::wire::{Frame, Framer, HeaderName, Message, Method, Uri, parse_datagram};
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::time::{Duration, Instant};

/// How long a read blocks.
const LOOK: Duration = Duration::from_millis(20);

enum Way {
    Udp { socket: UdpSocket, switch: SocketAddr },
    Tcp { stream: TcpStream, framer: Framer },
}

/// See the module.
pub struct Peer {
    way: Way,
    /// Its own address.
    pub at: SocketAddr,
    /// Read and not asked for yet.
    waiting: Vec<Message>,
    serial: u32,
}

impl Peer {
    /// At this address over UDP, speaking with the switch there.
    pub fn udp(at: &str, switch: &str) -> Result<Self, Fail> {
        let socket = UdpSocket::bind(at)?;
        socket.set_read_timeout(Some(LOOK))?;
        let at = socket.local_addr()?;
        let switch = switch.parse().map_err(|_| Fail(format!("{switch} is no address")))?;
        Ok(Self::with(Way::Udp { socket, switch }, at))
    }

    /// The same, hearing nothing but what comes from there.
    pub fn udp_from(at: &str, switch: &str) -> Result<Self, Fail> {
        let peer = Self::udp(at, switch)?;
        if let Way::Udp { socket, switch } = &peer.way {
            socket.connect(switch)?;
        }
        Ok(peer)
    }

    /// A connection to the switch.
    pub fn tcp(switch: &str) -> Result<Self, Fail> {
        Self::of_stream(TcpStream::connect(switch)?)
    }

    /// The connection that the switch opens to this listener.
    pub fn accept(listener: &TcpListener) -> Result<Self, Fail> {
        listener.set_nonblocking(true)?;
        let stream = wait_for("a connection of the switch", SOON, || listener.accept().ok())?.0;
        stream.set_nonblocking(false)?;
        Self::of_stream(stream)
    }

    fn of_stream(stream: TcpStream) -> Result<Self, Fail> {
        stream.set_read_timeout(Some(LOOK))?;
        stream.set_nodelay(true)?;
        let at = stream.local_addr()?;
        Ok(Self::with(Way::Tcp { stream, framer: Framer::new() }, at))
    }

    fn with(way: Way, at: SocketAddr) -> Self {
        Self { way, at, waiting: Vec::new(), serial: u32::from(at.port()) * 1_000 }
    }

    /// Sends any bytes.
    pub fn send_bytes(&mut self, bytes: &[u8]) -> Result<(), Fail> {
        match &mut self.way {
            Way::Udp { socket, switch } => socket.send_to(bytes, *switch).map(drop)?,
            Way::Tcp { stream, .. } => stream.write_all(bytes)?,
        }
        Ok(())
    }

    /// Sends a message.
    pub fn send(&mut self, message: &Message) -> Result<(), Fail> {
        self.send_bytes(&message.to_bytes())
    }

    /// Reads what is there; a datagram that is no SIP is given back.
    fn read(&mut self) -> Result<Option<Vec<u8>>, Fail> {
        let mut buf = [0; 65_536];
        match &mut self.way {
            Way::Udp { socket, .. } => match socket.recv_from(&mut buf) {
                Ok((len, _)) => match parse_datagram(&buf[..len]) {
                    Ok(message) => self.waiting.push(message),
                    Err(_) => return Ok(Some(buf[..len].to_vec())),
                },
                Err(why) if matches!(why.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
                Err(why) => return Err(why.into()),
            },
            Way::Tcp { stream, framer } => match stream.read(&mut buf) {
                Ok(0) => return fail("the switch has closed the connection"),
                Ok(len) => {
                    framer.push(&buf[..len]);
                    for frame in framer.by_ref() {
                        if let Frame::Message(message) = frame {
                            self.waiting.push(message);
                        }
                    }
                }
                Err(why) if matches!(why.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
                Err(why) => return Err(why.into()),
            },
        }
        Ok(None)
    }

    /// The next datagram that is no SIP message, if one comes within `limit`.
    pub fn other(&mut self, limit: Duration) -> Result<Option<Vec<u8>>, Fail> {
        let end = Instant::now() + limit;
        while Instant::now() < end {
            if let Some(bytes) = self.read()? {
                return Ok(Some(bytes));
            }
        }
        Ok(None)
    }

    /// The next message of this kind: `INVITE` for a request, `200 INVITE` for a response. Others are kept.
    pub fn receive(&mut self, kind: &str) -> Result<Message, Fail> {
        match self.look(kind, SOON)? {
            Some(message) => Ok(message),
            None => fail(format!("no {kind} came to {}, but {:?}", self.at, self.kinds())),
        }
    }

    /// The same within `limit`, or none.
    pub fn look(&mut self, kind: &str, limit: Duration) -> Result<Option<Message>, Fail> {
        let end = Instant::now() + limit;
        loop {
            if let Some(at) = self.waiting.iter().position(|message| kind_of(message) == kind) {
                return Ok(Some(self.waiting.remove(at)));
            }
            if Instant::now() >= end {
                return Ok(None);
            }
            self.read()?;
        }
    }

    /// Kinds of the messages that nobody asked for.
    pub fn kinds(&self) -> Vec<String> {
        self.waiting.iter().map(kind_of).collect()
    }

    /// Answers a request.
    pub fn answer(&mut self, request: &Message, code: u16) -> Result<(), Fail> {
        self.answer_with(request, code, |_| {})
    }

    /// The same with more in it.
    pub fn answer_with(
        &mut self,
        request: &Message,
        code: u16,
        add: impl FnOnce(&mut Message),
    ) -> Result<(), Fail> {
        let mut response = Message::response_to(request, code);
        if code > 100 && request.to().is_ok_and(|to| to.tag().is_none()) {
            response.set_to_tag(&format!("t{}", self.at.port()));
        }
        add(&mut response);
        self.send(&response)
    }

    /// A new request outside any dialog, as a text with these further header lines (each ended by a line end).
    pub fn request(&mut self, method: &str, uri: &str, user: &str, more: &str) -> Result<Message, Fail> {
        self.serial += 1;
        let (at, n) = (self.at, self.serial);
        let (transport, rport) = match self.way {
            Way::Udp { .. } => ("UDP", ";rport"),
            Way::Tcp { .. } => ("TCP", ""),
        };
        let to = if method == "REGISTER" { format!("sip:{user}@localhost") } else { uri.to_owned() };
        let text = format!(
            "{method} {uri} SIP/2.0\r\nVia: SIP/2.0/{transport} {at};branch=z9hG4bKp{n}{rport}\r\nMax-Forwards: 70\r\n\
             From: <sip:{user}@localhost>;tag=f{n}\r\nTo: <{to}>\r\nCall-ID: p{n}@{at}\r\nCSeq: {n} {method}\r\n\
             {more}Content-Length: 0\r\n\r\n"
        );
        parse_datagram(text.as_bytes()).map_err(|why| Fail(format!("{why:?} in {text}")))
    }

    /// The ACK of a refusal.
    pub fn ack_of(&self, refusal: &Message) -> Result<Message, Fail> {
        let (Ok(via), Ok(cseq)) = (refusal.via_top(), refusal.cseq()) else {
            return fail(format!("{refusal:?} has no Via or CSeq"));
        };
        let uri = Uri::parse("sip:switch@127.0.0.1").ok_or(Fail("no URI".into()))?;
        let mut ack = Message::request(Method::Ack, uri);
        ack.push(HeaderName::Via, via.to_string());
        for name in [HeaderName::From, HeaderName::To, HeaderName::CallId] {
            ack.push(name.clone(), refusal.header(&name).unwrap_or_default());
        }
        ack.push(HeaderName::CSeq, format!("{} ACK", cseq.seq));
        Ok(ack)
    }

    /// Sends a request and gives its final response, with the digest of `user` when that is asked for.
    pub fn asks(&mut self, request: Message, user: &str) -> Result<Message, Fail> {
        let method = request.method().map(ToString::to_string).unwrap_or_default();
        let mut request = request;
        self.send(&request)?;
        let mut answer = self.final_response(&method)?;
        if answer.status() == Some(401) {
            request = self.with_digest(request, &answer, user)?;
            self.send(&request)?;
            answer = self.final_response(&method)?;
        }
        Ok(answer)
    }

    /// A request with the digest that a first try was asked for, not sent yet.
    pub fn proves(&mut self, request: Message, user: &str) -> Result<Message, Fail> {
        let method = request.method().map(ToString::to_string).unwrap_or_default();
        self.send(&request)?;
        let challenge = self.final_response(&method)?;
        self.with_digest(request, &challenge, user)
    }

    fn with_digest(&mut self, request: Message, challenge: &Message, user: &str) -> Result<Message, Fail> {
        let (mut request, method) = (request, challenge.cseq().map(|cseq| cseq.method.to_string()));
        let method = method.map_err(|why| Fail(format!("{why:?}")))?;
        let identity = Identity { username: user, password: PASSWORD };
        let (name, value) = answer_challenge(challenge, &request, identity, "c0ffee", 1)
            .map_err(|why| Fail(format!("{why:?}")))?;
        self.serial += 1;
        let n = self.serial;
        let mut via = request.via_top().map_err(|why| Fail(format!("{why:?}")))?;
        via.params.set("branch", Some(&format!("z9hG4bKp{n}")));
        request.set_via_top(&via);
        request.set(HeaderName::CSeq, format!("{n} {method}"));
        request.set(name, value);
        Ok(request)
    }

    fn final_response(&mut self, method: &str) -> Result<Message, Fail> {
        let end = Instant::now() + SOON;
        let is_it = |message: &Message| {
            message.status().is_some_and(|code| code >= 200) && kind_of(message).ends_with(method)
        };
        loop {
            if let Some(at) = self.waiting.iter().position(is_it) {
                return Ok(self.waiting.remove(at));
            }
            if Instant::now() >= end {
                return fail(format!("no answer to {method} came to {}: {:?}", self.at, self.kinds()));
            }
            self.read()?;
        }
    }

    /// Registers `user` with this Contact value; gives the 200.
    pub fn registers(&mut self, user: &str, contact: &str, more: &str) -> Result<Message, Fail> {
        let more = format!("Contact: {contact}\r\n{more}");
        let request = self.request("REGISTER", "sip:localhost", user, &more)?;
        let answer = self.asks(request, user)?;
        match answer.status() {
            Some(200) => Ok(answer),
            other => fail(format!("{user} got {other:?} for its REGISTER")),
        }
    }
}

/// `INVITE` for a request, `200 INVITE` for a response.
pub fn kind_of(message: &Message) -> String {
    let method = message.cseq().map(|cseq| cseq.method.to_string()).unwrap_or_default();
    match message.status() {
        Some(code) => format!("{code} {method}"),
        None => method,
    }
}
