//! Golden scripts: RTP in, RTP out, in a form one can write by hand. See `golden/*.rtp`.
//!
//! Input lines, keys in any order:
//!
//! ```text
//! leg a codec=pcmu [remote=ADDR] [pt=N] [dtmf=N|none] [cn=SEND/RECEIVE|none] [ptime=N] [dir=sendrecv]
//! set a ...the same keys, on top of what is set...
//! bridge a b | unbridge a | close a | hold a on|off
//! play a beep:200 silence:100 440:1000 busy:700 [forever] | stop a | digits a 12 [len=N]
//! record a b | unrecord
//! at MS
//! in a seq=N ts=N [pt=N] [ssrc=N] [m] [from=ADDR] [fill=HEX*N] [event=CODE,DURATION[,end]]
//! figures a
//! ```
//!
//! and for whole phones, which speak from now on by themselves:
//!
//! ```text
//! speak a HERTZ [for=MS] [ptime=N] [ppm=N] [seq=N] [ts=N] [ssrc=N] [talk=MS/MS [cn=LEVEL]]
//!       [lose=N-N,N] [twice=N-N] [late=N-N:MS] [stall=N-N] [loss=PERCENT] [jitter=MS] [seed=N]
//! press a DIGIT [for=MS] | turn a HERTZ [ptime=N] | hush a
//! ```
//!
//! `turn` takes up what was agreed anew; `lose`, `twice`, `late` and `stall` (all come with the last of them) name packets by
//! their number from 0 on.
//!
//! Everything indented is what came of the line above: `out LEG @MS` with sequence and timestamp
//! relative to the first packet that leg was sent, and events. While somebody speaks, the packets of a leg are summed up in
//! one line: how many of which payload type and length, the longest wait between two, holes in the numbers, where the
//! timestamp leaps, and what is to be heard. The test makes it anew and compares; when they differ it prints how the file
//! should read.

mod ear;
mod speaker;

use crate::harness::{Rtp, Sent, World, params, phone};
use cordboard_media::MediaConfig;
use cordboard_model::id::{PlaybackId, RecordingId};
use cordboard_model::media::{
    Codec, Direction, MediaCommand, MediaEvent, PlayItem, Repeat, StreamParams, Tone,
};
use cordboard_model::time::{Duration, Time};
use core::fmt::Write as _;
use ear::Ear;
use speaker::Speaker;
use std::collections::BTreeMap;

struct Script {
    world: World,
    names: Vec<String>,
    params: BTreeMap<usize, StreamParams>,
    first: BTreeMap<usize, (u16, u32)>,
    ssrcs: BTreeMap<usize, u32>,
    playing: BTreeMap<usize, PlaybackId>,
    recording: Option<RecordingId>,
    speakers: Vec<Speaker>,
    /// Whether somebody spoke since the last line.
    spoke: bool,
    ears: BTreeMap<usize, Ear>,
    tones: Vec<u16>,
    seen: (usize, usize),
    out: String,
}

fn value<'a>(words: &[&'a str], key: &str) -> Option<&'a str> {
    words.iter().find_map(|word| word.strip_prefix(key)?.strip_prefix('='))
}

fn number<T: core::str::FromStr>(words: &[&str], key: &str) -> Option<T> {
    value(words, key).map(|text| text.parse().unwrap_or_else(|_| panic!("{key}={text}")))
}

fn fill(text: &str) -> Vec<u8> {
    let (code, count) = text.split_once('*').unwrap();
    vec![u8::from_str_radix(code, 16).unwrap(); count.parse().unwrap()]
}

impl Script {
    fn new() -> Self {
        let config = MediaConfig {
            silence_limit: Duration::from_secs(5),
            rtcp_interval: Duration::ZERO,
            ..MediaConfig::default()
        };
        Self {
            world: World::new(config),
            names: Vec::new(),
            params: BTreeMap::new(),
            first: BTreeMap::new(),
            ssrcs: BTreeMap::new(),
            playing: BTreeMap::new(),
            recording: None,
            speakers: Vec::new(),
            spoke: false,
            ears: BTreeMap::new(),
            tones: Vec::new(),
            seen: (0, 0),
            out: String::new(),
        }
    }

    fn leg(&self, name: &str) -> usize {
        let found = self.names.iter().position(|known| known == name);
        found.unwrap_or_else(|| panic!("no leg {name}"))
    }

