//! Recordings: begun with the talk or when they are asked for, stopped with it, listed when the last sample is in.
//!
//! Invariant: what a pause leaves out is told once, with who asked and why, and stands in the recording's entry from
//! sample to sample. A pause belongs to the call: what is begun while it lasts begins paused.

use crate::call::{Call, Doing};
use crate::desk::Desk;
use crate::leg::{Leg, Port};
use crate::output::CallOutput;
use cordboard_model::audio::RecordWhen;
use cordboard_model::cdr::{RecordedParty, RecordingEntry, RecordingPause, Resumed};
use cordboard_model::desk::RecordingNow;
use cordboard_model::event::EventKind;
use cordboard_model::id::{LegId, RecordingId};
use cordboard_model::journal::JournalRecord;
use cordboard_model::media::MediaCommand;
use cordboard_model::time::Wall;
use cordboard_model::verb::RecordAct;

/// Most pauses of one recording: all of them stand in one record of the journal.
const PAUSES_MAX: usize = 256;

/// What is asked for, by whom and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordAsked {
    /// What.
    pub act: RecordAct,
    /// `key wallboard`, `flow payment`.
    pub by: String,
    /// In his words; may be empty.
    pub why: String,
}

/// Why it is not done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordRefusal {
    /// There is no such call.
    NotFound,
    /// Nobody is there to be recorded, or nothing is recorded.
    Nobody,
    /// The call has as many recordings, or pauses, as one may have.
    Limit,
    /// The agent's, the queue's or the trunk's talks are never recorded.
    Forbidden,
}

/// What was asked for, for what is recorded now and later.
#[derive(Clone, Debug, Default)]
pub(crate) struct RecordingRule {
    /// Talks are recorded, or not, whatever their queue says.
    wanted: Option<bool>,
    /// What for.
    label: String,
    /// Who paused, why and when.
    paused: Option<(String, String, Wall)>,
}

impl RecordingRule {
    /// What a flow or the API has said, if anything.
    pub(crate) fn wanted(&self) -> Option<bool> {
        self.wanted
    }
}

/// A pause, until both its ends are known.
#[derive(Clone, Debug)]
struct Pause {
    from_sample: Option<u64>,
    to_sample: Option<u64>,
    at: Wall,
    by: String,
    why: String,
    resumed: Option<Resumed>,
}

/// One recording.
#[derive(Clone, Debug)]
pub(crate) struct Recording {
    pub(crate) id: RecordingId,
    started: Wall,
    state: State,
    pauses: Vec<Pause>,
    parties: Vec<RecordedParty>,
    label: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Running,
    Stopping,
    Closed,
}

impl Recording {
    /// Whether its last sample is in.
    pub(crate) fn is_closed(&self) -> bool {
        self.state == State::Closed
    }

    /// The marks, once there is no more to come.
    fn marks(&mut self) -> Vec<RecordingPause> {
        let done = |pause: Pause| {
            let Pause { from_sample, to_sample, at, by, why, resumed } = pause;
            Some(RecordingPause { from_sample: from_sample?, to_sample, at, by, why, resumed })
        };
        self.pauses.drain(..).filter_map(done).collect()
    }
}

fn recorded(leg: &Leg) -> RecordedParty {
    RecordedParty { leg: leg.id, party: leg.party.clone(), agent: leg.agent.clone() }
}

impl Call {
    /// Two parties are joined: they are recorded if the queue says so, unless a flow or the API has said otherwise. The
    /// caller's own recording ends. What was asked for before, or decided for whoever talked before, does not bring one who
    /// is never recorded into a recording.
    pub(crate) fn record_talk(&mut self, desk: &mut Desk, peer: LegId, by_queue: bool) {
        self.stop_recordings(desk);
        if self.record_rule(desk).when == RecordWhen::Never {
            return;
        }
        if self.recording_rule.wanted.unwrap_or(by_queue) && self.recordings.len() < desk.limits.recordings {
            self.start_recording(desk, Some(peer));
        }
    }

