//! Flows that are kept by the control API: drafted, checked, tested, published, rolled back.
//!
//! A publish is an exchange of the configuration in use by one that differs in this flow's text alone; nothing is read
//! again but the flow. Calls that run end on the text they began with, as after a reload.

pub mod command;
mod desk;
pub(crate) mod recorded;
pub mod shelf;

use crate::config::{FlowHome, Keeper, Loaded, faults, label};
use crate::flow_graph;
use crate::flow_test::play_until;
use crate::reload::{Reloader, checks};
use crate::switch::missing;
use cordboard_api::flows::{
    FlowDone, FlowDraft, FlowKeeper, FlowOrder, FlowSource, FlowTexts, FlowVersion, FlowView, FlowWhich,
};
use cordboard_api::switch::Refusal;
use cordboard_flow::script::{Bench, Script, Source};
use cordboard_model::config::{Flow, Tenant};
use cordboard_model::id::{FlowId, TenantId};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use shelf::{Draft, Shelf, ShelfError, Texts, Version};

/// Longest text of a flow or a test that is taken by the API, bytes.
const TEXT_MAX: usize = 256 << 10;
/// Most steps of a test, and cases with them, that is played for a key of the API: it takes the processor's time from the
/// switch.
const STEPS_MAX: usize = 2_000;
/// Longest time that it may take, looked at between cases.
const TEST_TIME: Duration = Duration::from_secs(5);
/// One test at a time, whoever asks.
static PLAYING: Mutex<()> = Mutex::new(());

/// A flow as it is in a configuration.
struct Found<'a> {
    tenant: &'a Tenant,
    flow: &'a Flow,
    home: &'a FlowHome,
    shelf: Shelf,
}

fn find<'a>(loaded: &'a Loaded, id: &FlowId) -> Result<Found<'a>, Refusal> {
    let tenant = loaded.snapshot.tenants.get(&id.tenant);
    let found = tenant.and_then(|tenant| Some((tenant, tenant.flows.get(&id.name)?, loaded.flows.get(id)?)));
    let (tenant, flow, home) = found.ok_or_else(|| {
        let name = &id.name;
        missing(format!(
            "flow {id}; the operator adds it to the configuration: [tenant.{}.flow.{name}] with kept = \"api\"",
            id.tenant
        ))
    })?;
    Ok(Found { tenant, flow, home, shelf: Shelf::new(&loaded.machine.flows.dir, id) })
}

impl Found<'_> {
    /// That it is the API that keeps it.
    fn is_ours(&self) -> Result<(), Refusal> {
        match self.home.keeper {
            Keeper::Api => Ok(()),
            Keeper::File => Err(Refusal::Conflict(format!(
                "flow {} is kept in the file {}, which {} names: change the file and reload, or write kept = \"api\" \
                 there in place of file",
                self.flow.id, self.flow.file, self.home.place
            ))),
        }
    }

    fn view(&self) -> Result<FlowView, Refusal> {
        let ours = self.home.keeper == Keeper::Api;
        let (version, draft) = match ours {
            true => (self.shelf.published().map_err(broken)?, self.shelf.draft().map_err(broken)?),
            false => (None, None),
        };
        Ok(FlowView {
            flow: self.flow.id.clone(),
            kept: if ours { FlowKeeper::Api } else { FlowKeeper::File },
            file: self.flow.file.clone(),
            version: version.map(version_view),
            draft: draft.map(draft_view),
        })
    }

    /// The texts of the draft, with the test that was published last where the draft has none of its own.
    fn draft(&self) -> Result<Option<Texts>, Refusal> {
        let Some(draft) = self.shelf.draft().map_err(broken)? else { return Ok(None) };
        Ok(Some(self.shelf.texts(&draft.texts).map_err(broken)?))
    }

    fn published(&self) -> Result<Option<Texts>, Refusal> {
        let Some(version) = self.shelf.published().map_err(broken)? else { return Ok(None) };
        Ok(Some(self.shelf.texts(&version.texts).map_err(broken)?))
    }

    /// What was sent, as it is kept: a test that is left out is the one that was published last, an empty one is none.
    fn sent(&self, sent: FlowTexts) -> Result<Texts, Refusal> {
        for (what, text) in [("flow", &sent.text), ("test", sent.test.as_ref().unwrap_or(&String::new()))] {
            if text.len() > TEXT_MAX {
                let bytes = text.len();
                return Err(Refusal::Invalid(vec![format!(
                    "the {what} has {bytes} bytes; at most {TEXT_MAX} are taken"
                )]));
            }
        }
        let test = match sent.test {
            Some(test) => Some(test).filter(|test| !test.trim().is_empty()),
            None => self.published()?.and_then(|texts| texts.test),
        };
        Ok(Texts { flow: sent.text, test })
    }

    /// What `cordboard check` says of this text.
    fn faults(&self, texts: &Texts) -> Vec<String> {
        let wrong = checks(|checks| faults(self.tenant, &self.flow.id, &texts.flow, checks));
        wrong.iter().map(ToString::to_string).collect()
    }

    /// What `cordboard flow test` says of these texts, and how many calls were played.
    fn failures(&self, texts: &Texts, loaded: &Loaded) -> (Vec<String>, usize) {
        let Some(test) = &texts.test else { return (Vec::new(), 0) };
        let file = label(&self.flow.id, None).replace(".lua", ".test.toml");
        let script: Script = match toml::from_str(test) {
            Ok(script) => script,
            Err(why) => return (vec![format!("{file}: {why}")], 0),
        };
        let steps: usize = script.cases.iter().map(|case| 1 + case.steps.len()).sum();
        if steps > STEPS_MAX {
            return (
                vec![format!("{file}: {steps} cases and steps; at most {STEPS_MAX} are played here")],
                0,
            );
        }
        let Ok(_playing) = PLAYING.try_lock() else {
            return (vec![format!("{file}: another test is being played; try again in a few seconds")], 0);
        };
        let end = Some(Instant::now() + TEST_TIME);
        let played = play_until(&self.bench(texts, loaded), &script, &file, false, end);
        (played.failures(), played.cases.len())
    }

    /// The flow as the calls of its test draw it; none while another test is being played.
    fn drawing(&self, texts: &Texts, loaded: &Loaded) -> Option<String> {
        let script: Script = toml::from_str(texts.test.as_ref()?).ok()?;
        let _playing = PLAYING.try_lock().ok()?;
        let file = label(&self.flow.id, None).replace(".lua", ".test.toml");
        flow_graph::drawing(&script, &self.bench(texts, loaded), &file)
    }

    fn bench(&self, texts: &Texts, loaded: &Loaded) -> Bench {
        let flow = Source { file: label(&self.flow.id, None), text: texts.flow.clone() };
        let of = |flow: &Flow| Source { file: flow.file.clone(), text: flow.source.clone() };
        let others = self.tenant.flows.iter().map(|(name, flow)| (name.to_string(), of(flow)));
        let mut flows: std::collections::BTreeMap<String, Source> = others.collect();
        flows.insert(self.flow.id.name.to_string(), flow.clone());
        let libraries = self.tenant.kit.libraries.iter();
        let libraries = libraries.map(|(name, library)| {
            let source = Source { file: library.file.clone(), text: library.source.clone() };
            (name.to_string(), source)
        });
        Bench { flow, flows, libraries: libraries.collect(), limits: loaded.snapshot.limits.flow }
    }

    /// All that is wrong; the test is played only if the text is right. And how many calls were played.
    fn wrong(&self, texts: &Texts, loaded: &Loaded, test: bool) -> (Vec<String>, usize) {
        let faults = self.faults(texts);
        match test && faults.is_empty() {
            true => self.failures(texts, loaded),
            false => (faults, 0),
        }
    }
}

