//! Opus, and linear samples: relayed as they are, transcoded by the fewest steps, their clocks, their losses, their silence.

use crate::harness::{Rtp, Sent, World, params};
use cordboard_media::codec::opus::OpusConfig;
use cordboard_media::codec::{Decoder, Encoder};
use cordboard_media::tone::{Goertzel, Sine};
use cordboard_model::media::{Codec, MediaCommand, OpusParams, Repeat, StreamParams};

/// Packets of 20 ms of a tone, as a party's own encoder makes them.
struct Voice {
    codec: Codec,
    number: u8,
    encoder: Encoder,
    sine: Sine,
    n: u32,
}

impl Voice {
    fn new(codec: Codec, number: u8, hertz: u16, wanted: OpusParams) -> Self {
        let encoder = Encoder::at(codec, 8_000, &OpusConfig::default(), &wanted);
        Self { codec, number, encoder, sine: Sine::new(hertz, 8_000), n: 0 }
    }

    fn packet(&mut self) -> Rtp {
        let mut pcm = [0; 160];
        self.sine.fill(&mut pcm);
        self.packet_of(&pcm)
    }

    fn packet_of(&mut self, pcm: &[i16]) -> Rtp {
        let mut payload = vec![0; 1_000];
        let len = self.encoder.encode(pcm, &mut payload);
        payload.truncate(len);
        self.n += 1;
        let timestamp = self.n.wrapping_mul(self.codec.clock_hz() / 50);
        let ssrc = u32::from(self.number);
        Rtp { payload_type: self.number, marker: false, sequence: self.n as u16, timestamp, ssrc, payload }
    }
}

/// Both phones say their tones: what each is sent.
fn talk(world: &mut World, voices: &mut [Voice; 2], packets: u32) -> [Vec<Sent>; 2] {
    let before = world.sent.len();
    for _ in 0..packets {
        for (leg, voice) in voices.iter_mut().enumerate() {
            let packet = voice.packet();
            world.say(leg, &packet);
        }
        world.run(20);
    }
    [0, 1].map(|leg| world.sent[before..].iter().filter(|sent| sent.leg == leg).cloned().collect())
}

/// What a party hears, at 8 kHz.
fn pcm(sent: &[Sent], codec: Codec, number: u8) -> Vec<i16> {
    let mut decoder = Decoder::at(codec, 8_000);
    let mut out = Vec::new();
    for packet in sent.iter().filter(|sent| sent.payload_type() == number) {
        let mut piece = [0; 960];
        let len = decoder.decode(packet.payload(), &mut piece);
        out.extend(&piece[..len]);
    }
    out
}

fn numbered(n: usize, codec: Codec, number: u8, dtmf: u8) -> StreamParams {
    let params = params(n, codec);
    StreamParams { send_payload_type: number, recv_payload_type: number, dtmf: Some((dtmf, dtmf)), ..params }
}

#[test]
fn opus_between_two_that_speak_it_is_relayed_untouched_under_the_numbers_of_each_leg() {
    let mut world = World::bridged(Codec::Opus, Codec::Opus);
    world.configure(0, numbered(0, Codec::Opus, 96, 98));
    world.configure(1, numbered(1, Codec::Opus, 107, 110));
    let mut voice = Voice::new(Codec::Opus, 96, 440, OpusParams::default());
    let mut last: Option<Sent> = None;
    for n in 0..30 {
        let packet = voice.packet();
        if let Some(sent) = world.say(0, &packet) {
            assert_eq!((sent.payload_type(), sent.payload()), (107, packet.payload.as_slice()));
            if let Some(last) = last.filter(|_| n > 4) {
                assert_eq!(sent.timestamp().wrapping_sub(last.timestamp()), 960, "48 kHz");
            }
            last = Some(sent);
        }
        world.run(20);
    }
    let event =
        Rtp { payload_type: 98, ..Rtp::event(96, voice.n as u16 + 1, voice.n * 960 + 960, 7, true, 9_600) };
    let sent = world.say(0, &event).unwrap();
    assert_eq!((sent.payload_type(), sent.payload()), (110, [7, 0x8a, 0x25, 0x80].as_slice()), "as it came");
    assert_eq!(world.digits(0), "7");
    assert!(world.stats(0).jitter_us < 1_000, "of the right clock: {}", world.stats(0).jitter_us);
}

