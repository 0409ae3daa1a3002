//! `cordboard run`: starts the switch, says that it is ready, and waits for signals.

use crate::boot::{BootError, Running, start};
use crate::clock::Clock;
use crate::config::Loaded;
use crate::http::serve;
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
    let http = loaded.machine.http.listen;
    let running = start(path, loaded, clock).await?;
    let switch: Arc<dyn Switch> = Arc::clone(&running.switch) as Arc<dyn Switch>;
    let (http, serving) = serve(http, switch, api).await?;
    let watching = tokio::spawn(Running::watch_clock(running.orders.clone(), clock));
    Ok(Served { running, http, tasks: vec![serving, watching] })
}

impl Served {
    /// The line that says it is ready: addresses in a form that scripts can read.
    pub fn ready_line(&self) -> String {
        let sip: Vec<String> = self.running.sip.iter().map(|addr| format!("sip=udp:{addr}")).collect();
        let ms = self.running.clock().now().as_millis();
        format!("ready in {ms} ms {} http={}", sip.join(" "), self.http)
    }

    /// Waits for Ctrl-C or SIGTERM; a SIGHUP reads the configuration again.
    ///
    /// # Errors
    /// The operating system refuses to tell of signals.
    pub async fn wait(&self) -> Result<(), BootError> {
        let mut hangup = signal(SignalKind::hangup()).map_err(BootError::System)?;
        let mut terminate = signal(SignalKind::terminate()).map_err(BootError::System)?;
        loop {
            tokio::select! {
                _ = hangup.recv() => self.reload().await,
                _ = terminate.recv() => return Ok(()),
                _ = tokio::signal::ctrl_c() => return Ok(()),
            }
        }
    }

    async fn reload(&self) {
        match Arc::clone(&self.running.switch.reloader).reload().await {
            Ok(changes) if changes.is_empty() => tracing::info!("reloaded: nothing changed"),
            Ok(changes) => tracing::info!(changes = changes.len(), "reloaded"),
            Err(errors) => {
                for error in &errors {
                    tracing::error!("{error}");
                }
                tracing::error!(faults = errors.len(), "not reloaded; the switch goes on as it was");
            }
        }
    }

    /// Ends calls, writes everything down and stops.
    pub async fn stop(self) {
        self.running.stop().await;
        self.tasks.iter().for_each(tokio::task::JoinHandle::abort);
    }
}
