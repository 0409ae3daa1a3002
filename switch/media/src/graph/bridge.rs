//! From one leg to its partner: the packet stays where it is, its header and codes are rewritten.

use crate::codec;
use crate::codec::g711::{self, Law};
use crate::dtmf::event::Event;
use crate::engine::Verdict;
use crate::graph::leg::{self, Leg, Way};
use crate::kit::Stock;
use crate::rtp::header::{self, HEADER_LEN, Header};
use crate::rtp::outgoing::Relayed;
use crate::rtp::reception::Arrival;
use cordboard_model::media::{Codec, StreamParams};
use cordboard_model::time::Time;

/// What a packet carries.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Content {
    Audio(Codec),
    Event(Event),
    /// Comfort noise at a level: silence from now on.
    Comfort(u8),
}

/// A packet of one party, for the other.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Passage {
    /// Key of the leg it came from.
    pub from: u32,
    pub arrival: Arrival,
    pub header: Header,
    pub content: Content,
    /// The clock of the events of who sent it.
    pub event_hz: u32,
    /// And of the audio.
    pub clock_hz: u32,
}

/// Whether events of one party are what the other can be sent as they are: both count the same clocks.
pub(crate) fn same_events(one: &StreamParams, other: &StreamParams) -> bool {
    one.dtmf_hz == other.dtmf_hz && one.codec.clock_hz() == other.codec.clock_hz()
}

/// Why a packet went no further.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// The other party is not to hear it now.
    NotHeard,
    /// It has no place in what was already sent.
    Stale,
}

/// Rewrites the packet for `to`.
pub(crate) fn relay(passage: Passage, to: &mut Leg, buf: &mut [u8], now: Time) -> Result<Verdict, Stop> {
    let Passage { header, .. } = passage;
    let (port, address) = to.target().ok_or(Stop::NotHeard)?;
    let params = to.stream.map(|s| s.params).ok_or(Stop::NotHeard)?;
    if to.is_fed() {
        return Err(Stop::NotHeard);
    }
    let payload_len = header.payload_end - header.payload_start;
    let same = passage.event_hz == params.dtmf_hz && passage.clock_hz == params.codec.clock_hz();
    let (payload_type, samples) = match passage.content {
        Content::Audio(codec) => {
            let payload = buf.get(header.payload_start..header.payload_end).unwrap_or_default();
            (params.send_payload_type, codec::ticks(codec, payload))
        }
        // With other clocks than the sender's it is sent anew (`MediaEngine::pressed`).
        Content::Event(event) => match params.dtmf.filter(|_| to.way() == Some(Way::Events) && same) {
            Some((payload_type, _)) => (payload_type, u32::from(event.duration)),
            None => {
                to.outgoing.leave_out(passage.from, passage.arrival);
                return Err(Stop::NotHeard);
            }
        },
        // Who did not agree on it need not understand it.
        Content::Comfort(_) => match params.comfort.filter(|_| passage.clock_hz == params.codec.clock_hz()) {
            Some((payload_type, _)) => (payload_type, 0),
            None => {
                to.outgoing.leave_out(passage.from, passage.arrival);
                return Err(Stop::NotHeard);
            }
        },
    };
    let audio = !matches!(passage.content, Content::Event(_));
    let relayed =
        Relayed { leg: passage.from, arrival: passage.arrival, timestamp: header.timestamp, samples, audio };
    let place = to.outgoing.relay(relayed, now).ok_or(Stop::Stale)?;
    // An event's marker means the beginning of a press, and nothing else may set it.
    let marker = header.marker || (audio && place.restarted);
    let offset =
        header::write(buf, header.payload_start, payload_type, marker, place).ok_or(Stop::NotHeard)?;
    if let Content::Audio(codec) = passage.content
        && let Some(codes) = buf.get_mut(header.payload_start..header.payload_end)
    {
        transcode(codec, params.codec, codes);
    }
    to.outgoing.count(payload_len);
    Ok(Verdict::Send { port, to: address, offset, len: HEADER_LEN + payload_len })
}

