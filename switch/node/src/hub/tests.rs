use super::*;
use cordboard_api::events::EventFilter;
use cordboard_api::switch::Since;
use cordboard_lane::lane;
use cordboard_model::id::{AgentId, Name};
use cordboard_model::time::Wall;
use cordboard_model::view::AgentStatus;
use cordboard_store::events::{EventLogOptions, Opened};
use std::path::Path;

const US: TenantId = TenantId::DEFAULT;

/// A hub over a folder, and both ends that the rest of the switch has of it.
struct Bench {
    events: Sender<Event>,
    asked: Receiver<Order>,
    handle: HubHandle,
    running: JoinHandle<()>,
    gauges: Arc<EventGauges>,
    seq: u64,
    base: u64,
}

impl Bench {
    fn new(dir: &Path, start: u32) -> Bench {
        let options = EventLogOptions { keep: Duration::from_secs(3_600), size: 1 << 30 };
        let (log, opened) = EventLog::open(dir, options, start).unwrap();
        let base = opened.first().map_or(0, Opened::base);
        let lost = opened.first().filter(|found| !found.ended).map(|found| (found.last + 1, base));
        let state = State { seq: base, lost, calls: Vec::new(), queues: Vec::new(), agents: Vec::new() };
        let ((events, from_shard), (shard, asked)) = (lane("events", 32_768), lane("orders", 8));
        let gauges = Arc::new(EventGauges::default());
        let setup = HubSetup {
            start,
            events: from_shard,
            shard,
            begun: vec![(US, state)],
            log: Some((dir.to_owned(), log)),
            gauges: Arc::clone(&gauges),
        };
        let (running, handle) = Hub::start(setup);
        Bench { events, asked, handle, running, gauges, seq: base, base }
    }

    fn tell(&mut self, what: EventKind) {
        self.seq += 1;
        assert!(self.events.try_send(Event { tenant: US, seq: self.seq, at: Wall(0), what }).is_ok());
    }

    fn tell_many(&mut self, count: u64) {
        for _ in 0..count {
            let text = self.seq.to_string();
            self.tell(EventKind::Alarm { code: "test".into(), text });
        }
    }

    /// Waits until the disk has everything.
    async fn kept(&self) {
        while self.gauges.kept.load(Relaxed) < self.seq - self.base + 1 {
            tokio::task::yield_now().await;
        }
    }

    fn follow(&self, start: u32, seq: u64, filter: EventFilter) -> Subscription {
        self.handle.follow(Follow { tenant: US, since: Some(Since { start, seq }), filter })
    }

    /// What a reader who comes back gets up to the present: `hello` left out, events as numbers.
    async fn back(&self, start: u32, seq: u64) -> Vec<Got> {
        let mut items = self.follow(start, seq, EventFilter::default());
        let mut got = Vec::new();
        assert!(matches!(items.recv().await, Some(StreamItem::Hello { .. })));
        while !matches!(got.last(), Some(Got::Event(seq) | Got::Snapshot(seq)) if *seq == self.seq) {
            got.push(match items.recv().await.unwrap() {
                StreamItem::Event(event) => Got::Event(event.seq),
                StreamItem::Snapshot { seq, .. } => Got::Snapshot(seq),
                StreamItem::Gap { from, to } => Got::Gap(from, to),
                other => panic!("{other:?}"),
            });
        }
        got
    }

