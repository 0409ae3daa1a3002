//! Media threads: each owns its ports and one media engine. Packets never leave the thread.

mod ports;
mod thread;

pub use ports::{OwnPorts, PortPool, PortRange, bind_udp};
pub use thread::{MediaOrder, MediaSetup, MediaThread, RecorderOrder};
