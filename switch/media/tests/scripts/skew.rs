//! Two parties, whose clocks go their own ways, on one recording: what was said at one moment stands at one place.

use crate::harness::{Rtp, World, params};
use cordboard_media::{MediaConfig, RecordRate};
use cordboard_model::media::{Codec, MediaCommand};
use std::collections::BTreeMap;

/// Length, seconds: an hour.
const LENGTH: u64 = 3_600;
/// Samples a second of the phones.
const RATE: f64 = 8_000.0;

/// A number from a few others, the same every run.
fn dice(a: u64, b: u64) -> u64 {
    let mut x = a.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ b.wrapping_mul(0xc2b2_ae3d_27d4_eb4f);
    x ^= x >> 29;
    x = x.wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x ^ (x >> 32)
}

/// Whether there is a click at this second: three in four, and none in one minute of five.
fn clicks(second: u64) -> bool {
    !dice(second, 7).is_multiple_of(4) && (second / 60) % 5 != 4
}

/// What a phone sends whose clock is off by `ppm`: when each packet arrives, in milliseconds. It sends around its clicks
/// alone (silence is not sent), one packet in twenty is lost, and the path takes 20 to 30 ms.
fn phone(leg: u64, ppm: f64) -> Vec<(u64, Rtp)> {
    let clock = RATE * (1.0 + ppm / 1e6);
    let mut packets = Vec::new();
    let mut sequence = 0;
    let mut talks = false;
    for n in 0..(LENGTH as f64 * clock / 160.0) as u64 {
        let at = (n * 160) as f64 / clock;
        let nearest = at.round() as u64;
        let near = at - nearest as f64;
        if !clicks(nearest) || !(-0.1..0.2).contains(&near) {
            talks = false;
            continue;
        }
        let kind = if leg == 0 { 0 } else { 8 };
        let quiet = if leg == 0 { 0xff } else { 0xd5 };
        let mut packet = Rtp::audio(kind, leg as u32 + 1, 0, quiet);
        packet.marker = !talks;
        talks = true;
        packet.sequence = sequence;
        sequence = sequence.wrapping_add(1);
        packet.timestamp = (n * 160) as u32;
        let click = (nearest as f64 * clock) as u64;
        if click / 160 == n {
            let from = (click % 160) as usize;
            let loud = if leg == 0 { 0x80 } else { 0xaa };
            packet.payload.iter_mut().skip(from).take(8).for_each(|code| *code = loud);
        }
        if !dice(n, leg).is_multiple_of(20) {
            let jitter = (dice(n, leg + 9) % 1_000) as f64 / 100.0;
            packets.push(((at * 1_000.0 + 40.0 + jitter) as u64, packet));
        }
    }
    packets
}

/// Where each click stands: the second it is of, and its frame, of which the recording has `rate` a second.
fn found(world: &mut World, rate: i64, side: usize, base: usize, found: &mut BTreeMap<u64, i64>) {
    let mut quiet_until = 0;
    for (n, pair) in world.recorded.values().flatten().enumerate() {
        if pair[side].unsigned_abs() > 10_000 && n >= quiet_until {
            quiet_until = n + rate as usize / 10;
            let frame = (base + n) as i64;
            // the path takes some 50 ms
            found.insert(((frame - rate / 20) as f64 / rate as f64).round() as u64, frame);
        }
    }
}

fn skew(ppm: [f64; 2], record_rate: RecordRate) -> (usize, i64) {
    let rate = if record_rate == RecordRate::Wide { 16_000 } else { 8_000 };
    let mut world = World::new(MediaConfig { record_rate, ..MediaConfig::default() });
    world.open(params(0, Codec::Pcmu));
    world.open(params(1, Codec::Pcma));
    world.bridge(0, 1);
    let begin = world.now.as_millis();
    let recording = world.record(0, 1);
    let mut arrivals: Vec<(u64, usize, Rtp)> = Vec::new();
    for leg in 0..2 {
        arrivals
            .extend(phone(leg, ppm[leg as usize]).into_iter().map(|(at, packet)| (at, leg as usize, packet)));
    }
    arrivals.sort_by_key(|(at, leg, packet)| (*at, *leg, packet.sequence));
    let (mut base, mut all) = (0, [BTreeMap::new(), BTreeMap::new()]);
    let mut take = |world: &mut World| {
        for (side, all) in all.iter_mut().enumerate() {
            found(world, rate, side, base, all);
        }
        base += world.recorded.values().map(Vec::len).sum::<usize>();
        world.recorded.clear();
        world.sent.clear();
    };
    let mut taken = 0;
    for (at, leg, packet) in arrivals {
        world.run_to(begin + at);
        world.say(leg, &packet);
        // between two clicks
        if at / 60_000 > taken && (400..600).contains(&(at % 1_000)) {
            taken = at / 60_000;
            take(&mut world);
        }
    }
    world.run_to(begin + LENGTH * 1_000);
    world.command(MediaCommand::StopRecord { recording });
    take(&mut world);
    let [left, right] = &all;
    let both: Vec<_> = left.iter().filter_map(|(second, at)| Some((at - right.get(second)?).abs())).collect();
    (both.len(), both.iter().copied().max().unwrap_or(i64::MAX / 1_000) * 1_000 / rate)
}

#[test]
fn both_channels_stay_within_20_ms_for_an_hour_of_drift_loss_and_silence_that_is_not_sent() {
    let (narrow, wide) = (RecordRate::Narrow, RecordRate::Wide);
    for (ppm, rate) in [([200.0, -200.0], narrow), ([-200.0, 200.0], narrow), ([200.0, -200.0], wide)] {
        let (clicks, worst) = skew(ppm, rate);
        println!("{ppm:?} ppm, {rate:?}: {clicks} clicks on both sides, {worst} ms apart at most");
        assert!(clicks > 1_500, "{ppm:?}: {clicks} clicks");
        assert!(worst < 20, "{ppm:?}, {rate:?}: {worst} ms");
    }
}
