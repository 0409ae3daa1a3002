//! What the agent gateway asks of the world: what is configured, and posts to agents' pages.
//!
//! Invariant: a post goes only where `push_allowed` says, to no private address that was not allowed, once, within its time;
//! no line of the log has its body or its headers.

use crate::config::GatewayMachine;
use crate::outgoing::{self, Target};
use crate::switch::{NodeSwitch, missing};
use axum::body::Body;
use cordboard_api::gateway::beside::{Beside, FloorPlan, PlanAgent, PlanQueue, Post};
use cordboard_api::huawei::config::{Configured, HuaweiConfig};
use cordboard_api::switch::{Later, Refusal};
use cordboard_model::id::TenantId;
use futures_util::StreamExt;
use hyper::Request;
use hyper::header::{CONTENT_TYPE, HOST, USER_AGENT};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;

/// Longest time of a post.
const LIMIT: Duration = Duration::from_secs(10);
/// Longest answer, bytes.
const ANSWER: usize = 16 << 10;
/// Most posts at a time; one more waits for its agent's next try.
const AT_ONCE: usize = 500;
/// How URLs begin.
const SCHEMES: [&str; 2] = ["http", "https"];

/// The way out.
pub struct Pushing {
    machine: GatewayMachine,
    tls: Arc<ClientConfig>,
    turns: Arc<Semaphore>,
}

impl Pushing {
    /// By this configuration.
    pub fn new(machine: GatewayMachine, tls: Arc<ClientConfig>) -> Arc<Self> {
        Arc::new(Self { machine, tls, turns: Arc::new(Semaphore::new(AT_ONCE)) })
    }

    /// Whether something may be posted there.
    pub(crate) fn allows(&self, url: &str) -> bool {
        self.allowed(url).is_some()
    }

    fn allowed(&self, url: &str) -> Option<Target> {
        outgoing::allowed(&self.machine.push_allowed, url, SCHEMES)
    }

    /// Posts, and gives what is answered.
    ///
    /// # Errors
    /// The URL is not allowed, nobody takes it, or it takes too long.
    pub(crate) async fn post(&self, post: Post) -> Result<String, Refusal> {
        let target = self.allowed(&post.url).ok_or_else(|| Refusal::Conflict("not an allowed URL".into()))?;
        let _turn = self.turns.try_acquire().map_err(|_| Refusal::Busy(1))?;
        let late = || Refusal::Conflict("the page takes too long".into());
        tokio::time::timeout(LIMIT, self.send(&target, post)).await.map_err(|_| late())?
    }

    async fn send(&self, target: &Target, post: Post) -> Result<String, Refusal> {
        let failed = |why: &dyn std::fmt::Display| Refusal::Conflict(why.to_string());
        let wire = outgoing::connect(target, self.machine.allow_private, &self.tls);
        let wire = wire.await.map_err(|why| failed(&why))?;
        let mut request = Request::post(&target.path)
            .header(HOST, target.authority())
            .header(USER_AGENT, "Cordboard")
            .header(CONTENT_TYPE, "application/json; charset=UTF-8");
        for (name, value) in post.headers {
            request = request.header(name, value);
        }
        let request = request.body(Body::from(post.body)).map_err(|why| failed(&why))?;
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(wire)).await.map_err(|why| failed(&why))?;
        let connection = tokio::spawn(connection);
        let answer = async {
            let response = sender.send_request(request).await.map_err(|why| failed(&why))?;
            let status = response.status();
            let mut parts = Body::new(response.into_body()).into_data_stream();
            let mut body = Vec::new();
            while let Some(part) = parts.next().await {
                let part = part.map_err(|why| failed(&why))?;
                if body.len() + part.len() > ANSWER {
                    return Err(Refusal::Conflict("the page's answer is too long".into()));
                }
                body.extend_from_slice(&part);
            }
            match status.is_success() {
                true => Ok(String::from_utf8_lossy(&body).into_owned()),
                false => Err(Refusal::Conflict(format!("the page answers {status}"))),
            }
        };
        let answer = answer.await;
        connection.abort();
        answer
    }
}

