//! A dialog as the journal keeps it, and a BYE made from that after a restart.

use cordboard_model::journal::DialogRecord;

use super::Dialog;
use crate::engine::{Flow, SipConfig};
use crate::wire::{NameAddr, Uri};

/// Left above the journalled CSeq, for requests that were sent after the record was written. The
/// numbers must grow (RFC 3261 12.2.1.1), and a gap "is not an error condition" (12.2.2).
pub(crate) const CSEQ_GAP: u32 = 100;

impl Dialog {
    /// What the journal keeps.
    pub(crate) fn record(&self) -> DialogRecord {
        DialogRecord {
            call_id: self.call_id.clone(),
            local: self.local.clone(),
            remote: self.remote.clone(),
            remote_target: self.remote_target.to_string(),
            routes: self.routes.clone(),
            local_cseq: self.local_cseq,
            flow: self.next_hop().to_string(),
            contact: self.contact.clone(),
        }
    }

    /// The dialog of a record, its CSeq beyond the gap; `None` if the record is damaged.
    pub(crate) fn of_record(record: &DialogRecord, config: &SipConfig) -> Option<Self> {
        let flow = Flow::parse(&record.flow, config.local).ok()?;
        Some(Self {
            call_id: record.call_id.clone(),
            local_tag: NameAddr::parse(&record.local)?.tag()?.to_owned(),
            remote_tag: NameAddr::parse(&record.remote)?.tag().unwrap_or_default().to_owned(),
            local: record.local.clone(),
            remote: record.remote.clone(),
            local_cseq: record.local_cseq.saturating_add(CSEQ_GAP),
            remote_cseq: None,
            remote_target: Uri::parse(&record.remote_target)?,
            routes: record.routes.clone(),
            flow: config.flow_to(flow.transport, flow.remote),
            contact: record.contact.clone(),
            owns_call_id: false,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{HeaderName, Method};

    #[test]
    fn a_bye_from_a_record_is_in_the_dialog_and_beyond_the_gap() {
        let record = DialogRecord {
            call_id: "c9".into(),
            local: "<sip:100@example.com>;tag=near".into(),
            remote: "\"B\" <sip:b@example.com>;tag=far".into(),
            remote_target: "sip:b@198.51.100.7:5062".into(),
            routes: vec!["<sip:198.51.100.1;lr>".into()],
            local_cseq: 4,
            flow: "udp:198.51.100.1:5060".into(),
            contact: "<sip:cordboard@192.0.2.1:5060>".into(),
        };
        let local = &SipConfig::new("192.0.2.1:5060".parse().unwrap());
        let mut dialog = Dialog::of_record(&record, local).unwrap();
        let (bye, flow) = dialog.request(Method::Bye);
        assert_eq!(bye.header(&HeaderName::CSeq), Some("105 BYE"));
        assert_eq!(bye.header(&HeaderName::From), Some(record.local.as_str()));
        assert_eq!(flow.to_string(), record.flow);
        let damaged = DialogRecord { remote_target: "".into(), ..record };
        assert!(Dialog::of_record(&damaged, local).is_none());
    }
}
