//! Packet scripts in virtual time: what goes in, what comes out.

#[cfg(test)]
mod band;
#[cfg(test)]
mod band_mixed;
#[cfg(test)]
mod band_recorded;
#[cfg(test)]
mod corpus;
#[cfg(test)]
mod digits;
#[cfg(test)]
mod drift;
#[cfg(test)]
mod fuzz;
#[cfg(test)]
mod g711;
#[cfg(test)]
mod g722;
#[cfg(test)]
mod golden;
#[cfg(test)]
mod harness;
#[cfg(test)]
mod impairment;
#[cfg(test)]
mod keys;
#[cfg(test)]
mod learning;
#[cfg(test)]
mod lifecycle;
mod live;
#[cfg(test)]
mod mixing;
mod opus;
#[cfg(test)]
mod path;
mod playback;
#[cfg(test)]
mod quiet;
#[cfg(test)]
mod recording;
#[cfg(test)]
mod reports;
#[cfg(test)]
mod secure;
#[cfg(test)]
mod silence;
#[cfg(test)]
mod skew;
#[cfg(test)]
mod travel;
#[cfg(test)]
mod unheard;
#[cfg(test)]
mod video;
#[cfg(test)]
mod wideband;
