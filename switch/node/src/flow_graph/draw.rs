//! A graph as an SVG that stands alone: no script, no font of its own, nothing from elsewhere.

use super::layout::{Placed, Plan, place};
use super::{Edge, Graph, Kind, Node};
use std::fmt::Write;

/// Width of a character of the monospaced text, and height of a line, pixels.
const CHAR: f64 = 7.25;
const LINE: f64 = 17.0;
/// Between a box and its text.
const PAD: f64 = 12.0;
/// Around everything, and the head with the title.
const MARGIN: f64 = 28.0;
const HEAD: f64 = 64.0;
/// Height of a label.
const LABEL: f64 = 18.0;
/// How far a line from a box to itself stands out.
const LOOP: f64 = 26.0;

/// The drawing.
pub(super) fn svg(graph: &Graph) -> String {
    // Beside a box that leads to itself there is room for that line and its label.
    let beside = |at: usize| {
        let own = graph.edges.iter().find(|edge| (edge.from, edge.to) == (at, at));
        own.map_or(0.0, |edge| LOOP + label_size(edge).map_or(0.0, |size| size.0))
    };
    let room = |(at, node): (usize, &Node)| (size(node).0 + 2.0 * beside(at), size(node).1);
    let plan = Plan {
        boxes: graph.nodes.iter().enumerate().map(room).collect(),
        lines: graph.edges.iter().map(|edge| (edge.from, edge.to)).collect(),
        labels: graph.edges.iter().map(label_size).collect(),
    };
    let placed = place(&plan);
    let title = graph.title.chars().count().max(graph.under.chars().count()) as f64 * CHAR;
    let width = placed.size.0.max(title) + 2.0 * MARGIN + LOOP * 3.0;
    let height = placed.size.1 + 2.0 * MARGIN + HEAD;
    let shift = ((width - placed.size.0) / 2.0, HEAD + MARGIN);
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _ = write!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{height:.0}\" \
         viewBox=\"0 0 {width:.0} {height:.0}\">\n<title>{}</title>\n{STYLE}\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n\
         <text class=\"title\" x=\"{MARGIN}\" y=\"34\">{}</text>\n\
         <text class=\"under\" x=\"{MARGIN}\" y=\"56\">{}</text>\n<g transform=\"translate({:.1} {:.1})\">\n",
        escaped(&graph.title),
        escaped(&graph.title),
        escaped(&graph.under),
        shift.0,
        shift.1
    );
    for (edge, points) in graph.edges.iter().zip(&placed.lines) {
        line(&mut out, edge, points, &placed, graph);
    }
    for (node, at) in graph.nodes.iter().zip(&placed.boxes) {
        node_box(&mut out, node, *at);
    }
    // Over the lines and beside the boxes.
    for (edge, at) in graph.edges.iter().zip(&placed.labels) {
        label(&mut out, edge, *at, &placed, graph);
    }
    out.push_str("</g>\n</svg>\n");
    out
}

const STYLE: &str = "<style>\
text{font:12px ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace;fill:#1f2933}\
.title{font:600 19px system-ui,'Segoe UI','DejaVu Sans',sans-serif}\
.under{font:13px system-ui,'Segoe UI','DejaVu Sans',sans-serif;fill:#5b6875}\
.place{font-size:10px;fill:#7b8794}\
.word{font:600 12px ui-monospace,Menlo,Consolas,'DejaVu Sans Mono',monospace}\
.line{fill:none;stroke:#52606d;stroke-width:1.4}\
.dashed{stroke-dasharray:5 4;stroke:#c2410c}\
</style>\n<defs>\
<marker id=\"to\" viewBox=\"0 0 10 10\" refX=\"9\" refY=\"5\" markerWidth=\"8\" markerHeight=\"8\" orient=\"auto\">\
<path d=\"M0 1 10 5 0 9z\" fill=\"#52606d\"/></marker>\
<marker id=\"not\" viewBox=\"0 0 10 10\" refX=\"9\" refY=\"5\" markerWidth=\"8\" markerHeight=\"8\" orient=\"auto\">\
<path d=\"M0 1 10 5 0 9z\" fill=\"#c2410c\"/></marker></defs>";

/// Ground and edge of a kind's boxes.
fn colours(kind: Kind) -> (&'static str, &'static str) {
    match kind {
        Kind::Begin => ("#1f2933", "#1f2933"),
        Kind::Plain => ("#f5f7fa", "#9aa5b1"),
        Kind::Ask => ("#fff8e1", "#d9a400"),
        Kind::Menu => ("#ffefb8", "#b98900"),
        Kind::Elsewhere => ("#dff5e6", "#2f9e5b"),
        Kind::Question => ("#e3f0fc", "#3b82c4"),
        Kind::End => ("#e4e7eb", "#616e7c"),
        Kind::Fault => ("#fde3e1", "#c0392b"),
        Kind::Untested => ("#ffffff", "#c2410c"),
    }
}

fn size(node: &Node) -> (f64, f64) {
    let longest = node.lines.iter().map(|line| line.chars().count()).max().unwrap_or(0) as f64 * CHAR;
    let place = node.place.chars().count() as f64 * 6.1;
    let under = if node.place.is_empty() { 0.0 } else { 13.0 };
    (longest.max(place) + 2.0 * PAD, node.lines.len() as f64 * LINE + 14.0 + under)
}

