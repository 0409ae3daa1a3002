//! Set and get call data, within limits that have names: flows by verbs, programs by orders.

use crate::call::Call;
use crate::desk::Desk;
use crate::engine::CallEngine;
use crate::input::Ticket;
use cordboard_model::data;
use cordboard_model::event::EventKind;
use cordboard_model::id::CallId;
use cordboard_model::time::Time;
use cordboard_model::verb::{DATA_BYTES_MAX, DATA_ENTRIES_MAX, DATA_KEY_MAX, DATA_VALUE_MAX, VerbAnswer};
use serde_json::Value;
use std::collections::BTreeMap;

impl Call {
    pub(super) fn verb_set_data(&mut self, desk: &mut Desk, ticket: Ticket, key: String, value: Value) {
        let answer = match self.put_data(desk, key, value) {
            Ok(()) => VerbAnswer::Done,
            Err(limit) => VerbAnswer::Limit(limit.into()),
        };
        self.answer_now(desk, ticket, answer);
    }

    /// Puts an entry, or removes it if the value is empty; the limit that is in the way else.
    pub(crate) fn put_data(
        &mut self,
        desk: &mut Desk,
        key: String,
        value: Value,
    ) -> Result<(), &'static str> {
        if let Some(limit) = limit(&self.data, &key, &value) {
            return Err(limit);
        }
        let removed = data::is_none(&value);
        let value = if removed { Value::Null } else { value };
        if self.data.get(&key).unwrap_or(&Value::Null) != &value {
            if removed {
                self.data.remove(&key);
            } else {
                self.data.insert(key.clone(), value.clone());
            }
            let call = self.id;
            desk.event(self.tenant(), EventKind::DataChanged { call, key, value });
        }
        Ok(())
    }

    pub(super) fn verb_get_data(&mut self, desk: &mut Desk, ticket: Ticket, key: &str) {
        let value = self.data.get(key).cloned();
        self.answer_now(desk, ticket, VerbAnswer::Data(value));
    }

    /// Changes several entries, or none of them.
    fn change_data(&mut self, desk: &mut Desk, entries: Vec<(String, Value)>) -> Result<(), DataRefusal> {
        let mut after = self.data.clone();
        for (key, value) in &entries {
            if let Some(limit) = limit(&after, key, value) {
                return Err(DataRefusal::Limit(limit));
            }
            match data::is_none(value) {
                true => drop(after.remove(key)),
                false => drop(after.insert(key.clone(), value.clone())),
            }
        }
        for (key, value) in entries {
            self.put_data(desk, key, value).map_err(DataRefusal::Limit)?;
        }
        Ok(())
    }
}

/// The limit that is in the way of an entry.
fn limit(data: &BTreeMap<String, Value>, key: &str, value: &Value) -> Option<&'static str> {
    let removed = data::is_none(value);
    let bytes = data::bytes(value);
    let others = || {
        let others = data.iter().filter(|(other, _)| *other != key);
        others.map(|(key, value)| key.len() + data::bytes(value)).sum::<usize>()
    };
    if key.is_empty() || key.len() > DATA_KEY_MAX {
        Some("data key")
    } else if bytes > DATA_VALUE_MAX {
        Some("data value")
    } else if !data.contains_key(key) && !removed && data.len() >= DATA_ENTRIES_MAX {
        Some("data entries")
    } else if !removed && others() + key.len() + bytes > DATA_BYTES_MAX {
        Some("data bytes")
    } else {
        None
    }
}

/// Why call data is not changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DataRefusal {
    /// There is no such call.
    NotFound,
    /// This limit is in the way: `data key`, `data value`, `data entries` or `data bytes`.
    Limit(&'static str),
}

impl CallEngine {
    /// Changes entries of a call's data, all of them or none; an empty value removes one.
    ///
    /// # Errors
    /// There is no such call, or a limit is in the way.
    pub fn change_data(
        &mut self,
        call: CallId,
        entries: Vec<(String, Value)>,
        now: Time,
    ) -> Result<(), DataRefusal> {
        self.desk.now = now;
        let mut answer = Err(DataRefusal::NotFound);
        self.with(call, |call, desk| answer = call.change_data(desk, entries));
        answer
    }
}
