//! What is configured, as the control plane reads and changes it.
//!
//! Invariant: what is kept has been checked whole, with the file and with everything else that is kept; a change that does not
//! fit is refused, and nothing of it is kept.

use crate::clock::wall_now;
use crate::config::objects::{Kept, OBJECTS_MAX, ObjectKey, Objects as AllKept, SECRETS, field};
use crate::config::{ConfigError, Loaded, ha1};
use crate::switch::NodeSwitch;
use cordboard_api::objects::{
    ObjectAct, ObjectChange, ObjectDone, ObjectFault, ObjectKind, ObjectView, Objects, Origin, meets, merged,
};
use cordboard_api::switch::{Later, Refusal};
use cordboard_model::id::TenantId;
use cordboard_model::time::Wall;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Checks these documents with the file; those that are named may be left out.
pub(crate) type Attempt<'a> = &'a dyn Fn(&AllKept, &BTreeSet<ObjectKey>) -> Result<Loaded, Vec<ConfigError>>;

impl Objects for NodeSwitch {
    fn objects(&self, tenant: TenantId, kind: ObjectKind) -> Later<Vec<ObjectView>> {
        let loaded = self.reloader.current();
        Box::pin(async move { Ok(views(&loaded, tenant, kind)) })
    }

    fn change_objects(
        &self,
        tenant: TenantId,
        by: String,
        changes: Vec<ObjectChange>,
        whole: bool,
    ) -> Later<Vec<ObjectDone>> {
        let reloader = Arc::clone(&self.reloader);
        let at = wall_now();
        let work =
            move || reloader.keep(|old, attempt| Work { tenant, by, at, changes, whole, old }.make(attempt));
        Box::pin(async move {
            let done = tokio::task::spawn_blocking(work).await;
            done.unwrap_or_else(|why| Err(Refusal::Internal(why.to_string())))
        })
    }
}

/// Takes secrets out, and says which there were.
fn hide(document: &mut Map<String, Value>) -> Vec<String> {
    let mut hidden = Vec::new();
    document.retain(|key, value| {
        let secret = SECRETS.contains(&key.as_str());
        if secret {
            hidden.push(key.clone());
        } else if let Value::Object(inner) = value {
            hidden.extend(hide(inner).into_iter().map(|below| format!("{key}.{below}")));
        }
        !secret
    });
    hidden
}

fn of_store(key: &ObjectKey, kept: &Kept, broken: Option<&String>) -> ObjectView {
    let mut document = kept.document.clone();
    ObjectView {
        kind: key.kind,
        name: key.name.to_string(),
        origin: Origin::Store,
        place: None,
        version: kept.version.to_string(),
        at: Some(kept.at),
        by: Some(kept.by.clone()),
        secrets: hide(&mut document),
        broken: broken.cloned(),
        document,
    }
}

/// Every thing of a kind, by name; where one of the file has taken the name of one that is kept here, both.
fn views(loaded: &Loaded, tenant: TenantId, kind: ObjectKind) -> Vec<ObjectView> {
    let wanted = |key: &&ObjectKey| key.tenant == tenant && key.kind == kind;
    let stored = loaded.stored.all.iter().filter(|(key, _)| wanted(key));
    let mut all: Vec<ObjectView> =
        stored.map(|(key, kept)| of_store(key, kept, loaded.aside.get(key))).collect();
    for (key, of_file) in loaded.of_files.iter().filter(|(key, _)| wanted(key)) {
        let mut document = of_file.document.clone();
        let hash = Sha256::digest(Value::Object(document.clone()).to_string());
        let version: String = hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        all.push(ObjectView {
            kind,
            name: key.name.to_string(),
            origin: Origin::File,
            place: Some(of_file.place.clone()),
            version: format!("file-{version}"),
            at: None,
            by: None,
            secrets: hide(&mut document),
            broken: None,
            document,
        });
    }
    all.sort_by(|a, b| a.name.cmp(&b.name));
    all
}

/// Changes that are to be made.
struct Work<'a> {
    tenant: TenantId,
    by: String,
    at: Wall,
    changes: Vec<ObjectChange>,
    whole: bool,
    old: &'a Loaded,
}

