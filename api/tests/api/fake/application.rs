//! An application that acts for the tenant `default`, one of it whose system is asked, and one for another.

use super::Fake;
use cordboard_api::aliyun::beside::{Applications, Told, told};
use cordboard_api::aliyun::public_key;
use cordboard_api::switch::Later;
use cordboard_model::application::{Application, Proof};
use cordboard_model::config::Secret;
use cordboard_model::id::{Name, TenantId};
use core::time::Duration;
use std::future::ready;

/// What it says that it is, and what it shows for that.
pub const CLIENT: &str = "client-of-the-crm";
pub const SECRET: &str = "secret-of-the-crm:with-a-colon";
pub const OTHER_CLIENT: &str = "client-of-acme";
pub const OTHER_SECRET: &str = "secret-of-acme";
/// The application whose system is asked.
pub const ASKING_CLIENT: &str = "client-of-the-sales";
/// The access token that its system knows as agent 1001's.
pub const KNOWN: &str = "00Dx0!AQ.known";
const USER_ENDPOINT: &str = "https://sales.example/userinfo";

impl Applications for Fake {
    fn application(&self, client_id: &str) -> Option<(TenantId, Application)> {
        let pem = include_str!("../../../src/aliyun/jwt/crm.pem");
        let application = Application {
            name: Name::new("crm").ok()?,
            client_id: CLIENT.into(),
            secret: Secret(SECRET.into()),
            issuer: "https://crm.example".into(),
            proof: Proof::Signed { key: public_key(pem)?, longest: Duration::from_secs(31 * 86_400) },
            actions: true,
            instance: "default".into(),
        };
        match client_id {
            CLIENT => Some((TenantId::DEFAULT, application)),
            ASKING_CLIENT => {
                let sales = Application {
                    name: Name::new("sales").ok()?,
                    client_id: ASKING_CLIENT.into(),
                    issuer: "sales".into(),
                    proof: Proof::Asked { url: USER_ENDPOINT.into(), field: "email".into() },
                    ..application
                };
                Some((TenantId::DEFAULT, sales))
            }
            OTHER_CLIENT => {
                let other = Application {
                    name: Name::new("theirs").ok()?,
                    client_id: OTHER_CLIENT.into(),
                    secret: Secret(OTHER_SECRET.into()),
                    instance: "acme".into(),
                    ..application
                };
                Some((TenantId::new("acme").ok()?, other))
            }
            _ => None,
        }
    }

    fn whose(&self, url: &str, field: &str, token: Secret) -> Later<Told> {
        let said = match token.0.as_str() {
            _ if url != USER_ENDPOINT => Told::Garbage("it is another system".into()),
            KNOWN => told(200, br#"{"sub":"7","email":"1001"}"#, field),
            "of-a-stranger" => told(200, br#"{"email":"9999"}"#, field),
            "of-nobody" => told(200, br#"{"sub":"7"}"#, field),
            "silent" => Told::Silent("no answer within 5s".into()),
            "garbage" => told(302, b"", field),
            _ => told(401, b"", field),
        };
        Box::pin(ready(Ok(said)))
    }
}
