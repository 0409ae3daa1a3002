//! The whole switch in virtual time: scenarios with their ladders, and random worlds.

#[cfg(test)]
mod basic;
#[cfg(test)]
mod edges;
#[cfg(test)]
mod ending;
#[cfg(test)]
mod extensions;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod fork;
#[cfg(test)]
mod hold;
#[cfg(test)]
mod kit;
#[cfg(test)]
mod programs;
#[cfg(test)]
mod queue;
#[cfg(test)]
mod random;
#[cfg(test)]
mod restart;
#[cfg(test)]
mod room;
#[cfg(test)]
mod signin;
#[cfg(test)]
mod speech;
#[cfg(test)]
mod stage;
#[cfg(test)]
mod tones;
#[cfg(test)]
mod transfer;
#[cfg(test)]
mod trunks;