/// Gives audio that must be decoded to the feed of `to`, which is played out on that leg's own tick. False: it is to be
/// relayed.
pub(crate) fn feed(passage: Passage, to: &mut Leg, buf: &[u8], now: Time) -> bool {
    let (is_fed, can_send) = (to.is_fed(), to.target().is_some());
    let (Some(feed), Some(params)) = (to.feed.as_mut(), to.stream.map(|stream| stream.params)) else {
        return false;
    };
    let codec = match passage.content {
        Content::Audio(codec) => codec,
        Content::Event(_) => {
            feed.hush(now);
            return false;
        }
        Content::Comfort(level) => {
            feed.comfort(passage.arrival, level);
            return feed.is_on();
        }
    };
    let Header { payload_start, payload_end, timestamp, .. } = passage.header;
    let relayable = match packet_octets(codec, params.ptime_ms) {
        Some(wanted) => {
            is_relayable(codec, params.codec) && !feed.is_odd(payload_end - payload_start, wanted)
        }
        None => is_relayable(codec, params.codec),
    };
    if relayable {
        if feed.is_on() {
            feed.stop();
        }
        return false;
    }
    if is_fed || !can_send {
        feed.stop();
    } else {
        let codes = buf.get(payload_start..payload_end).unwrap_or_default();
        feed.put(passage.arrival, timestamp, codes, now);
    }
    true
}

/// Whether packets of one codec can be made packets of the other where they are.
fn is_relayable(codec: Codec, wanted: Codec) -> bool {
    codec == wanted || (Law::of(codec).is_some() && Law::of(wanted).is_some())
}

/// Octets of a packet of so many milliseconds. `None` for codecs whose packets are of any length, which every receiver
/// understands: they are never cut anew.
fn packet_octets(codec: Codec, ptime_ms: u8) -> Option<usize> {
    match codec {
        Codec::Pcma | Codec::Pcmu | Codec::G722 => Some(usize::from(ptime_ms) * 8),
        Codec::L16 => Some(usize::from(ptime_ms) * 32),
        Codec::Opus | Codec::H264 | Codec::Vp8 => None,
    }
}

/// Whether `to` may need a feed of what `from` says: other codecs, or packets of another length than the `ptime` we ask
/// everybody for. Of which codec, and the rate at which both meet with the fewest steps.
pub(crate) fn meeting(from: &StreamParams, to: &StreamParams, ptime_ms: u8) -> Option<(Codec, u32)> {
    let length = packet_octets(from.codec, ptime_ms).is_some() && leg::packet_ms(to) != ptime_ms;
    let needed = !is_relayable(from.codec, to.codec) || length;
    needed.then(|| (from.codec, codec::common_rate(from.codec, to.codec)))
}

/// Has `to` a feed of what `from` says if one may be needed, so that no packet need wait for one.
pub(crate) fn prepare(from: &Leg, to: &mut Leg, ptime_ms: u8, stock: &mut Stock) {
    let params = from.stream.zip(to.stream).map(|(from, to)| (from.params, to.params));
    let Some((codec, common)) = params.and_then(|(from, to)| meeting(&from, &to, ptime_ms)) else {
        return stock.discard(to.feed.take());
    };
    let rate = if to.plays_wide() { codec::WIDE } else { common };
    let Some(coders) = to.coders.as_mut() else {
        return;
    };
    coders.tune(rate, stock);
    let rate = coders.rate().min(common);
    match to.feed.as_mut().filter(|feed| feed.codec() == codec) {
        Some(feed) => feed.tune(rate, stock),
        None => {
            let made = stock.feed(codec, rate);
            stock.discard(to.feed.replace(made));
        }
    }
}

/// Whether two legs can never be joined: video of one codec is not made video of another, nor audio.
pub(crate) fn are_strangers(one: &Leg, other: &Leg) -> bool {
    let codecs = one.stream.zip(other.stream).map(|(one, other)| (one.params.codec, other.params.codec));
    codecs.is_some_and(|(one, other)| (one.is_video() || other.is_video()) && one != other)
}

/// Codes of one law become codes of the other, in place. Same codec: nothing is touched.
fn transcode(codec: Codec, wanted: Codec, codes: &mut [u8]) {
    if let (Some(law), Some(wanted)) = (Law::of(codec), Law::of(wanted)) {
        g711::transcode(law, wanted, codes);
    }
}
