//! Every route of the API, declared once: what the router serves is what this catalogue lists.
//!
//! Invariant: there is no way to serve a route of the API without its entry here, with an id of its own and a word that
//! says who may ask. The router, the OpenAPI document, the check of scopes and the tests that walk every route all read
//! the same entries.

use crate::contract::{Contract, Taken, shape};
use crate::state::State;
use axum::handler::Handler;
use axum::http::Method;
use axum::routing::{MethodFilter, on};
use axum::{Extension, Router};
use schemars::JsonSchema;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Where the routes of the first version lie.
pub const V1: &str = "/api/v1";

/// What a key needs where an agent would show his password.
pub const PASSWORDS: &str = "agents:control";

/// Who may ask for an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Anybody.
    Open,
    /// Who shows an agent's password, or has a session, or a key with [`PASSWORDS`].
    Password,
    /// The customer of a chat, who has its token: it is about that chat alone.
    Visitor,
    /// A person who is signed in: it is about himself.
    Person,
    /// A key with this scope.
    Key(&'static str),
    /// A key with this scope; an agent's session at his own desk, a supervisor's at those of others.
    Desk(&'static str),
    /// A key with this scope, or a supervisor's session.
    Oversee(&'static str),
    /// A key of the operator's own tenant with this scope.
    Operator(&'static str),
}

impl Access {
    /// The scope that a key needs: `calls:read`. None where no key is needed.
    pub fn scope(self) -> Option<&'static str> {
        match self {
            Self::Open | Self::Password | Self::Visitor | Self::Person => None,
            Self::Key(scope) | Self::Desk(scope) | Self::Oversee(scope) | Self::Operator(scope) => {
                Some(scope)
            }
        }
    }
}

/// One operation: a method of a path, and what there is to say of it.
#[derive(Clone, Debug)]
pub struct Op {
    /// Its method.
    pub method: Method,
    /// Its whole path, with its parameters as `{name}`.
    pub path: String,
    /// Its name in programs that are made from the OpenAPI document: unique, and it stays what it is.
    pub id: &'static str,
    /// What it is about: the group it is listed in.
    pub tag: &'static str,
    /// What it does, in a line.
    pub summary: &'static str,
    /// Who may ask for it.
    pub access: Access,
    /// It changes something: whoever may only read has no business with it.
    pub changes: bool,
    /// What it takes and gives.
    pub contract: Contract,
}

impl Op {
    /// The parameters of its path, in order.
    pub fn path_parameters(&self) -> impl Iterator<Item = &str> {
        self.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
    }
}

/// An operation that is being declared.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    id: &'static str,
    tag: &'static str,
    summary: &'static str,
    access: Access,
    /// Whether it changes something; every method but GET does unless it says otherwise.
    changes: Option<bool>,
    contract: Contract,
}

impl Entry {
    fn new(id: &'static str, access: Access, summary: &'static str) -> Self {
        let tag = access.scope().and_then(|scope| scope.split(':').next()).unwrap_or("switch");
        Self { id, tag, summary, access, changes: None, contract: Contract::default() }
    }

    /// Lists it elsewhere than under the first word of its scope.
    pub(crate) fn tag(self, tag: &'static str) -> Self {
        Self { tag, ..self }
    }

    /// It is asked for with a method that could change something, and changes nothing.
    pub(crate) fn reads(self) -> Self {
        Self { changes: Some(false), ..self }
    }

    /// It knows these parameters of the query.
    pub(crate) fn query(mut self, names: &'static [&'static str]) -> Self {
        self.contract.query = names;
        self
    }

    /// It knows these parameters, and gives all there is where `limit` is none of what is said.
    pub(crate) fn filters(mut self, names: &'static [&'static str]) -> Self {
        self.contract.whole = true;
        self.query(names)
    }

    /// It takes such a body.
    pub(crate) fn takes<T: JsonSchema>(mut self, example: &'static str) -> Self {
        self.contract.body = Some(Taken { shape: shape::<T>, example, needed: true });
        self
    }

    /// It takes such a body, or none.
    pub(crate) fn may_take<T: JsonSchema>(mut self, example: &'static str) -> Self {
        self.contract.body = Some(Taken { shape: shape::<T>, example, needed: false });
        self
    }

    /// It answers so.
    pub(crate) fn gives<T: JsonSchema>(mut self) -> Self {
        self.contract.gives::<T>(200);
        self
    }

    /// It answers so, with another status than 200.
    pub(crate) fn gives_as<T: JsonSchema>(mut self, status: u16) -> Self {
        self.contract.gives::<T>(status);
        self
    }

    /// It answers with what is no JSON.
    pub(crate) fn gives_media(mut self, status: u16, media_type: &'static str) -> Self {
        self.contract.gives_media(status, media_type);
        self
    }

    /// It may also refuse with these statuses.
    pub(crate) fn refuses(mut self, statuses: &'static [u16]) -> Self {
        self.contract.refusals = statuses;
        self
    }
}

/// Anybody may ask for it.
pub(crate) fn open(id: &'static str, summary: &'static str) -> Entry {
    Entry::new(id, Access::Open, summary)
}

/// For who has a password, a key or a session.
pub(crate) fn password(id: &'static str, summary: &'static str) -> Entry {
    Entry::new(id, Access::Password, summary)
}

/// For the customer of a chat.
pub(crate) fn visitor(id: &'static str, summary: &'static str) -> Entry {
    Entry { tag: "chat", ..Entry::new(id, Access::Visitor, summary) }
}

/// For people who are signed in, about themselves.
pub(crate) fn person(id: &'static str, summary: &'static str) -> Entry {
    Entry { tag: "session", ..Entry::new(id, Access::Person, summary) }
}

