//! The surfaces that clients of other systems speak, walked whole: strangers find every route closed, and one tenant's clients
//! find nothing of another's, nor whether there is such a thing.
//!
//! The routes come from what the routers are made of: a new one cannot be missed.

use crate::aliyun_actions::{NOW, signed};
use crate::fake::application::{OTHER_CLIENT, OTHER_SECRET};
use crate::fake::door::PASSWORD;
use crate::http::Answer;
use crate::huawei::{OTHER, config, signed_by, token_of};
use crate::{Served, acme, furnish, serve_with};
use cordboard_api::catalog::catalog;
use cordboard_api::gateway::config::{GatewayConfig, GatewayTenant};
use cordboard_api::state::ApiConfig;
use cordboard_api::surface::{Listed, all};
use cordboard_model::id::{AgentId, CallId, Name, QueueId, TenantId};
use cordboard_model::leg::PartyId;
use cordboard_model::view::AgentStatus;
use serde_json::{Value, json};
use std::path::Path;
use std::sync::Arc;

const GATEWAY: &str = "/agentgateway/resource";
/// What the first tenant's things are called: it must not come back to the second.
const PLANTED: &str = "planted";

/// What a walk names: an agent, a queue, a call.
#[derive(Clone)]
struct Named {
    agent: &'static str,
    queue: &'static str,
    call: String,
    /// The call by its own id.
    id: String,
}

fn number(call: CallId) -> String {
    format!("{}-{}", call.start, (call.number << 8) | u64::from(call.shard))
}

/// Both tenants with their floors, and what is planted at the first.
async fn house() -> (Served, Named) {
    let tenant = |id, vdn| GatewayTenant { id, vdn, skills: [(Name::new("sales").unwrap(), 21)].into() };
    let tenants = vec![tenant(TenantId::DEFAULT, 5), tenant(acme(), 6)];
    let gateway = GatewayConfig { tenants, ..GatewayConfig::default() };
    let served = serve_with(ApiConfig { gateway, ..ApiConfig::default() }).await;
    furnish(&served.switch, TenantId::DEFAULT);
    furnish(&served.switch, acme());
    let (agent, queue) =
        (AgentId::new(TenantId::DEFAULT, "1901").unwrap(), QueueId::new(TenantId::DEFAULT, "77").unwrap());
    let call = served.switch.on(TenantId::DEFAULT, |floor| {
        floor.huawei = Arc::new(config());
        floor.add_queue(&queue, "planted display of a queue");
        floor.add_agent(&agent, "planted display of an agent", AgentStatus::Ready);
        // tenants count their calls each by itself: none that the second begins has the number of the planted one
        for _ in 0..64 {
            floor.arrive(PartyId::new("planted-caller"), "planted-number");
        }
        let call = floor.arrive(PartyId::new("planted-caller"), "planted-number");
        floor.enqueue(call, &queue);
        call
    });
    let own = AgentId::new(acme(), "2001").unwrap();
    served.switch.on(acme(), |floor| floor.add_agent(&own, "Their own", AgentStatus::SignedOut));
    (served, Named { agent: "1901", queue: "77", call: number(call), id: call.to_string() })
}

fn nobodys() -> Named {
    Named { agent: "1908", queue: "78", call: "4294967295-256".into(), id: "default.ffffffff-0-1".into() }
}

/// Everything that a row may want to be told, by the names of all surfaces.
fn body(named: &Named) -> Value {
    let (agent, queue, call) = (named.agent, named.queue, named.call.as_str());
    let said = json!({
        "callId": call, "callid": call, "agentId": agent, "agentIds": [agent], "skillId": queue,
        "skillIds": [queue], "workNo": agent, "userAccount": agent, "caller": agent, "called": agent,
        "calledNumber": agent, "fileName": format!("Y:/{call}"), "indexIds": ["IDX_COUNT_REAL_SKILL_QUEUE"],
        "vdnIds": [6], "limit": 100, "offset": 0, "timeGrain": "15MIN", "softPhone": agent,
        "agentWorkNo": agent, "beginTime": "2026-11-20 00:00:00", "endTime": "2026-11-21 00:00:00",
        "dataType": "call", "callBackUrl": "http://127.0.0.1/", "responseId": "1",
        "beginDayTime": "20261120", "endDayTime": "20261121", "ccId": 1, "vdn": 6,
        "password": PASSWORD, "phonenum": "", "autoanswer": "false", "dstaddress": agent, "address": agent,
        "devicetype": "2", "mode": "0", "data": "hello", "mediaType": "51", "callnums": "3",
    });
    let mut whole = said.clone();
    whole["msgBody"] = said;
    whole["request"] = json!({ "version": "2.0" });
    whole
}

/// What of an answer must not differ, with what was asked for taken out.
fn told(answer: &Answer, named: &Named) -> (u16, String) {
    let mut text = answer.text();
    // a number is looked up among the asking tenant's own calls, and said so
    let own = named.id.replace("default.", "acme.");
    for id in [named.call.as_str(), named.id.as_str(), own.as_str(), named.agent, named.queue] {
        text = text.replace(id, "<>");
    }
    (answer.status, text)
}

