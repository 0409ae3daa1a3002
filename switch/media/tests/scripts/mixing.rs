//! Mixes: who hears whom by tone, one stream from relay to mix and back, keys, recordings, ends.

use crate::harness::{Rtp, Sent, World, heard, params, sine_codes};
use cordboard_media::MediaConfig;
use cordboard_media::codec::{Decoder, Encoder};
use cordboard_media::tone::Goertzel;
use cordboard_model::media::{
    Codec, Direction, MediaCommand, MediaEvent, PlayItem, Repeat, StreamParams, Tone,
};

/// What each phone says.
const TONES: [u16; 4] = [440, 620, 860, 1_180];
/// Everybody hears everybody.
const ALL: u32 = u32::MAX;

/// Phones that all know one law.
fn room(codecs: &[Codec]) -> World {
    let mut world = World::new(MediaConfig::default());
    for (n, codec) in codecs.iter().enumerate() {
        world.open(params(n, *codec));
    }
    world
}

/// A world whose phones say their tones.
struct Party {
    world: World,
    codecs: Vec<Codec>,
    codes: Vec<Vec<u8>>,
    /// Who says something.
    speaks: Vec<bool>,
    /// Packets so far.
    n: u32,
}

impl Party {
    fn new(codecs: &[Codec]) -> Self {
        let codes = codecs.iter().zip(TONES).map(|(codec, hertz)| sine_codes(*codec, hertz, 8_000 * 60));
        Self {
            world: room(codecs),
            codecs: codecs.to_vec(),
            codes: codes.collect(),
            speaks: vec![true; codecs.len()],
            n: 0,
        }
    }

    fn talk(&mut self, ms: u32) {
        for _ in 0..ms / 20 {
            for leg in 0..self.codecs.len() {
                let at = self.n as usize * 160;
                let mut packet =
                    Rtp::audio(self.codecs[leg].static_payload_type(), leg as u32 + 1, 40 + self.n, 0);
                packet.payload = self.codes[leg][at..at + 160].to_vec();
                if self.speaks[leg] {
                    self.world.say(leg, &packet);
                }
            }
            self.n += 1;
            self.world.run(20);
        }
    }

    /// Which of the tones each phone hears while they talk for a second.
    fn who_hears(&mut self) -> Vec<Vec<usize>> {
        self.talk(400);
        let before = self.world.sent.len();
        self.talk(1_000);
        let pcm = |leg: usize| {
            let sent: Vec<&Sent> = self.world.sent[before..].iter().filter(|sent| sent.leg == leg).collect();
            heard(&sent, self.codecs[leg])
        };
        (0..self.codecs.len()).map(|leg| tones_in(&pcm(leg))).collect()
    }
}

/// The phones whose tones are in the audio, each at least a twentieth of it.
fn tones_in(pcm: &[i16]) -> Vec<usize> {
    let share = |hertz: u16| Goertzel::share(pcm, f64::from(hertz));
    (0..TONES.len()).filter(|n| share(TONES[*n]) > 0.05).collect()
}

#[test]
fn three_in_a_mix_each_hear_the_other_two_and_not_themselves() {
    for codecs in [[Codec::Pcma; 3], [Codec::Pcma, Codec::Pcmu, Codec::G722]] {
        let mut party = Party::new(&codecs);
        party.world.mix(&[(0, ALL), (1, ALL), (2, ALL)]);
        assert_eq!(party.who_hears(), [vec![1, 2], vec![0, 2], vec![0, 1]], "{codecs:?}");
        let sent = party.world.sent_by(0);
        let last = &sent[sent.len() - 40..];
        let power = Goertzel::power_of(&heard(last, codecs[0]), f64::from(TONES[1]));
        assert!((power / 32_000_000.0 - 1.0).abs() < 0.1, "as loud as it was said: {power}");
    }
}

