//! The engine against scripted peers and against itself, in virtual time.

#[cfg(test)]
mod auth;
#[cfg(test)]
mod belongs;
#[cfg(test)]
mod bench;
#[cfg(test)]
mod calls;
#[cfg(test)]
mod fork;
#[cfg(test)]
mod guard;
#[cfg(test)]
mod hold;
#[cfg(test)]
mod large;
#[cfg(test)]
mod limits;
#[cfg(test)]
mod network;
#[cfg(test)]
mod odd;
#[cfg(test)]
mod outbound;
mod progress;
#[cfg(test)]
mod refer;
#[cfg(test)]
mod registrar;
mod reuse;
#[cfg(test)]
mod routes;
#[cfg(test)]
mod secured;
#[cfg(test)]
mod subscribe;
#[cfg(test)]
mod talk;
mod timers;
#[cfg(test)]
mod torture;
#[cfg(test)]
mod urgent;
