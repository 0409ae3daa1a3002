//! Who calls: what is believed of an INVITE that came, by the trust in its trunk, and what is told in one of ours.
//!
//! Invariant: a number that its owner withholds is in no event, record, flow or phone; it goes on only to a trunk that is
//! trusted with it (RFC 3325 7).

use crate::shard::Shard;
use cordboard_model::config::{Trunk, TrunkIdentity};
use cordboard_model::id::{CallId, LegId};
use cordboard_model::leg::PartyId;
use cordboard_sip::engine::IncomingCall;
use cordboard_sip::identity::{Diversion, Told};
use serde_json::Value;
use std::collections::BTreeMap;

/// The call data in which User-to-User (RFC 7433) comes and goes.
pub const USER_TO_USER: &str = "user_to_user";
/// The call data that says whose number was called before the call was diverted to us.
const DIVERTED_FROM: &str = "diverted_from";
/// The call data that says why.
const DIVERSION_REASON: &str = "diversion_reason";
/// What is shown in the place of a number that is withheld.
const ANONYMOUS: &str = "anonymous";

/// What an incoming leg brought along, for the legs that it leads to.
#[derive(Clone, Debug, Default)]
pub(crate) struct Came {
    /// What was dialled, as it came.
    dialled: String,
    /// Who calls, where he wants it withheld.
    withheld: Option<PartyId>,
    diversions: Vec<Diversion>,
}

impl Came {
    /// Who calls, where he wants it withheld.
    pub(crate) fn withheld(&self) -> Option<&PartyId> {
        self.withheld.as_ref()
    }

    /// How often it was sent on before it came.
    pub(crate) fn diversions(&self) -> usize {
        self.diversions.len()
    }

    /// One of ours has sent the call on.
    pub(crate) fn diverted_by(&mut self, number: &str) {
        let reason = "unconditional".to_owned();
        self.diversions.insert(0, Diversion { number: number.to_owned(), reason });
    }
}

impl Shard {
    /// Decides who calls, and what of the call's data came with him.
    pub(crate) fn believe(
        trunk: Option<&Trunk>,
        incoming: &mut IncomingCall,
    ) -> (Came, BTreeMap<String, Value>) {
        let identity = core::mem::take(&mut *incoming.identity);
        let mut came = Came { dialled: incoming.to.user.clone(), ..Came::default() };
        let mut data = BTreeMap::new();
        if let Some(value) = identity.user_to_user {
            data.insert(USER_TO_USER.to_owned(), value.into());
        }
        let Some(trunk) = trunk else {
            // an account is who it has proved to be; it may only ask not to be shown
            came.withheld = identity.private.then(|| incoming.from.clone());
            return (came, data);
        };
        let told = match trunk.identity {
            TrunkIdentity::None => None,
            TrunkIdentity::Asserted => identity.asserted.or(identity.remote_party),
            TrunkIdentity::RemoteParty => identity.remote_party,
        };
        if let Some(told) = told {
            incoming.from = told;
        }
        if identity.private {
            let shown = PartyId::new(ANONYMOUS);
            came.withheld = Some(core::mem::replace(&mut incoming.from, shown));
        }
        if let Some(latest) = identity.diversions.first() {
            data.insert(DIVERTED_FROM.to_owned(), latest.number.clone().into());
            data.insert(DIVERSION_REASON.to_owned(), latest.reason.clone().into());
        }
        came.diversions = identity.diversions;
        (came, data)
    }

    /// What the INVITE of a leg says of its caller. A call from outside that goes outside again says who sent it on: the
    /// carrier would refuse a foreign number else.
    pub(crate) fn told(&self, call: CallId, leg: LegId, from: &PartyId, trunk: Option<&Trunk>) -> Told {
        let others =
            self.legs.of(call).iter().filter(|other| **other != leg).filter_map(|id| self.legs.get(*id));
        let came = others.filter_map(|other| Some((other.came.as_deref()?, other.trunk.is_some())));
        // the leg whose party is shown: by the name it withholds, or as the only one that came
        let mut came = came.filter(|(came, _)| match &came.withheld {
            Some(withheld) => from.user == ANONYMOUS || withheld.user == from.user,
            None => true,
        });
        let came = came.next();
        let withheld = came.as_ref().and_then(|(came, _)| came.withheld.clone());
        let form = trunk.map_or(TrunkIdentity::None, |trunk| trunk.identity);
        let mut diversions = came.as_ref().map(|(came, _)| came.diversions.clone()).unwrap_or_default();
        let sent_on = |dialled: &str| diversions.iter().any(|step| step.number == dialled);
        if let (Some((came, true)), Some(_)) = (&came, trunk)
            && !sent_on(&came.dialled)
        {
            let reason = if self.is_transferred(call) { "deflection" } else { "unconditional" };
            diversions.insert(0, Diversion { number: came.dialled.clone(), reason: reason.to_owned() });
        }
        Told {
            private: withheld.is_some(),
            asserted: Some(withheld.unwrap_or_else(|| from.clone())).filter(|_| form != TrunkIdentity::None),
            form,
            diversions,
            user_to_user: self.calls.data(call, USER_TO_USER).map(str::to_owned),
            geolocation: None,
            auto_answer: false,
        }
    }

    fn is_transferred(&self, call: CallId) -> bool {
        self.calls.view(call).is_some_and(|view| view.transfer.is_some())
    }
}