#[test]
fn opus_and_every_other_codec_hear_each_other() {
    for other in [Codec::Pcma, Codec::Pcmu, Codec::G722, Codec::L16] {
        let mut world = World::bridged(Codec::Opus, other);
        let own = other.static_payload_type();
        world.configure(0, numbered(0, Codec::Opus, 96, 98));
        let wanted = OpusParams::default();
        let mut voices = [Voice::new(Codec::Opus, 96, 440, wanted), Voice::new(other, own, 660, wanted)];
        let [to_opus, to_other] = talk(&mut world, &mut voices, 100);
        for (sent, codec, number, hertz) in [(to_opus, Codec::Opus, 96, 660.0), (to_other, other, own, 440.0)]
        {
            assert!(sent.len() > 95, "{other:?}: {}", sent.len());
            for pair in sent.windows(2) {
                assert_eq!(pair[1].timestamp().wrapping_sub(pair[0].timestamp()), codec.clock_hz() / 50);
            }
            let heard = pcm(&sent, codec, number);
            let share = Goertzel::share(&heard[3_200..], hertz);
            assert!(
                share > if codec == Codec::Opus || other == Codec::G722 { 0.85 } else { 0.9 },
                "{other:?} to {codec:?}: {share}"
            );
        }
    }
}

#[test]
fn what_a_g711_party_hears_of_opus_is_what_libopus_makes_of_it() {
    let mut world = World::bridged(Codec::Opus, Codec::Pcma);
    let mut voice = Voice::new(Codec::Opus, 111, 440, OpusParams::default());
    let mut alone = Decoder::at(Codec::Opus, 8_000);
    let mut expected = Vec::new();
    for _ in 0..200 {
        let packet = voice.packet();
        let mut samples = [0; 160];
        assert_eq!(alone.decode(&packet.payload, &mut samples), 160);
        let mut codes = [0; 160];
        Encoder::new(Codec::Pcma).encode(&samples, &mut codes);
        expected.extend(codes);
        world.say(0, &packet);
        world.run(20);
    }
    let sent = world.sent_by(1);
    let codes: Vec<u8> = sent.iter().flat_map(|sent| sent.payload().to_vec()).collect();
    // What was lost of it before the source was believed is not decoded: libopus finds its way back within 200 ms.
    let piece = &codes[codes.len() - 160 * 100..];
    let found = expected.windows(piece.len()).any(|window| window == piece);
    assert!(found, "bit for bit");
}

/// 20 ms of what libopus takes for speech, which a steady tone is not: a voice of 120 Hz whose loudness goes up and down.
fn speech(n: u32) -> Vec<i16> {
    let sample = |at: u32| {
        let t = f64::from(at) / 8_000.0 * core::f64::consts::TAU;
        let voice: f64 = (1..16).map(|k| (t * 120.0 * f64::from(k)).sin() / f64::from(k)).sum();
        (voice * (t * 3.0).sin().abs() * 6_000.0) as i16
    };
    (n * 160..n * 160 + 160).map(sample).collect()
}

/// The share of the last second of `heard` that stands somewhere in `expected`, code for code.
fn agreement(heard: &[u8], expected: &[u8]) -> f64 {
    let tail = &heard[heard.len() - 8_000..];
    let same = |window: &[u8]| window.iter().zip(tail).filter(|(a, b)| a == b).count();
    let begin = expected.len().saturating_sub(12_000);
    expected[begin..].windows(tail.len()).map(same).max().unwrap_or(0) as f64 / tail.len() as f64
}

