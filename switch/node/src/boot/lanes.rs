//! The lanes between threads: how many slots each has, and why that is enough.

use crate::hep::HepOrder;
use crate::journal::JournalOrder;
use crate::media::{BuildOrder, RecorderOrder};
use crate::metrics::LaneReading;
use crate::shard::Order;
use crate::streams::Piece;
use crate::switch::Closer;
use crate::transport::StreamOrder;
use cordboard_lane::{Receiver, Sender, lane};
use cordboard_media::Discarded;
use cordboard_model::cdr::RecordingEntry;
use cordboard_model::event::Event;
use cordboard_store::Stored;

/// Slots of the lanes, by what waits in them.
const MEDIA_EVENTS: usize = 16_384;
/// A burst of commands for every call that may be up.
const BUILD_ORDERS: usize = 16_384;
/// Those of a thousand legs that end at once, which is more than ends between two looks.
const DISCARDED: usize = 8_192;
const API_ORDERS: usize = 4_096;
const STREAM_MESSAGES: usize = 8_192;
const RECORDER_CHUNKS: usize = 8_192;
/// Recordings that end while the disk hashes an earlier one.
const ENDED: usize = 16_384;
/// Four pieces, 80 ms, of a thousand calls with programs.
const PIECES: usize = 4_096;
const EVENTS: usize = 65_536;
/// Some milliseconds of a switch at its most, at 1 KB each.
const COPIES: usize = 4_096;
const STORED: usize = 65_536;

/// The lanes of the switch, both ends.
pub(super) struct Lanes {
    pub(super) media_events: (Sender<Order>, Receiver<Order>),
    /// Commands to media threads.
    pub(super) builder: (Sender<BuildOrder>, Receiver<BuildOrder>),
    /// What media threads are done with.
    pub(super) discarded: (Sender<Discarded>, Receiver<Discarded>),
    pub(super) journalled: (Sender<Order>, Receiver<Order>),
    pub(super) api: (Sender<Order>, Receiver<Order>),
    /// From TCP, TLS and WebSocket.
    pub(super) streams: (Sender<Order>, Receiver<Order>),
    pub(super) to_streams: (Sender<StreamOrder>, Receiver<StreamOrder>),
    pub(super) journal: (Sender<JournalOrder>, Receiver<JournalOrder>),
    pub(super) stored: (Sender<Stored>, Receiver<Stored>),
    pub(super) recorder: (Sender<RecorderOrder>, Receiver<RecorderOrder>),
    /// Recordings that have ended, to the keeper.
    pub(super) ended: (Sender<RecordingEntry>, Receiver<RecordingEntry>),
    /// Audio of calls to programs.
    pub(super) pieces: (Sender<Piece>, Receiver<Piece>),
    pub(super) events: (Sender<Event>, Receiver<Event>),
    /// Copies of messages for a collector. Closed by itself when there is none.
    pub(super) hep: (Sender<HepOrder>, Receiver<HepOrder>),
}

impl Lanes {
    pub(super) fn new(calls: usize) -> Self {
        Self {
            media_events: lane("media to shard", MEDIA_EVENTS),
            builder: lane("shard to builder", BUILD_ORDERS),
            discarded: lane("media to builder", DISCARDED),
            journalled: lane("journal to shard", calls * 2 + 1_024),
            api: lane("api to shard", API_ORDERS),
            streams: lane("streams to shard", STREAM_MESSAGES),
            to_streams: lane("shard to streams", STREAM_MESSAGES),
            // An opening, a closing and both dialogs of every call that may be up find room at once.
            journal: lane("shard to journal", calls * 8 + 1_024),
            stored: lane("store to journal", STORED),
            recorder: lane("media to recorder", RECORDER_CHUNKS),
            ended: lane("shard to keeper", ENDED),
            pieces: lane("media to streams", PIECES),
            events: lane("shard to hub", EVENTS),
            hep: lane("shard to collector", COPIES),
        }
    }

    /// What a stop closes, in the order of the way down: into the shard, then into the writers.
    pub(super) fn closers(&self) -> Vec<Closer> {
        fn of<T: Send + 'static>(sender: &Sender<T>) -> Closer {
            let sender = sender.clone();
            Box::new(move || sender.close())
        }
        vec![
            of(&self.media_events.0),
            of(&self.builder.0),
            of(&self.discarded.0),
            of(&self.journalled.0),
            of(&self.api.0),
            of(&self.streams.0),
            of(&self.to_streams.0),
            of(&self.recorder.0),
            of(&self.pieces.0),
            of(&self.journal.0),
            of(&self.ended.0),
            of(&self.events.0),
            of(&self.hep.0),
        ]
    }

    pub(super) fn readings(&self) -> Vec<LaneReading> {
        fn of<T: Send + 'static>(sender: &Sender<T>) -> LaneReading {
            let sender = sender.clone();
            Box::new(move || sender.stats())
        }
        vec![
            of(&self.media_events.0),
            of(&self.builder.0),
            of(&self.discarded.0),
            of(&self.journalled.0),
            of(&self.api.0),
            of(&self.streams.0),
            of(&self.to_streams.0),
            of(&self.journal.0),
            of(&self.recorder.0),
            of(&self.ended.0),
            of(&self.pieces.0),
            of(&self.events.0),
            of(&self.hep.0),
        ]
    }
}
