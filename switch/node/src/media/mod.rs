//! Media threads: each owns its ports and one media engine. Packets never leave the thread.

mod builder;
mod epoll;
mod memory;
mod pairs;
mod ports;
mod sockets;
mod thread;
mod uring;

pub use builder::{BuildOrder, Builder};
pub use epoll::ByEpoll;
pub use pairs::Pairs;
pub use ports::{OwnPorts, PortPool, PortRange, bind_udp};
pub use sockets::{Bell, Came, Packet, Sockets};
pub use thread::{MediaOrder, MediaSetup, MediaThread, Parted, RecorderOrder};
pub use uring::ByUring;
