//! What is connected to what on a media thread: legs, the bridge between two, the mix of several,
//! what plays to one and what records two.

pub(crate) mod bridge;
pub(crate) mod ear;
pub(crate) mod feed;
pub(crate) mod fit;
pub(crate) mod frames;
pub(crate) mod hearing;
pub(crate) mod leg;
pub mod live;
pub(crate) mod loudness;
pub(crate) mod mixer;
pub(crate) mod mouth;
pub(crate) mod player;
pub(crate) mod recorder;
pub(crate) mod secret;
pub(crate) mod video;
