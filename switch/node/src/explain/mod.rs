//! `cordboard route explain`: what every routing plugin says to a call that is not made.
//!
//! It reads the configuration, not the running switch: every account counts as registered with one device, and the
//! answer says so where it matters.

pub mod cases;

use crate::boot::registry;
use crate::cli::ExplainArgs;
use crate::config::Loaded;
use cordboard_model::config::Tenant;
use cordboard_model::id::{TenantId, TrunkId, UserId};
use cordboard_model::leg::PartyId;
use cordboard_model::plan;
use cordboard_model::time::{Time, Wall};
use cordboard_model::verb::Destination;
use cordboard_plugin_api::{
    Ask, AskAnswer, Paper, RouteEnd, RouteOutcome, RouteRequest, RouteRun, RouteStep, destination,
};
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use std::fmt::Write;

/// Reads `--at` in the tenant's zone.
fn moment(at: Option<&str>, tenant: &Tenant) -> Result<Wall, String> {
    let Some(text) = at else {
        return Ok(crate::clock::wall_now());
    };
    let zone = TimeZone::get(&tenant.zone).map_err(|why| why.to_string())?;
    let civil: DateTime =
        text.parse().map_err(|_| format!("--at {text:?}: expected a time as 2026-12-24T19:00"))?;
    let zoned = civil.to_zoned(zone).map_err(|why| why.to_string())?;
    Ok(Wall(zoned.timestamp().as_millisecond()))
}

/// A call that is not made.
pub(crate) struct Question<'a> {
    /// As in [`ExplainArgs`].
    pub(crate) from: &'a str,
    /// What is dialled.
    pub(crate) to: &'a str,
    /// When, if not now.
    pub(crate) at: Option<&'a str>,
    /// Which tenant's devices or trunk it comes from.
    pub(crate) tenant: &'a str,
}

/// The call as the plugins get it.
pub(crate) struct Call<'a> {
    /// As it came.
    asked: RouteRequest,
    /// As the plan reads it.
    pub(crate) written: RouteRequest,
    /// Whose it is.
    pub(crate) tenant: &'a Tenant,
}

/// The request that a question describes.
fn request(question: &Question<'_>, tenant: &Tenant) -> Result<RouteRequest, String> {
    let from = question.from;
    let (trunk, from) = match from.strip_prefix("trunk:").and_then(|rest| rest.split_once('/')) {
        None if from.starts_with("trunk:") => {
            return Err(format!("{from:?}: expected trunk:NAME/NUMBER"));
        }
        None => (None, from),
        Some((name, from)) => {
            let id = TrunkId::new(tenant.id, name).map_err(|why| format!("trunk {name:?}: {why}"))?;
            if !tenant.trunks.contains_key(&id.name) {
                return Err(format!("tenant {} has no trunk {name:?}", tenant.id));
            }
            (Some(id), from)
        }
    };
    let user = UserId::new(tenant.id, from).ok().filter(|user| tenant.users.contains_key(&user.name));
    Ok(RouteRequest {
        user: user.filter(|_| trunk.is_none()),
        trunk,
        at: moment(question.at, tenant)?,
        ..RouteRequest::new(tenant.id, PartyId::new(from), PartyId::new(question.to))
    })
}

impl<'a> Call<'a> {
    /// Reads a question.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub(crate) fn read(question: &Question<'_>, loaded: &'a Loaded) -> Result<Self, String> {
        let named = question.tenant;
        let id = TenantId::new(named).map_err(|why| format!("tenant {named:?}: {why}"))?;
        let tenant = loaded.snapshot.tenant(id).ok_or_else(|| {
            let all: Vec<String> = loaded.snapshot.tenants.keys().map(ToString::to_string).collect();
            format!("there is no tenant {named:?}; there are: {}", all.join(", "))
        })?;
        let asked = request(question, tenant)?;
        let mut written = asked.clone();
        let trunk = asked.trunk.as_ref().and_then(|id| tenant.trunks.get(&id.name));
        // The call is the tenant's whose number it is, as with the switch that runs.
        let owner = trunk.and_then(|trunk| plan::owner(tenant, trunk, question.to));
        let tenant = match owner {
            Some(id) => loaded.snapshot.tenant(id).ok_or_else(|| format!("there is no tenant {id}"))?,
            None => tenant,
        };
        written.tenant = tenant.id;
        let is_account = written.user.is_some();
        (written.from.user, written.to.user) =
            plan::inside(tenant, trunk, is_account, &asked.from.user, &asked.to.user);
        Ok(Self { asked, written, tenant })
    }

    /// What the plugins say to it, on a day that `paper` describes.
    ///
    /// # Errors
    /// A fault of ours.
    pub(crate) fn decide(
        &self,
        paper: &Paper<'_>,
        answer: impl Fn(&Ask) -> AskAnswer,
    ) -> Result<RouteOutcome, String> {
        let registry = registry().map_err(|why| why.to_string())?;
        let order = registry.order(&self.tenant.routing).map_err(|why| why.to_string())?;
        let mut run = RouteRun::new(order, self.written.clone(), Time::ZERO);
        let mut step = run.start(&registry, paper, Time::ZERO);
        loop {
            match step {
                Some(RouteStep::Done(outcome)) => return Ok(*outcome),
                Some(RouteStep::Ask { id, what, .. }) => {
                    step = run.handle_answer(id, answer(&what), &registry, paper, Time::ZERO);
                }
                None => return Err("the routing run ended without a word; please report it".into()),
            }
        }
    }
}

