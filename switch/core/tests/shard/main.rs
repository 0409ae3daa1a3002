//! The shard by itself: text in, text out, under a clock of the test's.

#[cfg(test)]
mod callbacks;
#[cfg(test)]
mod calls;
#[cfg(test)]
mod chats;
#[cfg(test)]
mod clicks;
#[cfg(test)]
mod consulting;
#[cfg(test)]
mod desks;
#[cfg(test)]
mod device;
#[cfg(test)]
mod guests;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod identity;
#[cfg(test)]
mod kept;
#[cfg(test)]
mod lines;
#[cfg(test)]
mod lines_desk;
#[cfg(test)]
mod names;
#[cfg(test)]
mod queues;
#[cfg(test)]
mod restart;
#[cfg(test)]
mod rig;
#[cfg(test)]
mod routing;
#[cfg(test)]
mod sign_in;
#[cfg(test)]
mod stopping;
#[cfg(test)]
mod tables;
#[cfg(test)]
mod tenants;
#[cfg(test)]
mod transfer;
#[cfg(test)]
mod urgent;
#[cfg(test)]
mod video;
