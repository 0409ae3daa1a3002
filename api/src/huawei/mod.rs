//! What programs written for the reference contact centre's other interfaces speak: tokens and call-backs by an app key,
//! monitoring and files by signed requests. The agent gateway is beside it.
//!
//! Invariant: it reaches the switch as every route does, by commands, views and records. Which tenant is asked follows from
//! the key alone: what a request says of call centre and VDN must fit it. What is kept here is bounded and may be lost, record
//! files that were asked for, what a chat's customer was told; signatures that were used are in the store, too.
//!
//! Rows of the reference are left out where its shape is not public; `absent.rs` names them with the reason.

mod absent;
mod agents;
mod answered;
mod calls;
pub mod campaigns;
pub mod config;
mod door;
mod files;
mod monitor;
mod once;
mod reply;
mod sign;
mod signed;
mod talk;
mod token;
mod ways;

pub use ways::Ways;

use crate::key::Brake;
use crate::state::State;
use crate::surface::{Listed, Surface};
use crate::switch::Switch;
use axum::Router;
use axum::routing::any;
use config::{Configured, HuaweiConfig};
use std::sync::Arc;
use tokio::sync::Semaphore;

/// Most files that are told of at a time.
const TELLING: usize = 1_000;

/// What every request sees.
pub(crate) struct Shapes {
    switch: Arc<dyn Switch>,
    brake: Arc<Brake>,
    once: once::Once,
    ways: Arc<Ways>,
    bills: files::Bills,
    answers: answered::Answers,
    talks: talk::Talks,
    /// Turns of those who tell that a file is there.
    telling: Arc<Semaphore>,
}

impl Shapes {
    /// What is configured now.
    fn config(&self) -> Arc<HuaweiConfig> {
        Configured::huawei(&*self.switch)
    }
}

/// Its routes.
pub(crate) fn router(switch: &Arc<dyn Switch>, brake: &Arc<Brake>, ways: &Arc<Ways>) -> Router<State> {
    let shapes = Arc::new(Shapes {
        switch: Arc::clone(switch),
        brake: Arc::clone(brake),
        once: once::Once::default(),
        ways: Arc::clone(ways),
        bills: files::Bills::default(),
        answers: answered::Answers::default(),
        talks: talk::Talks::default(),
        telling: Arc::new(Semaphore::new(TELLING)),
    });
    routes()
        .router()
        // a row that is left out may lie where another one has its number
        .method_not_allowed_fallback(absent::named)
        .route("/rest/cmsapp/{*rest}", any(absent::named))
        .route("/CCFS/{*rest}", any(absent::named))
        .route("/apigovernance/{*rest}", any(absent::named))
        .route("/apiaccess/{*rest}", any(absent::named))
        .route("/rest/isales/{*rest}", any(absent::named))
        .route("/oifde/{*rest}", any(absent::named))
        .route("/service-cloud/rest/webadapter/{*rest}", any(absent::named))
        .with_state(shapes)
}

type Routes = Surface<Arc<Shapes>>;

fn routes() -> Routes {
    fabric().merge(monitor::routes()).merge(files::routes()).merge(campaigns::routes())
}

/// Every route of it.
pub(crate) fn listed() -> Vec<Listed> {
    routes().listed("")
}

fn fabric() -> Routes {
    Surface::new()
        .post("/apigovernance/api/oauth/tokenByAkSk", door::token)
        .post("/apiaccess/CC-Management/v1/mobileAgent/createCall", calls::create)
        .post("/apiaccess/CC-Management/v3/mobileAgent/createCall", calls::create_by_phone)
        .post("/apiaccess/CC-Management/v1/mobileAgent/getCalledInfo", calls::called_info)
        .post("/apiaccess/rest/workbench/v1/queryCallInfoByCallId", calls::info)
        .post("/apiaccess/CC-Management/v1/queryAgentInfo", agents::info)
        .get("/apiaccess/CC-Management/v1/queryAgentInfo", agents::info)
        .post("/apiaccess/rest/cc-management/v1/queryAgentInfo", agents::info)
        .get("/apiaccess/rest/cc-management/v1/queryAgentInfo", agents::info)
        .post("/apiaccess/rest/cc-management/v1/agentAccount/query", agents::accounts)
        .post("/apiaccess/ccmessaging/applyToken", talk::apply)
        .post("/apiaccess/ccmessaging/send", talk::send)
        .post("/apiaccess/ccmessaging/sendAsync", talk::send)
        .get("/apiaccess/ccmessaging/poll", talk::poll)
}
