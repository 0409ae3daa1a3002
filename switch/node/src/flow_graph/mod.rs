//! `cordboard flow graph`: a flow as a drawing, made from the calls of its tests.
//!
//! What a flow does is known when it runs and not before: names are put together, and functions are called by functions. So the
//! drawing shows what the tests went through, and, dashed, the choices of menus that none of them took.

mod draw;
mod layout;

use crate::cli::FlowGraphArgs;
use crate::flow_test::read;
use cordboard_flow::script::{Bench, Script, run};
use cordboard_flow::{At, Passed, Seen, coverage};
pub(crate) use draw::escaped;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Longest text of a line in a box, characters.
const LINE_MAX: usize = 44;
/// Most lines of a box; more are counted.
const LINES_MAX: usize = 8;

/// What a box stands for; each kind has its colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Where every call begins.
    Begin,
    /// What a caller hears, or what is noted.
    Plain,
    /// Keys are asked for.
    Ask,
    /// A menu.
    Menu,
    /// The call goes to people, or elsewhere.
    Elsewhere,
    /// Something outside the flow is asked.
    Question,
    /// The call is over.
    End,
    /// The flow failed.
    Fault,
    /// What no test went to.
    Untested,
}

#[derive(Clone, Debug)]
struct Node {
    kind: Kind,
    lines: Vec<String>,
    /// Where it stands in the text.
    place: String,
}

#[derive(Clone, Debug)]
struct Edge {
    from: usize,
    to: usize,
    labels: Vec<String>,
    tested: bool,
}

/// The drawing as data.
#[derive(Clone, Debug, Default)]
struct Graph {
    title: String,
    under: String,
    nodes: Vec<Node>,
    edges: Vec<Edge>,
}

/// Draws the flow of a test.
///
/// # Errors
/// What cannot be read or written, or which case does not go as written.
pub fn graph(args: &FlowGraphArgs) -> Result<String, String> {
    let test = test_of(&args.file)?;
    let (script, bench) = read(&test)?;
    let (graph, calls) = of_script(&script, &bench, &test.display().to_string())?;
    let svg = draw::svg(&graph);
    let Some(out) = &args.out else { return Ok(svg) };
    std::fs::write(out, svg).map_err(|why| format!("{}: {why}", out.display()))?;
    Ok(format!("{}: {} drawn from {calls} calls\n", out.display(), bench.flow.file))
}

/// The drawing of texts whose test goes as written.
pub(crate) fn drawing(script: &Script, bench: &Bench, test: &str) -> Option<String> {
    of_script(script, bench, test).ok().map(|(graph, _)| draw::svg(&graph))
}

/// The test of a flow, if it is a flow that is named.
fn test_of(file: &Path) -> Result<PathBuf, String> {
    if file.extension().is_none_or(|ending| ending != "lua") {
        return Ok(file.to_owned());
    }
    let test = file.with_extension("test.toml");
    match test.is_file() {
        true => Ok(test),
        false => Err(format!(
            "there is no {}: a flow is drawn from the calls of its test, which stands beside it",
            test.display()
        )),
    }
}

fn of_script(script: &Script, bench: &Bench, test: &str) -> Result<(Graph, usize), String> {
    let mut builder = Builder::new(&bench.flow.file);
    let mut seen = Seen::default();
    for case in &script.cases {
        let report = run(bench, case).map_err(|why| format!("FAILED {test}: {why}"))?;
        builder.way(&report.seen, case.end != "ended");
        seen.add(report.seen);
    }
    let found = coverage(&bench.flow.file, &bench.flow.text, &seen);
    builder.untested(&seen);
    let mut graph = builder.graph;
    let calls = script.cases.len();
    let not_taken = found.not_taken.len();
    graph.title = bench.flow.file.clone();
    let branches = found.branches;
    let menus = match branches {
        0 => "no menus".to_owned(),
        _ => format!("{} of {branches} branches of its menus", branches - not_taken),
    };
    let cases = if calls == 1 { "1 call".to_owned() } else { format!("{calls} calls") };
    graph.under = format!("drawn from the {cases} of {test}: {menus}");
    Ok((folded(graph), calls))
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Begin,
    /// A verb at a place; one line may ask for several.
    Verb(At, String),
    End(String),
    Untested(At),
}

