//! `cordboard user add`: makes a person who administrates, in the database itself: the first one, before anybody could ask the API.
//! Whoever may write the database may do that; a switch that runs on it finds him at his first sign-in.

use crate::cli::UserArgs;
use crate::clock::wall_now;
use crate::config::Loaded;
use crate::hashing::new_hash;
use crate::password;
use base64::Engine;
use cordboard_core::signin::judge;
use cordboard_model::access::{AccessWrite, AuditEntry, Outcome, Role, UserRecord};
use cordboard_model::id::{Name, TenantId};
use cordboard_model::signin::{KeptPassword, PasswordHash};
use cordboard_store::{Store, StoreError};
use ring::rand::{SecureRandom, SystemRandom};
use std::collections::BTreeSet;

/// Who that is, for records.
const BY: &str = "command line";

/// Adds him, and says so; with the password if it was made.
///
/// # Errors
/// What is wrong, in words.
pub fn add(args: &UserArgs, loaded: &Loaded) -> Result<String, String> {
    let tenant = TenantId::new(&args.tenant).map_err(|why| format!("tenant {:?}: {why}", args.tenant))?;
    let name = Name::new(&args.name).map_err(|why| format!("{:?}: {why}", args.name))?;
    let config = loaded.snapshot.tenant(tenant);
    let rules = &config.ok_or_else(|| format!("the tenant {tenant} is not configured"))?.sign_in.rules;
    let roles = roles(args, tenant)?;
    let password = if args.generate { made()? } else { password::typed()? };
    judge(rules, false, name.as_str(), &password)
        .map_err(|why| format!("the password is not taken: {why}"))?;
    let (now, hash) = (wall_now(), PasswordHash(new_hash(&password)?));
    let user = UserRecord {
        tenant,
        name: name.clone(),
        display: args.display.clone(),
        roles,
        // one that was typed is his who typed it
        password: KeptPassword { hash, set: now, by_other: args.generate, former: Vec::new() },
        totp: None,
        disabled: false,
        made: now,
        by: BY.to_owned(),
        signed_in: None,
    };
    let entry = AuditEntry {
        id: 0,
        tenant,
        at: now,
        who: BY.to_owned(),
        from: String::new(),
        action: "createUser".to_owned(),
        resource: format!("users/{name}"),
        outcome: Outcome::Done,
        status: 0,
        code: None,
        asked: None,
        before: None,
        after: Some(serde_json::json!({ "name": name, "roles": user.roles, "display": user.display })),
    };
    keep(loaded, user, entry)?;
    let path = loaded.machine.store.path.display();
    let shown = match args.generate {
        true => format!(
            "password: {password}\nIt is shown here and nowhere else, and changed at the first sign-in.\n"
        ),
        false => String::new(),
    };
    Ok(format!("user {name} of tenant {tenant} is in {path}\n{shown}"))
}

fn roles(args: &UserArgs, tenant: TenantId) -> Result<BTreeSet<Role>, String> {
    let known = || Role::ALL.map(Role::as_str).join(", ");
    let role = |word: &String| Role::of(word).ok_or_else(|| format!("{word:?} is none of {}", known()));
    let said = args.role.iter().map(role).collect::<Result<BTreeSet<_>, _>>()?;
    if said.contains(&Role::Operator) && tenant != TenantId::DEFAULT {
        return Err(format!("the machine has operators in the tenant {} alone", TenantId::DEFAULT));
    }
    if !said.is_empty() {
        return Ok(said);
    }
    // the first one, who makes the others
    let machine = (tenant == TenantId::DEFAULT).then_some(Role::Operator);
    Ok(machine.into_iter().chain([Role::Administrator]).collect())
}

/// A password of all kinds of characters that nobody can guess.
fn made() -> Result<String, String> {
    let mut bytes = [0; 18];
    let random = SystemRandom::new().fill(&mut bytes);
    random.map_err(|_| "the operating system gives no random bytes".to_owned())?;
    let text = base64::prelude::BASE64_URL_SAFE_NO_PAD.encode(bytes);
    Ok(format!("Cb-7{text}"))
}

fn keep(loaded: &Loaded, user: UserRecord, entry: AuditEntry) -> Result<(), String> {
    let runtime = crate::runtime()?;
    runtime.block_on(async {
        let name = user.name.clone();
        let store = Store::open(&loaded.machine.store.path).await.map_err(|why| why.to_string())?;
        let kept = store.keep(vec![AccessWrite::NewUser(Box::new(user))], vec![entry]).await;
        store.close().await;
        kept.map_err(|why| match why {
            StoreError::Exists => {
                format!("there is a user {name} already: an administrator sets his password")
            }
            other => other.to_string(),
        })
    })
}
