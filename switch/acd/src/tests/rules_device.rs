//! What is rung for an agent: his account, another one, or a number.

use super::bench::{Bench, agent, to, user};
use crate::api::{AcdCommand, AcdOutput, RefusedReason};
use cordboard_model::cause::Cause;
use cordboard_model::device::{AgentDevice, AgentPhone};
use cordboard_model::id::{TenantId, UserId};
use cordboard_model::service::AgentOrder;
use cordboard_model::time::Duration;
use cordboard_model::time::Wall;
use cordboard_model::view::AgentStatus;

const MOBILE: &str = "+8613812345678";

fn number() -> AgentDevice {
    AgentDevice::Number(MOBILE.into())
}

fn choose(bench: &mut Bench, name: &str, device: Option<AgentDevice>) {
    bench.command(AcdCommand::Device { agent: agent(name), device }).unwrap();
}

/// An agent whose telephone is rung first, ready, whose account has no registered device.
fn with_phone(name: &str) -> Bench {
    let mut bench = Bench::with_agents(&[name]);
    let phone = AgentPhone { number: Some(MOBILE.into()), first: true, ..AgentPhone::default() };
    bench.agent_mut(name).duty.phone = phone;
    bench.configure();
    bench.arrive(name);
    bench.contacts(name, 0);
    bench.take();
    bench
}

#[test]
fn a_number_needs_no_registration() {
    let mut bench = with_phone("1001");
    bench.graced("1001", 1);
    bench.pass(60_000);
    assert_eq!(bench.status("1001"), AgentStatus::Ready);
    bench.enter(1);
    assert_eq!(bench.offers(), [to(1, "1001")]);
    assert_eq!(bench.engine.device(&agent("1001")), Some(number()));
}

#[test]
fn who_goes_back_to_an_account_without_devices_is_not_offered_calls() {
    let mut bench = with_phone("1001");
    choose(&mut bench, "1001", Some(AgentDevice::Account(user("1001"))));
    bench.enter(1);
    assert_eq!(bench.offers(), []);
    assert!(bench.explain("1001").contains("account default/1001 has no registered device"));
    choose(&mut bench, "1001", None);
    assert_eq!(bench.offers(), [to(1, "1001")]);
}

#[test]
fn who_sits_at_another_account_is_there_while_its_devices_are() {
    let mut bench = Bench::with_agents(&["1001", "1002"]);
    bench.sign_out("1002");
    bench.contacts("1002", 0);
    choose(&mut bench, "1001", Some(AgentDevice::Account(user("1002"))));
    bench.take();
    assert_eq!(bench.engine.at_work_at(&user("1002")).collect::<Vec<_>>(), [&agent("1001")]);
    bench.enter(1);
    assert_eq!(bench.offers(), []);
    bench.contacts("1002", 1);
    assert_eq!(bench.offers(), [to(1, "1001")]);
    bench.fail(1, "1001", Cause::Declined);
    choose(&mut bench, "1001", None);
    assert_eq!(bench.engine.at_work_at(&user("1002")).count(), 0);
}

#[test]
fn an_offer_that_rings_elsewhere_is_withdrawn_without_blame() {
    let mut bench = with_phone("1001");
    bench.enter(1);
    bench.take();
    bench.contacts("1001", 1);
    choose(&mut bench, "1001", Some(AgentDevice::Account(user("1001"))));
    assert_eq!(bench.withdrawn(), [(1, "1001".to_owned())]);
    assert_eq!(bench.offers(), [to(1, "1001")]);
    // a choice that changes nothing leaves what rings alone
    choose(&mut bench, "1001", Some(AgentDevice::Account(user("1001"))));
    assert_eq!(bench.take(), []);
}

#[test]
fn what_the_old_device_cost_is_no_fault_of_the_new_one() {
    let mut bench = with_phone("1001");
    bench.enter(1);
    bench.take();
    bench.fail(1, "1001", Cause::Unreachable);
    assert_eq!(bench.offers(), []);
    bench.contacts("1001", 1);
    choose(&mut bench, "1001", Some(AgentDevice::Account(user("1001"))));
    assert_eq!(bench.offers(), [to(1, "1001")]);
}

