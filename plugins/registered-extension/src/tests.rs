//! Accounts, devices and what was dialled, as a table.

use super::*;
use cordboard_model::config::{Agent, Tenant, User};
use cordboard_model::id::{AgentId, Name, TenantId};
use cordboard_model::leg::PartyId;
use cordboard_model::media::DtmfKind;
use cordboard_plugin_api::Paper;

const T: TenantId = TenantId::DEFAULT;

/// Account 1001 is agent 8001's and has one device, 1002 has two, 1003 none, 1004 (agent 8004's)
/// none.
fn tenant() -> Tenant {
    let user = |name: &str| {
        let id = UserId::new(T, name).unwrap();
        let user = User {
            id,
            display: String::new(),
            ha1_md5: String::new(),
            ha1_sha256: String::new(),
            srtp: Default::default(),
            dtmf: DtmfKind::default(),
        };
        (Name::new(name).unwrap(), user)
    };
    let agent = |(name, user): (&str, &str)| {
        let id = AgentId::new(T, name).unwrap();
        let user = UserId::new(T, user).unwrap();
        let agent = Agent {
            id,
            display: String::new(),
            user,
            queues: Vec::new(),
            auto_sign_in: false,
            duty: Default::default(),
            record: None,
        };
        (Name::new(name).unwrap(), agent)
    };
    Tenant {
        users: ["1001", "1002", "1003", "1004"].map(user).into(),
        agents: [("8001", "1001"), ("8004", "1004")].map(agent).into(),
        ..Tenant::new(T)
    }
}

fn dial(dialled: &str) -> Verdict {
    let tenant = tenant();
    let contacts = [("1001", 1), ("1002", 2), ("1003", 0), ("1004", 0)]
        .map(|(name, devices)| (UserId::new(T, name).unwrap(), devices))
        .into();
    let req = RouteRequest::new(T, PartyId::new("1009"), PartyId::new(dialled));
    let ctx = Paper { contacts, ..Paper::new(&tenant) };
    RegisteredExtensionPlugin.route(&req, &ctx, &mut Notes::default())
}

#[test]
fn an_account_with_a_device_is_rung() {
    let rows = [
        ("1001", "account default/1001, the phone of agent default/8001, has 1 registered device"),
        ("1002", "account default/1002 has 2 registered devices"),
    ];
    for (dialled, why) in rows {
        let to = Destination::User(UserId::new(T, dialled).unwrap());
        let why = why.into();
        assert_eq!(dial(dialled), Verdict::Decide { to, why });
    }
}

#[test]
fn an_account_without_device_is_refused_as_not_registered() {
    let rows = [
        ("1003", "account default/1003 has no registered device"),
        ("1004", "account default/1004, the phone of agent default/8004, has no registered device"),
    ];
    for (dialled, why) in rows {
        let (cause, why) = (Cause::NotRegistered, why.into());
        assert_eq!(dial(dialled), Verdict::Refuse { cause, why });
    }
}

#[test]
fn what_is_no_account_passes() {
    let rows = [
        ("5000", "5000 is no account of tenant default"),
        ("", "(nothing) is no account of tenant default"),
        // The agent's work number is not his account.
        ("8001", "8001 is no account of tenant default"),
        ("10 01", "10 01 is no account of tenant default"),
        ("1001\n", "1001\\n is no account of tenant default"),
    ];
    for (dialled, why) in rows {
        let why = why.into();
        assert_eq!(dial(dialled), Verdict::Pass { why }, "{dialled}");
    }
}
