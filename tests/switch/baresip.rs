//! A softphone that is neither ours nor a script.

use crate::common::{AGENT, CALLER, Phone, SOON, answers_when_told, at, calls, field};
use cordboard_tests::Fail;
use cordboard_tests::baresip::{Baresip, Setup};
use cordboard_tests::certificate::Authority;
use cordboard_tests::config::{Config, MENU, MUSIC};
use cordboard_tests::fail::{Outcome, ensure};
use cordboard_tests::net::loses_here;
use cordboard_tests::process::wait_for;
use cordboard_tests::sound::{
    is_tone, read_mono, read_mono_at, read_sides_at, share_of_tone_at, write_tones,
};
use cordboard_tests::switch::Switch;
use std::path::Path;
use std::time::Duration;

pub fn answers_a_queue_call(dir: &Path) -> Outcome {
    let config = Config::new(dir)?.md5_alone().agent("1001").queue("").trunk();
    answers_over(dir, &config, "127.0.0.1", None)
}

pub fn answers_over_tcp(dir: &Path) -> Outcome {
    let config = Config::new(dir)?.listen("tcp:127.0.0.1:5060").md5_alone().agent("1001").queue("").trunk();
    answers_over(dir, &config, "127.0.0.1;transport=tcp", None)
}

pub fn answers_over_tls(dir: &Path) -> Outcome {
    let authority = Authority::new(dir, "authority")?;
    let tls = format!("[sip.tls]\n{}", authority.leaf("switch")?.lines());
    let config = Config::new(dir)?.listen("tls:127.0.0.1:5061").md5_alone().agent("1001").queue("").trunk();
    let ca = authority.certificate();
    answers_over(dir, &config.more(&tls), "127.0.0.1:5061;transport=tls", Some(&ca))
}

fn answers_over(dir: &Path, config: &Config, way: &str, ca: Option<&Path>) -> Outcome {
    let switch = Switch::start(dir, config)?;
    let mut phone = Baresip::start_over(dir, "1001", AGENT, way, ca)?;
    switch.wait_registered("1001", 1).map_err(|why| Fail(format!("{why}; it said:\n{}", phone.output())))?;
    switch.wait_agent("1001", "ready")?;
    switch.api.post("/api/v1/agents/1001/rest")?;
    let mut caller = Phone::by_trunk(dir, "501", &calls(), CALLER)?;
    caller.voice.hears("the caller in the queue", MUSIC, SOON)?;
    switch.api.post("/api/v1/agents/1001/ready")?;
    caller.voice.hears("the caller", AGENT, SOON)?;
    switch.wait_agent("1001", "talking")?;
    // A second more for what the phone writes down.
    caller.voice.forget();
    ensure(caller.voice.heard_within(AGENT, Duration::from_secs(1)), || "the agent fell silent".into())?;
    caller.hangs_up()?;
    let cdr = switch.wait_cdrs(1)?.remove(0);
    field(&cdr, "cause", "normal")?;
    field(&cdr, "agent.name", "1001")?;
    phone.stop()?;
    switch.wait_registered("1001", 0)?;
    let heard = read_mono(&phone.heard()?)?;
    let tones = heard.chunks_exact(2_000).filter(|part| is_tone(part, CALLER)).count();
    ensure(tones >= 3, || format!("baresip heard the caller in {tones} of {} parts", heard.len() / 2_000))?;
    switch.ensure_nothing_left()
}

/// Opus before mu-law, for all.
const CODECS: &str = "codecs = [\"opus\", \"PCMU\"]";

/// Quarters of a second in which a phone heard a tone.
fn quarters(phone: &Baresip, hertz: f64) -> Result<usize, Fail> {
    let heard = read_mono_at(&phone.heard()?, 8_000)?;
    Ok(heard.chunks_exact(2_000).filter(|part| is_tone(part, hertz)).count())
}

pub fn registered(switch: &Switch, user: &str, phone: &Baresip) -> Outcome {
    switch.wait_registered(user, 1).map_err(|why| Fail(format!("{why}; it said:\n{}", phone.output())))
}

