//! Signing in, by force too, and out.

use super::Gateway;
use super::ask::{Answered, Ask, Reply, path_of};
use super::beside::FloorPlan;
use super::code::{Code, Fault};
use super::config::GatewayTenant;
use super::fields::Fields;
use super::guid::GuidRules;
use super::number;
use super::poll::is_token;
use super::seat::{Manner, NewSeat, PushTo, Seat};
use super::seen::{State, WORK};
use crate::audit::Audit;
use crate::key::source_of;
use crate::switch::{Refusal, SignIn, WantedSession};
use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, RawPathParams, Request};
use axum::response::{IntoResponse, Response};
use cordboard_model::config::Secret;
use cordboard_model::desk::DeskAct;
use cordboard_model::device::{AgentDevice, DeviceChoice};
use cordboard_model::id::{AgentId, UserId};
use cordboard_model::service::AgentOrder;
use cordboard_model::signin::SignInFault;
use serde_json::{Value, json};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Instant;

/// How the switch's list of sessions names those of the gateway.
const PLACE: &str = "agent gateway";
/// The longest number of an agent's phone.
const PHONE_MAX: usize = 24;
/// The longest password of a sign-in.
const PASSWORD_LEN: usize = 32;

/// A sign-in.
pub(crate) struct Door {
    workno: String,
    from: IpAddr,
    audit: Audit,
    said: Fields,
    gateway: Arc<Gateway>,
}

impl FromRequest<Arc<Gateway>> for Door {
    type Rejection = Response;

    async fn from_request(request: Request, gateway: &Arc<Gateway>) -> Result<Self, Response> {
        let (mut parts, body) = request.into_parts();
        let params = RawPathParams::from_request_parts(&mut parts, gateway).await;
        let path = path_of(&params.map_err(IntoResponse::into_response)?);
        let workno = path.into_iter().find(|(name, _)| name == "agentid").map(|(_, value)| value);
        let (from, audit) = (source_of(&parts), Audit::of(&parts));
        let bytes = Bytes::from_request(Request::from_parts(parts, body), gateway).await;
        let said = Fields::body(&bytes.map_err(IntoResponse::into_response)?);
        let said = said.map_err(IntoResponse::into_response)?;
        Ok(Self { workno: workno.unwrap_or_default(), from, audit, said, gateway: Arc::clone(gateway) })
    }
}

/// What a sign-in says, checked.
struct Wanted {
    password: String,
    start: State,
    phone: Option<String>,
    push: Option<PushTo>,
    manner: Manner,
}

impl Wanted {
    fn read(said: &Fields, gateway: &Gateway) -> Result<Self, Fault> {
        let illegal = |fault: Fault| Fault { code: Code::SIGN_IN_ILLEGAL, ..fault };
        let password = said.given("password").ok_or_else(|| Fault::new(Code::SIGN_IN_EMPTY, "password"))?;
        let phone = said.text("phonenum");
        let is_phone = |phone: &str| phone.len() <= PHONE_MAX && crate::transfer::is_number(phone);
        if password.len() > PASSWORD_LEN || phone.as_deref().is_some_and(|phone| !is_phone(phone)) {
            return Err(Fault::new(Code::SIGN_IN_ILLEGAL, "password or phonenum is too long"));
        }
        let start = match said.number::<u8>("status").map_err(illegal)?.unwrap_or(4) {
            3 => State::Busy("1".into()),
            4 => State::Idle,
            5 => State::Work(true),
            other => return Err(Fault::new(Code::SIGN_IN_ILLEGAL, format!("status is {other}"))),
        };
        if !matches!(said.number::<u8>("agenttype").map_err(illegal)?.unwrap_or(4), 4 | 11) {
            return Err(Code::AGENT_TYPE.into());
        }
        if said.text("ip").is_some_and(|ip| ip.parse::<Ipv4Addr>().is_err()) {
            return Err(Code::ADDRESS.into());
        }
        for name in ["releasephone", "phonelinkage", "checkInWebm", "checkInMailm"] {
            said.flag(name, true).map_err(illegal)?;
        }
        let push = match (said.text("callBackUri"), said.text("serviceToken")) {
            (Some(url), Some(token)) if is_token(&token) && gateway.switch.may_post(&url) => {
                Some(PushTo { url, token })
            }
            (Some(_), Some(_)) => {
                let why = "callBackUri is not allowed, or serviceToken is none";
                return Err(Fault::new(Code::SIGN_IN_ILLEGAL, why));
            }
            _ => None,
        };
        let manner = Manner {
            auto_answer: said.flag("autoanswer", true).map_err(illegal)?,
            auto_idle: said.flag("autoenteridle", true).map_err(illegal)?,
        };
        Ok(Self { password, start, phone, push, manner })
    }
}

