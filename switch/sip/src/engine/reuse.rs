//! Connection reuse (RFC 5923): a carrier that has opened a TLS connection to us is reached by that connection, and need
//! not be connected to.
//!
//! Invariant: a connection stands for an address only if its peer has shown a certificate that we demanded, is a
//! trunk's by its source, and has asked for it with `alias` in the Via of a request. It stands for that source's address
//! alone, with the port of the Via, and for no longer than it lasts.

use super::{Flow, SipEngine, Transport};
use crate::wire::Via;
use core::net::SocketAddr;
use std::collections::BTreeMap;

/// Most addresses that connections stand for: trunks are few.
const ALIASES: usize = 1_024;

/// See the module.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reuse {
    flows: BTreeMap<SocketAddr, Flow>,
}

impl Reuse {
    pub(super) fn flow_to(&self, transport: Transport, remote: SocketAddr) -> Option<Flow> {
        if transport != Transport::Tls {
            return None;
        }
        self.flows.get(&remote).copied()
    }

    pub(super) fn forget(&mut self, flow: Flow) {
        self.flows.retain(|_, known| *known != flow);
    }
}

impl SipEngine {
    /// A request came: its peer may want to be reached by this connection from now on.
    pub(super) fn note_reuse(&mut self, flow: Flow, via: &Via) {
        let cx = &self.base.cx;
        let is_asked = flow.transport == Transport::Tls && via.params.get("alias").is_some();
        if !is_asked
            || !cx.config.authenticated.contains(&flow.local)
            || cx.directory.trunk_of(flow.remote).is_none()
        {
            return;
        }
        let alias = SocketAddr::new(flow.remote.ip(), via.port_or_default());
        if self.reuse.flows.len() < ALIASES || self.reuse.flows.contains_key(&alias) {
            self.reuse.flows.insert(alias, flow);
        }
    }
}
