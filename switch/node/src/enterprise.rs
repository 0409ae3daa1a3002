//! How an enterprise is asked whether an access token is good: one POST, once, within its time; and how another system is asked whose
//! one is: one GET, in the same way.
//!
//! Invariants: it goes only where the tenant's configuration says, to no private address that was not allowed, and follows no
//! redirection; only `retCode` 0 in a JSON object that came with 2xx is a yes. No line of the log has the token.

use crate::config::ThirdPartyMachine;
use crate::outgoing::{self, Target};
use crate::switch::NodeSwitch;
use axum::body::Body;
use cordboard_api::aliyun::beside::{Told, told};
use cordboard_api::switch::{Later, Refusal};
use cordboard_api::third_party::beside::{Question, ThirdParties, Verdict, verdict};
use cordboard_model::config::Secret;
use cordboard_model::id::TenantId;
use cordboard_model::third_party::ThirdPartyTerms;
use futures_util::StreamExt;
use hyper::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HOST, HeaderValue, USER_AGENT};
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use std::sync::Arc;
use tokio::sync::Semaphore;

/// Longest answer that is read, bytes.
const ANSWER: usize = 16 << 10;
/// Most questions at a time: an enterprise that answers slowly does not take all of the machine.
const AT_ONCE: usize = 64;
/// How URLs begin.
const SCHEMES: [&str; 2] = ["http", "https"];

/// What came of a request.
enum Heard {
    /// Status and body.
    Answer(u16, Vec<u8>),
    /// Nothing; why.
    Silent(String),
    /// More than is read.
    TooLong(String),
}

