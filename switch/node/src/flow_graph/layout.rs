//! Places boxes in rows, so that lines run downwards, cross little and go round boxes.
//!
//! The way of Sugiyama, Tagawa and Toda (1981): lines that would close a circle are turned round, each box goes one row below
//! the lowest that leads to it, a line that passes rows gets a point in each, rows are ordered by the middle of their
//! neighbours, and then moved towards them as far as there is room. Between two rows of boxes there is one for labels: a label
//! is a point of its line that is as wide as its text, so that nothing lies over it.

use std::collections::BTreeMap;

/// Between two boxes of a row, two labels of a row, and two rows, pixels.
const GAP_X: f64 = 36.0;
const LABEL_GAP: f64 = 10.0;
const GAP_Y: f64 = 23.0;
/// A line that passes a row takes so much of it.
const PASSING: f64 = 14.0;
/// Rounds of ordering, and of moving.
const ROUNDS: usize = 24;

/// What is to be placed.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// Width and height of each box; the first is the top.
    pub boxes: Vec<(f64, f64)>,
    /// From which box to which, without doubles.
    pub lines: Vec<(usize, usize)>,
    /// Width and height of the label of each line; nothing for one without, and for those from a box to itself.
    pub labels: Vec<Option<(f64, f64)>>,
}

/// Where everything is.
#[derive(Clone, Debug, Default)]
pub struct Placed {
    /// The middle of each box.
    pub boxes: Vec<(f64, f64)>,
    /// The points of each line, from its box to the other. Of a line from a box to itself there are none.
    pub lines: Vec<Vec<(f64, f64)>>,
    /// The middle of each label.
    pub labels: Vec<Option<(f64, f64)>>,
    /// Width and height of all.
    pub size: (f64, f64),
}

/// A place in a row: a box, or a point of a line that passes.
#[derive(Clone, Debug)]
struct Spot {
    row: usize,
    /// To the next of its row.
    gap: f64,
    width: f64,
    height: f64,
    x: f64,
    above: Vec<usize>,
    below: Vec<usize>,
}

/// Places everything.
pub fn place(plan: &Plan) -> Placed {
    let turned = turned(plan);
    let down: Vec<(usize, usize)> = plan
        .lines
        .iter()
        .zip(&turned)
        .map(|((a, b), turn)| if *turn { (*b, *a) } else { (*a, *b) })
        .collect();
    // The rows between are for labels.
    let rows: Vec<usize> = rows(plan.boxes.len(), &down).into_iter().map(|row| row * 2).collect();
    let spot = |row: usize, (width, height): (f64, f64)| Spot {
        row,
        gap: if row.is_multiple_of(2) { GAP_X } else { LABEL_GAP },
        width,
        height,
        x: 0.0,
        above: Vec::new(),
        below: Vec::new(),
    };
    let mut spots: Vec<Spot> = plan.boxes.iter().zip(&rows).map(|(size, row)| spot(*row, *size)).collect();
    let mut ways: Vec<Vec<usize>> = Vec::new();
    let mut named: Vec<Option<usize>> = Vec::new();
    for ((line, (from, to)), turn) in down.into_iter().enumerate().zip(&turned) {
        let mut way = vec![from];
        let label = plan.labels.get(line).copied().flatten().filter(|_| from != to);
        // Next to where the line begins, as it is meant.
        let at = if *turn { rows[to].saturating_sub(1) } else { rows[from] + 1 };
        named.push(None);
        if from != to {
            for row in rows[from] + 1..rows[to] {
                let here = label.filter(|_| row == at);
                if here.is_some() {
                    named[line] = Some(spots.len());
                }
                way.push(spots.len());
                spots.push(spot(row, here.unwrap_or((PASSING, 0.0))));
            }
            way.push(to);
            for pair in way.windows(2) {
                spots[pair[0]].below.push(pair[1]);
                spots[pair[1]].above.push(pair[0]);
            }
        }
        ways.push(way);
    }
    let mut table: Vec<Vec<usize>> =
        vec![Vec::new(); spots.iter().map(|spot| spot.row + 1).max().unwrap_or(0)];
    for (at, spot) in spots.iter().enumerate() {
        table[spot.row].push(at);
    }
    order(&mut table, &spots);
    shift(&table, &mut spots);
    let mut placed = finish(plan, &table, &spots, &ways, &turned);
    let left = spots.iter().map(|spot| spot.x - spot.width / 2.0).fold(f64::INFINITY, f64::min);
    let middles = middles(&table, &spots).0;
    placed.labels =
        named.into_iter().map(|at| at.map(|at| (spots[at].x - left, middles[spots[at].row]))).collect();
    placed
}

