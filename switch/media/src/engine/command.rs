//! Commands of the shard, and the shell's answers about ports.

use super::{MediaEngine, MediaOutput, NO_LEG, PortKey};
use crate::graph::bridge;
use crate::graph::leg::{Leg, Stream, is_public};
use crate::graph::player::{ITEMS_MAX, Item, Player};
use crate::graph::video::Video;
use crate::kit::Kit;
use crate::rtp::latch::Latch;
use cordboard_model::id::{LegId, PlaybackId};
use cordboard_model::media::{
    MediaCommand, MediaEvent, OpenError, PlayItem, Repeat, StreamParams, VideoFeedback,
};
use cordboard_model::time::Time;
use core::net::{IpAddr, SocketAddr};

/// Legs that come after each other lie this far apart in the tick: calls come in pairs of legs, and
/// their work is to be spread.
const PHASE_STEP: u8 = 7;
/// Phases: a common multiple of the usual packet times.
const PHASES: u8 = 60;

impl MediaEngine {
    /// Obeys a command. One that names what does not exist is counted and, if somebody waits for its
    /// end (`Play`, `Record`), answered with that end.
    pub fn handle_command(&mut self, command: MediaCommand, now: Time) {
        self.handle_prepared(command, None, now);
    }

    /// The same, with what a [`KitMaker`](crate::KitMaker) made for it: what the engine then does not need comes out by
    /// [`MediaEngine::poll_discarded`], the command with it.
    pub fn handle_prepared(&mut self, command: MediaCommand, kit: Option<Box<Kit>>, now: Time) {
        self.stock.open(kit);
        self.obey(&command, now);
        self.stock.shut(command);
    }

    fn obey(&mut self, command: &MediaCommand, now: Time) {
        match *command {
            MediaCommand::Open { leg, near: _ } => self.open(leg),
            MediaCommand::Configure { leg, params, signals, ref keys, ref path } => {
                self.configure(leg, params, signals, now);
                if let Some(key) = self.by_id.get(&leg) {
                    self.configure_path(key, path.as_deref(), keys.as_deref(), now);
                }
            }
            MediaCommand::Video { leg, beside, feedback } => self.carry_video(leg, beside, feedback),
            MediaCommand::Play { leg, playback, ref items, repeat } => {
                self.play(leg, playback, items, repeat, now)
            }
            MediaCommand::StopPlay { leg, playback } => self.stop_play(leg, playback),
            MediaCommand::Bridge { a, b } => self.bridge(a, b),
            MediaCommand::Mix { mix, ref members, gain } => self.mix(mix, members, gain, now),
            MediaCommand::Unbridge { leg } => {
                if let Some(key) = self.find(leg) {
                    self.part(key);
                }
            }
            MediaCommand::Dtmf { leg, kind } => self.set_dtmf(leg, kind),
            MediaCommand::Pressed { leg, digit } => self.pressed_outside(leg, digit, now),
            MediaCommand::SendDigits { leg, ref digits, length_ms } => {
                self.send_digits(leg, digits, length_ms, now)
            }
            MediaCommand::Record { recording, left, right } => {
                self.begin_recording(recording, left, right, now)
            }
            MediaCommand::PauseRecord { recording, on } => self.pause_recording(recording, on, now),
            MediaCommand::Secret { leg, on } => self.set_secret(leg, on, now),
            MediaCommand::StopRecord { recording } => match self.by_recording.get(&recording) {
                Some(key) => self.stop_recording(key, now),
                None => self.counters.commands_ignored += 1,
            },
            MediaCommand::Live { leg, stream } => self.begin_live(leg, stream, now),
            MediaCommand::Listen { leg, stream, track } => self.begin_listening(leg, stream, track, now),
            MediaCommand::StopLive { leg, stream } => self.stop_live(leg, stream),
            MediaCommand::Held { leg, held } => self.hold(leg, held, now),
            MediaCommand::Vacate { leg } => self.vacate(leg, now),
            MediaCommand::Close { leg } => {
                if let Some(key) = self.find(leg) {
                    self.close(key, now);
                }
            }
        }
    }

    pub(super) fn find(&mut self, leg: LegId) -> Option<u32> {
        let key = self.by_id.get(&leg);
        let alive = key.filter(|key| self.legs.get(*key).is_some_and(|leg| !leg.closing));
        if alive.is_none() {
            self.counters.commands_ignored += 1;
        }
        alive
    }

