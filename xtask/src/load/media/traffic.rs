//! RTP of many calls from one thread: each end sends a packet every 20 ms, spread over the 20 ms, and every packet that
//! comes out of what is measured is counted and timed.
//!
//! Invariant: a packet carries its end and the time it was sent; when it came out is told by the kernel, so that neither
//! this thread's turn nor its wake-ups are in what is measured. All ends share a few sockets: what is measured is
//! the switch's sockets, not ours.

use std::collections::HashMap;
use std::io::{self, IoSliceMut};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, UdpSocket};
use std::os::fd::AsRawFd;
use std::rc::Rc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::words::{Ear, Pace, turn as word_turn};
use crate::load::talk::A_LAW;
use nix::cmsg_space;
use nix::sys::socket::{ControlMessageOwned, MsgFlags, SockaddrIn, recvmsg, setsockopt, sockopt};
use nix::sys::time::TimeSpec;

/// Sockets of all ends.
const EARS: usize = 8;
/// What each of them may hold: a hundred milliseconds of a thousand calls.
const HELD: usize = 16 << 20;
/// Turns in which the ends of 20 ms are sent.
const TURNS: usize = 20;
const TURN: Duration = Duration::from_millis(1);
/// What is under way comes out within this.
const DRAIN: Duration = Duration::from_millis(300);
/// The fixed part of an RTP header.
const HEADER: usize = 12;
/// Behind the header: whose packet it is, and when it was sent, nanoseconds of the wall clock.
const MARK: usize = 12;

/// What one end sends.
#[derive(Clone, Copy, Debug)]
pub(super) struct Voice {
    pub(super) payload_type: u8,
    /// Its name in a session description.
    pub(super) map: &'static str,
    /// Bytes of payload, those of the mark included.
    pub(super) payload: usize,
    /// Whether what comes out carries the mark: nothing decodes it on its way.
    pub(super) marked: bool,
    /// Ticks of the RTP clock in 20 ms.
    pub(super) ticks: u32,
    /// Whose speech it is, by the name of the codec; silence of A-law without.
    pub(super) speech: Option<&'static str>,
}

/// Packets of speech, one after another.
pub(super) type Speech = Rc<[Vec<u8>]>;

/// What a talker says in a codec.
#[derive(Clone, Debug)]
pub(super) struct Talk {
    /// Without a pause.
    pub(super) speech: Speech,
    /// A word and a murmur.
    pub(super) word: Speech,
}

/// How it is told how late a packet is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Timing {
    /// By the time that it carries, where nothing decodes it.
    Marks,
    /// By the words that its listener hears begin; each party of a call says one in its turn. The codecs have what they have with
    /// speech.
    Words,
    /// By its timestamp: nobody's packets drive it.
    Pace,
}

/// Twenty milliseconds of A-law, passed on as they are.
pub(super) const RELAYED: Voice =
    Voice { payload_type: A_LAW.0, map: A_LAW.1, payload: 160, marked: true, ticks: 160, speech: None };
/// The same, for an end whose other end has another codec, or none.
pub(super) const DECODED: Voice = Voice { marked: false, ..RELAYED };
/// Speech in A-law.
pub(super) const SPOKEN: Voice = Voice { speech: Some("PCMA"), ..DECODED };
/// Speech in G.722.
pub(super) const WIDE: Voice = Voice { payload_type: 9, map: "G722/8000", speech: Some("G722"), ..DECODED };
/// Speech in Opus, by the number that the switch offers: who answers sends under that.
pub(super) const OPUS: Voice =
    Voice { payload_type: 111, map: "opus/48000/2", ticks: 960, speech: Some("opus"), ..DECODED };

struct End {
    /// Where it sends to; one that hears alone sends nothing.
    to: Option<SocketAddr>,
    voice: Voice,
    /// Packets sent so far.
    sent: u32,
    packet: Vec<u8>,
    talk: Option<Talk>,
    /// Its call, and its place there.
    call: usize,
    party: usize,
    ear: Ear,
    pace: Pace,
}

/// All ends. Those of a call follow each other.
pub(super) struct Traffic {
    ears: Vec<UdpSocket>,
    ends: Vec<End>,
    /// When the last word was said in each call, nanoseconds of the wall clock.
    words: Vec<u64>,
    /// The end that hears what comes from there.
    hearing: HashMap<SocketAddr, usize>,
    parties: usize,
    timing: Timing,
}

/// What came of it.
#[derive(Default)]
pub(super) struct Heard {
    pub(super) sent: u64,
    /// Packets that could not be sent: this thread's fault, not that of what is measured.
    pub(super) unsent: u64,
    pub(super) received: u64,
    /// Packets for another end.
    pub(super) astray: u64,
    /// Time under way, nanoseconds, in no order.
    delays: Vec<u32>,
    /// The worst that a turn came too late.
    pub(super) behind: Duration,
}

