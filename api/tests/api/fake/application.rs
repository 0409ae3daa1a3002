//! An application that acts for the tenant `default`, and one for another.

use super::Fake;
use cordboard_api::aliyun::beside::Applications;
use cordboard_api::aliyun::public_key;
use cordboard_model::application::Application;
use cordboard_model::config::Secret;
use cordboard_model::id::{Name, TenantId};
use core::time::Duration;

/// What it says that it is, and what it shows for that.
pub const CLIENT: &str = "client-of-the-crm";
pub const SECRET: &str = "secret-of-the-crm:with-a-colon";
pub const OTHER_CLIENT: &str = "client-of-acme";
pub const OTHER_SECRET: &str = "secret-of-acme";

impl Applications for Fake {
    fn application(&self, client_id: &str) -> Option<(TenantId, Application)> {
        let pem = include_str!("../../../src/aliyun/jwt/crm.pem");
        let application = Application {
            name: Name::new("crm").ok()?,
            client_id: CLIENT.into(),
            secret: Secret(SECRET.into()),
            issuer: "https://crm.example".into(),
            key: public_key(pem)?,
            actions: true,
            instance: "default".into(),
            longest: Duration::from_secs(31 * 86_400),
        };
        match client_id {
            CLIENT => Some((TenantId::DEFAULT, application)),
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
}