#[test]
fn an_offer_to_a_number_lasts_as_long_as_the_key_may_take() {
    let last = |confirm: Option<Duration>| {
        let mut bench = with_phone("1001");
        bench.agent_mut("1001").duty.phone.confirm = confirm;
        bench.configure();
        bench.enter(1);
        bench.take();
        let mut s = 0;
        while bench.status("1001") == AgentStatus::Ringing {
            bench.pass(1_000);
            s += 1;
        }
        s
    };
    assert_eq!(last(Some(Duration::from_secs(20))), last(None) + 20);
}

#[test]
fn a_choice_follows_the_configuration() {
    let mut bench = Bench::with_agents(&["1001"]);
    bench.agent_mut("1001").duty.phone.number = Some(MOBILE.into());
    bench.configure();
    choose(&mut bench, "1001", Some(number()));
    assert_eq!(bench.engine.at_number(TenantId::DEFAULT, MOBILE).collect::<Vec<_>>(), [&agent("1001")]);
    bench.agent_mut("1001").duty.phone.number = Some("+8613800000000".into());
    bench.configure();
    assert_eq!(bench.engine.device(&agent("1001")), Some(AgentDevice::Number("+8613800000000".into())));
    assert_eq!(bench.engine.at_number(TenantId::DEFAULT, MOBILE).count(), 0);
    bench.agent_mut("1001").duty.phone.number = None;
    bench.configure();
    assert_eq!(bench.engine.device(&agent("1001")), Some(AgentDevice::Account(user("1001"))));
    // an account that is not there any more
    choose(&mut bench, "1001", Some(AgentDevice::Account(user("nobody"))));
    bench.configure();
    assert_eq!(bench.engine.device(&agent("1001")), Some(AgentDevice::Account(user("1001"))));
}

#[test]
fn an_account_of_another_tenant_is_nobodys_device() {
    let mut bench = Bench::with_agents(&["1001"]);
    let other = UserId::new(TenantId::new("acme").unwrap(), "1001").unwrap();
    let device = Some(AgentDevice::Account(other));
    let refused = bench.command(AcdCommand::Device { agent: agent("1001"), device }).unwrap_err();
    assert_eq!(refused.reason, RefusedReason::NoDevice);
}

#[test]
fn a_change_of_device_is_not_a_change_of_status() {
    let mut bench = Bench::with_agents(&["1001"]);
    bench.arrive("1001");
    bench.take();
    choose(&mut bench, "1001", Some(number()));
    assert!(!bench.take().iter().any(|out| matches!(out, AcdOutput::AgentChanged { .. })));
    assert_eq!(bench.status("1001"), AgentStatus::Ready);
}

/// Agents 1001 and 1002, by day and by night at one telephone: an account of both, or a number.
fn one_telephone(number: bool) -> Bench {
    let mut bench = Bench::with_agents(&["1001", "1002"]);
    for name in ["1001", "1002"] {
        bench.sign_out(name);
        let agent = bench.agent_mut(name);
        match number {
            true => {
                agent.duty.phone =
                    AgentPhone { number: Some(MOBILE.into()), first: true, ..AgentPhone::default() }
            }
            false => agent.user = user("desk"),
        }
    }
    bench.configure();
    bench.contacts("desk", 1);
    bench
}

/// Both were ready, and a call for one rang while the other talked.
#[test]
fn the_second_at_one_telephone_is_refused_and_told_who_is_there() {
    for number in [false, true] {
        let mut bench = one_telephone(number);
        bench.sign_in("1001");
        let refused = bench.order("1002", AgentOrder::SignIn).unwrap_err();
        assert_eq!(refused.reason, RefusedReason::DeviceTaken);
        assert!(refused.why.contains("agent default/1001 is signed in at"), "{}", refused.why);
        assert_eq!(bench.status("1002"), AgentStatus::SignedOut);
        bench.sign_out("1001");
        bench.order("1002", AgentOrder::SignIn).unwrap();
        assert_eq!(
            bench.engine.holder(&agent("1001"), &bench.engine.device(&agent("1001")).unwrap()),
            Some(&agent("1002"))
        );
    }
}

