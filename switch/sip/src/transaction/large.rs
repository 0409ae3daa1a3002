//! Requests too long for UDP (RFC 3261 18.1.1).
//!
//! Invariant: a request goes elsewhere at most once, and back at most once; its branch, and so its responses, stay its
//! own. What the dialog remembers is the flow by which the peer is known, so that short requests still go by UDP.

use core::net::SocketAddr;
use core::time::Duration;

use super::client::via;
use super::layer::{Machine, Transactions};
use super::{TxId, client_invite, client_other};
use crate::engine::context::Context;
use crate::engine::{Flow, Transport};
use crate::wire::{HeaderName, Message, NameAddr, Uri};

/// How long a peer that took no connection is not asked for one again.
const REFUSED: Duration = Duration::from_secs(600);
/// Most peers that this is remembered of; the one that is forgotten first is asked once too often.
pub(crate) const REFUSED_MAX: usize = 1_024;

/// The flow for a request of this length: "If a request is within 200 bytes of the path MTU, or if it is larger than
/// 1300 bytes and the path MTU is unknown, the request MUST be sent using an RFC 2914 congestion controlled transport
/// protocol, such as TCP. If this causes a change in the transport protocol from the one indicated in the top Via, the
/// value in the top Via MUST be changed." None where the flow stays as it is: short, over a stream already, a switch
/// without TCP, a peer that takes no connections or is not where it says it is.
pub(super) fn instead_of(cx: &Context, flow: Flow, request: &Message, length: usize) -> Option<Flow> {
    let above = cx.directory.flows().tcp_above as usize;
    if flow.transport != Transport::Udp || above == 0 || length <= above {
        return None;
    }
    let family = flow.remote.ip().to_canonical().is_ipv4();
    let fits = |(transport, local): &&(Transport, SocketAddr)| {
        *transport == Transport::Tcp && local.ip().to_canonical().is_ipv4() == family
    };
    let (_, local) = cx.config.listeners.iter().find(fits)?;
    let refused = cx.no_tcp.get(&flow.remote).is_some_and(|until| *until > cx.now);
    (!refused && is_reachable(request, flow)).then_some(Flow {
        transport: Transport::Tcp,
        local: *local,
        remote: flow.remote,
    })
}

/// Whether the next hop is known by the address it names itself: behind NAT nobody answers at the mapped address but
/// the flow that made it. A name says nothing against it, but for one that is none (RFC 7118 5).
fn is_reachable(request: &Message, flow: Flow) -> bool {
    let route = request.header(&HeaderName::Route).and_then(NameAddr::parse).map(|route| route.uri);
    let Some(hop) = route.as_ref().or_else(|| request.request_uri()).and_then(Uri::as_sip) else {
        return false;
    };
    match hop.host.ip() {
        Some(ip) => {
            let named = SocketAddr::new(ip.to_canonical(), hop.port.unwrap_or(5060));
            named == SocketAddr::new(flow.remote.ip().to_canonical(), flow.remote.port())
        }
        None => !hop.host.as_str().ends_with(".invalid"),
    }
}

impl Transactions {
    /// "If a request is sent over TCP because of these message size constraints, and that request would have otherwise
    /// been sent over UDP, if the attempt to establish the connection generates either an ICMP Protocol Not Supported,
    /// or results in a TCP reset, the element SHOULD retry the request, using UDP." True if it was.
    pub(super) fn goes_home(&mut self, cx: &mut Context, id: TxId) -> bool {
        let Some(tx) = self.table.get_mut(&id) else {
            return false;
        };
        let begin = match tx.machine {
            Machine::ClientInvite(client_invite::State::Calling) => client_invite::BEGIN,
            Machine::ClientOther(client_other::State::Trying) => client_other::BEGIN,
            _ => return false,
        };
        let Some(home) = tx.home.take() else {
            return false;
        };
        if cx.no_tcp.len() >= REFUSED_MAX {
            cx.no_tcp.pop_first();
        }
        cx.no_tcp.insert(home.remote, cx.now + REFUSED);
        tx.flow = home;
        let branch = tx.request.via_top().ok().and_then(|top| top.branch().map(str::to_owned));
        tx.request.set_via_top(&via(cx, &home, &branch.unwrap_or_default()));
        tx.bytes = tx.request.to_bytes();
        tx.interval = None;
        self.act(cx, id, begin, None);
        true
    }
}
