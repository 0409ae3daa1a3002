//! Set and get call data, within limits that have names.

use crate::call::Call;
use crate::desk::Desk;
use crate::input::Ticket;
use cordboard_model::event::EventKind;
use cordboard_model::verb::{DATA_BYTES_MAX, DATA_ENTRIES_MAX, DATA_KEY_MAX, DATA_VALUE_MAX, VerbAnswer};

impl Call {
    pub(super) fn verb_set_data(&mut self, desk: &mut Desk, ticket: Ticket, key: String, value: String) {
        let known = self.data.contains_key(&key);
        let limit = if key.is_empty() || key.len() > DATA_KEY_MAX {
            Some("data key")
        } else if value.len() > DATA_VALUE_MAX {
            Some("data value")
        } else if !known && !value.is_empty() && self.data.len() >= DATA_ENTRIES_MAX {
            Some("data entries")
        } else if !value.is_empty()
            && self.data_bytes_without(&key) + key.len() + value.len() > DATA_BYTES_MAX
        {
            Some("data bytes")
        } else {
            None
        };
        if let Some(limit) = limit {
            return self.answer_now(desk, ticket, VerbAnswer::Limit(limit.into()));
        }
        if self.data.get(&key).map_or("", String::as_str) != value {
            if value.is_empty() {
                self.data.remove(&key);
            } else {
                self.data.insert(key.clone(), value.clone());
            }
            let call = self.id;
            desk.event(self.tenant(), EventKind::DataChanged { call, key, value });
        }
        self.answer_now(desk, ticket, VerbAnswer::Done);
    }

    fn data_bytes_without(&self, key: &str) -> usize {
        let others = self.data.iter().filter(|(other, _)| *other != key);
        others.map(|(key, value)| key.len() + value.len()).sum()
    }

    pub(super) fn verb_get_data(&mut self, desk: &mut Desk, ticket: Ticket, key: &str) {
        let value = self.data.get(key).cloned();
        self.answer_now(desk, ticket, VerbAnswer::Data(value));
    }
}
