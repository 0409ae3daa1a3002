//! A flow's page: from an error at its line to versions that are published and rolled back.

use crate::common::field;
use crate::console::{console, new};
use cordboard_tests::config::Config;
use cordboard_tests::desk::{At, Desk};
use cordboard_tests::fail::{Outcome, ensure};
use cordboard_tests::switch::Switch;
use serde_json::json;
use std::path::Path;

/// What the checker finds at the third line, and the same mended.
const WRONG: &str = "call:answer()\ncall.data.began = \"1\"\ncall:hang_upp()\n";
const FIRST: &str = "call:answer()\ncall.data.began = \"1\"\ncall:hang_up()\n";
const SECOND: &str = "call:answer()\ncall.data.began = \"2\"\ncall:hang_up()\n";
/// The text of the line that the cursor is in.
const CURSOR: &str = "document.querySelector('#pane-text .cm-activeLine').textContent";
/// The numbers of the lines that the editor marks.
const MARKED: &str = "(() => { const at = (one) => one.getBoundingClientRect().top;
    const pane = document.querySelector('#pane-PANE');
    const marks = [...pane.querySelectorAll('.cm-lint-marker-error')].map((one) => at(one.closest('.cm-gutterElement')));
    const lines = [...pane.querySelectorAll('.cm-lineNumbers .cm-gutterElement')];
    return lines.filter((one) => marks.some((mark) => Math.abs(mark - at(one)) < 2)).map((one) => one.textContent); })()";

/// A test of one case, whose flow says this of itself.
fn test_of(said: &str) -> String {
    format!(
        "[[case]]\nname = \"says its version\"\nsteps = [\n  {{ expect = \"answer\" }},\n  \
         {{ expect = \"set began = {said}\" }},\n  {{ expect = \"hang_up\" }},\n]\n"
    )
}

fn write(desk: &mut Desk, at: At<'_>, pane: &str, text: &str) -> Outcome {
    desk.does("type", at, json!({ "at": format!("#pane-{pane} .cm-content"), "text": text })).map(drop)
}

fn marked(desk: &mut Desk, at: At<'_>, pane: &str, lines: &[&str]) -> Outcome {
    let found = desk.evaluate(at, &MARKED.replace("PANE", pane))?;
    ensure(found == json!(lines), || format!("marked in {pane}: {found}, not {lines:?}"))
}

/// What is wrong is marked at its line and leads there; mended, nothing is.
fn an_error(desk: &mut Desk, at: At<'_>) -> Outcome {
    write(desk, at, "text", WRONG)?;
    desk.sees(at, "✕ Text 3")?;
    desk.sees(at, "did you mean 'hang_up'?")?;
    marked(desk, at, "text", &["3"])?;
    desk.ensure_clean(at)?;
    desk.click(at, "✕ Text 3")?;
    desk.does("press", at, json!({ "keys": "End" }))?;
    let line = desk.evaluate(at, CURSOR)?;
    ensure(line == "call:hang_upp()", || format!("the cursor is at {line}"))?;
    write(desk, at, "text", FIRST)?;
    desk.loses(at, "✕ Text 3")?;
    marked(desk, at, "text", &[])
}

/// A test that fails says so at its step; the same mended is played, and drawn.
fn a_test(desk: &mut Desk, at: At<'_>) -> Outcome {
    desk.does("tab", at, json!({ "what": "Test" }))?;
    write(desk, at, "test", &test_of("7"))?;
    desk.click(at, "^Play the test$")?;
    desk.sees(at, "✕ Test 5")?;
    desk.sees(at, "set began = 1")?;
    marked(desk, at, "test", &["5"])?;
    desk.ensure_clean(at)?;
    write(desk, at, "test", &test_of("1"))?;
    desk.loses(at, "✕ Test 5")?;
    desk.click(at, "^Play the test$")?;
    desk.sees(at, "✓ 1 cases went as written")?;
    desk.does("tab", at, json!({ "what": "Drawing" }))?;
    let drawn =
        "(async () => { const drawn = document.querySelector('.drawing img'); if (!drawn) return 'none';
        await drawn.decode(); return drawn.naturalWidth > 50 && drawn.alt; })()";
    let said = desk.evaluate(at, drawn)?;
    ensure(said == "The flow front as a drawing", || format!("the drawing: {said}"))?;
    desk.ensure_clean(at)?;
    desk.does("tab", at, json!({ "what": "Text" })).map(drop)
}

fn order_to_publish(desk: &mut Desk, at: At<'_>, note: &str) -> Outcome {
    desk.click(at, "^Publish$")?;
    desk.sees(at, "Calls that begin from now on meet it")?;
    desk.does("type", at, json!({ "at": "#note", "text": note }))?;
    desk.does("press", at, json!({ "keys": "Enter" })).map(drop)
}

fn publish(desk: &mut Desk, at: At<'_>, note: &str) -> Outcome {
    order_to_publish(desk, at, note)?;
    desk.sees(at, "Published.")?;
    desk.loses(at, "Published.")
}

/// Written with an error, mended, tested, drawn, published twice and rolled back.
pub fn from_error_to_roll_back(dir: &Path) -> Outcome {
    let switch = Switch::start(dir, &Config::new(dir)?)?;
    let (mut desk, at) = console(dir, &switch)?;
    new(&mut desk, at, "Flows", "front")?;
    desk.click(at, "^Save$")?;
    desk.sees(at, "Results")?;
    an_error(&mut desk, at)?;
    a_test(&mut desk, at)?;
    publish(&mut desk, at, "the first")?;
    desk.sees(at, "✓ 1 cases of its test went as written")?;

    // what its test does not allow is not published
    write(&mut desk, at, "text", SECOND)?;
    order_to_publish(&mut desk, at, "too early")?;
    desk.sees(at, "✕ Test 5")?;
    field(&switch.api.get("/api/v1/flows/front")?, "version.version", 1)?;
    desk.does("tab", at, json!({ "what": "Test" }))?;
    write(&mut desk, at, "test", &test_of("2"))?;
    publish(&mut desk, at, "the second")?;
    field(&switch.api.get("/api/v1/flows/front")?, "text", SECOND)?;

    desk.does("tab", at, json!({ "what": "Versions" }))?;
    desk.sees(at, "the second")?;
    desk.ensure_clean(at)?;
    desk.click(at, "^Look: 1$")?;
    desk.sees(at, "began = \"1\"")?;
    desk.does("press", at, json!({ "keys": "Escape" }))?;
    desk.loses(at, "began = \"1\"")?;
    desk.click(at, "^Back to this: 1$")?;
    desk.sees(at, "Publish version 1 again?")?;
    desk.click(at, "^Back to this$")?;
    desk.sees(at, "back to version 1")?;
    let runs = switch.api.get("/api/v1/flows/front")?;
    for (name, wanted) in
        [("version.version", json!(3)), ("version.back_to", json!(1)), ("text", json!(FIRST))]
    {
        field(&runs, name, wanted)?;
    }
    desk.does("tab", at, json!({ "what": "Text" }))?;
    let shown = desk.evaluate(at, "document.querySelector('#pane-text .cm-content').innerText")?;
    ensure(shown.as_str().is_some_and(|text| text.contains("began = \"1\"")), || format!("shown: {shown}"))?;
    desk.ensure_clean(at)
}
