//! Ears and mouths: tones sent as RTP, tones recognised in RTP and in recordings, keys pressed as RFC 4733 events.

use crate::fail::{Fail, fail};
use crate::process::wait_for;
use std::collections::VecDeque;
use std::net::{SocketAddr, UdpSocket};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Samples of a packet: 20 ms at 8 kHz.
const FRAME: usize = 160;
/// Samples looked at for one judgement: a quarter of a second.
const WINDOW: usize = 2_000;
/// Mu-law.
const PCMU: u8 = 0;
/// A-law.
const PCMA: u8 = 8;

/// The share of the samples' power that lies at `hertz`, 0 to 1 (Goertzel).
pub fn share_of_tone(samples: &[i16], hertz: f64) -> f64 {
    share_of_tone_at(8_000.0, samples, hertz)
}

/// The same of samples at another rate.
pub fn share_of_tone_at(rate: f64, samples: &[i16], hertz: f64) -> f64 {
    let total: f64 = samples.iter().map(|s| f64::from(*s) * f64::from(*s)).sum();
    if total < 1e4 * samples.len() as f64 {
        // Under -50 dB of full scale: silence holds no tone.
        return 0.0;
    }
    let omega = 2.0 * std::f64::consts::PI * hertz / rate;
    let (mut s1, mut s2) = (0.0, 0.0);
    for sample in samples {
        let s0 = f64::from(*sample) + 2.0 * omega.cos() * s1 - s2;
        (s2, s1) = (s1, s0);
    }
    let power = s1 * s1 + s2 * s2 - 2.0 * omega.cos() * s1 * s2;
    (2.0 * power / (samples.len() as f64 * total)).clamp(0.0, 1.0)
}

/// Whether the samples are mostly this tone.
pub fn is_tone(samples: &[i16], hertz: f64) -> bool {
    share_of_tone(samples, hertz) > 0.7
}

fn from_ulaw(byte: u8) -> i16 {
    let u = !byte;
    let magnitude = ((i32::from(u & 0x0F) << 3) + 0x84) << ((u & 0x70) >> 4);
    let sample = if u & 0x80 != 0 { 0x84 - magnitude } else { magnitude - 0x84 };
    sample as i16
}

fn to_ulaw(sample: i16) -> u8 {
    let (sign, value) = if sample < 0 { (0x80u8, -i32::from(sample)) } else { (0, i32::from(sample)) };
    let value = value.min(32_635) + 0x84;
    let exponent = (31 - (value as u32).leading_zeros()).saturating_sub(7).min(7);
    let mantissa = ((value >> (exponent + 3)) & 0x0F) as u8;
    !(sign | ((exponent as u8) << 4) | mantissa)
}

fn from_alaw(byte: u8) -> i16 {
    let a = byte ^ 0x55;
    let exponent = (a & 0x70) >> 4;
    let base = (i32::from(a & 0x0F) << 4) + 8;
    let magnitude = if exponent == 0 { base } else { (base + 0x100) << (exponent - 1) };
    (if a & 0x80 != 0 { magnitude } else { -magnitude }) as i16
}

/// How a party speaks.
#[derive(Clone, Copy, Debug)]
pub struct Tongue {
    /// The payload type it sends: 0 for mu-law, 8 for A-law.
    pub audio: u8,
    /// The payload type of RFC 4733 events.
    pub events: u8,
}

/// Mu-law, events as [`crate::scenario::MU_LAW`] numbers them.
pub const MU_LAW: Tongue = Tongue { audio: PCMU, events: 101 };
/// A-law, events as [`crate::scenario::A_LAW`] numbers them.
pub const A_LAW: Tongue = Tongue { audio: PCMA, events: 97 };

fn to_alaw(sample: i16) -> u8 {
    let (sign, value) = if sample < 0 { (0u8, -i32::from(sample) - 1) } else { (0x80, i32::from(sample)) };
    let value = (value.max(0) >> 4).min(2_047);
    let exponent = (32 - (value as u32 >> 4).leading_zeros()).min(7);
    let mantissa = if exponent == 0 { value } else { value >> (exponent - 1) } & 0x0F;
    (sign | ((exponent as u8) << 4) | mantissa as u8) ^ 0x55
}

/// Writes a WAV file that holds a tone: 8 kHz, one channel, 16 bits.
pub fn write_tone(path: &Path, hertz: f64, ms: u32) -> Result<(), Fail> {
    write_tones(path, &[hertz], ms, (8_000, 1))
}