#[test]
fn a_supervisor_listens_whispers_barges_in_and_the_matrix_changes_while_they_talk() {
    // caller, agent, supervisor
    let mut party = Party::new(&[Codec::Pcma, Codec::Pcmu, Codec::Pcma]);
    let listen = [(0, 0b010), (1, 0b001), (2, 0b011)];
    let whisper = [(0, 0b010), (1, 0b101), (2, 0b011)];
    party.world.mix(&listen);
    assert_eq!(party.who_hears(), [vec![1], vec![0], vec![0, 1]], "listens");
    party.world.mix(&whisper);
    assert_eq!(party.who_hears(), [vec![1], vec![0, 2], vec![0, 1]], "whispers");
    party.world.mix(&[(0, ALL), (1, ALL), (2, ALL)]);
    assert_eq!(party.who_hears(), [vec![1, 2], vec![0, 2], vec![0, 1]], "barges in");
    party.world.mix(&[(0, ALL), (2, ALL)]);
    assert_eq!(party.who_hears(), [vec![2], vec![], vec![0]], "the agent is out");
    party.world.mix_muted(&[(0, ALL), (1, ALL), (2, ALL)], &[1]);
    assert_eq!(party.who_hears(), [vec![2], vec![0, 2], vec![0]], "the agent is muted");
    for leg in 0..3 {
        one_stream(&party.world.sent_by(leg), u64::MAX);
    }
}

/// One SSRC, numbers that go on by one, and time that goes on, never over what was sent and with no gap longer than
/// `gap_ms`, neither in the stream nor between two packets.
fn one_stream(sent: &[&Sent], gap_ms: u64) {
    for pair in sent.windows(2) {
        let (a, b) = (pair[0], pair[1]);
        assert_eq!(a.ssrc(), b.ssrc());
        assert_eq!(a.sequence().wrapping_add(1), b.sequence(), "at {} ms", b.at_ms);
        let step = u64::from(b.timestamp().wrapping_sub(a.timestamp()));
        let had = a.payload().len() as u64;
        assert!(step >= had && step < 1 << 31, "over what was sent: {step} at {} ms", b.at_ms);
        assert!((step - had) / 8 <= gap_ms, "{step} samples at {} ms", b.at_ms);
        assert!(b.at_ms - a.at_ms <= gap_ms.saturating_add(had / 8), "{} ms after {}", b.at_ms, a.at_ms);
    }
}

/// The number of a packet, as a code that survives decoding and encoding.
fn code_of(n: u32) -> u8 {
    0x80 | (n % 120) as u8
}

/// Joined, in a mix with a third who is silent, and joined again, many times over, at every millisecond of the tick.
/// Each packet carries its own code: what is missing is missing once, and nothing comes twice or out of order.
#[test]
fn from_relay_to_mix_and_back_is_one_stream_without_a_gap_over_40_ms_and_nothing_twice() {
    for at in 0..20 {
        let mut world = room(&[Codec::Pcma; 3]);
        world.bridge(0, 1);
        for n in 0..150u32 {
            for leg in 0..2 {
                world.say(leg, &Rtp::audio(8, leg as u32 + 1, 40 + n, code_of(n)));
            }
            world.run(at);
            match n {
                40 => world.mix(&[(0, ALL), (1, ALL), (2, ALL)]),
                90 => world.bridge(0, 1),
                _ => {}
            }
            world.run(20 - at);
        }
        for leg in 0..2 {
            let sent = world.sent_by(leg);
            one_stream(&sent, 40);
            nothing_twice(&sent, at);
        }
        assert_eq!(world.engine.mixes(), 1, "the third still sits in it");
        world.command(MediaCommand::Unbridge { leg: world.legs[2] });
        assert_eq!(world.engine.mixes(), 0);
    }
}

