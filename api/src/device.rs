//! What is rung for an agent, by his own choice, and the connection to it that is kept up.

use crate::asked::{MaySay, Says};
use crate::catalog::{Routes, desk};
use crate::desk::{Common, Desk};
use crate::problem::Problem;
use crate::routes::{Answer, Done};
use crate::transfer::is_number;
use cordboard_model::desk::DeskAct;
use cordboard_model::device::{AgentDevice, DeviceChoice};
use cordboard_model::id::{TenantId, UserId};
use schemars::JsonSchema;
use serde::Deserialize;

pub(crate) fn routes() -> Routes {
    let choice = desk("chooseDevice", "agents:control", "What is rung for an agent, by his own choice")
        .may_take::<Device>(r#"{"device": "usual"}"#)
        .gives::<Done>()
        .tag("desk");
    let order = |id, summary| {
        desk(id, "agents:control", summary)
            .may_take::<Common>(r#"{"by": "1009"}"#)
            .gives::<Done>()
            .tag("desk")
    };
    let up = order("connectLine", "Has the connection to an agent's device kept up from now on");
    let down = order("disconnectLine", "Ends the connection to an agent's device that is kept up");
    Routes::v1()
        .post("/agents/{name}/device", choose, choice)
        .post("/agents/{name}/line", connect, up)
        .delete("/agents/{name}/line", disconnect, down)
}

#[derive(Default, JsonSchema, Deserialize)]
#[schemars(rename = "DeviceChosen")]
#[serde(deny_unknown_fields)]
struct Device {
    device: Option<String>,
    account: Option<String>,
    number: Option<String>,
    by: Option<String>,
}

impl Says for Device {
    const FIELD: &'static str = "device";
    const EXPECTED: &'static str = r#"expected one of {"device": "usual"}, {"device": "account"}, {"device": "phone"}, {"account": "1005"} and {"number": "+4930..."}"#;
}

impl Device {
    fn choice(&mut self, tenant: TenantId) -> Result<DeviceChoice, Problem> {
        match (self.device.as_deref(), self.account.take(), self.number.take()) {
            (Some("usual"), None, None) => Ok(DeviceChoice::Usual),
            (Some("account"), None, None) => Ok(DeviceChoice::Own),
            (Some("phone"), None, None) => Ok(DeviceChoice::Phone),
            (None, Some(name), None) => UserId::new(tenant, &name)
                .map(|user| DeviceChoice::Other(AgentDevice::Account(user)))
                .map_err(|why| Problem::field("account", why.to_string())),
            (None, None, Some(number)) if is_number(&number) => {
                Ok(DeviceChoice::Other(AgentDevice::Number(number)))
            }
            (None, None, Some(_)) => Err(Problem::field("number", "not a number that can be dialled")),
            _ => Err(Problem::field("device", Self::EXPECTED)),
        }
    }
}

async fn choose(desk: Desk, MaySay(mut said): MaySay<Device>) -> Answer<Done> {
    let choice = said.choice(desk.tenant())?;
    desk.order(Common { call: None, by: said.by }, DeskAct::Device(choice)).await
}

async fn connect(desk: Desk, MaySay(said): MaySay<Common>) -> Answer<Done> {
    desk.order(said, DeskAct::Line(true)).await
}

async fn disconnect(desk: Desk, MaySay(said): MaySay<Common>) -> Answer<Done> {
    desk.order(said, DeskAct::Line(false)).await
}