#[test]
fn nobody_who_is_signed_in_moves_to_a_telephone_where_another_is() {
    let mut bench = Bench::with_agents(&["1001", "1002"]);
    bench.sign_out("1002");
    let to_the_first =
        || AcdCommand::Device { agent: agent("1002"), device: Some(AgentDevice::Account(user("1001"))) };
    // one who is not there may choose it for later
    bench.command(to_the_first()).unwrap();
    choose(&mut bench, "1002", None);
    bench.sign_in("1002");
    let refused = bench.command(to_the_first()).unwrap_err();
    assert_eq!(refused.reason, RefusedReason::DeviceTaken);
    assert_eq!(bench.engine.device(&agent("1002")), Some(AgentDevice::Account(user("1002"))));
    bench.sign_out("1001");
    bench.command(to_the_first()).unwrap();
    assert_eq!(bench.engine.at_work_at(&user("1001")).collect::<Vec<_>>(), [&agent("1002")]);
    assert!(bench.order("1001", AgentOrder::SignIn).is_err(), "it is his own, and another is there");
}

#[test]
fn of_two_at_one_telephone_a_restart_brings_back_one() {
    let mut bench = one_telephone(false);
    for name in ["1002", "1001"] {
        let (status, since) = (AgentStatus::Ready, Wall(0));
        let restore =
            AcdCommand::RestoreAgent { agent: agent(name), status, reason: None, limit: None, since };
        bench.command(restore).unwrap();
    }
    assert_eq!(["1001", "1002"].map(|name| bench.status(name)), [AgentStatus::SignedOut, AgentStatus::Ready]);
    assert!(bench.explain("1001").contains("device_taken"), "{}", bench.explain("1001"));
}

#[test]
fn whom_a_new_configuration_puts_where_another_is_leaves_after_his_call() {
    let mut bench = Bench::with_agents(&["1002", "1001", "1003"]);
    bench.outside("1003", Some(7));
    for name in ["1001", "1002", "1003"] {
        bench.agent_mut(name).user = user("1002");
    }
    bench.configure();
    // who talks stays, though 1002 was there first
    assert_eq!(
        ["1001", "1002", "1003"].map(|name| bench.status(name)),
        [AgentStatus::SignedOut, AgentStatus::SignedOut, AgentStatus::Talking]
    );
    let mut bench = Bench::with_agents(&["1002", "1001"]);
    for name in ["1002", "1001"] {
        bench.outside(name, Some(if name == "1001" { 7 } else { 8 }));
    }
    bench.agent_mut("1001").user = user("1002");
    bench.configure();
    assert_eq!(["1001", "1002"].map(|name| bench.status(name)), [AgentStatus::Talking; 2]);
    // to ask to leave once more is no way to stay
    bench.order("1001", AgentOrder::SignOut).unwrap();
    for what in [AgentOrder::SignIn, AgentOrder::Ready, AgentOrder::NotReady { reason: None }] {
        assert_eq!(bench.order("1001", what).unwrap_err().reason, RefusedReason::DeviceTaken);
    }
    bench.outside("1001", None);
    assert_eq!(bench.status("1001"), AgentStatus::SignedOut);
    bench.outside("1002", None);
    assert_eq!(bench.status("1002"), AgentStatus::Ready);
}

#[test]
fn who_signs_in_by_himself_does_not_where_another_is() {
    let mut bench = one_telephone(false);
    bench.contacts("desk", 0);
    bench.graced("1001", 1);
    bench.agent_mut("1001").auto_sign_in = true;
    bench.configure();
    bench.order("1001", AgentOrder::SignIn).unwrap();
    bench.ready("1001").unwrap();
    bench.pass(2_000);
    assert_eq!(bench.status("1001"), AgentStatus::SignedOut);
    bench.sign_in("1002");
    bench.contacts("desk", 1);
    assert_eq!(
        ["1001", "1002"].map(|name| bench.status(name)),
        [AgentStatus::SignedOut, AgentStatus::NotReady]
    );
}