/// Codes in the order they were said; no silence of more than 40 ms and none lost but at the two changes, where at most
/// 40 ms are.
fn nothing_twice(sent: &[&Sent], at: u64) {
    let silence = [0x55, 0xd5];
    let codes: Vec<u8> = sent.iter().flat_map(|sent| sent.payload().to_vec()).collect();
    let mut runs: Vec<(u8, usize)> = Vec::new();
    for code in codes {
        match runs.last_mut() {
            Some((last, length)) if *last == code => *length += 1,
            _ => runs.push((code, 1)),
        }
    }
    let first = runs.iter().position(|(code, _)| *code >= 0x80 && !silence.contains(code)).unwrap();
    let mut before: Option<u32> = None;
    let mut lost = 0;
    for (code, length) in &runs[first..] {
        assert!(*length <= 320, "{length} samples of {code:#x} when changed {at} ms after a packet");
        if silence.contains(code) && before.is_none_or(|n| code_of(n + 1) != *code) {
            continue;
        }
        let said = (0..150).find(|n| code_of(*n) == *code && before.is_none_or(|before| *n > before));
        let said = said.unwrap_or_else(|| panic!("{code:#x} again, changed {at} ms after a packet"));
        if let Some(before) = before {
            assert!(said - before <= 3, "{} packets lost at {said}, changed at {at} ms", said - before - 1);
            lost += said - before - 1;
        }
        assert!(*length <= 160, "{length} samples of packet {said}");
        before = Some(said);
    }
    assert!(lost <= 4, "{lost} packets lost, changed {at} ms after a packet");
    assert!(before > Some(147), "to the end");
}

#[test]
fn a_sum_is_clipped_and_never_wraps() {
    let mut world = room(&[Codec::Pcma; 4]);
    world.mix(&[(0, ALL), (1, ALL), (2, ALL), (3, ALL)]);
    // the loudest code there is, three times
    for n in 0..50 {
        for leg in 1..4 {
            world.say(leg, &Rtp::audio(8, leg as u32 + 1, n, 0xaa));
        }
        world.run(20);
    }
    let sent = world.sent_by(0);
    let pcm = heard(&sent[20..], Codec::Pcma);
    assert!(pcm.iter().all(|sample| *sample > 32_000), "{:?}", pcm.iter().min());
}

#[test]
fn a_soft_voice_is_as_loud_as_a_loud_one_only_where_that_was_asked_for() {
    let level = |gain: bool| {
        let mut world = room(&[Codec::Pcma; 3]);
        world.gain = gain;
        world.mix(&[(0, ALL), (1, ALL), (2, ALL)]);
        let mut encoder = Encoder::new(Codec::Pcma);
        for n in 0..500 {
            let mut packet = Rtp::audio(8, 1, n, 0);
            let pcm: Vec<i16> = (0..160).map(|at| if at % 16 < 8 { 900 } else { -900 }).collect();
            encoder.encode(&pcm, &mut packet.payload);
            world.say(0, &packet);
            world.run(20);
        }
        let sent = world.sent_by(1);
        let pcm = heard(&sent[sent.len() - 10..], Codec::Pcma);
        pcm.iter().map(|s| f64::from(*s).abs()).sum::<f64>() / pcm.len() as f64
    };
    assert!((level(false) - 900.0).abs() < 40.0, "{}", level(false));
    assert!((level(true) - 2_320.0).abs() < 200.0, "{}", level(true));
}

