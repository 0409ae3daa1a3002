//! What a leg's party is sent of our own making: keys, playlists, programs, the partner where it is decoded, and mixes; a packet for each
//! due frame.
//!
//! Invariant: time passes by a packet's length for each frame, whether a packet is made or not.

use crate::codec::NARROW;
use crate::codec::g711::Law;
use crate::dtmf::send::Clocks;
use crate::graph::feed::Pulled;
use crate::graph::leg::{FRAME_MAX, Leg, NARROW_MAX, PAYLOAD_END, Way};
use crate::graph::player::Player;
use crate::rtp::Clock;
use crate::rtp::header::{self, HEADER_LEN};
use crate::rtp::outgoing::Own;
use crate::tone::ToneTable;
use cordboard_model::time::Time;

/// What making a frame came to.
#[derive(Debug, Default)]
pub(crate) struct Frame {
    /// Length of the packet at the front of the buffer.
    pub packet: Option<usize>,
    /// The playback that has ended with it.
    pub ended: Option<Box<Player>>,
    /// Digits that could not be sent.
    pub refused: u64,
}

impl Leg {
    /// Ticks of the RTP clock in a packet.
    fn ticks(&self) -> u32 {
        self.outgoing.clock().ticks_in_ms(u64::from(self.ptime_ms())) as u32
    }

    /// The next packet of a key's event.
    fn event_frame(&mut self, buf: &mut [u8], timestamp: u32, restarted: bool) -> Option<usize> {
        let params = self.stream?.params;
        let (payload_type, _) = params.dtmf?;
        let clocks = Clocks { stream: self.outgoing.clock(), event: Clock::new(params.dtmf_hz) };
        let event = self.digits_out.frame(timestamp, u32::from(self.ptime_ms()), clocks)?;
        let place = self.outgoing.local(event.timestamp, restarted);
        let payload = event.event.bytes();
        header::write(buf, HEADER_LEN, payload_type, event.marker, place);
        if let Some(to) = buf.get_mut(HEADER_LEN..HEADER_LEN + payload.len()) {
            to.copy_from_slice(&payload);
        }
        Some(HEADER_LEN + payload.len())
    }

    /// The next packet of a key's tones, and of the pause after it.
    fn tone_frame(&mut self, buf: &mut [u8], timestamp: u32, restarted: bool) -> Option<usize> {
        if !self.digits_out.is_active() {
            return None;
        }
        let mut pcm = [0; NARROW_MAX];
        let pcm = pcm.get_mut(..usize::from(self.ptime_ms()) * 8)?;
        pcm.iter_mut().for_each(|sample| *sample = self.digits_out.sample());
        let spoken = self.coders.as_mut()?.speak_narrow(pcm, buf.get_mut(HEADER_LEN..PAYLOAD_END)?);
        self.finish(buf, spoken, timestamp, restarted)
    }

    /// Puts the header before a payload that was spoken. `None`: there is none to send.
    fn finish(
        &mut self,
        buf: &mut [u8],
        spoken: Option<(usize, bool)>,
        timestamp: u32,
        restarted: bool,
    ) -> Option<usize> {
        let payload_type = self.stream?.params.send_payload_type;
        let (len, begins) = spoken?;
        let place = self.outgoing.local(timestamp, restarted);
        header::write(buf, HEADER_LEN, payload_type, restarted || begins, place);
        Some(HEADER_LEN + len)
    }

    /// The next packet of what the partner says.
    fn feed_frame(&mut self, buf: &mut [u8], at: Time, ticks: u32) -> Option<usize> {
        let ptime = usize::from(self.ptime_ms());
        let feed = self.feed.as_mut()?;
        let rate = feed.rate();
        let mut pcm = [0; FRAME_MAX];
        let pcm = pcm.get_mut(..ptime * (rate / 1_000) as usize)?;
        let pulled = feed.pull(pcm, at);
        self.concealed_us += feed.take_concealed_us();
        if pulled != Pulled::Sound || self.target().is_none() {
            if pulled == Pulled::Off {
                self.outgoing.end_local();
            }
            return None;
        }
        let (coders, room) = (self.coders.as_mut()?, buf.get_mut(HEADER_LEN..PAYLOAD_END)?);
        // it was played something with more than the partner has, and will be tuned by the next command
        let spoken =
            if rate < coders.rate() { coders.speak_narrow(pcm, room) } else { coders.speak(pcm, room) };
        let (timestamp, restarted) = self.outgoing.begin_local(at);
        let packet = self.finish(buf, spoken, timestamp, restarted);
        self.outgoing.advance_local(ticks);
        if let Some(len) = packet {
            self.outgoing.count(len - HEADER_LEN);
        }
        packet
    }

    /// The next packet of the playlist; whether that is its end.
    fn play_frame(
        &mut self,
        buf: &mut [u8],
        tones: &ToneTable,
        timestamp: u32,
        restarted: bool,
    ) -> (Option<usize>, bool) {
        let samples = usize::from(self.ptime_ms()) * 8;
        let (Some(player), Some(coders)) = (self.player.as_mut(), self.coders.as_mut()) else {
            return (None, false);
        };
        let Some(room) = buf.get_mut(HEADER_LEN..PAYLOAD_END) else {
            return (None, false);
        };
        let (spoken, ended) = match Law::of(coders.codec) {
            Some(law) => {
                let ended = player.frame(law, tones, room.get_mut(..samples).unwrap_or_default());
                (Some((samples, false)), ended)
            }
            None if coders.rate() > NARROW => {
                let mut pcm = [0; FRAME_MAX];
                let pcm = pcm.get_mut(..samples * 2).unwrap_or_default();
                let ended = player.wide(tones, pcm);
                (coders.speak(pcm, room), ended)
            }
            None => {
                let mut pcm = [0; NARROW_MAX];
                let pcm = pcm.get_mut(..samples).unwrap_or_default();
                let ended = player.pcm(tones, pcm);
                (coders.speak(pcm, room), ended)
            }
        };
        (self.finish(buf, spoken, timestamp, restarted), ended)
    }

