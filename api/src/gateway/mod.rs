//! The agent gateway: what clients written for the reference contact centre speak, under `/agentgateway/resource`.
//!
//! Invariant: it reaches the switch as every route does, by commands, views and events; what it keeps beside them belongs to
//! agents who are signed in here (guids, waiting events, what was last seen of a desk), at most one of each agent, and ends
//! with his session. A restart loses it: his client is told that he is not signed in, and signs in again by force. Numbers
//! of calls are made of their ids and survive.
//!
//! Rows of the reference are left out where its shape is not public; `absent.rs` names them with the reason.

mod absent;
mod ask;
pub mod beside;
pub(crate) mod code;
pub mod config;
pub(crate) mod data;
mod feed;
pub(crate) mod fields;
mod guid;
mod lists;
pub(crate) mod news;
pub(crate) mod number;
mod online;
mod poll;
mod quality;
mod record;
mod seat;
pub(crate) mod seen;
mod signin;
pub(crate) mod voice;
mod watch;

use crate::key::Brake;
use crate::switch::Switch;
use axum::Router;
use axum::routing::{delete, get, post, put};
use config::GatewayConfig;
use cordboard_model::id::{CallId, TenantId};
use core::time::Duration;
use dashmap::DashMap;
use seat::Seat;
use std::sync::Arc;
use tokio::time::Instant;

/// What every request sees.
pub(crate) struct Gateway {
    switch: Arc<dyn Switch>,
    brake: Arc<Brake>,
    config: GatewayConfig,
    /// Signed-in agents by work number: no two tenants that are served share one.
    seats: Arc<DashMap<String, Arc<Seat>>>,
    /// Sign-ins under way.
    signing: DashMap<String, ()>,
    /// Whose desks a call is at.
    calls: DashMap<CallId, Vec<String>>,
    /// Tenants whose events are read.
    feeds: DashMap<TenantId, ()>,
    start: Instant,
}

impl Gateway {
    /// Time since the gateway began.
    fn now(&self) -> Duration {
        self.start.elapsed()
    }

    fn seat(&self, workno: &str) -> Option<Arc<Seat>> {
        self.seats.view(workno, |_, seat| Arc::clone(seat))
    }
}

/// Its routes, without the prefix; nothing but the reason why not, if no tenant is served.
pub(crate) fn router(switch: &Arc<dyn Switch>, config: GatewayConfig, brake: &Arc<Brake>) -> Router {
    if config.tenants.is_empty() {
        return Router::new().fallback(absent::off);
    }
    let gateway = Arc::new(Gateway {
        switch: Arc::clone(switch),
        brake: Arc::clone(brake),
        config,
        seats: Arc::default(),
        signing: DashMap::new(),
        calls: DashMap::new(),
        feeds: DashMap::new(),
        start: Instant::now(),
    });
    Router::new()
        .merge(online())
        .merge(voice())
        .merge(others())
        .merge(quality())
        .fallback(absent::named)
        .method_not_allowed_fallback(absent::method)
        .with_state(gateway)
}

type Routes = Router<Arc<Gateway>>;

fn online() -> Routes {
    Router::new()
        .route("/onlineagent/{agentid}", put(signin::sign_in))
        .route("/onlineagent/{agentid}/forcelogin", put(signin::by_force))
        .route("/onlineagent/{agentid}/logout", delete(signin::sign_out))
        .route("/onlineagent/{agentid}/handshake", post(poll::handshake))
        .route("/onlineagent/{agentid}/heartbeat", put(poll::heartbeat))
        .route("/onlineagent/{agentid}/saybusy", post(online::say_busy))
        .route("/onlineagent/{agentid}/sayfree", post(online::say_free))
        .route("/onlineagent/{agentid}/cancelbusy", post(online::cancel_busy))
        .route("/onlineagent/{agentid}/rest/{time}/{restcause}", post(online::rest))
        .route("/onlineagent/{agentid}/cancelrest", post(online::cancel_rest))
        .route("/onlineagent/{agentid}/work", post(online::work))
        .route("/onlineagent/{agentid}/cancelwork", post(online::cancel_work))
        .route("/onlineagent/{agentid}/agentstatus", get(online::status))
        .route("/onlineagent/{agentid}/syncagentinfo", post(online::snapshot))
        .route("/onlineagent/{agentid}/resetskill/{autoflag}", post(online::reset_skills))
        .route("/onlineagent/{agentid}/agentskills", get(online::own_skills))
        .route("/onlineagent/{agentid}/agentskillsbyworkno/{workno}", get(online::skills_of))
        .route("/onlineagent/{agentid}/autoanswer/{on}", post(online::auto_answer))
        .route("/onlineagent/{agentid}/autoenteridle/{on}", post(online::auto_idle))
        .route("/agentevent/{agentid}", get(poll::poll))
        .route("/agentevent/{agentid}/x-feed", get(feed::feed))
}

