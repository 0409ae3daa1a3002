//! Two media threads with real sockets, over either back end: what parties hear, before and after a leg has gone from one thread
//! to the other.

use super::super::epoll::ByEpoll;
use super::super::ports::{OwnPorts, PortPool, PortRange};
use super::super::uring::ByUring;
use super::*;
use cordboard_lane::lane;
use cordboard_media::{KitMaker, MediaConfig};
use cordboard_model::id::{IdMaker, TenantId};
use cordboard_model::media::{Codec, Direction, OpusParams, StreamParams};
use std::net::{Ipv4Addr, UdpSocket};
use std::thread::JoinHandle;

const SOON: Duration = Duration::from_secs(10);
const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// A media thread that runs, and all other ends of its lanes.
struct Rig {
    orders: Sender<MediaOrder>,
    events: Receiver<Order>,
    gauges: Arc<MediaGauges>,
    maker: KitMaker,
    running: JoinHandle<()>,
    _others: (Receiver<RecorderOrder>, Receiver<Discarded>, Receiver<Piece>),
}

impl Rig {
    fn start(sockets: impl Sockets + Send + 'static, first: u16, own: &Arc<OwnPorts>) -> Self {
        let config = MediaConfig { rtcp_interval: Duration::from_millis(200), ..MediaConfig::default() };
        let (orders, from_shard) = lane("builder to media", 64);
        let (to_shard, events) = lane("media to shard", 1_024);
        let (recorder, chunks) = lane("media to recorder", 64);
        let (discarded, spent) = lane("media to builder", 1_024);
        let (pieces, to_programs) = lane("media to streams", 64);
        let range = PortRange { address: HERE, first, last: first + 9 };
        let gauges = Arc::new(MediaGauges::default());
        let setup = MediaSetup {
            engine: MediaEngine::new(config, [3; 32]),
            ports: Pairs::new(PortPool::new(range, Arc::clone(own)), Duration::from_secs(60)),
            public: None,
            orders: from_shard,
            events: to_shard,
            recorder,
            discarded,
            pieces,
            place: 0,
            clock: Clock::start(),
            gauges: Arc::clone(&gauges),
        };
        let thread = MediaThread::new(setup, sockets).unwrap();
        let running = std::thread::spawn(move || thread.run());
        let maker = KitMaker::new(config, 100);
        Self { orders, events, gauges, maker, running, _others: (chunks, spent, to_programs) }
    }

    fn give(&mut self, command: MediaCommand) {
        let kit = self.maker.prepare(&command);
        self.orders.try_send(MediaOrder::Command(command, kit)).unwrap();
    }

    /// The next of what the shard is told that `wanted` makes something of.
    fn told<T>(&mut self, mut wanted: impl FnMut(Order) -> Option<T>) -> T {
        let end = std::time::Instant::now() + SOON;
        loop {
            match self.events.pop() {
                Some(order) => {
                    if let Some(found) = wanted(order) {
                        return found;
                    }
                }
                None => {
                    assert!(std::time::Instant::now() < end, "the shard is not told");
                    std::thread::yield_now();
                }
            }
        }
    }

    fn open(&mut self, leg: LegId, phone: &Phone) -> SocketAddr {
        self.give(MediaCommand::Open { leg, near: None });
        let local = self.told(|order| match order {
            Order::Media(MediaEvent::Opened { leg: opened, local }) if opened == leg => Some(local),
            _ => None,
        });
        self.agree(leg, phone.rtp.local_addr().unwrap());
        local
    }

    fn agree(&mut self, leg: LegId, remote: SocketAddr) {
        let params = StreamParams {
            remote,
            rtcp_mux: false,
            codec: Codec::Pcma,
            send_payload_type: 8,
            recv_payload_type: 8,
            dtmf: Some((101, 101)),
            dtmf_hz: 8_000,
            comfort: None,
            opus: OpusParams::default(),
            ptime_ms: 20,
            direction: Direction::SendRecv,
        };
        self.give(MediaCommand::Configure { leg, params, signals: None, keys: None, path: None });
    }

