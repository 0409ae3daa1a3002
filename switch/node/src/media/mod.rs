//! Media threads: each owns its ports and one media engine. Packets never leave the thread.

mod builder;
mod pairs;
mod ports;
mod readiness;
mod thread;

pub use builder::{BuildOrder, Builder};
pub use pairs::Pairs;
pub use ports::{OwnPorts, PortPool, PortRange, bind_udp};
pub use thread::{MediaOrder, MediaSetup, MediaThread, Parted, RecorderOrder};