#[test]
fn a_lost_packet_of_opus_is_made_good_by_the_next_one() {
    let wanted = OpusParams { fec: true, ..OpusParams::default() };
    let mut voice = Voice::new(Codec::Opus, 111, 440, wanted);
    let packets: Vec<Rtp> = (0..500).map(|n| voice.packet_of(&speech(n))).collect();
    let is_lost = |n: usize| n % 10 == 9;
    // libopus alone, with the redundancy and without
    let alone = |repairs: bool| {
        let mut decoder = cordboard_media::codec::opus::Decoder::new(8_000);
        let mut codes = Vec::new();
        for n in 0..499 {
            let mut pcm = [0; 160];
            match (is_lost(n), repairs) {
                (false, _) => assert_eq!(decoder.decode(&packets[n].payload, &mut pcm), 160),
                (true, true) => decoder.repair(&packets[n + 1].payload, &mut pcm),
                (true, false) => decoder.invent(&mut pcm),
            }
            let mut made = [0; 160];
            Encoder::new(Codec::Pcma).encode(&pcm, &mut made);
            codes.extend(made);
        }
        codes
    };
    let mut world = World::bridged(Codec::Opus, Codec::Pcma);
    for (_, packet) in packets.iter().enumerate().filter(|(n, _)| !is_lost(*n)) {
        world.run_to(1_000 + u64::from(packet.sequence) * 20);
        world.say(0, packet);
    }
    world.run(60);
    let codes: Vec<u8> = world.sent_by(1).iter().flat_map(|sent| sent.payload().to_vec()).collect();
    assert!(codes.len() > 480 * 160, "no gap in what is sent on: {}", codes.len());
    let ms = world.stats(1).concealed_ms;
    assert!(ms <= 80, "after the first losses each waits for the next: {ms}");
    let (repaired, invented) = (agreement(&codes, &alone(true)), agreement(&codes, &alone(false)));
    println!("as libopus repairs it {repaired}, as it invents it {invented}");
    assert!(repaired > 0.95 && invented < repaired, "{repaired} {invented}");
}

#[test]
fn silence_is_not_sent_to_a_party_that_asks_for_that_and_speech_begins_with_a_marker() {
    let mut world = World::bridged(Codec::Pcma, Codec::Opus);
    let dtx = OpusParams { dtx: true, ..OpusParams::default() };
    world.configure(1, StreamParams { opus: dtx, ..params(1, Codec::Opus) });
    let mut voice = Voice::new(Codec::Pcma, 8, 440, OpusParams::default());
    for n in 0..300 {
        let packet = if n < 200 { voice.packet_of(&[0; 160]) } else { voice.packet() };
        world.say(0, &packet);
        world.run(20);
    }
    let sent = world.sent_by(1);
    let silent = sent.iter().filter(|sent| (2_000..4_900).contains(&sent.at_ms)).count();
    assert!(silent < 20, "one in 400 ms keeps the noise alive: {silent}");
    let spoken = sent.iter().filter(|sent| sent.at_ms >= 5_100).count();
    assert!(spoken > 85, "{spoken}");
    assert!(sent.iter().any(|sent| sent.marker() && (4_900..5_100).contains(&sent.at_ms)));
    for pair in sent.windows(2) {
        let step = pair[1].timestamp().wrapping_sub(pair[0].timestamp());
        assert_eq!(u64::from(step), (pair[1].at_ms - pair[0].at_ms) * 48, "time goes on");
        assert_eq!(pair[1].sequence(), pair[0].sequence().wrapping_add(1), "nothing is lost");
    }
}

#[test]
fn the_silence_of_an_opus_party_is_heard_as_silence_and_not_as_a_break() {
    let mut world = World::bridged(Codec::Opus, Codec::Pcma);
    let dtx = OpusParams { dtx: true, ..OpusParams::default() };
    let mut voice = Voice::new(Codec::Opus, 111, 440, dtx);
    let (mut left_out, mut was_silent) = (0, false);
    let mut sequence = 0;
    for n in 0..300 {
        let mut packet = if n < 50 { voice.packet() } else { voice.packet_of(&[0; 160]) };
        let is_silent = packet.payload.is_empty();
        if is_silent && !was_silent {
            // the packet that says so: 20 ms of SILK, without content
            packet.payload = vec![0x08];
        }
        was_silent = is_silent;
        if packet.payload.is_empty() {
            left_out += 1;
        } else {
            sequence += 1;
            packet.sequence = sequence;
            world.say(0, &packet);
        }
        world.run(20);
    }
    assert!(left_out > 150, "{left_out}");
    assert!(world.sent_by(1).len() > 290, "{}", world.sent_by(1).len());
    assert!(
        world.stats(1).concealed_ms <= 20,
        "what was not said is not lost: {}",
        world.stats(1).concealed_ms
    );
    assert!(pcm(&world.sent.clone(), Codec::Pcma, 8)[32_000..].iter().all(|sample| sample.abs() < 100));
}

