//! What is going to happen, in the order of time; of equal times the one planned first.

use crate::phone::PhoneCommand;
use cordboard_core::{RoomOrder, ShardCommand};
use cordboard_model::dns::DnsAnswer;
use cordboard_model::id::{AgentId, AssetId, CallId, StreamId};
use cordboard_model::media::{MediaCommand, MediaEvent};
use cordboard_model::stream::StreamEnd;
use cordboard_model::time::Time;
use core::cmp::Ordering;
use core::net::SocketAddr;
use std::collections::BinaryHeap;

/// An agent's wish.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// Come to work.
    SignIn,
    /// Leave.
    SignOut,
    /// May be offered calls.
    Ready,
    /// Not to be offered calls.
    NotReady,
    /// On a break.
    Rest,
}

/// What the API may want of a call's party.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sending {
    /// Send it to this number.
    Blind(String),
    /// Send it there once who sends has spoken to it.
    Consult(String),
    /// It was spoken to.
    Complete,
    /// Take it back.
    Cancel,
    /// Join it with whom the same party reached in this other call.
    Join(CallId),
    /// Change who is in it, or who hears whom.
    Room(RoomOrder),
}

/// Something that happens.
#[derive(Debug)]
pub(super) enum Happening {
    SipToSwitch { from: SocketAddr, bytes: Vec<u8> },
    MediaToSwitch { from: SocketAddr, port: u16, bytes: Vec<u8> },
    SipToPhone { phone: usize, bytes: Vec<u8> },
    MediaToPhone { phone: usize, line: u16, bytes: Vec<u8> },
    Journalled { ticket: u64, ok: bool },
    Command(Box<ShardCommand>),
    Wish(AgentId, Wish),
    Looked { ticket: u64, answer: DnsAnswer },
    StreamEnded { call: CallId, stream: StreamId, end: StreamEnd },
    Fetched { ticket: u64, fetched: cordboard_model::fetch::Fetched },
    Hashed { ticket: u64, hashed: cordboard_model::signin::Hashed },
    Spoken { ticket: u64, asset: Option<AssetId> },
    Send(CallId, Sending),
    MediaCommand(MediaCommand),
    MediaEvent(MediaEvent),
    Phone(usize, Box<PhoneCommand>),
    Cut { phone: usize, cut: bool },
}

#[derive(Debug)]
struct Entry {
    at: Time,
    number: u64,
    what: Happening,
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Entry {}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Entry {
    /// The heap gives the greatest first: that is the earliest.
    fn cmp(&self, other: &Self) -> Ordering {
        (other.at, other.number).cmp(&(self.at, self.number))
    }
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Agenda {
    heap: BinaryHeap<Entry>,
    planned: u64,
}

impl Agenda {
    pub fn plan(&mut self, at: Time, what: Happening) {
        self.planned += 1;
        self.heap.push(Entry { at, number: self.planned, what });
    }

    pub fn next(&self) -> Option<Time> {
        self.heap.peek().map(|entry| entry.at)
    }

    pub fn pop(&mut self) -> Option<Happening> {
        self.heap.pop().map(|entry| entry.what)
    }

    /// Keeps what is wanted.
    pub fn retain(&mut self, wanted: impl Fn(&Happening) -> bool) {
        self.heap.retain(|entry| wanted(&entry.what));
    }

    pub fn len(&self) -> usize {
        self.heap.len()
    }
}