    fn set(&mut self, leg: usize, words: &[&str]) {
        let params = self.params.entry(leg).or_insert_with(|| params(leg, Codec::Pcma));
        if let Some(codec) = value(words, "codec") {
            let named = |known: &Codec| known.name().eq_ignore_ascii_case(codec);
            params.codec = Codec::ALL.into_iter().find(named).unwrap_or_else(|| panic!("codec {codec}"));
            params.send_payload_type = params.codec.static_payload_type();
            params.recv_payload_type = params.send_payload_type;
        }
        if let Some(remote) = number(words, "remote") {
            params.remote = remote;
        }
        if let Some(payload_type) = number(words, "pt") {
            (params.send_payload_type, params.recv_payload_type) = (payload_type, payload_type);
        }
        match value(words, "dtmf") {
            Some("none") => params.dtmf = None,
            Some(text) => params.dtmf = text.parse().ok().map(|n| (n, n)),
            None => {}
        }
        if let Some(text) = value(words, "cn") {
            let numbers = text.split_once('/');
            params.comfort = numbers.map(|(send, receive)| (send.parse().unwrap(), receive.parse().unwrap()));
        }
        if let Some(ptime) = number(words, "ptime") {
            params.ptime_ms = ptime;
        }
        if let Some(direction) = value(words, "dir") {
            let (send, receive) = match direction {
                "sendrecv" => (true, true),
                "sendonly" => (true, false),
                "recvonly" => (false, true),
                "inactive" => (false, false),
                other => panic!("direction {other}"),
            };
            params.direction = Direction::new(send, receive);
        }
        let params = *params;
        self.ears.entry(leg).or_default().agree_on(params.send_payload_type, params.codec);
        self.world.configure(leg, params);
    }

    fn speak(&mut self, leg: usize, words: &[&str]) {
        self.speakers.retain(|speaker| speaker.leg != leg);
        self.speakers.push(Speaker::new(leg, self.params[&leg], words, self.world.now));
        self.listen_for(words[2]);
    }

    fn listen_for(&mut self, hertz: &str) {
        let hertz = hertz.parse().unwrap();
        if !self.tones.contains(&hertz) {
            self.tones.push(hertz);
        }
    }

    fn speaker(&mut self, leg: usize) -> &mut Speaker {
        let name = &self.names[leg];
        let found = self.speakers.iter_mut().find(|speaker| speaker.leg == leg);
        found.unwrap_or_else(|| panic!("{name} does not speak"))
    }

    fn run_to(&mut self, ms: u64) {
        let end = Time::from_millis(ms);
        while let Some(due) = self.speakers.iter().filter_map(Speaker::due).min().filter(|due| *due < end) {
            self.spoke = true;
            self.world.run_until(due);
            for speaker in &mut self.speakers {
                let now = self.world.now;
                if speaker.due().is_some_and(|due| due <= now) {
                    for datagram in speaker.step(now) {
                        self.world.give(speaker.leg, phone(speaker.leg), &datagram);
                    }
                }
            }
        }
        self.world.run_until(end);
    }

    fn unrecord(&mut self) {
        let recording = self.recording.take().unwrap();
        self.world.command(MediaCommand::StopRecord { recording });
        let recorded = self.world.recorded.remove(&recording).unwrap_or_default();
        for (side, name) in ["left", "right"].into_iter().enumerate() {
            let pcm: Vec<i16> = recorded.iter().map(|pair| pair[side]).collect();
            let sound = ear::sounds(&pcm, &self.tones);
            writeln!(self.out, "    recorded {name} {}ms {sound}", pcm.len() / 8).unwrap();
        }
    }

    fn figures(&mut self, leg: usize) {
        let stats = self.world.stats(leg);
        writeln!(
            self.out,
            "    {} received={} lost={} gaps={} late={} sent={} jitter={}ms concealed={}ms mos={}",
            self.names[leg],
            stats.received,
            stats.lost,
            stats.gaps,
            stats.late,
            stats.sent,
            stats.jitter_us / 1_000,
            stats.concealed_ms,
            stats.mos.unwrap_or_default()
        )
        .unwrap();
    }

    fn say(&mut self, leg: usize, words: &[&str]) {
        let params = self.params[&leg];
        let event = value(words, "event").map(|text| text.split(',').collect::<Vec<_>>());
        let mut packet = Rtp::audio(params.recv_payload_type, 1, 0, 0xd5);
        if let Some(parts) = event {
            let duration = parts[1].parse().unwrap();
            packet = Rtp::event(1, 0, 0, parts[0].parse().unwrap(), parts.len() == 3, duration);
            packet.payload_type = params.dtmf.map_or(101, |(_, receive)| receive);
        }
        if let Some(payload) = value(words, "fill") {
            packet.payload = fill(payload);
        }
        packet.payload_type = number(words, "pt").unwrap_or(packet.payload_type);
        packet.sequence = number(words, "seq").unwrap();
        packet.timestamp = number(words, "ts").unwrap();
        packet.ssrc = number(words, "ssrc").unwrap_or(1);
        packet.marker = words.contains(&"m");
        let from = number(words, "from").unwrap_or_else(|| phone(leg));
        self.world.give(leg, from, &packet.bytes());
    }