/// The same with several tones at once, each as loud, and so many samples a second of so many channels.
pub fn write_tones(path: &Path, hertz: &[f64], ms: u32, (rate, channels): (u32, u16)) -> Result<(), Fail> {
    if let Some(dir) = path.parent() {
        std::fs::create_dir_all(dir)?;
    }
    let step = 2.0 * std::f64::consts::PI / f64::from(rate);
    let loud = 8_000.0 / hertz.len() as f64;
    let sample = |i: u32| hertz.iter().map(|hertz| (f64::from(i) * step * hertz).sin() * loud).sum::<f64>();
    let samples =
        (0..ms * (rate / 1_000)).flat_map(|i| std::iter::repeat_n(sample(i) as i16, channels.into()));
    let data: Vec<u8> = samples.flat_map(i16::to_le_bytes).collect();
    let len = u32::try_from(data.len())?;
    let mut wav = b"RIFF".to_vec();
    wav.extend((len + 36).to_le_bytes());
    wav.extend(b"WAVEfmt \x10\0\0\0\x01\0");
    wav.extend(channels.to_le_bytes());
    wav.extend(rate.to_le_bytes());
    wav.extend((rate * u32::from(channels) * 2).to_le_bytes());
    wav.extend((channels * 2).to_le_bytes());
    wav.extend(b"\x10\0data");
    wav.extend(len.to_le_bytes());
    wav.extend(data);
    std::fs::write(path, wav)?;
    Ok(())
}

#[derive(Default)]
struct Ear {
    /// The last samples heard, oldest first.
    heard: Vec<i16>,
    packets: u64,
    /// Whom it speaks to: everyone who was heard, in that order.
    peers: Vec<SocketAddr>,
    keys: Vec<char>,
    last_event: Option<u32>,
}

/// A key to press, and whether as tones.
#[derive(Clone, Copy)]
struct Press {
    key: char,
    tones: bool,
}

/// The tones of keys (ITU-T Q.23): by row, by column.
const LOW: [f64; 4] = [697.0, 770.0, 852.0, 941.0];
const HIGH: [f64; 4] = [1_209.0, 1_336.0, 1_477.0, 1_633.0];
const KEYS: [[u8; 4]; 4] = [*b"123A", *b"456B", *b"789C", *b"*0#D"];

