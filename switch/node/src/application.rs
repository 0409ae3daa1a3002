//! Applications that are configured.

use crate::switch::NodeSwitch;
use cordboard_api::aliyun::beside::{Applications, Told};
use cordboard_api::switch::Later;
use cordboard_model::application::Application;
use cordboard_model::config::Secret;
use cordboard_model::id::TenantId;
use std::sync::Arc;

impl Applications for NodeSwitch {
    fn application(&self, client_id: &str) -> Option<(TenantId, Application)> {
        let loaded = self.reloader.current();
        loaded.snapshot.tenants.iter().find_map(|(id, tenant)| {
            let found = tenant.applications.iter().find(|known| known.client_id == client_id)?;
            Some((*id, found.clone()))
        })
    }

    fn whose(&self, url: &str, field: &str, token: Secret) -> Later<Told> {
        let enterprises = Arc::clone(&self.enterprises);
        let (url, field) = (url.to_owned(), field.to_owned());
        Box::pin(async move { enterprises.whose(&url, &field, &token).await })
    }
}
