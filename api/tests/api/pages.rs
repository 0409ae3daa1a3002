//! The page, its files, and the key that the demo gives it.

use crate::{serve, serve_with};
use cordboard_api::state::ApiConfig;
use cordboard_model::view::AgentStatus;

fn demo() -> ApiConfig {
    ApiConfig { page_key: Some("demo-key".into()), ..ApiConfig::default() }
}

#[tokio::test]
async fn the_page_is_served_and_asked_for_anew_each_time() {
    let served = serve().await;
    for path in ["/", "/index.html", "/some/place/in/the/page"] {
        let answer = served.ask("GET", path, &[], "").await;
        assert_eq!(answer.status, 200, "{path}");
        assert_eq!(answer.header("content-type"), "text/html; charset=utf-8");
        assert_eq!(answer.header("cache-control"), "no-cache");
        assert!(answer.text().to_lowercase().contains("<!doctype html>"));
    }
}

/// Pages of other origins have the script for their visitors, and none of ours.
#[tokio::test]
async fn the_script_for_visitors_may_stand_on_anybodys_page_and_no_other_file_may() {
    let served = serve().await;
    // without pages that were built there is none, and it says whose it would be all the same
    let script = served.ask("GET", "/web-call.js", &[], "").await;
    assert_eq!(script.header("cross-origin-resource-policy"), "cross-origin");
    if script.status == 200 {
        assert_eq!(script.header("content-type"), "text/javascript; charset=utf-8");
        assert!(script.text().contains("CordboardCall"));
    }
    let page = served.ask("GET", "/index.html", &[], "").await;
    assert_eq!(page.header("cross-origin-resource-policy"), "same-origin");
}

/// The content security policy allows no script inside the page.
#[tokio::test]
async fn the_page_has_no_inline_script_and_its_files_are_there() {
    let served = serve().await;
    let page = served.ask("GET", "/", &[], "").await.text();
    for tag in page.split("<script").skip(1) {
        let (open, rest) = tag.split_once('>').unwrap();
        assert!(open.contains(" src="), "{open}");
        assert!(rest.starts_with("</script>"), "{rest}");
    }
    for path in page.split('"').filter(|text| text.starts_with("/assets/")) {
        let file = served.ask("GET", path, &[], "").await;
        assert_eq!(file.status, 200, "{path}");
        assert!(file.header("cache-control").contains("immutable"));
        assert!(file.header("content-type").starts_with("text/"));
    }
}

#[tokio::test]
async fn the_demos_key_is_given_to_its_own_page_alone() {
    let served = serve_with(demo()).await;
    let of = async |host: &str| served.ask("GET", "/page-key", &[("host", host)], "").await;
    for host in ["127.0.0.1:8080", "localhost:8080", "localhost"] {
        let answer = of(host).await;
        assert_eq!(answer.ok()["key"], "demo-key");
        assert_eq!(answer.header("access-control-allow-origin"), "");
    }
    // A foreign name that points at loopback.
    for host in ["evil.example", "evil.example:8080", "127.0.0.1.evil.example", "localhost.evil.example:80"] {
        of(host).await.problem(404);
    }
}

#[tokio::test]
async fn outside_the_demo_there_is_no_page_key() {
    let served = serve().await;
    served.ask("GET", "/page-key", &[("host", "localhost")], "").await.problem(404);
}

/// One that the page does not know would be shown without word, shape and colour.
#[test]
fn the_page_knows_every_status_of_an_agent_and_has_words_for_it_in_both_languages() {
    let source = |name: &str| {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("web/src").join(name);
        std::fs::read_to_string(&path).unwrap()
    };
    let (model, words, styles) = (source("model.ts"), source("i18n.ts"), source("states.css"));
    let listed = model.lines().find(|line| line.starts_with("export const AGENT_STATUSES")).unwrap();
    for status in AgentStatus::ALL {
        let word = status.as_str();
        assert!(listed.contains(&format!("\"{word}\"")), "model.ts does not list {word}");
        assert!(words.matches(&format!("\n    {word}: \"")).count() >= 2, "i18n.ts: {word}");
        assert!(styles.contains(&format!(".is-{word}")), "states.css: {word}");
    }
    assert_eq!(listed.matches('"').count(), 2 * AgentStatus::ALL.len(), "{listed}");
}