    fn open(&mut self, leg: LegId) {
        if self.by_id.contains(&leg) {
            self.counters.commands_ignored += 1;
            return;
        }
        if self.by_id.len() >= self.config.legs_max as usize {
            let why = OpenError::Overloaded;
            self.tell(MediaEvent::OpenFailed { leg, why });
            return;
        }
        let tick = self.config.tick.as_millis().min(255) as u8;
        let made = Leg::new(leg, self.next_phase, tick, &mut self.rng);
        self.next_phase = (self.next_phase + PHASE_STEP) % PHASES;
        let key = self.legs.insert(made);
        self.by_id.insert(leg, key);
        self.make_room();
        self.outputs.push_back(MediaOutput::OpenPort { leg });
    }

    /// Every leg has a place wherever it may have to wait, so that no packet and no tick need make one.
    pub(super) fn make_room(&mut self) {
        let reach = self.legs.reach();
        self.ticks.reserve(reach);
        self.watches.reserve(reach);
        self.paths.reserve(reach);
        self.ways.reserve(reach - self.ways.len().min(reach));
        self.frames.reserve(reach - self.frames.len().min(reach));
        self.reports.reserve(reach - self.reports.len().min(reach));
        self.muxed.reserve(reach - self.muxed.len().min(reach));
    }

    /// Packets of this port are this leg's.
    pub(super) fn own_port(&mut self, port: PortKey, key: u32) {
        let at = port.0 as usize;
        if self.by_port.len() <= at {
            self.by_port.resize(at + 1, NO_LEG);
        }
        self.by_port[at] = key;
    }

    /// The answer to `OpenPort`: the pair is bound, and `local` is the address of its RTP socket as
    /// the peer is to see it.
    pub fn port_opened(&mut self, leg: LegId, port: PortKey, local: SocketAddr, now: Time) {
        let key = self.by_id.get(&leg);
        let waiting = key.filter(|key| self.legs.get(*key).is_some_and(|leg| leg.port.is_none()));
        let Some(key) = waiting else {
            self.counters.commands_ignored += 1;
            self.outputs.push_back(MediaOutput::ClosePort(port));
            return;
        };
        if port > PortKey::MAX {
            self.outputs.push_back(MediaOutput::ClosePort(port));
            self.port_failed(leg, OpenError::Overloaded, now);
            return;
        }
        self.own_port(port, key);
        let Some(opened) = self.legs.get_mut(key) else {
            return;
        };
        opened.port = Some(port);
        opened.public = is_public(local.ip());
        opened.watch.heard = now;
        if opened.closing {
            self.close(key, now);
        } else {
            self.tell(MediaEvent::Opened { leg, local });
        }
    }

    /// The other answer to `OpenPort`.
    pub fn port_failed(&mut self, leg: LegId, why: OpenError, now: Time) {
        let Some(key) = self.by_id.get(&leg) else {
            self.counters.commands_ignored += 1;
            return;
        };
        match self.legs.get(key) {
            Some(failed) if failed.port.is_none() => {
                // Who closed it meanwhile waits for Closed, everybody else for the failure.
                let closing = failed.closing;
                let stats = self.remove(key, now);
                self.tell(if closing {
                    MediaEvent::Closed { leg, stats }
                } else {
                    MediaEvent::OpenFailed { leg, why }
                });
            }
            _ => self.counters.commands_ignored += 1,
        }
    }

    fn configure(&mut self, leg: LegId, params: StreamParams, signals: Option<IpAddr>, now: Time) {
        let Some(key) = self.find(leg) else {
            return;
        };
        let needed = self.config.learn_packets;
        let Some(leg) = self.legs.get_mut(key) else {
            return;
        };
        let before = leg.stream.take();
        let same_remote =
            before.filter(|old| old.latch.is_steered() || old.latch.negotiated() == params.remote);
        if same_remote.is_none() {
            leg.reports.from = None;
            leg.reception.forget();
        }
        leg.stream = Some(Stream {
            params,
            latch: same_remote
                .map_or_else(|| Latch::new(params.remote, needed), |old| old.latch)
                .described(signals, now),
        });
        if let Some(port) = leg.port
            && leg.one_port != params.rtcp_mux
        {
            leg.one_port = params.rtcp_mux;
            self.outputs.push_back(MediaOutput::RtcpPort { port, wanted: !params.rtcp_mux });
        }
        leg.speak_as(&params, &mut self.stock, now);
        if let Some(live) = &mut leg.live {
            live.set_codec(params.codec, &mut self.stock);
        }
        leg.prick_ear(&mut self.stock);
        let turned = before.is_none_or(|old| old.params.direction != params.direction);
        let received = before.is_some_and(|old| old.params.direction.receives());
        if params.direction.receives() && !received {
            leg.hear(now);
            leg.hearing.expect(now);
        }
        let partner = leg.partner;
        let is_video = leg.video.is_some();
        if turned {
            // Held audio is not lost audio: numbers go on where they were.
            leg.outgoing.detach();
            if let Some(partner) = partner.and_then(|partner| self.legs.get_mut(partner)) {
                partner.outgoing.detach();
            }
        }
        if before.is_none() {
            self.start_watching(key, now);
        }
        self.prepare_feeds(key);
        self.tune_tape(key);
        if let (true, true, Some(partner)) = (turned, is_video, partner) {
            self.want_picture(partner);
        }
    }