/// What is sent: with a body, or with somebody's token.
enum Sent<'a> {
    Question(&'a Question),
    Token(&'a Secret),
}

/// Who asks.
pub struct Enterprises {
    machine: ThirdPartyMachine,
    tls: Arc<ClientConfig>,
    turns: Semaphore,
}

impl Enterprises {
    /// By this configuration.
    pub fn new(machine: ThirdPartyMachine, tls: Arc<ClientConfig>) -> Arc<Self> {
        Arc::new(Self { machine, tls, turns: Semaphore::new(AT_ONCE) })
    }

    async fn ask(&self, url: &str, question: &Question) -> Result<Verdict, Refusal> {
        let (host, heard) = self.hear(url, Sent::Question(question)).await?;
        let said = match heard {
            Heard::Answer(status, body) => verdict(status, &body),
            Heard::Silent(why) => Verdict::Silent(why),
            Heard::TooLong(why) => Verdict::Garbage(why),
        };
        if let Verdict::Silent(why) | Verdict::Garbage(why) = &said {
            tracing::warn!(host, why, "an enterprise does not say whether its agent is who he says");
        }
        Ok(said)
    }

    /// Whose access token this is, by what the system at this URL says.
    pub(crate) async fn whose(&self, url: &str, field: &str, token: &Secret) -> Result<Told, Refusal> {
        let (host, heard) = self.hear(url, Sent::Token(token)).await?;
        let said = match heard {
            Heard::Answer(status, body) => told(status, &body, field),
            Heard::Silent(why) => Told::Silent(why),
            Heard::TooLong(why) => Told::Garbage(why),
        };
        if let Told::Silent(why) | Told::Garbage(why) = &said {
            tracing::warn!(host, why, "an application's system does not say whose an access token is");
        }
        Ok(said)
    }

    /// What comes of it within the time, and from which host.
    async fn hear(&self, url: &str, sent: Sent<'_>) -> Result<(String, Heard), Refusal> {
        let _turn = self.turns.try_acquire().map_err(|_| Refusal::Busy(1))?;
        let target = Target::read(url, SCHEMES);
        let target = target.ok_or_else(|| Refusal::Internal("the enterprise's URL is none".to_owned()))?;
        let limit = self.machine.limit;
        let heard = tokio::time::timeout(limit, self.send(&target, sent)).await;
        let heard = heard.unwrap_or_else(|_| Ok(Heard::Silent(format!("no answer within {limit:?}"))))?;
        Ok((target.host, heard))
    }

    async fn send(&self, target: &Target, sent: Sent<'_>) -> Result<Heard, Refusal> {
        let silent = |why: &dyn std::fmt::Display| Ok(Heard::Silent(why.to_string()));
        let wire = match outgoing::connect(target, self.machine.allow_private, &self.tls).await {
            Ok(wire) => wire,
            Err(why) => return silent(&why),
        };
        let request = request(target, &sent)?;
        let (mut sender, connection) = match hyper::client::conn::http1::handshake(TokioIo::new(wire)).await {
            Ok(shaken) => shaken,
            Err(why) => return silent(&why),
        };
        let _connection = Ending(tokio::spawn(connection));
        let response = match sender.send_request(request).await {
            Ok(response) => response,
            Err(why) => return silent(&why),
        };
        let status = response.status().as_u16();
        let mut parts = Body::new(response.into_body()).into_data_stream();
        let mut body = Vec::new();
        while let Some(part) = parts.next().await {
            let part = match part {
                Ok(part) => part,
                Err(why) => return silent(&why),
            };
            if body.len() + part.len() > ANSWER {
                return Ok(Heard::TooLong(format!("its answer is longer than {ANSWER} bytes")));
            }
            body.extend_from_slice(&part);
        }
        Ok(Heard::Answer(status, body))
    }
}

fn request(target: &Target, sent: &Sent<'_>) -> Result<Request<Body>, Refusal> {
    let wrong = |why: &dyn std::fmt::Display| Refusal::Internal(why.to_string());
    let begun = Request::builder()
        .uri(&target.path)
        .header(HOST, target.authority())
        .header(USER_AGENT, "Cordboard")
        .header(ACCEPT, "application/json");
    let request = match sent {
        Sent::Question(question) => begun
            .method(Method::POST)
            .header(CONTENT_TYPE, "application/json; charset=UTF-8")
            .body(Body::from(question.body())),
        Sent::Token(token) => {
            let shown = HeaderValue::from_str(&format!("Bearer {}", token.0));
            let mut shown = shown.map_err(|why| wrong(&why))?;
            shown.set_sensitive(true);
            begun.header(AUTHORIZATION, shown).body(Body::empty())
        }
    };
    request.map_err(|why| wrong(&why))
}

/// A connection that ends with who waits for it, also when his time is up.
struct Ending<T>(tokio::task::JoinHandle<T>);

impl<T> Drop for Ending<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl ThirdParties for NodeSwitch {
    fn third_party(&self, space: &str) -> Option<(TenantId, ThirdPartyTerms)> {
        let loaded = self.reloader.current();
        let mut tenants = loaded.snapshot.tenants.iter();
        tenants.find_map(|(id, tenant)| {
            let terms = tenant.third_party.as_ref().filter(|terms| terms.space == space)?;
            Some((*id, terms.clone()))
        })
    }

    fn is_vouched_for(&self, question: Question) -> Later<Verdict> {
        let enterprises = Arc::clone(&self.enterprises);
        let terms = self.third_party(&question.space).map(|(_, terms)| terms);
        Box::pin(async move {
            let terms = terms.ok_or_else(|| Refusal::NotFound("the enterprise".to_owned()))?;
            enterprises.ask(&terms.url, &question).await
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::time::Duration;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    /// Takes one question and answers it, or holds it; gives the question.
    async fn enterprise(listener: TcpListener, answer: Option<String>) -> String {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut text = String::new();
        while !(text.ends_with('}') || text.starts_with("GET ") && text.ends_with("\r\n\r\n")) {
            let mut bytes = vec![0; 4_096];
            let count = stream.read(&mut bytes).await.unwrap();
            text.push_str(std::str::from_utf8(&bytes[..count]).unwrap());
        }
        match answer {
            Some(answer) => stream.write_all(answer.as_bytes()).await.unwrap(),
            // until who asks has given up
            None => assert_eq!(stream.read(&mut [0; 1]).await.unwrap(), 0),
        }
        text
    }

    fn asking(allow_private: bool) -> Arc<Enterprises> {
        let machine = ThirdPartyMachine { limit: Duration::from_millis(300), ca: None, allow_private };
        Enterprises::new(machine, crate::transport::trusting(None).unwrap())
    }

    fn question() -> Question {
        let access_token = Secret("a-token".into());
        Question { access_token, space: "space-1".into(), account: "1001".into() }
    }

    async fn said(answer: Option<String>) -> (Verdict, String) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/validate?v=1", listener.local_addr().unwrap());
        let served = tokio::spawn(enterprise(listener, answer));
        let said = asking(true).ask(&url, &question()).await.unwrap();
        (said, served.await.unwrap())
    }

    fn ok(body: &str) -> Option<String> {
        Some(format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len()))
    }

    #[tokio::test]
    async fn an_enterprise_is_asked_once_and_only_its_yes_is_one() {
        let (yes, asked) = said(ok(r#"{"retCode":0,"message":"validate success"}"#)).await;
        assert_eq!(yes, Verdict::Yes);
        assert!(asked.starts_with("POST /validate?v=1 HTTP/1.1\r\n"), "{asked}");
        assert!(asked.to_ascii_lowercase().contains("content-type: application/json"), "{asked}");
        assert!(asked.ends_with(&question().body()), "{asked}");
        assert_eq!(said(ok(r#"{"retCode":3,"message":"expired"}"#)).await.0, Verdict::No("expired".into()));
        let away = "HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n";
        assert_eq!(said(Some(away.into())).await.0, Verdict::Garbage("it answers 302".into()));
        assert!(matches!(said(ok("<html>")).await.0, Verdict::Garbage(_)));
        let long = format!(r#"{{"retCode":0,"message":"{}"}}"#, "x".repeat(ANSWER));
        assert!(matches!(said(ok(&long)).await.0, Verdict::Garbage(why) if why.contains("longer")));
        assert!(matches!(said(Some("nonsense\r\n\r\n".into())).await.0, Verdict::Silent(_)));
    }

    #[tokio::test]
    async fn an_enterprise_that_says_nothing_is_not_waited_for() {
        assert!(matches!(said(None).await.0, Verdict::Silent(why) if why.contains("300ms")));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let private = asking(false).ask(&url, &question()).await.unwrap();
        assert!(matches!(private, Verdict::Silent(why) if why.contains("private")));
        drop(listener);
        assert!(matches!(asking(true).ask(&url, &question()).await.unwrap(), Verdict::Silent(_)));
    }

    async fn whose(answer: Option<String>) -> (Told, String) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/oidc/userinfo?v=1", listener.local_addr().unwrap());
        let served = tokio::spawn(enterprise(listener, answer));
        let said = asking(true).whose(&url, "email", &Secret("00D!a-token".into())).await.unwrap();
        (said, served.await.unwrap())
    }

    #[tokio::test]
    async fn a_system_is_asked_once_whose_a_token_is_and_not_waited_for() {
        let (is, asked) = whose(ok(r#"{"sub":"7","email":"li@crm.example"}"#)).await;
        assert_eq!(is, Told::Is("li@crm.example".into()));
        assert!(asked.starts_with("GET /oidc/userinfo?v=1 HTTP/1.1\r\n"), "{asked}");
        assert!(asked.contains("authorization: Bearer 00D!a-token\r\n"), "{asked}");
        let refused = "HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n";
        assert!(matches!(whose(Some(refused.into())).await.0, Told::No(_)));
        let away = "HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n";
        assert_eq!(whose(Some(away.into())).await.0, Told::Garbage("it answers 302".into()));
        let long = format!(r#"{{"email":"{}"}}"#, "x".repeat(ANSWER));
        assert!(matches!(whose(ok(&long)).await.0, Told::Garbage(why) if why.contains("longer")));
        assert!(matches!(whose(None).await.0, Told::Silent(why) if why.contains("300ms")));
        let url = "http://127.0.0.1:1/";
        let private = asking(false).whose(url, "email", &Secret("t".into())).await.unwrap();
        assert!(matches!(private, Told::Silent(why) if why.contains("private")));
    }
}
