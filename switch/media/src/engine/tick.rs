//! Time: frames that are due, silences, reports.

use super::{MediaEngine, PortKey};
use crate::graph::player::Player;
use crate::rtcp::write::{self as report, Report, SenderInfo};
use cordboard_model::id::LegId;
use cordboard_model::media::MediaEvent;
use cordboard_model::time::{Duration, Time};
use core::net::SocketAddr;
use rand_core::RngCore;

/// How often a leg is looked at that waits for nothing: it may begin to wait.
const LOOK: Duration = Duration::from_secs(1);

impl MediaEngine {
    /// Runs the ticks that are due. Ticks that come late are made up for, up to `catch_up_max` packets
    /// of a leg; the time before that is skipped.
    pub fn handle_timeout(&mut self, now: Time) {
        while let Some((key, slot)) = self.ticks.pop(now) {
            self.tick_leg(key, slot, now);
        }
        while let Some((key, slot)) = self.steps.pop(now) {
            self.step_recording(key, slot, now);
        }
        while let Some((key, slot)) = self.beats.pop(now) {
            self.beat_mix(key, slot, now);
        }
        while let Some((key, _)) = self.paths.pop(now) {
            self.tick_path(key, now);
        }
        while let Some((key, slot)) = self.live_steps.pop(now) {
            self.step_live(key, slot, now);
        }
        while let Some((key, _)) = self.watches.pop(now) {
            self.watch_leg(key, now);
        }
    }

    /// Has a leg tick from its next place in the tick on, unless it does already.
    pub(super) fn start_ticking(&mut self, key: u32, now: Time) {
        if self.ticks.has(key) {
            return;
        }
        let Some(leg) = self.legs.get(key) else {
            return;
        };
        let ptime = u64::from(leg.ptime_ms());
        let earliest = self.ticks.slot_at(now) + 1;
        let place = u64::from(leg.phase) % ptime;
        let slot = earliest + (place + ptime - earliest % ptime) % ptime;
        self.ticks.schedule(key, slot, now);
    }

    fn tick_leg(&mut self, key: u32, slot: u64, now: Time) {
        let reached = self.ticks.slot_at(now);
        let Some(leg) = self.legs.get_mut(key) else {
            return;
        };
        if !leg.is_made_for() {
            return;
        }
        let ptime = u64::from(leg.ptime_ms());
        let behind = reached.saturating_sub(slot) / ptime;
        let most = u64::from(self.config.catch_up_max.max(1));
        let cadence = &mut leg.cadence;
        if cadence.pending == 0 && cadence.skipped == 0 {
            cadence.frame_at_ms = slot;
        }
        let mut frames = 1;
        let mut skipped = 0;
        if behind >= most {
            frames = behind + 1 - most;
            skipped = frames;
        } else if u64::from(cadence.pending) >= most {
            // Nobody polled: the oldest gives way.
            skipped = 1;
        } else {
            cadence.pending += 1;
        }
        let skipped_now = u32::try_from(skipped).unwrap_or(u32::MAX);
        cadence.skipped = cadence.skipped.saturating_add(skipped_now);
        if !cadence.queued {
            cadence.queued = true;
            self.frames.push_back(key);
        }
        self.counters.frames_skipped += skipped;
        self.ticks.schedule(key, slot + frames * ptime, now);
    }

    /// The next packet of playback, digits or a mix, check of ICE, DTLS or report that shares their port, written to the front of `buf`, for the
    /// RTP socket of that port.
    pub fn poll_transmit(&mut self, buf: &mut [u8], now: Time) -> Option<(PortKey, SocketAddr, usize)> {
        if buf.len() < Self::TRANSMIT_MIN {
            return None;
        }
        while let Some(key) = self.frames.front().copied() {
            let Some(leg) = self.legs.get_mut(key) else {
                self.frames.pop_front();
                continue;
            };
            let id = leg.id;
            if leg.cadence.skipped > 0 {
                let ended = leg.skip_frames();
                self.finish_playback(id, ended);
                continue;
            }
            if leg.cadence.pending == 0 {
                leg.cadence.queued = false;
                self.frames.pop_front();
                continue;
            }
            leg.cadence.pending -= 1;
            let target = leg.target();
            let frame = leg.make_frame(buf, &self.tones);
            self.counters.digits_refused += frame.refused;
            self.finish_playback(id, frame.ended);
            if let (Some((port, to)), Some(len)) = (target, frame.packet) {
                match self.legs.get_mut(key).and_then(|leg| leg.seal(buf, len, false)) {
                    Some(len) => return Some((port, to, len)),
                    None => self.counters.unsealable += 1,
                }
            }
        }
        if let Some(sent) = self.poll_mixes(buf) {
            return Some(sent);
        }
        if let Some(sent) = self.poll_path(buf, now) {
            return Some(sent);
        }
        while let Some(key) = self.muxed.pop_front() {
            let to = self.legs.get(key).and_then(|leg| leg.stream?.latch.destination());
            if let Some(sent) = self.write_report(key, to, buf, now) {
                return Some(sent);
            }
        }
        None
    }

    fn finish_playback(&mut self, leg: LegId, ended: Option<Box<Player>>) {
        if let Some(player) = ended {
            self.tell(MediaEvent::PlayDone { leg, playback: player.playback(), finished: true });
            self.stock.discard(player);
        }
    }

    /// Looks after a leg's silence and reports from now on.
    pub(super) fn start_watching(&mut self, key: u32, now: Time) {
        let next = now + self.report_interval() / 2;
        if let Some(leg) = self.legs.get_mut(key) {
            leg.reports.due = next;
        }
        self.watch_leg(key, now);
    }