fn voice() -> Routes {
    Router::new()
        .route("/voicecall/{agentid}/callout", put(voice::call_out))
        .route("/voicecall/{agentid}/callinner", put(voice::call_inner))
        .route("/voicecall/{agentid}/answer", put(voice::answer))
        .route("/voicecall/{agentid}/reject", post(voice::reject))
        .route("/voicecall/{agentid}/release", delete(voice::release))
        .route("/voicecall/{agentid}", delete(voice::release))
        .route("/voicecall/{agentid}/releasephone", delete(voice::release))
        .route("/voicecall/{agentid}/dropcall/{callid}", post(voice::drop_call))
        .route("/voicecall/{agentid}/disconnect/{number}", post(voice::disconnect))
        .route("/voicecall/{agentid}/hold", post(voice::hold))
        .route("/voicecall/{agentid}/gethold", post(voice::retrieve))
        .route("/voicecall/{agentid}/connecthold/{callid}", post(voice::connect_hold))
        .route("/voicecall/{agentid}/confjoin", post(voice::join))
        .route("/voicecall/{agentid}/innerhelp", post(voice::help))
        .route("/voicecall/{agentid}/transfer", post(voice::transfer))
        .route("/voicecall/{agentid}/canceltransfer", post(voice::cancel_transfer))
        .route("/voicecall/{agentid}/beginmute", post(voice::mute))
        .route("/voicecall/{agentid}/endmute", post(voice::unmute))
        .route("/voicecall/{agentid}/seconddialex", post(voice::keys))
        .route("/voicecall/{agentid}/seconddial/{number}", post(voice::keys_by_path))
        .route("/voicecall/{agentid}/snatchpickup", put(voice::snatch))
        .route("/voicecall/{agentid}/requestcall/{callid}/{skilltype}", post(voice::request_call))
}

fn others() -> Routes {
    Router::new()
        .route("/calldata/{agentid}/callinfo", get(data::current))
        .route("/calldata/{agentid}/callinfobycallid/{callid}", get(data::by_id))
        .route("/calldata/{agentid}/callinfobeforeanswer", get(data::ringing))
        .route("/calldata/{agentid}/holdlist", get(data::held))
        .route("/calldata/{agentid}/holdlistex/{workno}", get(data::held_of))
        .route("/calldata/{agentid}/waitcallinfo/{skillid}", get(data::waiting))
        .route("/queuedevice/{agentid}/agentvdnskill", get(lists::skills))
        .route("/agentgroup/{agentid}/agentbyworkno/{workno}", get(lists::agent))
        .route("/agentgroup/{agentid}/agentbyskill/{skillid}", get(lists::agents_by_skill))
        .route("/recordplay/{agentid}/recordwithoutfilename", put(record::begin))
        .route("/recordplay/{agentid}/record", put(record::begin))
        .route("/recordplay/{agentid}/pauserecord", post(record::pause))
        .route("/recordplay/{agentid}/resumerecord", post(record::resume))
        .route("/recordplay/{agentid}/stoprecord", delete(record::stop))
}

fn quality() -> Routes {
    Router::new()
        .route("/qualitycontrol/{agentid}/addsupervise/{workno}", put(quality::listen))
        .route("/qualitycontrol/{agentid}/addinsert/{workno}", put(quality::insert))
        .route("/qualitycontrol/{agentid}/intercept/{workno}", put(quality::intercept))
        .route("/qualitycontrol/{agentid}/switch/{workno}", post(quality::switch))
        .route("/qualitycontrol/{agentid}/{workno}", delete(quality::stop))
        .route("/qualitycontrol/{agentid}/requestwhisperagent", post(quality::whisper))
        .route("/qualitycontrol/{agentid}/requeststopwhisperagent", post(quality::stop_whisper))
        .route("/qualitycontrol/{agentid}/requestswitchinsertwhisperagent", post(quality::turn))
        .route("/qualitycontrol/{agentid}/forcebusy/{workno}", post(quality::busy))
        .route("/qualitycontrol/{agentid}/forceidle/{workno}", post(quality::idle))
        .route("/qualitycontrol/{agentid}/forcelogout/{workno}", post(quality::out))
        .route("/qualitycontrol/{agentid}/forcerest/{workno}/{time}/{reason}", post(quality::rest))
        .route("/qualitycontrol/{agentid}/forcedropcall/{callid}", post(quality::drop_call))
}
