//! Calls for help: they go where others do not, and nobody else goes with them.

use crate::rig::*;
use crate::routing::{FIRST, SECOND, trunk, with};
use cordboard_core::ShardCommand;
use cordboard_model::config::{Snapshot, TrunkIdentity};
use cordboard_model::id::TenantId;
use cordboard_model::routes::Emergency;
use cordboard_model::srtp::{SrtpPolicy, SrtpRule};

const PHONE: &str = "203.0.113.5:5060";

fn helped() -> Snapshot {
    let mut snapshot = with(|tenant| {
        tenant.routes.emergency = Some(Emergency {
            numbers: vec!["112".into()],
            trunks: vec![trunk("one"), trunk("two")],
            caller: Some("+493055500".into()),
            location: Some("geo:52.52,13.40".into()),
            places: Vec::new(),
            from_trunks: Vec::new(),
            calls: 2,
        });
        tenant.trunks.get_mut("one").unwrap().identity = TrunkIdentity::Asserted;
        tenant.plan = Some(cordboard_model::plan::NumberPlan {
            area_code: "30".into(),
            local_least: 3,
            ..cordboard_model::plan::NumberPlan::of_country("DE").unwrap()
        });
    });
    let secret = with_password("secret");
    let users = secret.tenants[&TenantId::DEFAULT].users.clone();
    snapshot.tenants.get_mut(&TenantId::DEFAULT).unwrap().users = users;
    snapshot
}

fn text(to: &str, call: &str) -> String {
    String::from_utf8(invite(PHONE, to, "example.com", call)).unwrap()
}

fn asks_for_help(rig: &mut Rig, call: &str) {
    rig.authenticated(PHONE, &text("112", call), "secret");
}

#[test]
fn a_call_for_help_says_who_calls_and_where_he_is_and_the_operator_hears_of_it() {
    let mut rig = Rig::new();
    rig.configure(helped());
    asks_for_help(&mut rig, "a");
    let ours = rig.last("INVITE").to_owned();
    assert!(ours.starts_with(&format!("INVITE sip:112@{FIRST} SIP/2.0")), "{ours}");
    assert_eq!(header(&ours, "Geolocation"), "<geo:52.52,13.40>");
    assert_eq!(header(&ours, "Geolocation-Routing"), "yes");
    assert!(header(&ours, "From").contains("+493055500"), "{ours}");
    assert!(header(&ours, "P-Asserted-Identity").contains("+493055500"), "{ours}");
    assert_eq!(rig.alarms(), ["emergency_call"]);
}

#[test]
fn no_cap_no_blocked_trunk_no_missing_disk_and_no_want_of_keys_keeps_a_call_for_help() {
    let mut rig = Rig::new();
    let mut snapshot = helped();
    snapshot.limits.calls = 1;
    snapshot.limits.guard.account_calls = 1;
    snapshot.limits.guard.number_calls = 1;
    snapshot.limits.guard.calls_per_second = 1;
    let tenant = snapshot.tenants.get_mut(&TenantId::DEFAULT).unwrap();
    for user in tenant.users.values_mut() {
        user.srtp = SrtpRule { policy: SrtpPolicy::Required, without_tls: false };
    }
    for name in ["one", "two"] {
        let trunk = tenant.trunks.get_mut(name).unwrap();
        trunk.max_calls = 0;
    }
    rig.configure(snapshot);
    rig.datagram(TRUNK, &invite(TRUNK, "2000", "example.com", "a"));
    assert_eq!(rig.shard.call_count(), 1, "the switch is full");
    rig.command(ShardCommand::Unrecordable(true));
    assert!(rig.shard.block_trunk(&trunk("one"), true));
    rig.authenticated(PHONE, &text("1001", "b"), "secret");
    assert_eq!(rig.heard("SIP/2.0 503"), 1, "{:#?}", rig.said);
    asks_for_help(&mut rig, "c");
    let ours = rig.last("INVITE").to_owned();
    assert!(ours.starts_with(&format!("INVITE sip:112@{FIRST}")), "{ours}");
    rig.datagram(FIRST, &response(FIRST, &ours, "200 OK"));
    assert_eq!(rig.heard(&format!("{PHONE} SIP/2.0 200")), 1, "{:#?}", rig.said);
    // and one to a house next door, on the same terms
    rig.authenticated(PHONE, &text("112", "d").replacen("112@example.com", "112@other.example", 1), "secret");
    assert_eq!(rig.heard("INVITE sip:112@"), 2, "{:#?}", rig.said);
    // no more than the tenant may have
    asks_for_help(&mut rig, "e");
    assert_eq!(rig.heard("INVITE sip:112@"), 2, "{:#?}", rig.said);
}

