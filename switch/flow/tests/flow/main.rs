//! Tests of the Lua host as a whole.

mod hostile;
mod world;