/// A party's audio: says a steady tone, presses keys, hears what comes in its own codec and nothing else. One that is at the end of many calls speaks to all of
/// them, and hears all at once: then only [`Voice::packets`] means something.
pub struct Voice {
    /// Its RTP port.
    pub port: u16,
    ear: Arc<Mutex<Ear>>,
    to_press: Arc<Mutex<Vec<Press>>>,
    to_say: Arc<Mutex<VecDeque<u8>>>,
    quiet: Arc<AtomicBool>,
    stalled: Arc<AtomicBool>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Voice {
    /// Binds `ip:port` and says `hertz` (0: nothing) to whoever sends audio to it, from the first packet on.
    pub fn new(ip: &str, port: u16, hertz: f64) -> Result<Self, Fail> {
        Self::with(ip, port, hertz, MU_LAW)
    }

    /// As [`Voice::new`], in another codec.
    pub fn with(ip: &str, port: u16, hertz: f64, tongue: Tongue) -> Result<Self, Fail> {
        let socket =
            UdpSocket::bind((ip, port)).map_err(|why| Fail(format!("cannot bind RTP port {port}: {why}")))?;
        socket.set_read_timeout(Some(Duration::from_millis(5)))?;
        let (ear, to_press) = (Arc::new(Mutex::new(Ear::default())), Arc::new(Mutex::new(Vec::new())));
        let to_say = Arc::new(Mutex::new(VecDeque::new()));
        let [stop, quiet, stalled] = [(); 3].map(|()| Arc::new(AtomicBool::new(false)));
        let mouth = Mouth {
            socket,
            hertz,
            tongue,
            ear: Arc::clone(&ear),
            to_press: Arc::clone(&to_press),
            to_say: Arc::clone(&to_say),
            quiet: Arc::clone(&quiet),
            stalled: Arc::clone(&stalled),
            sequence: 1_000,
            timestamp: 160_000,
            phase: 0.0,
            pressing: None,
        };
        let stopped = Arc::clone(&stop);
        let thread = std::thread::spawn(move || mouth.run(&stopped));
        Ok(Self { port, ear, to_press, to_say, quiet, stalled, stop, thread: Some(thread) })
    }

    /// Speaks first, to this address, without waiting to hear something.
    pub fn speak_to(&self, peer: SocketAddr) {
        if let Ok(mut ear) = self.ear.lock()
            && !ear.peers.contains(&peer)
        {
            ear.peers.push(peer);
        }
    }

    /// Presses a key; it is sent as an RFC 4733 event of 100 ms as soon as there is someone to hear it.
    pub fn press(&self, key: char) {
        if let Ok(mut keys) = self.to_press.lock() {
            keys.push(Press { key, tones: false });
        }
    }

    /// Says this, which is in its own codec, in the place of its tone.
    pub fn say(&self, codes: &[u8]) {
        if let Ok(mut words) = self.to_say.lock() {
            words.extend(codes);
        }
    }

    /// Presses a key as its two tones, for 100 ms.
    pub fn press_as_tones(&self, key: char) {
        if let Ok(mut keys) = self.to_press.lock() {
            keys.push(Press { key, tones: true });
        }
    }

    /// Keys heard as tones in the last ten seconds.
    pub fn toned_keys(&self) -> String {
        let heard = self.ear.lock().map(|ear| ear.heard.clone()).unwrap_or_default();
        let judged = heard.windows(320).step_by(80).map(|part| {
            let share = |group: [f64; 4]| group.map(|hertz| share_of_tone(part, hertz));
            let best = |shares: [f64; 4]| (0..4).max_by(|a, b| shares[*a].total_cmp(&shares[*b]));
            let (low, high) = (share(LOW), share(HIGH));
            let (row, column) = best(low).zip(best(high))?;
            let is_key = low[row] > 0.2 && high[column] > 0.2 && low[row] + high[column] > 0.9;
            is_key.then(|| char::from(KEYS[row][column]))
        });
        let mut keys: Vec<Option<char>> = judged.collect();
        keys.dedup();
        keys.into_iter().flatten().collect()
    }

    /// Sends nothing any more, or again.
    pub fn set_quiet(&self, quiet: bool) {
        self.quiet.store(quiet, Relaxed);
    }

    /// Its network stands still for so long; then all comes at once.
    pub fn stall(&self, time: Duration) {
        self.stalled.store(true, Relaxed);
        std::thread::sleep(time);
        self.stalled.store(false, Relaxed);
    }

    /// Keys heard so far.
    pub fn keys(&self) -> String {
        self.ear.lock().map(|ear| ear.keys.iter().collect()).unwrap_or_default()
    }

    /// Audio packets heard so far.
    pub fn packets(&self) -> u64 {
        self.ear.lock().map(|ear| ear.packets).unwrap_or_default()
    }

    /// Where the switch sends from, or was said to listen.
    pub fn peer(&self) -> Option<SocketAddr> {
        self.ear.lock().ok().and_then(|ear| ear.peers.first().copied())
    }

    /// Forgets what was heard: judgements are about what comes from now on.
    pub fn forget(&self) {
        if let Ok(mut ear) = self.ear.lock() {
            ear.heard.clear();
        }
    }

    /// Waits until the last quarter of a second heard is this tone.
    pub fn hears(&self, who: &str, hertz: f64, limit: Duration) -> Result<(), Fail> {
        let heard = |samples: &[i16]| is_tone(samples, hertz);
        self.until(&format!("{who} to hear {hertz} Hz"), limit, heard)
    }

    /// Waits until the last quarter of a second heard has all of `wanted` and none else of `all`.
    pub fn hears_these(&self, who: &str, wanted: &[f64], all: &[f64], limit: Duration) -> Result<(), Fail> {
        let is_right = |samples: &[i16], hertz: f64| {
            let share = share_of_tone(samples, hertz);
            if wanted.contains(&hertz) { share > 0.15 } else { share < 0.02 }
        };
        let heard = |samples: &[i16]| all.iter().all(|hertz| is_right(samples, *hertz));
        self.until(&format!("{who} to hear {wanted:?} Hz and no other"), limit, heard)
    }

    /// Waits until the last quarter of a second heard is one of these tones.
    pub fn hears_one_of(&self, who: &str, hertz: &[f64], limit: Duration) -> Result<(), Fail> {
        let heard = |samples: &[i16]| hertz.iter().any(|hertz| is_tone(samples, *hertz));
        self.until(&format!("{who} to hear one of {hertz:?} Hz"), limit, heard)
    }

    /// Waits until something else than silence is heard (a prompt, music).
    pub fn hears_something(&self, who: &str, limit: Duration) -> Result<(), Fail> {
        let loud =
            |samples: &[i16]| samples.iter().filter(|s| s.unsigned_abs() > 300).count() > samples.len() / 20;
        self.until(&format!("{who} to hear something"), limit, loud)
    }

    fn until(&self, what: &str, limit: Duration, heard: impl Fn(&[i16]) -> bool) -> Result<(), Fail> {
        let judge = || {
            let ear = self.ear.lock().ok()?;
            let last = ear.heard.get(ear.heard.len().checked_sub(WINDOW)?..)?;
            heard(last).then_some(())
        };
        wait_for(what, limit, judge).map_err(|why| {
            Fail(format!("{why}; {} packets came, the last with {}", self.packets(), self.last()))
        })
    }

    /// What was heard last, in words.
    fn last(&self) -> String {
        let heard = self.ear.lock().map(|ear| ear.heard.clone()).unwrap_or_default();
        let last = heard.get(heard.len().saturating_sub(WINDOW)..).unwrap_or_default();
        let tones = (10..200).map(|tens| f64::from(tens) * 10.0);
        let loudest = tones.max_by(|a, b| share_of_tone(last, *a).total_cmp(&share_of_tone(last, *b)));
        match loudest.filter(|hertz| is_tone(last, *hertz)) {
            Some(hertz) => format!("about {hertz} Hz"),
            None => "no tone".into(),
        }
    }

    /// Listens for `time` and says whether `hertz` was in it for at least a fifth of a second.
    pub fn heard_within(&self, hertz: f64, time: Duration) -> bool {
        self.forget();
        std::thread::sleep(time);
        let heard = self.ear.lock().map(|ear| ear.heard.clone()).unwrap_or_default();
        heard.chunks(400).filter(|part| part.len() == 400 && share_of_tone(part, hertz) > 0.3).count() >= 4
    }
}

impl Drop for Voice {
    fn drop(&mut self) {
        self.stop.store(true, Relaxed);
        if let Some(thread) = self.thread.take() {
            // A panic in it has shown itself already by silence.
            let _ = thread.join();
        }
    }
}

struct Mouth {
    socket: UdpSocket,
    hertz: f64,
    tongue: Tongue,
    ear: Arc<Mutex<Ear>>,
    to_say: Arc<Mutex<VecDeque<u8>>>,
    to_press: Arc<Mutex<Vec<Press>>>,
    quiet: Arc<AtomicBool>,
    stalled: Arc<AtomicBool>,
    sequence: u16,
    timestamp: u32,
    phase: f64,
    /// The key being pressed: key, timestamp of its begin, packets sent.
    pressing: Option<(Press, u32, u16)>,
}

impl Mouth {
    fn run(mut self, stop: &AtomicBool) {
        let mut next = Instant::now();
        let mut buf = [0u8; 2_048];
        while !stop.load(Relaxed) {
            if let Ok((len, from)) = self.socket.recv_from(&mut buf) {
                self.listen(buf.get(..len).unwrap_or_default(), from);
            }
            while Instant::now() >= next && !self.stalled.load(Relaxed) {
                next += Duration::from_millis(20);
                self.speak();
            }
        }
    }

