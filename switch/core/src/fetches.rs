//! What flows ask by HTTP: the shell carries it out, and the answer comes back to the step that waits for it.
//!
//! Invariant: an answer reaches the step that asked, or nobody: a flow that ends meanwhile leaves nothing behind.

use crate::io::ShardOutput;
use crate::shard::Shard;
use cordboard_call::CallInput;
use cordboard_flow::FlowInput;
use cordboard_model::config::{FlowKit, Secret};
use cordboard_model::fetch::{Fetch, FetchError, FetchHeader, FetchOrder, Fetched};
use cordboard_model::id::CallId;
use cordboard_model::verb::{Verb, VerbAnswer};
use std::collections::BTreeMap;

/// A step that waits for an answer.
#[derive(Clone, Copy, Debug)]
struct Waits {
    call: CallId,
    /// The flow's.
    ticket: u64,
    /// The call holds the step: something else may come first, or the caller hears music.
    by_call: bool,
}

/// Every step that waits for an answer.
#[derive(Debug, Default)]
pub(crate) struct Fetches {
    next: u64,
    /// By the ticket it was asked with: the call and the flow's own ticket.
    waiting: BTreeMap<u64, Waits>,
    calls: BTreeMap<CallId, u64>,
}

impl Fetches {
    /// The flow of the call waits no longer.
    pub(crate) fn forget(&mut self, call: CallId) {
        if let Some(ticket) = self.calls.remove(&call) {
            self.waiting.remove(&ticket);
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.calls.is_empty()
    }

    fn begin(&mut self, waits: Waits) -> u64 {
        self.forget(waits.call);
        let ticket = self.ticket();
        self.waiting.insert(ticket, waits);
        self.calls.insert(waits.call, ticket);
        ticket
    }

    /// A ticket of its own for a question that no step of a flow asks.
    pub(crate) fn ticket(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    fn end(&mut self, ticket: u64) -> Option<Waits> {
        let waits = self.waiting.remove(&ticket)?;
        self.calls.remove(&waits.call);
        Some(waits)
    }
}

/// The question with the secrets it names, and where it may go.
fn order(kit: &FlowKit, call: CallId, fetch: Fetch) -> Result<FetchOrder, FetchError> {
    let mut within = vec![kit.http_allowed.clone()];
    let mut headers = Vec::new();
    for (name, value) in fetch.headers {
        let value = match value {
            FetchHeader::Text(text) => Secret(text),
            FetchHeader::Secret(name) => {
                let secret = kit.secrets.get(&name).ok_or(FetchError::NoSecret)?;
                within.push(secret.to.clone());
                secret.value.clone()
            }
        };
        headers.push((name, value));
    }
    Ok(FetchOrder {
        call,
        method: fetch.method,
        url: fetch.url,
        headers,
        body: fetch.body.map(|body| (body.kind, body.text)),
        timeout_ms: fetch.timeout_ms,
        retries: fetch.retries,
        within,
    })
}

impl Shard {
    /// A step that the call holds, with what is asked for it.
    pub(crate) fn begin_step(&mut self, call: CallId, ticket: u64, mut verb: Verb) {
        let fetch = if let Verb::First(first) = &mut verb { first.fetch.take() } else { None };
        self.tell_call(call, CallInput::VerbRequest { call, ticket, verb });
        if let Some(fetch) = fetch {
            self.fetch(Waits { call, ticket, by_call: true }, *fetch);
        }
    }

    /// Has a question asked, and lets the flow wait for nothing else.
    pub(crate) fn fetch_alone(&mut self, call: CallId, ticket: u64, fetch: Fetch) {
        self.fetch(Waits { call, ticket, by_call: false }, fetch);
    }

    fn fetch(&mut self, waits: Waits, fetch: Fetch) {
        match self.order_of(waits.call, fetch) {
            Ok(order) => {
                let ticket = self.fetches.begin(waits);
                self.out.push_back(ShardOutput::Fetch { ticket, order: Box::new(order) });
            }
            Err(why) => self.tell_fetched(waits, Fetched::Failed(why)),
        }
    }

    /// A question as it is sent for a call.
    pub(crate) fn order_of(&self, call: CallId, fetch: Fetch) -> Result<FetchOrder, FetchError> {
        let kit = self.snapshot.tenant(call.tenant).map(|tenant| &tenant.kit);
        kit.map_or(Err(FetchError::Forbidden), |kit| order(kit, call, fetch))
    }

    fn tell_fetched(&mut self, Waits { call, ticket, by_call }: Waits, fetched: Fetched) {
        let answer = VerbAnswer::Fetched(Box::new(fetched));
        if by_call {
            return self.tell_call(call, CallInput::Answered { call, ticket, answer });
        }
        self.flows.handle_input(FlowInput::Answer { call, ticket, answer }, self.now);
    }

    /// An answer came, or none will.
    pub(crate) fn on_fetched(&mut self, ticket: u64, fetched: Fetched) {
        if self.on_fetched_for_route(ticket, &fetched) {
            return;
        }
        if let Some(waits) = self.fetches.end(ticket) {
            self.in_hand = Some(waits.call);
            self.tell_fetched(waits, fetched);
        }
    }
}