fn node_box(out: &mut String, node: &Node, (x, y): (f64, f64)) {
    let (width, height) = size(node);
    let (ground, edge) = colours(node.kind);
    let round =
        if matches!(node.kind, Kind::Begin | Kind::End | Kind::Fault) { height.min(34.0) / 2.0 } else { 6.0 };
    let more = match node.kind {
        Kind::Untested => " stroke-dasharray=\"5 4\"",
        Kind::Menu => " stroke-width=\"2\"",
        _ => "",
    };
    let (left, top) = (x - width / 2.0, y - height / 2.0);
    let _ = writeln!(
        out,
        "<g><rect x=\"{left:.1}\" y=\"{top:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" rx=\"{round:.1}\" \
         fill=\"{ground}\" stroke=\"{edge}\"{more}/>"
    );
    let fill = if node.kind == Kind::Begin { " style=\"fill:#ffffff\"" } else { "" };
    for (at, line) in node.lines.iter().enumerate() {
        let y = top + 18.0 + at as f64 * LINE;
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        let is_verb =
            !matches!(node.kind, Kind::Begin | Kind::Fault | Kind::Untested) && !node.place.is_empty();
        let text = match is_verb {
            true => format!("<tspan class=\"word\">{}</tspan> {}", escaped(word), escaped(rest)),
            false => escaped(line),
        };
        let x = left + PAD;
        let _ = writeln!(out, "<text x=\"{x:.1}\" y=\"{y:.1}\"{fill} xml:space=\"preserve\">{text}</text>");
    }
    if !node.place.is_empty() {
        let (x, y) = (left + PAD, top + height - 7.0);
        let _ =
            writeln!(out, "<text class=\"place\" x=\"{x:.1}\" y=\"{y:.1}\">{}</text>", escaped(&node.place));
    }
    out.push_str("</g>\n");
}

/// Where a line from a box to itself leaves: the middle of its right side.
fn side(edge: &Edge, placed: &Placed, graph: &Graph) -> (f64, f64) {
    let (x, y) = placed.boxes.get(edge.from).copied().unwrap_or_default();
    let width = graph.nodes.get(edge.from).map_or(0.0, |node| size(node).0);
    (x + width / 2.0, y)
}

fn line(out: &mut String, edge: &Edge, points: &[(f64, f64)], placed: &Placed, graph: &Graph) {
    let mut way = String::new();
    match points {
        [] => {
            let (x, y) = side(edge, placed, graph);
            let out_x = x + LOOP;
            let (up, down) = (y - 8.0, y + 8.0);
            let _ = write!(
                way,
                "M{x:.1} {down:.1}C{out_x:.1} {:.1} {out_x:.1} {:.1} {x:.1} {up:.1}",
                y + 16.0,
                y - 16.0
            );
        }
        [first, rest @ ..] => {
            let _ = write!(way, "M{:.1} {:.1}", first.0, first.1);
            let mut from = *first;
            for to in rest {
                // Leaves and arrives upright.
                let half = (to.1 - from.1) / 2.0;
                let _ = write!(
                    way,
                    "C{:.1} {:.1} {:.1} {:.1} {:.1} {:.1}",
                    from.0,
                    from.1 + half,
                    to.0,
                    to.1 - half,
                    to.0,
                    to.1
                );
                from = *to;
            }
        }
    }
    let (class, marker) = if edge.tested { ("line", "to") } else { ("line dashed", "not") };
    let _ = writeln!(out, "<path class=\"{class}\" d=\"{way}\" marker-end=\"url(#{marker})\"/>");
}

/// Width and height of what is written on a line.
fn label_size(edge: &Edge) -> Option<(f64, f64)> {
    let width = edge.labels.join(", ").chars().count() as f64 * CHAR + 8.0;
    (!edge.labels.is_empty()).then_some((width, LABEL))
}

fn label(out: &mut String, edge: &Edge, at: Option<(f64, f64)>, placed: &Placed, graph: &Graph) {
    let Some((width, _)) = label_size(edge) else { return };
    let text = edge.labels.join(", ");
    let (x, y) = at.unwrap_or_else(|| {
        let (x, y) = side(edge, placed, graph);
        (x + LOOP + width / 2.0 - 4.0, y)
    });
    let colour = if edge.tested { "#1f2933" } else { "#c2410c" };
    let _ = writeln!(
        out,
        "<g><rect x=\"{:.1}\" y=\"{:.1}\" width=\"{width:.1}\" height=\"{LABEL}\" rx=\"4\" fill=\"#ffffff\" fill-opacity=\"0.92\"/>\
         <text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\" style=\"fill:{colour}\">{}</text></g>",
        x - width / 2.0,
        y - LABEL / 2.0,
        y + 4.0,
        escaped(&text)
    );
}

/// A text in XML.
pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            // XML 1.0 2.2 has no place for these.
            letter if letter.is_control() && letter != '\n' && letter != '\t' => out.push('\u{fffd}'),
            letter => out.push(letter),
        }
    }
    out
}
