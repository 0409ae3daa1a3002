//! The switchboard with a program at the other end of a real socket, and this test in the place of shard and media thread.

use super::*;
use cordboard_lane::lane;
use cordboard_media::LIVE_CHUNK;
use cordboard_model::id::{IdMaker, LegId, TenantId};
use cordboard_model::stream::StreamWay;
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

struct Rig {
    commands: mpsc::Sender<StreamCommand>,
    pieces: Sender<Piece>,
    media: Receiver<MediaOrder>,
    shard: Receiver<Order>,
    counts: Arc<StreamCounts>,
    ids: IdMaker,
}

impl Rig {
    fn new(allowed: &[String], change: impl FnOnce(&mut StreamsMachine)) -> Self {
        Self::with_two_threads(allowed, change).0
    }

    fn with_two_threads(
        allowed: &[String],
        change: impl FnOnce(&mut StreamsMachine),
    ) -> (Self, Receiver<MediaOrder>) {
        let mut machine = StreamsMachine {
            allowed: allowed.to_vec(),
            ca: None,
            allow_private: true,
            connect: Duration::from_millis(500),
            buffer: Duration::from_secs(10),
            at_once: 2,
        };
        change(&mut machine);
        let (to_media, media) = lane("media", 64);
        let (to_second, second) = lane("second", 64);
        let (to_shard, shard) = lane("shard", 64);
        let (to_pieces, pieces) = lane("pieces", 64);
        let counts = Arc::new(StreamCounts::default());
        let tls = crate::transport::trusting(None).unwrap();
        let setup = StreamSetup {
            machine,
            tls,
            pieces,
            media: vec![to_media, to_second],
            shard: to_shard,
            counts: Arc::clone(&counts),
        };
        let commands = Streams::start(setup);
        (Self { commands, pieces: to_pieces, media, shard, counts, ids: IdMaker::new(1, 0) }, second)
    }

    async fn open(&mut self, url: &str) -> (StreamId, LegId) {
        self.open_to(url, StreamWay::Talk).await
    }

    async fn open_to(&mut self, url: &str, way: StreamWay) -> (StreamId, LegId) {
        let tenant = TenantId::DEFAULT;
        let (stream, leg) = (self.ids.stream(tenant), self.ids.leg(tenant));
        let parameters = [("order".to_owned(), "17".to_owned())].into();
        let opening =
            StreamOpening { stream, call: self.ids.call(tenant), leg, way, url: url.into(), parameters };
        self.commands.send(StreamCommand::Open(Box::new(opening))).await.unwrap();
        (stream, leg)
    }

    /// 20 ms of the party, of which this code is every sample.
    fn say(&self, stream: StreamId, code: u8, played: u64) {
        self.say_from(0, stream, code, played);
    }

    fn say_from(&self, thread: usize, stream: StreamId, code: u8, played: u64) {
        let codes = [code; LIVE_CHUNK];
        let chunk =
            LiveChunk { talker: Some(stream), listener: None, codes, dropped: 0, played, taken: played };
        self.pieces.try_send(Piece { thread, chunk }).unwrap();
    }

    async fn ended(&mut self) -> StreamEnd {
        for _ in 0..2_000 {
            match self.shard.pop() {
                Some(Order::StreamEnded { outcome, .. }) => return outcome.end,
                Some(other) => panic!("{other:?}"),
                None => tokio::time::sleep(Duration::from_millis(2)).await,
            }
        }
        panic!("it does not end");
    }

    async fn order(&mut self) -> MediaOrder {
        for _ in 0..2_000 {
            if let Some(order) = self.media.pop() {
                return order;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        panic!("nothing for the media thread");
    }
}

/// Where programs listen.
async fn listen() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://127.0.0.1:{}/voice", listener.local_addr().unwrap().port());
    (listener, url)
}

struct Bot(WebSocketStream<TcpStream>);

impl Bot {
    async fn accept(listener: &TcpListener) -> Self {
        let (stream, _) = listener.accept().await.unwrap();
        Self(tokio_tungstenite::accept_async(stream).await.unwrap())
    }

    async fn hear(&mut self) -> Value {
        loop {
            match self.0.next().await {
                Some(Ok(Message::Text(text))) => return serde_json::from_str(&text).unwrap(),
                Some(Ok(Message::Close(_))) | None => return json!({"event": "gone"}),
                Some(Ok(_)) => {}
                Some(Err(why)) => panic!("{why}"),
            }
        }
    }

    async fn say(&mut self, message: Value) {
        self.0.send(Message::text(message.to_string())).await.unwrap();
    }

