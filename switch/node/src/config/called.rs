//! Called numbers: table 4-3 of the reference documents.

use super::doubts::Dialled;
use super::error::Problem;
use super::section::{At, Pos, Section};
use super::tenant::Context;
use super::value::{dialled, one_of, text};
use cordboard_model::config::CalledNumber;
use cordboard_model::plan::NumberPlan;
use cordboard_model::service::QueueKind;
use cordboard_model::verb::Destination;
use std::collections::BTreeMap;

/// What comes by an access code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Media {
    /// Calls, with audio or video, and those that begin in a chat.
    Voice,
    /// Text and the like.
    Multimedia,
}

const MEDIA: &[(&str, Media)] = &[("voice", Media::Voice), ("multimedia", Media::Multimedia)];

impl Media {
    fn fits(self, queue: QueueKind) -> bool {
        (self == Media::Multimedia) == (queue == QueueKind::Multimedia)
    }
}

/// Access codes are kept as the plan reads what is dialled.
pub(super) fn read(
    section: &Section<'_>,
    context: &Context<'_>,
    plan: Option<&NumberPlan>,
) -> Vec<CalledNumber> {
    let mut numbers = Vec::new();
    let mut taken: BTreeMap<(String, Option<String>), Pos> = BTreeMap::new();
    let mut all = Dialled::default();
    for number in section.tables("number") {
        let access = number.need("access_code", "the number that is dialled", dialled);
        let extension = number.opt("extension_code", dialled);
        let kind = number.or("kind", Media::Voice, one_of(MEDIA));
        let to = number.need("to", "where such calls go, as \"queue:sales\"", text);
        let to = to.and_then(|at| {
            let to = context.destination(&number, "to", &at);
            check_kind(context, &number, kind, to.as_ref(), at.pos);
            to
        });
        let access = access.map(|at| At { value: cordboard_model::plan::read(plan, &at.value), pos: at.pos });
        if let Some(access) = access {
            let extension = extension.map(|at| at.value);
            let key = (access.value.clone(), extension.clone());
            let report = number.report();
            if let Some(first) = taken.insert(key, access.pos) {
                let dialled = match &extension {
                    Some(extension) => format!("{} {extension}", access.value),
                    None => access.value.clone(),
                };
                let problem =
                    Problem::Duplicate { kind: "number", name: dialled, first: report.words(first) };
                report.error(access.pos, problem);
            }
            let (codes, shown) = ((access.value.as_str(), extension.as_deref()), number.shown());
            all.take((report, &shown), codes, access.pos, &context.names.users);
            if let Some(to) = to {
                numbers.push(CalledNumber { access_code: access.value, extension_code: extension, to });
            }
        }
        number.finish();
    }
    numbers
}

/// A queue that a number leads to is for what comes by it.
fn check_kind(context: &Context<'_>, number: &Section<'_>, kind: Media, to: Option<&Destination>, pos: Pos) {
    let Some(Destination::Queue(queue)) = to else { return };
    let kinds = context.kinds.borrow();
    if let Some(of) = kinds.kind(&queue.name).filter(|of| !kind.fits(*of)) {
        let word = if kind == Media::Voice { "voice" } else { "multimedia" };
        let why = format!("a number of kind {word} cannot lead to {} queue {}", of.as_str(), queue.name);
        number.conflict("to", pos, why);
    }
}
