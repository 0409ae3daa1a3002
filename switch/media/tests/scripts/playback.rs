//! Playback: cadence, continuity, ends.

use crate::harness::{Rtp, World, heard, params};
use cordboard_media::tone::{Goertzel, Sine};
use cordboard_media::{MediaConfig, MediaEngine};
use cordboard_model::media::{Codec, Direction, MediaCommand, PlayItem, Repeat, Tone};
use cordboard_model::time::{Duration, Time};

fn one_leg(codec: Codec, ptime_ms: u8) -> World {
    let mut world = World::new(MediaConfig::default());
    let mut params = params(0, codec);
    params.ptime_ms = ptime_ms;
    world.open(params);
    world
}

fn sine(hertz: u16, samples: usize) -> Vec<i16> {
    let mut out = vec![0; samples];
    Sine::new(hertz, 8_000).fill(&mut out);
    out
}

#[test]
fn packets_leave_on_an_exact_cadence_whatever_the_packet_time() {
    for ptime in [10u8, 20, 30, 40, 60] {
        let mut world = one_leg(Codec::Pcmu, ptime);
        let item = world.asset("prompt", &sine(440, 8_000));
        let begun = world.now.as_millis();
        let playback = world.play(0, vec![item], Repeat::Once);
        world.run(2_000);
        let sent = world.sent_by(0);
        let samples = u32::from(ptime) * 8;
        assert_eq!(sent.len(), 8_000usize.div_ceil(samples as usize));
        assert!(sent[0].at_ms - begun <= u64::from(ptime));
        assert!(sent[0].marker() && !sent[1].marker());
        for pair in sent.windows(2) {
            assert_eq!(pair[1].at_ms - pair[0].at_ms, u64::from(ptime));
            assert_eq!(pair[1].timestamp(), pair[0].timestamp().wrapping_add(samples));
            assert_eq!(pair[1].sequence(), pair[0].sequence().wrapping_add(1));
            assert_eq!(pair[1].payload().len(), samples as usize);
        }
        let last = sent[sent.len() - 1].at_ms;
        assert_eq!(world.play_done(), [(last, playback, true)], "ptime {ptime}");
        assert!(Goertzel::share(&heard(&sent, Codec::Pcmu)[..7_000], 440.0) > 0.99);
    }
}

#[test]
fn items_follow_without_a_gap_and_tones_are_made_in_the_legs_codec() {
    let mut world = one_leg(Codec::Pcma, 20);
    let prompt = world.asset("prompt", &sine(440, 1_200));
    let items = vec![
        prompt,
        PlayItem::Silence(50),
        PlayItem::Tone(Tone::Hertz(660), 100),
        PlayItem::Tone(Tone::Beep, 300),
    ];
    world.play(0, items, Repeat::Once);
    world.run(1_000);
    let heard = heard(&world.sent_by(0), Codec::Pcma);
    assert_eq!(heard.len(), 4_800);
    assert!(Goertzel::share(&heard[..1_200], 440.0) > 0.99);
    assert!(heard[1_200..1_600].iter().all(|s| s.abs() <= 8));
    assert!(Goertzel::share(&heard[1_600..2_400], 660.0) > 0.98);
    assert!(Goertzel::share(&heard[2_400..4_000], 1_000.0) > 0.99);
    assert!(heard[4_000..].iter().all(|s| s.abs() <= 8));
}

