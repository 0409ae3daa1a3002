//! The registrar's bindings (RFC 3261 10.3).
//!
//! Invariant: a contact is listed exactly as long as its deadline runs; a REGISTER changes all
//! it names or nothing; every change is an output to be journalled. A contact is reached where
//! its REGISTER came from (RFC 3581 in spirit), never at the address it claims.

mod expiry;
mod outbound;
mod update;

use core::net::SocketAddr;
use std::collections::BTreeMap;

use cordboard_model::guard::Network;
use cordboard_model::id::UserId;
use cordboard_model::journal::ContactRecord;
use cordboard_model::time::Time;
use cordboard_model::view::ContactView;

use crate::engine::context::{Context, TimerKey};
use crate::engine::{Directory, Flow, SipOutput, Transport};
use crate::wire::{Message, NameAddr, Uri};

pub(crate) use outbound::{OPTION, Outbound};
pub(crate) use update::Refusal;

/// One contact of one account.
#[derive(Clone, Debug)]
pub(crate) struct Binding {
    id: u64,
    pub(crate) uri: Uri,
    pub(crate) flow: Flow,
    pub(crate) path: Vec<String>,
    outbound: Option<Outbound>,
    call_id: String,
    cseq: u32,
    q_milli: u16,
    user_agent: String,
    expires: Time,
}

/// All contacts.
#[derive(Clone, Debug, Default)]
pub(crate) struct Registrar {
    bindings: BTreeMap<UserId, Vec<Binding>>,
    owners: BTreeMap<u64, UserId>,
    /// How many contacts are reached by each flow, without our end.
    flows: BTreeMap<(Transport, SocketAddr), usize>,
    last: u64,
}

impl Registrar {
    /// How many contacts there are over all accounts.
    pub(crate) fn total(&self) -> usize {
        self.owners.len()
    }

    /// An account's contacts, the preferred first, equal ones in the order they came.
    pub(crate) fn of(&self, user: &UserId) -> &[Binding] {
        self.bindings.get(user).map_or(&[], Vec::as_slice)
    }

    /// The same as readers see them.
    pub(crate) fn views(&self, cx: &Context, user: &UserId) -> Vec<ContactView> {
        let view = |binding: &Binding| ContactView {
            user: user.clone(),
            uri: binding.name(),
            flow: binding.flow.to_string(),
            user_agent: binding.user_agent.clone(),
            expires: cx.config.clock.at(binding.expires),
        };
        self.of(user).iter().map(view).collect()
    }

    /// The Contact values of a 200: "The response MUST contain Contact header field values
    /// enumerating all current bindings. Each Contact value MUST feature an "expires" parameter
    /// indicating its expiration interval chosen by the registrar." (10.3 step 8)
    pub(crate) fn contact_values(&self, user: &UserId, now: Time) -> Vec<String> {
        let value = |binding: &Binding| {
            let mut contact = NameAddr::new(binding.uri.clone());
            let secs = binding.expires.since(now).as_millis().div_ceil(1_000);
            contact.params.set("expires", Some(&secs.to_string()));
            if binding.q_milli < 1_000 {
                let q = format!("0.{:03}", binding.q_milli);
                contact.params.set("q", Some(&q));
            }
            if let Some(flow) = &binding.outbound {
                flow.describe(&mut contact);
            }
            contact.to_string()
        };
        self.of(user).iter().map(value).collect()
    }

    /// Removes what the new configuration has no account for.
    pub(crate) fn keep_known(&mut self, cx: &mut Context, directory: &Directory) {
        let known = |user: &&UserId| directory.account(user.tenant, user.name.as_str()).is_none();
        let gone: Vec<UserId> = self.bindings.keys().filter(known).cloned().collect();
        for user in gone {
            self.remove_if(cx, &user, |_| true);
        }
    }

    /// Whether a contact is reached by this flow.
    pub(crate) fn has_flow(&self, flow: Flow) -> bool {
        self.flows.contains_key(&(flow.transport, flow.remote))
    }

    /// How many contacts are reached at addresses of this network.
    pub(crate) fn contacts_among(&self, network: &Network) -> usize {
        let among = self.flows.iter().filter(|((_, remote), _)| network.contains(remote.ip()));
        among.map(|(_, contacts)| contacts).sum()
    }

    /// A connection is gone. A contact that only its owner could connect again goes with it: a browser's, and a flow of
    /// RFC 5626. Any other that was reached over TCP or TLS stays, for a new connection to it may be opened (RFC 3261
    /// 18.1.1).
    pub(crate) fn drop_flow(&mut self, cx: &mut Context, flow: Flow) {
        if !flow.transport.is_reliable() || !self.has_flow(flow) {
            return;
        }
        let on_it = |binding: &Binding| {
            binding.flow.transport == flow.transport
                && binding.flow.remote == flow.remote
                && binding.is_bound_to_flow()
        };
        let owners: Vec<UserId> = self
            .bindings
            .iter()
            .filter(|(_, list)| list.iter().any(on_it))
            .map(|(user, _)| user.clone())
            .collect();
        for user in owners {
            self.remove_if(cx, &user, on_it);
        }
    }

