//! G.722: relayed as it is, transcoded to and from G.711, played, recorded.

use crate::harness::{Rtp, Sent, World, heard, params, sine_codes};
use cordboard_media::MediaConfig;
use cordboard_media::tone::Goertzel;
use cordboard_model::media::{
    AudioNews, Codec, MediaCommand, MediaEvent, PlayItem, Repeat, StreamParams, Tone,
};

/// Both phones of a bridge say their tones for a while: what each is sent.
fn talk(world: &mut World, codecs: [Codec; 2], numbers: [u8; 2], ms: u32) -> [Vec<Sent>; 2] {
    let samples = ms as usize * 8;
    let tones = [sine_codes(codecs[0], 440, samples), sine_codes(codecs[1], 660, samples)];
    let before = world.sent.len();
    for n in 0..ms / 20 {
        for leg in 0..2 {
            let at = n as usize * 160;
            let mut packet = Rtp::audio(numbers[leg], leg as u32 + 1, 40 + n, 0);
            packet.payload = tones[leg][at..at + 160].to_vec();
            world.say(leg, &packet);
        }
        world.run(20);
    }
    [0, 1].map(|leg| world.sent[before..].iter().filter(|sent| sent.leg == leg).cloned().collect())
}

fn numbered(n: usize, codec: Codec, send: u8, receive: u8) -> StreamParams {
    StreamParams { send_payload_type: send, recv_payload_type: receive, ..params(n, codec) }
}

#[test]
fn g722_between_two_that_speak_it_is_relayed_untouched_under_the_numbers_of_each_leg() {
    let mut world = World::bridged(Codec::G722, Codec::G722);
    world.configure(0, numbered(0, Codec::G722, 109, 9));
    let codes: Vec<u8> = (0..160).map(|n| (n * 37 + 5) as u8).collect();
    for n in 0..20 {
        let mut packet = Rtp::audio(9, 1, n, 0);
        packet.payload.clone_from(&codes);
        let there = world.say(0, &packet);
        let back = world.say(1, &packet);
        world.run(20);
        if let (Some(there), Some(back)) = (there.filter(|_| n > 3), back) {
            assert_eq!((there.payload_type(), there.payload()), (9, codes.as_slice()));
            assert_eq!((back.payload_type(), back.payload()), (109, codes.as_slice()));
        }
    }
    assert!(world.stats(0).sent > 15 && world.stats(1).sent > 15);
}

#[test]
fn a_g722_party_and_a_g711_party_hear_each_other_under_different_numbers() {
    for law in [Codec::Pcma, Codec::Pcmu] {
        let mut world = World::bridged(Codec::G722, law);
        world.configure(0, numbered(0, Codec::G722, 109, 99));
        let own = law.static_payload_type();
        let [to_wide, to_narrow] = talk(&mut world, [Codec::G722, law], [99, own], 2_000);
        assert!(to_wide.len() > 95 && to_narrow.len() > 95);
        assert!(to_wide.iter().all(|s| s.payload_type() == 109 && s.payload().len() == 160));
        assert!(to_narrow.iter().all(|s| s.payload_type() == own && s.payload().len() == 160));
        for (sent, codec, hertz) in [(&to_wide, Codec::G722, 660.0), (&to_narrow, law, 440.0)] {
            let sent: Vec<Sent> = sent.iter().cloned().map(|s| with_number(s, codec)).collect();
            let pcm = heard(&sent.iter().collect::<Vec<_>>(), codec);
            assert!(Goertzel::share(&pcm[1_600..], hertz) > 0.98, "{law:?} {hertz}");
            let power = Goertzel::power_of(&pcm[1_600..], hertz);
            assert!((power / 32_000_000.0 - 1.0).abs() < 0.1, "as loud as it was said: {power}");
        }
    }
}

/// `heard` knows codecs by the numbers of RFC 3551.
fn with_number(mut sent: Sent, codec: Codec) -> Sent {
    sent.bytes[1] = sent.bytes[1] & 0x80 | codec.static_payload_type();
    sent
}