struct Builder {
    graph: Graph,
    keys: BTreeMap<Key, usize>,
    main: String,
}

impl Builder {
    fn new(main: &str) -> Self {
        let mut made = Self { graph: Graph::default(), keys: BTreeMap::new(), main: main.to_owned() };
        made.node(Key::Begin, Kind::Begin, "a call comes in", "");
        made
    }

    fn node(&mut self, key: Key, kind: Kind, line: &str, place: &str) -> usize {
        if let Some(known) = self.keys.get(&key) {
            let node = &mut self.graph.nodes[*known];
            // One place may say different things, as a loop over a list does.
            let line = short(line);
            if !node.lines.contains(&line) {
                node.lines.push(line);
            }
            return *known;
        }
        let at = self.graph.nodes.len();
        self.graph.nodes.push(Node { kind, lines: vec![short(line)], place: place.to_owned() });
        self.keys.insert(key, at);
        at
    }

    fn edge(&mut self, from: usize, to: usize, label: &str, tested: bool) {
        let labels = Some(label.to_owned()).filter(|label| !label.is_empty());
        let known = self.graph.edges.iter_mut().find(|edge| (edge.from, edge.to) == (from, to));
        match known {
            Some(edge) => {
                edge.labels.extend(labels.filter(|label| !edge.labels.contains(label)));
                edge.tested |= tested;
            }
            None => self.graph.edges.push(Edge { from, to, labels: labels.into_iter().collect(), tested }),
        }
    }

    /// Adds the way of one call.
    fn way(&mut self, seen: &Seen, fails: bool) {
        let mut from = 0;
        let (mut label, mut last) = (String::new(), String::new());
        for passed in &seen.way {
            match passed {
                Passed::Verb(at, line) => {
                    let kind = self.kind(at, line, seen);
                    let word = line.split(' ').next().unwrap_or_default().to_owned();
                    let place = self.place(at);
                    let shown = if kind == Kind::Menu { menu_line(line) } else { plain(line) };
                    let to = self.node(Key::Verb(at.clone(), word.clone()), kind, &shown, &place);
                    self.edge(from, to, &label, true);
                    (from, label, last) = (to, String::new(), word);
                }
                Passed::Answer(text) => label.clone_from(text),
                Passed::Choice(_, branch) => label.clone_from(branch),
            }
        }
        let (kind, text) = match (fails, label.as_str(), last.as_str()) {
            (true, _, _) => (Kind::Fault, "the flow fails: apology and fallback"),
            (_, "hangs up", _) => (Kind::End, "the caller hangs up"),
            (_, _, "hang_up" | "reject") => return,
            // Handed over, and done.
            (_, "", "transfer" | "dial") => return,
            _ => (Kind::End, "the flow ends"),
        };
        let to = self.node(Key::End(text.to_owned()), kind, text, "");
        let label = if label == "hangs up" { String::new() } else { label };
        self.edge(from, to, &label, true);
    }

    /// Adds the choices of menus that no call took.
    fn untested(&mut self, seen: &Seen) {
        for (at, branches) in &seen.menus {
            let taken = seen.taken.get(at).cloned().unwrap_or_default();
            let left: Vec<String> = branches.difference(&taken).cloned().collect();
            let Some(menu) = self.keys.get(&Key::Verb(at.clone(), "collect".to_owned())).copied() else {
                continue;
            };
            if !left.is_empty() {
                let to = self.node(Key::Untested(at.clone()), Kind::Untested, "no test goes here", "");
                self.edge(menu, to, &left.join(", "), false);
            }
        }
    }

    fn place(&self, at: &At) -> String {
        match at.file == self.main {
            true => format!("line {}", at.line),
            false => format!("{}:{}", at.file.rsplit('/').next().unwrap_or_default(), at.line),
        }
    }

    fn kind(&self, at: &At, line: &str, seen: &Seen) -> Kind {
        match line.split(' ').next().unwrap_or_default() {
            "collect" if seen.menus.contains_key(at) => Kind::Menu,
            "collect" => Kind::Ask,
            "hang_up" | "reject" => Kind::End,
            "enqueue" | "dial" | "transfer" | "stream" => Kind::Elsewhere,
            "http" | "lookup" | "calendar" | "count" | "get" | "now" => Kind::Question,
            _ => Kind::Plain,
        }
    }
}

