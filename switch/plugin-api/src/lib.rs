//! The extension points of the switch: traits, registry, and how long each may take.
//!
//! Invariant: a plugin is pure. It gets a request and read access to the tenant of that request,
//! and returns a verdict; it keeps nothing between two requests. One that needs the world answers
//! [`Verdict::Ask`] and is called again with the answer, or with [`AskAnswer::Late`].
//!
//! | point | trait | deadline |
//! | --- | --- | --- |
//! | routing, one question | [`RoutingPlugin`] | [`ROUTE_ASK_MAX`] |
//! | routing, all plugins of a call together | [`RouteRun`] | [`ROUTE_RUN_MAX`] |

mod decision;
mod notes;
mod paper;
mod registry;
mod routing;
mod run;
#[cfg(test)]
mod tests;
mod words;

pub use decision::{Decision, decision, follow, instead, named};
pub use notes::{NOTES_MAX, Notes};
pub use paper::Paper;
pub use registry::{DuplicatePlugin, Order, Registry, UnknownPlugin};
pub use routing::{
    Ask, AskAnswer, Change, RouteContext, RouteRequest, RoutingPlugin, TrunkRoom, Urgent, Verdict,
};
pub use run::{
    AMENDMENTS_MAX, ASKS_MAX, AskId, ROUTE_ASK_MAX, ROUTE_RUN_MAX, RouteEnd, RouteOutcome, RouteRun,
    RouteStep,
};
pub use words::{destination, shown};
