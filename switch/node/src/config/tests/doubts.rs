//! What `cordboard check` warns of, and what it refuses because nothing could work; and table 4-3 of the reference documents.

use super::{faults, good};
use cordboard_model::id::TenantId;
use cordboard_model::verb::Destination;

/// The warnings for a text, without the file's name.
fn warnings(text: &str) -> Vec<String> {
    let said = good(text).warnings;
    said.into_iter().map(|e| format!("{}:{}: {}", e.line, e.column, e.problem)).collect()
}

/// Two accounts, an agent of the queue `sales`, and another queue; lines of each.
fn centre(agent: &str, sales: &str, support: &str) -> String {
    format!(
        "[tenant.default.user.1001]\npassword = \"secret\"\n[tenant.default.user.1002]\npassword = \"secret\"\n\
         [tenant.default.agent.1001]\n{agent}\n[tenant.default.queue.sales]\n{sales}\n\
         [tenant.default.queue.support]\n{support}\n"
    )
}

const SERVES: &str = "queues = [\"sales\"]";

#[test]
fn what_is_more_likely_a_mistake_than_meant_is_told_and_taken() {
    let english = "skill.english = { least = 50 }";
    for (agent, sales, said) in [
        ("skill.englsh = { level = 80 }", english, "no queue asks for \"englsh\"; did you mean \"english\"?"),
        (
            "skill.english = { level = 40 }",
            english,
            "none of the agents who are listed for it has english of 50 or more",
        ),
        ("prefer.support = { place = 1 }", "", "he is not listed for queue support"),
        ("role = \"outbound\"", "", "queues give an outbound agent no calls"),
        ("", "busy_wait = \"60s\"\non_busy = \"queue:support\"", "not shorter than max_wait"),
        ("", "busy_wait = \"0s\"\non_busy = \"queue:support\"", "nobody waits"),
        ("", "busy_room = 0\non_busy = \"queue:support\"", "nobody is ever sent there"),
        ("", "ring = \"2m\"", "longer than max_wait"),
        ("", "announce_wait = true", "announce_every is not given"),
        ("", "reserve_agents = 1\nreserve_priority = 5", "of 1 agents 1 are kept: callers below priority 5"),
    ] {
        let skilled = if agent.contains("englsh") { "\nskill.english = { level = 80 }" } else { "" };
        let told = warnings(&centre(&format!("{SERVES}{skilled}\n{agent}"), sales, ""));
        assert!(told.len() == 1 && told[0].contains(said), "{agent} {sales}: {told:?}");
    }
    let told = warnings(&centre(SERVES, "busy_wait = \"60s\"\non_busy = \"queue:support\"", ""));
    let wanted = "\"busy_wait\" in [tenant.default.queue.sales]: not shorter than max_wait, which comes first: it never counts";
    assert!(told[0].ends_with(wanted), "{told:?}");
    assert_eq!(
        warnings(&centre(SERVES, "max_wait = \"61s\"\nbusy_wait = \"60s\"\non_busy = \"queue:support\"", "")),
        [""; 0]
    );
    let ages = "reserve_agents = 1\nreserve_priority = 5\nageing = \"30s\"";
    assert_eq!(warnings(&centre(SERVES, ages, "")), [""; 0], "they gain priority");
}

/// The shipped file had such a ring in its examples.
#[test]
fn queues_that_send_their_callers_round_in_a_circle_are_told_for_each_way_by_itself() {
    let to = |key: &str, queue: &str| format!("{key} = \"queue:{queue}\"");
    for key in ["on_nobody", "on_busy", "on_timeout"] {
        let told = warnings(&centre(SERVES, &to(key, "support"), &to(key, "sales")));
        let round =
            format!("\"{key}\" in [tenant.default.queue.sales]: sales -> support -> sales goes round");
        assert!(told.len() == 1 && told[0].contains(&round), "{key}: {told:?}");
    }
    let told = warnings(&centre(SERVES, &to("overflow", "support"), &to("overflow", "sales")));
    assert_eq!(told.len(), 2, "it stands for two: {told:?}");
    assert_eq!(warnings(&centre(SERVES, &to("on_nobody", "support"), &to("on_busy", "sales"))), [""; 0]);
}

