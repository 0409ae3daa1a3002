//! A softphone that is neither ours nor a script.

use crate::common::{AGENT, CALLER, Phone, SOON, calls, field};
use cordboard_tests::Fail;
use cordboard_tests::baresip::Baresip;
use cordboard_tests::certificate::Authority;
use cordboard_tests::config::{Config, MUSIC};
use cordboard_tests::fail::{Outcome, ensure};
use cordboard_tests::sound::{is_tone, read_mono};
use cordboard_tests::switch::Switch;
use std::path::Path;

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
    ensure(caller.voice.heard_within(AGENT, std::time::Duration::from_secs(1)), || {
        "the agent fell silent".into()
    })?;
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