#[test]
fn music_goes_on_until_it_is_stopped_and_another_playback_replaces_it() {
    let mut world = one_leg(Codec::Pcma, 20);
    let music = world.asset("music", &sine(440, 1_000));
    let first = world.play(0, vec![music], Repeat::Forever);
    world.run(1_000);
    assert_eq!(world.play_done(), []);
    assert_eq!(world.sent_by(0).len(), 50);
    let second = world.play(0, vec![PlayItem::Tone(Tone::RingBack, 60_000)], Repeat::Once);
    let at = world.now.as_millis();
    assert_eq!(world.play_done(), [(at, first, false)]);
    world.run(200);
    let leg = world.legs[0];
    world.command(MediaCommand::StopPlay { leg, playback: first });
    assert_eq!(world.play_done().len(), 1, "it is no longer the one that is on");
    world.command(MediaCommand::StopPlay { leg, playback: second });
    assert_eq!(world.play_done()[1], (at + 200, second, false));
    let sent = world.sent_by(0).len();
    assert_eq!(sent, 60);
    world.run(200);
    assert_eq!(world.sent_by(0).len(), sent);
    let sent = world.sent_by(0);
    for pair in sent.windows(2) {
        assert_eq!(pair[1].at_ms - pair[0].at_ms, 20, "the change did not break the cadence");
        assert_eq!(pair[1].timestamp(), pair[0].timestamp().wrapping_add(160));
    }
}

#[test]
fn playbacks_with_nothing_to_play_end_at_once() {
    let mut world = one_leg(Codec::Pcma, 20);
    let missing = PlayItem::Asset(
        cordboard_model::id::AssetId::new(cordboard_model::id::TenantId::DEFAULT, "no").unwrap(),
    );
    let at = world.now.as_millis();
    let on = world.play(0, vec![PlayItem::Silence(5_000)], Repeat::Forever);
    let lost = world.play(0, vec![PlayItem::Silence(100), missing], Repeat::Once);
    let empty = world.play(0, vec![], Repeat::Once);
    let never = world.play(0, vec![PlayItem::Silence(0)], Repeat::Forever);
    let long = world.play(0, vec![PlayItem::Silence(1); 257], Repeat::Once);
    world.run(1_000);
    let expected = [(on, false), (lost, false), (empty, true), (never, false), (long, false)];
    assert_eq!(world.play_done(), expected.map(|(id, finished)| (at, id, finished)));
    assert_eq!(world.sent_by(0).len(), 0);
}

#[test]
fn time_passes_for_a_leg_that_does_not_send_and_nothing_is_sent() {
    for configured in [false, true] {
        let mut world = World::new(MediaConfig::default());
        let leg = world.open_bare();
        if configured {
            let mut held = params(0, Codec::Pcma);
            held.direction = Direction::RecvOnly;
            world.configure(leg, held);
        }
        let playback = world.play(leg, vec![PlayItem::Silence(500)], Repeat::Once);
        let begun = world.now.as_millis();
        world.run(1_000);
        let [(at, done, true)] = world.play_done()[..] else {
            panic!("{:?}", world.play_done());
        };
        assert_eq!(done, playback);
        assert!((480..=500).contains(&(at - begun)), "{}", at - begun);
        assert_eq!(world.sent.len(), 0);
    }
}

#[test]
fn a_playback_is_heard_alone_and_the_bridge_goes_on_after_it_in_one_stream() {
    let mut world = World::bridged(Codec::Pcma, Codec::Pcma);
    for n in 0..100u32 {
        if n == 20 {
            world.play(1, vec![PlayItem::Tone(Tone::Beep, 200)], Repeat::Once);
        }
        let relayed = world.say(0, &Rtp::audio(8, 1, n, 0x11));
        let playing = (20..30).contains(&n);
        assert!(playing || relayed.is_some() || n == 30, "packet {n}");
        assert!(!playing || relayed.is_none(), "packet {n}");
        assert!(world.say(1, &Rtp::audio(8, 2, n, 0x22)).is_some(), "the other way is free");
        world.run(20);
    }
    let sent = world.sent_by(1);
    for pair in sent.windows(2) {
        assert_eq!(pair[1].sequence(), pair[0].sequence().wrapping_add(1));
        let step = pair[1].timestamp().wrapping_sub(pair[0].timestamp());
        let passed = (pair[1].at_ms - pair[0].at_ms) * 8;
        assert!(step >= 160 && u64::from(step) <= passed.max(160), "{step} after {passed}");
        assert_eq!(pair[1].ssrc(), pair[0].ssrc());
    }
    let total = sent[sent.len() - 1].timestamp().wrapping_sub(sent[0].timestamp());
    assert!((99 * 160..=100 * 160).contains(&total), "timestamps kept up with time: {total}");
}

