use super::*;
use cordboard_lane::{Receiver, lane};
use cordboard_model::config::Secret;
use cordboard_model::fetch::Method;
use cordboard_model::id::{CallId, TenantId};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// A server that gives these answers in turn, and what it was asked.
async fn server(answers: Vec<&'static str>) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://127.0.0.1:{}", listener.local_addr().unwrap().port());
    let asked: Arc<Mutex<Vec<String>>> = Arc::default();
    let seen = Arc::clone(&asked);
    tokio::spawn(async move {
        for answer in answers {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = Vec::new();
            loop {
                let mut part = [0; 4_096];
                let n = stream.read(&mut part).await.unwrap();
                request.extend_from_slice(&part[..n]);
                let text = String::from_utf8_lossy(&request).into_owned();
                let length = text.lines().find_map(|line| line.strip_prefix("content-length: "));
                let length: usize = length.map_or(0, |length| length.parse().unwrap());
                if n == 0 || text.split_once("\r\n\r\n").is_some_and(|(_, body)| body.len() >= length) {
                    break;
                }
            }
            seen.lock().unwrap().push(String::from_utf8(request).unwrap());
            // A server that says nothing keeps the connection.
            match answer {
                "" => std::mem::forget(stream),
                answer => stream.write_all(answer.as_bytes()).await.unwrap(),
            }
        }
        std::future::pending::<()>().await;
    });
    (url, asked)
}

struct Rig {
    questions: mpsc::Sender<Question>,
    answers: Receiver<Order>,
}

impl Rig {
    fn new(change: impl FnOnce(&mut FetchMachine)) -> Self {
        let mut machine = FetchMachine { allow_private: true, ..FetchMachine::default() };
        change(&mut machine);
        let (shard, answers) = lane("test", 16);
        Self { questions: start(machine, crate::transport::trusting(None).unwrap(), shard), answers }
    }

    /// Asks as many questions that nobody waits for, and then one.
    async fn leave_and_ask(&mut self, left: usize, order: FetchOrder) -> Fetched {
        for ticket in 100..100 + left as u64 {
            self.questions.send(Question { ticket, order: Box::new(order.clone()) }).await.unwrap();
        }
        self.ask(order).await
    }

    async fn ask(&mut self, order: FetchOrder) -> Fetched {
        self.questions.send(Question { ticket: 7, order: Box::new(order) }).await.unwrap();
        loop {
            match self.answers.pop() {
                Some(Order::Fetched { ticket: 7, fetched }) => return fetched,
                Some(other) => panic!("{other:?}"),
                None => tokio::time::sleep(Duration::from_millis(2)).await,
            }
        }
    }
}

fn order(url: &str, allowed: &str) -> FetchOrder {
    FetchOrder {
        call: CallId { tenant: TenantId::DEFAULT, start: 1, shard: 0, number: 1 },
        method: Method::Get,
        url: url.into(),
        headers: Vec::new(),
        body: None,
        timeout_ms: 2_000,
        retries: 0,
        within: vec![vec![allowed.to_owned()]],
    }
}

fn answer(status: u16, json: bool, body: &str) -> Fetched {
    Fetched::Answer { status, json, body: body.into() }
}

const JSON: &str =
    "HTTP/1.1 200 OK\r\ncontent-type: application/json; charset=utf-8\r\ncontent-length: 7\r\n\r\n{\"a\":1}";
const BUSY: &str = "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n";

#[tokio::test]
async fn a_flows_question_is_sent_with_its_secrets_and_answered() {
    let (url, asked) = server(vec![JSON]).await;
    let mut rig = Rig::new(|_| {});
    let mut post = order(&format!("{url}/verify?x=1"), &url);
    post.method = Method::Post;
    post.headers = vec![("Authorization".into(), Secret("Bearer t0ken".into()))];
    post.body = Some(("application/json".into(), Secret("{\"pin\":\"4711\"}".into())));
    assert_eq!(rig.ask(post).await, answer(200, true, "{\"a\":1}"));
    let asked = asked.lock().unwrap();
    assert!(asked[0].starts_with("POST /verify?x=1 HTTP/1.1\r\n"), "{asked:?}");
    assert!(asked[0].contains("\r\nauthorization: Bearer t0ken\r\n"), "{asked:?}");
    assert!(asked[0].ends_with("\r\n\r\n{\"pin\":\"4711\"}"), "{asked:?}");
}