#[test]
fn a_switch_that_stops_takes_no_call_for_help_and_the_operator_hears_of_it() {
    let mut rig = Rig::new();
    rig.configure(helped());
    rig.command(ShardCommand::Stop { end: false });
    asks_for_help(&mut rig, "a");
    assert_ne!(header(rig.last("SIP/2.0 503"), "Retry-After"), "");
    assert_eq!((rig.heard("INVITE sip:112@"), rig.alarms()), (0, vec!["stopping", "emergency_call"]));
}

#[test]
fn a_call_for_help_goes_on_to_the_next_trunk_whatever_the_first_one_says_or_does_not_say() {
    // what the first trunk says, and after how long the second is tried
    let rows: [(&[&str], u64); 4] = [
        (&[], 4_000),
        (&["486 Busy Here"], 0),
        (&["100 Trying"], 14_000),
        (&["100 Trying", "603 Decline"], 0),
    ];
    for (says, after) in rows {
        let mut rig = Rig::new();
        rig.configure(helped());
        asks_for_help(&mut rig, "a");
        let ours = rig.last("INVITE").to_owned();
        for status in says {
            rig.datagram(FIRST, &response(FIRST, &ours, status));
        }
        if after > 0 {
            rig.after(after - 1);
            assert_eq!(rig.heard(&format!("{SECOND} INVITE")), 0, "{says:?}");
            rig.after(1);
        }
        assert_eq!(rig.heard(&format!("{SECOND} INVITE sip:112@")), 1, "{says:?}: {:#?}", rig.said);
        let ours = rig.last("INVITE").to_owned();
        rig.datagram(SECOND, &response(SECOND, &ours, "180 Ringing"));
        // longer than limits.ring, and longer than a trunk may be silent
        rig.after(110_000);
        assert_eq!(rig.shard.call_count(), 1, "{says:?}");
        rig.datagram(SECOND, &response(SECOND, &ours, "200 OK"));
        assert_eq!(rig.heard(&format!("{PHONE} SIP/2.0 200")), 1, "{says:?}: {:#?}", rig.said);
    }
}

#[test]
fn who_is_not_known_gets_no_call_for_help() {
    let mut rig = Rig::new();
    rig.configure(helped());
    rig.datagram(PHONE, text("112", "a").as_bytes());
    assert_eq!(rig.heard("SIP/2.0 401"), 1);
    rig.authenticated(PHONE, &text("112", "b"), "wrong");
    assert_eq!(rig.heard("INVITE sip:112"), 0);
    // a full switch refuses a trunk that is not named as it refuses every call
    let mut snapshot = helped();
    snapshot.limits.calls = 0;
    rig.configure(snapshot);
    rig.datagram(TRUNK, &invite(TRUNK, "112", "example.com", "c"));
    assert_eq!((rig.heard("SIP/2.0 503"), rig.heard("INVITE sip:112")), (1, 0), "{:#?}", rig.said);
}

