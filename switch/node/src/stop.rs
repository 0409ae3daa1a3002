//! Planned stops: who may order one, and the wait until no call is up.
//!
//! Invariant: a switch that was told to stop does so: at the latest when the shard has ended the calls that were left, and
//! at once for a second signal or an order that says so.

use crate::asking::Line;
use crate::cli::StopArgs;
use crate::config::Loaded;
use crate::shard::Order;
use crate::switch::{NodeSwitch, missing};
use cordboard_api::switch::{Later, Refusal};
use cordboard_core::ShardCommand;
use cordboard_lane::Sender;
use cordboard_model::id::TenantId;
use serde_json::Value;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};

/// How often it is looked whether calls are up.
const LOOK: Duration = Duration::from_millis(100);
/// How long the shard may take to say so.
const ANSWER: Duration = Duration::from_secs(5);
/// Orders that wait to be looked at; the first few decide.
const ORDERS: usize = 8;

/// How a stop is ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StopOrder {
    /// Calls that are up may go on for `limits.drain`.
    Drain,
    /// They are ended.
    AtOnce,
}

/// From the API to who waits for the end.
pub type StopSender = mpsc::Sender<StopOrder>;

/// The two ends of the way of orders.
pub fn orders() -> (StopSender, mpsc::Receiver<StopOrder>) {
    mpsc::channel(ORDERS)
}

/// Has the switch take no new calls, and waits until none is up: until `limits.drain` is over, for then the shard ends what
/// is left.
pub async fn drain(switch: &NodeSwitch) {
    switch.stopping.store(true, Relaxed);
    drained(&switch.orders).await;
}

async fn drained(orders: &Sender<Order>) {
    // With a full lane it is asked again below.
    let mut told = orders.try_send(Order::Command(ShardCommand::Stop { end: false })).is_ok();
    loop {
        tokio::time::sleep(LOOK).await;
        if !told {
            told = orders.try_send(Order::Command(ShardCommand::Stop { end: false })).is_ok();
            continue;
        }
        let (answer, wait) = oneshot::channel();
        let question = Order::ask(
            |shard| shard.is_drained(),
            move |drained| {
                let _ = answer.send(drained);
            },
        );
        if orders.try_send(question).is_err() {
            if orders.is_closed() {
                return;
            }
            continue;
        }
        match tokio::time::timeout(ANSWER, wait).await {
            Ok(Ok(false)) => {}
            Ok(_) => return,
            Err(_) => {
                return tracing::error!("the signalling thread does not answer; the stop goes on without it");
            }
        }
    }
}

impl NodeSwitch {
    /// An order by the API. The switch is its operator's: keys of other tenants stop nothing.
    pub(crate) fn order_stop(&self, tenant: TenantId, now: bool) -> Later<Vec<String>> {
        let order = if now { StopOrder::AtOnce } else { StopOrder::Drain };
        let known = self.stopping.load(Relaxed);
        let answer = match tenant == TenantId::DEFAULT {
            false => Err(missing("a switch that keys of this tenant may stop")),
            true => self.stops.try_send(order).map_err(|_| Refusal::Busy(1)),
        };
        let drain = self.reloader.current().snapshot.limits.drain.as_secs_f64().ceil();
        let said = match order {
            StopOrder::AtOnce => "the switch stops: calls are ended".to_owned(),
            StopOrder::Drain if known => "the switch is stopping already".to_owned(),
            StopOrder::Drain => {
                format!("the switch stops: new calls are refused, those that are up may go on for {drain} s")
            }
        };
        Box::pin(async move { answer.map(|()| vec![said]) })
    }
}

/// `cordboard stop`: asks the running switch.
///
/// # Errors
/// The switch cannot be asked, or the key is another tenant's.
pub fn stop(args: &StopArgs, loaded: &Loaded) -> Result<String, String> {
    let path = if args.now { "/api/v1/stop/now" } else { "/api/v1/stop" };
    let answer = Line::new(args.ask.http, loaded)?.json("POST", path, "")?;
    let done = answer["done"].as_array().into_iter().flatten().filter_map(Value::as_str);
    Ok(done.map(|line| format!("{line}\n")).collect())
}
