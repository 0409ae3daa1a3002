//! Webhooks: events posted to addresses of the configuration, or of the API.
//!
//! Invariants: each delivers in the order of the stream, one at a time, and none waits for another. There is no queue of its
//! own: a webhook is a reader of the stream with a place that is kept ([`shelf`]), so that what is not delivered yet is where
//! all that was told is. Posts go only where `[webhooks]` allows, and to no private address that was not allowed.

mod post;
mod run;
mod shelf;
mod sign;
#[cfg(test)]
mod tests;

use crate::config::{WebhookConfig, WebhooksMachine};
use crate::hub::HubHandle;
use crate::metrics::line;
use crate::outgoing;
use crate::shard::Order;
use crate::switch::NodeSwitch;
use cordboard_api::switch::{Later, Refusal};
use cordboard_api::webhooks::{
    DeadLetter, NewWebhook, WebhookDoing, WebhookMade, WebhookOrder, WebhookView, Webhooks,
};
use cordboard_lane::Sender;
use cordboard_model::config::Secret;
use cordboard_model::id::{Name, TenantId};
use post::Poster;
use run::{Ask, Runner};
use rustls::ClientConfig;
use shelf::{Made, Shelf};
use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicU32, AtomicU64};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;
use tokio::sync::mpsc;

/// Most webhooks of a tenant.
const OF_TENANT: usize = 100;
/// Orders that may wait for one webhook.
const ASKS: usize = 16;

/// What is counted of all.
#[derive(Debug, Default)]
pub struct WebhookGauges {
    delivered: AtomicU64,
    failed: AtomicU64,
    dead: AtomicU64,
    dropped: AtomicU64,
}

impl WebhookGauges {
    /// For /metrics.
    pub fn render(&self, out: &mut String) {
        for (name, help, gauge) in [
            ("delivered", "Deliveries that were taken.", &self.delivered),
            ("failed", "Attempts that failed.", &self.failed),
            ("given_up", "Deliveries that were given up.", &self.dead),
            ("dropped", "Dead letters that found no room.", &self.dropped),
        ] {
            line(out, "counter", &format!("cordboard_webhook_{name}_total"), help, gauge.load(Relaxed));
        }
    }
}

/// What one delivers, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Definition {
    tenant: TenantId,
    name: Name,
    url: String,
    kinds: Vec<String>,
    secrets: Vec<Secret>,
    from_file: bool,
}

/// What all of them use.
struct Shared {
    hub: HubHandle,
    shard: Sender<Order>,
    gauges: Arc<WebhookGauges>,
}

/// What one says of itself.
#[derive(Debug, Default)]
struct Told {
    seq: AtomicU64,
    delivered: AtomicU64,
    failed: AtomicU64,
    dead: AtomicU64,
    given_up: AtomicU32,
    state: Mutex<(Option<WebhookDoing>, Option<String>)>,
}

impl Told {
    fn set_doing(&self, doing: WebhookDoing) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).0 = Some(doing);
    }

    fn set_error(&self, error: Option<String>) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).1 = error;
    }

    fn error(&self) -> Option<String> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).1.clone()
    }

    fn doing(&self) -> WebhookDoing {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).0.unwrap_or(WebhookDoing::Delivers)
    }
}

/// One that runs, from outside. It ends when this is dropped.
struct Running {
    definition: Definition,
    asks: mpsc::Sender<Ask>,
    told: Arc<Told>,
    shelf: Shelf,
}

/// All webhooks.
pub struct Deliveries {
    dir: PathBuf,
    machine: Arc<WebhooksMachine>,
    tls: Arc<ClientConfig>,
    shared: Arc<Shared>,
    running: Mutex<BTreeMap<(TenantId, Name), Running>>,
}

fn missing(name: &Name) -> Refusal {
    Refusal::NotFound(format!("webhook {name}"))
}

fn disk(why: &std::io::Error) -> Refusal {
    Refusal::Internal(format!("it cannot be kept: {why}"))
}