#[test]
fn prompts_and_tones_are_played_to_a_g722_party() {
    let mut world = World::new(cordboard_media::MediaConfig::default());
    world.open(params(0, Codec::G722));
    let mut pcm = [0; 4_000];
    cordboard_media::tone::Sine::new(440, 8_000).fill(&mut pcm);
    let prompt = world.asset("prompt", &pcm);
    let items = vec![prompt, PlayItem::Tone(Tone::Hertz(660), 500), PlayItem::Silence(200)];
    world.play(0, items, Repeat::Once);
    world.run(1_500);
    let sent = world.sent_by(0);
    assert_eq!(sent.len(), 60, "1.2 s");
    let heard = heard(&sent, Codec::G722);
    assert!(Goertzel::share(&heard[400..4_000], 440.0) > 0.98);
    assert!(Goertzel::share(&heard[4_400..8_000], 660.0) > 0.98);
    assert!(heard[8_400..].iter().all(|s| s.abs() < 64), "silence after the tone");
}

#[test]
fn a_g722_party_is_recorded_beside_a_g711_one_whether_relayed_or_transcoded() {
    for other in [Codec::G722, Codec::Pcma] {
        let mut world = World::bridged(Codec::G722, other);
        let recording = world.record(0, 1);
        let numbers = [Codec::G722, other].map(Codec::static_payload_type);
        talk(&mut world, [Codec::G722, other], numbers, 2_000);
        world.command(MediaCommand::StopRecord { recording });
        let channel = |side: usize| -> Vec<i16> {
            world.recorded[&recording].iter().map(|pair| pair[side]).skip(1_600).collect()
        };
        assert!(Goertzel::share(&channel(0), 440.0) > 0.98, "{other:?}");
        assert!(Goertzel::share(&channel(1), 660.0) > 0.98, "{other:?}");
    }
}

/// Packets of a party's tone in `codec`, 20 ms each, from the beginning of the tone.
fn tone(codec: Codec, hertz: u16, packets: usize) -> Vec<Rtp> {
    let codes = sine_codes(codec, hertz, packets * 160);
    let packet = |n: usize| Rtp {
        payload: codes[n * 160..][..160].to_vec(),
        ..Rtp::audio(codec.static_payload_type(), 5, 40 + n as u32, 0)
    };
    (0..packets).map(packet).collect()
}

/// What leaves to a party leaves on its own tick: one number more, one packet of time more, each time.
fn is_even(sent: &[&Sent], ptime: u64) {
    for pair in sent.windows(2) {
        assert_eq!(pair[1].sequence(), pair[0].sequence().wrapping_add(1));
        assert_eq!(pair[1].at_ms - pair[0].at_ms, ptime);
        assert_eq!(pair[1].timestamp().wrapping_sub(pair[0].timestamp()), ptime as u32 * 8);
        assert_eq!(pair[1].payload().len() as u64, ptime * 8);
    }
}

#[test]
fn a_new_source_in_g722_is_heard_at_once() {
    let mut world = World::bridged(Codec::G722, Codec::Pcma);
    talk(&mut world, [Codec::G722, Codec::Pcma], [9, 8], 1_000);
    let before = world.sent_by(1).len();
    for (n, packet) in tone(Codec::G722, 1_000, 50).into_iter().enumerate() {
        world.say(0, &Rtp { ssrc: 77, sequence: 9_000 + n as u16, ..packet });
        world.run(20);
    }
    let sent = world.sent_by(1);
    is_even(&sent[..before], 20);
    let pcm = heard(&sent[before..], Codec::Pcma);
    assert!(pcm.len() >= 45 * 160);
    assert!(Goertzel::share(&pcm[800..], 1_000.0) > 0.98);
}

