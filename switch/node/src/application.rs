//! Applications that are configured.

use crate::switch::NodeSwitch;
use cordboard_api::aliyun::beside::Applications;
use cordboard_model::application::Application;
use cordboard_model::id::TenantId;

impl Applications for NodeSwitch {
    fn application(&self, client_id: &str) -> Option<(TenantId, Application)> {
        let loaded = self.reloader.current();
        loaded.snapshot.tenants.iter().find_map(|(id, tenant)| {
            let found = tenant.applications.iter().find(|known| known.client_id == client_id)?;
            Some((*id, found.clone()))
        })
    }
}
