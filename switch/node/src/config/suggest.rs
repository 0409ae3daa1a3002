//! Which known word an unknown one may be meant for.

/// Single-character changes, neighbours swapped included, that make `b` of `a`.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i; b.len() + 1];
        for j in 1..=b.len() {
            let same = usize::from(a[i - 1] != b[j - 1]);
            row[j] = (last[j] + 1).min(row[j - 1] + 1).min(last[j - 1] + same);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                row[j] = row[j].min(before[j - 2] + 1);
            }
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

/// The nearest of `known`, if it is near: one change for a short word, a third of a longer one.
/// A number is not a slip of its neighbour, so none is suggested for one.
pub(super) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if word.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let limit = (word.chars().count() / 3).clamp(1, 3);
    known
        .into_iter()
        .map(|candidate| (distance(word, candidate), candidate))
        .filter(|(d, _)| (1..=limit).contains(d))
        .min()
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_finger_finds_its_word_and_another_word_does_not() {
        let known = ["port", "public", "listen", "max_length"];
        assert_eq!(nearest("prot", known), Some("port"));
        assert_eq!(nearest("listne", known), Some("listen"));
        assert_eq!(nearest("max_lenght", known), Some("max_length"));
        assert_eq!(nearest("codec", known), None);
        assert_eq!(nearest("p", known), None);
        assert_eq!(nearest("1003", ["1001", "1002"]), None);
    }
}
