//! What opens once, over restarts: a mark of it is in the store before anything is opened.

use crate::switch::{Refusal, Switch};
use cordboard_model::access::AccessWrite;
use cordboard_model::once::OnceMark;
use cordboard_model::time::Wall;
use sha2::{Digest, Sha256};

/// A hash of several texts.
pub(crate) fn mark(parts: &[&str]) -> [u8; 16] {
    let mut hash = Sha256::new();
    for part in parts {
        // the length keeps `a` with `bc` apart from `ab` with `c`
        hash.update(format!("{} {part}", part.len()));
    }
    let mut mark = [0; 16];
    mark.iter_mut().zip(hash.finalize()).for_each(|(to, from)| *to = from);
    mark
}

/// Whether this is shown for the first time; the store has it then.
///
/// # Errors
/// The store cannot say.
pub(crate) async fn take(
    switch: &dyn Switch,
    mark: [u8; 16],
    until: Wall,
    at: Wall,
) -> Result<bool, Refusal> {
    match switch.keep(vec![AccessWrite::Once(OnceMark { mark, until, at })]).await {
        Ok(()) => Ok(true),
        Err(Refusal::Named("exists", _)) => Ok(false),
        Err(why) => Err(why),
    }
}