    async fn speak(&mut self, codes: &[u8]) {
        use base64::Engine;
        let payload = base64::engine::general_purpose::STANDARD.encode(codes);
        self.say(json!({"event": "media", "media": {"payload": payload}})).await;
    }
}

#[tokio::test]
async fn audio_keys_marks_and_clear_go_both_ways_and_the_programs_end_is_told() {
    let (listener, url) = listen().await;
    let mut rig = Rig::new(std::slice::from_ref(&url), |_| ());
    let (stream, leg) = rig.open(&format!("{url}/a?b=c")).await;
    let mut bot = Bot::accept(&listener).await;
    assert_eq!(bot.hear().await["event"], "connected");
    let start = bot.hear().await;
    assert_eq!(
        (&start["event"], &start["start"]["customParameters"]["order"]),
        (&"start".into(), &"17".into())
    );

    rig.say(stream, 0x12, 0);
    let media = bot.hear().await;
    assert_eq!((&media["event"], &media["media"]["track"]), (&"media".into(), &"inbound".into()));
    let call = rig.ids.call(TenantId::DEFAULT);
    rig.commands.send(StreamCommand::Digit { call, stream, digit: '5' }).await.unwrap();
    assert_eq!(bot.hear().await["dtmf"]["digit"], "5");

    bot.speak(&[0x21; 400]).await;
    bot.say(json!({"event": "mark", "mark": {"name": "said"}})).await;
    let mut fed = 0;
    while fed < 400 {
        match rig.order().await {
            MediaOrder::FeedLive { leg: to, len, codes, .. } => {
                assert_eq!((to, codes[0]), (leg, 0x21));
                fed += len;
            }
            other => panic!("{other:?}"),
        }
    }
    rig.say(stream, 0xff, 399);
    assert_eq!(bot.hear().await["event"], "media", "the mark waits for its last sample");
    rig.say(stream, 0xff, 400);
    assert_eq!(bot.hear().await["event"], "media");
    assert_eq!(bot.hear().await["mark"]["name"], "said");

    bot.speak(&[0x22; 8_000]).await;
    bot.say(json!({"event": "mark", "mark": {"name": "never heard"}})).await;
    bot.say(json!({"event": "clear"})).await;
    assert_eq!(bot.hear().await["mark"]["name"], "never heard");
    loop {
        match rig.order().await {
            MediaOrder::ClearLive { .. } => break,
            MediaOrder::FeedLive { .. } => {}
            other => panic!("{other:?}"),
        }
    }
    bot.0.close(None).await.unwrap();
    assert_eq!(rig.ended().await, StreamEnd::Closed);
    assert_eq!(rig.counts.on.load(Relaxed), 0);
}

#[tokio::test]
async fn a_call_that_is_over_says_stop_and_nobody_hears_of_an_end() {
    let (listener, url) = listen().await;
    let mut rig = Rig::new(std::slice::from_ref(&url), |_| ());
    let (stream, _) = rig.open(&url).await;
    let mut bot = Bot::accept(&listener).await;
    bot.hear().await;
    bot.hear().await;
    rig.commands.send(StreamCommand::Close { stream }).await.unwrap();
    let stop = bot.hear().await;
    assert_eq!((&stop["event"], &stop["stop"]["callSid"].as_str().unwrap()[..2]), (&"stop".into(), "CA"));
    assert_eq!(bot.hear().await["event"], "gone");
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(rig.shard.pop().is_none());
}

#[tokio::test]
async fn what_cannot_be_begun_or_breaks_is_an_outcome_with_a_name() {
    let (listener, url) = listen().await;
    let port = listener.local_addr().unwrap().port();
    let mut rig = Rig::new(std::slice::from_ref(&url), |_| ());
    for other in [
        format!("ws://127.0.0.1:{port}/voices"),
        format!("ws://127.0.0.1:{port}/"),
        format!("wss://127.0.0.1:{port}/voice"),
        format!("ws://127.0.0.1:{port}/voice/../etc"),
        format!("ws://127.0.0.1:{port}/voice/.%2E/etc"),
        format!("ws://127.0.0.1:{port}/voice/..%2fetc"),
        "ws://bot.example/voice".to_owned(),
        "nonsense".to_owned(),
    ] {
        rig.open(&other).await;
        assert_eq!(rig.ended().await, StreamEnd::Forbidden, "{other}");
    }
    // accepted by nobody: the system takes the connection, and no handshake follows
    rig.open(&url).await;
    assert_eq!(rig.ended().await, StreamEnd::Late);
    rig.open(&url).await;
    let (_old, _) = listener.accept().await.unwrap();
    let (mut stream, _) = listener.accept().await.unwrap();
    use tokio::io::AsyncWriteExt;
    stream.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n").await.unwrap();
    assert_eq!(rig.ended().await, StreamEnd::Refused);

    rig.open(&url).await;
    let mut bot = Bot::accept(&listener).await;
    bot.0.send(Message::text("sing!")).await.unwrap();
    assert_eq!(rig.ended().await, StreamEnd::ProtocolError);

    rig.open(&url).await;
    let bot = Bot::accept(&listener).await;
    let raw = bot.0.into_inner();
    socket2::SockRef::from(&raw).set_linger(Some(Duration::ZERO)).unwrap();
    drop(raw);
    assert_eq!(rig.ended().await, StreamEnd::Lost);

    rig.open(&url).await;
    rig.open(&url).await;
    let _bots = (Bot::accept(&listener).await, Bot::accept(&listener).await);
    rig.open(&url).await;
    assert_eq!(rig.ended().await, StreamEnd::Overloaded);

    drop(listener);
    let mut rig = Rig::new(std::slice::from_ref(&url), |_| ());
    rig.open(&url).await;
    assert_eq!(rig.ended().await, StreamEnd::Unreachable);
    let mut rig = Rig::new(std::slice::from_ref(&url), |machine| machine.allow_private = false);
    rig.open(&url).await;
    assert_eq!(rig.ended().await, StreamEnd::Forbidden, "a private address must be allowed");
}

#[tokio::test]
async fn a_program_that_takes_nothing_costs_counted_pieces_and_in_the_end_its_stream() {
    let (listener, url) = listen().await;
    let mut rig = Rig::new(std::slice::from_ref(&url), |_| ());
    let (stream, _) = rig.open(&url).await;
    let _bot = Bot::accept(&listener).await;
    let mut end = None;
    // far faster than time: the socket's buffers fill, then the queues
    for _ in 0..400_000 {
        let chunk = LiveChunk {
            talker: Some(stream),
            listener: None,
            codes: [0x55; LIVE_CHUNK],
            dropped: 0,
            played: 0,
            taken: 0,
        };
        while rig.pieces.try_send(Piece { thread: 0, chunk }).is_err() {
            tokio::task::yield_now().await;
        }
        tokio::task::yield_now().await;
        if let Some(Order::StreamEnded { outcome, .. }) = rig.shard.pop() {
            end = Some(outcome.end);
            break;
        }
    }
    assert_eq!(end, Some(StreamEnd::Lost));
    assert!(rig.counts.dropped_out.load(Relaxed) >= 500, "and what it missed is counted");
}

#[tokio::test]
async fn a_program_that_listens_hears_both_in_tracks_of_their_own_and_is_not_heard() {
    let (listener, url) = listen().await;
    let mut rig = Rig::new(std::slice::from_ref(&url), |_| ());
    let (stream, _) = rig.open_to(&url, StreamWay::Both).await;
    let mut bot = Bot::accept(&listener).await;
    bot.hear().await;
    assert_eq!(bot.hear().await["start"]["tracks"], json!(["inbound", "outbound"]));
    for (track, code) in [(Track::Inbound, 0x12), (Track::Outbound, 0x34)] {
        let (codes, listener) = ([code; LIVE_CHUNK], Some((stream, track)));
        let chunk = LiveChunk { talker: None, listener, codes, dropped: 0, played: 0, taken: 0 };
        rig.pieces.try_send(Piece { thread: 0, chunk }).unwrap();
        let heard = bot.hear().await;
        assert_eq!(
            (&heard["media"]["track"], &heard["media"]["chunk"]),
            (&track.as_str().into(), &"1".into())
        );
    }
    bot.speak(&[0x22; 800]).await;
    bot.say(json!({"event": "mark", "mark": {"name": "a"}})).await;
    bot.say(json!({"event": "clear"})).await;
    bot.say(json!({"event": "stop"})).await;
    assert_eq!(rig.ended().await, StreamEnd::Closed);
    assert!(rig.media.pop().is_none(), "it has nobody to speak to");
}

#[tokio::test]
async fn a_leg_that_goes_to_another_media_thread_is_fed_there_from_where_it_was_and_its_marks_come() {
    let (listener, url) = listen().await;
    let (mut rig, mut second) = Rig::with_two_threads(std::slice::from_ref(&url), |_| ());
    let (stream, leg) = rig.open(&url).await;
    let mut bot = Bot::accept(&listener).await;
    bot.hear().await;
    bot.hear().await;
    bot.speak(&[0x21; 800]).await;
    bot.say(json!({"event": "mark", "mark": {"name": "end"}})).await;
    let mut fed = 0;
    while fed < 800 {
        let MediaOrder::FeedLive { at, len, .. } = rig.order().await else { panic!("no audio") };
        assert_eq!(at, fed);
        fed += len as u64;
    }
    // of that 320 samples came before the leg left
    rig.say_from(1, stream, 0xff, 320);
    assert_eq!(bot.hear().await["event"], "media");
    let mut fed = 320;
    while fed < 800 {
        match second.pop() {
            Some(MediaOrder::FeedLive { leg: to, at, len, .. }) => {
                assert_eq!((to, at), (leg, fed));
                fed += len as u64;
            }
            Some(other) => panic!("{other:?}"),
            None => tokio::time::sleep(Duration::from_millis(2)).await,
        }
    }
    rig.say_from(1, stream, 0xff, 800);
    assert_eq!(bot.hear().await["event"], "media");
    assert_eq!(bot.hear().await["mark"]["name"], "end");
}