    fn end(self) {
        self.orders.close();
        self.running.join().unwrap();
    }
}

/// RTP on an even port and RTCP one up.
struct Phone {
    rtp: UdpSocket,
    rtcp: UdpSocket,
    /// Where the switch hears it.
    to: SocketAddr,
    sent: u16,
    mark: u8,
}

impl Phone {
    fn new(port: u16, mark: u8) -> Self {
        let bind = |port| {
            let socket = UdpSocket::bind((HERE, port)).unwrap();
            socket.set_read_timeout(Some(SOON)).unwrap();
            socket
        };
        let to = SocketAddr::new(HERE, 0);
        Self { rtp: bind(port), rtcp: bind(port + 1), to, sent: 0, mark }
    }

    fn speak(&mut self) {
        let mut packet = [self.mark; 172];
        packet[..2].copy_from_slice(&[0x80, 8]);
        packet[2..4].copy_from_slice(&self.sent.to_be_bytes());
        packet[4..8].copy_from_slice(&(u32::from(self.sent) * 160).to_be_bytes());
        packet[8..12].copy_from_slice(&[self.mark; 4]);
        self.rtp.send_to(&packet, self.to).unwrap();
        self.sent += 1;
    }

    /// The number of the next packet, which is of who speaks with this mark and comes from `self.to`.
    fn hears(&self, mark: u8) -> u16 {
        let mut packet = [0; 2_048];
        let (len, from) = self.rtp.recv_from(&mut packet).unwrap();
        assert_eq!((len, from), (172, self.to));
        assert!(packet[12..len].iter().all(|byte| *byte == mark), "{packet:?}");
        u16::from_be_bytes([packet[2], packet[3]])
    }

    /// A sender report comes, sooner or later.
    fn is_reported_to(&self) {
        let mut packet = [0; 2_048];
        while packet[1] != 200 {
            let (len, from) = self.rtcp.recv_from(&mut packet).unwrap();
            assert!(len >= 8);
            assert_eq!(from.port(), self.to.port() + 1);
        }
    }
}

/// Both speak until each has heard the other for so many packets, in sequence.
fn talk(phones: &mut [Phone; 2], packets: usize) -> [u16; 2] {
    let mut last = [0u16; 2];
    for packet in 0..packets {
        for side in 0..2 {
            phones[side].speak();
            let (mark, other) = (phones[side].mark, &phones[1 - side]);
            let number = other.hears(mark);
            assert!(packet == 0 || number == last[side].wrapping_add(1), "one stream, in order");
            last[side] = number;
        }
    }
    last
}

