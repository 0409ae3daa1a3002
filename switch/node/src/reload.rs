//! Reading the configuration again: all or nothing, without dropping a call.

use crate::config::objects::{self, Objects};
use crate::config::{
    ApiKey, Checks, ConfigError, FlowHomes, Given, Loaded, LuaFault, TextUse, alarms, diff, load, load_with,
};
use crate::media::MediaOrder;
use crate::objects::Attempt;
use crate::prompts::{Found, Prompts};
use crate::shard::Order;
use crate::transport::TlsStore;
use crate::webhooks::Deliveries;
use cordboard_api::switch::{Caller, Refusal};
use cordboard_core::ShardCommand;
use cordboard_lane::Sender;
use cordboard_model::config::Snapshot;
use cordboard_model::event::EventKind;
use cordboard_model::id::AssetId;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// The configuration in use, and how to exchange it.
pub struct Reloader {
    path: PathBuf,
    /// Exchanged whole; readers never wait for a reload.
    current: arc_swap::ArcSwap<Loaded>,
    /// One reload at a time.
    reloading: Mutex<()>,
    shard: Sender<Order>,
    media: Vec<Sender<MediaOrder>>,
    prompts: Mutex<Prompts>,
    /// Certificates, read again with the rest.
    tls: Arc<TlsStore>,
    /// Keys that this run was given beside the file.
    own_keys: Vec<ApiKey>,
    /// Webhooks, once they run.
    webhooks: std::sync::OnceLock<Arc<Deliveries>>,
}

