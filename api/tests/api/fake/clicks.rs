//! Calls by a click of the fake: the queue `help` takes them, `full` has too many, and any other is of another kind.

use super::Fake;
use cordboard_api::click_switch::Clicks;
use cordboard_api::switch::Later;
use cordboard_model::click::{CLICK_WAIT, ClickFault, NewClick, OpenedClick};
use cordboard_model::config::Secret;

impl Clicks for Fake {
    fn open_click(&self, new: NewClick) -> Later<Result<OpenedClick, ClickFault>> {
        self.answer(new.queue.tenant, move |floor| {
            let opened = match new.queue.name.as_str() {
                "help" => new.check().map(|()| {
                    let call = floor.ids.call(new.queue.tenant);
                    OpenedClick {
                        call,
                        domain: format!("{}.example", new.queue.tenant),
                        queue: new.queue,
                        username: format!("~{call}"),
                        password: Secret(format!("a-pass-for-{call}")),
                        lasts: CLICK_WAIT,
                        video: false,
                    }
                }),
                "full" => Err(ClickFault::TooMany),
                "gone" => Err(ClickFault::NoSuchQueue),
                _ => Err(ClickFault::NotOfClicks),
            };
            Ok(opened)
        })
    }
}