    /// Takes back a contact from the journal. One that is there already, or has expired, is
    /// left as it is.
    pub(crate) fn restore(&mut self, cx: &mut Context, record: &ContactRecord) -> Option<()> {
        let left_ms = record.expires.0.checked_sub(cx.config.clock.at(cx.now).0)?;
        let left = core::time::Duration::from_millis(u64::try_from(left_ms).ok()?);
        cx.directory.account(record.user.tenant, record.user.name.as_str())?;
        let (uri, outbound) = match record.uri.starts_with('<') {
            true => {
                let contact = NameAddr::parse(&record.uri)?;
                let outbound = Outbound::of(&contact);
                (contact.uri, outbound)
            }
            false => (Uri::parse(&record.uri)?, None),
        };
        let flow = Flow::parse(&record.flow, cx.config.local).ok()?;
        if self.of(&record.user).iter().any(|b| b.is(&uri, outbound.as_ref())) {
            return None;
        }
        let binding = Binding {
            id: 0,
            uri,
            flow: cx.config.flow_to(flow.transport, flow.remote),
            path: record.path.clone(),
            outbound,
            call_id: record.call_id.clone(),
            cseq: record.cseq,
            q_milli: record.q_milli,
            user_agent: record.user_agent.clone(),
            expires: cx.now + left,
        };
        // A connection did not outlive the switch, and nobody but the device can make another.
        if binding.is_bound_to_flow() {
            return None;
        }
        self.put(cx, &record.user, binding);
        Some(())
    }

    /// Puts a contact in the place of the one that it is, or after those it ranks below.
    fn put(&mut self, cx: &mut Context, user: &UserId, mut binding: Binding) {
        *self.flows.entry((binding.flow.transport, binding.flow.remote)).or_insert(0) += 1;
        let list = self.bindings.entry(user.clone()).or_default();
        let same = list.iter().position(|old| old.is(&binding.uri, binding.outbound.as_ref()));
        if let Some(same) = same {
            let old = list.remove(same);
            leave(&mut self.flows, &old);
            if old.name() != binding.name() {
                cx.out.push_back(SipOutput::Unregistered { user: user.clone(), uri: old.name() });
            }
            binding.id = old.id;
        } else {
            self.last += 1;
            binding.id = self.last;
            self.owners.insert(binding.id, user.clone());
        }
        let key = TimerKey::Contact(binding.id);
        cx.deadlines.set(key, binding.expires, expiry::REASON);
        let higher = list.iter().take_while(|b| b.q_milli >= binding.q_milli);
        let at = higher.count();
        list.insert(at, binding);
    }

    /// Removes those contacts of an account that `which` picks, and says so.
    fn remove_if(&mut self, cx: &mut Context, user: &UserId, which: impl Fn(&Binding) -> bool) {
        let Some(list) = self.bindings.get_mut(user) else {
            return;
        };
        let (owners, flows) = (&mut self.owners, &mut self.flows);
        list.retain(|binding| {
            let goes = which(binding);
            if goes {
                owners.remove(&binding.id);
                leave(flows, binding);
                cx.deadlines.clear(&TimerKey::Contact(binding.id));
                cx.out.push_back(SipOutput::Unregistered { user: user.clone(), uri: binding.name() });
            }
            !goes
        });
        if list.is_empty() {
            self.bindings.remove(user);
        }
    }
}

impl Binding {
    /// The Request-URI for this contact: without headers and method, which may not stand in one
    /// (19.1.1).
    pub(crate) fn request_uri(&self) -> Uri {
        let mut uri = self.uri.clone();
        if let Some(uri) = uri.as_sip_mut() {
            uri.clear_headers();
            uri.params.remove("method");
        }
        uri
    }

    fn record(&self, cx: &Context, user: &UserId) -> ContactRecord {
        ContactRecord {
            user: user.clone(),
            uri: self.name(),
            flow: self.flow.to_string(),
            path: self.path.clone(),
            call_id: self.call_id.clone(),
            cseq: self.cseq,
            q_milli: self.q_milli,
            user_agent: self.user_agent.clone(),
            expires: cx.config.clock.at(self.expires),
        }
    }
}

/// One contact less is reached by its flow.
fn leave(flows: &mut BTreeMap<(Transport, SocketAddr), usize>, binding: &Binding) {
    let key = (binding.flow.transport, binding.flow.remote);
    if let Some(count) = flows.get_mut(&key) {
        *count -= 1;
        if *count == 0 {
            flows.remove(&key);
        }
    }
}

/// The User-Agent that is kept of a device, cut to what a page can show.
fn user_agent(request: &Message) -> String {
    let value = request.header(&crate::wire::HeaderName::UserAgent);
    value.unwrap_or_default().chars().take(128).collect()
}