#[test]
fn jitter_loss_and_disorder_before_a_decoder_are_made_good_and_not_passed_on() {
    let mut world = World::bridged(Codec::G722, Codec::Pcma);
    let packets = tone(Codec::G722, 440, 500);
    // Up to 25 ms of jitter, which turns some about; one in twenty lost. The same every run.
    let wild = |n: usize| (n as u32).wrapping_mul(2_654_435_761) >> 16;
    let kept = (0..500).filter(|n| n % 20 != 13);
    let mut arrivals: Vec<(u64, usize)> =
        kept.map(|n| (2_000 + n as u64 * 20 + u64::from(wild(n) % 26), n)).collect();
    arrivals.sort_unstable();
    for (at, n) in arrivals {
        world.run_to(at);
        world.say(0, &packets[n]);
    }
    let sent = world.sent_by(1);
    assert!(sent.len() > 480, "{}", sent.len());
    is_even(&sent, 20);
    let pcm = heard(&sent, Codec::Pcma);
    let quiet = pcm[8_000..].chunks(160).filter(|piece| piece.iter().all(|s| s.abs() < 1_000)).count();
    assert_eq!(quiet, 0, "a lost packet is bridged by what was before");
    let shares: Vec<f64> = pcm[8_000..].chunks(800).map(|piece| Goertzel::share(piece, 440.0)).collect();
    let good = shares.iter().filter(|share| **share > 0.9).count();
    assert!(good * 10 >= shares.len() * 8, "{shares:?}");
    assert_eq!(world.stats(0).lost, 25);
    let concealed = world.stats(1).concealed_ms;
    assert!((480..=700).contains(&concealed), "25 packets, and little that was late: {concealed} ms");
}

#[test]
fn who_falls_silent_costs_nothing_and_is_heard_again_in_one_stream() {
    for standing in [false, true] {
        silence_between_words(standing);
    }
}

fn silence_between_words(standing: bool) {
    let mut world = World::bridged(Codec::G722, Codec::Pcma);
    let packets = tone(Codec::G722, 440, 100);
    for packet in &packets[..50] {
        world.say(0, packet);
        world.run(20);
    }
    world.run(1_100);
    let silent = world.sent_by(1).len();
    assert!((50..=54).contains(&silent), "the last is concealed and fades: {silent}");
    world.run(5_000);
    assert_eq!(world.sent_by(1).len(), silent);
    // Whose clock stood while he was silent is no worse off than he whose clock ran on.
    let passed = if standing { 0 } else { 6_100 * 8 };
    for packet in &packets[50..] {
        let later = Rtp { timestamp: packet.timestamp.wrapping_add(passed), ..packet.clone() };
        world.say(0, &later);
        world.run(20);
    }
    let sent = world.sent_by(1);
    assert!(sent.len() > silent + 45);
    is_even(&sent[silent..], 20);
    let (last, next) = (sent[silent - 1], sent[silent]);
    assert!(next.marker() && next.ssrc() == last.ssrc());
    assert_eq!(next.sequence(), last.sequence().wrapping_add(1));
    let passed = u64::from(next.timestamp().wrapping_sub(last.timestamp())) / 8;
    assert!(passed.abs_diff(next.at_ms - last.at_ms) <= 20, "{passed}");
}

#[test]
fn a_key_passes_between_parties_whose_audio_is_decoded_with_one_timestamp_and_no_audio_beside_it() {
    let mut world = World::bridged(Codec::G722, Codec::Pcma);
    let packets = tone(Codec::G722, 440, 100);
    for packet in &packets[..50] {
        world.say(0, packet);
        world.run(20);
    }
    let before = world.sent_by(1).len();
    for n in 0..10u16 {
        let end = n >= 7;
        world.say(0, &Rtp::event(5, 90 + n, 90 * 160, 5, end, (n + 1).min(8) * 160));
        world.run(20);
    }
    for packet in &packets[60..] {
        world.say(0, packet);
        world.run(20);
    }
    let sent = world.sent_by(1);
    let events: Vec<_> = sent[before..].iter().filter(|sent| sent.payload_type() == 101).collect();
    assert_eq!(events.len(), 10);
    assert!(events.iter().all(|event| event.timestamp() == events[0].timestamp()));
    let (first, last) = (events[0].at_ms, events[9].at_ms);
    let beside = sent.iter().filter(|s| s.payload_type() == 8 && s.at_ms > first && s.at_ms < last);
    assert_eq!(beside.count(), 0);
    for pair in sent.windows(2) {
        assert_eq!(pair[1].sequence(), pair[0].sequence().wrapping_add(1));
    }
    assert_eq!(world.digits(0), "5");
}