/// A menu's verb without what every menu has.
fn menu_line(line: &str) -> String {
    let prompt = line.strip_prefix("collect ").unwrap_or(line);
    let prompt = prompt.split(" max=").next().unwrap_or(prompt);
    format!("menu {prompt}")
}

/// A verb without the options that say little.
fn plain(line: &str) -> String {
    let says = |word: &&str| {
        !["min=", "terminators=", "first=", "inter=", "priority=", "add=", "seconds="]
            .iter()
            .any(|option| word.starts_with(option))
    };
    line.split(' ').filter(says).collect::<Vec<_>>().join(" ")
}

fn short(line: &str) -> String {
    match line.chars().count() <= LINE_MAX {
        true => line.to_owned(),
        false => line.chars().take(LINE_MAX - 1).chain(['…']).collect(),
    }
}

/// One box for what always comes one after another.
fn folded(graph: Graph) -> Graph {
    let Graph { title, under, nodes, edges } = graph;
    let out = |at: usize| edges.iter().filter(move |edge| edge.from == at);
    let into = |at: usize| edges.iter().filter(move |edge| edge.to == at);
    let folds = |edge: &&Edge| {
        edge.labels.is_empty()
            && edge.from != edge.to
            && out(edge.from).count() == 1
            && into(edge.to).count() == 1
            && nodes[edge.from].kind == Kind::Plain
            && nodes[edge.to].kind == Kind::Plain
    };
    // Where each box begins that others are folded into.
    let before: BTreeMap<usize, usize> =
        edges.iter().filter(folds).map(|edge| (edge.to, edge.from)).collect();
    let first = |mut at: usize| {
        for _ in 0..nodes.len() {
            match before.get(&at) {
                Some(earlier) => at = *earlier,
                None => break,
            }
        }
        at
    };
    let mut made = Graph { title, under, ..Graph::default() };
    let mut new = BTreeMap::new();
    for (at, node) in nodes.iter().enumerate().filter(|(at, _)| first(*at) == *at) {
        new.insert(at, made.nodes.len());
        made.nodes.push(node.clone());
    }
    // In the order in which they come.
    for (at, node) in nodes.iter().enumerate() {
        let head = first(at);
        if head != at
            && let Some(into) = new.get(&head).and_then(|to| made.nodes.get_mut(*to))
        {
            into.lines.extend(node.lines.iter().cloned());
        }
    }
    for node in &mut made.nodes {
        if node.lines.len() > LINES_MAX {
            let more = node.lines.len() - LINES_MAX + 1;
            node.lines.truncate(LINES_MAX - 1);
            node.lines.push(format!("and {more} more"));
        }
    }
    for edge in &edges {
        if before.get(&edge.to) == Some(&edge.from) {
            continue;
        }
        if let (Some(from), Some(to)) = (new.get(&first(edge.from)), new.get(&first(edge.to))) {
            made.edges.push(Edge { from: *from, to: *to, ..edge.clone() });
        }
    }
    made
}

#[cfg(test)]
mod tests {
    use super::*;
    use cordboard_flow::script::Source;

    const FLOW: &str = "call:answer()\ncall:play('hello')\ncall:menu{\n  prompt = 'menu',\n  invalid = 'sorry',\n  \
                        ['1'] = function() call:enqueue('sales') end,\n  ['2'] = 'x',\n}\ncall:hang_up()\n";
    const TEST: &str = "[[case]]\nname = 'a'\nsteps = [{expect='answer'}, {expect='play'}, \
                        {expect='collect', digits='9'}, {expect='play sorry'}, {expect='collect', digits='1'}, \
                        {expect='enqueue', queue='full'}, {expect='hang_up'}]";

    fn drawn() -> Graph {
        let flow = Source { file: "flows/f.lua".into(), text: FLOW.into() };
        let script: Script = toml::from_str(TEST).unwrap();
        of_script(&script, &Bench { flow, ..Bench::default() }, "f.test.toml").unwrap().0
    }

