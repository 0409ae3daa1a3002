//! `cordboard demo`: the switch with two agents and a trickle of callers, who use SIP and RTP over loopback, and a page.

mod floor;
mod phones;

use crate::boot::BootError;
use crate::cli::DemoArgs;
use crate::clock::Clock;
use crate::config::{ApiKey, Loaded};
use crate::run::start_served;
use cordboard_api::state::ApiConfig;
use cordboard_model::id::TenantId;
use floor::Floor;
use std::fmt::Write;
use std::io::Read;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// The account that is left for the visitor's own softphone.
const VISITOR: &str = "1010";

/// Runs the demo until Ctrl-C.
///
/// # Errors
/// Why it could not start, in words: the configuration's faults, an address in use.
pub fn run(args: &DemoArgs, clock: Clock) -> Result<(), String> {
    let mut loaded = crate::reload::read(&args.config)
        .map_err(|errors| errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))?;
    crate::log::start(loaded.machine.log.level);
    let key = page_key()?;
    loaded.machine.api_keys.push(ApiKey::new("demo page".into(), TenantId::DEFAULT, &key));
    let runtime = crate::runtime()?;
    runtime.block_on(show(args, loaded, clock, key)).map_err(|why| why.to_string())
}

/// A key for this run alone.
fn page_key() -> Result<String, String> {
    let mut bytes = [0u8; 24];
    let read = std::fs::File::open("/dev/urandom").and_then(|mut random| random.read_exact(&mut bytes));
    read.map_err(|why| format!("the operating system gives no random bytes: {why}"))?;
    Ok(bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    }))
}

async fn show(args: &DemoArgs, loaded: Loaded, clock: Clock, key: String) -> Result<(), BootError> {
    let numbers = numbers(&loaded);
    let api = ApiConfig { page_key: Some(key.clone()), ..ApiConfig::default() };
    let mut served = start_served(args.config.clone(), loaded, clock, api).await?;
    let local = SocketAddr::from(([127, 0, 0, 1], 5060));
    let sip = served.running.sip.first().map_or(local, |at| at.address);
    let stop = Arc::new(AtomicBool::new(false));
    let floor = Floor::open(sip, clock, args.callers)?;
    let stopped = Arc::clone(&stop);
    let thread = std::thread::Builder::new().name("demo".into());
    let thread = thread.spawn(move || floor.run(&stopped)).map_err(BootError::System)?;
    println!("{}", served.ready_line());
    println!("{}", greeting(sip, served.http, &key, &numbers, args.callers));
    served.wait().await?;
    println!("ending: calls are hung up and everything is written down");
    served.stop().await;
    stop.store(true, Relaxed);
    if tokio::task::spawn_blocking(move || drop(thread.join())).await.is_err() {
        tracing::error!("the demo's phones could not be joined");
    }
    Ok(())
}

/// What can be dialled, and where it leads.
fn numbers(loaded: &Loaded) -> Vec<(String, String)> {
    let tenant = loaded.snapshot.tenant(TenantId::DEFAULT);
    let routes = tenant.map(|tenant| tenant.numbers.as_slice()).unwrap_or_default();
    let number = |route: &cordboard_model::config::CalledNumber| {
        let code = route.extension_code.as_deref().unwrap_or_default();
        (format!("{}{code}", route.access_code), cordboard_plugin_api::destination(&route.to))
    };
    routes.iter().map(number).collect()
}

fn greeting(
    sip: SocketAddr,
    http: SocketAddr,
    key: &str,
    numbers: &[(String, String)],
    callers: u32,
) -> String {
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _ = writeln!(out, "\n  live page   http://{http}/");
    let _ = writeln!(out, "  API key     {key} (for this run)");
    let _ = writeln!(out, "  SIP         {sip} (UDP)");
    let _ = writeln!(out, "  softphone   account {VISITOR}, password demo{VISITOR}, domain and proxy {sip}");
    let _ = writeln!(
        out,
        "  agents      1001 and 1002 (passwords demo1001, demo1002), answered by simulated people"
    );
    let _ = writeln!(out, "  callers     {callers} a minute, by the trunk `carrier`");
    for (number, leads_to) in numbers {
        let _ = writeln!(out, "  dial        {number:<10}  {leads_to}");
    }
    let _ = write!(out, "\n  Ctrl-C ends it.");
    out
}