impl Beside for NodeSwitch {
    fn floor_plan(&self, tenant: TenantId) -> Later<FloorPlan> {
        let loaded = self.reloader.current();
        let plan = loaded.snapshot.tenants.get(&tenant).map(plan_of).ok_or_else(|| missing(tenant));
        Box::pin(std::future::ready(plan))
    }

    fn may_post(&self, url: &str) -> bool {
        self.dialling.pushing().allows(url)
    }

    fn post(&self, post: Post) -> Later<String> {
        let pushing = Arc::clone(self.dialling.pushing());
        Box::pin(async move { pushing.post(post).await })
    }
}

impl Configured for NodeSwitch {
    fn huawei(&self) -> Arc<HuaweiConfig> {
        Arc::clone(&self.reloader.current().machine.huawei)
    }
}

fn plan_of(tenant: &cordboard_model::config::Tenant) -> FloorPlan {
    let agents = tenant.agents.iter().map(|(name, agent)| {
        let plan = PlanAgent {
            display: agent.display.clone(),
            user: agent.user.name.clone(),
            role: agent.duty.role,
            queues: agent.queues.iter().map(|queue| queue.name.clone()).collect(),
        };
        (name.clone(), plan)
    });
    let queues = tenant.queues.iter().map(|(name, queue)| {
        (name.clone(), PlanQueue { display: queue.display.clone(), kind: queue.service.kind })
    });
    let code = |number: &cordboard_model::config::CalledNumber| match &number.extension_code {
        Some(more) => format!("{}{more}", number.access_code),
        None => number.access_code.clone(),
    };
    FloorPlan {
        display: tenant.display.clone(),
        agents: agents.collect(),
        queues: queues.collect(),
        numbers: tenant.numbers.iter().map(|number| (code(number), number.to.clone())).collect(),
        flows: tenant.flows.keys().cloned().collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    /// Takes one request and answers it; gives the request.
    async fn page(listener: TcpListener, answer: &'static str) -> String {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut bytes = vec![0; 4_096];
        let mut have = 0;
        while !String::from_utf8_lossy(&bytes[..have]).ends_with("{\"workNo\":\"1001\"}") {
            have += stream.read(&mut bytes[have..]).await.unwrap();
        }
        stream.write_all(answer.as_bytes()).await.unwrap();
        String::from_utf8_lossy(&bytes[..have]).into_owned()
    }

    fn pushing(allowed: String, allow_private: bool) -> Arc<Pushing> {
        let machine =
            GatewayMachine { push_allowed: vec![allowed], allow_private, ..GatewayMachine::default() };
        Pushing::new(machine, crate::transport::trusting(None).unwrap())
    }

    fn post(url: String) -> Post {
        let headers = vec![("Guid", "A1.AgentGateway0".to_owned()), ("service_token", "tok".to_owned())];
        Post { url, headers, body: r#"{"workNo":"1001"}"#.into() }
    }

    #[tokio::test]
    async fn events_are_posted_with_guid_and_token_where_that_is_allowed() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let url = format!("{base}/crm/events");
        let private = pushing(base.clone(), false).post(post(url.clone())).await;
        assert!(matches!(private, Err(Refusal::Conflict(why)) if why.contains("private")));
        let other = pushing("http://crm.example/".into(), true);
        assert!(other.allowed(&url).is_none());
        assert!(other.post(post(url.clone())).await.is_err());
        let answer = "HTTP/1.1 200 OK\r\ncontent-length: 15\r\n\r\n{\"retcode\":\"0\"}";
        let page = tokio::spawn(page(listener, answer));
        let said = pushing(base, true).post(post(url)).await;
        assert_eq!(said, Ok("{\"retcode\":\"0\"}".to_owned()));
        let request = page.await.unwrap().to_ascii_lowercase();
        assert!(request.starts_with("post /crm/events http/1.1"), "{request}");
        assert!(
            request.contains("guid: a1.agentgateway0") && request.contains("service_token: tok"),
            "{request}"
        );
    }

    #[tokio::test]
    async fn a_page_that_answers_an_error_has_not_taken_its_events() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let page = tokio::spawn(page(listener, "HTTP/1.1 500 No\r\ncontent-length: 0\r\n\r\n"));
        let said = pushing(base.clone(), true).post(post(base)).await;
        assert!(matches!(said, Err(Refusal::Conflict(why)) if why.contains("500")));
        page.await.unwrap();
    }
}
