//! How many calls each trunk carries, both ways.

use cordboard_model::config::Trunk;
use cordboard_model::id::{CallId, TrunkId};
use std::collections::{BTreeMap, BTreeSet};

/// Calls by trunk. A call that came by a trunk and leaves by it counts once.
#[derive(Clone, Debug, Default)]
pub(crate) struct Trunks {
    up: BTreeMap<TrunkId, BTreeSet<CallId>>,
}

impl Trunks {
    /// Whether the trunk may carry one more call.
    pub(crate) fn has_room(&self, trunk: &Trunk) -> bool {
        self.up.get(&trunk.id).map_or(0, BTreeSet::len) < trunk.max_calls as usize
    }

    /// The trunk carries this call now.
    pub(crate) fn add(&mut self, trunk: TrunkId, call: CallId) {
        self.up.entry(trunk).or_default().insert(call);
    }

    /// The call is over.
    pub(crate) fn forget(&mut self, call: CallId) {
        self.up.retain(|_, calls| {
            calls.remove(&call);
            !calls.is_empty()
        });
    }

    /// Whether no trunk carries a call.
    pub(crate) fn is_empty(&self) -> bool {
        self.up.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cordboard_model::id::{IdMaker, TenantId};

    #[test]
    fn a_full_trunk_has_room_again_when_a_call_ends() {
        let id = TrunkId::new(TenantId::DEFAULT, "carrier").unwrap();
        let trunk = Trunk { id: id.clone(), peers: Vec::new(), gateway: None, max_calls: 1 };
        let call = IdMaker::new(1, 0).call(TenantId::DEFAULT);
        let mut trunks = Trunks::default();
        assert!(trunks.has_room(&trunk));
        trunks.add(id.clone(), call);
        trunks.add(id, call);
        assert!(!trunks.has_room(&trunk));
        trunks.forget(call);
        assert!(trunks.has_room(&trunk) && trunks.is_empty());
    }
}
