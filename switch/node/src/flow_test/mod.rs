//! `cordboard flow test`: plays the calls written beside a flow, in virtual time, without a phone and a switch.

mod cover;
mod junit;

use crate::cli::FlowTestArgs;
use cordboard_flow::Seen;
use cordboard_flow::script::{Bench, Script, Source, run};
use cover::{Covered, Least};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// How a test's file is named.
const ENDING: &str = ".test.toml";
/// Folders below each other that are looked into; a link in a circle ends here.
const DEPTH: usize = 8;

/// Plays every case and prints what became of it.
///
/// # Errors
/// In words, how many cases went otherwise than written, or what could not be read.
pub fn test(args: &FlowTestArgs) -> Result<String, String> {
    let mut files = Vec::new();
    for path in &args.paths {
        if path.is_dir() {
            below(path, DEPTH, &mut files)?;
        } else {
            files.push(path.clone());
        }
    }
    if files.is_empty() {
        let paths: Vec<String> = args.paths.iter().map(|path| path.display().to_string()).collect();
        return Err(format!("there is no file that ends in {ENDING} below {}", paths.join(", ")));
    }
    files.sort();
    let mut told = Told::default();
    for file in &files {
        told.file(file, args.trace);
    }
    if let Some(path) = &args.junit {
        let text = junit::junit(&told.done);
        std::fs::write(path, text).map_err(|why| format!("{}: {why}", path.display()))?;
    }
    let least = Least { lines: args.min_lines.unwrap_or(0), branches: args.min_branches.unwrap_or(0) };
    let mut short = Vec::new();
    if args.coverage || least.lines > 0 || least.branches > 0 {
        let (table, lacks) = told.covered.told(least);
        told.out.push_str(&table);
        short = lacks;
    }
    let Told { out, cases, failed, .. } = told;
    match (failed, short.is_empty()) {
        (0, true) => Ok(format!("{out}{cases} cases in {} files went as written\n", files.len())),
        (0, false) => Err(format!("{out}\n{}", short.join("\n"))),
        _ => Err(format!("{out}{failed} of {cases} cases went otherwise")),
    }
}

fn below(folder: &Path, depth: usize, files: &mut Vec<PathBuf>) -> Result<(), String> {
    let failed = |why: std::io::Error| format!("{}: {why}", folder.display());
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.is_dir() && depth > 0 {
            below(&path, depth - 1, files)?;
        } else if path.to_string_lossy().ends_with(ENDING) {
            files.push(path);
        }
    }
    Ok(())
}

#[derive(Default)]
struct Told {
    out: String,
    cases: usize,
    failed: usize,
    done: Vec<(String, Vec<Done>)>,
    covered: Covered,
}

impl Told {
    /// Plays the cases of one file. What cannot be read counts as one case that failed.
    fn file(&mut self, file: &Path, trace: bool) {
        // Writing to a String cannot fail.
        let (script, bench) = match read(file) {
            Ok(read) => read,
            Err(why) => {
                self.cases += 1;
                self.failed += 1;
                let _ = writeln!(self.out, "FAILED {why}");
                let done = Done { name: "the test is read".to_owned(), took: 0.0, failure: Some(why) };
                self.done.push((file.display().to_string(), vec![done]));
                return;
            }
        };
        let played = play(&bench, &script, &file.display().to_string(), trace);
        self.cases += played.cases.len();
        self.failed += played.failures().len();
        self.out.push_str(&played.out);
        self.done.push((file.display().to_string(), played.cases));
        self.covered.add(&bench, played.seen);
    }
}

/// What became of a case.
pub struct Done {
    /// Its name.
    pub name: String,
    /// How long the call took, in its own seconds.
    pub took: f64,
    /// Why it went otherwise, as it is shown.
    pub failure: Option<String>,
}

/// What became of the cases of one test.
#[derive(Default)]
pub struct Played {
    /// All of it, for people.
    pub out: String,
    /// Each.
    pub cases: Vec<Done>,
    /// What was seen of the flow.
    pub seen: Seen,
}

impl Played {
    /// Those that went otherwise, each as it is shown.
    pub fn failures(&self) -> Vec<String> {
        self.cases.iter().filter_map(|case| case.failure.clone()).collect()
    }
}

/// Plays every case of a test; `file` is what it is called, `trace` has the steps of those told that went as written.
pub fn play(bench: &Bench, script: &Script, file: &str, trace: bool) -> Played {
    play_until(bench, script, file, trace, None)
}

