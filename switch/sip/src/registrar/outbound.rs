//! Flows that a device made towards us (RFC 5626 6, 7): which contact is which flow of which device, and which of them
//! a request is sent over.
//!
//! Invariant: of the flows of one device one is in use for a request at a time; the others wait until it fails.

use super::{Binding, Refusal, Registrar};
use crate::engine::Transport;
use crate::wire::{HeaderName, Message, NameAddr};
use cordboard_model::id::UserId;

/// Longest instance-id; a URN of a UUID has 45 characters.
const INSTANCE_MAX: usize = 128;
/// What a device and its registrar say to each other (RFC 5626 11.1).
pub(crate) const OPTION: &str = "outbound";

/// A flow of a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Outbound {
    /// "+sip.instance", without its quotes: the device, whatever its addresses.
    instance: String,
    /// "reg-id": which of its flows.
    reg_id: u32,
}

impl Outbound {
    /// The flow that a Contact is. A reg-id without an instance-id is ignored (6).
    pub(super) fn of(contact: &NameAddr) -> Option<Self> {
        let instance = contact.params.get_unquoted("+sip.instance")?.into_owned();
        let reg_id = contact.params.get("reg-id")?.parse().ok().filter(|id| (1..1 << 31).contains(id))?;
        let fits = (1..=INSTANCE_MAX).contains(&instance.len());
        fits.then_some(Self { instance, reg_id })
    }

    /// Adds what makes it one to a Contact.
    pub(super) fn describe(&self, contact: &mut NameAddr) {
        contact.params.set("reg-id", Some(&self.reg_id.to_string()));
        contact.params.set("+sip.instance", Some(&self.instance));
    }
}

/// Whether the flows of this REGISTER are kept as such: the device must say that it knows of outbound, and a proxy that
/// it came by must do so, too, by the "ob" parameter of its Path; else the answer is 439 (6).
pub(super) fn is_meant(request: &Message, contacts: &[NameAddr]) -> Result<bool, Refusal> {
    let flows = contacts.iter().filter(|contact| Outbound::of(contact).is_some());
    let kept = flows.filter(|contact| contact.expires().or_else(|| request.expires()) != Some(0)).count();
    if contacts.iter().all(|contact| Outbound::of(contact).is_none())
        || !request.supported().any(|tag| tag.eq_ignore_ascii_case(OPTION))
    {
        return Ok(false);
    }
    // 4.2: each flow is registered over itself, so that one REGISTER makes one
    if kept > 1 {
        return Err(Refusal::Malformed("One Flow At A Time"));
    }
    let is_direct = request.headers.get_all(&HeaderName::Via).nth(1).is_none();
    let first_hop = request.headers.get_all(&HeaderName::Path).last().and_then(NameAddr::parse);
    let knows = first_hop.is_some_and(|hop| hop.uri.param("ob").is_some());
    if is_direct || knows { Ok(true) } else { Err(Refusal::FirstHop) }
}

impl Registrar {
    /// An account's devices, the preferred first: of each its flows, the one to use first, which is of the highest
    /// priority, and of equal ones the one that was registered last. There is never more than one target of the same account
    /// and instance-id at a time (7).
    pub(crate) fn devices(&self, user: &UserId) -> Vec<Vec<&Binding>> {
        let mut devices: Vec<Vec<&Binding>> = Vec::new();
        for binding in self.of(user) {
            let same = |device: &&mut Vec<&Binding>| device.iter().any(|other| binding.is_same_device(other));
            match devices.iter_mut().find(same) {
                Some(device) => {
                    let higher = device.iter().take_while(|other| other.q_milli > binding.q_milli).count();
                    device.insert(higher, binding);
                }
                None => devices.push(vec![binding]),
            }
        }
        devices
    }
}

impl Binding {
    /// Whether a request for it may use no connection but the one it was made over.
    pub(super) fn is_bound_to_flow(&self) -> bool {
        let only_theirs = matches!(self.flow.transport, Transport::Ws | Transport::Wss);
        only_theirs || self.outbound.is_some() && self.flow.transport.is_reliable()
    }

    fn is_same_device(&self, other: &Binding) -> bool {
        let instance = |binding: &Binding| binding.outbound.as_ref().map(|flow| flow.instance.clone());
        instance(self).is_some_and(|own| instance(other) == Some(own))
    }

    /// Whether a new contact takes the place of this one: the same flow of the same device, or the same address.
    pub(super) fn is(&self, uri: &crate::wire::Uri, outbound: Option<&Outbound>) -> bool {
        match (&self.outbound, outbound) {
            (Some(own), Some(new)) => own == new,
            (None, None) => self.uri == *uri,
            _ => false,
        }
    }

    /// What the journal and readers of events call it: its address, and for a flow which it is, for several flows of a
    /// device may have one address.
    pub(super) fn name(&self) -> String {
        match &self.outbound {
            None => self.uri.to_string(),
            Some(flow) => {
                let mut contact = NameAddr::new(self.uri.clone());
                flow.describe(&mut contact);
                contact.to_string()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_contact_is_a_flow_only_with_both_of_its_names() {
        let of = |text: &str| Outbound::of(&NameAddr::parse(text).unwrap());
        let flow = of("<sip:a@10.0.0.1>;reg-id=2;+sip.instance=\"<urn:uuid:0>\"").unwrap();
        assert_eq!(flow, Outbound { instance: "<urn:uuid:0>".into(), reg_id: 2 });
        for other in ["", ";reg-id=1", ";+sip.instance=\"<urn:x>\"", ";reg-id=0;+sip.instance=\"<urn:x>\""] {
            assert_eq!(of(&format!("<sip:a@10.0.0.1>{other}")), None, "{other}");
        }
        let mut contact = NameAddr::parse("<sip:a@10.0.0.1>").unwrap();
        flow.describe(&mut contact);
        assert_eq!(of(&contact.to_string()), Some(flow));
    }
}
