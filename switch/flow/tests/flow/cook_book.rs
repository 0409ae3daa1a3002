//! The cook-book: each of its flows is complete, has its test below it, and goes as that says.

use crate::shipped::{folder, prompts};
use cordboard_flow::script::{Bench, Script, Source, run};

/// What stands in the first block of this kind.
fn block<'a>(recipe: &'a str, kind: &str) -> Option<&'a str> {
    let (_, rest) = recipe.split_once(&format!("```{kind}\n"))?;
    Some(rest.split_once("```")?.0)
}

#[test]
fn every_flow_of_the_cook_book_goes_as_its_test_says() {
    let guide = std::fs::read_to_string(folder().join("../docs/cook-book.md")).unwrap();
    let prompts = prompts();
    let mut recipes = 0;
    for recipe in guide.split("\n## ").skip(1) {
        let title = recipe.lines().next().unwrap();
        let text = block(recipe, "lua").unwrap_or_else(|| panic!("{title} has no flow"));
        let test = block(recipe, "toml").unwrap_or_else(|| panic!("{title} has no test"));
        let test: Script = toml::from_str(test).unwrap_or_else(|error| panic!("{title}: {error}"));
        let flow = Source { file: test.flow.clone(), text: text.to_owned() };
        let bench = Bench { flow, ..Bench::default() };
        for case in &test.cases {
            run(&bench, case).unwrap_or_else(|why| panic!("{title}: {why}"));
        }
        for name in text.split('"').filter(|part| part.starts_with("en.") || part.starts_with("zh.")) {
            assert!(prompts.contains(name), "{title}: there is no prompt {name}");
        }
        recipes += 1;
    }
    assert!(recipes >= 12, "{recipes}");
}
