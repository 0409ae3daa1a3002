//! What is kept beside the configuration: tables, and flows that the API has published.

use super::*;

#[test]
fn tables_are_read_by_name_and_a_wrong_line_is_an_error_with_its_place() {
    let scratch = Scratch::new();
    scratch.write("tables/callers/vip.csv", "number,name\n4930123,Ada\n");
    let text = "[tenant.default]\ntables = \"../tables\"\n";
    let loaded = scratch.load(text).unwrap();
    let tables = |loaded: &Loaded| loaded.snapshot.tenant(TenantId::DEFAULT).unwrap().kit.tables.clone();
    let table = tables(&loaded).into_iter().next().unwrap();
    assert_eq!((table.0.as_str(), table.1.row("4930123").unwrap()[1].1.as_str()), ("callers.vip", "Ada"));
    scratch.write("tables/callers/vip.csv", "number,name\n4930123,Ada L.\n");
    let newer = scratch.load(text).unwrap();
    assert_eq!(diff(&loaded, &newer), ["tenant default, table callers.vip: the rows changed"]);
    scratch.write("tables/callers/vip.csv", "number,name\n4930123\n");
    let said: Vec<String> = scratch.load(text).unwrap_err().iter().map(|e| e.to_string()).collect();
    assert!(said[0].ends_with("tables/callers/vip.csv:2:1: 1 cells, and there are 2 columns"), "{said:?}");
}

#[test]
fn a_flow_that_is_kept_by_the_api_is_what_was_published_last() {
    use crate::flows::shelf::{Shelf, Texts};
    use cordboard_model::time::Wall;
    const TEXT: &str = "[flows]\ndir = \"../var/f\"\n[tenant.default.flow.main]\nkept = \"api\"\n\
                        [[tenant.default.number]]\naccess_code = \"500\"\nto = \"flow:main\"\n";
    let scratch = Scratch::new();
    let id = FlowId::new(TenantId::DEFAULT, "main").unwrap();
    let flow = |loaded: &Loaded| {
        let flow = loaded.snapshot.flow(&id).unwrap();
        (flow.file.clone(), flow.source.clone())
    };
    let before = scratch.load(TEXT).unwrap();
    assert_eq!(before.flows[&id].keeper, Keeper::Api);
    assert!(before.flows[&id].place.contains("cordboard.toml:3:"), "{}", before.flows[&id].place);
    let none = "error(\"no version of flow 'main' has been published yet\", 0)\n";
    assert_eq!(flow(&before), ("main.lua".into(), none.into()));

    let shelf = Shelf::new(&before.machine.flows.dir, &id);
    let texts = Texts { flow: "answer()\n".into(), test: None };
    shelf.publish(&texts, ("key a", "", None), Wall(1), 9).unwrap();
    assert_eq!(flow(&scratch.load(TEXT).unwrap()), ("main@1.lua".into(), "answer()\n".into()));
    // What was right when it was published may be wrong by now.
    let texts = Texts { flow: "answer()\nif then\n".into(), test: None };
    let hashes = shelf.publish(&texts, ("key a", "", None), Wall(2), 9).unwrap().texts;
    let wrong = scratch.load(TEXT).unwrap();
    let why = "main@2.lua:2:4: Lua: unexpected symbol near 'then'";
    assert_eq!(wrong.flows[&id].broken.as_deref(), Some(why), "it costs its own callers");
    assert!(flow(&wrong).1.starts_with("error(\"flow 'main' cannot run any more: main@2.lua:2:4"));
    fs::write(before.machine.flows.dir.join("tenant-default/flow-main/texts").join(hashes.flow), "x")
        .unwrap();
    // A text that cannot be read costs its own callers, and not the start of the switch.
    let failing = "error(\"flow 'main' cannot be read\", 0)\n";
    let unreadable = scratch.load(TEXT).unwrap();
    assert!(unreadable.flows[&id].broken.is_some());
    assert_eq!(flow(&unreadable), ("main.lua".into(), failing.into()));
    let both = scratch.load("[tenant.default.flow.main]\nkept = \"api\"\nfile = \"main.lua\"").unwrap_err();
    assert!(both[0].to_string().ends_with("a flow that is kept by the API has no file"), "{}", both[0]);
}
