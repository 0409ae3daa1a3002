//! From one leg to its partner: the packet stays where it is, its header and codes are rewritten.

use crate::codec::g711::{self, Law};
use crate::dtmf::event::Event;
use crate::engine::Verdict;
use crate::graph::leg::{Leg, Way};
use crate::rtp::header::{self, HEADER_LEN, Header};
use crate::rtp::outgoing::Relayed;
use crate::rtp::reception::Arrival;
use cordboard_model::media::Codec;
use cordboard_model::time::Time;

/// What a packet carries.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Content {
    Audio(Codec),
    Event(Event),
}

/// A packet of one party, for the other.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Passage {
    /// Key of the leg it came from.
    pub from: u32,
    pub arrival: Arrival,
    pub header: Header,
    pub content: Content,
}

/// Why a packet went no further.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// The other party is not to hear it now.
    NotHeard,
    /// It has no place in what was already sent.
    Stale,
}

/// Samples that are transcoded at once.
const PIECE: usize = 80;

/// Rewrites the packet of `from` for `to`.
pub(crate) fn relay(
    passage: Passage,
    from: &mut Leg,
    to: &mut Leg,
    buf: &mut [u8],
    now: Time,
) -> Result<Verdict, Stop> {
    let Passage { header, .. } = passage;
    let (port, address) = to.target().ok_or(Stop::NotHeard)?;
    let params = to.stream.map(|s| s.params).ok_or(Stop::NotHeard)?;
    if to.is_fed() {
        return Err(Stop::NotHeard);
    }
    let payload_len = header.payload_end - header.payload_start;
    let (payload_type, samples) = match passage.content {
        Content::Audio(_) => (params.send_payload_type, payload_len as u32),
        Content::Event(event) => match params.dtmf.filter(|_| to.way() == Some(Way::Events)) {
            Some((payload_type, _)) => (payload_type, u32::from(event.duration)),
            None => {
                to.outgoing.leave_out(passage.from, passage.arrival);
                return Err(Stop::NotHeard);
            }
        },
    };
    let audio = matches!(passage.content, Content::Audio(_));
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
        transcode(codec, params.codec, from, to, codes);
    }
    to.outgoing.count(payload_len);
    Ok(Verdict::Send { port, to: address, offset, len: HEADER_LEN + payload_len })
}

/// Codes of one codec become codes of the other, in place. Same codec: nothing is touched. G.711 to G.711: a table. Else
/// by way of samples at 8 kHz, which all of these have a code for each of.
fn transcode(codec: Codec, wanted: Codec, from: &mut Leg, to: &mut Leg, codes: &mut [u8]) {
    if codec == wanted {
        return;
    }
    if let (Some(law), Some(wanted)) = (Law::of(codec), Law::of(wanted)) {
        return g711::transcode(law, wanted, codes);
    }
    let (Some(from), Some(to)) = (from.coders.as_mut(), to.coders.as_mut()) else {
        return;
    };
    for piece in codes.chunks_mut(PIECE) {
        let mut pcm = [0; PIECE];
        let len = from.ear.decode(piece, &mut pcm);
        to.mouth.encode(&pcm[..len], piece);
    }
}