/// The same; no case is begun after this moment, and what is left of them counts as one that failed.
pub(crate) fn play_until(
    bench: &Bench,
    script: &Script,
    file: &str,
    trace: bool,
    end: Option<std::time::Instant>,
) -> Played {
    let mut played = Played::default();
    for case in &script.cases {
        let mut done = Done { name: case.name.clone(), took: 0.0, failure: None };
        if end.is_some_and(|end| std::time::Instant::now() >= end) {
            let failure = format!("FAILED {file}: it takes too long; stopped before case {:?}", case.name);
            let _ = writeln!(played.out, "{failure}");
            done.failure = Some(failure);
            played.cases.push(done);
            break;
        }
        match run(bench, case) {
            Ok(report) => {
                // Writing to a String cannot fail.
                let _ = writeln!(played.out, "ok     {file}: {}", case.name);
                if trace {
                    for line in &report.trace {
                        let _ = writeln!(played.out, "    {line}");
                    }
                }
                done.took = report.took.as_secs_f64();
                played.seen.add(report.seen);
            }
            Err(why) => {
                let failure = format!("FAILED {file}: {why}");
                let _ = writeln!(played.out, "{failure}");
                done.failure = Some(failure);
            }
        }
        played.cases.push(done);
    }
    played
}

/// A test with its flow, the flows beside it, and the libraries of the folder `lib` there or in a folder above.
pub(crate) fn read(file: &Path) -> Result<(Script, Bench), String> {
    let text = std::fs::read_to_string(file).map_err(|why| format!("{}: {why}", file.display()))?;
    let script: Script = toml::from_str(&text).map_err(|why| format!("{}: {why}", file.display()))?;
    if script.flow.is_empty() {
        return Err(format!(
            "{}: missing field `flow`: the file of the flow, as flow = \"main.lua\"",
            file.display()
        ));
    }
    let flow = file.parent().unwrap_or(Path::new("")).join(&script.flow);
    let bench = bench(&flow).map_err(|why| format!("{}: the flow {why}", file.display()))?;
    Ok((script, bench))
}

/// A flow with what it may take in.
pub fn bench(flow: &Path) -> Result<Bench, String> {
    let text = std::fs::read_to_string(flow).map_err(|why| format!("{}: {why}", flow.display()))?;
    let folder = flow.parent().unwrap_or(Path::new(""));
    let libraries = folder.ancestors().map(|folder| folder.join("lib")).find(|folder| folder.is_dir());
    Ok(Bench {
        flow: Source { file: flow.display().to_string(), text },
        flows: sources(folder, 0)?,
        libraries: libraries.map_or(Ok(BTreeMap::new()), |folder| sources(&folder, DEPTH))?,
        ..Bench::default()
    })
}

