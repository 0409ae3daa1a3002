//! `cordboard agent order`: one order to the running switch for one agent or many.

use crate::asking::Line;
use crate::cli::OrderArgs;
use crate::config::Loaded;
use serde_json::{Value, json};
use std::fmt::Write;

/// Orders it, and says what became of it agent by agent.
///
/// # Errors
/// What the switch says, why it cannot be asked, or that some were refused, in words.
pub fn order(args: &OrderArgs, loaded: &Loaded) -> Result<String, String> {
    let mut body = serde_json::Map::from_iter([("order".to_owned(), json!(args.order))]);
    let mut say = |key: &str, value: Option<Value>| _ = value.map(|value| body.insert(key.to_owned(), value));
    say("range", args.range.as_ref().map(|range| json!(range)));
    say("agents", Some(json!(args.agents)).filter(|_| !args.agents.is_empty()));
    say("reason", args.reason.as_ref().map(|reason| json!(reason)));
    say("limit", args.limit.map(|seconds| json!(seconds)));
    say("by", args.by.as_ref().map(|by| json!(by)));
    let line = Line::new(args.ask.http, loaded)?;
    let answer = line.json("POST", "/api/v1/agents/orders", &Value::Object(body).to_string())?;
    let rows = answer["rows"].as_array().ok_or("the switch's answer has no rows")?;
    let mut text = String::new();
    for row in rows {
        let word = |key: &str| row[key].as_str().unwrap_or_default().to_owned();
        let said = match row["ok"] == Value::Bool(true) {
            true => row["done"][0].as_str().unwrap_or("done").to_owned(),
            false => format!("refused: {}", word("detail")),
        };
        let _ = writeln!(text, "{}: {said}", word("agent"));
    }
    let (ordered, refused) = (&answer["ordered"], &answer["refused"]);
    let _ = writeln!(text, "{ordered} ordered, {refused} refused");
    match refused.as_u64() {
        Some(0) => Ok(text),
        _ => Err(text.trim_end().to_owned()),
    }
}