#[test]
fn packets_are_cut_anew_for_a_party_that_wants_another_length_and_relayed_when_they_fit() {
    for ptime in [10u8, 30, 40, 60] {
        let mut world = World::bridged(Codec::Pcma, Codec::Pcma);
        world.configure(1, StreamParams { ptime_ms: ptime, ..params(1, Codec::Pcma) });
        for packet in tone(Codec::Pcma, 440, 150) {
            world.say(0, &packet);
            world.run(20);
        }
        let all = world.sent_by(1);
        // Until it is plain that they do not fit, a few are relayed as they are.
        let relayed = all.iter().take_while(|sent| sent.payload().len() == 160).count();
        assert!(relayed <= 5, "{relayed}");
        let sent = &all[relayed..];
        is_even(sent, u64::from(ptime));
        let pcm = heard(sent, Codec::Pcma);
        assert!(pcm.len() > 20_000 && Goertzel::share(&pcm[1_600..], 440.0) > 0.98, "{ptime}");
        // G.711 decoded and encoded is what it was.
        let codes: Vec<u8> = sent.iter().flat_map(|sent| sent.payload()).copied().collect();
        let said = sine_codes(Codec::Pcma, 440, 8_000);
        let piece = &codes[8_000..8_400];
        assert!(said.windows(400).any(|there| there == piece), "bit for bit");
        let back = world.say(1, &Rtp::audio(8, 9, 0, 0x55));
        assert!(back.is_some(), "the other way nothing is cut");
    }
}

fn comfort_noise(n: u16, level: u8) -> Rtp {
    Rtp {
        payload_type: 13,
        sequence: n,
        timestamp: u32::from(n) * 160,
        payload: vec![level],
        ..Rtp::audio(13, 5, 0, 0)
    }
}

#[test]
fn comfort_noise_is_heard_at_its_level_until_the_party_speaks() {
    let mut world = World::bridged(Codec::G722, Codec::Pcma);
    let packets = tone(Codec::G722, 440, 100);
    for packet in &packets[..25] {
        world.say(0, packet);
        world.run(20);
    }
    assert_eq!(world.say(0, &comfort_noise(65, 50)), None);
    world.run(1_000);
    let silent = world.sent_by(1).len();
    for (n, packet) in packets[75..].iter().enumerate() {
        world.say(0, &Rtp { sequence: 66 + n as u16, ..packet.clone() });
        world.run(20);
    }
    let sent = world.sent_by(1);
    is_even(&sent, 20);
    assert!(sent.len() > 95, "{}", sent.len());
    let pcm = heard(&sent[silent - 40..silent - 2], Codec::Pcma);
    let square: f64 = pcm.iter().map(|s| f64::from(*s) * f64::from(*s)).sum::<f64>() / pcm.len() as f64;
    assert!((90.0..120.0).contains(&square.sqrt()), "-50 dBov is 104: {}", square.sqrt());
    assert!(Goertzel::share(&heard(&sent[silent + 5..], Codec::Pcma), 440.0) > 0.95);
    assert_eq!((world.stats(0).malformed, world.stats(0).lost, world.stats(1).concealed_ms), (0, 0, 0));
}