#[tokio::test]
async fn a_question_goes_only_where_tenant_and_secret_may_go() {
    let (url, asked) = server(vec![JSON]).await;
    let mut rig = Rig::new(|_| {});
    let mut with_secret = order(&format!("{url}/a"), &url);
    with_secret.within.push(vec!["https://elsewhere.example/".into()]);
    let nothing = FetchOrder { within: vec![Vec::new()], ..order(&url, &url) };
    for order in [
        order(&format!("{url}/b"), &format!("{url}/a")),
        order(&format!("{url}/a/../b"), &format!("{url}/a")),
        order(&url.replace("127.0.0.1", "localhost"), &url),
        order("ftp://x/", "ftp://x/"),
        with_secret,
        nothing,
    ] {
        assert_eq!(rig.ask(order.clone()).await, Fetched::Failed(FetchError::Forbidden), "{order:?}");
    }
    let mut public = Rig::new(|machine| machine.allow_private = false);
    assert_eq!(public.ask(order(&url, &url)).await, Fetched::Failed(FetchError::Forbidden));
    assert!(asked.lock().unwrap().is_empty());
}

#[tokio::test]
async fn what_fails_is_asked_again_only_if_nothing_can_be_done_twice() {
    let (url, asked) = server(vec![BUSY, JSON, BUSY]).await;
    let mut rig = Rig::new(|_| {});
    let again = FetchOrder { retries: 2, ..order(&url, &url) };
    assert_eq!(rig.ask(again.clone()).await, answer(200, true, "{\"a\":1}"));
    assert_eq!(asked.lock().unwrap().len(), 2);
    let post = FetchOrder { method: Method::Post, ..again.clone() };
    assert_eq!(rig.ask(post).await, answer(503, false, ""));
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let nobody = format!("http://127.0.0.1:{}", closed.local_addr().unwrap().port());
    drop(closed);
    let unreachable = order(&nobody, &nobody);
    assert_eq!(rig.ask(unreachable).await, Fetched::Failed(FetchError::Unreachable));
}

#[tokio::test]
async fn a_server_that_is_silent_talks_too_much_or_no_http_costs_its_question_only() {
    let long = "HTTP/1.1 200 OK\r\ncontent-length: 2000\r\n\r\n";
    let endless: &'static str = Box::leak(format!("{long}{}", "x".repeat(2_000)).into_boxed_str());
    let (url, _) = server(vec!["", endless, "SSH-2.0-x\r\n\r\n", JSON]).await;
    let mut rig = Rig::new(|machine| machine.answer_size = 1_000);
    let late = FetchOrder { timeout_ms: 200, ..order(&url, &url) };
    assert_eq!(rig.ask(late).await, Fetched::Failed(FetchError::Late));
    assert_eq!(rig.ask(order(&url, &url)).await, Fetched::Failed(FetchError::TooLarge));
    assert_eq!(rig.ask(order(&url, &url)).await, Fetched::Failed(FetchError::ProtocolError));
    assert_eq!(rig.ask(order(&url, &url)).await, answer(200, true, "{\"a\":1}"));
    let mut full = Rig::new(|machine| machine.at_once = 0);
    assert_eq!(full.ask(order(&url, &url)).await, Fetched::Failed(FetchError::Overloaded));
}

#[tokio::test]
async fn a_call_that_leaves_its_questions_does_not_take_the_turns_of_others() {
    let (url, _) = server(vec![""; 8]).await;
    let mut rig = Rig::new(|_| {});
    let own = Arc::new(Own::default());
    let call = order(&url, &url).call;
    let mut held: Vec<_> = (0..OF_CALL).map(|_| Own::begin(&own, call).unwrap()).collect();
    assert!(Own::begin(&own, call).is_none());
    let other = CallId { number: call.number + 1, ..call };
    assert!(Own::begin(&own, other).is_some());
    held.pop();
    assert!(Own::begin(&own, call).is_some());
    drop(held);
    assert!(own.0.lock().unwrap().is_empty());
    // By the task that asks: four that nobody waits for, and the fifth is told at once.
    assert_eq!(rig.leave_and_ask(OF_CALL, order(&url, &url)).await, Fetched::Failed(FetchError::Overloaded));
}
