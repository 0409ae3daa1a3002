//! Callers and whom they talked to, as tables.

use super::*;
use cordboard_model::config::{Agent, Tenant};
use cordboard_model::id::{AgentId, TenantId, UserId};
use cordboard_model::leg::PartyId;
use cordboard_model::routes::{LastAgent, NumberPattern};
use cordboard_plugin_api::Paper;

const T: TenantId = TenantId::DEFAULT;
const DAY: u64 = 86_400;

fn agent(name: &str) -> AgentId {
    AgentId::new(T, name).unwrap()
}

/// Agents 8001 and 8002; callers of 5000 and 6... get the one whom they had within three days.
fn tenant() -> Tenant {
    let mut tenant = Tenant::new(T);
    for name in ["8001", "8002"] {
        let (id, user) = (agent(name), UserId::new(T, name).unwrap());
        let agent = Agent {
            id: id.clone(),
            display: String::new(),
            user,
            queues: Vec::new(),
            auto_sign_in: false,
            duty: Default::default(),
            record: None,
        };
        tenant.agents.insert(id.name, agent);
    }
    let called = ["5000", "6*"].map(NumberPattern::new).to_vec();
    tenant.routes.last_agent =
        Some(LastAgent { called, within: Duration::from_secs(3 * DAY), otherwise: None });
    tenant
}

/// +4930 talked to this agent so long ago; 8001 is ready, and so is 8009, who is no agent any more.
fn dial(tenant: &Tenant, had: &str, ago: Duration, from: &str, to: &str) -> (Verdict, Vec<String>) {
    let ctx = Paper {
        talks: [("+4930".to_owned(), (agent(had), ago))].into(),
        ready: [agent("8001"), agent("8009")].into(),
        ..Paper::new(tenant)
    };
    let req = RouteRequest::new(T, PartyId::new(from), PartyId::new(to));
    let mut notes = Notes::default();
    let verdict = LastAgentPlugin.route(&req, &ctx, &mut notes);
    (verdict, notes.into_lines())
}

#[test]
fn a_caller_gets_the_agent_whom_he_had_if_that_one_is_ready() {
    let gets = |ago: &str| Ok(format!("+4930 talked to agent default/8001 {ago} ago, who is ready"));
    let not = |line: &str| Err(line.to_owned());
    let rows = [
        ("8001", 0, gets("0 s")),
        ("8001", 119, gets("119 s")),
        ("8001", 120, gets("2 min")),
        ("8001", 7_199, gets("119 min")),
        ("8001", 7_200, gets("2 h")),
        ("8001", 2 * DAY - 1, gets("47 h")),
        ("8001", 2 * DAY, gets("2 d")),
        ("8001", 3 * DAY, gets("3 d")),
        ("8001", 3 * DAY + 1, not("agent default/8001, 3 d ago: longer ago than 3 d")),
        ("8001", 900 * DAY, not("agent default/8001, 900 d ago: longer ago than 3 d")),
        ("8002", 60, not("agent default/8002, 60 s ago: is not ready")),
        ("8009", 60, not("agent default/8009, 60 s ago: is no agent any more")),
    ];
    for (had, ago, expected) in rows {
        let expected = match expected {
            Ok(why) => (Verdict::Decide { to: Destination::Agent(agent(had)), why }, vec![]),
            Err(line) => {
                let why = "+4930 does not get the agent whom he had".into();
                (Verdict::Pass { why }, vec![line])
            }
        };
        let said = dial(&tenant(), had, Duration::from_secs(ago), "+4930", "5000");
        assert_eq!(said, expected, "{had}, {ago} s ago");
    }
    let hair = Duration::from_secs(3 * DAY) + Duration::from_millis(1);
    let (verdict, rejected) = dial(&tenant(), "8001", hair, "+4930", "5000");
    assert!(matches!(verdict, Verdict::Pass { .. }), "{verdict:?}");
    assert_eq!(rejected, ["agent default/8001, 3 d ago: longer ago than 3 d"]);
}

#[test]
fn who_talked_to_nobody_or_calls_another_number_gets_no_agent_of_his_own() {
    let rows = [
        ("+4930", "6123", None),
        ("+4930", "5001", Some("not for 5001")),
        ("+4930", "", Some("not for (nothing)")),
        ("+4989", "5000", Some("+4989 has talked to nobody")),
        ("anonymous", "5000", Some("anonymous has talked to nobody")),
        ("", "5000", Some("(nothing) has talked to nobody")),
        ("+4930\r\n", "5000", Some("+4930\\r\\n has talked to nobody")),
    ];
    for (from, to, passes) in rows {
        let (verdict, rejected) = dial(&tenant(), "8001", Duration::from_secs(60), from, to);
        let expected = match passes {
            Some(why) => Verdict::Pass { why: why.into() },
            None => Verdict::Decide {
                to: Destination::Agent(agent("8001")),
                why: "+4930 talked to agent default/8001 60 s ago, who is ready".into(),
            },
        };
        assert_eq!((verdict, rejected), (expected, vec![]), "{from} calls {to}");
    }
    let mut none = tenant();
    none.routes.last_agent = None;
    let why = "callers get no agent of their own".into();
    assert_eq!(dial(&none, "8001", Duration::ZERO, "+4930", "5000").0, Verdict::Pass { why });
}

/// A day on which +4930 has talked to 8001, who is ready.
fn day(tenant: &Tenant) -> Paper<'_> {
    Paper {
        talks: [("+4930".to_owned(), (agent("8001"), Duration::from_secs(60)))].into(),
        ready: [agent("8001")].into(),
        ..Paper::new(tenant)
    }
}

#[test]
fn an_account_gets_no_agent_of_its_own_and_who_is_not_answered_goes_elsewhere() {
    let mut tenant = tenant();
    let asked = RouteRequest::new(T, PartyId::new("+4930"), PartyId::new("5000"));
    let account = RouteRequest { user: UserId::new(T, "1001").ok(), ..asked.clone() };
    let verdict = LastAgentPlugin.route(&account, &day(&tenant), &mut Notes::default());
    assert_eq!(verdict, Verdict::Pass { why: "an account calls, which is no customer".into() });
    let sales = Destination::Queue(cordboard_model::id::QueueId::new(T, "sales").unwrap());
    if let Some(rule) = &mut tenant.routes.last_agent {
        rule.otherwise = Some(sales.clone());
    }
    let verdict = LastAgentPlugin.route(&asked, &day(&tenant), &mut Notes::default());
    let Verdict::Amend { changes, then: Some(then), .. } = verdict else { panic!("{verdict:?}") };
    assert_eq!(changes, [Change::Otherwise(sales)]);
    assert!(matches!(*then, Verdict::Decide { to: Destination::Agent(_), .. }), "{then:?}");
}