/// The caller has G.711, the agent nothing but Opus: each hears the other, and the record names both.
pub fn opus_and_g711(dir: &Path) -> Outcome {
    let config = Config::new(dir)?.md5_alone().tenant(CODECS).agent("1001").queue("").trunk();
    let switch = Switch::start(dir, &config)?;
    let mut phone = Baresip::start(dir, &Setup { hertz: &[AGENT], opus: true, ..Setup::default() })?;
    registered(&switch, "1001", &phone)?;
    switch.wait_agent("1001", "ready")?;
    let mut caller = Phone::by_trunk(dir, "501", &calls(), CALLER)?;
    caller.speaks()?;
    let heard = caller.voice.hears("the caller", AGENT, SOON);
    heard.map_err(|why| Fail(format!("{why}; it said:\n{}", phone.output())))?;
    caller.voice.forget();
    ensure(caller.voice.heard_within(AGENT, Duration::from_secs(2)), || "the agent fell silent".into())?;
    caller.hangs_up()?;
    let cdr = switch.wait_cdrs(1)?.remove(0);
    field(&cdr, "cause", "normal")?;
    field(&cdr, "legs.0.stats.codec", "pcmu")?;
    field(&cdr, "legs.1.stats.codec", "opus")?;
    field(&cdr, "legs.1.stats.malformed", 0)?;
    phone.stop()?;
    let tones = quarters(&phone, CALLER)?;
    ensure(tones >= 3, || format!("baresip heard the caller in {tones} quarters of a second"))?;
    switch.ensure_nothing_left()
}

/// What we send to one of two gets lost on its way: it says so in its reports, and the record says whose path it was.
pub fn our_loss(dir: &Path) -> Outcome {
    let switch = Switch::start(dir, &Config::new(dir)?.md5_alone().user("1001").user("1002"))?;
    let called = Setup { hertz: &[AGENT], ..Setup::default() };
    let mut called = Baresip::start(dir, &called)?;
    registered(&switch, "1001", &called)?;
    let port = 5_087;
    loses_here(&Baresip::ports(port), 10)?;
    let calling = Setup { user: "1002", hertz: &[CALLER], port, dials: Some("1001"), ..Setup::default() };
    let mut calling = Baresip::start(dir, &calling)?;
    switch.wait_calls("bridged", 1).map_err(|why| Fail(format!("{why}; it said:\n{}", calling.output())))?;
    // It reports every five seconds: six seconds of what the other hears, at 8 kHz.
    called.wait_heard(6 * 8_000 * 2)?;
    calling.stop()?;
    let cdr = switch.wait_cdrs(1)?.remove(0);
    called.stop()?;
    let of = |leg: usize| at(&cdr, &format!("legs.{leg}.verdict")).as_str().unwrap_or_default().to_owned();
    let said =
        ["the caller's uplink is clean; ours loses 10 %", "the caller's uplink is clean; ours loses 9 %"];
    ensure(said.iter().any(|said| of(0).starts_with(said)), || of(0))?;
    ensure(of(1) == "good both ways", || of(1))?;
    switch.ensure_nothing_left()
}

/// Two that speak nothing but Opus. Each also says a tone that no codec of 16 kHz carries: it gets there only if what the
/// other sent is passed on as it is.
pub fn opus_relayed(dir: &Path) -> Outcome {
    /// Above what wideband speech has.
    const HIGH: f64 = 10_000.0;
    let config = Config::new(dir)?.md5_alone().tenant(CODECS).user("1001").user("1002");
    let switch = Switch::start(dir, &config)?;
    let called = Setup { hertz: &[AGENT, HIGH], opus: true, ..Setup::default() };
    let mut called = Baresip::start(dir, &called)?;
    registered(&switch, "1001", &called)?;
    let calling = Setup { user: "1002", hertz: &[CALLER, HIGH], opus: true, port: 5_087, ..Setup::default() };
    let mut calling = Baresip::start(dir, &Setup { dials: Some("1001"), ..calling })?;
    switch.wait_calls("bridged", 1).map_err(|why| Fail(format!("{why}; it said:\n{}", calling.output())))?;
    // three seconds of it
    calling.wait_heard(3 * 48_000 * 4)?;
    called.wait_heard(3 * 48_000 * 4)?;
    calling.stop()?;
    let cdr = switch.wait_cdrs(1)?.remove(0);
    field(&cdr, "cause", "normal")?;
    field(&cdr, "legs.0.stats.codec", "opus")?;
    field(&cdr, "legs.1.stats.codec", "opus")?;
    called.stop()?;
    for (phone, low) in [(&called, CALLER), (&calling, AGENT)] {
        let heard = read_mono_at(&phone.heard()?, 48_000)?;
        let both = heard
            .chunks_exact(12_000)
            .filter(|part| [low, HIGH].iter().all(|hertz| share_of_tone_at(48_000.0, part, *hertz) > 0.3));
        let both = both.count();
        ensure(both >= 3, || format!("{low} and {HIGH} Hz were heard in {both} quarters of a second"))?;
    }
    switch.ensure_nothing_left()
}

