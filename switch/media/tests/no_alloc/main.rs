//! A packet that is relayed, decoded, mixed, played or recorded costs no allocation and no free, and neither do legs that come,
//! change and go, with what was made for them elsewhere. A binary of its own,
//! for it counts every call of the process.

#[cfg(test)]
mod coming;
#[cfg(test)]
mod counting;
#[cfg(test)]
mod hour;
#[cfg(test)]
mod rig;
#[cfg(test)]
mod steady_state;
