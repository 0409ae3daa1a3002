//! What is rung for an agent: his account, another one, or a number.

use super::bench::{Bench, agent, to, user};
use crate::api::{AcdCommand, AcdOutput, RefusedReason};
use cordboard_model::cause::Cause;
use cordboard_model::device::{AgentDevice, AgentPhone};
use cordboard_model::id::{TenantId, UserId};
use cordboard_model::time::Duration;
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
    bench.arrive("1001");
    bench.contacts("1002", 0);
    choose(&mut bench, "1001", Some(AgentDevice::Account(user("1002"))));
    bench.take();
    assert_eq!(bench.engine.guests_at(&user("1002")).collect::<Vec<_>>(), [&agent("1001")]);
    bench.enter(1);
    assert_eq!(bench.offers(), []);
    bench.contacts("1002", 1);
    assert_eq!(bench.offers(), [to(1, "1001")]);
    bench.fail(1, "1001", Cause::Declined);
    choose(&mut bench, "1001", None);
    assert_eq!(bench.engine.guests_at(&user("1002")).count(), 0);
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