#[test]
fn late_ticks_catch_up_within_a_bound_and_the_rest_is_skipped() {
    let mut world = one_leg(Codec::Pcma, 20);
    let item = world.asset("long", &sine(440, 80_000));
    let playback = world.play(0, vec![item], Repeat::Once);
    world.run(200);
    let before = world.sent_by(0).len();
    // The thread stood still for three seconds.
    world.now = world.now + Duration::from_secs(3);
    world.engine.handle_timeout(world.now);
    world.drain();
    let sent = world.sent_by(0);
    assert_eq!(sent.len() - before, 4);
    assert_eq!(world.engine.counters().frames_skipped, 146);
    let gap = sent[before].timestamp().wrapping_sub(sent[before - 1].timestamp());
    assert_eq!(gap, 147 * 160);
    assert_eq!(sent[before].sequence(), sent[before - 1].sequence().wrapping_add(1));
    world.run(20_000);
    let sent = world.sent_by(0);
    assert_eq!(sent.len(), 500 - 146);
    let end = world.play_done()[0];
    assert_eq!((end.1, end.2), (playback, true));
    assert!(end.0 - 1_000 <= 10_020, "it ended when it would have ended");
}

#[test]
fn who_does_not_poll_for_packets_gets_no_burst_later() {
    let mut engine = MediaEngine::new(MediaConfig::default(), [1; 32]);
    let mut world = one_leg(Codec::Pcma, 20);
    std::mem::swap(&mut engine, &mut world.engine);
    let leg = world.legs[0];
    let playback = world.ids.playback(leg.tenant);
    let play = MediaCommand::Play {
        leg,
        playback,
        items: vec![PlayItem::Tone(Tone::Busy, 5_000)],
        repeat: Repeat::Once,
    };
    engine.handle_command(play, world.now);
    let end = world.now + Duration::from_secs(1);
    while let Some((at, _)) = engine.poll_timeout().filter(|(at, _)| *at <= end) {
        engine.handle_timeout(at);
    }
    let mut buf = [0; MediaEngine::TRANSMIT_MIN];
    assert_eq!(engine.poll_transmit(&mut buf[1..], end), None, "too short a buffer");
    let mut packets = 0;
    while engine.poll_transmit(&mut buf, end).is_some() {
        packets += 1;
    }
    assert_eq!(packets, 4);
}

#[test]
fn a_thousand_legs_are_spread_over_the_tick() {
    let mut world = World::new(MediaConfig::default());
    for n in 0..1_000 {
        let mut params = params(0, Codec::Pcma);
        params.remote.set_port(4_000 + n);
        world.open(params);
    }
    for leg in 0..1_000 {
        world.play(leg, vec![PlayItem::Silence(1_000)], Repeat::Once);
    }
    world.run_to(1_500);
    let mut per_ms = std::collections::BTreeMap::<u64, usize>::new();
    for sent in world.sent.iter().filter(|s| (1_100..1_400).contains(&s.at_ms)) {
        *per_ms.entry(sent.at_ms).or_default() += 1;
    }
    assert_eq!(per_ms.len(), 300, "every millisecond has work");
    assert!(per_ms.values().all(|count| (40..=60).contains(count)), "{per_ms:?}");
}

#[test]
fn the_engine_says_why_it_wants_to_be_woken() {
    let mut world = one_leg(Codec::Pcma, 20);
    assert_eq!(world.engine.poll_timeout().unwrap().1.0, "media watch");
    world.play(0, vec![PlayItem::Silence(100)], Repeat::Once);
    let (at, why) = world.engine.poll_timeout().unwrap();
    assert_eq!(why.0, "media tick");
    assert!(at > world.now && at <= world.now + Duration::from_millis(20));
    assert!(at.since(Time::ZERO).subsec_nanos() % 1_000_000 == 0);
}