pub(crate) async fn sign_in(door: Door) -> Answered {
    enter(door, false).await
}

pub(crate) async fn by_force(door: Door) -> Answered {
    enter(door, true).await
}

/// One sign-in of an agent at a time; over when dropped.
struct One<'a>(&'a Gateway, &'a str);

impl Drop for One<'_> {
    fn drop(&mut self) {
        self.0.signing.remove(self.1);
    }
}

async fn enter(door: Door, force: bool) -> Answered {
    let Door { workno, from, audit, said, gateway } = door;
    if gateway.brake.wait(from, Instant::now()).is_some() {
        return Err(Code::PASSWORD_LOCKED.into());
    }
    let wanted = Wanted::read(&said, &gateway)?;
    if gateway.signing.insert(workno.clone(), ()).is_some() {
        return Err(Code::SIGNING_IN.into());
    }
    let _one = One(&gateway, &workno);
    let found = gateway.tenant_of(&workno).await?.filter(|_| !wanted.password.is_empty());
    let Some((tenant, plan)) = found else {
        gateway.brake.failed(from, Instant::now());
        return Err(Code::WRONG_PASSWORD.into());
    };
    let agent = AgentId::new(tenant.id, &workno).map_err(|_| Fault::from(Code::WRONG_PASSWORD))?;
    let order = SignIn {
        agent: agent.clone(),
        password: Some(Secret(wanted.password.clone())),
        new: None,
        session: Some(WantedSession { place: PLACE.to_owned(), take_over: force }),
        address: from.to_string(),
        by: format!("agent {workno}"),
    };
    let signed = gateway.switch.sign_in(order).await;
    // one that came too soon was not looked at: nobody fills the log with those
    if !matches!(signed, Err(Refusal::SignIn(SignInFault::TooSoon(_) | SignInFault::Busy))) {
        audit.claims(agent.tenant, format!("agent {workno}"));
    }
    let token = signed.map_err(|why| gateway.not_in(why, from))?.token;
    let Some(Secret(token)) = token else { return Err(Code::INTERNAL.into()) };
    let phone = wanted.phone.clone();
    let (start, vdn) = (wanted.start.clone(), tenant.vdn);
    let seat = gateway.sit(agent, tenant, plan, wanted, token);
    if let Err(fault) = gateway.begin(&seat, &start, phone).await {
        gateway.out(&seat).await;
        return Err(fault);
    }
    gateway.follow(seat.agent.tenant);
    gateway.mind(&seat);
    seat.look.notify_one();
    let guid = Some(seat.lock().guids.present().to_owned());
    let value = json!({
        "vdnid": vdn,
        "workno": workno,
        "mediatype": "TTF",
        "loginTime": seat.since.0.to_string(),
        "isForceChange": "false",
        "serverName": "AgentGateway0",
        "timeRemaining": "",
    });
    Ok(Reply { value, message: "success".into(), guid, ..Reply::default() })
}

impl Gateway {
    /// A seat for who has signed in; who sat there before is out.
    fn sit(
        &self,
        agent: AgentId,
        tenant: &GatewayTenant,
        plan: FloorPlan,
        wanted: Wanted,
        token: String,
    ) -> Arc<Seat> {
        let workno = agent.name.to_string();
        let own = || plan.agents.get(workno.as_str()).map(|agent| agent.user.to_string());
        let phone = wanted.phone.or_else(own).unwrap_or_default();
        let config = &self.config;
        let seat = NewSeat {
            agent,
            vdn: tenant.vdn,
            skills: number::skills(tenant, &plan),
            plan,
            token,
            push: wanted.push,
            manner: wanted.manner,
            phone,
            rules: GuidRules { interval: config.guid_interval, timeout: config.guid_timeout },
            events: config.events,
            start: wanted.start,
            date: self.switch.moment(),
        };
        let seat = Seat::new(seat, self.now());
        if let Some(old) = self.seats.insert(workno, Arc::clone(&seat)) {
            old.leave();
        }
        seat
    }

