//! Tests of messages and session descriptions against those that others wrote.

#[cfg(test)]
mod corpora;
#[cfg(test)]
mod digest;
#[cfg(test)]
mod mutation;
#[cfg(test)]
mod offer_answer;
#[cfg(test)]
mod torture;
