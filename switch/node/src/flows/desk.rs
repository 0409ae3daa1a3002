//! What is asked of a flow, done.

use super::{Found, broken, find, version, version_view};
use crate::clock::wall_now;
use crate::config::label;
use crate::reload::Reloader;
use crate::switch::missing;
use cordboard_api::flows::{FlowDone, FlowTexts};
use cordboard_api::switch::Refusal;
use cordboard_model::id::FlowId;

use super::shelf::{Texts, Version};

/// Keeps a draft, right or wrong, and says what is wrong with it.
pub(super) fn put_draft(
    reloader: &Reloader,
    id: &FlowId,
    by: &str,
    sent: FlowTexts,
) -> Result<FlowDone, Refusal> {
    reloader.quietly(|loaded| {
        let found = find(loaded, id)?;
        found.is_ours()?;
        let texts = found.sent(sent)?;
        found.shelf.put_draft(&texts, by, wall_now()).map_err(broken)?;
        let done = vec![format!("the draft of flow {id} is kept")];
        Ok(FlowDone { done, errors: found.faults(&texts), ..FlowDone::default() })
    })
}

pub(super) fn drop_draft(reloader: &Reloader, id: &FlowId) -> Result<FlowDone, Refusal> {
    reloader.quietly(|loaded| {
        let found = find(loaded, id)?;
        found.is_ours()?;
        match found.shelf.drop_draft().map_err(broken)? {
            true => Ok(FlowDone {
                done: vec![format!("the draft of flow {id} is forgotten")],
                ..FlowDone::default()
            }),
            false => Err(missing(format!("flow {id} has no draft"))),
        }
    })
}

/// Checks texts, and plays their test if that is wanted.
pub(super) fn look(
    reloader: &Reloader,
    id: &FlowId,
    sent: Option<FlowTexts>,
    test: bool,
) -> Result<FlowDone, Refusal> {
    let loaded = reloader.current();
    let found = find(&loaded, id)?;
    let texts = match sent {
        Some(sent) => found.sent(sent)?,
        None => match found.draft()?.map_or_else(|| found.published(), |draft| Ok(Some(draft)))? {
            Some(texts) => texts,
            None => Texts { flow: found.flow.source.clone(), test: None },
        },
    };
    let (errors, cases) = found.wrong(&texts, &loaded, test);
    let (mut done, mut drawing) = (Vec::new(), None);
    if errors.is_empty() {
        done.push(format!("flow {id} has no errors"));
        match (test, texts.test.is_some()) {
            (true, true) => {
                done.push(format!("{cases} cases went as written"));
                drawing = found.drawing(&texts, &loaded);
            }
            (true, false) => done.push("it has no test".to_owned()),
            (false, _) => {}
        }
    }
    Ok(FlowDone { done, errors, version: None, drawing })
}

/// Publishes what was sent, or the draft.
pub(super) fn publish(
    reloader: &Reloader,
    id: &FlowId,
    by: &str,
    (sent, note): (Option<FlowTexts>, String),
) -> Result<FlowDone, Refusal> {
    let loaded = reloader.current();
    let found = find(&loaded, id)?;
    found.is_ours()?;
    let from_draft = sent.is_none();
    let texts = match sent {
        Some(sent) => found.sent(sent)?,
        None => found.draft()?.ok_or_else(|| {
            Refusal::Conflict(format!("flow {id} has no draft; put one, or send the text with the order"))
        })?,
    };
    take(reloader, &found, &texts, (by, &note, None), from_draft)
}

/// Publishes the texts of an earlier version.
pub(super) fn roll_back(
    reloader: &Reloader,
    id: &FlowId,
    by: &str,
    (number, note): (u32, String),
) -> Result<FlowDone, Refusal> {
    let loaded = reloader.current();
    let found = find(&loaded, id)?;
    found.is_ours()?;
    let texts = version(&found, number)?;
    take(reloader, &found, &texts, (by, &note, Some(number)), false)
}

/// Checks, tests, keeps and takes into use; nothing of it if one of them fails.
fn take(
    reloader: &Reloader,
    found: &Found<'_>,
    texts: &Texts,
    who: (&str, &str, Option<u32>),
    from_draft: bool,
) -> Result<FlowDone, Refusal> {
    let id = &found.flow.id;
    let before = found.shelf.numbers().map_err(broken)?.last().copied();
    // Beside the others: a test may take its time.
    let (errors, cases) = found.wrong(texts, &reloader.current(), true);
    if !errors.is_empty() {
        return Err(Refusal::Invalid(errors));
    }
    let made = reloader.exchange(|loaded| {
        // What was checked may be gone by a reload or a publish meanwhile.
        let keep = loaded.machine.flows.versions;
        let again = find(loaded, id)?;
        again.is_ours()?;
        if again.shelf.numbers().map_err(broken)?.last().copied() != before {
            let why =
                format!("another version of flow {id} was published meanwhile; look at it and publish again");
            return Err(Refusal::Conflict(why));
        }
        let errors = again.faults(texts);
        if !errors.is_empty() {
            return Err(Refusal::Invalid(errors));
        }
        let made = again.shelf.publish(texts, who, wall_now(), keep).map_err(broken)?;
        if from_draft {
            // It is published: a draft that stays is the same text once more.
            let _ = again.shelf.drop_draft();
        }
        let flow =
            loaded.snapshot.tenants.get_mut(&id.tenant).and_then(|tenant| tenant.flows.get_mut(&id.name));
        if let Some(flow) = flow {
            flow.file = label(id, Some(made.version));
            flow.source.clone_from(&texts.flow);
        }
        if let Some(home) = loaded.flows.get_mut(id) {
            home.broken = None;
        }
        Ok(made)
    })?;
    tell(id, &made);
    let mut done = vec![format!("flow {id} is version {} for calls that begin from now on", made.version)];
    match &texts.test {
        Some(_) => done.push(format!("{cases} cases of its test went as written")),
        None => done.push("it has no test".to_owned()),
    }
    Ok(FlowDone { done, version: Some(version_view(made)), ..FlowDone::default() })
}

fn tell(id: &FlowId, made: &Version) {
    let Version { version, by, note, back_to, .. } = made;
    match back_to {
        Some(old) => tracing::info!(flow = %id, version, by, note, "rolled back to version {old}"),
        None => tracing::info!(flow = %id, version, by, note, "published"),
    }
}