/// Which lines close a circle: those that lead back to a box on the way from the top.
fn turned(plan: &Plan) -> Vec<bool> {
    let mut turned = vec![false; plan.lines.len()];
    let mut state = vec![0_u8; plan.boxes.len()];
    for top in 0..plan.boxes.len() {
        // Boxes whose lines are looked at, with the next line of each.
        let mut stack = if state[top] == 0 { vec![(top, 0)] } else { Vec::new() };
        while let Some((at, next)) = stack.last_mut() {
            state[*at] = 1;
            let from = *at;
            let found = plan.lines.iter().enumerate().skip(*next).find(|(_, line)| line.0 == from);
            let Some((line, (_, to))) = found else {
                state[from] = 2;
                stack.pop();
                continue;
            };
            *next = line + 1;
            match state[*to] {
                0 => stack.push((*to, 0)),
                1 if *to != from => turned[line] = true,
                _ => {}
            }
        }
    }
    turned
}

/// The row of each box: one below the lowest that leads to it.
fn rows(count: usize, down: &[(usize, usize)]) -> Vec<usize> {
    let mut rows = vec![0; count];
    for _ in 0..count {
        let mut moved = false;
        for (from, to) in down.iter().filter(|(from, to)| from != to) {
            if rows[*to] <= rows[*from] {
                rows[*to] = rows[*from] + 1;
                moved = true;
            }
        }
        if !moved {
            break;
        }
    }
    rows
}

/// Orders each row by the middle of its neighbours, downwards and upwards in turn.
fn order(table: &mut [Vec<usize>], spots: &[Spot]) {
    let mut best = (crossings(table, spots), table.to_vec());
    for round in 0..ROUNDS {
        let at: BTreeMap<usize, f64> = table
            .iter()
            .flat_map(|row| row.iter().enumerate().map(|(at, spot)| (*spot, at as f64)))
            .collect();
        let mut at = at;
        let down = round % 2 == 0;
        let rows: Vec<usize> =
            if down { (0..table.len()).collect() } else { (0..table.len()).rev().collect() };
        for row in rows {
            let middle = |spot: &usize| {
                let others = if down { &spots[*spot].above } else { &spots[*spot].below };
                let sum: f64 = others.iter().filter_map(|other| at.get(other)).sum();
                if others.is_empty() { at[spot] } else { sum / others.len() as f64 }
            };
            let mut keyed: Vec<(f64, usize)> = table[row].iter().map(|spot| (middle(spot), *spot)).collect();
            keyed.sort_by(|a, b| a.0.total_cmp(&b.0));
            table[row] = keyed.iter().map(|(_, spot)| *spot).collect();
            for (place, spot) in table[row].iter().enumerate() {
                at.insert(*spot, place as f64);
            }
        }
        let now = crossings(table, spots);
        if now < best.0 {
            best = (now, table.to_vec());
        }
    }
    table.clone_from_slice(&best.1);
}

/// How many lines cross.
fn crossings(table: &[Vec<usize>], spots: &[Spot]) -> usize {
    let mut count = 0;
    for pair in table.windows(2) {
        let at: BTreeMap<usize, usize> = pair[1].iter().enumerate().map(|(at, spot)| (*spot, at)).collect();
        let lines: Vec<(usize, usize)> = pair[0]
            .iter()
            .enumerate()
            .flat_map(|(a, spot)| spots[*spot].below.iter().map(move |b| (a, *b)))
            .filter_map(|(a, b)| Some((a, *at.get(&b)?)))
            .collect();
        for (i, one) in lines.iter().enumerate() {
            let cross = |other: &&(usize, usize)| {
                (one.0 < other.0) != (one.1 < other.1) && one.0 != other.0 && one.1 != other.1
            };
            count += lines[i + 1..].iter().filter(cross).count();
        }
    }
    count
}

/// Moves spots towards the middle of their neighbours; none leaves its place in the row's order.
fn shift(table: &[Vec<usize>], spots: &mut [Spot]) {
    let apart = |a: &Spot, b: &Spot| (a.width + b.width) / 2.0 + a.gap;
    for row in table {
        let mut x = 0.0;
        for (at, spot) in row.iter().enumerate() {
            if at > 0 {
                x += apart(&spots[row[at - 1]], &spots[*spot]);
            }
            spots[*spot].x = x;
        }
    }
    for round in 0..ROUNDS {
        let down = round % 2 == 0;
        let rows: Vec<usize> =
            if down { (0..table.len()).collect() } else { (0..table.len()).rev().collect() };
        for row in rows {
            let row = &table[row];
            let wish: Vec<f64> = row
                .iter()
                .map(|spot| {
                    let spot = &spots[*spot];
                    let near = if down { &spot.above } else { &spot.below };
                    let sum: f64 = near.iter().map(|other| spots[*other].x).sum();
                    if near.is_empty() { spot.x } else { sum / near.len() as f64 }
                })
                .collect();
            // From the left as far left as wished, from the right as far right; the middle of both keeps the distances.
            let mut left = wish.clone();
            for at in 1..row.len() {
                left[at] = left[at].max(left[at - 1] + apart(&spots[row[at - 1]], &spots[row[at]]));
            }
            let mut right = wish;
            for at in (1..row.len()).rev() {
                right[at - 1] = right[at - 1].min(right[at] - apart(&spots[row[at - 1]], &spots[row[at]]));
            }
            for (at, spot) in row.iter().enumerate() {
                spots[*spot].x = f64::midpoint(left[at], right[at]);
            }
        }
    }
}

