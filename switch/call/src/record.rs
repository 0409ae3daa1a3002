//! Recordings: begun with the talk, stopped with it, listed when the last sample is in.

use crate::call::Call;
use crate::desk::Desk;
use crate::output::CallOutput;
use cordboard_model::cdr::RecordingEntry;
use cordboard_model::event::EventKind;
use cordboard_model::id::{LegId, RecordingId};
use cordboard_model::journal::JournalRecord;
use cordboard_model::media::MediaCommand;
use cordboard_model::time::Wall;

/// One recording.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Recording {
    pub(crate) id: RecordingId,
    started: Wall,
    state: State,
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
}

impl Call {
    /// Records caller (left) and peer (right). Journalled before it begins.
    pub(crate) fn start_recording(&mut self, desk: &mut Desk, peer: LegId) {
        let recording = desk.ids.recording(self.tenant());
        let (call, started) = (self.id, desk.wall_now());
        desk.recordings.insert(recording, call);
        self.recordings.push(Recording { id: recording, started, state: State::Running });
        let opened = JournalRecord::RecordingOpened { recording, call, started };
        desk.out.push_back(CallOutput::Journal(opened));
        let (left, right) = (self.caller.id, peer);
        desk.media(MediaCommand::Record { recording, left, right });
        desk.event(self.tenant(), EventKind::RecordingStarted { call, recording });
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
        desk.recordings.remove(&recording);
        let entry = RecordingEntry { recording, call, started, length_ms, dropped_ms };
        desk.out.push_back(CallOutput::Journal(JournalRecord::RecordingClosed(entry)));
        desk.event(self.tenant(), EventKind::RecordingReady { call, recording, length_ms });
    }
}