    /// Does what a flow or the API asks for.
    pub(crate) fn record(&mut self, desk: &mut Desk, asked: RecordAsked) -> Result<(), RecordRefusal> {
        match asked.act {
            RecordAct::Start => return self.record_now(desk, asked.why),
            RecordAct::Stop => {
                if !self.goes_on_recorded() {
                    self.is_recorded()?;
                }
                self.recording_rule = RecordingRule { wanted: Some(false), ..RecordingRule::default() };
                self.stop_recordings(desk);
            }
            RecordAct::Pause => {
                self.is_recorded()?;
                if self.recordings.iter().any(|of| of.pauses.len() >= PAUSES_MAX) {
                    return Err(RecordRefusal::Limit);
                }
                if self.recording_rule.paused.is_none() {
                    self.recording_rule.paused = Some((asked.by, asked.why, desk.wall_now()));
                    self.pause_running(desk);
                }
            }
            RecordAct::Resume => {
                // a pause goes on over recordings, and so ends also where none runs for the moment
                match self.recording_rule.paused.take() {
                    Some(_) => self.resume_running(desk, &asked.by),
                    None => self.is_recorded()?,
                }
            }
        }
        Ok(())
    }

    /// Whether a talk was interrupted that is recorded again when it goes on.
    fn goes_on_recorded(&self) -> bool {
        let talk = match &self.doing {
            Doing::Transfer(transfer) => Some(&transfer.talk),
            _ => self.aside.as_ref().map(|aside| &aside.talk),
        };
        talk.is_some_and(|talk| self.recording_rule.wanted.unwrap_or(talk.record))
    }

    /// Whether a talk may be interrupted: not one that is recorded and could not be recorded any more when it goes on.
    pub(crate) fn may_be_interrupted(&self, desk: &Desk) -> bool {
        let record = match &self.doing {
            Doing::Talk(talk) => self.recording_rule.wanted.unwrap_or(talk.record),
            _ => false,
        };
        !record || self.recordings.len() < desk.limits.recordings
    }

    /// Whether it is recorded now, for who looks at it.
    pub(crate) fn recording_now(&self, desk: &Desk) -> RecordingNow {
        match self.is_recorded() {
            Ok(()) if self.recording_rule.paused.is_some() => RecordingNow::Paused,
            Ok(()) => RecordingNow::On,
            Err(_) if self.record_rule(desk).when == RecordWhen::Never => RecordingNow::Never,
            Err(_) => RecordingNow::Off,
        }
    }

    fn is_recorded(&self) -> Result<(), RecordRefusal> {
        let running = self.recordings.iter().any(|recording| recording.state == State::Running);
        running.then_some(()).ok_or(RecordRefusal::Nobody)
    }

    /// Who is there is recorded from now on.
    fn record_now(&mut self, desk: &mut Desk, label: String) -> Result<(), RecordRefusal> {
        if self.is_recorded().is_ok() {
            self.recording_rule.wanted = Some(true);
            return Ok(());
        }
        if self.record_rule(desk).when == RecordWhen::Never {
            return Err(RecordRefusal::Forbidden);
        }
        let peer = match &self.doing {
            Doing::Talk(talk) if talk.joined => Some(talk.peer),
            Doing::Flow | Doing::Queue(_) | Doing::Connect(_) | Doing::Fork(_) | Doing::Talk(_) => None,
            _ => return Err(RecordRefusal::Nobody),
        };
        if !self.caller_is_up() || self.caller.port != Port::Open {
            return Err(RecordRefusal::Nobody);
        }
        if self.recordings.len() >= desk.limits.recordings {
            return Err(RecordRefusal::Limit);
        }
        self.recording_rule.wanted = Some(true);
        self.recording_rule.label = label;
        self.start_recording(desk, peer);
        Ok(())
    }

