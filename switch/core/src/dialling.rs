//! What who calls by lists needs: a place in a queue for a number, and how many agents are free.

use crate::callbacks::CallbackRefused;
use crate::shard::Shard;
use crate::stop::Stop;
use cordboard_model::callback::{
    CALLBACK_NUMBER_MAX, CALLBACKS_MAX, Callback, CallbackChange, CallbackFirst, CallbackState, KeptPlace,
    NewPlace,
};
use cordboard_model::event::EventKind;
use cordboard_model::id::{QueueId, TenantId};
use cordboard_model::time::Time;

/// How long after a call that no trunk took another one is tried, seconds.
const AGAIN_S: u32 = 60;

impl Shard {
    /// Puts one on the list for whom an agent is sought at once, behind all who wait for themselves. He is called once.
    ///
    /// # Errors
    /// See [`CallbackRefused`]; nothing is changed then.
    pub fn put_place(
        &mut self,
        tenant: TenantId,
        new: NewPlace,
        now: Time,
    ) -> Result<Callback, CallbackRefused> {
        self.now = now.max(self.now);
        self.in_hand = None;
        let NewPlace { number, queue, ring_s, expires, data, by } = new;
        if !(1..=CALLBACK_NUMBER_MAX).contains(&number.len()) {
            return Err(CallbackRefused::TooLarge);
        }
        if self.snapshot.queue(&queue).is_none() {
            return Err(CallbackRefused::NoSuchQueue);
        }
        if !self.can_be_called(&queue, &number) {
            return Err(CallbackRefused::NotDialable);
        }
        if self.callbacks.count(tenant) >= CALLBACKS_MAX {
            return Err(CallbackRefused::Full);
        }
        let id = self.callbacks.new_id(self.config.start_secs, tenant).ok_or(CallbackRefused::TooLarge)?;
        let since = self.wall.at(self.now);
        let kept = KeptPlace {
            arrived: since,
            priority: 0,
            first: CallbackFirst::Agent,
            most: 1,
            every_s: AGAIN_S,
            expires,
            window: None,
            confirm: None,
            call: None,
            // whoever calls from that number has asked for nothing: he waits like anybody
            other: true,
            data,
            next: None,
            ring_s,
        };
        let entry = Callback {
            id: id.clone(),
            number,
            since,
            queue: Some(queue),
            note: String::new(),
            attempts: 0,
            last_attempt: None,
            last_call: None,
            taken_by: None,
            by: by.to_string(),
            state: CallbackState::Listed,
            outcome: String::new(),
            kept: Some(Box::new(kept)),
        };
        self.keep_callback(None, entry.clone(), CallbackChange::Put, &entry.by);
        self.settle_place(&id);
        self.settle();
        Ok(entry)
    }

    /// One entry of the list.
    pub fn callback(&self, id: &cordboard_model::callback::CallbackId) -> Option<Callback> {
        self.callbacks.get(id).cloned()
    }

    /// How many agents of a queue get the next call, and how many callers wait in it. None if there is no such queue.
    pub fn queue_floor(&self, queue: &QueueId) -> Option<(u32, u32)> {
        let state = self.acd.queue_state(queue, self.now)?;
        Some((state.ready, state.waiting))
    }

    /// Tells the event stream of a campaign or of a number of one: what comes of calling by lists is decided beside the shard.
    pub fn tell_campaign(&mut self, tenant: TenantId, news: Vec<EventKind>) {
        for what in news {
            self.event(tenant, what);
        }
    }

    /// How many calls can still be begun.
    pub fn lines_left(&self) -> u32 {
        if self.stop != Stop::No || self.unrecordable {
            return 0;
        }
        let up = u32::try_from(self.calls.len()).unwrap_or(u32::MAX);
        self.snapshot.limits.calls.saturating_sub(up)
    }
}