impl Work<'_> {
    fn key(&self, change: &ObjectChange) -> ObjectKey {
        ObjectKey { tenant: self.tenant, kind: change.kind, name: change.name.clone() }
    }

    /// Finds out which of them can be made together, and what the configuration is then; none if nothing changes.
    fn make(self, attempt: Attempt<'_>) -> Result<(Vec<ObjectDone>, Option<Loaded>), Refusal> {
        let mut faults: Vec<Option<ObjectFault>> = self.changes.iter().map(|_| None).collect();
        let changed: BTreeSet<ObjectKey> = self.changes.iter().map(|change| self.key(change)).collect();
        let aside: BTreeSet<ObjectKey> =
            self.old.aside.keys().filter(|key| !changed.contains(*key)).cloned().collect();
        loop {
            let mut stored = self.old.stored.clone();
            for (change, fault) in self.changes.iter().zip(&mut faults).filter(|(_, fault)| fault.is_none()) {
                *fault = self.apply(change, &mut stored).err();
            }
            if self.whole && faults.iter().any(Option::is_some) || faults.iter().all(Option::is_some) {
                let rows = faults.into_iter().map(|fault| Err(fault.unwrap_or(ObjectFault::WithOthers)));
                return Ok((rows.collect(), None));
            }
            match attempt(&stored, &aside) {
                Ok(loaded) => {
                    let rows = self.changes.iter().zip(faults).map(|(change, fault)| {
                        let key = self.key(change);
                        let view = loaded.stored.all.get(&key).map(|kept| of_store(&key, kept, None));
                        fault.map_or(Ok(view), Err)
                    });
                    return Ok((rows.collect(), Some(loaded)));
                }
                Err(errors) => self.blame(&errors, &mut faults),
            }
        }
    }

    /// Gives what is wrong to the changes whose fault it is: one at least.
    fn blame(&self, errors: &[ConfigError], faults: &mut [Option<ObjectFault>]) {
        let mut found = false;
        for (change, fault) in self.changes.iter().zip(faults.iter_mut()) {
            let key = self.key(change);
            let own = errors.iter().filter(|error| ObjectKey::of(error).as_ref() == Some(&key));
            let own: Vec<_> = own.map(|error| (field(&key, error), error.problem.to_string())).collect();
            if fault.is_none() && !own.is_empty() {
                *fault = Some(ObjectFault::Invalid(own));
                found = true;
            }
        }
        let lines = || errors.iter().map(ToString::to_string).collect::<Vec<_>>();
        let deletes = |change: &ObjectChange| change.act == ObjectAct::Delete;
        let gone = self.changes.iter().zip(faults.iter()).any(|(of, fault)| fault.is_none() && deletes(of));
        for (change, fault) in self.changes.iter().zip(faults.iter_mut()) {
            // What something else misses was taken away, if anything was.
            if !found && fault.is_none() && (deletes(change) || !gone) {
                *fault = Some(ObjectFault::InUse(lines()));
            }
        }
    }

    /// Makes one change to the documents, unchecked.
    fn apply(&self, change: &ObjectChange, stored: &mut AllKept) -> Result<(), ObjectFault> {
        let key = self.key(change);
        let there = stored.all.get(&key).map(|kept| of_store(&key, kept, None));
        let of_file = || {
            let all = views(self.old, self.tenant, change.kind).into_iter();
            all.filter(|view| view.origin == Origin::File).find(|view| view.name == change.name.as_str())
        };
        meets(there.or_else(of_file).as_ref(), change)?;
        let before = stored.all.get(&key).map(|kept| kept.document.clone());
        let document = match &change.act {
            ObjectAct::Delete => {
                self.may_go(&key, stored)?;
                stored.all.remove(&key);
                return Ok(());
            }
            ObjectAct::Put(document) => {
                let mut document = document.clone();
                if !SECRETS.iter().any(|secret| document.contains_key(*secret)) {
                    let kept = before.into_iter().flatten();
                    document.extend(kept.filter(|(key, _)| SECRETS.contains(&key.as_str())));
                }
                document
            }
            ObjectAct::Merge(patch) => {
                let mut document = before.unwrap_or_default();
                if patch.contains_key("password") {
                    document.retain(|key, _| !SECRETS.contains(&key.as_str()));
                }
                merged(&mut document, patch.clone());
                document
            }
        };
        if stored.all.len() >= OBJECTS_MAX && !stored.all.contains_key(&key) {
            let why = format!("{OBJECTS_MAX} things are kept already, and that is all");
            return Err(ObjectFault::Invalid(vec![("name".into(), why)]));
        }
        let document = self.completed(&key, document)?;
        stored.last += 1;
        let kept = Kept { version: stored.last, at: self.at, by: self.by.clone(), document };
        stored.all.insert(key, kept);
        Ok(())
    }

    /// A tenant goes when nothing of his is kept any more.
    fn may_go(&self, key: &ObjectKey, stored: &AllKept) -> Result<(), ObjectFault> {
        if key.kind != ObjectKind::Tenants {
            return Ok(());
        }
        let is_his = |other: &&ObjectKey| {
            other.kind != ObjectKind::Tenants && other.tenant.as_str() == key.name.as_str()
        };
        let his: Vec<String> = stored.all.keys().filter(is_his).map(ObjectKey::label).collect();
        if his.is_empty() { Ok(()) } else { Err(ObjectFault::InUse(his)) }
    }

    /// With what goes without saying, and with hashes in place of an account's password.
    fn completed(
        &self,
        key: &ObjectKey,
        mut document: Map<String, Value>,
    ) -> Result<Map<String, Value>, ObjectFault> {
        let invalid = |field: &str, why: String| ObjectFault::Invalid(vec![(field.into(), why)]);
        document.retain(|_, value| !value.is_null());
        match key.kind {
            ObjectKind::Tenants => {
                TenantId::new(key.name.as_str()).map_err(|why| invalid("name", why.to_string()))?;
            }
            ObjectKind::Numbers => {
                document.entry("access_code").or_insert_with(|| key.name.as_str().into());
            }
            ObjectKind::Flows => {
                document.entry("kept").or_insert_with(|| "api".into());
            }
            ObjectKind::Accounts => {
                let password =
                    document.get("password").and_then(Value::as_str).filter(|text| !text.is_empty());
                if let Some(password) = password {
                    let tenant = self.old.snapshot.tenants.get(&self.tenant);
                    let realm = tenant.and_then(|tenant| tenant.domains.first()).cloned().unwrap_or_default();
                    let (md5, sha256) = ha1(key.name.as_str(), &realm, password);
                    document.remove("password");
                    document.insert("ha1_md5".into(), md5.into());
                    document.insert("ha1_sha256".into(), sha256.into());
                }
            }
            _ => {}
        }
        Ok(document)
    }
}