/// It calls a menu: prompts are encoded for it.
pub fn opus_menu(dir: &Path) -> Outcome {
    let flow = "call:answer()\ncall:play(\"menu\")\ncall:hang_up()\n";
    let config = Config::new(dir)?.md5_alone().tenant(CODECS).user("1001").flow("menu", flow)?;
    let switch = Switch::start(dir, &config.number("500", "flow:menu"))?;
    let phone = Setup { hertz: &[CALLER], opus: true, dials: Some("500"), ..Setup::default() };
    let mut phone = Baresip::start(dir, &phone)?;
    let cdr =
        switch.wait_cdrs(1).map_err(|why| Fail(format!("{why}; it said:\n{}", phone.output())))?.remove(0);
    field(&cdr, "cause", "normal")?;
    field(&cdr, "legs.0.stats.codec", "opus")?;
    phone.stop()?;
    let tones = quarters(&phone, MENU)?;
    ensure(tones >= 12, || format!("the menu was heard in {tones} quarters of a second"))?;
    switch.ensure_nothing_left()
}

/// Above the telephone band, within that of speech.
const SIBILANT: f64 = 6_000.0;

/// It calls a menu whose prompt has a tone above the telephone band, and hears it.
pub fn wide_menu(dir: &Path, g722: bool) -> Outcome {
    let flow = "call:answer()\ncall:play(\"menu\")\ncall:hang_up()\n";
    let codecs = "codecs = [\"opus\", \"G722\", \"PCMU\"]";
    let config = Config::new(dir)?.md5_alone().tenant(codecs).user("1001").flow("menu", flow)?;
    write_tones(&dir.join("prompts/menu.wav"), &[MENU, SIBILANT], 4_000, (48_000, 2))?;
    let switch = Switch::start(dir, &config.number("500", "flow:menu"))?;
    let phone = Setup { hertz: &[CALLER], opus: !g722, g722, dials: Some("500"), ..Setup::default() };
    let mut phone = Baresip::start(dir, &phone)?;
    let cdr =
        switch.wait_cdrs(1).map_err(|why| Fail(format!("{why}; it said:\n{}", phone.output())))?.remove(0);
    field(&cdr, "cause", "normal")?;
    field(&cdr, "legs.0.stats.codec", if g722 { "g722" } else { "opus" })?;
    phone.stop()?;
    let rate = if g722 { 16_000 } else { 48_000 };
    let heard = read_mono_at(&phone.heard()?, rate)?;
    let tones = |part: &[i16]| [MENU, SIBILANT].map(|hertz| share_of_tone_at(f64::from(rate), part, hertz));
    let parts: Vec<[f64; 2]> = heard.chunks_exact(rate as usize / 4).map(tones).collect();
    let both = parts.iter().filter(|shares| shares.iter().all(|share| *share > 0.3)).count();
    ensure(both >= 12, || format!("{MENU} and {SIBILANT} Hz were heard as {parts:?}"))?;
    switch.ensure_nothing_left()
}

/// With Opus.
pub fn wide_menu_opus(dir: &Path) -> Outcome {
    wide_menu(dir, false)
}

/// With G.722.
pub fn wide_menu_g722(dir: &Path) -> Outcome {
    wide_menu(dir, true)
}

/// Two that speak nothing but G.722, each with a tone above the telephone band, on record in their own rate: as WAV, or sealed
/// and as Opus; the API gives it, and knows its rate.
pub fn wide_recording(dir: &Path, sealed: bool) -> Outcome {
    let codecs = "codecs = [\"G722\", \"PCMU\"]";
    let mut config = Config::new(dir)?.md5_alone().tenant(codecs).agent("1001").user("1002");
    config = config.queue("record = true").recordings("rate = \"auto\"");
    if sealed {
        std::fs::write(dir.join("one.key"), "1".repeat(64))?;
        config = config.recordings("format = \"opus\"").recordings("seal_with = \"one\"");
        config = config.more("[recordings.key.one]\nfrom = \"file:one.key\"");
    }
    let switch = Switch::start(dir, &config)?;
    let called = Setup { hertz: &[AGENT, SIBILANT], g722: true, ..Setup::default() };
    let mut called = Baresip::start(dir, &called)?;
    registered(&switch, "1001", &called)?;
    let calling =
        Setup { user: "1002", hertz: &[CALLER, SIBILANT], g722: true, port: 5_087, ..Setup::default() };
    let mut calling = Baresip::start(dir, &Setup { dials: Some("501"), ..calling })?;
    switch.wait_calls("bridged", 1).map_err(|why| Fail(format!("{why}; it said:\n{}", calling.output())))?;
    called.wait_heard(3 * 16_000 * 2)?;
    calling.stop()?;
    let cdr = switch.wait_cdrs(1)?.remove(0);
    field(&cdr, "legs.0.stats.codec", "g722")?;
    called.stop()?;
    let entry = wait_for("the manifest", SOON, || {
        let listed = switch.wait_recordings(1).ok()?;
        listed.first().filter(|entry| entry["file"].is_object()).cloned()
    })?;
    field(&entry, "file.sample_rate", 16_000)?;
    field(&entry, "file.codec", if sealed { "opus" } else { "pcm_s16le" })?;
    let path = format!("/api/v1/recordings/{}", entry["recording"].as_str().unwrap_or_default());
    let answer = switch.api.send("GET", &path, "")?;
    let file = dir.join(if sealed { "fetched.opus" } else { "fetched.wav" });
    std::fs::write(&file, &answer.body)?;
    let (left, right) = read_sides_at(&file, 16_000)?;
    let ms = entry["length_ms"].as_u64().unwrap_or_default();
    let seconds = (left.len() as u64 / 16).abs_diff(ms);
    ensure(seconds <= 5, || format!("{} samples for {ms} ms", left.len()))?;
    for (side, low) in [(left, CALLER), (right, AGENT)] {
        let shares = |part: &[i16]| [low, SIBILANT].map(|hertz| share_of_tone_at(16_000.0, part, hertz));
        let parts: Vec<[f64; 2]> = side.chunks_exact(4_000).map(shares).collect();
        let both = parts.iter().filter(|shares| shares.iter().all(|share| *share > 0.3)).count();
        ensure(both >= 6, || format!("{low} and {SIBILANT} Hz are on record as {parts:?}"))?;
    }
    switch.ensure_nothing_left()
}