#[test]
fn a_whisper_is_in_neither_channel_of_the_recording_and_what_a_muted_party_says_is_not_either() {
    // caller, agent, supervisor: recorded as joined, and then supervised
    let mut party = Party::new(&[Codec::Pcma, Codec::G722, Codec::Pcma]);
    party.world.bridge(0, 1);
    let recording = party.world.record(0, 1);
    party.talk(1_000);
    party.world.mix(&[(0, 0b010), (1, 0b101), (2, 0b011)]);
    assert_eq!(party.who_hears(), [vec![1], vec![0, 2], vec![0, 1]], "the supervisor whispers");
    party.talk(1_000);
    party.world.mix_muted(&[(0, 0b010), (1, 0b101), (2, 0b011)], &[1]);
    party.talk(2_000);
    let taped = &party.world.recorded[&recording];
    let channel = |n: usize, from: usize, to: usize| -> Vec<i16> {
        taped[from..to].iter().map(|pair| pair[n]).collect()
    };
    let supervisor = f64::from(TONES[2]);
    for n in 0..2 {
        let pcm = channel(n, 4_000, 26_000);
        assert_eq!(tones_in(&pcm), [n], "each his own voice");
        assert!(Goertzel::share(&pcm, supervisor) < 1e-4, "{}", Goertzel::share(&pcm, supervisor));
    }
    let end = taped.len();
    assert!(end > 40_000);
    assert_eq!(tones_in(&channel(0, 36_000, end)), [0]);
    assert!(channel(1, 36_000, end).iter().all(|sample| *sample == 0), "muted");
}

#[test]
fn a_key_reaches_those_who_hear_its_presser_each_in_his_own_way() {
    let mut world = World::new(MediaConfig::default());
    for n in 0..4 {
        world.open(StreamParams { dtmf: (n != 2).then_some((101, 101)), ..params(n, Codec::Pcma) });
    }
    // 0 is heard by 1 (events) and 2 (tones), not by 3
    world.mix(&[(0, ALL), (1, ALL), (2, ALL), (3, 0b0110)]);
    for n in 0..200u16 {
        let is_key = (50..58).contains(&n);
        let packet = match is_key {
            true => Rtp::event(1, n, 50 * 160, 7, n >= 55, (n - 49) * 160),
            false => Rtp::audio(8, 1, u32::from(n), 0xd5),
        };
        world.say(0, &packet);
        world.run(20);
    }
    assert_eq!(world.digits(0), "7");
    let events = |leg: usize| {
        let mut begun: Vec<u32> = Vec::new();
        for sent in world.sent_by(leg).iter().filter(|sent| sent.payload_type() == 101) {
            if begun.last() != Some(&sent.timestamp()) {
                begun.push(sent.timestamp());
            }
        }
        begun.len()
    };
    assert_eq!([events(0), events(1), events(2), events(3)], [0, 1, 0, 0]);
    let two = world.sent_by(2);
    let keyed = heard(&two, Codec::Pcma);
    let loudest = keyed.chunks(400).map(|piece| Goertzel::power_of(piece, 852.0)).fold(0.0, f64::max);
    assert!(loudest > 1e5, "tones of the key: {loudest}");
    let one = world.sent_by(1);
    assert!(one.windows(2).all(|pair| pair[0].sequence().wrapping_add(1) == pair[1].sequence()));
    one_stream(&two, 60);
}

#[test]
fn music_for_one_member_is_heard_by_nobody_else_and_its_stream_goes_on() {
    let mut party = Party::new(&[Codec::Pcma; 3]);
    party.world.mix(&[(0, ALL), (1, ALL), (2, ALL)]);
    party.talk(500);
    let playback = party.world.play(1, vec![PlayItem::Tone(Tone::Hertz(1_180), 60_000)], Repeat::Forever);
    assert_eq!(party.who_hears(), [vec![1, 2], vec![3], vec![0, 1]], "the tone of the fourth is the music");
    party.world.command(MediaCommand::StopPlay { leg: party.world.legs[1], playback });
    assert_eq!(party.who_hears(), [vec![1, 2], vec![0, 2], vec![0, 1]]);
    let sent = party.world.sent_by(1);
    one_stream(&sent, 40);
    let (first, last) = (sent[0], sent[sent.len() - 1]);
    let stream_ms = u64::from(last.timestamp().wrapping_sub(first.timestamp())) / 8;
    assert!(stream_ms.abs_diff(last.at_ms - first.at_ms) <= 20, "the stream keeps the time");
}

