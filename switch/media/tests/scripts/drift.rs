//! Calls of an hour between two whose clocks are off by 200 parts in a million, one fast and one slow. Nothing may pile up,
//! nothing may run dry. A day of it: `cargo xtask soak drift`.

use crate::harness::{Rtp, Sent, World, params, phone};
use cordboard_media::MediaConfig;
use cordboard_media::codec::{Decoder, Encoder};
use cordboard_media::tone::Sine;
use cordboard_model::id::RecordingId;
use cordboard_model::media::{Codec, MediaCommand};
use cordboard_model::time::{Duration, Time};

/// Parts in a million that each clock is off: twice what a crystal of a phone is allowed.
const PPM: [i64; 2] = [200, -200];
/// Shorter than this is no drop-out, samples: 5 ms to an ear. A recording is set right by 10 ms at a time, where a slow
/// clock has brought too little.
const DROPOUT_HEARD: u32 = 40;
const DROPOUT_RECORDED: u32 = 110;
/// A packet of every second is loud: by it one knows where a second is.
const LOUD: i16 = 4_000;
/// What is quieter than this is a drop-out: the tone between two loud packets has a peak of 1,000.
const QUIET: u16 = 400;
/// Most time between a sample that comes and the same one that leaves: what the jitter buffer waits for, the packet of 40 ms
/// it is put into, and as much again, by which a clock may run off before the buffer moves. A recording may be before its
/// time, by what it is set right by.
const DELAY_MAX_MS: f64 = 100.0;
/// By so much more than ever in the first ten minutes a sample may wait later. Within these it comes and goes: the buffer
/// lets a clock run off by a packet and a little before it moves.
const GROWTH_MAX_MS: f64 = 2.0;
const EARLY_SECONDS: u64 = 600;

/// A phone: speaks at its own pace.
struct Phone {
    codec: Codec,
    /// One second, 50 packets.
    second: Vec<Vec<u8>>,
    period: u64,
    n: u64,
}

impl Phone {
    fn new(codec: Codec, ppm: i64) -> Self {
        let (mut loud, mut quiet) = (Sine::new(1_000, 12_000), Sine::new(450, 1_000));
        let mut encoder = Encoder::new(codec);
        let packet = |n: u64| {
            let sine = if n == 0 { &mut loud } else { &mut quiet };
            let pcm: Vec<i16> = (0..160).map(|_| sine.sample()).collect();
            let mut codes = vec![0; 160];
            encoder.encode(&pcm, &mut codes);
            codes
        };
        let second = (0..50).map(packet).collect();
        Self { codec, second, period: (20 * (1_000_000 - ppm)) as u64, n: 0 }
    }

    fn at(&self, begun: Time, n: u64) -> Time {
        begun + Duration::from_nanos(n * self.period)
    }

    fn packet(&mut self, leg: usize) -> Rtp {
        let mut packet = Rtp::audio(self.codec.static_payload_type(), leg as u32 + 1, self.n as u32 + 40, 0);
        packet.payload.clone_from(&self.second[(self.n % 50) as usize]);
        self.n += 1;
        packet
    }
}

/// Milliseconds between a loud packet's way in and its way out.
#[derive(Clone, Copy, Debug)]
struct Delay {
    first: f64,
    least: f64,
    most: f64,
    /// The most of the first minutes.
    early: f64,
}

/// What one party hears, second for second.
struct Listener {
    decoder: Decoder,
    /// The loud packets that came out so far.
    seconds: u64,
    delay: Option<Delay>,
    dropout: u32,
    quiet_for: u32,
    loud_for: u32,
    dropouts: u32,
    last: Option<(u16, u32)>,
}

impl Listener {
    fn new(codec: Codec, dropout: u32) -> Self {
        let decoder = Decoder::new(codec);
        Self { decoder, dropout, seconds: 0, delay: None, quiet_for: 0, loud_for: 0, dropouts: 0, last: None }
    }