/// With everything this binary knows: Lua, plugins, the environment.
pub(crate) fn checks<T>(with: impl FnOnce(&Checks<'_>) -> T) -> T {
    let lua = |source: &str, file: &str| -> Vec<LuaFault> {
        let errors = cordboard_core::check_flow(source, file);
        errors.into_iter().map(|(line, column, why)| LuaFault { line, column, why }).collect()
    };
    let registry = crate::boot::registry().map(|registry| registry.names()).unwrap_or_default();
    let env = |name: &str| std::env::var(name).ok();
    let uses = |source: &str| -> Vec<TextUse> {
        let found = cordboard_core::flow_uses(source).into_iter();
        found.map(|(kind, name, line, column)| TextUse { kind, name, line, column }).collect()
    };
    with(&Checks { lua: &lua, uses: &uses, plugins: &registry, env: &env })
}

/// Reads and checks a configuration with everything this binary knows.
///
/// # Errors
/// Every fault, with its place.
pub fn read(path: &Path) -> Result<Loaded, Vec<ConfigError>> {
    checks(|checks| load(path, checks))
}

impl Reloader {
    /// Of a switch that was started with `loaded`, whose prompts it gives to the media threads.
    pub fn new(
        path: PathBuf,
        loaded: Loaded,
        shard: Sender<Order>,
        media: Vec<Sender<MediaOrder>>,
        tls: Arc<TlsStore>,
    ) -> Arc<Self> {
        let file_keys = read(&path).map(|read| read.machine.api_keys).unwrap_or_default();
        let mut own_keys = loaded.machine.api_keys.clone();
        own_keys.retain(|key| !file_keys.contains(key));
        let current = arc_swap::ArcSwap::from_pointee(loaded);
        let (reloading, prompts) = (Mutex::default(), Mutex::default());
        let webhooks = std::sync::OnceLock::new();
        let made = Self { path, current, reloading, shard, media, prompts, tls, own_keys, webhooks };
        let made = Arc::new(made);
        made.current()
            .warnings
            .iter()
            .for_each(|what| tracing::info!(%what, "doubtful in the configuration"));
        made.load_assets(&made.current());
        made.tell_aside(&made.current());
        made.tell_flows(&FlowHomes::new(), &made.current().flows);
        made
    }

    /// Whose API key this is.
    pub fn authenticate(&self, key: &str) -> Option<Caller> {
        let current = self.current.load();
        let found = current.machine.api_keys.iter().find(|known| known.is(key))?;
        Some(Caller { scopes: found.scopes.clone(), ..Caller::key(found.tenant, found.name.as_str()) })
    }

    /// The configuration in use.
    pub fn current(&self) -> Arc<Loaded> {
        self.current.load_full()
    }

    /// Whether some tenant lists this origin among those whose pages may speak to it.
    pub fn lists(&self, origin: &str) -> bool {
        self.current.load().snapshot.tenants.values().any(|tenant| tenant.access.origins.contains(origin))
    }

    /// Reads the file again. Gives what changed, in words.
    ///
    /// # Errors
    /// Every fault of the file, in words; the switch goes on with what it had.
    pub async fn reload(self: Arc<Self>) -> Result<Vec<String>, Vec<String>> {
        let work = move || self.reload_now();
        let outcome =
            tokio::task::spawn_blocking(work).await.unwrap_or_else(|why| Err(vec![why.to_string()]));
        tell(&outcome);
        outcome
    }

    fn reload_now(&self) -> Result<Vec<String>, Vec<String>> {
        let _one = self.reloading.lock().unwrap_or_else(PoisonError::into_inner);
        let old = self.current.load_full();
        // What does not fit any more was left out at the start; nothing more is by a reload, which is all or nothing.
        let given = Given {
            stored: Some(&old.stored),
            texts: None,
            may_leave_out: &|key| old.aside.contains_key(key),
        };
        let loaded = checks(|checks| load_with(&self.path, checks, given));
        let mut loaded =
            loaded.map_err(|errors| errors.iter().map(ToString::to_string).collect::<Vec<_>>())?;
        self.follow(&old, &mut loaded);
        let changes = diff(&old, &loaded);
        // For the listeners that are up: others come with the next start.
        let certificates = self.tls.reload(&loaded.machine.sip.tls, &old.machine.sip.listen);
        certificates.map_err(|why| vec![why.to_string()])?;
        loaded.warnings.iter().for_each(|what| tracing::info!(%what, "doubtful in the configuration"));
        self.load_assets(&loaded);
        let snapshot: Arc<Snapshot> = Arc::new(loaded.snapshot.clone());
        let order = Order::Command(ShardCommand::Configure(snapshot));
        self.shard
            .try_send(order)
            .map_err(|_| vec!["the switch is too busy to reload; try again".to_owned()])?;
        self.tell_flows(&old.flows, &loaded.flows);
        if let Some(webhooks) = self.webhooks.get() {
            webhooks.configure(&loaded.machine.webhooks);
        }
        self.current.store(Arc::new(loaded));
        Ok(changes)
    }

    /// Has these webhooks follow the configuration from now on.
    pub fn have_follow(&self, webhooks: &Arc<Deliveries>) {
        // There are no others.
        let _ = self.webhooks.set(Arc::clone(webhooks));
    }

    /// Makes it what follows `old`.
    fn follow(&self, old: &Loaded, loaded: &mut Loaded) {
        // Keys that no file gave, as the demo page's, go on.
        let given = |key: &&ApiKey| loaded.machine.api_keys.iter().all(|new| new.name != key.name);
        let kept: Vec<ApiKey> = self.own_keys.iter().filter(given).cloned().collect();
        loaded.machine.api_keys.extend(kept);
        loaded.snapshot.version = old.snapshot.version + 1;
    }

    /// Changes what the API keeps. `change` is given what there is and a way to try documents with the texts that the
    /// configuration in use was read from: what somebody writes into the file meanwhile waits for a reload. What it comes to
    /// is kept before it is taken into use, and the place in the lane is taken first, so that it cannot fail to be.
    pub(crate) fn keep<T>(
        &self,
        change: impl FnOnce(&Loaded, Attempt<'_>) -> Result<(T, Option<Loaded>), Refusal>,
    ) -> Result<T, Refusal> {
        let _one = self.reloading.lock().unwrap_or_else(PoisonError::into_inner);
        let place = self.shard.reserve().map_err(|_| Refusal::Busy(1))?;
        let old = self.current.load_full();
        let attempt = |stored: &Objects, aside: &BTreeSet<objects::ObjectKey>| {
            let may_leave_out = |key: &objects::ObjectKey| aside.contains(key);
            let given =
                Given { stored: Some(stored), texts: Some(&old.texts), may_leave_out: &may_leave_out };
            checks(|checks| load_with(&self.path, checks, given))
        };
        let (done, loaded) = change(&old, &attempt)?;
        let Some(mut loaded) = loaded else { return Ok(done) };
        let file = objects::place(&old.machine.store.path);
        loaded.stored.write(&file).map_err(|why| Refusal::Internal(format!("{}: {why}", file.display())))?;
        self.follow(&old, &mut loaded);
        diff(&old, &loaded).iter().for_each(|change| tracing::info!("by the API: {change}"));
        self.load_assets(&loaded);
        place.send(Order::Command(ShardCommand::Configure(Arc::new(loaded.snapshot.clone()))));
        self.tell_flows(&old.flows, &loaded.flows);
        self.current.store(Arc::new(loaded));
        Ok(done)
    }

    /// Says what is left out of the configuration, for it does not fit any more.
    fn tell_aside(&self, loaded: &Loaded) {
        for (key, why) in &loaded.aside {
            let text =
                format!("{} does not fit the configuration any more and is left out: {why}", key.label());
            tracing::error!("{text}");
            let alarm = EventKind::Alarm { code: "object_broken".to_owned(), text };
            // Whoever looks for it finds it with the thing itself, too.
            let _ = self.shard.try_send(Order::Command(ShardCommand::Tell(key.tenant, Box::new(alarm))));
        }
    }

    /// Says which published flows cannot run any more, and which can again.
    fn tell_flows(&self, before: &FlowHomes, now: &FlowHomes) {
        for (flow, alarm) in alarms(before, now) {
            let order = Order::Command(ShardCommand::Tell(flow.tenant, Box::new(alarm)));
            if self.shard.try_send(order).is_err() {
                tracing::error!(%flow, "the switch is too busy to be told of this flow; look at `cordboard check`");
            }
        }
    }

    /// Does something that no reload and no other such work may meet.
    pub(crate) fn quietly<T>(&self, work: impl FnOnce(&Loaded) -> T) -> T {
        let _one = self.reloading.lock().unwrap_or_else(PoisonError::into_inner);
        work(&self.current())
    }

    /// Exchanges the configuration by one that differs in what `change` does, or by none if that fails. The place in the
    /// lane is taken first: what `change` has written cannot fail to be taken into use.
    pub(crate) fn exchange<T>(
        &self,
        change: impl FnOnce(&mut Loaded) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        let _one = self.reloading.lock().unwrap_or_else(PoisonError::into_inner);
        let place = self.shard.reserve().map_err(|_| Refusal::Busy(1))?;
        let old = self.current();
        let mut loaded = Loaded::clone(&old);
        let done = change(&mut loaded)?;
        loaded.snapshot.version += 1;
        place.send(Order::Command(ShardCommand::Configure(Arc::new(loaded.snapshot.clone()))));
        self.tell_flows(&old.flows, &loaded.flows);
        self.current.store(Arc::new(loaded));
        Ok(done)
    }

    /// Decodes every prompt that is new or has changed, once, and gives it to every media thread; those whose file is
    /// gone are forgotten. A file that cannot be decoded is named in the log and left out: playing it ends at once, and
    /// what was loaded under its name before goes on.
    fn load_assets(&self, loaded: &Loaded) {
        let mut prompts = self.prompts.lock().unwrap_or_else(PoisonError::into_inner);
        for (asset, path) in &loaded.assets {
            match prompts.load(asset, path) {
                Ok(Found::Audio(audio)) => {
                    self.give(asset, || MediaOrder::Asset(asset.clone(), Arc::clone(&audio)));
                }
                Ok(Found::Same) => {}
                Err(why) => {
                    tracing::warn!(%asset, path = %path.display(), %why, "the prompt cannot be used")
                }
            }
        }
        let named: BTreeSet<&AssetId> = loaded.assets.iter().map(|(asset, _)| asset).collect();
        for asset in prompts.retain(|asset| named.contains(asset)) {
            self.give(&asset, || MediaOrder::DropAsset(asset.clone()));
        }
    }

    /// Whether there is such a prompt.
    pub fn has_prompt(&self, asset: &AssetId) -> bool {
        self.current().assets.iter().any(|(known, _)| known == asset)
    }

    fn give(&self, asset: &AssetId, order: impl Fn() -> MediaOrder) {
        for thread in &self.media {
            if thread.try_send(order()).is_err() {
                tracing::warn!(%asset, "a media thread is too busy to take the prompt; reload again");
            }
        }
    }

    /// Closes the lanes to the media threads.
    pub fn close_media(&self) {
        self.media.iter().for_each(Sender::close);
    }
}

/// The outcome of a reload, whoever asked for it, in the log.
fn tell(outcome: &Result<Vec<String>, Vec<String>>) {
    match outcome {
        Ok(changes) if changes.is_empty() => tracing::info!("reloaded: nothing changed"),
        Ok(changes) => changes.iter().for_each(|change| tracing::info!("reloaded: {change}")),
        Err(errors) => {
            errors.iter().for_each(|error| tracing::error!("{error}"));
            tracing::error!(faults = errors.len(), "not reloaded; the switch goes on as it was");
        }
    }
}
