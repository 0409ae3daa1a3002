use super::*;
use crate::hub::{EventGauges, Hub, HubSetup};
use cordboard_api::webhooks::WebhookChange;
use cordboard_lane::lane;
use cordboard_model::event::{Event, EventKind};
use cordboard_model::time::Wall;
use cordboard_store::events::{EventLog, EventLogOptions, Opened, State};
use serde_json::Value;
use std::path::Path;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

const US: TenantId = TenantId::DEFAULT;

/// What came at the receiver: the headers that say what it is, and the body.
#[derive(Clone, Debug)]
struct Got {
    id: String,
    at: i64,
    signature: String,
    body: String,
}

impl Got {
    fn seqs(&self) -> Vec<u64> {
        let body: Value = serde_json::from_str(&self.body).unwrap();
        body["events"].as_array().unwrap().iter().filter_map(|event| event["seq"].as_u64()).collect()
    }
}

/// A receiver that answers as it is told, 200 if nothing is said.
struct Receiver {
    url: String,
    came: mpsc::Receiver<Got>,
    answers: mpsc::UnboundedSender<u16>,
    _task: JoinHandle<()>,
}

impl Receiver {
    async fn new() -> Receiver {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://127.0.0.1:{}/events", listener.local_addr().unwrap().port());
        let (come, came) = mpsc::channel(1_000);
        let (answers, mut told) = mpsc::unbounded_channel::<u16>();
        let _task = tokio::spawn(async move {
            loop {
                let Ok((mut socket, _)) = listener.accept().await else { return };
                let mut held = Vec::new();
                while let Some(got) = request(&mut socket, &mut held).await {
                    let code = told.try_recv().unwrap_or(200);
                    let _ = come.send(got).await;
                    let answer = format!("HTTP/1.1 {code} X\r\ncontent-length: 0\r\n\r\n");
                    if socket.write_all(answer.as_bytes()).await.is_err() {
                        break;
                    }
                }
            }
        });
        Receiver { url, came, answers, _task }
    }

    async fn next(&mut self) -> Got {
        let got = tokio::time::timeout(Duration::from_secs(20), self.came.recv()).await;
        got.expect("a delivery within twenty seconds").unwrap()
    }

    fn answer(&self, codes: &[u16]) {
        for code in codes {
            self.answers.send(*code).unwrap();
        }
    }
}

async fn request(socket: &mut tokio::net::TcpStream, held: &mut Vec<u8>) -> Option<Got> {
    loop {
        let text = String::from_utf8_lossy(held).into_owned();
        if let Some((head, rest)) = text.split_once("\r\n\r\n") {
            let header = |name: &str| {
                let line = head.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")));
                line.unwrap_or_default().to_owned()
            };
            let length: usize = header("content-length").parse().unwrap_or(0);
            if rest.len() >= length {
                let got = Got {
                    id: header("webhook-id"),
                    at: header("webhook-timestamp").parse().unwrap(),
                    signature: header("webhook-signature"),
                    body: rest[..length].to_owned(),
                };
                held.drain(..head.len() + 4 + length);
                return Some(got);
            }
        }
        let mut part = [0; 4_096];
        match socket.read(&mut part).await {
            Ok(read @ 1..) => held.extend_from_slice(&part[..read]),
            _ => return None,
        }
    }
}

struct Bench {
    events: Sender<Event>,
    orders: cordboard_lane::Receiver<Order>,
    running: JoinHandle<()>,
    all: Arc<Deliveries>,
    seq: u64,
}

/// Posts may go to these, with spaces between.
fn rules(urls: &str) -> WebhooksMachine {
    WebhooksMachine {
        allowed: urls.split(' ').map(str::to_owned).collect(),
        ca: None,
        allow_private: true,
        limit: Duration::from_secs(5),
        attempts: 3,
        pause: Duration::from_millis(10),
        disable_after: 2,
        dead_letters: 10,
        batch: 4,
    }
}

