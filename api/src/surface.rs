//! Routes of the surfaces that clients of other systems speak, beside the catalogue of our own API.
//!
//! Invariant: what is served is what is listed. A surface is made of [`Surface`] alone, and each of its routes is noted as it
//! is given to the router, so that who walks every route cannot miss a new one.

use axum::Router;
use axum::handler::Handler;
use axum::http::Method;
use axum::routing::{MethodFilter, on};

/// A route: its method and its path, with parameters as `{name}`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Listed {
    /// Its method, as a word.
    pub method: String,
    /// Its whole path.
    pub path: String,
}

/// Routes, each noted.
pub(crate) struct Surface<S> {
    router: Router<S>,
    listed: Vec<(Method, String)>,
}

impl<S: Clone + Send + Sync + 'static> Surface<S> {
    pub(crate) fn new() -> Self {
        Self { router: Router::new(), listed: Vec::new() }
    }

    fn on<H, T>(mut self, methods: (MethodFilter, Method), path: &str, handler: H) -> Self
    where
        H: Handler<T, S>,
        T: 'static,
    {
        self.listed.push((methods.1, path.to_owned()));
        self.router = self.router.route(path, on(methods.0, handler));
        self
    }

    pub(crate) fn get<H, T>(self, path: &str, handler: H) -> Self
    where
        H: Handler<T, S>,
        T: 'static,
    {
        self.on((MethodFilter::GET, Method::GET), path, handler)
    }

    pub(crate) fn post<H, T>(self, path: &str, handler: H) -> Self
    where
        H: Handler<T, S>,
        T: 'static,
    {
        self.on((MethodFilter::POST, Method::POST), path, handler)
    }

    pub(crate) fn put<H, T>(self, path: &str, handler: H) -> Self
    where
        H: Handler<T, S>,
        T: 'static,
    {
        self.on((MethodFilter::PUT, Method::PUT), path, handler)
    }

    pub(crate) fn delete<H, T>(self, path: &str, handler: H) -> Self
    where
        H: Handler<T, S>,
        T: 'static,
    {
        self.on((MethodFilter::DELETE, Method::DELETE), path, handler)
    }

    pub(crate) fn merge(mut self, other: Self) -> Self {
        self.listed.extend(other.listed);
        self.router = self.router.merge(other.router);
        self
    }

    pub(crate) fn router(self) -> Router<S> {
        self.router
    }

    /// What it serves, below this path.
    pub(crate) fn listed(&self, below: &str) -> Vec<Listed> {
        let one = |(method, path): &(Method, String)| Listed {
            method: method.to_string(),
            path: format!("{below}{path}"),
        };
        self.listed.iter().map(one).collect()
    }
}

/// Every route of every surface beside our own API.
pub fn all() -> Vec<Listed> {
    let mut all = crate::gateway::listed();
    all.extend(crate::huawei::listed());
    all.extend(crate::aliyun::listed());
    all
}