    async fn end(self) {
        self.events.close();
        self.running.await.unwrap();
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Got {
    Event(u64),
    Snapshot(u64),
    Gap(u64, u64),
}

fn scratch(name: &str) -> std::path::PathBuf {
    let dir = std::env::temp_dir().join(format!("cordboard-hub-{name}-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&dir);
    dir
}

#[tokio::test]
async fn a_reader_that_names_an_event_to_come_gets_a_gap_and_the_next_reader_is_served() {
    let dir = scratch("ahead");
    let mut bench = Bench::new(&dir, 7);
    bench.tell_many(1);
    let mut lost = bench.follow(7, u64::MAX, EventFilter::default());
    assert!(matches!(lost.recv().await, Some(StreamItem::Hello { .. })));
    assert!(matches!(lost.recv().await, Some(StreamItem::Gap { .. })));
    // There is no shard here: its question is dropped, and the reader is told to come again.
    drop(bench.asked.pop());
    assert!(matches!(lost.recv().await, Some(StreamItem::Closing { .. })));
    assert_eq!(bench.back(7, 0).await, [Got::Snapshot(0), Got::Event(1)]);
    bench.end().await;
    std::fs::remove_dir_all(&dir).unwrap();
}

/// A stream of two starts that ended in order, then one that was killed, then the present: who was cut after any event
/// of them gets every later one, and the state between starts; only the kill is a gap.
#[tokio::test]
async fn a_reader_cut_at_any_event_goes_on_over_restarts() {
    let dir = scratch("restart");
    let mut first = Bench::new(&dir, 100);
    first.tell_many(30);
    first.end().await;
    let mut second = Bench::new(&dir, 200);
    assert_eq!(second.seq, 30);
    second.tell_many(20);
    second.kept().await;
    // As the disk was when it was killed.
    let killed = scratch("killed");
    std::fs::create_dir_all(killed.join("default")).unwrap();
    for entry in std::fs::read_dir(dir.join("default")).unwrap() {
        let from = entry.unwrap().path();
        std::fs::copy(&from, killed.join("default").join(from.file_name().unwrap())).unwrap();
    }
    for (start, seq) in (0..=30).map(|seq| (100, seq)).chain((30..50).map(|seq| (200, seq))) {
        let mut expected: Vec<Got> = (seq + 1..=30).map(Got::Event).collect();
        expected.push(Got::Snapshot(30));
        expected.extend((seq.max(30) + 1..=50).map(Got::Event));
        if seq == 0 {
            // who has seen nothing begins with the state of the first start
            expected.insert(0, Got::Snapshot(0));
        }
        expected.retain(|got| seq <= 30 || !matches!(got, Got::Snapshot(_)));
        let mut got = second.back(start, seq).await;
        got.dedup();
        assert_eq!(got, expected, "cut after {start}-{seq}");
    }
    second.end().await;
    let mut third = Bench::new(&killed, 300);
    let base = third.seq;
    assert!(base > 1_000_000, "{base}");
    third.tell_many(5);
    for (start, seq) in [(100, 3), (200, 30), (200, 50), (200, 57), (300, base)] {
        let got = third.back(start, seq).await;
        let gap = got.iter().find(|got| matches!(got, Got::Gap(..)));
        // Who had seen more than reached the disk misses what comes after that.
        assert_eq!(gap.copied(), (start < 300).then_some(Got::Gap(seq.max(50) + 1, base)), "{start}-{seq}");
        let events = |got: &&Got| matches!(got, Got::Event(_));
        let expected = (seq + 1..=50).chain(base + 1..=base + 5).map(Got::Event);
        assert_eq!(got.iter().filter(events).copied().collect::<Vec<_>>(), expected.collect::<Vec<_>>());
    }
    third.end().await;
    std::fs::remove_dir_all(&dir).unwrap();
    std::fs::remove_dir_all(&killed).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_longer_in_memory_comes_from_the_disk_and_then_what_is_new() {
    let dir = scratch("disk");
    let mut bench = Bench::new(&dir, 7);
    let most = KEPT as u64 + 700;
    bench.tell_many(most);
    bench.kept().await;
    for seq in [0, 5, 600, 701, 800, most - 1] {
        let got = bench.back(7, seq).await;
        let events: Vec<Got> = got.into_iter().filter(|got| matches!(got, Got::Event(_))).collect();
        assert_eq!(events, (seq + 1..=most).map(Got::Event).collect::<Vec<_>>(), "from {seq}");
    }
    // The first three are older than what memory has.
    assert!(bench.gauges.replays.load(Relaxed) >= 3);
    bench.end().await;
    std::fs::remove_dir_all(&dir).unwrap();
}

/// A reader with a filter, whom nothing concerns for long, is told how far the stream is: his place does not become too old.
#[tokio::test(start_paused = true)]
async fn a_filter_leaves_out_what_concerns_others_and_the_place_moves_on() {
    let dir = scratch("filter");
    let mut bench = Bench::new(&dir, 7);
    let agents = vec![Name::new("1001").unwrap()];
    let mut own = bench.follow(7, 0, EventFilter { agents, ..EventFilter::default() });
    assert!(matches!(own.recv().await, Some(StreamItem::Hello { .. })));
    assert!(matches!(own.recv().await, Some(StreamItem::Snapshot { seq: 0, .. })));
    let status = |name: &str| EventKind::AgentStatus {
        agent: AgentId::new(US, name).unwrap(),
        status: AgentStatus::Ready,
        why: String::new(),
        call: None,
        reason: None,
        by: None,
    };
    bench.tell(status("1002"));
    bench.tell(status("1001"));
    bench.tell(status("1002"));
    bench.tell_many(3);
    assert!(matches!(own.recv().await, Some(StreamItem::Event(event)) if event.seq == 2));
    assert!(matches!(own.recv().await, Some(StreamItem::Position { seq: 6 })));
    // Once is enough.
    assert!(tokio::time::timeout(3 * POSITION, own.recv()).await.is_err());
    bench.end().await;
    std::fs::remove_dir_all(&dir).unwrap();
}

/// A reader that takes nothing is cut with a reason, and what it missed is there when it comes back.
#[tokio::test(flavor = "multi_thread")]
async fn a_slow_reader_is_cut_and_loses_nothing() {
    let dir = scratch("slow");
    let mut bench = Bench::new(&dir, 7);
    let mut slow = bench.follow(7, 0, EventFilter::default());
    // Who is admitted after all of it is led through the disk at his own pace, and is never behind.
    assert!(matches!(slow.recv().await, Some(StreamItem::Hello { .. })));
    let most = BEHIND as u64 + 500;
    bench.tell_many(most);
    bench.kept().await;
    let (mut last, mut reason) = (0, String::new());
    while let Some(item) = slow.recv().await {
        match item {
            StreamItem::Event(event) => {
                assert_eq!(event.seq, last + 1);
                last = event.seq;
            }
            StreamItem::Closing { reason: why } => reason = why,
            _ => {}
        }
    }
    assert_eq!(reason, "slow_reader");
    assert!(last < most && last > 10_000, "{last}");
    let rest = bench.back(7, last).await;
    assert_eq!(rest, (last + 1..=most).map(Got::Event).collect::<Vec<_>>());
    assert_eq!(bench.gauges.cut.load(Relaxed), 1);
    bench.end().await;
    std::fs::remove_dir_all(&dir).unwrap();
}

/// A key may be one of a PIN: who is there hears it, and the disk does not.
#[tokio::test]
async fn the_keys_of_callers_are_not_on_the_disk() {
    let dir = scratch("keys");
    let call = cordboard_model::id::IdMaker::new(7, 0).call(US);
    let mut bench = Bench::new(&dir, 7);
    let mut there = bench.follow(7, 0, EventFilter::default());
    bench.tell(EventKind::Digit { call, digit: '8' });
    let digit = |item: Option<StreamItem>| match item {
        Some(StreamItem::Event(event)) => match event.what {
            EventKind::Digit { digit, .. } => Some(digit),
            _ => None,
        },
        _ => None,
    };
    while let Some(item) = there.recv().await {
        if matches!(item, StreamItem::Event(_)) {
            assert_eq!(digit(Some(item)), Some('8'));
            break;
        }
    }
    bench.end().await;
    let bench = Bench::new(&dir, 8);
    let mut late = bench.follow(7, 0, EventFilter::default());
    let mut kept = None;
    while kept.is_none() {
        kept = digit(Some(late.recv().await.unwrap()));
    }
    assert_eq!(kept, Some('?'));
    bench.end().await;
    std::fs::remove_dir_all(&dir).unwrap();
}
