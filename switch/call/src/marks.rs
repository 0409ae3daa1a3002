//! What routing gives a call beside its way: a place in queues, call data, and that it is a call for help.

use crate::call::Call;
use crate::desk::{Desk, Timer};
use cordboard_model::verb::Destination;
use serde_json::Value;
use std::collections::BTreeMap;

/// See the module.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Marks {
    /// Its place in a queue: the higher goes first.
    pub priority: u8,
    /// Call data. What does not fit is left out: a call is not lost for it.
    pub data: BTreeMap<String, Value>,
    /// Where it goes if nobody answers where it is sent.
    pub otherwise: Option<Destination>,
    /// It is a call for help: neither ringing nor silence nor its length ends it.
    pub urgent: bool,
}

impl Call {
    pub(crate) fn mark(&mut self, desk: &mut Desk, marks: Marks) {
        self.priority = marks.priority;
        self.otherwise = marks.otherwise;
        self.urgent |= marks.urgent;
        if self.urgent {
            desk.clear(Timer::Length(self.id));
            desk.clear(Timer::Warning(self.id));
        }
        for (key, value) in marks.data {
            let _ = self.put_data(desk, key, value);
        }
    }
}
