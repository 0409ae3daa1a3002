//! `cordboard run`: starts the switch, says that it is ready, and waits for signals.

use crate::boot::{BootError, Running, start};
use crate::clock::Clock;
use crate::config::Loaded;
use crate::files::connections;
use crate::http::{Door, serve};
use crate::stop::{self, StopOrder};
use crate::switch::NodeSwitch;
use crate::vault::cut_logs;
use cordboard_api::rate::RateLimit;
use cordboard_api::state::ApiConfig;
use cordboard_api::switch::Switch;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::signal::unix::{SignalKind, signal};

/// A switch with its control plane.
pub struct Served {
    /// The switch.
    pub running: Running,
    /// Where the control plane listens.
    pub http: SocketAddr,
    tasks: Vec<tokio::task::JoinHandle<()>>,
}

/// Starts the switch and its control plane.
///
/// # Errors
/// See [`BootError`].
pub async fn start_served(
    path: PathBuf,
    loaded: Loaded,
    clock: Clock,
    api: ApiConfig,
) -> Result<Served, BootError> {
    let http = &loaded.machine.http;
    let rate = RateLimit { per_second: http.rate, burst: http.rate_burst };
    let connections = connections(loaded.snapshot.limits.calls, loaded.machine.sip.connections);
    let door = Door { at: http.listen, proxies: http.trusted_proxies.clone(), connections };
    let gateway = loaded.machine.gateway.api.clone();
    let api = ApiConfig { rate, frames: http.frames.clone(), gateway, ..api };
    let version = env!("CARGO_PKG_VERSION");
    tracing::info!("cordboard {version} starts with {}: {}", path.display(), loaded.summary());
    let running = start(path, loaded, clock).await?;
    let switch: Arc<dyn Switch> = Arc::clone(&running.switch) as Arc<dyn Switch>;
    let more = crate::transport::routes(running.sip_over_http(), &["/sip"]);
    let (http, serving) = serve(door, switch, api, more).await?;
    let watching = tokio::spawn(Running::watch_clock(running.orders.clone(), clock));
    let health = tokio::spawn(watch_health(Arc::clone(&running.switch)));
    let cutting = tokio::spawn(cut_logs(Arc::clone(&running.switch)));
    Ok(Served { running, http, tasks: vec![serving, watching, health, cutting] })
}

/// Tells the log what /healthz tells: each problem when it begins and when it is over.
async fn watch_health(switch: Arc<NodeSwitch>) {
    let mut known = Vec::new();
    loop {
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
        let problems = switch.health().problems;
        for (is_new, problem) in changed(&known, &problems) {
            match is_new {
                true => tracing::error!("problem: {problem}"),
                false => tracing::info!("no longer: {problem}"),
            }
        }
        known = problems;
    }
}

/// What is in `now` and was not known, and what was known and is in `now` no more.
fn changed<'a>(known: &'a [String], now: &'a [String]) -> Vec<(bool, &'a str)> {
    let new = now.iter().filter(|problem| !known.contains(problem)).map(|problem| (true, problem.as_str()));
    let gone = known.iter().filter(|problem| !now.contains(problem)).map(|problem| (false, problem.as_str()));
    new.chain(gone).collect()
}

impl Served {
    /// The line that says it is ready: addresses in a form that scripts can read.
    pub fn ready_line(&self) -> String {
        let sip: Vec<String> = self.running.sip.iter().map(|at| format!("sip={at}")).collect();
        let ms = self.running.clock().now().as_millis();
        format!("ready in {ms} ms {} http={}", sip.join(" "), self.http)
    }

    /// Waits for SIGTERM, Ctrl-C or an order by the API. After a SIGTERM, or an order that does not say "at once", new calls
    /// are refused and it waits until none is up; a second SIGTERM, or Ctrl-C, ends that. A SIGHUP reads the configuration
    /// again.
    ///
    /// # Errors
    /// The operating system refuses to tell of signals.
    pub async fn wait(&mut self) -> Result<(), BootError> {
        let mut hangup = signal(SignalKind::hangup()).map_err(BootError::System)?;
        let mut terminate = signal(SignalKind::terminate()).map_err(BootError::System)?;
        let (switch, stops) = (&*self.running.switch, &mut self.running.stops);
        let reload = || Arc::clone(&switch.reloader).reload();
        loop {
            tokio::select! {
                // What came of it is in the log.
                _ = hangup.recv() => drop(reload().await),
                _ = terminate.recv() => break,
                Some(order) = stops.recv() => match order {
                    StopOrder::Drain => break,
                    StopOrder::AtOnce => return Ok(()),
                },
                _ = tokio::signal::ctrl_c() => return Ok(()),
            }
        }
        let calls = switch.health().calls;
        tracing::info!(
            calls,
            "stopping: no call is taken any more, those that are up may go on for limits.drain"
        );
        let drained = stop::drain(switch);
        tokio::pin!(drained);
        loop {
            tokio::select! {
                () = &mut drained => return Ok(()),
                _ = hangup.recv() => drop(reload().await),
                _ = terminate.recv() => return Ok(()),
                Some(order) = stops.recv() => if order == StopOrder::AtOnce {
                    return Ok(());
                },
                _ = tokio::signal::ctrl_c() => return Ok(()),
            }
        }
    }

    /// Ends calls, writes everything down and stops.
    pub async fn stop(self) {
        self.tasks.iter().skip(1).for_each(tokio::task::JoinHandle::abort);
        let calls = self.running.switch.health().calls;
        tracing::info!(calls, "stopping: those that are up are ended");
        self.running.stop().await;
        self.tasks.iter().for_each(tokio::task::JoinHandle::abort);
        tracing::info!("stopped");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_is_told_once_when_it_begins_and_once_when_it_is_over() {
        let (disk, ports) = ("disk".to_owned(), "ports".to_owned());
        let both = [disk.clone(), ports.clone()];
        assert_eq!(changed(&[], &both), [(true, "disk"), (true, "ports")]);
        assert_eq!(changed(&both, &both), []);
        assert_eq!(changed(&both, &[ports]), [(false, "disk")]);
    }
}
