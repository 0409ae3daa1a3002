//! What the control plane has done with the parties of calls that are up.

use crate::switch::Later;
use cordboard_model::act::{CollectAsked, Collected, PlayAsked};
use cordboard_model::desk::Goal;
use cordboard_model::id::{ActId, CallId, UserId};

/// Playbacks, entries of keys, and where callers go. Every id in what is asked is of the asking tenant: the routes see to it.
pub trait Control: Send + Sync + 'static {
    /// Has something played to parties of a call. Answered with the playback once it is begun, or what it says is being made.
    fn play(&self, call: CallId, asked: PlayAsked) -> Later<ActId>;
    /// Has keys collected from a party of a call. Answered with the entry once it is begun.
    fn collect(&self, call: CallId, asked: CollectAsked) -> Later<ActId>;
    /// Stops a playback or an entry of keys.
    fn stop_act(&self, call: CallId, act: ActId) -> Later<Vec<String>>;
    /// What is known of an entry of keys.
    fn collected(&self, call: CallId, act: ActId) -> Later<Collected>;
    /// Joins the callers of two calls: the second ends, and its caller is in the first.
    fn bridge(&self, call: CallId, other: CallId) -> Later<Vec<String>>;
    /// Sends the caller of a flow or a queue elsewhere; numbers by the rules for this account, or for the house.
    fn send(&self, call: CallId, to: Goal, account: Option<UserId>) -> Later<Vec<String>>;
}
