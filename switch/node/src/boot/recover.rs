//! What survived: the journal is read, cut calls get their records, and the database gets what it missed.

use super::{BootError, number};
use crate::clock::{Clock, wall_now};
use crate::config::Machine;
use crate::recordings::{Keeping, audio, ensure_file, found_file, manifest};
use cordboard_core::{Restore, RestoredAgent};
use cordboard_model::cdr::{Cdr, RecordingEntry};
use cordboard_model::journal::JournalRecord;
use cordboard_model::record::AgentInterval;
use cordboard_store::{
    Journal, JournalOptions, OpenRecording, Recovered, Store, Talk, Writer, cut_intervals, lost_by_restart,
};
use core::time::Duration;
use std::sync::Arc;
use tokio::task::JoinHandle;

/// What was read from the disk.
pub(super) struct Kept {
    pub(super) writer: Writer,
    pub(super) recovered: Recovered,
    pub(super) lost: Vec<Cdr>,
    /// Stretches of agents' work that the restart cut.
    pub(super) cut: Vec<AgentInterval>,
    /// The clock, with the number of this start.
    pub(super) clock: Clock,
}

/// Steps 1 to 3 of a start: the journal is read, interrupted calls get their records, and those are on the disk
/// before anything else happens.
pub(super) fn recover(machine: &Machine, clock: Clock) -> Result<Kept, BootError> {
    let options = JournalOptions { sync_every: machine.journal.sync, ..JournalOptions::default() };
    let opened = Journal::open_with(&machine.journal.dir, options).map_err(BootError::Journal)?;
    let (journal, mut recovered) = opened;
    let dir = &machine.journal.dir;
    let unnumbered = |why| BootError::Number(number::file(dir), why);
    let clock = clock.numbered(number::claim(dir, clock.start_secs()).map_err(unnumbered)?);
    for damage in &recovered.damage {
        tracing::warn!(?damage, kept = ?recovered.kept, "part of the journal could not be read and was skipped");
    }
    let now = wall_now();
    let expired = recovered.drop_expired(now);
    let lost = lost_by_restart(&recovered, now);
    let cut = cut_intervals(&recovered);
    let mut writer = journal.into_writer().map_err(BootError::Journal)?;
    for contact in expired {
        let record = JournalRecord::Unregistered { user: contact.user, uri: contact.uri };
        writer.append(&record, now).map_err(BootError::Journal)?;
    }
    for cdr in &lost {
        let record = JournalRecord::CallClosed(Box::new(cdr.clone()));
        writer.append(&record, now).map_err(BootError::Journal)?;
    }
    for interval in &cut {
        let record = JournalRecord::AgentInterval(Box::new(interval.clone()));
        writer.append(&record, now).map_err(BootError::Journal)?;
    }
    writer.commit(clock.now()).and_then(|_| writer.sync()).map_err(BootError::Journal)?;
    if !lost.is_empty() {
        tracing::warn!(
            calls = lost.len(),
            "calls were lost by the restart; each has its record, and its ends get a BYE"
        );
    }
    Ok(Kept { writer, recovered, lost, cut, clock })
}

impl Kept {
    /// What the shard takes back.
    pub(super) fn restore(&self) -> Restore {
        let dialogs = self.recovered.dialogs().map(|(_, _, dialog)| dialog.clone());
        let agents = self.recovered.agents.iter();
        let talk = |talk: &Talk| (talk.agent.clone(), talk.caller.clone(), talk.at, talk.ends);
        let (counters, rows) = (self.recovered.counters.iter(), self.recovered.rows.iter());
        let asked = self.recovered.asked.iter();
        let answered = self.recovered.calls.iter().filter(|call| !call.legs.is_empty()).map(|call| call.call);
        Restore {
            contacts: self.recovered.contacts.clone(),
            agents: agents
                .map(|record| RestoredAgent {
                    agent: record.agent.clone(),
                    status: record.status,
                    reason: record.reason.clone(),
                    limit: record.limit_ms.map(Duration::from_millis),
                    since: record.since,
                })
                .collect(),
            devices: self.recovered.devices.clone(),
            dialogs: dialogs.collect(),
            counters: counters.map(|c| (c.tenant, c.name.clone(), c.value, c.ends)).collect(),
            talks: self.recovered.talks.iter().map(talk).collect(),
            bars: self.recovered.bars.clone(),
            callbacks: self.recovered.callbacks.clone(),
            chats: self.recovered.chats.clone(),
            answered: answered.collect(),
            asked: asked.map(|asked| (asked.call, asked.token.clone(), asked.ends)).collect(),
            sign_ins: self.recovered.sign_ins.clone(),
            events: Vec::new(),
            rows: rows
                .map(|row| (row.tenant, row.table.clone(), row.key.clone(), row.cells.clone()))
                .collect(),
        }
    }

    /// Recordings that the restart cut: what is on the disk is all there is. The journal has each closed now, so that
    /// the next start does not find it cut again.
    ///
    /// # Errors
    /// The journal cannot be written.
    fn cut_recordings(&mut self, keeping: &Keeping) -> Result<Vec<RecordingEntry>, BootError> {
        let length = |recording| {
            let mended = match found_file(&keeping.dir, recording) {
                None => ensure_file(keeping, recording),
                Some(path) => audio::mend(&path, &keeping.keys).map_err(Into::into),
            };
            if let Err(why) = mended {
                tracing::warn!(%recording, %why, "the file of a recording that was cut cannot be mended");
            }
            manifest::length_ms(keeping, recording)
        };
        let entry = |open: &OpenRecording| RecordingEntry {
            recording: open.recording,
            call: open.call,
            started: open.started,
            length_ms: length(open.recording),
            dropped_ms: 0,
            pauses: Vec::new(),
            parties: Vec::new(),
            label: String::new(),
            deleted: None,
        };
        let cut: Vec<RecordingEntry> = self.recovered.recordings.iter().map(entry).collect();
        let now = wall_now();
        for entry in &cut {
            let closed = JournalRecord::RecordingClosed(entry.clone());
            self.writer.append(&closed, now).map_err(BootError::Journal)?;
        }
        self.writer.commit(self.clock.now()).map_err(BootError::Journal)?;
        Ok(cut)
    }
}

/// Gives the database what it may have missed, without waiting for it.
/// Gives back the recordings among it, and what ends when the database has all.
///
/// # Errors
/// The journal cannot be written.
pub(super) fn give_recovered(
    store: &Arc<Store>,
    kept: &mut Kept,
    keeping: &Keeping,
) -> Result<(Vec<RecordingEntry>, JoinHandle<()>), BootError> {
    let cut = kept.cut_recordings(keeping)?;
    let closed: Vec<_> = kept.recovered.closed.iter().chain(&kept.lost).cloned().collect();
    let finished: Vec<_> = kept.recovered.finished.iter().cloned().chain(cut).collect();
    let intervals: Vec<_> = kept.recovered.intervals.iter().chain(&kept.cut).cloned().collect();
    let ended = finished.clone();
    let said = kept.recovered.wrap_ups.clone();
    let chats = kept.recovered.chats_over.clone();
    let store = Arc::clone(store);
    let done = tokio::spawn(async move {
        let given = async {
            store.put_recovered(closed, finished, intervals).await?;
            store.put_recovered_wrap_ups(said).await?;
            store.put_recovered_chats(chats).await
        };
        if let Err(why) = given.await {
            tracing::warn!(%why, "the database did not take what the journal recovered; the journal keeps it");
        }
        let _ = store.flush().await;
    });
    Ok((ended, done))
}