/// The whole answer, as it is printed.
///
/// # Errors
/// What is wrong with the arguments, in words.
pub fn explain(args: &ExplainArgs, loaded: &Loaded) -> Result<String, String> {
    let ExplainArgs { from, to, at, tenant, .. } = args;
    let call = Call::read(&Question { from, to, at: at.as_deref(), tenant }, loaded)?;
    let unasked = |_: &Ask| AskAnswer::Failed { why: "nothing outside is asked while explaining".into() };
    let outcome = call.decide(&Paper::new(call.tenant), unasked)?;
    let Call { asked, written, tenant } = call;
    let mut text = print(&asked, &written, &outcome);
    if let RouteEnd::Decided { to: Destination::Trunk(id, number), .. } = &outcome.end
        && let Some(trunk) = tenant.trunks.get(&id.name)
    {
        let (from, to) = plan::outside(tenant, trunk, &written.from.user, number);
        let pool = if tenant.pools.is_empty() { "" } else { ", unless a pool names another" };
        let _ = writeln!(text, "its carrier gets: {from} calls {to}{pool}");
    }
    Ok(text)
}

fn print(asked: &RouteRequest, written: &RouteRequest, outcome: &RouteOutcome) -> String {
    let mut out = String::new();
    let by = match (&asked.trunk, &asked.user) {
        (Some(trunk), _) => format!(" by trunk {}", trunk.name),
        (None, Some(_)) => " as an account of the tenant".to_owned(),
        (None, None) => " from nobody the tenant knows".to_owned(),
    };
    // Writing to a String cannot fail.
    let _ = writeln!(out, "{} calls {} (tenant {}){by}", asked.from.user, asked.to.user, asked.tenant);
    if asked.tenant != written.tenant {
        let _ = writeln!(out, "that number of the trunk is tenant {}'s: the call is his", written.tenant);
    }
    if (&asked.from, &asked.to) != (&written.from, &written.to) {
        let what =
            if asked.trunk.is_some() { "the trunk's rules and the plan make" } else { "the plan makes" };
        let _ = writeln!(out, "{what} that: {} calls {}", written.from.user, written.to.user);
    }
    for (index, reason) in outcome.reasons.iter().enumerate() {
        let _ = writeln!(out, "{:>3}. {:<22} {:<7} {}", index + 1, reason.plugin, reason.verdict, reason.why);
        for rejected in &reason.rejected {
            let _ = writeln!(out, "{:>35} {rejected}", "not");
        }
    }
    let _ = match &outcome.end {
        RouteEnd::Decided { to, .. } => writeln!(out, "goes to {}", destination(to)),
        RouteEnd::Refused { cause, why } => {
            writeln!(out, "is refused with {} ({}): {why}", cause.sip_status(), cause.as_str())
        }
    };
    if asked.trunk.is_none() && asked.user.is_none() {
        let _ = writeln!(
            out,
            "but the switch asks such a caller for a password and refuses him: FROM is neither an account nor, as \
             trunk:NAME/NUMBER, a call by a trunk"
        );
    }
    if outcome.reasons.iter().any(|reason| reason.why.contains("registered device")) {
        let _ = writeln!(out, "(read from the file: every account counts as registered with one device)");
    }
    out
}
