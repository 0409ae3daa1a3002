//! Tests of the Lua host as a whole.

#[cfg(test)]
mod cook_book;
#[cfg(test)]
mod engine;
#[cfg(test)]
mod golden;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod library;
#[cfg(test)]
mod replay;
#[cfg(test)]
mod sandbox;
#[cfg(test)]
mod scripts;
#[cfg(test)]
mod shipped;
#[cfg(test)]
mod soup;
#[cfg(test)]
mod speech;
#[cfg(test)]
mod texts;
#[cfg(test)]
mod trace;
#[cfg(test)]
mod verbs;
#[cfg(test)]
mod world;
