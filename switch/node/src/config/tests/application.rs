//! Applications that act for a tenant: each key with its range and its default.

use super::{CRM_KEY, Scratch, checks, load};
use cordboard_model::application::{Application, Proof};
use cordboard_model::id::TenantId;

const WHOLE: &str = "client_id = \"crm-8a1f\"\nsecret_env = \"CRM_SECRET\"\nissuer = \"https://crm.example\"\npublic_key = \"crm.pem\"\n";

fn read(text: &str) -> Result<Vec<Application>, Vec<String>> {
    let scratch = Scratch::new();
    scratch.write("config/crm.pem", CRM_KEY);
    scratch.write("config/short.pem", include_str!("../../../../../api/src/aliyun/jwt/short.pem"));
    let path = scratch.write("config/cordboard.toml", text);
    match load(&path, &checks()) {
        Ok(loaded) => Ok(loaded.snapshot.tenants[&TenantId::DEFAULT].applications.clone()),
        Err(errors) => Err(errors.iter().map(ToString::to_string).collect()),
    }
}

fn one(lines: &str) -> Result<Vec<Application>, Vec<String>> {
    read(&format!("[tenant.default.application.crm]\n{lines}\n"))
}

#[test]
fn every_key_of_an_application_has_its_range_and_its_default() {
    let usual = one(WHOLE).unwrap().remove(0);
    assert_eq!((usual.client_id.as_str(), usual.secret.0.as_str()), ("crm-8a1f", "value of CRM_SECRET"));
    let longest = |one: &Application| match &one.proof {
        Proof::Signed { longest, .. } => longest.as_secs(),
        Proof::Asked { .. } => 0,
    };
    assert_eq!((usual.actions, usual.instance.as_str(), longest(&usual)), (false, "default", 31 * 86_400));
    let own =
        one(&format!("{WHOLE}actions = true\ninstance = \"ccc-1\"\nlongest = \"1m\"")).unwrap().remove(0);
    assert_eq!((own.actions, own.instance.as_str(), longest(&own)), (true, "ccc-1", 60));
    assert!(!format!("{own:?}").contains("value of"), "no log has the secret");
    let plain = WHOLE.replace("secret_env = \"CRM_SECRET\"", "secret = \"0123456789abcdef\"");
    assert_eq!(one(&plain).unwrap()[0].secret.0, "0123456789abcdef");
    for (lines, says) in [
        (WHOLE.replace("client_id", "#"), "\"client_id\""),
        (WHOLE.replace("crm-8a1f", "crm:8a1f"), "no colon"),
        (WHOLE.replace("issuer", "#"), "\"issuer\""),
        (WHOLE.replace("secret_env", "#"), "at least 16 characters"),
        (WHOLE.replace("CRM_SECRET", "TOO_SHORT"), "at least 16 characters"),
        (WHOLE.replace("CRM_SECRET", "NOWHERE"), "environment variable"),
        (WHOLE.replace("crm.pem", "short.pem"), "2048 bits"),
        (WHOLE.replace("crm.pem", "none.pem"), "2048 bits"),
        (format!("{WHOLE}longest = \"32d\""), "\"longest\""),
        (format!("{WHOLE}actions = 1"), "\"actions\""),
    ] {
        let said = one(&lines).unwrap_err();
        assert!(said.iter().any(|line| line.contains(says)), "{lines}: {said:?}");
    }
}

#[test]
fn an_application_has_a_key_or_a_system_that_is_asked() {
    let asked = "client_id = \"sales\"\nsecret_env = \"CRM_SECRET\"\nuser_endpoint = \"https://login.example/userinfo\"\n\
        mapping_field = \"email\"\n";
    let usual = one(asked).unwrap().remove(0);
    let (url, field) = ("https://login.example/userinfo".to_owned(), "email".to_owned());
    assert_eq!((usual.proof, usual.issuer.as_str()), (Proof::Asked { url, field }, "crm"));
    assert_eq!(one(&format!("{asked}issuer = \"salesforce\"")).unwrap()[0].issuer, "salesforce");
    for (lines, says) in [
        (asked.replace("https://", "ftp://"), "http://"),
        (asked.replace("mapping_field", "#"), "\"mapping_field\""),
        (asked.replace("\"email\"", "\"\""), "\"mapping_field\""),
        (format!("{asked}public_key = \"crm.pem\""), "\"user_endpoint\""),
        (format!("{asked}longest = \"1m\""), "\"longest\""),
        (format!("{WHOLE}mapping_field = \"email\""), "\"mapping_field\""),
    ] {
        let said = one(&lines).unwrap_err();
        assert!(said.iter().any(|line| line.contains(says)), "{lines}: {said:?}");
    }
}

#[test]
fn two_applications_do_not_say_the_same_of_themselves() {
    let two = |id: &str| {
        let other = WHOLE.replace("crm-8a1f", id);
        read(&format!("[tenant.default.application.crm]\n{WHOLE}[tenant.default.application.erp]\n{other}"))
    };
    assert_eq!(two("erp-1").unwrap().len(), 2);
    assert!(two("crm-8a1f").unwrap_err()[0].contains("client id"), "both would be found by it");
}