    /// Whose agent has this work number, of the tenants that are served.
    async fn tenant_of(&self, workno: &str) -> Result<Option<(&GatewayTenant, FloorPlan)>, Fault> {
        let mut found = None;
        for tenant in &self.config.tenants {
            let plan = match self.switch.floor_plan(tenant.id).await {
                Ok(plan) => plan,
                Err(Refusal::NotFound(_)) => continue,
                Err(_) => return Err(Code::UNAVAILABLE.into()),
            };
            if !plan.agents.contains_key(workno) {
                continue;
            }
            if found.is_some() {
                return Err(Code::TENANT.into());
            }
            found = Some((tenant, plan));
        }
        Ok(found)
    }

    /// Why nobody is signed in. What was guessed wrong counts against the address.
    fn not_in(&self, why: Refusal, from: IpAddr) -> Fault {
        let Refusal::SignIn(fault) = why else {
            return super::ask::refused(why, |_| Code::INTERNAL);
        };
        if matches!(fault, SignInFault::Wrong | SignInFault::NoSuchAgent | SignInFault::Locked(_)) {
            self.brake.failed(from, Instant::now());
        }
        match fault {
            SignInFault::Elsewhere(_) => Code::SIGNED_IN.into(),
            SignInFault::Locked(_) | SignInFault::TooSoon(_) => Code::PASSWORD_LOCKED.into(),
            SignInFault::Busy => Code::UNAVAILABLE.into(),
            SignInFault::Expired | SignInFault::MustChange => {
                Fault::new(Code::PASSWORD_EXPIRED, fault.to_string())
            }
            _ => Code::WRONG_PASSWORD.into(),
        }
    }

    /// What he is to be from the start, and where he is rung.
    async fn begin(&self, seat: &Arc<Seat>, start: &State, phone: Option<String>) -> Result<(), Fault> {
        let own = seat.plan.agents.get(seat.workno()).map(|agent| agent.user.to_string());
        if let Some(phone) = phone {
            let choice = match UserId::new(seat.agent.tenant, &phone) {
                _ if own.as_ref() == Some(&phone) => DeviceChoice::Usual,
                Ok(user) => DeviceChoice::Other(AgentDevice::Account(user)),
                Err(_) => DeviceChoice::Other(AgentDevice::Number(phone.clone())),
            };
            let mut done = self.order(seat, DeskAct::Device(choice), None).await;
            if matches!(done, Err(Refusal::Named("no_such_device", _))) {
                let choice = DeviceChoice::Other(AgentDevice::Number(phone));
                done = self.order(seat, DeskAct::Device(choice), None).await;
            }
            done.map_err(|why| super::ask::refused(why, |_| Code::PHONE))?;
        }
        let wish = match start {
            State::Idle => AgentOrder::Ready,
            State::Work(_) => AgentOrder::NotReady { reason: Some(WORK.to_owned()) },
            _ => AgentOrder::NotReady { reason: None },
        };
        let done = self.order(seat, DeskAct::Want(wish), None).await;
        done.map_err(|why| super::ask::refused(why, |_| Code::STATE))?;
        let mut told = vec![("AgentOther_InService", Value::Null), ("AgentState_Ready", Value::Null)];
        match start {
            State::Busy(reason) => {
                told.push(("AgentState_SetNotReady_Success", json!({ "reason": reason })));
            }
            State::Work(_) => told.push(("AgentState_Work", Value::Null)),
            _ => {}
        }
        seat.tell(told, self.switch.moment());
        Ok(())
    }
}

pub(crate) async fn sign_out(ask: Ask) -> Answered {
    let in_chat = ask.seat.lock().seen.texts.values().any(|text| text.open);
    let in_call = in_chat || !ask.desk().await?.calls.is_empty();
    if in_call {
        return Err(Code::SIGN_OUT_STATE.into());
    }
    ask.gateway.out(&ask.seat).await;
    super::ask::done()
}
