//! The routes over real sockets on loopback, with a fake switch behind them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod access;
mod aliyun;
mod aliyun_actions;
mod audit;
mod bar;
mod bulk;
mod campaigns;
mod chats;
mod clicks;
mod control;
mod desk;
mod errors;
mod events;
mod fake;
mod figures;
mod flows;
mod gateway;
mod gateway_chats;
mod gateway_feed;
mod gateway_rows;
mod http;
mod huawei;
mod isolation;
mod keys;
mod lists;
mod manners;
mod objects;
mod openapi;
mod own;
mod pages;
mod people;
mod reading;
mod recordings;
mod route;
mod sent_events;
mod signin;
mod surfaces;
mod tags;
mod talk;
mod tenants;
mod third_party;
mod traces;
mod webhooks;
mod wire;

use cordboard_api::routes::router;
use cordboard_api::state::ApiConfig;
use cordboard_model::cause::{Cause, Party};
use cordboard_model::id::{AgentId, CallId, LegId, QueueId, TenantId};
use cordboard_model::leg::PartyId;
use cordboard_model::view::{AgentStatus, CallStage, RouteReason};
use fake::Fake;
use std::net::SocketAddr;
use std::sync::Arc;

pub(crate) const START: u32 = 1_795_212_000;
pub(crate) const KEY: &str = "default-key";
pub(crate) const OTHER_KEY: &str = "acme-key";

/// A served fake: dropped, it stops.
pub(crate) struct Served {
    pub(crate) switch: Fake,
    pub(crate) addr: SocketAddr,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Served {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// What stands on a tenant's floor.
pub(crate) struct Furnished {
    pub(crate) waiting: CallId,
    pub(crate) talking: CallId,
    pub(crate) talking_leg: LegId,
    pub(crate) over: CallId,
    pub(crate) queue: QueueId,
    pub(crate) agent: AgentId,
}

pub(crate) fn acme() -> TenantId {
    TenantId::new("acme").unwrap()
}

/// A fake switch of two tenants with empty floors.
pub(crate) async fn serve() -> Served {
    serve_with(ApiConfig::default()).await
}

pub(crate) async fn serve_with(config: ApiConfig) -> Served {
    serve_on(Fake::new(START, &[(KEY, TenantId::DEFAULT), (OTHER_KEY, acme())]), config).await
}

/// The control plane as it comes up over a switch that was there before: what it holds in memory is empty.
pub(crate) async fn serve_on(switch: Fake, config: ApiConfig) -> Served {
    let app = router(Arc::new(switch.clone()), config);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let service = app.into_make_service_with_connect_info::<SocketAddr>();
    let task = tokio::spawn(async move { axum::serve(listener, service).await.unwrap() });
    Served { switch, addr, task }
}

/// One call waits, one talks, one is over.
pub(crate) fn furnish(switch: &Fake, tenant: TenantId) -> Furnished {
    let queue = QueueId::new(tenant, "sales").unwrap();
    let agent = AgentId::new(tenant, "1001").unwrap();
    switch.on(tenant, |floor| {
        floor.add_queue(&queue, "Sales");
        floor.add_agent(&agent, "Li Wei", AgentStatus::Ready);
        let over = floor.arrive(PartyId::new("600"), "500");
        floor.enqueue(over, &queue);
        floor.leave(over, &queue, "abandoned");
        floor.end(over, Cause::Cancelled, Party::Caller);
        let talking = floor.arrive(PartyId::new("601"), "500");
        let why = "access code 500".to_owned();
        let (plugin, verdict) = ("called-number".to_owned(), "decide".to_owned());
        let reasons = vec![RouteReason { plugin, verdict, why, rejected: Vec::new() }];
        floor.route(talking, "queue sales", reasons);
        floor.enqueue(talking, &queue);
        let talking_leg = floor.offer(talking, &queue, &agent);
        floor.bridge(talking, &queue, &agent);
        let waiting = floor.arrive(PartyId::new("602"), "500");
        floor.stage(waiting, CallStage::Flow, None, None);
        floor.enqueue(waiting, &queue);
        Furnished { waiting, talking, talking_leg, over, queue: queue.clone(), agent: agent.clone() }
    })
}
