//! Scripts in virtual time: what arrives when, and what is played.

use super::*;

const RATE: u32 = 8_000;
/// Samples of a packet and of a turn.
const FRAME: usize = 160;

/// A player of 20 ms turns beside a sender whose packet `n` holds the byte `n`.
struct Table {
    buffer: JitterBuffer,
    held: usize,
    turn: u64,
    played: Vec<String>,
    steps: (u32, u32),
}

fn at(ms: f64) -> Time {
    Time::from_nanos((ms * 1e6) as u64)
}

impl Table {
    fn new() -> Self {
        Self {
            buffer: JitterBuffer::new(RATE, 512, false),
            held: 0,
            turn: 0,
            played: Vec::new(),
            steps: (0, 0),
        }
    }

    fn put(&mut self, n: u64, ms: f64) {
        self.buffer.put(n, n as i64 * FRAME as i64, &[n as u8], at(ms));
    }

    /// Plays all turns up to a moment.
    fn play_to(&mut self, ms: f64) {
        while (self.turn * 20) as f64 + 7.0 <= ms {
            self.turn += 1;
            self.play((self.turn * 20) as f64 - 13.0);
        }
    }

    fn play(&mut self, ms: f64) {
        let Some(adjust) = self.buffer.begin(FRAME, self.held, at(ms)) else {
            return self.played.push("-".into());
        };
        let wanted = match adjust {
            Adjust::None => FRAME,
            Adjust::Jump => {
                self.held = 0;
                FRAME
            }
            Adjust::Shorten(more) => {
                self.steps.0 += 1;
                FRAME + more
            }
            Adjust::Lengthen(fewer) => {
                self.steps.1 += 1;
                FRAME - fewer
            }
        };
        let mut said = Vec::new();
        while self.held < wanted {
            let (count, word) = match self.buffer.next(wanted - self.held, false) {
                Next::Packet(payload) => (None, payload[0].to_string()),
                Next::Conceal(count) => (Some(count), "c".to_string()),
                Next::Recover(..) => unreachable!("packets here tell of no other"),
                Next::Pause(count) => (Some(count), "p".to_string()),
            };
            if count.is_none() {
                self.buffer.played(FRAME);
            }
            self.held += count.unwrap_or(FRAME);
            said.push(word);
        }
        self.held -= wanted;
        self.played.push(said.join("+"));
    }

    fn told(&self) -> String {
        self.played.join(" ")
    }
}

/// Sends packets at these moments and plays as time goes on.
fn script(arrivals: &[(f64, u64)], end_ms: f64) -> Table {
    let mut table = Table::new();
    for (ms, n) in arrivals {
        table.play_to(*ms);
        table.put(*n, *ms);
    }
    table.play_to(end_ms);
    table
}

#[test]
fn a_steady_stream_is_played_in_order_after_the_least_delay() {
    let arrivals: Vec<_> = (0..10).map(|n| (n as f64 * 20.0, n)).collect();
    let table = script(&arrivals, 190.0);
    assert_eq!(table.told(), "- 0 1 2 3 4 5 6 7 8");
    assert_eq!(table.buffer.target(), 80, "10 ms: nothing was late");
}

#[test]
fn disorder_and_repetition_within_the_delay_leave_no_trace_and_a_loss_is_concealed() {
    // The first swap teaches the delay; from then on none is late.
    let swapped = |place: u64| match place {
        3 | 30 | 36 => Some(place + 1),
        4 | 31 | 37 => Some(place - 1),
        40 => None,
        place => Some(place),
    };
    let arrivals = (0..50).filter_map(|place| Some((place as f64 * 20.0, swapped(place)?)));
    let mut arrivals: Vec<_> = arrivals.collect();
    arrivals.extend([(399.0, 18), (380.5, 19)]);
    arrivals.sort_by(|a, b| a.0.total_cmp(&b.0));
    let table = script(&arrivals, 1_000.0);
    let told = table.told();
    for n in 4..48 {
        let lost = n == 40;
        assert_eq!(
            told.split([' ', '+']).filter(|word| *word == n.to_string()).count(),
            usize::from(!lost),
            "{n}: {told}"
        );
    }
    let numbers: Vec<u64> = told.split([' ', '+']).filter_map(|word| word.parse().ok()).collect();
    assert!(numbers.is_sorted(), "{told}");
    assert_eq!(table.buffer.counters().twice + table.buffer.counters().late, 2, "{told}");
    assert!(table.buffer.counters().concealed >= 160, "{told}");
}

#[test]
fn silence_that_was_never_sent_is_a_pause_and_no_loss() {
    let mut table = Table::new();
    for n in 0..5u64 {
        table.play_to(n as f64 * 20.0);
        table.buffer.put(n, n as i64 * 160, &[n as u8], at(n as f64 * 20.0));
    }
    // The number goes on, the timestamp has passed over 160 ms.
    table.play_to(240.0);
    table.buffer.put(5, 12 * 160, &[5], at(240.0));
    table.buffer.put(6, 13 * 160, &[6], at(260.0));
    table.play_to(320.0);
    let told = table.told();
    assert!(told.starts_with("- 0 1 2 3 4 c c c p p p p"), "concealed for 60 ms, then silent: {told}");
    assert!(told.ends_with("5 6 c c") || told.ends_with("5 6 c"), "{told}");
}

