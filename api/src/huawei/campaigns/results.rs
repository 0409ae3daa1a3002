//! What came of numbers, as it is posted to the program that asked for the calls.

use super::super::answered::takes;
use super::super::config::HuaweiConfig;
use super::super::files::date;
use crate::gateway::number::of_call;
use cordboard_model::campaign::{CampaignNumber, NumberResult, Outcome};
use cordboard_model::id::TenantId;
use serde_json::{Value, json};

/// The reference's code of an outcome.
fn code(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Reached => "00000",
        Outcome::Busy => "00537",
        Outcome::Vacant => "00538",
        Outcome::Unreachable => "00549",
        Outcome::NoLine => "00602",
        Outcome::NoAnswer => "00603",
        Outcome::Declined => "00604",
        Outcome::Failed => "00606",
        Outcome::LeftWaiting => "00701",
        Outcome::WaitTimeout => "00702",
        Outcome::NoAgent => "01046",
        Outcome::BadNumber => "34605",
        Outcome::Unknown => "34608",
    }
}

fn one((cc, vdn): (u32, u32), number: &CampaignNumber, result: &NumberResult) -> Value {
    let path = |id: &cordboard_model::id::RecordingId| {
        let day = date(result.at, "UTC").get(..10).unwrap_or_default().replace('-', "");
        format!("/Y/{cc}/record/{vdn}/{day}/0/{id}.wav")
    };
    let text = |name: &str| match number.data.get(name) {
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
        None => String::new(),
    };
    json!({
        "campaignId": number.campaign.to_string(),
        "dataId": number.id.to_string(),
        "sessionId": number.session,
        "called": number.called,
        "callTimeStr": date(result.at, "UTC"),
        "callStatus": if result.outcome == Outcome::Reached { 6 } else { 5 },
        "failCode": code(result.outcome),
        "vdnId": vdn,
        "callId": result.call.map(of_call).unwrap_or_default(),
        "customField": text("customField"),
        "recordPath": result.recording.as_ref().map(path).unwrap_or_default(),
    })
}

/// The body that says so: a bare list.
pub fn results(config: &HuaweiConfig, tenant: TenantId, numbers: &[CampaignNumber]) -> String {
    let of = config.tenant(tenant).map(|known| (known.cc, known.tenant.vdn)).unwrap_or_default();
    let result = |number: &CampaignNumber| number.result.as_ref().map(|result| one(of, number, result));
    Value::Array(numbers.iter().filter_map(result).collect()).to_string()
}

/// Whether an answer takes it.
pub fn took(answer: &str) -> bool {
    takes(answer)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_outcome_has_a_code_of_its_own_and_success_is_five_noughts() {
        let codes: BTreeSet<&str> = Outcome::ALL.into_iter().map(code).collect();
        assert_eq!(codes.len(), Outcome::ALL.len());
        assert_eq!(code(Outcome::Reached), "00000");
        assert!(codes.iter().all(|code| code.len() == 5), "{codes:?}");
    }
}
