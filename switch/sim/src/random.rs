//! Worlds drawn from a seed.