    fn play(&mut self, leg: usize, words: &[&str]) {
        for hertz in
            words.iter().filter_map(|word| word.split_once(':')).filter(|(h, _)| h.parse::<u16>().is_ok())
        {
            self.listen_for(hertz.0);
        }
        let item = |word: &&str| {
            let (what, ms) = word.split_once(':')?;
            let ms = ms.parse().unwrap();
            Some(match what {
                "beep" => PlayItem::Tone(Tone::Beep, ms),
                "busy" => PlayItem::Tone(Tone::Busy, ms),
                "ringback" => PlayItem::Tone(Tone::RingBack, ms),
                "silence" => PlayItem::Silence(ms),
                hertz => PlayItem::Tone(Tone::Hertz(hertz.parse().unwrap()), ms),
            })
        };
        let forever = words.contains(&"forever");
        let repeat = if forever { Repeat::Forever } else { Repeat::Once };
        let items = words.iter().filter_map(item).collect();
        let playback = self.world.play(leg, items, repeat);
        self.playing.insert(leg, playback);
    }

    fn obey(&mut self, line: &str) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let name = words.get(1).copied().unwrap_or_default();
        if words[0] == "at" {
            return self.run_to(name.parse().unwrap());
        }
        if words[0] == "unrecord" {
            return self.unrecord();
        }
        if words[0] == "leg" {
            self.names.push(name.to_string());
            let leg = self.world.open_bare();
            return self.set(leg, &words);
        }
        let n = self.leg(name);
        let leg = self.world.legs[n];
        match words[0] {
            "set" => self.set(n, &words),
            "in" => self.say(n, &words),
            "play" => self.play(n, &words),
            "speak" => self.speak(n, &words),
            "hush" => self.speakers.retain(|speaker| speaker.leg != n),
            "turn" => {
                self.listen_for(words[2]);
                let params = self.params[&n];
                self.speaker(n).agree_on(params, words[2].parse().unwrap(), number(&words, "ptime"));
            }
            "press" => {
                let digit = words[2].parse().unwrap();
                self.speaker(n).press(digit, number(&words, "for").unwrap_or(100));
            }
            "figures" => self.figures(n),
            "record" => {
                let other = self.leg(words[2]);
                self.recording = Some(self.world.record(n, other));
            }
            "bridge" => self.world.bridge(n, self.leg(words[2])),
            "unbridge" => self.world.command(MediaCommand::Unbridge { leg }),
            "close" => self.world.command(MediaCommand::Close { leg }),
            "stop" => {
                let playback = self.playing[&n];
                self.world.command(MediaCommand::StopPlay { leg, playback });
            }
            "hold" => {
                let held = words[2] == "on";
                self.world.command(MediaCommand::Held { leg, held });
            }
            "digits" => {
                let length_ms = number(&words, "len").unwrap_or(100);
                let digits = words[2].into();
                self.world.command(MediaCommand::SendDigits { leg, digits, length_ms });
            }
            other => panic!("no such line: {other}"),
        }
    }

    fn tell(&mut self) {
        let sent = self.world.sent.split_off(self.seen.0);
        if core::mem::take(&mut self.spoke) {
            self.sum_up(&sent);
        } else {
            for sent in sent {
                let line = self.describe(&sent);
                self.ears.entry(sent.leg).or_default().pass(&sent);
                writeln!(self.out, "    {line}").unwrap();
            }
        }
        for (at, event) in self.world.events.split_off(self.seen.1) {
            let name = |leg| {
                let n = self.world.legs.iter().position(|known| *known == leg);
                self.names[n.unwrap()].clone()
            };
            let line = match event {
                MediaEvent::Opened { .. } => continue,
                MediaEvent::Digit { leg, digit } => format!("digit {} {digit}", name(leg)),
                MediaEvent::PlayDone { leg, finished, .. } => {
                    format!("play-done {} finished={finished}", name(leg))
                }
                MediaEvent::Locked { leg, from } => format!("locked {} {from}", name(leg)),
                MediaEvent::Audio { leg, news } => format!("audio {} {news:?}", name(leg)),
                MediaEvent::Silent { leg } => format!("silent {}", name(leg)),
                MediaEvent::Closed { leg, stats } => format!(
                    "closed {} received={} sent={} lost={} foreign={} malformed={}",
                    name(leg),
                    stats.received,
                    stats.sent,
                    stats.lost,
                    stats.foreign,
                    stats.malformed
                ),
                other => format!("{other:?}"),
            };
            writeln!(self.out, "    event @{at} {line}").unwrap();
        }
    }

    fn sum_up(&mut self, sent: &[Sent]) {
        for (leg, name) in self.names.iter().enumerate() {
            let own: Vec<Sent> = sent.iter().filter(|sent| sent.leg == leg).cloned().collect();
            if !own.is_empty() {
                let words = self.ears.entry(leg).or_default().sum_up(&own, &self.tones);
                writeln!(self.out, "    {name} hears {words}").unwrap();
            }
        }
    }

    fn describe(&mut self, sent: &Sent) -> String {
        let (sequence, timestamp) = (sent.sequence(), sent.timestamp());
        let first = *self.first.entry(sent.leg).or_insert((sequence, timestamp));
        let ssrc = *self.ssrcs.entry(sent.leg).or_insert(sent.ssrc());
        let payload = sent.payload();
        let params = self.params[&sent.leg];
        let what = match payload {
            [code, flags, high, low] if params.dtmf.map(|d| d.0) == Some(sent.payload_type()) => {
                let end = if flags & 0x80 != 0 { ",end" } else { "" };
                format!("event={code},{}{end}", u16::from_be_bytes([*high, *low]))
            }
            [code, rest @ ..] if rest.iter().all(|c| c == code) => {
                format!("fill={code:02x}*{}", payload.len())
            }
            _ => {
                let mut pcm = vec![0; payload.len()];
                cordboard_media::codec::Decoder::new(params.codec).decode(payload, &mut pcm);
                let loudest = pcm.iter().map(|sample| sample.unsigned_abs()).max();
                format!("sound={}*{}", loudest.unwrap_or(0), payload.len())
            }
        };
        format!(
            "out {} @{} to={} pt={}{} seq=+{} ts=+{}{} {what}",
            self.names[sent.leg],
            sent.at_ms,
            sent.to,
            sent.payload_type(),
            if sent.marker() { " m" } else { "" },
            sequence.wrapping_sub(first.0),
            timestamp.wrapping_sub(first.1),
            if ssrc == sent.ssrc() { "" } else { " ANOTHER SSRC" },
        )
    }
}

