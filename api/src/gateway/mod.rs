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
mod media;
pub(crate) mod news;
pub(crate) mod number;
mod online;
mod poll;
mod quality;
mod reading;
mod record;
mod seat;
pub(crate) mod seen;
mod signin;
mod texts;
pub(crate) mod voice;
mod watch;

use crate::key::Brake;
use crate::surface::{Listed, Surface};
use crate::switch::Switch;
use axum::Router;
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
    routes().router().fallback(absent::named).method_not_allowed_fallback(absent::method).with_state(gateway)
}

type Routes = Surface<Arc<Gateway>>;

fn routes() -> Routes {
    online().merge(voice()).merge(others()).merge(quality())
}

/// Where it lies.
pub(crate) const BASE: &str = "/agentgateway/resource";

/// Every route of it.
pub(crate) fn listed() -> Vec<Listed> {
    routes().listed(BASE)
}

fn online() -> Routes {
    Surface::new()
        .put("/onlineagent/{agentid}", signin::sign_in)
        .put("/onlineagent/{agentid}/forcelogin", signin::by_force)
        .delete("/onlineagent/{agentid}/logout", signin::sign_out)
        .post("/onlineagent/{agentid}/handshake", poll::handshake)
        .put("/onlineagent/{agentid}/heartbeat", poll::heartbeat)
        .post("/onlineagent/{agentid}/saybusy", online::say_busy)
        .post("/onlineagent/{agentid}/sayfree", online::say_free)
        .post("/onlineagent/{agentid}/cancelbusy", online::cancel_busy)
        .post("/onlineagent/{agentid}/rest/{time}/{restcause}", online::rest)
        .post("/onlineagent/{agentid}/cancelrest", online::cancel_rest)
        .post("/onlineagent/{agentid}/work", online::work)
        .post("/onlineagent/{agentid}/cancelwork", online::cancel_work)
        .get("/onlineagent/{agentid}/agentstatus", online::status)
        .post("/onlineagent/{agentid}/syncagentinfo", online::snapshot)
        .post("/onlineagent/{agentid}/resetskill/{autoflag}", online::reset_skills)
        .get("/onlineagent/{agentid}/agentskills", online::own_skills)
        .get("/onlineagent/{agentid}/agentskillsbyworkno/{workno}", online::skills_of)
        .post("/onlineagent/{agentid}/autoanswer/{on}", online::auto_answer)
        .post("/onlineagent/{agentid}/autoenteridle/{on}", online::auto_idle)
        .get("/agentevent/{agentid}", poll::poll)
        .get("/agentevent/{agentid}/x-feed", feed::feed)
}

fn voice() -> Routes {
    Surface::new()
        .put("/voicecall/{agentid}/callout", voice::call_out)
        .put("/voicecall/{agentid}/callinner", voice::call_inner)
        .put("/voicecall/{agentid}/answer", voice::answer)
        .post("/voicecall/{agentid}/reject", voice::reject)
        .delete("/voicecall/{agentid}/release", voice::release)
        .delete("/voicecall/{agentid}", voice::release)
        .delete("/voicecall/{agentid}/releasephone", voice::release)
        .post("/voicecall/{agentid}/dropcall/{callid}", voice::drop_call)
        .post("/voicecall/{agentid}/disconnect/{number}", voice::disconnect)
        .post("/voicecall/{agentid}/hold", voice::hold)
        .post("/voicecall/{agentid}/gethold", voice::retrieve)
        .post("/voicecall/{agentid}/connecthold/{callid}", voice::connect_hold)
        .post("/voicecall/{agentid}/confjoin", voice::join)
        .post("/voicecall/{agentid}/innerhelp", voice::help)
        .post("/voicecall/{agentid}/transfer", voice::transfer)
        .post("/voicecall/{agentid}/canceltransfer", voice::cancel_transfer)
        .post("/voicecall/{agentid}/beginmute", voice::mute)
        .post("/voicecall/{agentid}/endmute", voice::unmute)
        .post("/voicecall/{agentid}/seconddialex", voice::keys)
        .post("/voicecall/{agentid}/seconddial/{number}", voice::keys_by_path)
        .put("/voicecall/{agentid}/snatchpickup", voice::snatch)
        .post("/voicecall/{agentid}/requestcall/{callid}/{skilltype}", voice::request_call)
}

fn others() -> Routes {
    Surface::new()
        .post("/mediacall/{agentid}/sendmessage", media::send)
        .post("/mediacall/{agentid}/transfer", media::transfer)
        .post("/mediacall/{agentid}/setcallnums", media::call_numbers)
        .get("/calldata/{agentid}/callinfo", data::current)
        .get("/calldata/{agentid}/callinfobycallid/{callid}", data::by_id)
        .get("/calldata/{agentid}/callinfobeforeanswer", data::ringing)
        .get("/calldata/{agentid}/holdlist", data::held)
        .get("/calldata/{agentid}/holdlistex/{workno}", data::held_of)
        .get("/calldata/{agentid}/waitcallinfo/{skillid}", data::waiting)
        .get("/queuedevice/{agentid}/agentvdnskill", lists::skills)
        .get("/agentgroup/{agentid}/agentbyworkno/{workno}", lists::agent)
        .get("/agentgroup/{agentid}/agentbyskill/{skillid}", lists::agents_by_skill)
        .put("/recordplay/{agentid}/recordwithoutfilename", record::begin)
        .put("/recordplay/{agentid}/record", record::begin)
        .post("/recordplay/{agentid}/pauserecord", record::pause)
        .post("/recordplay/{agentid}/resumerecord", record::resume)
        .delete("/recordplay/{agentid}/stoprecord", record::stop)
}

fn quality() -> Routes {
    Surface::new()
        .put("/qualitycontrol/{agentid}/addsupervise/{workno}", quality::listen)
        .put("/qualitycontrol/{agentid}/addinsert/{workno}", quality::insert)
        .put("/qualitycontrol/{agentid}/intercept/{workno}", quality::intercept)
        .post("/qualitycontrol/{agentid}/switch/{workno}", quality::switch)
        .delete("/qualitycontrol/{agentid}/{workno}", quality::stop)
        .post("/qualitycontrol/{agentid}/requestwhisperagent", quality::whisper)
        .post("/qualitycontrol/{agentid}/requeststopwhisperagent", quality::stop_whisper)
        .post("/qualitycontrol/{agentid}/requestswitchinsertwhisperagent", quality::turn)
        .post("/qualitycontrol/{agentid}/forcebusy/{workno}", quality::busy)
        .post("/qualitycontrol/{agentid}/forceidle/{workno}", quality::idle)
        .post("/qualitycontrol/{agentid}/forcelogout/{workno}", quality::out)
        .post("/qualitycontrol/{agentid}/forcerest/{workno}/{time}/{reason}", quality::rest)
        .post("/qualitycontrol/{agentid}/forcedropcall/{callid}", quality::drop_call)
}
