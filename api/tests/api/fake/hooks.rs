//! Webhooks of the fake: they are what was asked for, and one letter is dead.

use super::Fake;
use cordboard_api::switch::{Later, Refusal};
use cordboard_api::webhooks::{
    DeadLetter, NewWebhook, WebhookDoing, WebhookMade, WebhookOrder, WebhookView, Webhooks,
};
use cordboard_model::config::Secret;
use cordboard_model::id::{Name, TenantId};
use cordboard_model::time::Wall;

fn view(new: &NewWebhook) -> Result<WebhookView, Refusal> {
    Ok(WebhookView {
        name: Name::new(&new.name).map_err(|why| Refusal::Invalid(vec![why.to_string()]))?,
        url: new.url.clone(),
        kinds: new.kinds.clone(),
        from_file: false,
        doing: WebhookDoing::Delivers,
        seq: 0,
        delivered: 0,
        failed: 0,
        given_up: 0,
        dead_letters: 1,
        error: None,
        secrets: 1,
    })
}

impl Webhooks for Fake {
    fn webhooks(&self, tenant: TenantId) -> Later<Vec<WebhookView>> {
        self.answer(tenant, |floor| Ok(floor.webhooks.clone()))
    }

    fn new_webhook(&self, tenant: TenantId, new: NewWebhook) -> Later<WebhookMade> {
        self.answer(tenant, |floor| {
            let view = view(&new)?;
            if floor.webhooks.iter().any(|known| known.name == view.name) {
                return Err(Refusal::Conflict("there is one".into()));
            }
            floor.webhooks.push(view.clone());
            Ok(WebhookMade { view, secret: Some(Secret("whsec_shown-once".into())) })
        })
    }

    fn webhook_order(&self, tenant: TenantId, name: Name, order: WebhookOrder) -> Later<WebhookMade> {
        self.answer(tenant, |floor| {
            let at = floor.webhooks.iter().position(|known| known.name == name);
            let at = at.ok_or_else(|| Refusal::NotFound(name.to_string()))?;
            if order == WebhookOrder::Remove {
                return Ok(WebhookMade { view: floor.webhooks.remove(at), secret: None });
            }
            let view = &mut floor.webhooks[at];
            let mut secret = None;
            match order {
                WebhookOrder::Change(change) => {
                    view.url = change.url.unwrap_or_else(|| view.url.clone());
                    view.kinds = change.kinds.unwrap_or_else(|| view.kinds.clone());
                }
                WebhookOrder::Enable => view.doing = WebhookDoing::Delivers,
                WebhookOrder::Disable => view.doing = WebhookDoing::Disabled,
                WebhookOrder::NewSecret => {
                    view.secrets = 2;
                    secret = Some(Secret("whsec_the-next".into()));
                }
                WebhookOrder::Replay(Some(id)) | WebhookOrder::Forget(Some(id)) if id != 716 => {
                    return Err(Refusal::NotFound(format!("dead letter {id}")));
                }
                WebhookOrder::Replay(_) | WebhookOrder::Forget(_) => view.dead_letters = 0,
                WebhookOrder::Remove => {}
            }
            Ok(WebhookMade { view: view.clone(), secret })
        })
    }

    fn dead_letters(&self, tenant: TenantId, name: Name, after: u64, most: u32) -> Later<Vec<DeadLetter>> {
        self.answer(tenant, |floor| {
            let known = floor.webhooks.iter().find(|known| known.name == name);
            let known = known.ok_or_else(|| Refusal::NotFound(name.to_string()))?;
            let letter = DeadLetter {
                id: 716,
                at: Wall(5),
                attempts: 10,
                error: "answered 500".into(),
                body: serde_json::json!({ "events": [] }),
            };
            let there = known.dead_letters == 1 && after < letter.id && most > 0;
            Ok(there.then_some(letter).into_iter().collect())
        })
    }
}
