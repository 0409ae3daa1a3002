//! `[tenant.NAME.application.NAME]`: applications of other systems that act for a tenant.

use super::Checks;
use super::section::{At, Section};
use super::value::{boolean, duration, secret, some_text, wrong};
use cordboard_api::aliyun::public_key;
use cordboard_model::application::Application;
use cordboard_model::config::{Secret, Tenant};
use cordboard_model::id::{Name, TenantId};
use core::time::Duration;
use std::collections::BTreeMap;
use std::path::Path;

/// Least length of a secret.
const SECRET_MIN: usize = 16;
/// Longest id and issuer, characters.
const NAME_MAX: usize = 128;

/// Reads those of a tenant.
pub(super) fn read(
    sections: Vec<(At<String>, Section<'_>)>,
    tenant: TenantId,
    (base, checks): (&Path, &Checks<'_>),
) -> Vec<Application> {
    for (at, section) in &sections {
        if let Err(why) = Name::new(&at.value) {
            section.conflict(&at.value, at.pos, why.to_string());
        }
    }
    let read = super::tenant::each(sections, |name, section| {
        let client_id = text(section, "client_id", "what the application says that it is");
        let issuer = text(section, "issuer", "who issues its tokens");
        let key = section.need("public_key", "the key that its tokens are signed with", |node| {
            let file = some_text(node)?;
            let key = std::fs::read_to_string(base.join(file)).ok().and_then(|pem| public_key(&pem));
            key.ok_or_else(|| wrong(node, "a PEM file with an RSA public key of at least 2048 bits"))
        });
        let longest = duration(Duration::from_secs(60)..=Duration::from_secs(31 * 86_400));
        let longest = section.or("longest", Duration::from_secs(31 * 86_400), longest);
        let secret = shown(section, checks);
        Some(Application {
            name: name.clone(),
            client_id: client_id?,
            secret: Secret(secret?),
            issuer: issuer?,
            key: key?.value,
            actions: section.or("actions", false, boolean),
            instance: section.or("instance", tenant.to_string(), some_text),
            longest,
        })
    });
    read.into_values().collect()
}

fn text(section: &Section<'_>, key: &'static str, what: &'static str) -> Option<String> {
    let read = section.need(key, what, |node| {
        let text = some_text(node)?;
        let fits = (1..=NAME_MAX).contains(&text.chars().count()) && (key == "issuer" || !text.contains(':'));
        if fits { Ok(text) } else { Err(wrong(node, "1 to 128 characters, in a client_id no colon")) }
    });
    read.map(|at| at.value)
}

/// The secret of the file, or of the variable that it names.
fn shown(section: &Section<'_>, checks: &Checks<'_>) -> Option<String> {
    let read = section.opt("secret_env", |node| {
        let name = some_text(node)?;
        match (checks.env)(&name) {
            Some(value) if value.len() >= SECRET_MIN => Ok(value),
            Some(_) => Err(wrong(node, "a variable with a secret of at least 16 characters")),
            None => Err(wrong(node, "an environment variable that is set")),
        }
    });
    if section.has("secret_env").is_some() {
        return read.map(|at| at.value);
    }
    let missing = "a secret of at least 16 characters, or secret_env";
    section.need("secret", missing, secret(SECRET_MIN)).map(|at| at.value)
}

/// Each application says another client id.
pub(super) fn differ<'a>(root: &Section<'_>, tenants: impl Iterator<Item = &'a Tenant>) {
    let mut taken = BTreeMap::new();
    for tenant in tenants {
        for application in &tenant.applications {
            if let Some(other) = taken.insert(&application.client_id, tenant.id) {
                let id = &application.client_id;
                let why = format!("tenants {other} and {} have the client id {id:?} both", tenant.id);
                root.conflict("application", root.pos, why);
            }
        }
    }
}