    #[test]
    fn a_menu_is_drawn_with_its_branches_the_way_back_and_what_no_test_took() {
        let graph = drawn();
        let at = |line: &str| graph.nodes.iter().position(|node| node.lines[0].starts_with(line)).unwrap();
        let label = |from: &str, to: &str| {
            let (from, to) = (at(from), at(to));
            let edge = graph.edges.iter().find(|edge| (edge.from, edge.to) == (from, to));
            edge.map(|edge| (edge.labels.join(", "), edge.tested))
        };
        assert_eq!(graph.nodes[at("answer")].lines, ["answer", "play hello"], "one box for both");
        assert_eq!(label("menu menu", "enqueue sales"), Some(("1".into(), true)));
        assert_eq!(label("menu menu", "play sorry"), Some(("wrong key".into(), true)));
        assert_eq!(label("play sorry", "menu menu"), Some((String::new(), true)));
        assert_eq!(label("menu menu", "no test goes here"), Some(("2, no key".into(), false)));
        assert_eq!(label("enqueue sales", "hang_up"), Some(("full".into(), true)));
        assert_eq!(graph.under, "drawn from the 1 call of f.test.toml: 2 of 4 branches of its menus");
    }

    /// The rectangles of a drawing: left, top, width, height; without its ground.
    fn rectangles(svg: &str) -> Vec<[f64; 4]> {
        let number = |rect: &str, name: &str| {
            let (_, rest) = rect.split_once(&format!(" {name}=\"")).unwrap();
            rest.split('"').next().unwrap().parse().unwrap()
        };
        let all = svg.split("<rect").skip(1).filter(|rect| !rect.starts_with(" width=\"100%\""));
        all.map(|rect| ["x", "y", "width", "height"].map(|name| number(rect, name))).collect()
    }

    /// Labels of neighbouring branches lay over each other. Of the flows that ship, of many branches, and of a box that leads to itself.
    #[test]
    fn nothing_lies_over_a_label_or_a_box_in_the_drawing() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../ivr-flows");
        let mut drawings: Vec<(String, String)> = Vec::new();
        for name in ["main-menu", "queue-wait", "voicemail", "verify", "after-hours", "script-player"] {
            let (script, bench) = read(&folder.join(format!("{name}.test.toml"))).unwrap();
            drawings.push((name.to_owned(), draw::svg(&of_script(&script, &bench, name).unwrap().0)));
        }
        let mut graph = drawn();
        let ways = (0..graph.nodes.len()).map(|to| (1, to)).chain([(2, 2), (3, 3), (3, 1)]);
        graph.edges = ways
            .map(|(from, to)| Edge {
                from,
                to,
                labels: vec![format!("branch number {to}"); 1 + to % 3],
                tested: true,
            })
            .collect();
        drawings.push(("many branches".to_owned(), draw::svg(&graph)));
        for (name, svg) in drawings {
            let all = rectangles(&svg);
            assert!(all.len() > 8, "{name}: {}", all.len());
            for (i, a) in all.iter().enumerate() {
                for b in &all[i + 1..] {
                    let apart =
                        |at: usize| a[at] + a[at + 2] <= b[at] + 0.11 || b[at] + b[at + 2] <= a[at] + 0.11;
                    assert!(apart(0) || apart(1), "{name}: {a:?} and {b:?} overlap");
                }
            }
        }
    }

    #[test]
    fn the_drawing_is_one_well_formed_file_and_texts_cannot_break_it() {
        let mut graph = drawn();
        graph.nodes[1].lines.push("set a = <b> & \"c\"".into());
        let svg = draw::svg(&graph);
        assert!(svg.starts_with("<svg xmlns=") && svg.ends_with("</svg>\n"));
        assert!(svg.contains(" a = &lt;b&gt; &amp; &quot;c&quot;"), "{svg}");
        for (open, close) in [("<g", "</g>"), ("<text", "</text>"), ("<title", "</title>")] {
            assert_eq!(
                svg.matches(&format!("{open}>")).count() + svg.matches(&format!("{open} ")).count(),
                svg.matches(close).count()
            );
        }
        assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
    }
}