    /// The next packet of what the party's program says.
    fn live_frame(&mut self, buf: &mut [u8], timestamp: u32, restarted: bool) -> Option<usize> {
        let mut pcm = [0; NARROW_MAX];
        let pcm = pcm.get_mut(..usize::from(self.ptime_ms()) * 8)?;
        self.live.as_mut().filter(|live| live.talker().is_some())?.say(pcm);
        let spoken = self.coders.as_mut()?.speak_narrow(pcm, buf.get_mut(HEADER_LEN..PAYLOAD_END)?);
        self.finish(buf, spoken, timestamp, restarted)
    }

    /// A packet of what the mix has for the party: `codes` of a frame that begins at `at`. `None` while it is fed
    /// otherwise, or none may be sent.
    pub(crate) fn mix_frame(&mut self, buf: &mut [u8], codes: &[u8], at: Time) -> Option<usize> {
        if self.is_fed() || self.target().is_none() {
            return None;
        }
        let payload_type = self.stream?.params.send_payload_type;
        let ticks = self.outgoing.clock().ticks_in_ms(u64::from(self.ptime_ms()));
        let ticks = u32::try_from(ticks).unwrap_or(u32::MAX);
        let end = HEADER_LEN + codes.len();
        buf.get_mut(HEADER_LEN..end)?.copy_from_slice(codes);
        let (timestamp, restarted) = self.outgoing.begin(Own::Mix, at);
        let begins = self.coders.as_mut().is_some_and(|coders| coders.turns(codes.is_empty()));
        if codes.is_empty() {
            // Silence that its codec leaves out: time goes on.
            self.outgoing.advance_local(ticks);
            return None;
        }
        let place = self.outgoing.local(timestamp, restarted);
        header::write(buf, HEADER_LEN, payload_type, restarted || begins, place);
        self.outgoing.advance_local(ticks);
        self.outgoing.count(codes.len());
        Some(end)
    }

    /// Passes over the frames that came too late.
    /// The player, if it has ended with them.
    pub(crate) fn skip_frames(&mut self) -> Option<Box<Player>> {
        let ptime = u64::from(self.ptime_ms());
        let ms = u64::from(core::mem::take(&mut self.cadence.skipped)) * ptime;
        if self.target().is_some() && self.is_made_for() {
            let at = Time::from_millis(self.cadence.frame_at_ms);
            self.outgoing.begin_local(at);
            let ticks = self.outgoing.clock().ticks_in_ms(ms);
            self.outgoing.advance_local(u32::try_from(ticks).unwrap_or(u32::MAX));
        }
        self.cadence.frame_at_ms += ms;
        self.skip_playback(u32::try_from(ms * 8).unwrap_or(u32::MAX))
    }

    fn skip_playback(&mut self, samples: u32) -> Option<Box<Player>> {
        if let Some(live) = self.live.as_mut().filter(|_| self.player.is_none()) {
            live.skip(samples);
        }
        let player = self.player.as_mut()?;
        if !player.skip(samples) {
            return None;
        }
        self.player.take()
    }

    /// Makes the next due frame: a digit's packet before the playback's; the playback's time passes
    /// either way.
    pub(crate) fn make_frame(&mut self, buf: &mut [u8], tones: &ToneTable) -> Frame {
        let ptime = self.ptime_ms();
        let (samples, ticks) = (u32::from(ptime) * 8, self.ticks());
        let at = Time::from_millis(self.cadence.frame_at_ms);
        self.cadence.frame_at_ms += u64::from(ptime);
        if !self.is_fed() {
            return Frame { packet: self.feed_frame(buf, at, ticks), ..Frame::default() };
        }
        if self.target().is_none() {
            self.outgoing.detach();
            return Frame {
                refused: self.digits_out.clear(),
                ended: self.skip_playback(samples),
                packet: None,
            };
        }
        let mut frame = Frame::default();
        let (timestamp, restarted) = self.outgoing.begin_local(at);
        let pressing = self.digits_out.is_active();
        let key = match self.way() {
            Some(Way::Events) => self.event_frame(buf, timestamp, restarted),
            Some(Way::Tones) => self.tone_frame(buf, timestamp, restarted),
            Some(Way::Signalling) | None => {
                frame.refused = self.digits_out.clear();
                None
            }
        };
        if key.is_some() || (pressing && self.way() == Some(Way::Tones)) {
            frame.packet = key;
            frame.ended = self.skip_playback(samples);
        } else {
            let (packet, ended) = if self.player.is_some() {
                self.play_frame(buf, tones, timestamp, restarted)
            } else {
                (self.live_frame(buf, timestamp, restarted), false)
            };
            frame.packet = packet;
            if ended {
                frame.ended = self.player.take();
            }
        }
        self.outgoing.advance_local(ticks);
        if let Some(len) = frame.packet {
            self.outgoing.count(len - HEADER_LEN);
        }
        frame
    }
}