/// The middle of each row, and the height of all.
fn middles(table: &[Vec<usize>], spots: &[Spot]) -> (Vec<f64>, f64) {
    let mut middles = Vec::new();
    let mut y = 0.0;
    for row in table {
        let height = row.iter().map(|spot| spots[*spot].height).fold(0.0, f64::max);
        middles.push(y + height / 2.0);
        y += height + GAP_Y;
    }
    (middles, (y - GAP_Y).max(0.0))
}

fn finish(plan: &Plan, table: &[Vec<usize>], spots: &[Spot], ways: &[Vec<usize>], turned: &[bool]) -> Placed {
    let left = spots.iter().map(|spot| spot.x - spot.width / 2.0).fold(f64::INFINITY, f64::min);
    let right = spots.iter().map(|spot| spot.x + spot.width / 2.0).fold(f64::NEG_INFINITY, f64::max);
    let (middles, height) = middles(table, spots);
    let middle = |at: usize| (spots[at].x - left, middles[spots[at].row]);
    let mut lines = Vec::new();
    for (way, turned) in ways.iter().zip(turned) {
        let mut points: Vec<(f64, f64)> = Vec::new();
        if let (Some(first), Some(last), true) = (way.first(), way.last(), way.len() > 1) {
            let (x, y) = middle(*first);
            points.push((x, y + spots[*first].height / 2.0));
            points.extend(way[1..way.len() - 1].iter().map(|at| middle(*at)));
            let (x, y) = middle(*last);
            points.push((x, y - spots[*last].height / 2.0));
        }
        if *turned {
            points.reverse();
        }
        lines.push(points);
    }
    let boxes = (0..plan.boxes.len()).map(middle).collect();
    let size = if spots.is_empty() { (0.0, 0.0) } else { (right - left, height) };
    Placed { boxes, lines, labels: Vec::new(), size }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn placed(lines: &[(usize, usize)], count: usize) -> Placed {
        place(&Plan { boxes: vec![(100.0, 40.0); count], lines: lines.to_vec(), labels: Vec::new() })
    }

    #[test]
    fn lines_run_downwards_but_for_those_that_lead_back() {
        let all = placed(&[(0, 1), (1, 2), (2, 1), (1, 3), (0, 3), (2, 2)], 4);
        let y: Vec<f64> = all.boxes.iter().map(|at| at.1).collect();
        assert!(y[0] < y[1] && y[1] < y[2] && y[1] < y[3], "{y:?}");
        assert!(
            all.lines[2].first().unwrap().1 > all.lines[2].last().unwrap().1,
            "the way back runs upwards"
        );
        assert_eq!(all.lines[4].len(), 5, "a line that passes a row has a point in it and beside it");
        assert!(all.lines[5].is_empty());
    }

    #[test]
    fn no_two_boxes_overlap_and_all_are_within_the_size() {
        let lines: Vec<(usize, usize)> =
            (1..9).map(|to| (0, to)).chain([(1, 9), (8, 9), (3, 9), (9, 0)]).collect();
        let all = placed(&lines, 10);
        for (i, a) in all.boxes.iter().enumerate() {
            assert!(
                a.0 >= 50.0 && a.0 <= all.size.0 - 50.0 && a.1 <= all.size.1 - 20.0,
                "{a:?} in {:?}",
                all.size
            );
            for b in &all.boxes[i + 1..] {
                assert!((a.0 - b.0).abs() >= 100.0 || (a.1 - b.1).abs() >= 40.0, "{a:?} {b:?}");
            }
        }
        assert_eq!(place(&Plan::default()).size, (0.0, 0.0));
    }

    /// Nine branches of one box to two others, with long words, two ways back and one past a row.
    #[test]
    fn no_label_lies_over_another_or_a_box() {
        let lines: Vec<(usize, usize)> =
            (1..9).map(|to| (0, to)).chain([(1, 9), (8, 9), (3, 9), (9, 0), (0, 9), (8, 0)]).collect();
        let labels: Vec<Option<(f64, f64)>> =
            (0..lines.len()).map(|n| Some((40.0 + 30.0 * (n % 5) as f64, 18.0))).collect();
        let all = place(&Plan { boxes: vec![(100.0, 40.0); 10], lines, labels: labels.clone() });
        let boxes = all.boxes.iter().map(|at| (*at, (100.0, 40.0)));
        let named = all.labels.iter().zip(&labels).map(|(at, size)| (at.unwrap(), size.unwrap()));
        let all: Vec<_> = boxes.chain(named).collect();
        assert_eq!(all.len(), 24);
        for (i, (a, size)) in all.iter().enumerate() {
            for (b, other) in &all[i + 1..] {
                let apart = (a.0 - b.0).abs() >= (size.0 + other.0) / 2.0
                    || (a.1 - b.1).abs() >= (size.1 + other.1) / 2.0;
                assert!(apart, "{a:?} {size:?} and {b:?} {other:?}");
            }
        }
    }
}