fn broken(why: ShelfError) -> Refusal {
    Refusal::Internal(why.to_string())
}

fn version_view(version: Version) -> FlowVersion {
    let Version { version, texts, at, by, note, back_to } = version;
    FlowVersion { version, sha256: texts.flow, test_sha256: texts.test, at, by, note, back_to }
}

fn draft_view(draft: Draft) -> FlowDraft {
    FlowDraft { sha256: draft.texts.flow, at: draft.at, by: draft.by }
}

/// Every flow of a tenant.
pub(crate) fn list(loaded: &Loaded, tenant: TenantId) -> Result<Vec<FlowView>, Refusal> {
    let flows = loaded.snapshot.tenants.get(&tenant).into_iter().flat_map(|tenant| tenant.flows.values());
    flows.map(|flow| find(loaded, &flow.id)?.view()).collect()
}

/// Texts of a flow.
pub(crate) fn source(loaded: &Loaded, id: &FlowId, which: FlowWhich) -> Result<FlowSource, Refusal> {
    let found = find(loaded, id)?;
    let (view, none) = (found.view()?, |what: String| missing(format!("{what} of flow {id}")));
    let texts = match which {
        FlowWhich::Current => {
            // What is in use is another text where that which was published cannot run any more.
            let none = Texts { flow: found.flow.source.clone(), test: None };
            if found.home.keeper == Keeper::Api { found.published()?.unwrap_or(none) } else { none }
        }
        FlowWhich::Draft => found.draft()?.ok_or_else(|| none("no draft".to_owned()))?,
        FlowWhich::Version(number) => version(&found, number)?,
    };
    Ok(FlowSource { view, text: texts.flow, test: texts.test })
}

fn version(found: &Found<'_>, number: u32) -> Result<Texts, Refusal> {
    let known = found.shelf.version(number).map_err(broken)?;
    let known = known.ok_or_else(|| {
        let kept = found.shelf.numbers().unwrap_or_default();
        let range = match (kept.first(), kept.last()) {
            (Some(first), Some(last)) => format!("{first} to {last} are kept"),
            _ => "none has been published".to_owned(),
        };
        missing(format!("version {number} of flow {}; {range}", found.flow.id))
    })?;
    found.shelf.texts(&known.texts).map_err(broken)
}

/// The versions of a flow, newest first.
pub(crate) fn versions(loaded: &Loaded, id: &FlowId) -> Result<Vec<FlowVersion>, Refusal> {
    let found = find(loaded, id)?;
    found.is_ours()?;
    let mut all = Vec::new();
    for number in found.shelf.numbers().map_err(broken)?.into_iter().rev() {
        all.extend(found.shelf.version(number).map_err(broken)?.map(version_view));
    }
    Ok(all)
}

/// Obeys an order. It may take its time.
pub(crate) fn order(
    reloader: &Reloader,
    id: &FlowId,
    by: &str,
    order: FlowOrder,
) -> Result<FlowDone, Refusal> {
    match order {
        FlowOrder::Draft(sent) => desk::put_draft(reloader, id, by, sent),
        FlowOrder::DropDraft => desk::drop_draft(reloader, id),
        FlowOrder::Check(sent) => desk::look(reloader, id, sent, false),
        FlowOrder::Test(sent) => desk::look(reloader, id, sent, true),
        FlowOrder::Publish { texts, note } => desk::publish(reloader, id, by, (texts, note)),
        FlowOrder::RollBack { version, note } => desk::roll_back(reloader, id, by, (version, note)),
    }
}