    fn pause_running(&mut self, desk: &mut Desk) {
        let Some((by, why, at)) = self.recording_rule.paused.clone() else { return };
        for of in self.recordings.iter_mut().filter(|of| of.state == State::Running) {
            let (by, why) = (by.clone(), why.clone());
            of.pauses.push(Pause { from_sample: None, to_sample: None, at, by, why, resumed: None });
            desk.media(MediaCommand::PauseRecord { recording: of.id, on: true });
        }
    }

    fn resume_running(&mut self, desk: &mut Desk, by: &str) {
        let at = desk.wall_now();
        for of in self.recordings.iter_mut().filter(|of| of.state == State::Running) {
            if let Some(pause) = of.pauses.last_mut() {
                pause.resumed = Some(Resumed { at, by: by.to_owned() });
            }
            desk.media(MediaCommand::PauseRecord { recording: of.id, on: false });
        }
    }

    /// The media thread says from which sample on.
    pub(crate) fn on_recording_paused(&mut self, desk: &mut Desk, id: RecordingId, on: bool, sample: u64) {
        let call = self.id;
        let Some(of) = self.recordings.iter_mut().find(|r| r.id == id) else { return };
        let open = |pause: &&mut Pause| match on {
            true => pause.from_sample.is_none(),
            false => pause.from_sample.is_some() && pause.to_sample.is_none(),
        };
        let Some(pause) = of.pauses.iter_mut().find(open) else { return };
        let what = if on {
            pause.from_sample = Some(sample);
            let (by, why) = (pause.by.clone(), pause.why.clone());
            EventKind::RecordingPaused { call, recording: id, sample, by, why }
        } else {
            pause.to_sample = Some(sample);
            let by = pause.resumed.as_ref().map(|resumed| resumed.by.clone()).unwrap_or_default();
            EventKind::RecordingResumed { call, recording: id, sample, by }
        };
        desk.event(self.tenant(), what);
    }

    /// Records caller (left) and peer (right). Journalled before it begins.
    fn start_recording(&mut self, desk: &mut Desk, peer: Option<LegId>) {
        let recording = desk.ids.recording(self.tenant());
        let (call, started) = (self.id, desk.wall_now());
        desk.recordings.insert(recording, call);
        let (left, right) = (self.caller.id, peer);
        let parties = [Some(left), right].into_iter().flatten().filter_map(|leg| self.leg(leg).map(recorded));
        let parties = parties.collect();
        let state = State::Running;
        let label = self.recording_rule.label.clone();
        self.recordings.push(Recording { id: recording, started, state, pauses: Vec::new(), parties, label });
        let opened = JournalRecord::RecordingOpened { recording, call, started };
        desk.out.push_back(CallOutput::Journal(opened));
        desk.media(MediaCommand::Record { recording, left, right });
        desk.event(self.tenant(), EventKind::RecordingStarted { call, recording });
        self.pause_running(desk);
    }

    /// Stops what runs.
    pub(crate) fn stop_recordings(&mut self, desk: &mut Desk) {
        for recording in &mut self.recordings {
            if recording.state == State::Running {
                recording.state = State::Stopping;
                desk.media(MediaCommand::StopRecord { recording: recording.id });
            }
        }
    }

    /// The last sample is in: by our stop, or because the media thread gave up.
    pub(crate) fn on_recording_closed(
        &mut self,
        desk: &mut Desk,
        recording: RecordingId,
        length_ms: u64,
        dropped_ms: u64,
    ) {
        let call = self.id;
        let Some(of) = self.recordings.iter_mut().find(|r| r.id == recording) else {
            return;
        };
        of.state = State::Closed;
        let started = of.started;
        let (pauses, parties) = (of.marks(), core::mem::take(&mut of.parties));
        let label = core::mem::take(&mut of.label);
        desk.recordings.remove(&recording);
        let entry = RecordingEntry {
            recording,
            call,
            started,
            length_ms,
            dropped_ms,
            pauses,
            parties,
            label,
            deleted: None,
        };
        desk.out.push_back(CallOutput::Journal(JournalRecord::RecordingClosed(entry)));
        desk.event(self.tenant(), EventKind::RecordingReady { call, recording, length_ms });
    }
}