impl Heard {
    /// The time under way that `part` of the packets did not exceed, microseconds.
    pub(super) fn percentile(&mut self, part: f64) -> Option<f64> {
        let rank = (part * self.delays.len() as f64).ceil() as usize;
        let at = rank.max(1) - 1;
        if at >= self.delays.len() {
            return None;
        }
        let (_, delay, _) = self.delays.select_nth_unstable(at);
        Some(f64::from(*delay) / 1e3)
    }
}

/// Where the end of this number wants its packets.
pub(super) fn ear(address: Ipv4Addr, end: usize) -> SocketAddr {
    let port = FIRST_PORT + 2 * (end % EARS) as u16;
    (address, port).into()
}

/// Of five digits, as the probe's messages have it.
const FIRST_PORT: u16 = 30_000;

impl Traffic {
    /// The sockets are there before anybody is told of them.
    pub(super) fn new(address: Ipv4Addr) -> io::Result<Self> {
        let bind = |n| {
            let socket = UdpSocket::bind(ear(address, n))?;
            socket.set_nonblocking(true)?;
            setsockopt(&socket, sockopt::ReceiveTimestampns, &true)?;
            // Without the right to more, what the machine allows must do.
            if setsockopt(&socket, sockopt::RcvBufForce, &HELD).is_err() {
                setsockopt(&socket, sockopt::RcvBuf, &HELD)?;
            }
            Ok(socket)
        };
        let ears = (0..EARS).map(bind).collect::<io::Result<_>>()?;
        Ok(Self {
            ears,
            ends: Vec::new(),
            words: Vec::new(),
            hearing: HashMap::new(),
            parties: 2,
            timing: Timing::Marks,
        })
    }

    /// A call is up: what is to be sent there comes out at the other end.
    pub(super) fn add(&mut self, ends: [(Option<SocketAddr>, Voice, Option<Talk>); 2]) {
        let call = self.words.len();
        self.words.push(0);
        for (party, (to, voice, talk)) in ends.into_iter().enumerate() {
            self.add_end(to, voice, talk, [call, party]);
        }
    }

    /// A third party of a call, once all calls are there.
    pub(super) fn add_third(&mut self, call: usize, to: SocketAddr, voice: Voice, talk: Option<Talk>) {
        self.parties = 3;
        self.add_end(Some(to), voice, talk, [call, 2]);
    }

    fn add_end(
        &mut self,
        to: Option<SocketAddr>,
        voice: Voice,
        talk: Option<Talk>,
        [call, party]: [usize; 2],
    ) {
        let number = self.ends.len() as u32;
        let mut packet = vec![0x80, voice.payload_type, 0, 0, 0, 0, 0, 0];
        packet.extend((number + 1).to_be_bytes());
        packet.extend(number.to_be_bytes());
        packet.resize(HEADER + voice.payload, 0xD5);
        if let Some(to) = to {
            self.hearing.insert(to, self.ends.len());
        }
        let (ear, pace) = (Ear::default(), Pace::default());
        self.ends.push(End { to, voice, sent: 0, packet, talk, call, party, ear, pace });
    }

    /// Everybody talks for so long.
    pub(super) fn talk(&mut self, lasting: Duration, timing: Timing) -> Heard {
        self.timing = timing;
        let mut heard = Heard::default();
        let expected = self.ends.len() as f64 * lasting.as_secs_f64() * 50.0;
        heard.delays.reserve(expected as usize + 1_000);
        let begun = Instant::now();
        let (mut turn, mut due) = (0, Duration::ZERO);
        while due < lasting {
            self.send(turn % TURNS, &mut heard);
            turn += 1;
            due += TURN;
            loop {
                self.hear(&mut heard);
                let elapsed = begun.elapsed();
                if elapsed >= due {
                    heard.behind = heard.behind.max(elapsed - due);
                    break;
                }
                std::thread::sleep((due - elapsed).min(Duration::from_micros(200)));
            }
        }
        let drained = Instant::now();
        while drained.elapsed() < DRAIN {
            self.hear(&mut heard);
            std::thread::sleep(Duration::from_millis(2));
        }
        heard
    }

    fn send(&mut self, turn: usize, heard: &mut Heard) {
        for (number, end) in self.ends.iter_mut().enumerate().skip(turn).step_by(TURNS) {
            let Some(to) = end.to else { continue };
            end.sent = end.sent.wrapping_add(1);
            end.packet[2..4].copy_from_slice(&(end.sent as u16).to_be_bytes());
            end.packet[4..8].copy_from_slice(&end.sent.wrapping_mul(end.voice.ticks).to_be_bytes());
            match &end.talk {
                Some(talk) => {
                    end.packet.truncate(HEADER);
                    // Not all calls say the same at the same time.
                    let at = end.sent as usize + 37 * end.call;
                    let said = if self.timing == Timing::Words {
                        let at = word_turn(at, end.party, self.parties);
                        if at == 0 {
                            self.words[end.call] = now();
                        }
                        &talk.word[at % talk.word.len()]
                    } else {
                        &talk.speech[(at + 50 * end.party) % talk.speech.len()]
                    };
                    end.packet.extend_from_slice(said);
                }
                None => end.packet[HEADER + 4..HEADER + MARK].copy_from_slice(&now().to_be_bytes()),
            }
            let sent = self.ears[number % EARS].send_to(&end.packet, to);
            match sent {
                Ok(_) => heard.sent += 1,
                Err(_) => heard.unsent += 1,
            }
        }
    }