    fn listen(&self, packet: &[u8], from: SocketAddr) {
        let Some((header, payload)) = packet.split_at_checked(12) else {
            return;
        };
        let Ok(mut ear) = self.ear.lock() else { return };
        if !ear.peers.contains(&from) {
            ear.peers.push(from);
        }
        let kind = header.get(1).copied().unwrap_or(0) & 0x7F;
        let decode: fn(u8) -> i16 = match kind {
            PCMU if self.tongue.audio == PCMU => from_ulaw,
            PCMA if self.tongue.audio == PCMA => from_alaw,
            events if events == self.tongue.events => {
                let stamp = header.get(4..8).and_then(|b| b.try_into().ok()).map(u32::from_be_bytes);
                if stamp != ear.last_event
                    && let Some(code) = payload.first()
                    && let Some(key) = "0123456789*#ABCD".chars().nth(usize::from(*code))
                {
                    ear.last_event = stamp;
                    ear.keys.push(key);
                }
                return;
            }
            _ => return,
        };
        ear.packets += 1;
        ear.heard.extend(payload.iter().map(|byte| decode(*byte)));
        let surplus = ear.heard.len().saturating_sub(80_000);
        ear.heard.drain(..surplus);
    }

    fn speak(&mut self) {
        let peers = self.ear.lock().map(|ear| ear.peers.clone()).unwrap_or_default();
        if peers.is_empty() {
            return;
        }
        if self.pressing.is_none()
            && let Ok(mut keys) = self.to_press.lock()
            && !keys.is_empty()
        {
            self.pressing = Some((keys.remove(0), self.timestamp, 0));
        }
        match self.pressing {
            Some((Press { key, tones: true }, begin, sent)) => self.press_tones(&peers, key, begin, sent),
            Some((Press { key, .. }, begin, sent)) => self.press(&peers, key, begin, sent),
            None => self.say(&peers),
        }
        self.timestamp = self.timestamp.wrapping_add(FRAME as u32);
    }

