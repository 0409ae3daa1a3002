//! MESSAGE outside a call (RFC 3428), from one account to the devices of another, in the manner of a pager.
//!
//! Invariants: each MESSAGE that is taken gets one final answer, the first 2xx of a device or the best refusal of all; a
//! message that nobody was there for is not kept, and the sender is told so.

use std::collections::BTreeMap;

use crate::engine::context::{Context, PRODUCT};
use crate::session::{Failure, Target};
use crate::transaction::{Transactions, TxId, TxUser, What};
use crate::wire::{HeaderName, Host, Message, Method, NameAddr, SipUri};

/// Longest MESSAGE outside a media session, where nothing is known of the way (RFC 3428 8); the whole request.
pub(crate) const MESSAGE_MAX: usize = 1_300;

#[derive(Clone, Debug)]
struct Page {
    /// The sender's transaction.
    from: TxId,
    /// What devices get, without Request-URI and Route.
    message: Message,
    /// To devices, with their other flows.
    open: BTreeMap<TxId, Vec<Target>>,
    answered: bool,
    best: Option<Failure>,
}

/// All that are under way.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pager {
    pages: BTreeMap<u64, Page>,
    last: u64,
}

/// Who writes to whom.
pub(crate) struct Parties<'a> {
    pub(crate) from: &'a str,
    pub(crate) to: &'a str,
    pub(crate) domain: &'a str,
}

impl Pager {
    pub(crate) fn len(&self) -> usize {
        self.pages.len()
    }

    /// Sends a message on to each device, which are some. The answer goes to `from`.
    pub(crate) fn send(
        &mut self,
        cx: &mut Context,
        tx: &mut Transactions,
        from: TxId,
        parties: &Parties<'_>,
        targets: Vec<Target>,
    ) {
        let Some(request) = tx.request(from) else {
            return;
        };
        let message = copied(request, parties);
        self.last += 1;
        let id = self.last;
        let mut page = Page { from, message, open: BTreeMap::new(), answered: false, best: None };
        for target in targets {
            page.send(cx, tx, id, target);
        }
        self.pages.insert(id, page);
    }

    /// A device answered, or did not. Gives the sender's transaction and the status for it, once.
    pub(crate) fn on_upcall(
        &mut self,
        cx: &mut Context,
        tx: &mut Transactions,
        (id, from): (u64, TxId),
        what: What,
    ) -> Option<(TxId, u16)> {
        let page = self.pages.get_mut(&id)?;
        let failure = match what {
            What::Response(response) => match response.status()? {
                100..=199 => return None,
                200..=299 => None,
                code => Some(Failure::of_status(code)),
            },
            What::Timeout => Some(Failure::of_silence(false)),
            What::Unreachable => Some(Failure::of_transport()),
            What::Ack(_) => return None,
        };
        let mut spare = page.open.remove(&from)?;
        let status = match failure {
            None => Some(200),
            // another flow of the same device (RFC 5626 7)
            Some(failure) if failure.is_of_flow() && !spare.is_empty() => {
                let mut next = spare.remove(0);
                next.spare = spare;
                page.send(cx, tx, id, next);
                None
            }
            Some(failure) => {
                let best = Failure::better(page.best, failure);
                page.best = Some(best);
                page.open.is_empty().then(|| told(best.code))
            }
        };
        let told = status.filter(|_| !page.answered).map(|status| (page.from, status));
        page.answered |= told.is_some();
        if page.open.is_empty() {
            self.pages.remove(&id);
        }
        told
    }
}

/// What a sender is told for a refusal. A device that asks for a password asks it of us, who have none; and one that says
/// nothing is not there, for 408 means nothing outside an INVITE (RFC 4320 4.2).
const fn told(code: u16) -> u16 {
    match code {
        401 | 407 => 403,
        300..=399 | 408 | 430 | 503 => 480,
        code => code,
    }
}

impl Page {
    fn send(&mut self, cx: &mut Context, tx: &mut Transactions, id: u64, target: Target) {
        let mut message = Message::request(Method::Message, target.uri);
        for route in target.routes {
            message.push(HeaderName::Route, route);
        }
        for header in self.message.headers.iter() {
            message.push(header.name().clone(), header.value());
        }
        // each device gets a message of its own, or a second contact of a phone would take it for merged
        message.push(HeaderName::CallId, cx.tokens.call_id());
        message.body.clone_from(&self.message.body);
        let sent = tx.send(cx, TxUser::Page(id), target.flow, message);
        self.open.insert(sent, target.spare);
    }
}

/// The message as devices get it: from the account that has proved itself, whatever From said.
fn copied(request: &Message, parties: &Parties<'_>) -> Message {
    let host = Host::parse(parties.domain);
    let address = |user: &str, name: &HeaderName| match &host {
        Some(host) => NameAddr::new(SipUri::new(Some(user), host.clone(), None)).to_string(),
        None => request.header(name).unwrap_or_default().to_owned(),
    };
    let uri = crate::wire::Uri::Other { scheme: "sip".into(), rest: "".into() };
    let mut message = Message::request(Method::Message, uri);
    message.push(HeaderName::MaxForwards, "70");
    let tag = request.from_().ok().and_then(|from| from.tag().map(str::to_owned)).unwrap_or_default();
    message.push(HeaderName::From, format!("{};tag={tag}", address(parties.from, &HeaderName::From)));
    message.push(HeaderName::To, address(parties.to, &HeaderName::To));
    message.push(HeaderName::CSeq, "1 MESSAGE");
    for name in [HeaderName::ContentType, HeaderName::ContentLanguage, HeaderName::Date, HeaderName::Subject]
    {
        message.headers.copy_from(&request.headers, &name);
    }
    message.push(HeaderName::UserAgent, PRODUCT);
    message.body.clone_from(&request.body);
    message
}
