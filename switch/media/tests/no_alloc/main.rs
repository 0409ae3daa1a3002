//! A packet that is relayed, decoded, mixed, played or recorded costs no allocation and no free. A binary of its own,
//! for it counts every call of the process.

#[cfg(test)]
mod counting;
#[cfg(test)]
mod hour;
#[cfg(test)]
mod rig;
#[cfg(test)]
mod steady_state;