#[test]
fn keys_go_between_events_of_8_and_of_48_khz_one_for_one() {
    for (from, to, hertz) in [(Codec::Pcma, Codec::Opus, 48), (Codec::Opus, Codec::Pcma, 8)] {
        let mut world = World::bridged(from, to);
        world.configure(1, numbered(1, to, to.static_payload_type(), 110));
        let clock = from.clock_hz() / 1_000;
        let mut voice = Voice::new(from, from.static_payload_type(), 440, OpusParams::default());
        for _ in 0..10 {
            let packet = voice.packet();
            world.say(0, &packet);
            world.run(20);
        }
        for key in 0..5u8 {
            let timestamp = voice.n * clock * 20 + 20 * clock;
            for n in 0..8u32 {
                let duration = (n.min(5) + 1) * 20 * clock;
                voice.n += 1;
                let ssrc = u32::from(voice.number);
                let event = Rtp::event(ssrc, voice.n as u16, timestamp, key, n >= 5, duration as u16);
                world.say(0, &event);
                world.run(20);
            }
            for _ in 0..10 {
                let packet = voice.packet();
                world.say(0, &packet);
                world.run(20);
            }
        }
        assert_eq!(world.digits(0), "01234");
        let events: Vec<Sent> =
            world.sent.iter().filter(|sent| sent.leg == 1 && sent.payload_type() == 110).cloned().collect();
        let begun: Vec<u8> =
            events.iter().filter(|sent| sent.marker()).map(|sent| sent.payload()[0]).collect();
        assert_eq!(begun, [0, 1, 2, 3, 4], "{from:?} to {to:?}");
        let ends: Vec<u16> = events
            .iter()
            .filter(|sent| sent.payload()[1] & 0x80 != 0)
            .map(|sent| u16::from_be_bytes([sent.payload()[2], sent.payload()[3]]))
            .collect();
        assert_eq!(ends, [80 * hertz; 15], "three ends each, of 80 ms in the party's own clock");
    }
}

#[test]
fn an_opus_party_hears_prompts_and_is_recorded() {
    let mut world = World::bridged(Codec::Opus, Codec::Pcma);
    let recording = world.record(0, 1);
    let wanted = OpusParams::default();
    let mut voices = [Voice::new(Codec::Opus, 111, 440, wanted), Voice::new(Codec::Pcma, 8, 660, wanted)];
    talk(&mut world, &mut voices, 150);
    world.command(MediaCommand::StopRecord { recording });
    let channel = |side: usize| -> Vec<i16> {
        world.recorded[&recording].iter().map(|pair| pair[side]).skip(3_200).take(16_000).collect()
    };
    assert!(Goertzel::share(&channel(0), 440.0) > 0.95);
    assert!(Goertzel::share(&channel(1), 660.0) > 0.98);
    let mut tone = [0; 8_000];
    Sine::new(1_000, 8_000).fill(&mut tone);
    let prompt = world.asset("prompt", &tone);
    let before = world.sent.len();
    world.play(0, vec![prompt], Repeat::Once);
    world.run(1_100);
    let played: Vec<Sent> = world.sent[before..].iter().filter(|sent| sent.leg == 0).cloned().collect();
    assert!((50..=56).contains(&played.len()), "{}", played.len());
    assert!(Goertzel::share(&pcm(&played, Codec::Opus, 111)[1_600..7_200], 1_000.0) > 0.5);
}

