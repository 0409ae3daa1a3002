//! Playbacks, entries of keys, bridges and callers who are sent elsewhere, as routes.

use crate::{KEY, furnish, serve};
use cordboard_model::act::Hearers;
use cordboard_model::id::{AssetId, TenantId};
use cordboard_model::media::{PlayItem, Repeat, Tone};

const US: TenantId = TenantId::DEFAULT;

#[tokio::test]
async fn a_playback_and_an_entry_of_keys_are_read_with_what_is_usual() {
    let served = serve().await;
    let floor = furnish(&served.switch, US);
    let call = format!("/api/v1/calls/{}", floor.talking);
    let body = r#"{"items": ["welcome", {"prompt": "menu.one"}, {"tone": "beep"}, {"tone": 440, "seconds": 2.5},
        {"silence": 0.5}, {"say": "Hello"}], "to": "called", "repeat": true}"#;
    let begun = served.post(KEY, &format!("{call}/play"), body).await;
    assert_eq!(begun.status, 201, "{}", begun.text());
    let play = begun.json()["play"].as_str().unwrap().to_owned();
    let asked = served.switch.on(US, |floor| floor.played.remove(0));
    assert_eq!((asked.to, asked.repeat), (Hearers::Called, Repeat::Forever));
    let prompt = |name: &str| PlayItem::Asset(AssetId::new(US, name).unwrap());
    assert_eq!(
        asked.items[..5],
        [
            prompt("welcome"),
            prompt("menu.one"),
            PlayItem::Tone(Tone::Beep, 200),
            PlayItem::Tone(Tone::Hertz(440), 2_500),
            PlayItem::Silence(500),
        ]
    );
    assert!(
        matches!(&asked.items[5], PlayItem::Say(speech) if speech.text == "Hello" && speech.language == "en")
    );
    served.ask("DELETE", &format!("{call}/play/{play}"), &[("x-api-key", KEY)], "").await.ok();
    let begun = served.post(KEY, &format!("{call}/collect"), r#"{"max": 4}"#).await;
    assert_eq!(begun.status, 201, "{}", begun.text());
    let what = served.switch.on(US, |floor| floor.collects.remove(0)).what;
    assert_eq!((what.min, what.max, what.terminators.as_str()), (1, 4, "#"));
    assert_eq!((what.first_ms, what.inter_ms, what.secret), (5_000, 3_000, false));
    let collect = begun.json()["collect"].as_str().unwrap().to_owned();
    let told = served.ask("GET", &format!("{call}/collect/{collect}"), &[("x-api-key", KEY)], "").await.ok();
    assert_eq!((told["how"].as_str(), told["digits"].as_str()), (Some("terminator"), Some("42")));
    let other = format!(r#"{{"call": "{}"}}"#, floor.talking);
    let refused = served.post(KEY, &format!("{call}/bridge"), &other).await;
    assert_eq!((refused.status, refused.json()["code"].as_str()), (409, Some("same_call")));
    let sent = served.post(KEY, &format!("{call}/send"), r#"{"to": {"queue": "sales"}}"#).await.ok();
    assert!(sent["done"][0].as_str().unwrap().contains("goes to queue:sales"), "{sent}");
}

#[tokio::test]
async fn what_is_wrong_with_a_playback_an_entry_or_a_place_is_named() {
    let served = serve().await;
    let floor = furnish(&served.switch, US);
    let call = format!("/api/v1/calls/{}", floor.talking);
    for (path, body, field) in [
        ("play", r#"{}"#, "items"),
        ("play", r#"{"items": []}"#, "items"),
        ("play", r#"{"items": [{"tone": "moo"}]}"#, "items"),
        ("play", r#"{"items": [{"tone": 9}]}"#, "items"),
        ("play", r#"{"items": [{"silence": -1}]}"#, "items"),
        ("play", r#"{"items": [{"silence": 1e300}]}"#, "items"),
        ("play", r#"{"items": [{"say": " "}]}"#, "items"),
        ("play", r#"{"items": [{"say": "a", "voice": "-w/etc/passwd"}]}"#, "items"),
        ("play", r#"{"items": [{"say": "a", "tone": "beep"}]}"#, "items"),
        ("play", r#"{"items": [{}]}"#, "items"),
        ("play", r#"{"items": ["../secret"]}"#, "items"),
        ("play", r#"{"items": ["a"], "to": "nobody"}"#, "to"),
        ("collect", r#"{}"#, "max"),
        ("collect", r#"{"max": 65}"#, "max"),
        ("collect", r#"{"max": 2, "min": 3}"#, "min"),
        ("collect", r#"{"max": 2, "terminators": "x"}"#, "terminators"),
        ("collect", r#"{"max": 2, "first": 0}"#, "first"),
        ("collect", r#"{"max": 2, "inter": 121}"#, "inter"),
        ("collect", r#"{"patterns": ["Q"]}"#, "patterns"),
        ("collect", r#"{"max": 2, "prompt": [7]}"#, "max"),
        ("bridge", r#"{}"#, "call"),
        ("send", r#"{"to": {}}"#, "to"),
        ("send", r#"{"to": {"queue": "a", "flow": "b"}}"#, "to"),
        ("send", r#"{"to": {"agent": "1001", "ring": 5}}"#, "to"),
    ] {
        let answer = served.post(KEY, &format!("{call}/{path}"), body).await;
        let problem = answer.json();
        assert_eq!(
            (answer.status, problem["field"].as_str()),
            (400, Some(field)),
            "{path} {body}: {problem}"
        );
    }
}
