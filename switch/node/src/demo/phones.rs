//! One simulated phone on real sockets.

use crate::boot::BootError;
use cordboard_model::time::Time;
use cordboard_sim::phone::{Phone, PhoneCommand, PhoneConfig, PhoneEvent, PhoneInput, PhoneOutput};
use std::io;
use std::net::{SocketAddr, UdpSocket};

/// Datagrams read from one socket in its turn.
const BURST: usize = 32;

/// A phone with its sockets.
pub struct Handset {
    phone: Phone,
    sip: UdpSocket,
    /// RTP and RTCP of each line.
    lines: Vec<(UdpSocket, UdpSocket)>,
}

fn bind(addr: SocketAddr) -> Result<UdpSocket, BootError> {
    let bound = UdpSocket::bind(addr).and_then(|socket| socket.set_nonblocking(true).map(|()| socket));
    bound.map_err(|why| BootError::Bind("a phone of the demo", addr, why))
}

impl Handset {
    /// Binds the phone's sockets.
    ///
    /// # Errors
    /// One of them is in use.
    pub fn new(config: PhoneConfig, now: Time) -> Result<Self, BootError> {
        let sip = bind(config.sip_addr)?;
        let mut lines = Vec::new();
        for line in 0..config.lines {
            let mut rtp = config.rtp_addr;
            rtp.set_port(rtp.port() + 2 * line);
            let mut rtcp = rtp;
            rtcp.set_port(rtp.port() + 1);
            lines.push((bind(rtp)?, bind(rtcp)?));
        }
        Ok(Self { phone: Phone::new(config, now), sip, lines })
    }

    /// Tells the phone something.
    pub fn command(&mut self, command: PhoneCommand, now: Time) {
        self.phone.handle_command(command, now);
    }

    /// Reads what came, lets deadlines act, sends what is due. Gives what happened.
    pub fn turn(&mut self, now: Time, buf: &mut [u8]) -> Vec<PhoneEvent> {
        for _ in 0..BURST {
            let Ok((len, from)) = self.sip.recv_from(buf) else { break };
            let bytes = buf.get(..len).unwrap_or_default();
            self.phone.handle_input(PhoneInput::Sip { from, bytes }, now);
        }
        for line in 0..self.lines.len() {
            for _ in 0..BURST {
                let Some((rtp, _)) = self.lines.get(line) else { break };
                let Ok((len, _)) = rtp.recv_from(buf) else { break };
                let (line, bytes) = (line as u16, buf.get(..len).unwrap_or_default());
                self.phone.handle_input(PhoneInput::Rtp { line, bytes }, now);
            }
        }
        if self.phone.poll_timeout().is_some_and(|(at, _)| at <= now) {
            self.phone.handle_timeout(now);
        }
        let mut happened = Vec::new();
        while let Some(output) = self.phone.poll_output() {
            match output {
                PhoneOutput::Event(event) => happened.push(event),
                PhoneOutput::Sip { to, bytes } => sent(self.sip.send_to(&bytes, to)),
                PhoneOutput::Rtp { line, to, bytes } => {
                    if let Some((rtp, _)) = self.lines.get(usize::from(line)) {
                        sent(rtp.send_to(&bytes, to));
                    }
                }
                PhoneOutput::Rtcp { line, to, bytes } => {
                    if let Some((_, rtcp)) = self.lines.get(usize::from(line)) {
                        sent(rtcp.send_to(&bytes, to));
                    }
                }
            }
        }
        happened
    }

    /// When it wants its next turn at the latest.
    pub fn due(&self) -> Option<Time> {
        self.phone.poll_timeout().map(|(at, _)| at)
    }
}

/// A datagram that could not be sent is one that the network lost: the phone's own timers deal with it.
fn sent(_: io::Result<usize>) {}