/// A path of the gateway with its parameters put in.
fn gateway_path(path: &str, own: &str, named: &Named) -> String {
    let parts = path.split('/').map(|part| match part {
        "{agentid}" => own,
        "{workno}" => named.agent,
        "{skillid}" => named.queue,
        "{callid}" => named.call.as_str(),
        "{number}" => "600",
        "{time}" => "60",
        "{restcause}" | "{reason}" => "7",
        "{skilltype}" => "0",
        "{autoflag}" => "false",
        "{on}" => "true",
        known if !known.starts_with('{') => known,
        other => panic!("a parameter that the walk does not know: {other}"),
    });
    let query = format!(
        "callid={}&destWorkNo={}&whisperagentid={}&number=1&switchtype=0&reason=200&skillid={}",
        named.call, named.agent, named.agent, named.queue
    );
    format!("{}?{query}", parts.collect::<Vec<_>>().join("/"))
}

/// Asks for a route of the gateway as the second tenant's agent, who has just signed in.
async fn at_gateway(listed: &Listed, own: &str, named: impl Fn(Named) -> Named) -> ((u16, String), Named) {
    let (served, planted) = house().await;
    let named = named(planted);
    let plain = json!({ "password": PASSWORD, "autoanswer": "false" }).to_string();
    let signed_in = served.ask("PUT", &format!("{GATEWAY}/onlineagent/2001"), &[], &plain).await;
    let guid = signed_in.header("set-guid").to_owned();
    assert!(guid.starts_with("JSESSIONID="), "{}", signed_in.text());
    let path = gateway_path(&listed.path, own, &named);
    let answer = served.ask(&listed.method, &path, &[("guid", &guid)], &body(&named).to_string()).await;
    (told(&answer, &named), named)
}

fn gateway_rows() -> Vec<Listed> {
    all().into_iter().filter(|row| row.path.starts_with(GATEWAY)).collect()
}

#[tokio::test]
async fn no_row_of_the_gateway_gives_a_tenants_agent_what_is_anothers() {
    let rows = gateway_rows();
    assert!(rows.len() > 70, "{}", rows.len());
    for row in &rows {
        let (theirs, _) = at_gateway(row, "2001", |planted| planted).await;
        let (none, _) = at_gateway(row, "2001", |_| nobodys()).await;
        assert!(!theirs.1.contains(PLANTED), "{row:?}: {theirs:?}");
        assert_eq!(theirs, none, "{row:?}");
        // who sits at another's desk is signed in there; everything else needs that agent's own guid
        let signs_in =
            row.method == "PUT" && (row.path.ends_with("{agentid}") || row.path.ends_with("/forcelogin"));
        if signs_in {
            continue;
        }
        let (at_theirs, _) = at_gateway(row, "1901", |planted| planted).await;
        let (at_nobodys, _) = at_gateway(row, "1908", |_| nobodys()).await;
        assert_eq!(at_theirs, at_nobodys, "{row:?}");
        assert!(at_theirs.1.contains("100-006"), "{row:?}: {at_theirs:?}");
    }
}

async fn by_key(row: &Listed, named: impl Fn(Named) -> Named) -> (u16, String) {
    let (served, planted) = house().await;
    let named = named(planted);
    let body = body(&named);
    let signs = row.path.starts_with("/rest/cmsapp") || row.path.starts_with("/CCFS");
    let answer = match signs {
        true => signed_by(&served, ("acme", OTHER), &row.path, &body).await,
        false => {
            let token = token_of(&served, "acme", OTHER, &[]).await.json()["AccessToken"].clone();
            let bearer = format!("Bearer {}", token.as_str().unwrap());
            served.ask(&row.method, &row.path, &[("authorization", &bearer)], &body.to_string()).await
        }
    };
    told(&answer, &named)
}

#[tokio::test]
async fn no_row_by_a_key_or_a_signature_gives_a_tenant_what_is_anothers() {
    let rows: Vec<Listed> = all()
        .into_iter()
        .filter(|row| !row.path.starts_with(GATEWAY))
        .filter(|row| is_of_keys(&row.path))
        .collect();
    assert!(rows.len() > 25, "{}", rows.len());
    for row in &rows {
        let theirs = by_key(row, |planted| planted).await;
        assert!(!theirs.1.contains(PLANTED), "{row:?}: {theirs:?}");
        assert_eq!(theirs, by_key(row, |_| nobodys()).await, "{row:?}");
    }
}

fn is_of_keys(path: &str) -> bool {
    ["/apigovernance", "/apiaccess", "/rest/cmsapp", "/CCFS"].iter().any(|base| path.starts_with(base))
}