/// In a mix a voice that is spoken to Opus parties: the packets each got, in order.
fn mixed(wanted: &[OpusParams], frames: u32, said: impl Fn(u32) -> Vec<i16>) -> Vec<Vec<Sent>> {
    let mut world = World::new(cordboard_media::MediaConfig::default());
    world.open(params(0, Codec::Pcma));
    for (n, wanted) in wanted.iter().enumerate() {
        world.open(StreamParams { opus: *wanted, ..params(n + 1, Codec::Opus) });
    }
    let rows: Vec<(usize, u32)> = (0..=wanted.len()).map(|leg| (leg, 1)).collect();
    world.mix(&rows);
    let mut voice = Voice::new(Codec::Pcma, 8, 440, OpusParams::default());
    for n in 0..frames {
        let packet = voice.packet_of(&said(n));
        world.say(0, &packet);
        world.run(20);
    }
    (1..=wanted.len()).map(|leg| world.sent_by(leg).into_iter().cloned().collect()).collect()
}

/// How far what a party makes of its packets is from what it would be without loss, when every tenth is lost and `repair`ed
/// by the next: the error's power by the signal's.
fn error_with_loss(sent: &[Sent]) -> f64 {
    let decoder = || cordboard_media::codec::opus::Decoder::new(8_000);
    let (mut whole, mut lossy) = (decoder(), decoder());
    let (mut error, mut power) = (0.0, 0.0);
    for (n, pair) in sent.windows(2).enumerate() {
        let (mut expected, mut heard) = ([0; 160], [0; 160]);
        whole.decode(pair[0].payload(), &mut expected);
        if n % 10 == 9 {
            lossy.repair(pair[1].payload(), &mut heard);
        } else {
            lossy.decode(pair[0].payload(), &mut heard);
        }
        for (a, b) in expected.iter().zip(heard).filter(|_| n % 10 == 9 && n > 50) {
            error += (f64::from(*a) - f64::from(b)).powi(2);
            power += f64::from(*a).powi(2);
        }
    }
    error / power
}

#[test]
fn in_a_mix_each_opus_party_gets_what_it_asked_for_and_its_losses_are_repaired() {
    let plain = OpusParams::default();
    let fec = OpusParams { fec: true, ..plain };
    let slow = OpusParams { bitrate: 8_000, ..plain };
    let sent = mixed(&[plain, fec, slow, fec], 500, speech);
    let octets = |sent: &[Sent]| sent.iter().map(|sent| sent.payload().len()).sum::<usize>();
    let payloads = |sent: &[Sent]| sent.iter().map(|sent| sent.payload().to_vec()).collect::<Vec<_>>();
    assert!(sent.iter().all(|sent| sent.len() > 480));
    assert!(
        octets(&sent[2]) * 3 < octets(&sent[0]) * 2,
        "maxaveragebitrate: {} {}",
        octets(&sent[2]),
        octets(&sent[0])
    );
    assert_eq!(payloads(&sent[1]), payloads(&sent[3]), "who wants the same shares an encoder");
    let (with, without) = (error_with_loss(&sent[1]), error_with_loss(&sent[0]));
    println!("error where a packet was lost: {with} with redundancy, {without} without");
    assert!(with < without / 2.0, "{with} {without}");
}

#[test]
fn in_a_mix_silence_is_not_sent_to_a_party_that_asks_for_that() {
    let dtx = OpusParams { dtx: true, ..OpusParams::default() };
    let said = |n| if n < 200 { vec![0; 160] } else { speech(n) };
    let sent = mixed(&[dtx, OpusParams::default()], 300, said);
    let silent = |sent: &[Sent]| sent.iter().filter(|sent| (2_000..4_900).contains(&sent.at_ms)).count();
    assert!(silent(&sent[0]) < 20, "{}", silent(&sent[0]));
    assert!(silent(&sent[1]) > 140, "{}", silent(&sent[1]));
    assert!(sent[0].iter().any(|sent| sent.marker() && (4_900..5_200).contains(&sent.at_ms)));
    for pair in sent[0].windows(2) {
        let step = pair[1].timestamp().wrapping_sub(pair[0].timestamp());
        assert_eq!(u64::from(step), (pair[1].at_ms - pair[0].at_ms) * 48, "time goes on");
    }
}
