//! The shard: signalling, calls, queues, flows and routing plugins as one machine.
//!
//! Invariant: every input is carried through all rooms before the next one is looked at, in the order in
//! which the rooms spoke; no room calls another, each speaks only to the shard, which translates. The same
//! inputs at the same times with the same seed give the same outputs, byte for byte.

mod abort;
mod acts;
mod asked;
mod assist;
mod begin;
mod callbacks;
mod chats;
mod clicks;
mod device;
mod dialling;
mod events;
mod fetches;
mod gate;
mod goodbye;
mod guard;
mod io;
mod kept;
mod ladder;
mod lamps;
mod ledger;
mod legs;
mod lines;
mod outside;
pub mod page_phone;
mod query;
mod restore;
mod routing;
mod rows;
mod shard;
pub mod signin;
mod speech;
mod stop;
mod tables;
mod talks;
mod trace;
mod translate;
mod trunks;
mod video;

pub use acts::SendRefusal;
pub use callbacks::CallbackRefused;
pub use chats::ChatDone;
/// What the shell says in an agent's name, and what may be answered.
pub use cordboard_acd::{AcdCommand, Refused, RefusedReason};
/// The words of [`ShardInput::Datagram`] and [`ShardOutput::Transmit`].
pub use cordboard_call::{
    ActRefusal, DataRefusal, DialTarget, ListenAsked, ListenRefusal, MoveRefusal, RecordAsked, RecordRefusal,
    RoomRefusal, Supervise, TransferRefusal,
};
pub use cordboard_sip::engine::{Datagram, Flow, Transport};
pub use io::{Restore, RestoredAgent, ShardCommand, ShardConfig, ShardInput, ShardOutput};
pub use ladder::{Ladder, Tapped, redact};
pub use query::Figures;
pub use rows::{CHANGED_ROWS_MAX, Cells, RowRefused};
pub use shard::Shard;
pub use translate::{PlaceRefusal, RoomOrder, check_flow, flow_uses};
pub use video::VideoRule;