    fn say(&mut self, peers: &[SocketAddr]) {
        let words: Vec<u8> = match self.to_say.lock() {
            Ok(mut words) if words.len() >= FRAME => words.drain(..FRAME).collect(),
            _ => Vec::new(),
        };
        if !words.is_empty() {
            return self.send(peers, self.tongue.audio, false, self.timestamp, &words);
        }
        if self.hertz == 0.0 || self.quiet.load(Relaxed) {
            return;
        }
        let step = 2.0 * std::f64::consts::PI * self.hertz / 8_000.0;
        let encode = if self.tongue.audio == PCMA { to_alaw } else { to_ulaw };
        let mut payload = [0u8; FRAME];
        for byte in &mut payload {
            *byte = encode((self.phase.sin() * 8_000.0) as i16);
            self.phase = (self.phase + step) % (2.0 * std::f64::consts::PI);
        }
        self.send(peers, self.tongue.audio, false, self.timestamp, &payload);
    }

    /// One packet of a key press: five that grow, three that end it, then silence of the pause between keys.
    fn press(&mut self, peers: &[SocketAddr], key: char, begin: u32, sent: u16) {
        let code = "0123456789*#ABCD".find(key).unwrap_or(0) as u8;
        let ends = sent >= 5;
        let duration = (FRAME as u16) * (sent.min(5) + 1);
        let end_bit = if ends { 0x80 | 10 } else { 10 };
        if sent < 8 {
            let [high, low] = duration.to_be_bytes();
            self.send(peers, self.tongue.events, sent == 0, begin, &[code, end_bit, high, low]);
        }
        self.pressing = if sent >= 12 { None } else { Some((Press { key, tones: false }, begin, sent + 1)) };
    }

    /// Five packets of a key's tones, and four of silence.
    fn press_tones(&mut self, peers: &[SocketAddr], key: char, begin: u32, sent: u16) {
        let place = KEYS
            .iter()
            .enumerate()
            .find_map(|(row, keys)| Some((row, keys.iter().position(|known| char::from(*known) == key)?)));
        let (row, column) = place.unwrap_or((3, 1));
        let encode = if self.tongue.audio == PCMA { to_alaw } else { to_ulaw };
        let mut payload = [encode(0); FRAME];
        if sent < 5 {
            for (n, byte) in payload.iter_mut().enumerate() {
                let at = 2.0 * std::f64::consts::PI * (usize::from(sent) * FRAME + n) as f64 / 8_000.0;
                *byte = encode((((at * LOW[row]).sin() + (at * HIGH[column]).sin()) * 8_000.0) as i16);
            }
        }
        self.send(peers, self.tongue.audio, false, self.timestamp, &payload);
        self.pressing = if sent >= 9 { None } else { Some((Press { key, tones: true }, begin, sent + 1)) };
    }