#[test]
fn a_trunk_that_is_named_may_ask_for_help_and_its_calls_end_without_a_trace() {
    let mut rig = Rig::new();
    let mut snapshot = helped();
    snapshot.limits.calls = 0;
    let tenant = snapshot.tenants.get_mut(&TenantId::DEFAULT).unwrap();
    tenant.routes.emergency.as_mut().unwrap().from_trunks = vec![trunk("carrier")];
    rig.configure(snapshot);
    rig.datagram(TRUNK, &invite(TRUNK, "112", "example.com", "a"));
    let ours = rig.last("INVITE sip:112").to_owned();
    rig.datagram(FIRST, &response(FIRST, &ours, "200 OK"));
    let ok = rig.last("200 OK").to_owned();
    rig.datagram(TRUNK, &within("ACK", 1, TRUNK, &ok));
    rig.datagram(TRUNK, &within("BYE", 2, TRUNK, &ok));
    rig.after(60_000);
    assert_eq!(rig.shard.leftovers(), [""; 0]);
}

#[test]
fn a_reload_that_takes_the_trunk_away_ends_no_call_for_help() {
    for says in ["", "503 Service Unavailable"] {
        let mut rig = Rig::new();
        rig.configure(helped());
        asks_for_help(&mut rig, "a");
        let ours = rig.last("INVITE").to_owned();
        let mut without = helped();
        let tenant = without.tenants.get_mut(&TenantId::DEFAULT).unwrap();
        tenant.trunks.remove("one");
        tenant.routes.emergency.as_mut().unwrap().trunks = vec![trunk("two")];
        rig.configure(without);
        if says.is_empty() {
            rig.after(4_000);
        } else {
            rig.datagram(FIRST, &response(FIRST, &ours, says));
        }
        assert_eq!(rig.heard(&format!("{SECOND} INVITE sip:112@")), 1, "{says}: {:#?}", rig.said);
    }
}

#[test]
fn who_hangs_up_while_help_is_called_has_nobody_else_called() {
    let mut rig = Rig::new();
    rig.configure(helped());
    rig.prompt = false;
    asks_for_help(&mut rig, "a");
    rig.journal_answers(true);
    let ours = rig.last("INVITE sip:112").to_owned();
    rig.datagram(FIRST, &response(FIRST, &ours, "100 Trying"));
    let call = rig.shard.calls(TenantId::DEFAULT).remove(0).call;
    let cause = cordboard_model::cause::Cause::Administrative;
    rig.command(ShardCommand::HangUp(call, cause));
    rig.datagram(FIRST, &response(FIRST, &ours, "503 Service Unavailable"));
    rig.after(30_000);
    assert_eq!(rig.heard(&format!("{SECOND} INVITE")), 0, "{:#?}", rig.said);
}

#[test]
fn help_beyond_its_cap_says_where_it_comes_from_and_the_operator_hears_of_one_that_reaches_nobody() {
    let mut rig = Rig::new();
    let mut snapshot = helped();
    let tenant = snapshot.tenants.get_mut(&TenantId::DEFAULT).unwrap();
    tenant.routes.emergency.as_mut().unwrap().calls = 1;
    rig.configure(snapshot);
    asks_for_help(&mut rig, "a");
    asks_for_help(&mut rig, "b");
    assert_eq!(rig.heard(&format!("{FIRST} INVITE sip:112@")), 2, "{:#?}", rig.said);
    let second = rig.last("INVITE").to_owned();
    assert_eq!(header(&second, "Geolocation"), "<geo:52.52,13.40>");
    rig.datagram(FIRST, &response(FIRST, &second, "603 Decline"));
    let again = rig.last("INVITE").to_owned();
    assert!(again.starts_with(&format!("INVITE sip:112@{SECOND}")), "{again}");
    assert_eq!(rig.alarms(), ["emergency_call", "emergency_call"]);
    rig.datagram(SECOND, &response(SECOND, &again, "503 Service Unavailable"));
    assert_eq!(rig.alarms(), ["emergency_call", "emergency_call", "emergency_failed"]);
}
