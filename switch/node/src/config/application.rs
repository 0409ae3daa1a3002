//! `[tenant.NAME.application.NAME]`: applications of other systems that act for a tenant.

use super::Checks;
use super::section::{At, Section};
use super::value::{boolean, duration, secret, some_text, wrong};
use crate::outgoing::Target;
use cordboard_api::aliyun::public_key;
use cordboard_model::application::{Application, Proof};
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
        let proof = proof(section, base);
        let issuer = match (section.has("issuer"), &proof) {
            (None, Some(Proof::Asked { .. })) => Some(name.to_string()),
            _ => text(section, "issuer", "who issues its tokens"),
        };
        let secret = shown(section, checks);
        Some(Application {
            name: name.clone(),
            client_id: client_id?,
            secret: Secret(secret?),
            issuer: issuer?,
            proof: proof?,
            actions: section.or("actions", false, boolean),
            instance: section.or("instance", tenant.to_string(), some_text),
        })
    });
    read.into_values().collect()
}

/// By what it says who an agent is: by a key, or by a system that is asked.
fn proof(section: &Section<'_>, base: &Path) -> Option<Proof> {
    if let Some(pos) = section.has("user_endpoint") {
        let url = section.need("user_endpoint", "where the other system is asked", |node| {
            let url = some_text(node)?;
            match Target::read(&url, ["http", "https"]) {
                Some(_) => Ok(url),
                None => Err(wrong(node, "a URL that begins with http:// or https://")),
            }
        });
        let field = section.need("mapping_field", "the field that says who an agent is", |node| {
            let field = some_text(node)?;
            match (1..=NAME_MAX).contains(&field.chars().count()) {
                true => Ok(field),
                false => Err(wrong(node, "1 to 128 characters")),
            }
        });
        if section.has("public_key").is_some() {
            let why = "an application either signs its tokens (public_key) or has a system that is asked";
            section.conflict("user_endpoint", pos, why.to_owned());
        }
        return Some(Proof::Asked { url: url?.value, field: field?.value });
    }
    let what = "the key that its tokens are signed with, or user_endpoint";
    let key = section.need("public_key", what, |node| {
        let file = some_text(node)?;
        let key = std::fs::read_to_string(base.join(file)).ok().and_then(|pem| public_key(&pem));
        key.ok_or_else(|| wrong(node, "a PEM file with an RSA public key of at least 2048 bits"))
    });
    let longest = duration(Duration::from_secs(60)..=Duration::from_secs(31 * 86_400));
    let longest = section.or("longest", Duration::from_secs(31 * 86_400), longest);
    Some(Proof::Signed { key: key?.value, longest })
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