    fn send(&mut self, peers: &[SocketAddr], kind: u8, marker: bool, timestamp: u32, payload: &[u8]) {
        for peer in peers {
            let mut packet = vec![0x80, kind | if marker { 0x80 } else { 0 }];
            packet.extend(self.sequence.to_be_bytes());
            packet.extend(timestamp.to_be_bytes());
            packet.extend(0xC0DE_0000u32.wrapping_add(u32::from(peer.port())).to_be_bytes());
            packet.extend(payload);
            // Nobody listens any more: that is for the test to judge.
            let _ = self.socket.send_to(&packet, peer);
        }
        self.sequence = self.sequence.wrapping_add(1);
    }
}

/// A two-channel recording as samples.
pub struct Recording {
    /// What the caller said.
    pub left: Vec<i16>,
    /// What the agent said.
    pub right: Vec<i16>,
}

/// Reads a WAV file of two channels, 8 kHz, by way of sox, which is not ours.
pub fn read_recording(path: &Path) -> Result<Recording, Fail> {
    let samples = read_as(path, &["-r", "8000"])?;
    let left = samples.iter().step_by(2).copied().collect();
    let right = samples.iter().skip(1).step_by(2).copied().collect();
    Ok(Recording { left, right })
}

/// The samples of both channels of a sound file that has this rate, WAV or Opus, as the tools of others read it: it is not
/// resampled. Of Opus, which has none of its own, at this rate.
pub fn read_sides_at(path: &Path, rate: u32) -> Result<(Vec<i16>, Vec<i16>), Fail> {
    let mut wav = path.to_owned();
    if path.extension().is_some_and(|end| end == "opus") {
        wav = path.with_extension("decoded.wav");
        let mut tool = std::process::Command::new("opusdec");
        let rate = rate.to_string();
        let output = tool.args(["--quiet", "--rate", &rate]).arg(path).arg(&wav).output()?;
        if !output.status.success() {
            return fail(format!("opusdec: {}", String::from_utf8_lossy(&output.stderr)));
        }
    }
    let head = std::fs::read(&wav)?;
    let told = head.windows(4).position(|four| four == b"fmt ").and_then(|at| head.get(at + 12..at + 16));
    if told != Some(&rate.to_le_bytes()[..]) {
        return fail(format!("{} is not at {rate} Hz", wav.display()));
    }
    let samples = read_samples(&wav)?;
    let side = |n: usize| samples.iter().skip(n).step_by(2).copied().collect();
    Ok((side(0), side(1)))
}

/// Reads a WAV file of one channel, 8 kHz, in the same way.
pub fn read_mono(path: &Path) -> Result<Vec<i16>, Fail> {
    read_samples(path)
}

/// The samples of a sound file of any rate and number of channels, as one channel at `rate`.
pub fn read_mono_at(path: &Path, rate: u32) -> Result<Vec<i16>, Fail> {
    read_as(path, &["-c", "1", "-r", &rate.to_string()])
}

fn read_samples(path: &Path) -> Result<Vec<i16>, Fail> {
    read_as(path, &[])
}

fn read_as(path: &Path, form: &[&str]) -> Result<Vec<i16>, Fail> {
    let mut sox = std::process::Command::new("sox");
    let output = sox.arg(path).args(form).args(["-t", "s16", "-L", "-"]).output()?;
    if !output.status.success() {
        return fail(format!(
            "sox cannot read {}: {}",
            path.display(),
            String::from_utf8_lossy(&output.stderr)
        ));
    }
    Ok(output.stdout.chunks_exact(2).map(|b| i16::from_le_bytes([b[0], b[1]])).collect())
}

impl Recording {
    /// Whether a second in the middle of both channels holds these tones.
    pub fn ensure_tones(&self, left: f64, right: f64) -> Result<(), Fail> {
        for (channel, hertz, samples) in [("left", left, &self.left), ("right", right, &self.right)] {
            let tones = samples.chunks_exact(WINDOW).filter(|part| is_tone(part, hertz)).count();
            if tones < 2 {
                let parts = samples.len() / WINDOW;
                return fail(format!(
                    "{hertz} Hz is in {tones} of {parts} quarter seconds of the {channel} channel"
                ));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sine(hertz: f64, amplitude: f64) -> Vec<i16> {
        let step = 2.0 * std::f64::consts::PI * hertz / 8_000.0;
        (0..WINDOW).map(|i| ((i as f64 * step).sin() * amplitude) as i16).collect()
    }

    #[test]
    fn a_tone_is_told_from_another_and_from_silence() {
        assert!(is_tone(&sine(440.0, 8_000.0), 440.0));
        assert!(!is_tone(&sine(440.0, 8_000.0), 660.0));
        assert!(!is_tone(&sine(440.0, 30.0), 440.0));
        assert!(!is_tone(&[0; WINDOW], 440.0));
    }

    #[test]
    fn both_codecs_there_and_back_are_near() {
        for sample in [-30_000i16, -8_000, -100, 0, 100, 8_000, 30_000] {
            for back in [from_ulaw(to_ulaw(sample)), from_alaw(to_alaw(sample))] {
                let off = (i32::from(back) - i32::from(sample)).abs();
                assert!(off <= i32::from(sample).abs() / 16 + 8, "{sample} {back}");
            }
        }
    }
}