#[test]
fn a_number_that_is_never_reached_and_one_that_hides_an_account_are_told() {
    let number = |access: &str, extension: &str| {
        let extension =
            if extension.is_empty() { "" } else { &format!("extension_code = \"{extension}\"\n") };
        format!("[[tenant.default.number]]\naccess_code = \"{access}\"\n{extension}to = \"queue:sales\"\n")
    };
    let centre = centre(SERVES, "", "");
    let told = warnings(&format!("{centre}{}{}", number("600", "1"), number("6001", "")));
    assert!(told.len() == 1 && told[0].contains("6001 leads to the longer access code at "), "{told:?}");
    let turned = warnings(&format!("{centre}{}{}", number("6001", ""), number("600", "1")));
    assert!(
        turned.len() == 1 && turned[0].contains("6001 leads to the longer access code at "),
        "{turned:?}"
    );
    let told = warnings(&format!("{centre}{}", number("10", "02")));
    assert!(told.len() == 1 && told[0].contains("account 1002 at "), "{told:?}");
    assert_eq!(warnings(&format!("{centre}{}{}", number("600", "1"), number("600", "2"))), [""; 0]);
}

#[test]
fn what_cannot_work_at_all_is_refused() {
    let places = centre(SERVES, "max_length_share = 100\non_nobody = \"wait\"", "");
    let said = faults(&places);
    assert!(said.len() == 1 && said[0].contains("there are no places then"), "{said:?}");
    let both = "queues = [\"sales\"]\nauto_sign_in = true\n[tenant.default.agent.1002]\nuser = \"1001\"\nauto_sign_in = true";
    let said = faults(&centre(both, "", ""));
    assert!(
        said.len() == 1 && said[0].contains("agent 1001 signs in by himself at the same account 1001"),
        "{said:?}"
    );
}

/// Two queues, of which one is for text.
fn called(lines: &str) -> String {
    format!(
        "[tenant.default.queue.sales]\n[tenant.default.queue.film]\nkind = \"video\"\n\
         [tenant.default.queue.click]\nkind = \"voice_click\"\n[tenant.default.queue.look]\nkind = \"video_click\"\n\
         [tenant.default.queue.chats]\nkind = \"multimedia\"\n[[tenant.default.number]]\n{lines}\n"
    )
}

fn refused(lines: &str, why: &str) {
    let said = faults(&called(lines));
    assert!(said.len() == 1 && said[0].contains(why), "{lines}: {said:?}");
}

#[test]
fn table_4_3_an_access_code_is_required_and_has_a_type_that_its_queue_fits() {
    refused("to = \"queue:sales\"", "missing key \"access_code\"");
    for (kind, queues, others) in [
        ("", &["sales", "film", "click", "look"][..], &["chats"][..]),
        ("kind = \"voice\"", &["sales", "film", "click", "look"], &["chats"]),
        ("kind = \"multimedia\"", &["chats"], &["sales", "film", "click", "look"]),
    ] {
        for queue in queues {
            good(&called(&format!("access_code = \"960358\"\n{kind}\nto = \"queue:{queue}\"")));
        }
        for queue in others {
            let lines = format!("access_code = \"960358\"\n{kind}\nto = \"queue:{queue}\"");
            refused(&lines, &format!("queue {queue}"));
        }
    }
    refused("access_code = \"1\"\nkind = \"fax\"\nto = \"queue:sales\"", "\"kind\" in ");
}

#[test]
fn table_4_3_an_extension_code_may_be_left_out_and_gives_one_access_code_several_places() {
    let more = "access_code = \"12345\"\nextension_code = \"1\"\nto = \"queue:sales\"\n[[tenant.default.number]]\n\
                access_code = \"12345\"\nextension_code = \"2\"\nto = \"queue:film\"\n[[tenant.default.number]]\n\
                access_code = \"12345\"\nto = \"queue:click\"";
    let loaded = good(&called(more));
    let numbers = &loaded.snapshot.tenants[&TenantId::DEFAULT].numbers;
    let read: Vec<_> = numbers
        .iter()
        .map(|n| match &n.to {
            Destination::Queue(queue) => (n.extension_code.as_deref(), queue.name.as_str()),
            _ => (None, ""),
        })
        .collect();
    assert_eq!(read, [(Some("1"), "sales"), (Some("2"), "film"), (None, "click")]);
    refused("access_code = \"1\"\nextension_code = \"x\"\nto = \"queue:sales\"", "\"extension_code\" in ");
}

#[test]
fn table_4_3_a_device_is_required_and_of_a_kind_that_there_is() {
    refused("access_code = \"960358\"", "missing key \"to\"");
    refused("access_code = \"960358\"\nto = \"fax:sales\"", "expected \"flow:NAME\", \"queue:NAME\"");
}

#[test]
fn table_4_3_a_queue_that_is_named_is_one_that_there_is() {
    refused(
        "access_code = \"960358\"\nto = \"queue:slaes\"",
        "there is no queue \"slaes\"; did you mean \"sales\"?",
    );
}
