//! What routing plugins are told.

use super::{faults, good};
use cordboard_model::id::TenantId;

pub(super) const NAMES: [&str; 12] = [
    "calendar",
    "called-number",
    "caller-lists",
    "emergency",
    "http-decision",
    "last-agent",
    "loop-guard",
    "lua-decision",
    "portability",
    "registered-extension",
    "share",
    "trunk-choice",
];

const TRUNKS: &str = "[tenant.default.trunk.a]\ngateway = \"192.0.2.9:5060\"\n[tenant.default.trunk.b]\npeers = [\"192.0.2.8\"]\n\
                      [tenant.default.queue.sales]\n";

fn routing(text: &str) -> Vec<String> {
    let loaded = good(&format!("{TRUNKS}{text}"));
    loaded.snapshot.tenants[&TenantId::DEFAULT].routing.clone()
}

#[test]
fn what_is_written_for_a_plugin_has_it_asked_at_its_place() {
    assert_eq!(routing(""), ["called-number", "registered-extension"]);
    let way = "[[tenant.default.way_out]]\ntrunks = [{ trunk = \"a\" }]\n";
    assert_eq!(routing(way), ["called-number", "registered-extension", "trunk-choice"]);
    let help = "[tenant.default.emergency]\nnumbers = [\"112\"]\ntrunks = [\"a\"]\n";
    let all = format!("{way}{help}[tenant.default.loops]\nalike = 3\n");
    assert_eq!(
        routing(&all),
        ["emergency", "loop-guard", "called-number", "registered-extension", "trunk-choice"]
    );
}

#[test]
fn what_no_plugin_would_read_and_help_that_comes_second_are_errors() {
    let text = "[tenant.default]\nrouting = [\"called-number\", \"emergency\"]\n[tenant.default.loops]\n\
                [tenant.default.emergency]\nnumbers = [\"112\"]\ntrunks = [\"a\"]\n";
    let told = faults(&format!("{text}{TRUNKS}"));
    assert_eq!(told.len(), 2, "{told:#?}");
    assert!(told[0].starts_with("2:29:") && told[0].contains("\"emergency\" must be the first"), "{told:#?}");
    assert!(told[1].contains("routing does not name the plugin \"loop-guard\""), "{told:#?}");
}

#[test]
fn every_mistake_in_what_plugins_are_told_is_told_at_its_place() {
    let text = "[tenant.default.emergency]\nnumbers = []\ntrunks = [\"b\"]\nlocation = \"Main Street\"\ncalls = 65\n\
                [[tenant.default.caller_list]]\nname = \"x\"\nkind = \"block\"\npriority = 3\n\
                [[tenant.default.caller_list]]\nname = \"y\"\nkind = \"white\"\ncallers = [\"a b\"]\n\
                [[tenant.default.hours]]\ncalendar = \"office\"\n\
                [[tenant.default.share]]\ncalled = [\"500\"]\nparts = [{ to = \"queue:sales\", percent = 70 }]\n\
                [tenant.default.http_decision]\nurl = \"https://crm.example/route\"\nwithin = \"3s\"\n\
                [tenant.default.lua_decision]\nflow = \"nowhere\"\notherwise = \"queue:none\"\n\
                [tenant.default.ported]\ntable = \"gone\"\n\
                [[tenant.default.way_out]]\nprefix = \"+49 30\"\ntrunks = [{ trunk = \"b\" }]\nfrom_trunks = [\"c\"]\n";
    let told = faults(&format!("{text}{TRUNKS}"));
    let expected = [
        ("2:11:", "a list that is not empty"),
        ("3:11:", "trunk \"b\" has no gateway"),
        ("4:12:", "a URI as"),
        ("5:9:", "from 1 to 64"),
        ("6:", "nobody is on the list"),
        ("9:12:", "expected only for kind \"vip\""),
        ("12:8:", "one of \"block\", \"allow\", \"vip\""),
        ("13:12:", "a number as"),
        ("15:12:", "calendar"),
        ("18:9:", "the parts are 70 percent together, not 100"),
        ("20:7:", "http_allowed"),
        ("21:10:", "from \"50ms\" to \"2s\""),
        ("23:8:", "nowhere"),
        ("24:13:", "none"),
        ("26:9:", "gone"),
        ("28:10:", "how numbers begin"),
        ("29:", "trunk \"b\" has no gateway"),
        ("30:16:", "\"c\""),
    ];
    for (place, what) in expected {
        assert!(
            told.iter().any(|line| line.starts_with(place) && line.contains(what)),
            "{place} {what}\n{told:#?}"
        );
    }
    assert_eq!(told.len(), expected.len(), "{told:#?}");
}
