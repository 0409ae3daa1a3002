//! Secure RTP with other people's phones: each secured as it is configured, the other end of the call plain.

use crate::common::{AGENT, CALLER, Phone, SOON, calls, field};
use crate::phones::linphone_calls_linphone;
use crate::sight;
use cordboard_tests::baresip::Baresip;
use cordboard_tests::certificate::Authority;
use cordboard_tests::config::Config;
use cordboard_tests::fail::{Fail, Outcome, ensure};
use cordboard_tests::linphone::Way;
use cordboard_tests::scenario::{MU_LAW, Scenario};
use cordboard_tests::sound::{is_tone, read_mono};
use cordboard_tests::switch::Switch;
use serde_json::Value;
use std::path::Path;
use std::time::Duration;

/// A switch with a TLS listener, and whom its phones trust.
fn with_tls(dir: &Path, config: Config) -> Result<(Config, Authority), Fail> {
    let authority = Authority::new(dir, "authority")?;
    let tls = format!("[sip.tls]\n{}", authority.leaf("switch")?.lines());
    Ok((config.listen("tls:127.0.0.1:5061").md5_alone().more(&tls), authority))
}

/// The ladder of a call that is over, with its messages, as its operator reads it.
fn ladder(dir: &Path, switch: &Switch, cdr: &Value) -> Result<String, Fail> {
    let call = cdr["call"].as_str().unwrap_or_default();
    sight::trace(switch, call)?;
    sight::command(dir, &["trace", call, "--messages", "-c", "cordboard.toml"])
}

/// The ladder says that media of one leg were secured, and shows no key.
fn ensure_secured(ladder: &str) -> Outcome {
    let agreed = ladder.lines().filter(|line| line.contains("agreed ")).collect::<Vec<_>>();
    ensure(agreed.iter().any(|line| line.contains("secured by A")), || format!("{agreed:?} in {ladder}"))?;
    ensure(agreed.iter().any(|line| !line.contains("secured by")), || format!("no plain leg: {agreed:?}"))?;
    let keys = ladder.lines().filter_map(|line| line.split_once("inline:")).map(|(_, key)| key.trim());
    let keys: Vec<&str> = keys.collect();
    ensure(!keys.is_empty() && keys.iter().all(|key| key.starts_with("****")), || {
        format!("a key is shown: {keys:?}")
    })
}

/// One by TLS with media_encryption=srtp and nothing else, the other by UDP in the clear: each calls the other.
pub fn linphone(dir: &Path) -> Outcome {
    let (config, authority) = with_tls(dir, Config::new(dir)?.user("1001").user("1002"))?;
    let switch = Switch::start(dir, &config)?;
    let ca = authority.certificate();
    let way = Way {
        transport: "tls",
        switch: "localhost:5061",
        ip: "127.0.0.1",
        ca: Some(&ca),
        encryption: "srtp",
    };
    linphone_calls_linphone(dir, &switch, way, Way::UDP)?;
    for cdr in switch.wait_cdrs(2)? {
        ensure_secured(&ladder(dir, &switch, &cdr)?)?;
        for leg in cdr["legs"].as_array().into_iter().flatten() {
            let unsealed = leg["stats"]["unsealed"].as_u64();
            ensure(unsealed == Some(0), || format!("packets were refused: {cdr}"))?;
        }
    }
    Ok(())
}

/// An agent's phone that takes nothing but secure RTP is called; the caller is plain.
pub fn baresip(dir: &Path) -> Outcome {
    let (config, authority) = with_tls(dir, Config::new(dir)?.agent("1001").queue("").trunk())?;
    let switch = Switch::start(dir, &config)?;
    let ca = authority.certificate();
    let way = "127.0.0.1:5061;transport=tls";
    let mut phone = Baresip::start_secured(dir, "1001", AGENT, way, Some(&ca))?;
    switch.wait_agent("1001", "ready").map_err(|why| Fail(format!("{why}; it said:\n{}", phone.output())))?;
    let mut caller = Phone::by_trunk(dir, "501", &calls(), CALLER)?;
    caller.speaks()?;
    let heard = caller.voice.hears("the caller", AGENT, SOON);
    heard.map_err(|why| Fail(format!("{why}; it said:\n{}", phone.output())))?;
    caller.voice.forget();
    ensure(caller.voice.heard_within(AGENT, Duration::from_secs(1)), || "the agent fell silent".into())?;
    caller.hangs_up()?;
    let cdr = switch.wait_cdrs(1)?.remove(0);
    field(&cdr, "cause", "normal")?;
    phone.stop()?;
    let heard = read_mono(&phone.heard()?)?;
    let tones = heard.chunks_exact(2_000).filter(|part| is_tone(part, CALLER)).count();
    ensure(tones >= 3, || format!("baresip heard the caller in {tones} of {} parts", heard.len() / 2_000))?;
    ensure_secured(&ladder(dir, &switch, &cdr)?)?;
    switch.ensure_nothing_left()
}

/// Keys are required: a plain caller is refused, and a phone by UDP is not called, for its keys could be heard.
pub fn required(dir: &Path) -> Outcome {
    let required =
        |dir| Ok::<_, Fail>(Config::new(dir)?.tenant("srtp = \"required\"").user("1001").queue(""));
    let switch = Switch::start(dir, &required(dir)?.trunk())?;
    let tries = Scenario::caller(MU_LAW).invites().is_refused(488);
    let mut caller = Phone::by_trunk(dir, "501", &tries, 0.0)?;
    caller.ended()?;
    let warned = caller.sipp.messages().iter().any(|message| {
        message.text.lines().any(|line| line.starts_with("Warning: 302 ") && line.contains("secure RTP"))
    });
    ensure(warned, || format!("no Warning: {}", caller.sipp.log()))?;
    field(&switch.wait_cdrs(1)?.remove(0), "cause", "incompatible")?;
    switch.ensure_nothing_left()?;
    drop(switch);
    // the same with a trunk of its own rule: its caller is taken, the phone by UDP cannot be called
    drop(caller);
    let dir = &dir.join("by-trunk");
    std::fs::create_dir_all(dir)?;
    let own = "[tenant.default.trunk.carrier]\npeers = [\"127.0.0.2\"]\nsrtp = \"off\"";
    let switch = Switch::start(dir, &required(dir)?.more(own))?;
    let phone = Phone::registered(dir, "1001", 5_071, &Scenario::called(MU_LAW), AGENT)?;
    switch.wait_registered("1001", 1)?;
    let tries = Scenario::caller(MU_LAW).invites().is_refused(488);
    let mut caller = Phone::by_trunk(dir, "1001", &tries, 0.0)?;
    caller.ended()?;
    ensure(phone.sipp.messages().is_empty(), || format!("it was called: {}", phone.sipp.log()))?;
    switch.ensure_nothing_left()
}
