//! Calls that visitors of web pages begin, as the control plane asks for them.

use crate::switch::NodeSwitch;
use cordboard_api::click_switch::Clicks;
use cordboard_api::switch::Later;
use cordboard_model::click::{ClickFault, NewClick, OpenedClick};

impl Clicks for NodeSwitch {
    fn open_click(&self, new: NewClick) -> Later<Result<OpenedClick, ClickFault>> {
        self.later(move |shard| shard.open_click(new, shard.now()))
    }
}