    /// Takes what was sent at this moment; `spoken` says when the loud packet of a second came in.
    fn hear(&mut self, sent: &Sent, at: Time, spoken: impl Fn(u64) -> Time) {
        let mut pcm = vec![0; sent.payload().len()];
        self.decoder.decode(sent.payload(), &mut pcm);
        self.listen(&pcm, at, spoken);
        let end = sent.timestamp().wrapping_add(pcm.len() as u32);
        if let Some((sequence, timestamp)) = self.last.replace((sent.sequence(), end)) {
            assert_eq!(sent.sequence(), sequence.wrapping_add(1), "a hole in the numbers");
            let first = self.seconds < 2;
            assert!(first || sent.timestamp() == timestamp, "the timestamp leaps in second {}", self.seconds);
        }
    }

    /// Samples of which the first is played at `at`.
    fn listen(&mut self, pcm: &[i16], at: Time, spoken: impl Fn(u64) -> Time) {
        for (n, sample) in pcm.iter().enumerate() {
            let peak = sample.unsigned_abs();
            self.quiet_for = if peak < QUIET { self.quiet_for + 1 } else { 0 };
            // a wave of 450 Hz is quiet for less than a millisecond
            self.dropouts += u32::from(self.quiet_for == self.dropout && self.seconds > 0);
            self.loud_for = self.loud_for.saturating_sub(1);
            if peak > LOUD as u16 {
                if self.loud_for == 0 {
                    self.note(at + Duration::from_micros(n as u64 * 125), &spoken);
                }
                self.loud_for = 400;
            }
        }
    }

    fn note(&mut self, at: Time, spoken: impl Fn(u64) -> Time) {
        let delay = at.as_nanos() as f64 / 1e6 - spoken(self.seconds).as_nanos() as f64 / 1e6;
        let seen = self.delay.get_or_insert(Delay { first: delay, least: delay, most: delay, early: delay });
        (seen.least, seen.most) = (seen.least.min(delay), seen.most.max(delay));
        if self.seconds < EARLY_SECONDS {
            seen.early = seen.most;
        }
        self.seconds += 1;
    }

    fn check(&self, seconds: u64, what: &str) {
        let Delay { first, least, most, early } = self.delay.unwrap();
        println!("{what}: {} s, delay {first:.1} ms at first, {least:.1} to {most:.1}", self.seconds);
        // as many as went by on the speaker's clock
        assert!(
            self.seconds.abs_diff(seconds) <= 2 + seconds / 4_000,
            "{what}: {} loud packets of {seconds}",
            self.seconds
        );
        assert_eq!(self.dropouts, 0, "{what}: drop-outs");
        assert!(least > -12.0 && most < DELAY_MAX_MS, "{what}: {least} to {most} ms");
        assert!(most - early < GROWTH_MAX_MS, "{what}: the delay grew from {early} to {most} ms");
    }
}

struct Call {
    world: World,
    phones: [Phone; 2],
    listeners: [Listener; 2],
    begun: Time,
}

impl Call {
    fn new(codecs: [Codec; 2], ptime_ms: u8) -> Self {
        let mut world =
            World::new(MediaConfig { silence_limit: Duration::from_secs(5), ..MediaConfig::default() });
        for (n, codec) in codecs.into_iter().enumerate() {
            let mut params = params(n, codec);
            params.ptime_ms = if n == 1 { ptime_ms } else { 20 };
            world.open(params);
        }
        world.bridge(0, 1);
        let phones = [0, 1].map(|n| Phone::new(codecs[n], PPM[n]));
        let begun = world.now;
        Self { world, phones, listeners: codecs.map(|codec| Listener::new(codec, DROPOUT_HEARD)), begun }
    }

    /// Both speak until then; what they hear is looked at every second.
    fn speak(&mut self, seconds: u64) {
        let end = self.begun + Duration::from_secs(seconds);
        loop {
            let next = [0, 1].map(|leg| self.phones[leg].at(self.begun, self.phones[leg].n));
            let leg = usize::from(next[1] < next[0]);
            if next[leg] >= end {
                return;
            }
            self.world.run_until(next[leg]);
            self.listen();
            let packet = self.phones[leg].packet(leg);
            self.world.give(leg, phone(leg), &packet.bytes());
            self.listen();
        }
    }

    fn listen(&mut self) {
        let (begun, now) = (self.begun, self.world.now);
        for sent in self.world.sent.drain(..) {
            let speaker = &self.phones[1 - sent.leg];
            // what was sent between two packets bears the millisecond of its tick
            let at = if sent.at_ms == now.as_millis() { now } else { Time::from_millis(sent.at_ms) };
            self.listeners[sent.leg].hear(&sent, at, |second| speaker.at(begun, second * 50));
        }
        self.world.rtcp.clear();
    }