/// For keys with this scope.
pub(crate) fn key(id: &'static str, scope: &'static str, summary: &'static str) -> Entry {
    Entry::new(id, Access::Key(scope), summary)
}

/// For keys with this scope, and for agents at their desks.
pub(crate) fn desk(id: &'static str, scope: &'static str, summary: &'static str) -> Entry {
    Entry::new(id, Access::Desk(scope), summary)
}

/// For keys with this scope, and for supervisors.
pub(crate) fn oversee(id: &'static str, scope: &'static str, summary: &'static str) -> Entry {
    Entry::new(id, Access::Oversee(scope), summary)
}

/// For keys of the operator's own tenant with this scope.
pub(crate) fn operator(id: &'static str, scope: &'static str, summary: &'static str) -> Entry {
    Entry::new(id, Access::Operator(scope), summary)
}

/// Routes with their entries. A handler finds its own entry as `Extension<Arc<Op>>`.
pub(crate) struct Routes {
    prefix: &'static str,
    ops: Vec<Arc<Op>>,
    router: Router<State>,
}

impl Routes {
    /// Routes of the first version: paths are below [`V1`].
    pub(crate) fn v1() -> Self {
        Self { prefix: V1, ops: Vec::new(), router: Router::new() }
    }

    /// Routes with whole paths.
    pub(crate) fn root() -> Self {
        Self { prefix: "", ops: Vec::new(), router: Router::new() }
    }

    fn with<H, T>(
        mut self,
        filter: MethodFilter,
        method: Method,
        path: &str,
        handler: H,
        entry: Entry,
    ) -> Self
    where
        H: Handler<T, State>,
        T: 'static,
    {
        let path = format!("{}{path}", self.prefix);
        let changes = entry.changes.unwrap_or(method != Method::GET);
        let Entry { id, tag, summary, access, contract, .. } = entry;
        let op = Arc::new(Op { method, path, id, tag, summary, access, changes, contract });
        let served = on(filter, handler).layer(Extension(op.clone()));
        self.router = self.router.route(&op.path, served);
        self.ops.push(op);
        self
    }

    /// A GET, which answers HEAD too.
    pub(crate) fn get<H, T>(self, path: &str, handler: H, entry: Entry) -> Self
    where
        H: Handler<T, State>,
        T: 'static,
    {
        self.with(MethodFilter::GET, Method::GET, path, handler, entry)
    }

    /// A POST.
    pub(crate) fn post<H, T>(self, path: &str, handler: H, entry: Entry) -> Self
    where
        H: Handler<T, State>,
        T: 'static,
    {
        self.with(MethodFilter::POST, Method::POST, path, handler, entry)
    }

    /// A PUT.
    pub(crate) fn put<H, T>(self, path: &str, handler: H, entry: Entry) -> Self
    where
        H: Handler<T, State>,
        T: 'static,
    {
        self.with(MethodFilter::PUT, Method::PUT, path, handler, entry)
    }

    /// A PATCH.
    pub(crate) fn patch<H, T>(self, path: &str, handler: H, entry: Entry) -> Self
    where
        H: Handler<T, State>,
        T: 'static,
    {
        self.with(MethodFilter::PATCH, Method::PATCH, path, handler, entry)
    }

    /// A DELETE.
    pub(crate) fn delete<H, T>(self, path: &str, handler: H, entry: Entry) -> Self
    where
        H: Handler<T, State>,
        T: 'static,
    {
        self.with(MethodFilter::DELETE, Method::DELETE, path, handler, entry)
    }

    /// Both of them.
    pub(crate) fn merge(mut self, other: Self) -> Self {
        self.ops.extend(other.ops);
        self.router = self.router.merge(other.router);
        self
    }

    /// The entries.
    pub(crate) fn ops(self) -> Vec<Arc<Op>> {
        self.ops
    }

    /// What serves them.
    pub(crate) fn router(self) -> Router<State> {
        self.router
    }
}

/// Every scope that an operation needs.
pub fn scopes() -> BTreeSet<&'static str> {
    catalog().iter().filter_map(|op| op.access.scope()).collect()
}

/// Every operation of the API, in the order in which it is declared.
pub fn catalog() -> Vec<Arc<Op>> {
    crate::routes::all().ops()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_has_an_id_of_its_own_a_summary_and_a_scope_or_a_reason() {
        let ops = catalog();
        assert!(ops.len() > 80, "{}", ops.len());
        let mut ids = BTreeSet::new();
        let mut ways = BTreeSet::new();
        for op in &ops {
            assert!(ids.insert(op.id), "{} twice", op.id);
            assert!(ways.insert((op.method.to_string(), op.path.clone())), "{} {} twice", op.method, op.path);
            assert!(op.id.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{}", op.id);
            assert!(!op.summary.is_empty() && !op.summary.ends_with('.'), "{}", op.id);
            assert!(!op.contract.answers.is_empty(), "{} answers nothing", op.id);
            if let Some(scope) = op.access.scope() {
                let (thing, act) = scope.split_once(':').unwrap();
                assert!(!thing.is_empty() && ["read", "write", "control"].contains(&act), "{scope}");
                assert_eq!(act != "read", op.changes, "{} needs {scope}", op.id);
            }
        }
    }

    #[test]
    fn the_parameters_of_a_path_are_those_in_braces() {
        let ops = catalog();
        let op = ops.iter().find(|op| op.id == "removeFromConference").unwrap();
        assert_eq!(op.path, "/api/v1/calls/{id}/conference/{leg}");
        assert_eq!(op.path_parameters().collect::<Vec<_>>(), ["id", "leg"]);
    }
}