async fn by_application(action: &str, named: impl Fn(Named) -> Named) -> (u16, String) {
    let (served, planted) = house().await;
    let named = named(planted);
    let said = [
        ("AccountName", named.agent),
        ("InstanceId", "acme"),
        ("SkillGroupId", named.queue),
        ("SkillGroupName", "fresh"),
        ("DisplayName", "Li"),
        ("ChannelType", "1"),
        ("DepartmentId", named.queue),
        ("DepartmentName", "fresh"),
        ("HotlineNumber", "9999"),
        ("Description", "x"),
        ("EnableInbound", "true"),
        ("EnableInboundEvaluation", "false"),
        ("EnableOutbound", "false"),
        ("EnableOutboundEvaluation", "false"),
        ("OutboundAllDepart", "false"),
        ("InboundFlowId", named.queue),
        ("PageNo", "1"),
        ("PageSize", "10"),
        ("CurrentPage", "1"),
        ("Token", "cbs_none"),
        ("Callee", named.agent),
        ("Caller", named.agent),
        ("CallerType", "1"),
        ("Type", "1"),
        ("AgentId", named.agent),
        ("ServicerPhone", named.agent),
        ("MemberPhone", "600"),
        ("OutboundCallNumber", "600"),
        ("CallId", named.id.as_str()),
        ("Acid", named.id.as_str()),
    ];
    let request = signed("POST", action, &said, (OTHER_CLIENT, OTHER_SECRET, NOW, "n-1"));
    let kind = ("content-type", "application/x-www-form-urlencoded");
    told(&served.ask("POST", "/", &[kind], &request).await, &named)
}

#[tokio::test]
async fn no_action_gives_an_application_what_is_another_tenants() {
    let rows = all();
    let actions: Vec<&str> = rows.iter().filter_map(|row| row.path.strip_prefix("/?Action=")).collect();
    assert!(actions.len() >= 42, "{}", actions.len());
    for action in actions {
        let theirs = by_application(action, |planted| planted).await;
        assert!(!theirs.1.contains(PLANTED), "{action}: {theirs:?}");
        assert!(!theirs.1.contains("SignatureDoesNotMatch"), "{action}: {theirs:?}");
        assert_eq!(theirs, by_application(action, |_| nobodys()).await, "{action}");
    }
}

#[tokio::test]
async fn strangers_find_every_route_of_every_surface_closed() {
    for row in all() {
        let (served, planted) = house().await;
        let path = match row.path.starts_with(GATEWAY) {
            true => gateway_path(&row.path, "1901", &planted),
            false => row.path.clone(),
        };
        // whose password is right is no stranger
        let mut said = body(&planted);
        said["password"] = "a guess".into();
        let answer = served.ask(&row.method, &path, &[], &said.to_string()).await;
        let text = answer.text();
        assert!(!text.contains(PLANTED), "{row:?}: {text}");
        match () {
            // who asks for no action is shown the page
            () if row.path == "/" => {
                assert!(row.method != "GET" || text.starts_with("<!"), "{row:?}: {text}")
            }
            () if row.path.starts_with(GATEWAY) => {
                let code = answer.json()["retcode"].clone();
                assert!(
                    ["100-004", "100-006", "110-021"].iter().any(|known| code == *known),
                    "{row:?}: {text}"
                );
            }
            () => assert!((400..=403).contains(&answer.status), "{row:?}: {} {text}", answer.status),
        }
    }
}

/// A route that is given to the router without being listed would be walked by nobody.
#[test]
fn surfaces_have_no_route_that_is_not_listed() {
    fn lines(folder: &Path, found: &mut Vec<String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                lines(&path, found);
            } else if path.extension().is_some_and(|end| end == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                let routes = text.lines().filter(|line| line.contains(".route(") || line.contains(".nest("));
                // what is not there is said by a name of the reference's folders
                let unlisted = routes.filter(|line| !line.contains("{*rest}"));
                found.extend(unlisted.map(|line| format!("{}: {}", path.display(), line.trim())));
            }
        }
    }
    let mut found = Vec::new();
    for surface in ["gateway", "huawei", "aliyun", "third_party"] {
        lines(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(surface), &mut found);
    }
    assert_eq!(found, Vec::<String>::new());
}

/// What an integrator reads who moves over: every page of a surface is linked, and every call that is named is there.
#[test]
fn the_tables_of_moving_over_name_calls_that_there_are_and_link_every_page() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
    let text = std::fs::read_to_string(root.join("integrators.md")).unwrap();
    for page in std::fs::read_dir(root.join("compatible")).unwrap() {
        let name = page.unwrap().file_name().into_string().unwrap();
        assert!(text.contains(&format!("(compatible/{name}")), "{name} is not linked");
    }
    let known: Vec<String> = catalog().iter().map(|op| format!("{} {}", op.method, op.path)).collect();
    let part = text.split("## Clients of the reference contact centre").nth(1).unwrap();
    let part = part.split("\n## ").next().unwrap();
    let named = part.split('`').filter(|word| word.contains(" /api/v1/"));
    let mut count = 0;
    for call in named {
        // an agent's wishes are one operation whose word is a parameter
        let (path, last) = call.rsplit_once('/').unwrap();
        let wish = matches!(last, "ready" | "not-ready" | "rest" | "sign-out");
        let wanted = if wish { format!("{path}/{{intent}}") } else { call.to_owned() };
        assert!(known.contains(&wanted), "{call} is no operation");
        count += 1;
    }
    assert!(count > 30, "{count}");
}