    /// A leg carries video: nobody speaks on it, and its party knows by its name that it belongs to the audio.
    fn carry_video(&mut self, leg: LegId, beside: LegId, takes: VideoFeedback) {
        let Some(key) = self.find(leg) else {
            return;
        };
        let cname = self.by_id.get(&beside).and_then(|key| self.legs.get(key)).map(|leg| leg.reports.cname);
        let Some(leg) = self.legs.get_mut(key) else {
            return;
        };
        // no silence of it is anybody's concern: a camera may be covered
        leg.watch.held = true;
        leg.reports.cname = cname.unwrap_or(leg.reports.cname);
        match &mut leg.video {
            Some(video) => (video.beside, video.takes) = (beside, takes),
            none => *none = Some(Box::new(Video::new(beside, takes))),
        }
    }

    /// Asks for a whole picture of a leg's party, if it is one of video that is told such things.
    pub(super) fn want_picture(&mut self, key: u32) {
        if self.legs.get_mut(key).and_then(|leg| leg.video.as_mut()).is_some_and(|video| video.want()) {
            self.report_soon(key);
        }
    }

    fn play(&mut self, id: LegId, playback: PlaybackId, items: &[PlayItem], repeat: Repeat, now: Time) {
        let Some(key) = self.find(id) else {
            self.play_done(id, playback, false);
            return;
        };
        let whole = self.has_all(items);
        let player = if whole { self.player(playback, items, repeat) } else { None };
        let starts = player.is_some();
        let replaced = self.legs.get_mut(key).and_then(|leg| leg.take_player(player, &mut self.stock));
        if let Some(old) = replaced {
            self.play_done(id, old, false);
        }
        if starts {
            if let Some(leg) = self.legs.get_mut(key) {
                leg.tune_to_player(&mut self.stock);
            }
            self.start_ticking(key, now);
        } else {
            self.play_done(id, playback, whole && repeat == Repeat::Once);
        }
    }

    /// Whether all items can be played. If one is missing, or there are too many, nothing is: half an announcement is worse
    /// than the caller's knowing that there was none.
    fn has_all(&self, items: &[PlayItem]) -> bool {
        items.len() <= ITEMS_MAX && items.iter().all(|item| self.find_item(item).is_some())
    }

    fn find_item(&self, item: &PlayItem) -> Option<Item> {
        match item {
            PlayItem::Asset(asset) => self.assets.get(asset).cloned().map(Item::Audio),
            PlayItem::Tone(tone, ms) => Some(Item::Tone(*tone, u64::from(*ms) * 8)),
            PlayItem::Silence(ms) => Some(Item::Silence(u64::from(*ms) * 8)),
            PlayItem::Say(_) => None,
        }
    }

    /// At the beginning of the items; `None` if there is nothing to play in them.
    fn player(&mut self, playback: PlaybackId, items: &[PlayItem], repeat: Repeat) -> Option<Box<Player>> {
        let mut player = self.stock.player(playback, items.len());
        let found = items.iter().filter_map(|item| self.find_item(item));
        if player.begin(playback, found, repeat) {
            return Some(player);
        }
        self.stock.discard(player);
        None
    }

    fn stop_play(&mut self, id: LegId, playback: PlaybackId) {
        let Some(key) = self.find(id) else {
            return;
        };
        let Some(leg) = self.legs.get_mut(key) else {
            return;
        };
        if leg.player.as_ref().is_some_and(|p| p.playback() == playback) {
            leg.take_player(None, &mut self.stock);
            self.play_done(id, playback, false);
            // what was played may have had more than the partner has
            self.prepare_feeds(key);
        }
    }

    fn play_done(&mut self, leg: LegId, playback: PlaybackId, finished: bool) {
        self.tell(MediaEvent::PlayDone { leg, playback, finished });
    }