/// The Lua files of a folder, and of those below it down to `depth`, by their names.
fn sources(folder: &Path, depth: usize) -> Result<BTreeMap<String, Source>, String> {
    let failed = |why: std::io::Error| format!("{}: {why}", folder.display());
    let mut found = BTreeMap::new();
    // The folder of a bare file name has no name itself.
    let listed = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    for entry in std::fs::read_dir(listed).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default().to_owned();
        if path.is_dir() && depth > 0 {
            let below = sources(&path, depth - 1)?;
            found.extend(below.into_iter().map(|(name, source)| (format!("{stem}.{name}"), source)));
        } else if path.extension().is_some_and(|ending| ending == "lua") {
            let text = std::fs::read_to_string(&path).map_err(failed)?;
            found.insert(stem, Source { file: path.display().to_string(), text });
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../ivr-flows")
    }

    #[test]
    fn the_flows_that_ship_go_as_written_and_every_branch_of_their_menus_is_taken() {
        let told = test(&FlowTestArgs {
            paths: vec![folder()],
            trace: true,
            min_branches: Some(100),
            ..FlowTestArgs::default()
        })
        .unwrap();
        assert!(told.contains("main-menu.test.toml: 1 waits for sales and is served\n"), "{told}");
        assert!(told.contains("enqueue sales timeout=600"), "{told}");
        assert!(!told.contains("FAILED"), "{told}");
    }

    #[test]
    fn a_case_that_goes_otherwise_and_a_flow_that_is_not_there_are_told() {
        let dir = std::env::temp_dir().join(format!("cordboard-flow-test-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        std::fs::write(dir.join("a.lua"), "call:answer()\ncall:hang_up()").unwrap();
        let case = "flow = 'a.lua'\n[[case]]\nname = 'busy'\nsteps = [{ expect = 'answer' }, { expect = 'hang_up busy' }]";
        std::fs::write(dir.join("a.test.toml"), case).unwrap();
        std::fs::write(dir.join("b.test.toml"), "flow = 'b.lua'\ncase = []").unwrap();
        let told = test(&FlowTestArgs { paths: vec![dir.clone()], ..FlowTestArgs::default() }).unwrap_err();
        std::fs::remove_dir_all(&dir).unwrap();
        assert!(told.contains(
            "a.test.toml: case \"busy\", step 2:\n  expected hang_up busy\n  got      hang_up normal"
        ));
        assert!(told.contains("b.lua: No such file"), "{told}");
        assert!(told.ends_with("2 of 2 cases went otherwise"), "{told}");
    }

    const MENU: &str = "call:answer()\ncall:menu{\n  prompt = 'menu', tries = 1,\n  ['1'] = 'x', ['2'] = 'y',\n}\n\
                        if call.from == '' then\n  call:play('never')\nend\n";

    #[test]
    fn what_falls_short_of_the_least_is_told_and_fails() {
        let dir = std::env::temp_dir().join(format!("cordboard-flow-cover-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        std::fs::write(dir.join("a.lua"), MENU).unwrap();
        let case = "flow = 'a.lua'\n[[case]]\nname = 'one'\n\
                    steps = [{ expect = 'answer' }, { expect = 'collect menu', digits = '1' }]";
        std::fs::write(dir.join("a.test.toml"), case).unwrap();
        let junit = dir.join("out.xml");
        let args = FlowTestArgs { paths: vec![dir.clone()], coverage: true, ..FlowTestArgs::default() };
        let told = test(&args).unwrap();
        let args =
            FlowTestArgs { min_lines: Some(90), min_branches: Some(25), junit: Some(junit.clone()), ..args };
        let short = test(&args).unwrap_err();
        let enough = test(&FlowTestArgs { min_lines: Some(75), min_branches: Some(25), ..args });
        let xml = std::fs::read_to_string(junit).unwrap();
        std::fs::remove_dir_all(&dir).unwrap();
        for wanted in
            ["5 of 6,  83 %", "1 of 4,  25 %", "not run: line 7\n", "not taken: 2, of the menu at line 2\n"]
        {
            assert!(told.contains(wanted), "no {wanted} in {told}");
        }
        assert!(
            short.ends_with("a.lua: 5 of 6,  83 % of the lines are covered; 90 % are asked for"),
            "{short}"
        );
        assert!(enough.is_ok() && xml.contains("tests=\"1\" failures=\"0\""), "{xml}");
    }

    #[test]
    fn no_case_is_begun_when_the_time_for_a_test_is_over() {
        let case = |name: &str| format!("[[case]]\nname = '{name}'\nsteps = [{{ expect = 'answer' }}]\n");
        let script: Script = toml::from_str(&(case("one") + &case("two"))).unwrap();
        let flow = Source { file: "a.lua".into(), text: "call:answer()".into() };
        let bench = Bench { flow, ..Bench::default() };
        let until = |end| play_until(&bench, &script, "a.test.toml", false, end);
        let now = std::time::Instant::now();
        let late = until(Some(now));
        assert!(late.seen.lines.is_empty(), "a case was begun: {:?}", late.seen);
        assert_eq!(late.failures(), ["FAILED a.test.toml: it takes too long; stopped before case \"one\""]);
        assert_eq!(late.cases.len(), 1, "what is left counts as one");
        let in_time = until(now.checked_add(std::time::Duration::from_secs(3_600)));
        assert_eq!((in_time.cases.len(), in_time.failures().len()), (2, 0));
        assert!(!in_time.seen.lines.is_empty());
    }

    #[test]
    fn a_test_of_forty_steps_takes_less_than_50_ms() {
        let text = "call:answer()\nfor i = 1, 38 do call:play('a' .. i) end\ncall:hang_up()\n";
        let flow = Source { file: "f.lua".into(), text: text.into() };
        let play = |at: usize| format!("{{ expect = 'play a{at}' }}");
        let plays: Vec<String> = (1..=38).map(play).collect();
        let steps = format!("{{ expect = 'answer' }}, {}, {{ expect = 'hang_up' }}", plays.join(", "));
        let script: Script = toml::from_str(&format!("[[case]]\nname = 'a'\nsteps = [{steps}]")).unwrap();
        assert_eq!(script.cases[0].steps.len(), 40);
        let bench = Bench { flow, ..Bench::default() };
        // The fastest of many: a machine that does something else is not what is measured.
        let once = || {
            let began = std::time::Instant::now();
            assert!(run(&bench, &script.cases[0]).is_ok());
            began.elapsed()
        };
        let fastest = (0..20).map(|_| once()).min().unwrap();
        assert!(fastest.as_millis() < 50, "{fastest:?}");
    }
}