    fn hear(&mut self, heard: &mut Heard) {
        let mut space = cmsg_space!(TimeSpec);
        let mut buf = [0; 2_048];
        for at in 0..self.ears.len() {
            let ear = self.ears[at].as_raw_fd();
            loop {
                let mut slices = [IoSliceMut::new(&mut buf)];
                let taken = recvmsg::<SockaddrIn>(ear, &mut slices, Some(&mut space), MsgFlags::empty());
                let Ok(message) = taken else { break };
                let came = message.cmsgs().ok().and_then(|mut all| {
                    all.find_map(|cmsg| match cmsg {
                        ControlMessageOwned::ScmTimestampns(at) => Some(nanos(at)),
                        _ => None,
                    })
                });
                let (length, from) = (message.bytes, message.address);
                heard.received += 1;
                let (packet, came) = (&buf[..length], came.unwrap_or_else(now));
                match self.timing {
                    Timing::Marks => self.count(at, packet, came, heard),
                    _ => heard.delays.extend(from.and_then(|from| self.listen(from.into(), packet, came))),
                }
            }
        }
    }

    fn count(&self, at: usize, packet: &[u8], came: u64, heard: &mut Heard) {
        // RTCP of what is measured comes one port up, where nobody is.
        let Some(mark) = packet.get(HEADER..HEADER + MARK) else { return };
        let (number, sent) = mark.split_at(4);
        let number = number.try_into().map_or(usize::MAX, |bytes| u32::from_be_bytes(bytes) as usize);
        if !self.ends.get(number).is_some_and(|end| end.voice.marked) {
            return;
        }
        if (number ^ 1) % EARS != at {
            heard.astray += 1;
            return;
        }
        let sent = sent.try_into().map_or(0, u64::from_be_bytes);
        heard.delays.push(u32::try_from(came.saturating_sub(sent)).unwrap_or(u32::MAX));
    }
}

impl Traffic {
    /// How late it is, by what is in it.
    fn listen(&mut self, from: SocketAddrV4, packet: &[u8], came: u64) -> Option<u32> {
        let end = self.ends.get_mut(*self.hearing.get(&from.into())?)?;
        let (header, payload) = packet.split_at_checked(HEADER)?;
        if header[1] & 0x7f != A_LAW.0 {
            return None;
        }
        match self.timing {
            Timing::Words => end.ear.hears(payload, came, self.words[end.call]),
            Timing::Pace => {
                end.pace.late(header[4..8].try_into().map(u32::from_be_bytes).unwrap_or_default(), came)
            }
            Timing::Marks => None,
        }
    }
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

fn nanos(at: TimeSpec) -> u64 {
    let (seconds, nanos) = (at.tv_sec().unsigned_abs(), at.tv_nsec().unsigned_abs());
    seconds * 1_000_000_000 + nanos
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_round_is_counted_and_timed() {
        let here = Ipv4Addr::new(127, 0, 0, 77);
        let mut traffic = Traffic::new(here).unwrap();
        // Each end's packets go straight to where the other end hears.
        traffic.add([(Some(ear(here, 1)), RELAYED, None), (Some(ear(here, 0)), RELAYED, None)]);
        let mut heard = traffic.talk(Duration::from_millis(200), Timing::Marks);
        assert_eq!((heard.sent, heard.received, heard.astray, heard.unsent), (20, 20, 0, 0));
        let most = heard.percentile(1.0).unwrap();
        assert!(most > 0.0 && most < 1e6, "{most}");
    }

    #[test]
    fn words_that_go_round_are_heard_to_begin() {
        let here = Ipv4Addr::new(127, 0, 0, 78);
        let mut traffic = Traffic::new(here).unwrap();
        let word: Speech = (0..50).map(|n| vec![if n < 10 { 0x7f ^ 0x55 } else { 0x55 }; 160]).collect();
        let talk = Talk { speech: word.clone(), word };
        // What the one's ear hears comes from where the other sends.
        let ends = [1, 0].map(|other| (Some(ear(here, other)), SPOKEN, Some(talk.clone())));
        traffic.add(ends);
        let mut heard = traffic.talk(Duration::from_millis(2_300), Timing::Words);
        let most = heard.percentile(1.0).unwrap();
        assert!((1..=3).contains(&heard.delays.len()) && most < 1e6, "{:?}", heard.delays);
    }
}
