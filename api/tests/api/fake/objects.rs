//! What the fake keeps of what is configured: whatever it is given, unchecked but for one key that it does not know.

use super::Fake;
use cordboard_api::objects::{
    ObjectAct, ObjectChange, ObjectDone, ObjectFault, ObjectKind, ObjectView, Objects, Origin, meets, merged,
};
use cordboard_api::switch::Later;
use cordboard_model::id::TenantId;
use cordboard_model::time::Wall;
use std::collections::BTreeMap;
use std::sync::PoisonError;

/// By whose, kind and name.
pub type Kept = BTreeMap<(TenantId, ObjectKind, String), ObjectView>;

/// What stands in the fake's file.
pub fn of_file() -> Kept {
    let view = ObjectView {
        kind: ObjectKind::Queues,
        name: "support".into(),
        origin: Origin::File,
        place: Some("config/cordboard.toml:12:1".into()),
        version: "file-1".into(),
        at: None,
        by: None,
        secrets: Vec::new(),
        broken: None,
        document: serde_json::Map::new(),
    };
    BTreeMap::from([((TenantId::DEFAULT, ObjectKind::Queues, "support".into()), view)])
}

fn apply(kept: &mut Kept, tenant: TenantId, by: &str, change: &ObjectChange, version: usize) -> ObjectDone {
    let key = (tenant, change.kind, change.name.to_string());
    let there = kept.get(&key).cloned();
    meets(there.as_ref(), change)?;
    let mut document = match &change.act {
        ObjectAct::Delete => {
            kept.remove(&key);
            return Ok(None);
        }
        ObjectAct::Put(document) => document.clone(),
        ObjectAct::Merge(patch) => {
            let mut document = there.map(|view| view.document).unwrap_or_default();
            merged(&mut document, patch.clone());
            document
        }
    };
    if document.contains_key("rng") {
        return Err(ObjectFault::Invalid(vec![("rng".into(), "unknown key \"rng\"".into())]));
    }
    let secrets = document.remove("password").map(|_| "password".to_owned()).into_iter().collect();
    let view = ObjectView {
        kind: change.kind,
        name: change.name.to_string(),
        origin: Origin::Store,
        place: None,
        version: version.to_string(),
        at: Some(Wall(1_795_212_000_000)),
        by: Some(by.to_owned()),
        secrets,
        broken: None,
        document,
    };
    kept.insert(key, view.clone());
    Ok(Some(view))
}

impl Objects for Fake {
    fn objects(&self, tenant: TenantId, kind: ObjectKind) -> Later<Vec<ObjectView>> {
        let kept = self.objects.lock().unwrap_or_else(PoisonError::into_inner);
        let mine = kept.iter().filter(|((whose, what, _), _)| *whose == tenant && *what == kind);
        let all = mine.map(|(_, view)| view.clone()).collect();
        Box::pin(async move { Ok(all) })
    }

    fn change_objects(
        &self,
        tenant: TenantId,
        by: String,
        changes: Vec<ObjectChange>,
        whole: bool,
    ) -> Later<Vec<ObjectDone>> {
        let mut kept = self.objects.lock().unwrap_or_else(PoisonError::into_inner);
        let mut new = kept.clone();
        let version = kept.len() + 100;
        let each = changes.iter().enumerate();
        let mut rows: Vec<ObjectDone> =
            each.map(|(at, change)| apply(&mut new, tenant, &by, change, version + at)).collect();
        if !whole || rows.iter().all(Result::is_ok) {
            *kept = new;
        } else {
            rows = rows.into_iter().map(|row| Err(row.err().unwrap_or(ObjectFault::WithOthers))).collect();
        }
        Box::pin(async move { Ok(rows) })
    }
}
