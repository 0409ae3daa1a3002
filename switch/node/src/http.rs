//! Serves the control plane over HTTP.

use crate::boot::BootError;
use cordboard_api::routes::router;
use cordboard_api::state::ApiConfig;
use cordboard_api::switch::Switch;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// Listens on `addr` and serves until the task is aborted. Gives the bound address.
///
/// # Errors
/// The address cannot be bound.
pub async fn serve(
    addr: SocketAddr,
    switch: Arc<dyn Switch>,
    config: ApiConfig,
) -> Result<(SocketAddr, JoinHandle<()>), BootError> {
    let failed = |why| BootError::Bind("HTTP", addr, why);
    let listener = TcpListener::bind(addr).await.map_err(failed)?;
    let bound = listener.local_addr().map_err(failed)?;
    let app = router(switch, config).into_make_service_with_connect_info::<SocketAddr>();
    let task = tokio::spawn(async move {
        if let Err(why) = axum::serve(listener, app).await {
            tracing::error!(%why, "the control plane stopped");
        }
    });
    Ok((bound, task))
}
