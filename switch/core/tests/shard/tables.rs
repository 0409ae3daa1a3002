//! Tables as they are listed and searched: rows of files with those that the API has put or removed.

use crate::rig::*;
use cordboard_model::id::{Name, TenantId};
use cordboard_model::lookup::{LookupTable, RowsPage, RowsWanted};
use std::collections::BTreeMap;
use std::sync::Arc;

const TENANT: TenantId = TenantId::DEFAULT;

fn keys(page: &RowsPage) -> Vec<&str> {
    page.items.iter().map(|row| row.key.as_str()).collect()
}

fn wanted(find: Option<&str>, after: Option<&str>, most: usize) -> RowsWanted {
    RowsWanted { find: find.map(str::to_owned), after: after.map(str::to_owned), most }
}

#[test]
fn rows_of_the_api_stand_before_those_of_the_file_and_pages_go_by_keys() {
    let mut rig = Rig::new();
    let (vip, own) = (Name::new("vip").unwrap(), Name::new("own").unwrap());
    let mut file = LookupTable { columns: vec!["number".into(), "name".into()], ..LookupTable::default() };
    for n in 0..1_500 {
        file.rows.insert(format!("{n:04}"), vec![format!("Caller {n}")]);
    }
    let mut with = one_tenant();
    with.tenants.get_mut(&TENANT).unwrap().kit.tables.insert(vip.clone(), Arc::new(file));
    rig.configure(with);
    let ada = BTreeMap::from([("name".to_owned(), "Ada".to_owned())]);
    for (table, key) in [(&vip, "0001"), (&vip, "0000b"), (&own, "1")] {
        rig.shard.set_row((TENANT, table.clone()), key.into(), Some(ada.clone()), "a test".into()).unwrap();
    }
    rig.shard.set_row((TENANT, vip.clone()), "0002".into(), None, "a test".into()).unwrap();

    let tables: Vec<_> = rig.shard.tables(TENANT).into_iter().map(|one| (one.in_file, one.changed)).collect();
    assert_eq!(tables, [(0, 1), (1_500, 3)]);
    let first = rig.shard.rows(TENANT, &vip, &wanted(None, None, 4)).unwrap();
    assert_eq!(keys(&first), ["0000", "0000b", "0001", "0003"]);
    assert_eq!(first.items[2].cells["name"], "Ada");
    let second = rig.shard.rows(TENANT, &vip, &wanted(None, first.next.as_deref(), 2)).unwrap();
    assert_eq!(keys(&second), ["0004", "0005"]);

    // A search looks at so many rows at once, and goes on from where it was.
    let found = rig.shard.rows(TENANT, &vip, &wanted(Some("CALLER 1400"), None, 10)).unwrap();
    assert_eq!(keys(&found), [""; 0]);
    let found =
        rig.shard.rows(TENANT, &vip, &wanted(Some("CALLER 1400"), found.next.as_deref(), 10)).unwrap();
    assert_eq!((keys(&found), found.next.as_deref()), (vec!["1400"], None));
    assert_eq!(keys(&rig.shard.rows(TENANT, &own, &wanted(None, None, 9)).unwrap()), ["1"]);
    assert_eq!(rig.shard.rows(TENANT, &Name::new("none").unwrap(), &wanted(None, None, 9)), None);
}