#[test]
fn a_member_on_hold_is_neither_heard_nor_sent_anything_and_comes_back_into_its_stream() {
    let mut party = Party::new(&[Codec::Pcma; 3]);
    party.world.mix(&[(0, ALL), (1, ALL), (2, ALL)]);
    party.talk(500);
    let held = StreamParams { direction: Direction::Inactive, ..params(1, Codec::Pcma) };
    party.world.configure(1, held);
    assert_eq!(party.who_hears(), [vec![2], vec![], vec![0]]);
    party.world.configure(1, params(1, Codec::Pcma));
    assert_eq!(party.who_hears(), [vec![1, 2], vec![0, 2], vec![0, 1]]);
    let sent = party.world.sent_by(1);
    one_stream(&sent, 2_000);
    let (first, last) = (sent[0], sent[sent.len() - 1]);
    let stream_ms = u64::from(last.timestamp().wrapping_sub(first.timestamp())) / 8;
    assert!(stream_ms.abs_diff(last.at_ms - first.at_ms) <= 20, "the hold is in the stream's time");
}

#[test]
fn members_with_packets_of_other_lengths_hear_the_same_mix() {
    let mut party = Party::new(&[Codec::Pcma; 4]);
    for (leg, ptime_ms) in [(0, 10), (1, 30), (2, 60)] {
        party.world.configure(leg, StreamParams { ptime_ms, ..params(leg, Codec::Pcma) });
    }
    party.speaks = vec![true, false, true, false];
    party.world.mix(&[(0, ALL), (1, ALL), (2, ALL), (3, ALL)]);
    assert_eq!(party.who_hears(), [vec![2], vec![0, 2], vec![0], vec![0, 2]]);
    for (leg, length) in [(0, 80), (1, 240), (2, 480), (3, 160)] {
        let sent = party.world.sent_by(leg);
        assert!(sent.iter().all(|sent| sent.payload().len() == length));
        assert!(sent.len() * length > 8_000, "{} packets of {length}", sent.len());
        one_stream(&sent, 20);
    }
}

#[test]
fn listeners_who_hear_the_same_are_sent_the_same_codes() {
    let mut party = Party::new(&[Codec::G722, Codec::G722, Codec::G722, Codec::G722]);
    party.speaks = vec![true, true, false, false];
    party.world.mix(&[(0, 0b0010), (1, 0b0001), (2, 0b0011), (3, 0b0011)]);
    assert_eq!(party.who_hears(), [vec![1], vec![0], vec![0, 1], vec![0, 1]]);
    let codes = |leg: usize| -> Vec<Vec<u8>> {
        party.world.sent_by(leg).iter().map(|sent| sent.payload().to_vec()).collect()
    };
    assert_eq!(codes(2), codes(3), "one encoder for both");
}

#[test]
fn who_speaks_is_told_and_a_listener_never_is() {
    let mut party = Party::new(&[Codec::Pcma; 3]);
    party.speaks = vec![false, false, true];
    party.world.mix(&[(0, 0b010), (1, 0b001), (2, 0b011)]);
    party.talk(2_000);
    let told = |party: &Party| -> Vec<Option<usize>> {
        let place = |leg| party.world.legs.iter().position(|known| *known == leg);
        let of = |event: &MediaEvent| match event {
            MediaEvent::Speaking { leg, .. } => Some(leg.and_then(place)),
            _ => None,
        };
        party.world.events.iter().filter_map(|(_, event)| of(event)).collect()
    };
    assert_eq!(told(&party), [], "nobody hears the listener");
    party.speaks = vec![true, false, true];
    party.talk(1_000);
    party.speaks = vec![false, true, true];
    party.talk(1_000);
    party.speaks = vec![false; 3];
    party.talk(3_000);
    assert_eq!(told(&party), [Some(0), Some(1), None]);
}

