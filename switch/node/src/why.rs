//! `cordboard agent explain` and `cordboard queue explain`: the running switch says why things are as they are.

use crate::asking::{Line, escaped};
use crate::cli::WhyArgs;
use crate::config::Loaded;

/// What the running switch says of one of its `kind`, as `agents` or `queues`.
///
/// # Errors
/// What the switch says, or why it cannot be asked, in words.
pub fn explain(kind: &str, args: &WhyArgs, loaded: &Loaded) -> Result<String, String> {
    let line = Line::new(args.ask.http, loaded)?;
    let answer = line.json("GET", &format!("/api/v1/{kind}/{}/explain", escaped(&args.name)), "")?;
    let text = answer["text"].as_str().ok_or("the switch's answer has no text")?;
    Ok(format!("{}\n", text.trim_end()))
}