    fn check(&self, seconds: u64, concealed_max_ms: u64, what: &str) {
        for leg in 0..2 {
            self.listeners[leg].check(seconds, &format!("{what}, heard by {leg}"));
            let stats = self.world.stats(leg);
            assert_eq!((stats.lost, stats.late, stats.foreign), (0, 0, 0), "{what} {leg}");
            println!("{what} {leg}: concealed {} ms, mos {:?}", stats.concealed_ms, stats.mos);
            assert!(stats.concealed_ms <= concealed_max_ms, "{what} {leg}: {} ms", stats.concealed_ms);
        }
        let silent =
            |(_, event): &&(u64, _)| matches!(event, cordboard_model::media::MediaEvent::Silent { .. });
        assert_eq!(self.world.events.iter().filter(silent).count(), 0, "{what}");
    }
}

fn relayed(seconds: u64) {
    let mut call = Call::new([Codec::Pcma, Codec::Pcmu], 20);
    call.speak(seconds);
    call.check(seconds, 0, "relayed");
    let Delay { least, most, .. } = call.listeners[0].delay.unwrap();
    assert!(most - least < 1.0, "what is relayed waits for nothing: {least} to {most}");
}

fn transcoded(seconds: u64) {
    // invented where the buffer finds its place, once each time a clock has run dry by a packet
    let concealed = 100 + seconds / 20;
    for (codec, ptime, what) in [(Codec::G722, 20, "transcoded"), (Codec::Pcma, 40, "cut anew")] {
        let mut call = Call::new([Codec::Pcma, codec], ptime);
        call.speak(seconds);
        call.check(seconds, concealed, what);
    }
}

/// What was recorded is looked at every second, as a writer takes it.
struct Tape {
    recording: RecordingId,
    frames: u64,
    listeners: [Listener; 2],
}

impl Tape {
    fn take(&mut self, call: &mut Call, from: Time) {
        let begun = call.begun;
        for pair in call.world.recorded.remove(&self.recording).unwrap_or_default() {
            let at = from + Duration::from_nanos(self.frames * 125_000);
            self.frames += 1;
            for (side, listener) in self.listeners.iter_mut().enumerate() {
                let phone = &call.phones[side];
                listener.listen(&[pair[side]], at, |second| phone.at(begun, second * 50));
            }
        }
    }
}

fn recorded(seconds: u64) {
    let mut call = Call::new([Codec::Pcma, Codec::Pcma], 20);
    let recording = call.world.record(0, 1);
    let listeners = [Codec::Pcma; 2].map(|codec| Listener::new(codec, DROPOUT_RECORDED));
    let mut tape = Tape { recording, frames: 0, listeners };
    let from = call.world.now;
    for second in 1..=seconds {
        call.speak(second);
        tape.take(&mut call, from);
    }
    call.world.command(MediaCommand::StopRecord { recording });
    tape.take(&mut call, from);
    call.check(seconds, 0, "recorded");
    for (side, listener) in tape.listeners.iter().enumerate() {
        listener.check(seconds, &format!("channel {side}"));
        let Delay { first, least, most, .. } = listener.delay.unwrap();
        assert!(
            most - first < 20.0 && first - least < 20.0,
            "channel {side} left the clock: {least} to {most}"
        );
    }
    let length = tape.frames / 8_000;
    assert!(length.abs_diff(seconds) <= 1, "{length} s of {seconds} are recorded");
}

/// An hour, or as many as the environment says.
fn length() -> u64 {
    let hours = std::env::var("CORDBOARD_SOAK_HOURS").ok().and_then(|text| text.parse().ok());
    hours.unwrap_or(1) * 3_600
}

#[test]
fn an_hour_between_clocks_that_drift_is_relayed_without_delay_or_gap() {
    relayed(length());
}

#[test]
fn an_hour_between_clocks_that_drift_is_transcoded_without_growth_of_delay_or_drop_outs() {
    transcoded(length());
}

#[test]
fn an_hour_between_clocks_that_drift_is_recorded_on_one_clock() {
    recorded(length());
}