#[test]
fn jitter_lengthens_the_delay_so_that_nearly_none_is_late_and_calm_shortens_it() {
    let mut table = Table::new();
    let jitter = |n: u64| f64::from((n as u32).wrapping_mul(2_654_435_761) >> 20) / 4_096.0 * 60.0;
    let mut arrivals: Vec<(f64, u64)> =
        (0..1_500).map(|n| (n as f64 * 20.0 + if n < 500 { jitter(n) } else { 0.0 }, n)).collect();
    arrivals.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut late_at_first = 0;
    for (ms, n) in &arrivals {
        table.play_to(*ms);
        table.put(*n, *ms);
        if *n == 100 {
            late_at_first = table.buffer.counters().late;
        }
        if *n == 400 {
            let target = table.buffer.target();
            assert!((400..=480).contains(&target), "{target}");
        }
    }
    let late = table.buffer.counters().late;
    assert!(late - late_at_first <= 2, "{late_at_first}, then {late}");
    assert_eq!(table.buffer.target(), 80, "and it forgets");
    assert!(table.steps.0 >= 4 && table.steps.1 >= 4, "five milliseconds at a time: {:?}", table.steps);
}

#[test]
fn an_hour_of_a_clock_200_ppm_off_loses_nothing_and_the_delay_does_not_grow() {
    for ppm in [200.0, -200.0] {
        let mut table = Table::new();
        for n in 0..180_000u64 {
            let ms = n as f64 * 20.0 * (1.0 + ppm / 1e6);
            table.play_to(ms);
            table.put(n, ms);
            table.played.clear();
        }
        let counters = table.buffer.counters();
        assert_eq!((counters.late, counters.concealed), (0, 0), "{ppm} ppm");
        let (shortened, lengthened) = table.steps;
        let (towards, against) = if ppm < 0.0 { (shortened, lengthened) } else { (lengthened, shortened) };
        // 720 ms in an hour, five at a time.
        assert!((130..=150).contains(&towards), "{ppm} ppm: {:?}", table.steps);
        assert!(against <= 2, "{ppm} ppm: {:?}", table.steps);
        assert!(table.buffer.target() <= 160);
    }
}

#[test]
fn a_path_that_becomes_longer_at_once_is_followed_and_one_outlier_is_late() {
    let mut arrivals: Vec<(f64, u64)> = (0..1_000)
        .map(|n| {
            let delay = match n {
                50 => 300.0,
                500.. => 400.0,
                _ => 0.0,
            };
            (n as f64 * 20.0 + delay, n)
        })
        .collect();
    arrivals.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut table = Table::new();
    for (ms, n) in &arrivals {
        table.play_to(*ms);
        table.put(*n, *ms);
        if *n == 990 {
            table.played.clear();
        }
    }
    table.play_to(20_400.0);
    let told = table.told();
    assert!(
        (992..998u64).all(|n| told.split([' ', '+']).any(|word| word == (n as u8).to_string())),
        "{told}"
    );
    let late = table.buffer.counters().late;
    assert!((1..=25).contains(&late), "{late}");
}

#[test]
fn more_packets_than_there_is_room_for_cost_the_oldest() {
    let mut buffer = JitterBuffer::new(RATE, 512, false);
    for n in 0..40 {
        buffer.put(n, n as i64 * 160, &[n as u8], at(0.0));
    }
    assert_eq!(buffer.counters().late, 8);
    buffer.put(50, 8_000, &[0; 513], at(0.0));
    assert_eq!(buffer.counters().late, 9);
}

#[test]
fn what_waits_goes_on_waiting_when_the_rate_changes() {
    let played = |to: u32, change: u32| {
        let mut buffer = JitterBuffer::new(8_000, 8, false);
        let (mut out, mut rate) = (Vec::new(), 8_000);
        for n in 0..200u32 {
            let now = Time::from_millis(1_000 + u64::from(n) * 20);
            // jitter of up to 30 ms, the same every run
            let late = u64::from(n.wrapping_mul(2_654_435_761) >> 27);
            let frame = rate as usize / 50;
            buffer.put(u64::from(n), i64::from(n) * frame as i64, &[n as u8], now);
            let now = now + Duration::from_millis(late);
            if n == change {
                buffer.rescale(to);
                rate = to;
            }
            let frame = rate as usize / 50;
            if buffer.begin(frame, 0, now).is_some() {
                match buffer.next(frame, false) {
                    Next::Packet(codes) => {
                        out.push(Some(codes[0]));
                        buffer.played(frame);
                    }
                    _ => out.push(None),
                }
            }
        }
        (out, buffer.target() * 1_000 / i64::from(rate), buffer.take_concealed() * 1_000 / u64::from(rate))
    };
    let (steady, target, concealed) = played(8_000, u32::MAX);
    for change in [50, 99, 150] {
        let (changed, after, invented) = played(16_000, change);
        assert_eq!(changed.len(), steady.len());
        let other = changed.iter().zip(&steady).filter(|(one, other)| one != other).count();
        assert!(other <= 2, "{change}: {other} turns differ");
        assert!((after - target).abs() <= 1 && invented.abs_diff(concealed) <= 20, "{after}, {invented}");
    }
}
