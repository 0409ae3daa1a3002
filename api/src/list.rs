//! Lists of what there is now, in the order of a key that each of its things keeps while it is there.
//!
//! Invariant: pages that are read one after the other have everything once that was there all the while, whatever comes and goes
//! meanwhile: a page begins behind a key, and not behind a number of rows.

use crate::params::Params;
use crate::problem::Problem;
use crate::routes::{Page, limit};
use axum::Json;
use cordboard_model::id::Name;
use cordboard_model::time::Wall;
use core::cmp::Ordering;
use core::fmt::{self, Display, Formatter};
use core::str::FromStr;

/// Most rows of a list whose asker names no limit. There are few of most things; nobody is made to turn pages for forty queues.
const WHOLE: usize = 10_000;

/// The key of what is listed in the order in which it came: when, and its id.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Came(pub(crate) Wall, pub(crate) Name);

impl Display for Came {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.0.0, self.1)
    }
}

impl FromStr for Came {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (at, id) = text.split_once('.').ok_or(())?;
        Ok(Self(Wall(at.parse().map_err(|_| ())?), Name::new(id).map_err(|_| ())?))
    }
}

/// A key of what is listed from its end: the greatest comes first.
#[derive(PartialEq, Eq)]
struct Down<K>(K);

impl<K: Ord> PartialOrd for Down<K> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<K: Ord> Ord for Down<K> {
    fn cmp(&self, other: &Self) -> Ordering {
        other.0.cmp(&self.0)
    }
}

/// A page of these, from the least of their keys on.
///
/// # Errors
/// `limit` or `after` is not valid.
pub(crate) fn listed<T, K: Ord + FromStr + Display>(
    query: &Params,
    items: Vec<T>,
    key: impl Fn(&T) -> K,
) -> Result<Json<Page<T>>, Problem> {
    let after = cursor::<K>(query, "after")?;
    let (items, next) = cut(items, &key, after, most(query)?);
    Ok(Json(Page { items, next: next.map(|key| key.to_string()) }))
}

/// A page of these, from the greatest of their keys on.
///
/// # Errors
/// `limit` or `before` is not valid.
pub(crate) fn newest<T, K: Ord + FromStr + Display>(
    query: &Params,
    items: Vec<T>,
    key: impl Fn(&T) -> K,
) -> Result<Json<Page<T>>, Problem> {
    newest_of(query, most(query)?, items, key)
}

/// The same with at most so many rows, whatever the query says of that.
///
/// # Errors
/// `before` is not valid.
pub(crate) fn newest_of<T, K: Ord + FromStr + Display>(
    query: &Params,
    most: usize,
    items: Vec<T>,
    key: impl Fn(&T) -> K,
) -> Result<Json<Page<T>>, Problem> {
    let before = cursor::<K>(query, "before")?.map(Down);
    let (items, next) = cut(items, &|item: &T| Down(key(item)), before, most);
    Ok(Json(Page { items, next: next.map(|key| key.0.to_string()) }))
}

fn cursor<K: FromStr>(query: &Params, name: &str) -> Result<Option<K>, Problem> {
    let wrong = |_| Problem::field(name, "not a cursor that an earlier page gave as `next`");
    query.text(name).map(|text| text.parse::<K>().map_err(wrong)).transpose()
}

fn most(query: &Params) -> Result<usize, Problem> {
    match query.text("limit") {
        Some(_) => Ok(limit(query)? as usize),
        None => Ok(WHOLE),
    }
}

/// The first so many behind a key, and the key of the last of them if there are more.
fn cut<T, K: Ord>(
    mut items: Vec<T>,
    key: &impl Fn(&T) -> K,
    behind: Option<K>,
    most: usize,
) -> (Vec<T>, Option<K>) {
    if let Some(behind) = behind {
        items.retain(|item| key(item) > behind);
    }
    items.sort_by_cached_key(key);
    let more = items.len() > most;
    items.truncate(most);
    let next = items.last().filter(|_| more).map(key);
    (items, next)
}

/// A parameter that is one of some words.
///
/// # Errors
/// It is none of them.
pub(crate) fn word<T: Copy>(
    query: &Params,
    name: &str,
    all: &[T],
    as_str: fn(T) -> &'static str,
) -> Result<Option<T>, Problem> {
    let Some(text) = query.text(name) else { return Ok(None) };
    let found = all.iter().copied().find(|one| as_str(*one) == text);
    let words = || all.iter().map(|one| as_str(*one)).collect::<Vec<_>>().join(", ");
    found.map(Some).ok_or_else(|| Problem::field(name, format!("{text:?} is none of {}", words())))
}

/// A parameter that is `true` or `false`.
///
/// # Errors
/// It is neither.
pub(crate) fn flag(query: &Params, name: &str) -> Result<Option<bool>, Problem> {
    word(query, name, &[true, false], |is| if is { "true" } else { "false" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_begins_behind_a_key_whatever_has_gone_meanwhile() {
        let of = |items: &[u32], behind| cut(items.to_vec(), &|item: &u32| *item, behind, 2);
        assert_eq!(of(&[3, 1, 2], None), (vec![1, 2], Some(2)));
        assert_eq!(of(&[3, 1], Some(2)), (vec![3], None), "the one that the cursor names has gone");
        assert_eq!(of(&[1, 2], None), (vec![1, 2], None), "no page follows a full one that is the last");
        let down = cut(vec![1, 3, 2], &|item: &u32| Down(*item), Some(Down(3)), 1);
        assert_eq!((down.0, down.1.map(|key| key.0)), (vec![2], Some(2)));
    }

    #[test]
    fn a_key_of_time_and_id_is_read_as_it_is_written() {
        let came = Came(Wall(17), Name::new("a.b").unwrap());
        assert_eq!(came.to_string().parse(), Ok(came));
        assert_eq!("17".parse::<Came>(), Err(()));
    }
}