fn check(name: &str) {
    let path = format!("{}/tests/scripts/golden/{name}.rtp", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap();
    let mut script = Script::new();
    for line in text.lines().filter(|line| !line.starts_with("    ")) {
        writeln!(script.out, "{line}").unwrap();
        if !line.is_empty() && !line.starts_with('#') {
            script.obey(line);
            script.tell();
        }
    }
    let made = script.out;
    assert!(
        made == text,
        "{path} should read:
{made}"
    );
}

#[test]
fn every_script_has_its_test() {
    let path = format!("{}/tests/scripts/golden", env!("CARGO_MANIFEST_DIR"));
    let files = std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path());
    let scripts: Vec<_> = files.filter(|path| path.extension().is_some_and(|e| e == "rtp")).collect();
    assert!(scripts.len() > 20);
    for script in scripts {
        let name = script.file_stem().unwrap().to_str().unwrap().to_string();
        assert!(include_str!("golden.rs").contains(&format!("check(\"{name}\")")), "{name}");
    }
}

#[test]
fn relay_with_loss_and_transcoding() {
    check("relay");
}

#[test]
fn learning_and_injection() {
    check("learning");
}

#[test]
fn source_change_and_stale_packets() {
    check("source-change");
}

#[test]
fn playback_then_bridge_then_hold() {
    check("playback-bridge-hold");
}

#[test]
fn digits_across_and_digits_sent() {
    check("digits");
}

#[test]
fn two_who_speak_are_relayed() {
    check("speech-relayed");
}

#[test]
fn two_who_speak_are_transcoded() {
    check("speech-transcoded");
}

#[test]
fn clocks_that_drift() {
    check("drift");
}

#[test]
fn lost_packets() {
    check("loss");
}

#[test]
fn packets_out_of_order_and_late() {
    check("order");
}

#[test]
fn packets_that_come_twice() {
    check("duplicates");
}

#[test]
fn another_source_in_a_call() {
    check("ssrc-change");
}

#[test]
fn silence_that_is_not_sent() {
    check("silence-suppression");
}

#[test]
fn comfort_noise_of_a_party() {
    check("comfort-noise");
}

#[test]
fn comfort_noise_that_both_parties_agreed_on() {
    check("comfort-noise-agreed");
}

#[test]
fn another_codec_in_a_call() {
    check("codec-change");
}

#[test]
fn hold_and_resume() {
    check("hold-resume");
}

#[test]
fn a_prompt_into_a_bridge() {
    check("playback-into-bridge");
}

#[test]
fn a_party_joined_with_another() {
    check("transfer");
}

#[test]
fn another_packet_time_in_a_call() {
    check("ptime-change");
}

#[test]
fn keys_through_relay_and_transcoding() {
    check("digits-in-speech");
}

#[test]
fn numbers_that_wrap() {
    check("wrap");
}

#[test]
fn a_timestamp_that_leaps() {
    check("timestamp-leap");
}

#[test]
fn a_recorded_call() {
    check("recorded");
}
