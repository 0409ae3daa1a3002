//! How agents sign in: each key with its range and its default.

use super::{faults, good};
use cordboard_model::config::Secret;
use cordboard_model::id::TenantId;
use cordboard_model::signin::{AgentSignIn, IN_MEMORY, SignInRules, TenantSignIn};

const HASH: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0$Ed7BnZiRGcE5lxsrDQqRJVVXqzBsPpZzLeSIYeWbnHM";

fn text(rules: &str, agent: &str) -> String {
    format!(
        "[tenant.default.sign_in]\n{rules}\n[tenant.default.user.1001]\npassword = \"secret\"\n\
         [tenant.default.agent.1001]\n{agent}\n"
    )
}

fn read(rules: &str, agent: &str) -> TenantSignIn {
    good(&text(rules, agent)).snapshot.tenants[&TenantId::DEFAULT].sign_in.clone()
}

#[test]
fn every_key_of_sign_in_has_its_range_and_its_default() {
    assert_eq!(read("", ""), TenantSignIn::default());
    let usual = SignInRules::default();
    assert_eq!((usual.length, usual.digits, usual.kinds, usual.history), (8, 6, 2, 3));
    assert_eq!((usual.age, usual.change_first, usual.tries), (90, true, 5), "table 4-4 has 90 days");
    assert_eq!((usual.lock.as_secs(), usual.slow.as_secs(), usual.idle.as_secs()), (900, 1, 43_200));
    for (key, right, wrong) in [
        ("length", ["6", "64"], ["5", "65"]),
        ("digits", ["6", "32"], ["5", "33"]),
        ("kinds", ["1", "4"], ["0", "5"]),
        ("history", ["0", "10"], ["-1", "11"]),
        ("password_age", ["0", "3650"], ["-1", "3651"]),
        ("change_first", ["true", "false"], ["1", "\"yes\""]),
        ("tries", ["1", "100"], ["0", "101"]),
        ("lock", ["\"1s\"", "\"1d\""], ["\"999ms\"", "\"86401s\""]),
        ("slow", ["\"0s\"", "\"60s\""], ["\"61s\"", "1"]),
        ("session_idle", ["\"1m\"", "\"7d\""], ["\"59s\"", "\"169h\""]),
    ] {
        for value in right {
            read(&format!("{key} = {value}"), "");
        }
        for value in wrong {
            let said = faults(&text(&format!("{key} = {value}"), ""));
            assert!(
                said.len() == 1 && said[0].contains(&format!("\"{key}\" in ")),
                "{key} = {value}: {said:?}"
            );
        }
    }
}

#[test]
fn an_agent_has_his_own_age_and_his_first_password_as_a_hash_alone() {
    let own = |lines: &str| read("", lines).agents.get("1001").cloned().unwrap_or_default();
    let hash = format!("password_hash = \"{HASH}\"\npassword_age = 30\nphone_sign_in = true");
    let known =
        AgentSignIn { phone: true, password: Some(Secret(HASH.into())), age: Some(30), unified: false };
    assert_eq!(own(&hash), known);
    assert_eq!(own("password_age = 0").age, Some(0));
    let Some(Secret(made)) = own("password_env = \"PHONE_1002\"").password else { panic!() };
    assert!(made.starts_with(IN_MEMORY) && !made.contains("secret-of-1002"), "{made}");
    let said = faults(&text("", "password_hash = \"my own password 1\""));
    assert!(
        said.len() == 1 && !said[0].contains("my own"),
        "what stands there may be the password itself: {said:?}"
    );
    for wrong in ["password_age = 3651", "phone_sign_in = 1", "password_env = \"NOT_SET_ANYWHERE\""] {
        assert_eq!(faults(&text("", wrong)).len(), 1, "{wrong}");
    }
}
