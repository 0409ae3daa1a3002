//! What README.md tells a newcomer to write is taken by the checker as it stands there.

#![allow(clippy::unwrap_used, clippy::panic, reason = "test code; clippy spares only what is inside #[test]")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The first block of this language in the README.
fn blocks(readme: &str, language: &str) -> Vec<String> {
    let fence = format!("```{language}\n");
    let parts = readme.split(fence.as_str()).skip(1);
    parts.map(|part| part.split("```").next().unwrap().to_owned()).collect()
}

fn folder() -> PathBuf {
    let dir = std::env::temp_dir().join(format!("cordboard-readme-{}", std::process::id()));
    fs::create_dir_all(dir.join("config")).unwrap();
    fs::create_dir_all(dir.join("ivr-flows")).unwrap();
    dir
}

#[test]
fn the_readmes_flow_and_trunk_are_right() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let readme = fs::read_to_string(root.join("README.md")).unwrap();
    let (lua, toml) = (blocks(&readme, "lua"), blocks(&readme, "toml"));
    assert!(lua.len() == 1 && toml.len() == 2, "{} flows, {} pieces of configuration", lua.len(), toml.len());
    let dir = folder();
    fs::write(dir.join("ivr-flows/hello.lua"), &lua[0]).unwrap();
    let base = "[tenant.default]\nprompts = \"PROMPTS\"\n[tenant.default.queue.sales]\n[tenant.default.queue.support]\n";
    let prompts = root.join("ivr-flows/prompts").canonicalize().unwrap();
    let base = base.replace("PROMPTS", prompts.to_str().unwrap());
    let config = dir.join("config/cordboard.toml");
    fs::write(&config, format!("{base}{}{}", toml[0], toml[1])).unwrap();
    let run = |args: &[&str]| {
        let output =
            Command::new(env!("CARGO_BIN_EXE_cordboard")).args(args).arg("--config").arg(&config).output();
        let output = output.unwrap();
        let text =
            String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        (output.status.success(), text)
    };
    let (right, told) = run(&["check"]);
    assert!(right, "{told}");
    let (right, told) = run(&["route", "explain", "trunk:carrier/+493012345", "600"]);
    assert!(right && told.contains("goes to flow default/hello"), "{told}");
    fs::remove_dir_all(dir).unwrap();
}

/// What both say is changed in both: their code, and where they lead.
#[test]
fn the_chinese_readme_has_the_same_code_and_leads_to_the_same_pages() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let read = |name: &str| fs::read_to_string(root.join(name)).unwrap();
    let (english, chinese) = (read("README.md"), read("README.zh-CN.md"));
    for language in ["lua", "toml"] {
        assert_eq!(blocks(&english, language), blocks(&chinese, language));
    }
    let links = |text: &str| -> Vec<String> {
        let targets = text.split("](").skip(1).map(|rest| rest.split(')').next().unwrap().to_owned());
        targets.filter(|target| !target.starts_with("README")).collect()
    };
    assert_eq!(links(&english), links(&chinese));
    assert_eq!(english.matches("\n## ").count(), chinese.matches("\n## ").count());
}