    /// RFC 3550 6.2: "the interval between RTCP packets is varied randomly over the range [0.5,1.5]
    /// times the calculated interval".
    fn report_interval(&mut self) -> Duration {
        let part = self.rng.next_u32() % 1_024;
        self.config.rtcp_interval * (512 + part) / 1_024
    }

    /// Tells of a party that is not heard, or late.
    fn watch_audio(&mut self, key: u32, now: Time) {
        let limit = self.config.unheard_limit;
        let partner = self.legs.get(key).and_then(|leg| leg.partner);
        let partner_heard =
            partner.and_then(|key| self.legs.get(key)).is_some_and(|partner| partner.hearing.is_heard(now));
        let Some(leg) = self.legs.get_mut(key) else {
            return;
        };
        let receives = leg.stream.is_some_and(|stream| stream.params.direction.receives());
        let expected = receives && !leg.watch.held && leg.port.is_some();
        let (id, news) = (leg.id, leg.hearing.look(expected, partner_heard, limit, now));
        if let Some(news) = news {
            self.mention(MediaEvent::Audio { leg: id, news });
        }
    }

    /// Has a leg report with the shell's next packets, if it may.
    pub(super) fn report_soon(&mut self, key: u32) {
        let Some(leg) = self.legs.get_mut(key) else {
            return;
        };
        let is_reported = leg.port.is_some() && leg.stream.is_some() && leg.is_reported();
        if !leg.reports.queued && is_reported {
            leg.reports.queued = true;
            let is_muxed = leg.stream.is_some_and(|stream| stream.params.rtcp_mux);
            if is_muxed { &mut self.muxed } else { &mut self.reports }.push_back(key);
        }
    }

    fn watch_leg(&mut self, key: u32, now: Time) {
        let looks = !self.config.unheard_limit.is_zero();
        if looks {
            self.watch_audio(key, now);
        }
        let (limit, reports) = (self.config.silence_limit, !self.config.rtcp_interval.is_zero());
        let next_report = now + self.report_interval();
        let Some(leg) = self.legs.get_mut(key) else {
            return;
        };
        let id = leg.id;
        let is_due = reports && now >= leg.reports.due;
        if is_due {
            leg.reports.due = next_report;
            self.report_soon(key);
        }
        let Some(leg) = self.legs.get_mut(key) else {
            return;
        };
        let receives = leg.stream.is_some_and(|s| s.params.direction.receives());
        let waits = !limit.is_zero() && receives && !leg.watch.held && leg.port.is_some();
        let silent = waits && !leg.watch.told && now >= leg.watch.heard + limit;
        leg.watch.told |= silent;
        let mut next = if waits && !leg.watch.told {
            leg.watch.heard + limit
        } else if limit.is_zero() {
            Time::FAR
        } else {
            now + LOOK.min(limit)
        };
        if reports {
            next = next.min(leg.reports.due);
        }
        if looks {
            next = next.min(now + LOOK);
        }
        if next < Time::FAR {
            let slot = self.watches.slot_from(next);
            self.watches.schedule(key, slot, now);
        }
        if silent {
            self.mention(MediaEvent::Silent { leg: id });
        }
    }

    /// The next report, written to the front of `buf`, for the RTCP socket of that port.
    pub fn poll_rtcp(&mut self, buf: &mut [u8], now: Time) -> Option<(PortKey, SocketAddr, usize)> {
        if buf.len() < Self::TRANSMIT_MIN {
            return None;
        }
        while let Some(key) = self.reports.pop_front() {
            let Some(leg) = self.legs.get(key) else {
                continue;
            };
            let destination = leg.stream.as_ref().and_then(|s| s.latch.destination());
            let guess = destination.and_then(|to| {
                let port = to.port().checked_add(1)?;
                Some(SocketAddr::new(to.ip(), port))
            });
            let to = leg.reports.from.or(guess);
            if let Some(sent) = self.write_report(key, to, buf, now) {
                return Some(sent);
            }
        }
        None
    }

    /// The report of a leg, sealed if the stream is.
    fn write_report(
        &mut self,
        key: u32,
        to: Option<SocketAddr>,
        buf: &mut [u8],
        now: Time,
    ) -> Option<(PortKey, SocketAddr, usize)> {
        let leg = self.legs.get_mut(key)?;
        leg.reports.queued = false;
        let (port, to) = (leg.port?, to?);
        let (packets, octets) = leg.outgoing.sent();
        let sender = (packets > leg.reports.sent).then(|| SenderInfo {
            timestamp: leg.outgoing.timestamp_at(now),
            packets,
            octets,
        });
        leg.reports.sent = packets;
        let report = Report {
            ssrc: leg.outgoing.ssrc(),
            sender,
            block: leg.reception.report(),
            last: leg.reports.last,
            cname: leg.reports.cname,
        };
        let mut len = report::write(buf, &report, now)?;
        if let Some(video) = leg.video.as_mut() {
            // "an RTCP compound packet [with] feedback MUST contain [...] RR or SR [and] CNAME" before it (RFC 4585 3.1)
            let source = leg.reception.ssrc();
            len += video.take_pending(buf.get_mut(len..).unwrap_or_default(), report.ssrc, source);
        }
        let sealed = leg.seal(buf, len, true);
        if sealed.is_none() {
            self.counters.unsealable += 1;
        }
        Some((port, to, sealed?))
    }
}