    fn bridge(&mut self, a: LegId, b: LegId) {
        let (Some(first), Some(second)) = (self.find(a), self.find(b)) else {
            return;
        };
        if first == second {
            self.counters.commands_ignored += 1;
            return;
        }
        if self.legs.get(first).is_some_and(|leg| leg.partner == Some(second)) {
            return;
        }
        let said = [first, second].map(|key| self.take_feed(key));
        self.part(first);
        self.part(second);
        if let Some((one, other)) = self.legs.pair_mut(first, second) {
            one.partner = Some(second);
            other.partner = Some(first);
            // what was said in a mix and not yet heard is heard by the partner, if he needs it decoded
            [other.feed, one.feed] = said;
        } else {
            said.into_iter().for_each(|feed| self.stock.discard(feed));
        }
        self.prepare_feeds(first);
        for key in [first, second] {
            self.want_picture(key);
        }
    }

    /// Two legs are joined, or what one of them agreed on has changed.
    fn prepare_feeds(&mut self, key: u32) {
        let ptime = self.config.tick.as_millis().min(255) as u8;
        self.prepare_seat(key);
        let partner = self.legs.get(key).and_then(|leg| leg.partner);
        if let Some((one, other)) = partner.and_then(|partner| self.legs.pair_mut(key, partner)) {
            if bridge::are_strangers(one, other) {
                self.counters.commands_ignored += 1;
                return self.part(key);
            }
            bridge::prepare(one, other, ptime, &mut self.stock);
            bridge::prepare(other, one, ptime, &mut self.stock);
        }
    }

    pub(super) fn part(&mut self, key: u32) {
        self.leave_mix(key);
        let Some(leg) = self.legs.get_mut(key) else {
            return;
        };
        leg.outgoing.detach();
        let partner = leg.partner.take();
        self.stock.discard(leg.feed.take());
        if let Some(partner) = partner.and_then(|partner| self.legs.get_mut(partner)) {
            partner.partner = None;
            self.stock.discard(partner.feed.take());
            partner.outgoing.detach();
        }
    }

    pub(super) fn hold(&mut self, id: LegId, held: bool, now: Time) {
        let Some(key) = self.find(id) else {
            return;
        };
        if let Some(leg) = self.legs.get_mut(key) {
            if leg.watch.held && !held {
                leg.hear(now);
            }
            leg.watch.held = held;
        }
    }

    fn close(&mut self, key: u32, now: Time) {
        let Some(leg) = self.legs.get_mut(key) else {
            return;
        };
        let (id, port) = (leg.id, leg.port);
        let Some(port) = port else {
            leg.closing = true;
            self.quiet(key, now);
            return;
        };
        let stats = self.remove(key, now);
        self.outputs.push_back(MediaOutput::ClosePort(port));
        self.tell(MediaEvent::Closed { leg: id, stats });
    }

    /// Ends what the leg plays, hears and tells, and its clocks.
    fn quiet(&mut self, key: u32, now: Time) {
        self.ticks.cancel(key);
        self.watches.cancel(key);
        self.paths.cancel(key);
        self.let_go(key, now);
    }

    /// Whoever is joined with the leg, plays to it, records it or has it as a program is so no longer.
    pub(super) fn let_go(&mut self, key: u32, now: Time) {
        self.part(key);
        self.end_live(key);
        let Some(leg) = self.legs.get_mut(key) else {
            return;
        };
        let id = leg.id;
        let taps = core::mem::take(&mut leg.taps);
        let playback = leg.take_player(None, &mut self.stock);
        leg.digits_out.clear();
        if let Some(playback) = playback {
            self.play_done(id, playback, false);
        }
        self.leave_recordings(key, &taps, now);
    }

    fn remove(&mut self, key: u32, now: Time) -> cordboard_model::media::LegStats {
        self.quiet(key, now);
        self.frames.retain(|waiting| *waiting != key);
        self.reports.retain(|waiting| *waiting != key);
        self.muxed.retain(|waiting| *waiting != key);
        self.ways.retain(|waiting| *waiting != key);
        let Some(mut leg) = self.legs.remove(key) else {
            return Default::default();
        };
        self.by_id.remove(&leg.id);
        if let Some(port) = leg.port
            && let Some(owner) = self.by_port.get_mut(port.0 as usize)
            && *owner == key
        {
            *owner = NO_LEG;
        }
        let stats = leg.stats();
        leg.hand_back(&mut self.stock);
        stats
    }
}