#[test]
fn a_closed_member_leaves_the_others_talking_and_the_last_one_ends_the_mix() {
    let mut party = Party::new(&[Codec::Pcma; 3]);
    party.world.mix(&[(0, ALL), (1, ALL), (2, ALL)]);
    party.talk(500);
    let legs = party.world.legs.clone();
    party.world.command(MediaCommand::Close { leg: legs[2] });
    assert_eq!(party.who_hears()[..2], [vec![1], vec![0]]);
    party.world.command(MediaCommand::Close { leg: legs[0] });
    assert_eq!(party.world.engine.mixes(), 1);
    party.world.command(MediaCommand::Close { leg: legs[1] });
    assert_eq!(party.world.engine.mixes(), 0);
    let quiet = party.world.sent.len();
    party.world.run(1_000);
    assert_eq!(party.world.sent.len(), quiet);
}

#[test]
fn a_transcoded_pair_keeps_what_was_said_and_not_yet_heard_when_it_becomes_a_mix() {
    let mut world = room(&[Codec::Pcma, Codec::G722, Codec::Pcma]);
    world.bridge(0, 1);
    let mut decoder = Decoder::new(Codec::G722);
    let codes = sine_codes(Codec::Pcma, TONES[0], 8_000 * 3);
    for n in 0..100u32 {
        let mut packet = Rtp::audio(8, 1, n, 0);
        packet.payload = codes[n as usize * 160..][..160].to_vec();
        world.say(0, &packet);
        world.run(20);
        match n {
            40 => world.mix(&[(0, ALL), (1, ALL), (2, ALL)]),
            70 => world.bridge(0, 1),
            _ => {}
        }
    }
    let sent = world.sent_by(1);
    one_stream(&sent, 40);
    let mut pcm = Vec::new();
    for packet in &sent[8..] {
        let mut piece = vec![0; 160];
        decoder.decode(packet.payload(), &mut piece);
        pcm.extend(piece);
    }
    let weak = pcm.chunks(160).filter(|piece| Goertzel::share(piece, f64::from(TONES[0])) < 0.5).count();
    assert!(weak <= 2, "{weak} packets of {} without the tone", sent.len());
}

#[test]
fn a_secret_told_in_a_conference_reaches_no_ear_and_no_recording_but_who_collects() {
    let mut party = Party::new(&[Codec::Pcma, Codec::Pcmu, Codec::G722]);
    let recording = party.world.record(0, 1);
    party.world.mix(&[(0, ALL), (1, ALL), (2, ALL)]);
    party.talk(1_000);
    let (leg, from) = (party.world.legs[0], party.world.recorded[&recording].len());
    party.world.command(MediaCommand::Secret { leg, on: true });
    assert_eq!(party.who_hears(), [vec![1, 2], vec![2], vec![1]], "he hears the others, and they him not");
    party.speaks[0] = false;
    let (before, n) = (party.world.sent.len(), 40 + party.n as u16);
    for part in 0..8 {
        party.world.say(0, &Rtp::event(1, n + part, u32::from(n) * 160, 5, part >= 5, (part + 1) * 160));
        party.talk(20);
    }
    party.talk(400);
    assert_eq!(party.world.digits(0), "5", "who collects has the key");
    let others = party.world.sent[before..].iter().filter(|sent| sent.leg != 0);
    assert!(others.into_iter().all(|sent| sent.payload_type() != 101), "and nobody else");
    let to = party.world.recorded[&recording].len();
    let taped: Vec<i16> =
        party.world.recorded[&recording][from + 4_000..to].iter().map(|pair| pair[0]).collect();
    assert!(taped.len() > 8_000 && taped.iter().all(|sample| *sample == 0), "nothing of it is on record");
    party.world.command(MediaCommand::Secret { leg, on: false });
    party.speaks[0] = true;
    party.talk(1_000);
    assert_eq!(party.who_hears(), [vec![1, 2], vec![0, 2], vec![0, 1]], "afterwards he is heard again");
}