impl Deliveries {
    /// Begins those of the file, and those that the API made.
    pub fn start(
        dir: PathBuf,
        (machine, tls): (WebhooksMachine, Arc<ClientConfig>),
        (hub, shard): (HubHandle, Sender<Order>),
        gauges: Arc<WebhookGauges>,
        of_file: &[WebhookConfig],
    ) -> Arc<Deliveries> {
        let shared = Arc::new(Shared { hub, shard, gauges });
        let running = Mutex::default();
        let all = Self { dir, machine: Arc::new(machine), tls, shared, running };
        for (tenant, name, made) in shelf::made(&all.dir) {
            all.begin(of_api(tenant, name, made));
        }
        all.configure(of_file);
        Arc::new(all)
    }

    /// The file's are these from now on.
    pub fn configure(&self, of_file: &[WebhookConfig]) {
        let wanted: BTreeMap<_, _> =
            of_file.iter().map(|one| ((one.tenant, one.name.clone()), one)).collect();
        let gone: Vec<_> = {
            let running = self.lock();
            let of_file = running.iter().filter(|(_, one)| one.definition.from_file);
            of_file.map(|(id, _)| id.clone()).filter(|id| !wanted.contains_key(id)).collect()
        };
        for id in gone {
            self.lock().remove(&id);
        }
        for one in of_file {
            let definition = Definition {
                tenant: one.tenant,
                name: one.name.clone(),
                url: one.url.clone(),
                kinds: one.kinds.clone(),
                secrets: one.secrets.clone(),
                from_file: true,
            };
            self.begin(definition);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<(TenantId, Name), Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins one, or changes the one of this name.
    fn begin(&self, definition: Definition) {
        let id = (definition.tenant, definition.name.clone());
        let mut running = self.lock();
        if let Some(known) = running.get_mut(&id) {
            if known.definition != definition && known.asks.try_send(Ask::Change(definition.clone())).is_ok()
            {
                known.definition = definition;
            }
            return;
        }
        let (asks, asked) = mpsc::channel(ASKS);
        let shelf = Shelf::of(&self.dir, id.0, &id.1);
        let told = Arc::new(Told::default());
        let kept = shelf.kept().unwrap_or_default();
        told.seq.store(kept.seq, Relaxed);
        told.given_up.store(kept.given_up, Relaxed);
        told.dead.store(shelf.ids().len() as u64, Relaxed);
        let poster = Poster::new(Arc::clone(&self.machine), Arc::clone(&self.tls));
        let runner = Runner {
            definition: definition.clone(),
            shelf: shelf.clone(),
            shared: Arc::clone(&self.shared),
            told: Arc::clone(&told),
            asks: asked,
            poster,
            kept,
            written: Instant::now(),
            again: VecDeque::new(),
        };
        tokio::spawn(runner.run());
        running.insert(id, Running { definition, asks, told, shelf });
    }

    /// A tenant's.
    pub fn list(&self, tenant: TenantId) -> Vec<WebhookView> {
        self.lock().iter().filter(|((of, _), _)| *of == tenant).map(|(_, one)| one.view()).collect()
    }

    /// Makes one, with a secret that is shown here alone.
    ///
    /// # Errors
    /// There is one of this name, or too many, or its URL is not allowed.
    pub fn make(&self, tenant: TenantId, new: NewWebhook) -> Result<WebhookMade, Refusal> {
        let name = Name::new(&new.name).map_err(|why| Refusal::Invalid(vec![why.to_string()]))?;
        self.may_go_to(&new.url)?;
        let ours = self.lock().keys().filter(|(of, _)| *of == tenant).count();
        if self.lock().contains_key(&(tenant, name.clone())) {
            return Err(Refusal::Conflict(format!("there is a webhook {name}")));
        }
        if ours >= OF_TENANT {
            return Err(Refusal::Conflict(format!("a tenant has at most {OF_TENANT} webhooks")));
        }
        let secret = fresh()?;
        let made = Made { url: new.url, kinds: new.kinds, secrets: vec![secret.0.clone()] };
        let shelf = Shelf::of(&self.dir, tenant, &name);
        shelf.make(&made).map_err(|why| disk(&why))?;
        self.begin(of_api(tenant, name.clone(), made));
        let view = self.view(tenant, &name)?;
        Ok(WebhookMade { view, secret: Some(secret) })
    }

    fn may_go_to(&self, url: &str) -> Result<(), Refusal> {
        let why = "url: no URL below one that [webhooks] allowed of the configuration names";
        let found = outgoing::allowed(&self.machine.allowed, url, ["http", "https"]);
        found.map(drop).ok_or_else(|| Refusal::Invalid(vec![why.into()]))
    }

    /// Has one that the API made be as this from now on, and after a restart.
    fn remake(&self, tenant: TenantId, name: &Name, shelf: &Shelf, made: Made) -> Result<(), Refusal> {
        let before = shelf.made().ok_or_else(|| missing(name))?;
        shelf.make(&made).map_err(|why| disk(&why))?;
        let definition = of_api(tenant, name.clone(), made);
        self.begin(definition.clone());
        let taken = self.lock().get(&(tenant, name.clone())).is_none_or(|one| one.definition == definition);
        match taken {
            true => Ok(()),
            false => {
                // Too much was ordered of it at once: it stays as it was, here and there.
                shelf.make(&before).map_err(|why| disk(&why))?;
                Err(Refusal::Busy(1))
            }
        }
    }

    fn view(&self, tenant: TenantId, name: &Name) -> Result<WebhookView, Refusal> {
        let running = self.lock();
        running.get(&(tenant, name.clone())).map(Running::view).ok_or_else(|| missing(name))
    }

    /// Does something with one.
    ///
    /// # Errors
    /// There is none of this name, or the file has it and says what it is.
    pub fn order(&self, tenant: TenantId, name: &Name, order: WebhookOrder) -> Result<WebhookMade, Refusal> {
        let (definition, shelf) = {
            let running = self.lock();
            let found = running.get(&(tenant, name.clone())).ok_or_else(|| missing(name))?;
            (found.definition.clone(), found.shelf.clone())
        };
        let of_file = || {
            Err(Refusal::Conflict(format!("webhook {name} is in the configuration file: change it there")))
        };
        let mut secret = None;
        match order {
            WebhookOrder::Enable => self.ask(tenant, name, Ask::Enable(true))?,
            WebhookOrder::Disable => self.ask(tenant, name, Ask::Enable(false))?,
            WebhookOrder::Replay(None) => self.ask(tenant, name, Ask::Replay(shelf.ids()))?,
            WebhookOrder::Replay(Some(id)) => {
                shelf.letter(id).ok_or_else(|| Refusal::NotFound(format!("dead letter {id}")))?;
                self.ask(tenant, name, Ask::Replay(vec![id]))?;
            }
            WebhookOrder::Forget(id) => {
                let ids = id.map_or_else(|| shelf.ids(), |id| vec![id]);
                let gone = ids.iter().filter(|id| shelf.forget(**id).is_ok()).count();
                if id.is_some() && gone == 0 {
                    return Err(Refusal::NotFound("dead letter".into()));
                }
                if let Some(found) = self.lock().get(&(tenant, name.clone())) {
                    found.told.dead.store(shelf.ids().len() as u64, Relaxed);
                }
            }
            WebhookOrder::NewSecret | WebhookOrder::Change(_) | WebhookOrder::Remove
                if definition.from_file =>
            {
                return of_file();
            }
            WebhookOrder::Change(change) => {
                let mut kept = shelf.made().ok_or_else(|| missing(name))?;
                if let Some(url) = change.url {
                    self.may_go_to(&url)?;
                    kept.url = url;
                }
                kept.kinds = change.kinds.unwrap_or(kept.kinds);
                self.remake(tenant, name, &shelf, kept)?;
            }
            WebhookOrder::NewSecret => {
                let made = fresh()?;
                let mut kept = shelf.made().ok_or_else(|| missing(name))?;
                kept.secrets.insert(0, made.0.clone());
                kept.secrets.truncate(2);
                self.remake(tenant, name, &shelf, kept)?;
                secret = Some(made);
            }
            WebhookOrder::Remove => {
                let view = self.view(tenant, name)?;
                self.lock().remove(&(tenant, name.clone()));
                shelf.remove().map_err(|why| disk(&why))?;
                return Ok(WebhookMade { view, secret: None });
            }
        }
        Ok(WebhookMade { view: self.view(tenant, name)?, secret })
    }

    fn ask(&self, tenant: TenantId, name: &Name, ask: Ask) -> Result<(), Refusal> {
        let running = self.lock();
        let found = running.get(&(tenant, name.clone())).ok_or_else(|| missing(name))?;
        if let Ask::Enable(on) = &ask {
            found.told.set_doing(if *on { WebhookDoing::Delivers } else { WebhookDoing::Disabled });
        }
        found.asks.try_send(ask).map_err(|_| Refusal::Busy(1))
    }

    /// Dead letters of one, oldest first.
    ///
    /// # Errors
    /// There is none of this name.
    pub fn letters(
        &self,
        tenant: TenantId,
        name: &Name,
        after: u64,
        most: u32,
    ) -> Result<Vec<DeadLetter>, Refusal> {
        let shelf = {
            let running = self.lock();
            running.get(&(tenant, name.clone())).map(|one| one.shelf.clone()).ok_or_else(|| missing(name))?
        };
        let behind = shelf.ids().into_iter().filter(|id| *id > after);
        Ok(behind.filter_map(|id| shelf.letter(id)).take(most as usize).collect())
    }
}

impl Webhooks for NodeSwitch {
    fn webhooks(&self, tenant: TenantId) -> Later<Vec<WebhookView>> {
        Box::pin(std::future::ready(Ok(self.webhooks.list(tenant))))
    }

    fn new_webhook(&self, tenant: TenantId, new: NewWebhook) -> Later<WebhookMade> {
        beside(&self.webhooks, move |all| all.make(tenant, new))
    }

    fn webhook_order(&self, tenant: TenantId, name: Name, order: WebhookOrder) -> Later<WebhookMade> {
        beside(&self.webhooks, move |all| all.order(tenant, &name, order))
    }

    fn dead_letters(&self, tenant: TenantId, name: Name, after: u64, most: u32) -> Later<Vec<DeadLetter>> {
        beside(&self.webhooks, move |all| all.letters(tenant, &name, after, most))
    }
}

/// Work with files, beside the threads that serve requests.
fn beside<T: Send + 'static>(
    all: &Arc<Deliveries>,
    work: impl FnOnce(&Deliveries) -> Result<T, Refusal> + Send + 'static,
) -> Later<T> {
    let all = Arc::clone(all);
    Box::pin(async move {
        let done = tokio::task::spawn_blocking(move || work(&all)).await;
        done.unwrap_or_else(|why| Err(Refusal::Internal(why.to_string())))
    })
}

fn fresh() -> Result<Secret, Refusal> {
    sign::fresh().ok_or_else(|| Refusal::Internal("the operating system gives no random bytes".into()))
}

fn of_api(tenant: TenantId, name: Name, made: Made) -> Definition {
    let Made { url, kinds, secrets } = made;
    let secrets = secrets.into_iter().map(Secret).collect();
    Definition { tenant, name, url, kinds, secrets, from_file: false }
}

impl Running {
    fn view(&self) -> WebhookView {
        let told = &self.told;
        WebhookView {
            name: self.definition.name.clone(),
            url: self.definition.url.clone(),
            kinds: self.definition.kinds.clone(),
            from_file: self.definition.from_file,
            doing: told.doing(),
            seq: told.seq.load(Relaxed),
            delivered: told.delivered.load(Relaxed),
            failed: told.failed.load(Relaxed),
            given_up: told.given_up.load(Relaxed),
            dead_letters: told.dead.load(Relaxed),
            error: told.error(),
            secrets: u32::try_from(self.definition.secrets.len()).unwrap_or(u32::MAX),
        }
    }
}