fn a_call_over_two_threads(sockets: [impl Sockets + Send + 'static; 2], first: u16) {
    let own = Arc::new(OwnPorts::new(HERE, []));
    let mut firsts = [first, first + 10].into_iter();
    let mut rigs = sockets.map(|sockets| Rig::start(sockets, firsts.next().unwrap(), &own));
    let mut phones = [Phone::new(first + 20, 0x55), Phone::new(first + 22, 0x66)];
    let mut ids = IdMaker::new(1, 0);
    let [a, b] = [0, 1].map(|_| ids.leg(TenantId::DEFAULT));
    phones[0].to = rigs[0].open(a, &phones[0]);
    phones[1].to = rigs[1].open(b, &phones[1]);
    // One leg goes over to the other's thread, while its party speaks already.
    (0..5).for_each(|_| phones[1].speak());
    rigs[1].orders.try_send(MediaOrder::Part { leg: b, force: false }).unwrap();
    let parted = rigs[1].told(|order| match order {
        Order::Moved(leg, parted) if leg == b => Some(parted),
        _ => None,
    });
    (0..5).for_each(|_| phones[1].speak());
    rigs[0].orders.try_send(MediaOrder::Arrive(parted.unwrap())).unwrap();
    rigs[0].give(MediaCommand::Bridge { a, b });
    // A party's first packets are heard by nobody: they settle where it is.
    for _ in 0..5 {
        phones.iter_mut().for_each(Phone::speak);
    }
    talk(&mut phones, 50);
    phones.iter().for_each(Phone::is_reported_to);
    // And back, with the port it always had.
    rigs[0].orders.try_send(MediaOrder::Part { leg: a, force: false }).unwrap();
    let parted = rigs[0].told(|order| match order {
        Order::Moved(leg, parted) if leg == a => Some(parted),
        _ => None,
    });
    rigs[1].orders.try_send(MediaOrder::Arrive(parted.unwrap())).unwrap();
    rigs[0].orders.try_send(MediaOrder::Part { leg: b, force: false }).unwrap();
    let parted = rigs[0].told(|order| match order {
        Order::Moved(leg, parted) if leg == b => Some(parted),
        _ => None,
    });
    rigs[1].orders.try_send(MediaOrder::Arrive(parted.unwrap())).unwrap();
    rigs[1].give(MediaCommand::Bridge { a, b });
    talk(&mut phones, 50);
    // All that they said was heard, on either thread. What is still on its way to a leg whose party's address changes next would
    // show where the party is after all.
    let said: u64 = phones.iter().map(|phone| u64::from(phone.sent)).sum();
    let end = std::time::Instant::now() + SOON;
    while rigs.iter().map(|rig| rig.gauges.received.load(Relaxed)).sum::<u64>() != said {
        assert!(std::time::Instant::now() < end, "not all that was said was heard");
        std::thread::yield_now();
    }
    ends_and_loops(&mut rigs[1], &mut phones, [a, b]);
    rigs.into_iter().for_each(Rig::end);
}

/// What names our own port is not relayed, and what comes for a leg that has ended is heard by nobody.
fn ends_and_loops(rig: &mut Rig, phones: &mut [Phone; 2], [a, b]: [LegId; 2]) {
    rig.agree(b, phones[0].to);
    let reaches = |gauge: &std::sync::atomic::AtomicU64, least| {
        let end = std::time::Instant::now() + SOON;
        while gauge.load(Relaxed) < least {
            assert!(std::time::Instant::now() < end, "{}", gauge.load(Relaxed));
            std::thread::yield_now();
        }
    };
    let gauges = Arc::clone(&rig.gauges);
    // What it says before the thread has obeyed still goes to the other phone. One packet at a time, so that what comes back finds
    // room in the socket.
    let end = std::time::Instant::now() + SOON;
    while gauges.looped.load(Relaxed) == 0 {
        assert!(std::time::Instant::now() < end, "nothing came back");
        let before = gauges.received.load(Relaxed);
        phones[0].speak();
        reaches(&gauges.received, before + 1);
    }
    let closes = [a, b].map(|leg| MediaCommand::Close { leg });
    closes.into_iter().for_each(|close| rig.give(close));
    let mut closed = 0;
    let stats = rig.told(|order| match order {
        Order::Media(MediaEvent::Closed { stats, .. }) => {
            closed += 1;
            (closed == 2).then_some(stats)
        }
        _ => None,
    });
    assert!(stats.received > 100, "{stats:?}");
    phones[1].speak();
    reaches(&gauges.late, 1);
    assert_eq!((gauges.send_failed.load(Relaxed), gauges.made_here.load(Relaxed)), (0, 0));
}

#[test]
fn a_call_over_two_media_threads_by_epoll() {
    a_call_over_two_threads([0, 1].map(|_| ByEpoll::new().unwrap()), 39_500);
}

#[test]
fn a_call_over_two_media_threads_by_io_uring() {
    let sockets = [0, 1].map(|_| ByUring::new(5).expect("io_uring is to be had where tests run"));
    a_call_over_two_threads(sockets, 39_540);
}
