//! The event stream at the start: what the disk has of it, where its numbers go on, and the state that it begins with.

use super::recover::Kept;
use crate::clock::Clock;
use crate::config::Loaded;
use crate::hub::state_of;
use cordboard_core::{Restore, Shard, ShardCommand};
use cordboard_model::cdr::Cdr;
use cordboard_model::event::EventKind;
use cordboard_model::id::TenantId;
use cordboard_store::events::{EventLog, EventLogOptions, Opened, State};
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

/// Opens what the disk has. Gives what the shard takes back, where the streams' numbers go on among it; what makes the
/// beginning of the streams, on the signalling thread; and where that is found then. A switch that cannot use the folder
/// starts all the same, and keeps events in memory alone.
pub(super) fn open(loaded: &Loaded, kept: &mut Kept) -> (Restore, Beginning, Begun) {
    let machine = &loaded.machine;
    let dir = machine.journal.dir.join("events");
    let options = EventLogOptions { keep: machine.events.keep, size: machine.events.size };
    let (log, opened) = match EventLog::open(&dir, options, kept.clock.start_secs()) {
        Ok((log, opened)) => (Some((dir, log)), opened),
        Err(why) => {
            let dir = dir.display();
            tracing::error!(%why, "events cannot be kept in {dir}: who comes back after a restart is told of a gap");
            (None, Vec::new())
        }
    };
    let events = opened.iter().map(|found| (found.tenant, found.base())).collect();
    let restore = Restore { events, ..kept.restore() };
    let tenants = loaded.snapshot.tenants.keys().copied().collect();
    let (to, states) = sync_channel(1);
    let lost = std::mem::take(&mut kept.lost);
    (restore, Beginning { opened, tenants, lost, clock: kept.clock, to }, Begun { log, states })
}

/// Makes the states that streams begin with.
pub(super) struct Beginning {
    opened: Vec<Opened>,
    tenants: Vec<TenantId>,
    lost: Vec<Cdr>,
    clock: Clock,
    to: SyncSender<Vec<(TenantId, State)>>,
}

/// What streams begin with, once the signalling thread has begun.
pub(super) struct Begun {
    log: Option<(PathBuf, EventLog)>,
    states: Receiver<Vec<(TenantId, State)>>,
}

impl Beginning {
    /// The states of a shard that has taken back what survived. Then it tells the end of each call that the restart cut,
    /// as the first that happens.
    pub(super) fn of(self, mut shard: Shard) -> Shard {
        let Self { opened, tenants, lost, clock, to } = self;
        let state = |tenant: &TenantId| {
            let found = opened.iter().find(|found| found.tenant == *tenant);
            let lost = found.filter(|found| !found.ended).map(|found| (found.last + 1, found.base()));
            (*tenant, State { lost, ..state_of(&shard, *tenant) })
        };
        // There is room for one.
        let _ = to.try_send(tenants.iter().map(state).collect());
        for cdr in lost {
            let (call, cause, by) = (cdr.call, cdr.cause, cdr.ended_by);
            let ended = EventKind::CallEnded { call, cause, by, cdr: Box::new(cdr) };
            shard.handle_command(ShardCommand::Tell(call.tenant, Box::new(ended)), clock.now());
        }
        shard
    }
}

/// The folder of the streams with its writer; none where they are not kept.
type Folder = Option<(PathBuf, EventLog)>;

impl Begun {
    /// The states, and the folder with its writer.
    pub(super) fn parts(self) -> (Vec<(TenantId, State)>, Folder) {
        (self.states.try_recv().unwrap_or_default(), self.log)
    }
}
