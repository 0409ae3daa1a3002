//! The telephone of an agent: its number, whether it is rung, and whether who answers must press a key.

use super::machine::flag;
use super::number;
use super::section::Section;
use super::tenant::Context;
use super::value::{duration, one_of};
use cordboard_model::device::AgentPhone;
use cordboard_model::time::Duration;

const DEVICES: &[(&str, bool)] = &[("account", false), ("phone", true)];

/// Reads it from an agent's section.
pub(super) fn read(context: &Context<'_>, section: &Section<'_>) -> AgentPhone {
    let at = section.opt("phone", number::number);
    let first = section.or("device", false, one_of(DEVICES));
    if let (Some(at), true) = (&at, context.names.gateways.is_empty()) {
        section.conflict("phone", at.pos, "no trunk of this tenant calls out: it could never be rung");
    }
    if let (true, None, Some(pos)) = (first, section.has("phone"), section.has("device")) {
        section.conflict("device", pos, "\"phone\" is expected only with phone: its number");
    }
    let confirm = flag(section, "phone_confirm", true);
    let range = Duration::from_secs(3)..=Duration::from_secs(60);
    let wait = section.opt("phone_confirm_wait", duration(range));
    if let (false, Some(wait)) = (confirm, &wait) {
        section.conflict("phone_confirm_wait", wait.pos, "expected only where phone_confirm is true");
    }
    AgentPhone {
        number: at.map(|at| cordboard_model::plan::read(context.plan.as_ref(), &at.value)),
        first,
        confirm: confirm.then(|| wait.map_or(AgentPhone::CONFIRM, |at| at.value)),
        keep: flag(section, "keep_connected", false),
    }
}
