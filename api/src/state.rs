//! What every route sees.

use crate::access::Doors;
use crate::again::Again;
use crate::aliyun::Shown;
use crate::gateway::config::GatewayConfig;
use crate::huawei::Ways;
use crate::key::Brake;
use crate::rate::{Buckets, RateLimit};
use crate::shield::policy;
use crate::switch::Switch;
use crate::tag::Turns;
use crate::third_party::Pages;
use crate::visitor::Watching;
use axum::http::HeaderValue;
use std::sync::Arc;

/// What the control plane is given at the start.
#[derive(Clone, Debug, Default)]
pub struct ApiConfig {
    /// The key that the demo's page is given when it is read from this machine. None outside the demo.
    pub page_key: Option<String>,
    /// How often one who asks may ask.
    pub rate: RateLimit,
    /// Origins of pages that may show ours in a frame.
    pub frames: Vec<String>,
    /// What the agent gateway is told.
    pub gateway: GatewayConfig,
}

impl ApiConfig {
    /// What pages of ours may load, and who may frame them.
    pub(crate) fn policy(&self) -> HeaderValue {
        policy(&self.frames)
    }
}

/// What every route sees.
#[derive(Clone)]
pub struct State {
    /// The switch.
    pub switch: Arc<dyn Switch>,
    /// Failed keys by address.
    pub brake: Arc<Brake>,
    /// Who waits for news of chats.
    pub watching: Watching,
    /// Keys that were made over the API, and sessions of people.
    pub doors: Arc<Doors>,
    /// How often who asked.
    pub buckets: Arc<Buckets>,
    /// What was answered to requests that may come again.
    pub(crate) again: Arc<Again>,
    /// Sessions that enterprises' pages have begun.
    pub pages: Arc<Pages>,
    /// Tokens that applications have shown.
    pub shown: Arc<Shown>,
    /// In which forms requests were signed.
    pub ways: Arc<Ways>,
    /// Changes of what has a version.
    pub(crate) turns: Arc<Turns>,
    /// What was configured.
    pub config: Arc<ApiConfig>,
}
