//! What the control plane asks the switch about calls that visitors of web pages begin.

use crate::switch::Later;
use cordboard_model::click::{ClickFault, NewClick, OpenedClick};

/// Calls by a click. Every id in what is asked is of the asking tenant: the routes see to it.
pub trait Clicks: Send + Sync + 'static {
    /// Gives what a page calls a queue by, once.
    fn open_click(&self, new: NewClick) -> Later<Result<OpenedClick, ClickFault>>;
}
