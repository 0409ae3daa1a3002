//! Checks and drivers of the workspace as code.
fn main() {}