impl Bench {
    fn new(dir: &Path, start: u32, url: &str, hooks: &[WebhookConfig]) -> Bench {
        let options = EventLogOptions { keep: Duration::from_secs(3_600), size: 1 << 30 };
        let (log, opened) = EventLog::open(&dir.join("events"), options, start).unwrap();
        let seq = opened.first().map_or(0, Opened::base);
        let state = State { seq, lost: None, calls: Vec::new(), queues: Vec::new(), agents: Vec::new() };
        let ((events, from_shard), (shard, orders)) = (lane("events", 8_192), lane("orders", 64));
        let (running, hub) = Hub::start(HubSetup {
            start,
            events: from_shard,
            shard: shard.clone(),
            begun: vec![(US, state)],
            log: Some((dir.join("events"), log)),
            gauges: Arc::new(EventGauges::default()),
        });
        let tls = crate::transport::trusting(None).unwrap();
        let gauges = Arc::default();
        let all = Deliveries::start(dir.join("hooks"), (rules(url), tls), (hub, shard), gauges, hooks);
        Bench { events, orders, running, all, seq }
    }

    fn tell(&mut self, count: u64) {
        for _ in 0..count {
            self.seq += 1;
            let what = EventKind::Alarm { code: "test".into(), text: String::new() };
            assert!(self.events.try_send(Event { tenant: US, seq: self.seq, at: Wall(0), what }).is_ok());
        }
    }

    fn view(&self) -> WebhookView {
        self.all.list(US).remove(0)
    }

