//! Set and get call data, within limits that have names.

use crate::call::Call;
use crate::desk::Desk;
use crate::input::Ticket;
use cordboard_model::data;
use cordboard_model::event::EventKind;
use cordboard_model::verb::{DATA_BYTES_MAX, DATA_ENTRIES_MAX, DATA_KEY_MAX, DATA_VALUE_MAX, VerbAnswer};
use serde_json::Value;

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
        let known = self.data.contains_key(&key);
        let (removed, bytes) = (data::is_none(&value), data::bytes(&value));
        let limit = if key.is_empty() || key.len() > DATA_KEY_MAX {
            Some("data key")
        } else if bytes > DATA_VALUE_MAX {
            Some("data value")
        } else if !known && !removed && self.data.len() >= DATA_ENTRIES_MAX {
            Some("data entries")
        } else if !removed && self.data_bytes_without(&key) + key.len() + bytes > DATA_BYTES_MAX {
            Some("data bytes")
        } else {
            None
        };
        if let Some(limit) = limit {
            return Err(limit);
        }
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

    fn data_bytes_without(&self, key: &str) -> usize {
        let others = self.data.iter().filter(|(other, _)| *other != key);
        others.map(|(key, value)| key.len() + data::bytes(value)).sum()
    }

    pub(super) fn verb_get_data(&mut self, desk: &mut Desk, ticket: Ticket, key: &str) {
        let value = self.data.get(key).cloned();
        self.answer_now(desk, ticket, VerbAnswer::Data(value));
    }
}
