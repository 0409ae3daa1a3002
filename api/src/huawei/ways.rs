//! Which way of signing each key's requests match: in the log when it is the first time, so that an integrator sees what his
//! client does.

use super::sign::Way;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// Most pairs of a key and a way that are counted; there are fewer where keys are those of the file.
const MOST: usize = 10_000;

/// How often each key matched in each way.
#[derive(Debug, Default)]
pub(crate) struct Ways(Mutex<BTreeMap<(String, String), u64>>);

impl Ways {
    /// A request matched.
    pub(crate) fn note(&self, key: &str, way: Way) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let pair = (key.to_owned(), way.name());
        if let Some(count) = known.get_mut(&pair) {
            *count = count.saturating_add(1);
        } else if known.len() < MOST {
            tracing::info!(key, way = %pair.1, "requests of this key are signed in this way");
            known.insert(pair.clone(), 1);
        }
        tracing::debug!(key, way = %pair.1, "a signed request is taken");
    }

    /// Keys and ways with how often they matched.
    #[cfg(test)]
    fn counts(&self) -> Vec<(String, u64)> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.iter().map(|((key, way), count)| (format!("{key}: {way}"), *count)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_that_matched_is_counted_for_its_key() {
        let ways = Ways::default();
        let [first, second, ..] = Way::ALL;
        [first, first, second].into_iter().for_each(|way| ways.note("crm", way));
        let wanted = [
            ("crm: path headers:apart body:escaped".into(), 2),
            ("crm: path headers:as-one body:escaped".into(), 1),
        ];
        assert_eq!(ways.counts(), wanted);
    }
}