    async fn until(&self, what: &str, holds: impl Fn(&WebhookView) -> bool) -> WebhookView {
        for _ in 0..2_000 {
            let view = self.view();
            if holds(&view) {
                return view;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("waiting for {what}: {:?}", self.view());
    }

    fn order(&self, order: WebhookOrder) -> WebhookMade {
        self.all.order(US, &Name::new("crm").unwrap(), order).unwrap()
    }

    async fn end(self) {
        drop(self.all);
        self.events.close();
        self.running.await.unwrap();
    }
}

fn scratch(name: &str) -> PathBuf {
    let dir = std::env::temp_dir().join(format!("cordboard-hooks-{name}-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&dir);
    dir
}

fn crm(url: &str) -> WebhookConfig {
    let secrets = vec![Secret("a secret of the file".into())];
    let kinds = vec!["alarm".to_owned()];
    WebhookConfig { tenant: US, name: Name::new("crm").unwrap(), url: url.to_owned(), kinds, secrets }
}

/// A place that is kept from the beginning, so that nothing told before the first look is passed over.
fn from_the_first(dir: &Path, start: u32) {
    let shelf = Shelf::of(&dir.join("hooks"), US, &Name::new("crm").unwrap());
    shelf.keep(shelf::Kept { start, seq: 0, disabled: false, given_up: 0 }).unwrap();
}

#[tokio::test]
async fn deliveries_come_in_order_signed_and_again_until_they_are_taken() {
    let dir = scratch("order");
    let mut receiver = Receiver::new().await;
    from_the_first(&dir, 7);
    let mut bench = Bench::new(&dir, 7, &receiver.url, &[crm(&receiver.url)]);
    receiver.answer(&[500, 503]);
    bench.tell(9);
    let first = receiver.next().await;
    for _ in 0..2 {
        let again = receiver.next().await;
        assert_eq!((&again.id, &again.body), (&first.id, &first.body));
    }
    let mut seqs = first.seqs();
    while seqs.last() != Some(&9) {
        let got = receiver.next().await;
        assert!(got.seqs().len() <= 4);
        let signed = sign::signature(&crm("").secrets, (&got.id, got.at), &got.body);
        assert_eq!(got.signature, signed);
        assert_eq!(got.id, format!("default-{}", got.seqs()[0]));
        seqs.extend(got.seqs());
    }
    assert_eq!(seqs, (1..=9).collect::<Vec<_>>());
    let view = bench.until("the last", |view| view.seq == 9).await;
    assert_eq!((view.failed, view.dead_letters, view.error), (2, 0, None));
    bench.end().await;
    std::fs::remove_dir_all(&dir).unwrap();
}

#[tokio::test]
async fn what_nobody_takes_is_a_dead_letter_and_too_many_disable_it_until_it_is_enabled_and_replayed() {
    let dir = scratch("dead");
    let mut receiver = Receiver::new().await;
    from_the_first(&dir, 7);
    let mut bench = Bench::new(&dir, 7, &receiver.url, &[crm(&receiver.url)]);
    receiver.answer(&[500; 6]);
    bench.tell(1);
    for _ in 0..3 {
        assert_eq!(receiver.next().await.seqs(), [1]);
    }
    bench.until("the first letter", |view| view.dead_letters == 1).await;
    bench.tell(1);
    for _ in 0..3 {
        assert_eq!(receiver.next().await.seqs(), [2]);
    }
    let view = bench.until("its end", |view| view.doing == WebhookDoing::Disabled).await;
    assert_eq!((view.dead_letters, view.given_up, view.seq), (2, 2, 2));
    assert!(matches!(bench.orders.pop(), Some(Order::Command(_))), "an alarm is told");
    bench.tell(1);
    let letters = bench.all.letters(US, &Name::new("crm").unwrap(), 0, 10).unwrap();
    assert_eq!((letters.len(), letters[1].attempts, letters[1].error.as_str()), (2, 3, "answered 500"));
    bench.order(WebhookOrder::Enable);
    assert_eq!(receiver.next().await.seqs(), [3], "what came meanwhile");
    bench.order(WebhookOrder::Replay(None));
    assert_eq!(receiver.next().await.seqs(), [1]);
    assert_eq!(receiver.next().await.seqs(), [2]);
    bench.until("none", |view| view.dead_letters == 0).await;
    // It is gone, it says.
    receiver.answer(&[410]);
    bench.tell(1);
    assert_eq!(receiver.next().await.seqs(), [4]);
    bench.until("its end", |view| view.doing == WebhookDoing::Disabled && view.dead_letters == 1).await;
    bench.order(WebhookOrder::Forget(Some(4)));
    assert_eq!(bench.view().dead_letters, 0);
    bench.end().await;
    std::fs::remove_dir_all(&dir).unwrap();
}

/// The place is kept: after a restart the rest is delivered, and nothing that was not.
#[tokio::test]
async fn a_restart_goes_on_with_what_was_not_delivered() {
    let dir = scratch("restart");
    let mut receiver = Receiver::new().await;
    from_the_first(&dir, 7);
    let mut bench = Bench::new(&dir, 7, &receiver.url, &[crm(&receiver.url)]);
    bench.tell(2);
    let mut seqs = receiver.next().await.seqs();
    while seqs.last() != Some(&2) {
        seqs.extend(receiver.next().await.seqs());
    }
    bench.until("both", |view| view.seq == 2).await;
    bench.order(WebhookOrder::Disable);
    bench.until("its rest", |view| view.doing == WebhookDoing::Disabled).await;
    bench.tell(3);
    bench.end().await;
    let bench = Bench::new(&dir, 8, &receiver.url, &[crm(&receiver.url)]);
    bench.until("that it rests still", |view| view.doing == WebhookDoing::Disabled).await;
    bench.order(WebhookOrder::Enable);
    let mut seqs = Vec::new();
    while seqs.last() != Some(&5) {
        seqs.extend(receiver.next().await.seqs());
    }
    assert_eq!(seqs, [3, 4, 5]);
    bench.end().await;
    std::fs::remove_dir_all(&dir).unwrap();
}

#[tokio::test]
async fn one_that_the_api_makes_lives_on_and_two_secrets_sign_while_one_takes_the_others_place() {
    let dir = scratch("made");
    let mut receiver = Receiver::new().await;
    let mut bench = Bench::new(&dir, 7, &receiver.url, &[]);
    // There is no shard that could give it a state to begin with: it begins at a place.
    from_the_first(&dir, 7);
    let new = |url: &str| NewWebhook { name: "crm".into(), url: url.into(), kinds: Vec::new() };
    assert!(matches!(bench.all.make(US, new("http://127.0.0.1:1/")), Err(Refusal::Invalid(_))));
    let first = bench.all.make(US, new(&receiver.url)).unwrap().secret.unwrap();
    assert!(matches!(bench.all.make(US, new(&receiver.url)), Err(Refusal::Conflict(_))));
    let second = bench.order(WebhookOrder::NewSecret).secret.unwrap();
    bench.end().await;
    bench = Bench::new(&dir, 8, &receiver.url, &[]);
    bench.tell(1);
    let got = receiver.next().await;
    let both = sign::signature(&[second.clone(), first], (&got.id, got.at), &got.body);
    assert_eq!(got.signature, both);
    assert_eq!(bench.view().secrets, 2);
    let third = bench.order(WebhookOrder::NewSecret).secret.unwrap();
    bench.tell(1);
    let got = receiver.next().await;
    assert_eq!(got.signature, sign::signature(&[third, second], (&got.id, got.at), &got.body));
    bench.order(WebhookOrder::Remove);
    assert!(bench.all.list(US).is_empty() && shelf::made(&dir.join("hooks")).is_empty());
    bench.end().await;
    std::fs::remove_dir_all(&dir).unwrap();
}

/// Where it goes and what it is told of are changed without a loss: it goes on from where it is, and is so after a restart.
#[tokio::test]
async fn one_that_the_api_made_goes_elsewhere_from_where_it_is_and_one_of_the_file_does_not() {
    let dir = scratch("changed");
    let (mut first, mut second) = (Receiver::new().await, Receiver::new().await);
    let both = format!("{} {}", first.url, second.url);
    let mut bench = Bench::new(&dir, 7, &both, &[]);
    from_the_first(&dir, 7);
    let new = NewWebhook { name: "crm".into(), url: first.url.clone(), kinds: Vec::new() };
    bench.all.make(US, new).unwrap();
    bench.tell(1);
    assert_eq!(first.next().await.seqs(), [1]);
    bench.until("the place", |view| view.seq == 1).await;
    let change = |url: Option<&str>, kinds: Option<Vec<String>>| {
        WebhookOrder::Change(WebhookChange { url: url.map(str::to_owned), kinds })
    };
    let name = Name::new("crm").unwrap();
    let wrong = bench.all.order(US, &name, change(Some("https://elsewhere.example/"), None));
    assert!(matches!(wrong, Err(Refusal::Invalid(_))));
    let done = bench.order(change(Some(&second.url), None));
    assert_eq!((done.view.url.as_str(), done.secret), (second.url.as_str(), None));
    bench.tell(1);
    assert_eq!(second.next().await.seqs(), [2]);
    bench.until("the place", |view| view.seq == 2).await;
    bench.order(change(None, Some(vec!["call_ended".into()])));
    bench.tell(1);
    // What it is not told of any more would have come by now.
    tokio::time::sleep(Duration::from_millis(300)).await;
    bench.end().await;
    bench = Bench::new(&dir, 8, &both, &[]);
    assert_eq!((bench.view().url, bench.view().kinds), (second.url.clone(), vec!["call_ended".into()]));
    assert!(first.came.try_recv().is_err() && second.came.try_recv().is_err());
    bench.end().await;
    let dir_of_file = scratch("changed-file");
    let of_file = [crm(&first.url)];
    bench = Bench::new(&dir_of_file, 7, &both, &of_file);
    let refused = bench.all.order(US, &name, change(Some(&first.url), None));
    assert!(matches!(refused, Err(Refusal::Conflict(_))));
    bench.end().await;
    for dir in [dir, dir_of_file] {
        std::fs::remove_dir_all(&dir).unwrap();
    }
}

/// A private address is no place for events, unless the configuration says so; nor is one that it does not name.
#[tokio::test]
async fn nothing_is_posted_where_it_is_not_allowed() {
    let receiver = Receiver::new().await;
    let tls = crate::transport::trusting(None).unwrap();
    let parcel = post::Parcel { url: &receiver.url, id: "a", at: 1, signature: "v1,x", body: "{}" };
    let mut open = Poster::new(Arc::new(rules(&receiver.url)), Arc::clone(&tls));
    assert_eq!(open.post(&parcel).await, Ok(()));
    let private = WebhooksMachine { allow_private: false, ..rules(&receiver.url) };
    let refused = Poster::new(Arc::new(private), Arc::clone(&tls)).post(&parcel).await;
    assert!(matches!(&refused, Err(post::NotTaken::Failed(why)) if why.contains("private")), "{refused:?}");
    let refused = Poster::new(Arc::new(rules("https://crm.example/")), tls).post(&parcel).await;
    assert!(matches!(&refused, Err(post::NotTaken::Failed(why)) if why.contains("allowed")), "{refused:?}");
}
