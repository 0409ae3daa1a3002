//! Calls by a click of the fake: the queue `help` takes them, `full` has too many, and any other is of another kind.

use super::Fake;
use cordboard_api::click_switch::Clicks;
use cordboard_api::switch::Later;
use cordboard_model::click::{CLICK_WAIT, ClickFault, LINE_CHECK, NewClick, OpenedClick};
use cordboard_model::config::Secret;
use cordboard_model::id::TenantId;

impl Clicks for Fake {
    fn open_click(&self, new: NewClick) -> Later<Result<OpenedClick, ClickFault>> {
        let tenant = new.to.tenant();
        self.answer(tenant, move |floor| {
            let opened = match new.to.name().as_str() {
                LINE_CHECK if tenant != TenantId::DEFAULT => Err(ClickFault::NoSuchFlow),
                "help" | LINE_CHECK => new.check().map(|()| {
                    let call = floor.ids.call(tenant);
                    OpenedClick {
                        call,
                        domain: format!("{tenant}.example"),
                        to: new.to.name().clone(),
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