/// As a WAV file.
pub fn wide_wav(dir: &Path) -> Outcome {
    wide_recording(dir, false)
}

/// As Opus in Ogg, sealed.
pub fn wide_sealed_opus(dir: &Path) -> Outcome {
    wide_recording(dir, true)
}

/// A supervisor with G.711 barges in on two with G.722: they go on hearing what lies above the telephone band of each other, and he
/// hears both.
pub fn wide_mix(dir: &Path) -> Outcome {
    /// The supervisor's tone.
    const THIRD: f64 = 880.0;
    let config = Config::new(dir)?.md5_alone().tenant("codecs = [\"G722\", \"PCMU\"]");
    let config = config.agent("1001").user("1002").user("1003").queue("");
    let switch = Switch::start(dir, &config)?;
    let called = Setup { hertz: &[AGENT, SIBILANT], g722: true, ..Setup::default() };
    let mut called = Baresip::start(dir, &called)?;
    registered(&switch, "1001", &called)?;
    let mut third = Phone::registered(dir, "1003", 5072, &answers_when_told(), THIRD)?;
    let calling =
        Setup { user: "1002", hertz: &[CALLER, SIBILANT], g722: true, port: 5_087, ..Setup::default() };
    let mut calling = Baresip::start(dir, &Setup { dials: Some("501"), ..calling })?;
    switch.wait_calls("bridged", 1).map_err(|why| Fail(format!("{why}; it said:\n{}", calling.output())))?;
    let call = switch.wait_stage("bridged")?;
    let path = format!("/api/v1/calls/{}/supervise", at(&call, "call").as_str().unwrap_or_default());
    switch.api.post_body(&path, r#"{"mode": "barge_in", "extension": "1003"}"#)?;
    third.answers_now()?;
    third.speaks()?;
    third.voice.hears_these("the supervisor", &[CALLER, AGENT], &[CALLER, AGENT, THIRD, MUSIC], SOON)?;
    third.voice.forget();
    let steady = third.voice.heard_within(CALLER, Duration::from_secs(3));
    // the headers of their files are right only when they are done
    let bytes = |phone: &Baresip| Ok::<u64, Fail>(std::fs::metadata(phone.heard()?)?.len());
    let so_far = [bytes(&called)?, bytes(&calling)?];
    ensure(steady, || "the supervisor does not hear the caller".into())?;
    calling.stop()?;
    third.ended()?;
    called.stop()?;
    for ((phone, bytes), low) in [&called, &calling].into_iter().zip(so_far).zip([CALLER, AGENT]) {
        let heard = read_mono_at(&phone.heard()?, 16_000)?;
        // the last two seconds of three in which he was there
        let end = heard.len().min(bytes as usize / 2);
        let last = heard.get(end.saturating_sub(2 * 16_000)..end).unwrap_or_default();
        let tones =
            |part: &[i16]| [low, THIRD, SIBILANT].map(|hertz| share_of_tone_at(16_000.0, part, hertz));
        let parts: Vec<[f64; 3]> = last.chunks_exact(4_000).map(tones).collect();
        let all = parts.iter().filter(|shares| shares.iter().all(|share| *share > 0.1)).count();
        ensure(all >= 6, || format!("{low}, {THIRD} and {SIBILANT} Hz were heard as {parts:?}"))?;
    }
    switch.ensure_nothing_left()
}
