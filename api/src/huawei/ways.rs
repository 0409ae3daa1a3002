//! Which way of signing each key's requests match: in the log when it is the first time, and counted in the metrics, so that
//! an integrator sees what his client does.

use super::sign::Way;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// Most pairs of a key and a way that are counted; there are fewer where keys are those of the file.
const MOST: usize = 10_000;

/// How often each key matched in each way.
#[derive(Debug, Default)]
pub struct Ways(Mutex<BTreeMap<(String, String), u64>>);

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

    /// For Prometheus; nothing while no request was signed.
    pub(crate) fn render(&self) -> String {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut text = String::new();
        if !known.is_empty() {
            text.push_str("# HELP cordboard_signed_requests_total Signed requests that were taken, by key and by the form that matched.\n");
            text.push_str("# TYPE cordboard_signed_requests_total counter\n");
        }
        for ((key, way), count) in known.iter() {
            // a key is a name, and a way has no quotes: nothing of them is escaped
            let line = format!("cordboard_signed_requests_total{{key=\"{key}\",form=\"{way}\"}} {count}\n");
            text.push_str(&line);
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_that_matched_is_counted_for_its_key() {
        let ways = Ways::default();
        assert_eq!(ways.render(), "");
        let [first, second, ..] = Way::ALL;
        [first, first, second].into_iter().for_each(|way| ways.note("crm", way));
        let text = ways.render();
        for line in [
            "# TYPE cordboard_signed_requests_total counter",
            "cordboard_signed_requests_total{key=\"crm\",form=\"path headers:apart body:escaped\"} 2",
            "cordboard_signed_requests_total{key=\"crm\",form=\"path headers:as-one body:escaped\"} 1",
        ] {
            assert!(text.lines().any(|known| known == line), "{text}");
        }
    }
}
