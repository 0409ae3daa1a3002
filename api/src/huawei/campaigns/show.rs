//! A campaign, as the reference writes it.

use super::super::files::date;
use super::{Code, Fault};
use crate::campaign_switch::CampaignView;
use crate::gateway::fields::Fields;
use cordboard_model::calendar::{self, Hours};
use cordboard_model::campaign::{CampaignGoal, CampaignKind, CampaignState};
use cordboard_model::time::Wall;
use serde_json::{Map, Value, json};

/// The number of a kind.
pub(super) fn kind(kind: CampaignKind) -> u32 {
    match kind {
        CampaignKind::SmartIvr => 1,
        CampaignKind::Predictive => 2,
        CampaignKind::AutomaticIvr => 3,
        CampaignKind::Preview => 5,
        CampaignKind::PreOccupied => 6,
    }
}

fn state(state: CampaignState) -> u32 {
    match state {
        CampaignState::Running => 2,
        CampaignState::Paused => 3,
        CampaignState::Over => 4,
    }
}

fn schedule(workdays: &[Hours], holidays: &[Hours]) -> Value {
    let clock = |minute: u16| format!("{:02}:{:02}", minute / 60 % 24, minute % 60);
    let mut shown = Map::new();
    for (day, hours) in [("workday", workdays), ("holiday", holidays)] {
        for which in 1..=3 {
            let of = hours.get(which - 1);
            let at = |minute: Option<u16>| json!(minute.map(clock).unwrap_or_default());
            shown.insert(format!("{day}BeginTime{which}"), at(of.map(|of| of.from)));
            shown.insert(format!("{day}EndTime{which}"), at(of.map(|of| of.to)));
        }
    }
    Value::Object(shown)
}

/// What it was asked to be, with what became of it.
pub(super) fn campaign(view: &CampaignView) -> Value {
    let spec = &view.campaign.spec;
    let mut shown = match &spec.said {
        Value::Object(said) => said.clone(),
        _ => Map::new(),
    };
    if shown.is_empty() {
        let (of, name) = match &spec.goal {
            CampaignGoal::Flow(flow) => ("ivrParam", json!({ "flowId": flow })),
            CampaignGoal::Queue(queue) => ("skillParam", json!({ "skillName": queue })),
        };
        shown.insert(of.to_owned(), name);
        shown.insert("scheduleParam".to_owned(), schedule(&spec.workdays, &spec.holidays));
        let first = spec.shown.first().map(|shown| shown.number.clone()).unwrap_or_default();
        shown.insert("callerNo".to_owned(), json!(first));
    }
    let known = json!({
        "campaignId": view.campaign.id.to_string(),
        "name": spec.name,
        "description": spec.description,
        "strBeginTime": date(spec.begins, "UTC"),
        "strEndTime": date(spec.ends, "UTC"),
        "deviceType": kind(spec.kind),
        "maxAlertingTime": spec.ring_s,
        "priority": spec.priority,
        "status": state(view.state),
        "totalCount": view.numbers.all(),
        "unCallCount": view.numbers.pending,
        "callingCount": view.numbers.calling,
        "finishCount": view.numbers.done,
    });
    if let Value::Object(known) = known {
        shown.extend(known);
    }
    Value::Object(shown)
}

/// Which campaigns a list has.
pub(super) struct Filter {
    name: Option<String>,
    status: u32,
    kind: Option<u32>,
    from: Option<Wall>,
    to: Option<Wall>,
}

impl Filter {
    pub(super) fn read(query: &Fields) -> Result<Self, Fault> {
        let number =
            |name: &str| query.number::<u32>(name).map_err(|fault| (Code::Conversion, fault.message()));
        let date = |name: &str| {
            let Some(text) = query.text(name) else { return Ok(None) };
            let at = text
                .split_once([' ', 'T'])
                .and_then(|(day, time)| calendar::read(&format!("{day}T{}Z", time.trim_end_matches('Z'))));
            at.map(Some).ok_or_else(|| (Code::Conversion, format!("{name} is {text:?}")))
        };
        let status = number("status")?.unwrap_or(0);
        if !matches!(status, 0 | 2 | 3 | 4) {
            return Err((Code::Range, "status is 0, 2, 3 or 4".to_owned()));
        }
        Ok(Self {
            name: query.text("name"),
            status,
            kind: number("deviceType")?,
            from: date("beginTime")?,
            to: date("endTime")?,
        })
    }

    /// `beginTime` and `endTime`: it began or will begin within them.
    pub(super) fn takes(&self, view: &CampaignView) -> bool {
        let spec = &view.campaign.spec;
        self.name.as_ref().is_none_or(|name| spec.name.contains(name.as_str()))
            && (self.status == 0 || self.status == state(view.state))
            && self.kind.is_none_or(|of| of == kind(spec.kind))
            && self.from.is_none_or(|from| spec.begins >= from)
            && self.to.is_none_or(|to| spec.begins < to)
    }
}
