//! The agent bar in each of its languages, from left to right and from right to left, at its usual width and on a narrow screen.

use crate::agent_bar::{hear_each_other, opened};
use crate::common::{CALLER, Phone, SOON, calls};
use cordboard_tests::Fail;
use cordboard_tests::desk::{At, Desk};
use cordboard_tests::fail::{Outcome, ensure};
use cordboard_tests::process::wait_for;
use serde_json::{Value, json};
use std::path::Path;

/// A language: how it is written, and what stands in the bar of one who is ready.
const LANGUAGES: [(&str, &str, &str); 6] = [
    ("zh-CN", "ltr", "正在等待下一个来电。"),
    ("es", "ltr", "Esperando la próxima llamada."),
    ("fr", "ltr", "En attente du prochain appel."),
    ("pt", "ltr", "Aguardando a próxima chamada."),
    ("en", "ltr", "Waiting for the next call."),
    ("ar", "rtl", "بانتظار المكالمة التالية."),
];
/// As wide as a bar is, and as narrow as a screen gets.
const WIDTHS: [u32; 2] = [440, 320];

/// Chooses a language in the settings, as agents do.
fn speaks(desk: &mut Desk, bar: At<'_>, language: &str) -> Outcome {
    let open = "(document.querySelector('#set-language') || document.querySelectorAll('.bar-tools button')[1].click(), 0)";
    desk.evaluate(bar, open)?;
    let choose = format!(
        "(() => {{ const box = document.querySelector('#set-language'); box.value = '{language}';
           box.dispatchEvent(new Event('change')); }})()"
    );
    wait_for("the settings", SOON, || desk.evaluate(bar, &choose).ok())?;
    wait_for(&format!("the page to speak {language}"), SOON, || {
        (desk.evaluate(bar, "document.documentElement.lang").ok()? == language).then_some(())
    })?;
    desk.evaluate(bar, "document.querySelector('.sheet h2 button').click()").map(drop)
}

/// Nothing is cut off at the side, at any width, and nothing keeps anybody from using it.
fn is_laid_out(desk: &mut Desk, bar: At<'_>, of: &str) -> Outcome {
    let wide = "(() => {
        const beyond = (one) => { const at = one.getBoundingClientRect(); return at.width > 0 && (at.left < -1 || at.right > innerWidth + 1); };
        return [...document.querySelectorAll('.bar *')].filter(beyond).map((one) => one.className || one.tagName).slice(0, 5);
    })()";
    for width in WIDTHS {
        desk.does("size", bar, json!({ "width": width, "height": 720 }))?;
        let beyond = desk.evaluate(bar, wide)?;
        ensure(beyond == Value::Array(Vec::new()), || {
            format!("{of}, {width} wide: beyond the side are {beyond}")
        })?;
        // words of a button are whole words: none is cut off within it
        let cut = desk.evaluate(
            bar,
            "[...document.querySelectorAll('.bar button')].filter((one) => one.scrollWidth > one.clientWidth + 1).map((one) => one.innerText)",
        )?;
        ensure(cut == Value::Array(Vec::new()), || format!("{of}, {width} wide: cut off are {cut}"))?;
        desk.ensure_clean(bar).map_err(|why| Fail(format!("{of}, {width} wide: {why}")))?;
    }
    desk.does("size", bar, json!({ "width": WIDTHS[0], "height": 720 })).map(drop)
}

/// A picture for who looks at them, if somebody asks for pictures.
fn picture(desk: &mut Desk, bar: At<'_>, name: &str) -> Outcome {
    let Some(folder) = std::env::var_os("CORDBOARD_LOOKS") else { return Ok(()) };
    let file = Path::new(&folder).join(format!("{name}.png"));
    desk.does("shot", bar, json!({ "file": file.display().to_string() })).map(drop)
}

/// An agent who is ready and one who talks, in every language; what was chosen stays over a reload.
pub fn each(dir: &Path) -> Outcome {
    let (switch, mut desk, bar) = opened(dir)?;
    for (language, way, waiting) in LANGUAGES {
        speaks(&mut desk, bar, language)?;
        desk.sees(bar, waiting)?;
        let found = desk.evaluate(bar, "document.documentElement.dir")?;
        ensure(found == way, || format!("{language} is written {found}"))?;
        is_laid_out(&mut desk, bar, language)?;
        picture(&mut desk, bar, &format!("ready-{language}"))?;
    }
    let mut caller = Phone::by_trunk(dir, "501", &calls(), CALLER)?;
    desk.sees(bar, "مكالمة واردة")?;
    is_laid_out(&mut desk, bar, "ringing in Arabic")?;
    desk.click(bar, "رد")?;
    desk.sees(bar, "قيد التحدث")?;
    hear_each_other(&mut caller, &mut desk, bar)?;
    for (language, ..) in LANGUAGES {
        speaks(&mut desk, bar, language)?;
        is_laid_out(&mut desk, bar, &format!("talking in {language}"))?;
        picture(&mut desk, bar, &format!("talking-{language}"))?;
    }
    desk.does("reload", bar, json!({}))?;
    desk.sees(bar, "قيد التحدث")?;
    caller.hangs_up()?;
    desk.sees(bar, "ما بعد المكالمة")?;
    is_laid_out(&mut desk, bar, "afterwards in Arabic")?;
    switch.wait_cdrs(1).map(drop)
}
