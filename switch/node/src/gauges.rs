//! Numbers that threads leave for the metrics. Plain atomics: nobody waits for anybody.

use std::sync::atomic::AtomicU64;

/// Of one media thread.
#[derive(Debug, Default)]
pub struct MediaGauges {
    /// RTP packets received.
    pub received: AtomicU64,
    /// Packets of ours that came back to us, dropped.
    pub looped: AtomicU64,
    /// Packets for a port whose leg had ended, dropped.
    pub late: AtomicU64,
    /// RTP and RTCP packets sent.
    pub sent: AtomicU64,
    /// Packets that the operating system refused to send.
    pub send_failed: AtomicU64,
    /// Legs that exist.
    pub legs: AtomicU64,
    /// Free pairs of ports.
    pub ports_free: AtomicU64,
    /// 1 if its sockets are asked for by `io_uring`.
    pub io_uring: AtomicU64,
    /// Parts of legs that the thread made itself.
    pub made_here: AtomicU64,
    /// Parts that it freed itself, for the lane to the builder was full.
    pub freed_here: AtomicU64,
}

/// Of who makes and frees what media threads need.
#[derive(Debug, Default)]
pub struct BuilderGauges {
    /// Kits made.
    pub kits: AtomicU64,
    /// Parts freed.
    pub freed: AtomicU64,
    /// Legs that it knows of.
    pub legs: AtomicU64,
}

/// Of the shard.
#[derive(Debug, Default)]
pub struct ShardGauges {
    /// Gateways of trunks that count as down.
    pub gateways_down: AtomicU64,
    /// SIP messages received.
    pub sip_messages: AtomicU64,
    /// SIP messages sent.
    pub sip_sent: AtomicU64,
    /// SIP messages that the operating system refused to send.
    pub sip_send_failed: AtomicU64,
    /// Calls taken.
    pub calls: AtomicU64,
    /// Calls refused for a limit or a stop.
    pub calls_refused: AtomicU64,
    /// Calls with a closing record.
    pub calls_ended: AtomicU64,
    /// Calls up.
    pub calls_up: AtomicU64,
    /// Chats opened.
    pub chats: AtomicU64,
    /// Messages said in chats.
    pub chat_messages: AtomicU64,
    /// Chats that are over.
    pub chats_ended: AtomicU64,
    /// Chats that are not over.
    pub chats_up: AtomicU64,
    /// What of chats the journal has still to write.
    pub chats_owed: AtomicU64,
    /// Transactions that are not over.
    pub transactions: AtomicU64,
    /// Journal records later than allowed.
    pub journal_late: AtomicU64,
    /// Bans of sources.
    pub bans: AtomicU64,
    /// Messages of banned sources, dropped unread.
    pub guard_dropped: AtomicU64,
    /// Answers to strangers that were not sent.
    pub guard_unanswered: AtomicU64,
    /// Requests refused for the load.
    pub overload: AtomicU64,
    /// Calls over the limit of an account or a number.
    pub over_limit: AtomicU64,
    /// Panics that cost a call.
    pub panics: AtomicU64,
}
