//! A packet that is relayed, played or recorded costs no allocation and no free. A binary of its own,
//! for it counts every call of the process.

#[cfg(test)]
mod steady_state;