#[test]
fn comfort_noise_that_both_agreed_on_is_passed_on_under_the_number_of_each() {
    let mut world = World::new(MediaConfig::default());
    world.open(StreamParams { comfort: Some((98, 97)), ..params(0, Codec::Pcma) });
    world.open(StreamParams { comfort: Some((99, 13)), ..params(1, Codec::Pcmu) });
    world.bridge(0, 1);
    for packet in tone(Codec::Pcma, 440, 10) {
        world.say(0, &packet);
        world.run(20);
    }
    let before = world.sent_by(1).last().map(|sent| (sent.sequence(), sent.timestamp())).unwrap();
    let noise = |number, n| Rtp { payload_type: number, payload: vec![60, 1, 2], ..comfort_noise(n, 60) };
    let passed = world.say(0, &noise(97, 50)).expect("passed on");
    assert_eq!((passed.payload_type(), passed.payload()), (99, &[60, 1, 2][..]));
    assert_eq!(passed.timestamp().wrapping_sub(before.1), 160);
    // by the static number, too; and to one who has not agreed on it nothing is sent
    let passed = world.say(0, &noise(13, 51)).expect("passed on");
    assert_eq!((passed.payload_type(), passed.marker()), (99, false));
    world.run(1_000);
    let next = Rtp { sequence: 52, timestamp: 102 * 160, ssrc: 5, ..Rtp::audio(8, 5, 0, 0x55) };
    let next = world.say(0, &next).expect("relayed");
    assert_eq!(next.sequence(), passed.sequence().wrapping_add(1));
    assert_eq!(next.timestamp().wrapping_sub(before.1), 160 * 53);
    assert_eq!((world.stats(0).malformed, world.stats(0).lost), (0, 0));
}

#[test]
fn comfort_noise_that_nobody_asked_for_is_understood_beside_opus() {
    let mut world = World::bridged(Codec::Opus, Codec::Pcma);
    for n in 0..10 {
        world.say(0, &Rtp { payload: vec![0xf8, 0xff, 0xfe], ..Rtp::audio(111, 5, n, 0) });
        world.run(20);
    }
    world.say(0, &comfort_noise(10, 50));
    world.run(1_000);
    assert_eq!((world.stats(0).malformed, world.stats(0).lost), (0, 0));
    let sent = world.sent_by(1);
    let pcm = heard(&sent[sent.len() - 20..], Codec::Pcma);
    let square: f64 = pcm.iter().map(|s| f64::from(*s) * f64::from(*s)).sum::<f64>() / pcm.len() as f64;
    assert!((90.0..120.0).contains(&square.sqrt()), "-50 dBov is 104: {}", square.sqrt());
}

#[test]
fn who_said_that_it_is_silent_is_not_missed_for_a_minute() {
    let mut world = World::bridged(Codec::Pcma, Codec::Pcma);
    let unheard = |world: &World| {
        let told = |(_, event): &&(u64, MediaEvent)| matches!(event, MediaEvent::Audio { leg, news: AudioNews::OneWay } if *leg == world.legs[0]);
        world.events.iter().filter(told).count()
    };
    let talk = |world: &mut World, from: u32, to: u32| {
        for n in from..to {
            world.say(1, &Rtp::audio(8, 9, n, 0x55));
            world.run(20);
        }
    };
    world.say(0, &Rtp::audio(8, 5, 0, 0x55));
    world.say(0, &comfort_noise(1, 60));
    talk(&mut world, 0, 50 * 60);
    assert_eq!(unheard(&world), 0);
    talk(&mut world, 50 * 60, 50 * 80);
    assert_eq!(unheard(&world), 1, "and then it is");
}

#[test]
fn comfort_noise_that_nobody_asked_for_is_no_fault_and_goes_no_further_between_relayed_parties() {
    let mut world = World::bridged(Codec::Pcma, Codec::Pcma);
    for packet in tone(Codec::Pcma, 440, 10) {
        world.say(0, &packet);
        world.run(20);
    }
    assert_eq!(world.say(0, &comfort_noise(50, 60)), None);
    world.run(400);
    let last = world.sent_by(1).len() - 1;
    let next = Rtp { sequence: 51, timestamp: 80 * 160, ..Rtp::audio(8, 5, 0, 0x55) };
    let next = world.say(0, &next).unwrap();
    assert_eq!(next.sequence(), world.sent_by(1)[last].sequence().wrapping_add(1), "no gap where it was");
    assert_eq!((world.stats(0).malformed, world.stats(0).lost), (0, 0));
}
