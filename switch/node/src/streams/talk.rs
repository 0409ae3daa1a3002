//! One stream: connects, says what the protocol says at the start, and carries audio both ways until one side is done.

use super::downlink::{Downlink, PIECE};
use super::protocol::{self, FromBot, Writer};
use super::{Piece, StreamCounts};
use crate::media::MediaOrder;
use crate::outgoing::{self, OutgoingError, Target, Wire};
use cordboard_lane::Sender;
use cordboard_model::stream::{StreamEnd, StreamOpening, StreamOutcome, StreamWay, Track};
use futures_util::{SinkExt, StreamExt};
use rustls::ClientConfig;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message};

/// Messages that wait until the network takes them: five seconds of audio.
const OUT: usize = 256;
/// Messages in a row that found no room, after which the program counts as lost: ten seconds.
const HANGS: u32 = 500;
/// Longest message of a program: a minute of audio as base64, and its frame.
const MESSAGE_MAX: usize = 700_000;
/// How long the last messages have to leave.
const GOODBYE: Duration = Duration::from_secs(2);

/// What a stream's task is told.
#[derive(Debug)]
#[allow(
    clippy::large_enum_variant,
    reason = "a piece comes every 20 ms, and a box would be an allocation for each"
)]
pub enum ToTalk {
    /// What a party says.
    Piece(Track, Piece),
    /// A key of the party's.
    Digit(char),
}

/// One stream.
pub struct Talk {
    pub opening: StreamOpening,
    pub target: Target,
    pub connect: Duration,
    pub buffer: Duration,
    pub allow_private: bool,
    pub tls: Arc<ClientConfig>,
    pub media: Vec<Sender<MediaOrder>>,
    pub counts: Arc<StreamCounts>,
}

type Socket = WebSocketStream<Box<dyn Wire>>;

/// A stream that is on.
struct Line {
    writer: Writer,
    down: Downlink,
    out: mpsc::Sender<Message>,
    hangs: u32,
    /// Where the leg is now.
    thread: usize,
    /// What the program found out.
    result: Option<String>,
    /// How sure it is of that, percent.
    confidence: Option<u8>,
}

impl Talk {
    /// Until the program is done, or `pieces` are: then nobody waits for the outcome.
    pub async fn run(self, mut pieces: mpsc::Receiver<ToTalk>) -> Option<StreamOutcome> {
        let socket = tokio::select! {
            socket = tokio::time::timeout(self.connect, self.dial()) => socket.unwrap_or(Err(StreamEnd::Late)),
            // the pieces that come before there is a connection are heard by nobody
            () = drained(&mut pieces) => return None,
        };
        let (mut sink, mut source) = match socket {
            Ok(socket) => socket.split(),
            Err(end) => return Some(end.into()),
        };
        let (out, mut messages) = mpsc::channel::<Message>(OUT);
        let sender = tokio::spawn(async move {
            while let Some(message) = messages.recv().await {
                if sink.send(message).await.is_err() {
                    break;
                }
            }
            // A program that is gone misses our goodbye. With a code (RFC 6455 7.4.1): without one, libraries call it a failure.
            let normal = CloseFrame { code: CloseCode::Normal, reason: "".into() };
            let _ = sink.send(Message::Close(Some(normal))).await;
            let _ = sink.close().await;
        });
        // G.711: a byte a sample, 8 a millisecond
        let most = usize::try_from(self.buffer.as_millis() * 8).unwrap_or(usize::MAX);
        let mut line = Line {
            writer: Writer::new(&self.opening),
            down: Downlink::new(most),
            out,
            hangs: 0,
            thread: 0,
            result: None,
            confidence: None,
        };
        let (hello, start) = (line.writer.connected(), line.writer.start(&self.opening));
        line.say(hello);
        line.say(start);
        let end = loop {
            tokio::select! {
                told = pieces.recv() => match told {
                    None => break None,
                    Some(ToTalk::Digit(digit)) => {
                        let text = line.writer.dtmf(digit);
                        line.say(text);
                    }
                    Some(ToTalk::Piece(track, piece)) => self.piece(&mut line, track, piece),
                },
                came = source.next() => if let Some(end) = self.came(&mut line, came) {
                    break Some(end);
                },
            }
            if line.hangs >= HANGS {
                break Some(StreamEnd::Lost);
            }
        };
        self.counts.dropped_in.fetch_add(line.down.dropped(), Relaxed);
        let (result, confidence) = (line.result.take(), line.confidence);
        if end.is_none() {
            let stop = line.writer.stop();
            line.say(stop);
        }
        drop(line);
        // nobody waits for that: a program that takes nothing holds up no flow
        let (gone, stream) = (sender.abort_handle(), self.opening.stream);
        tokio::spawn(async move {
            if tokio::time::timeout(GOODBYE, sender).await.is_err() {
                gone.abort();
                tracing::debug!(%stream, "a program does not take our goodbye");
            }
        });
        end.map(|end| StreamOutcome { end, result, confidence })
    }

    async fn dial(&self) -> Result<Socket, StreamEnd> {
        let wire = outgoing::connect(&self.target, self.allow_private, &self.tls).await.map_err(|why| {
            tracing::warn!(call = %self.opening.call, host = self.target.host, %why, "no stream");
            match why {
                OutgoingError::Private(_) => StreamEnd::Forbidden,
                OutgoingError::Name(_) | OutgoingError::Connect(_) => StreamEnd::Unreachable,
            }
        })?;
        // What waits to be written is bounded too: answers to the pings of a program that reads nothing.
        let config = WebSocketConfig::default()
            .max_message_size(Some(MESSAGE_MAX))
            .max_frame_size(Some(MESSAGE_MAX))
            .max_write_buffer_size(MESSAGE_MAX);
        let url = self.opening.url.as_str();
        let made = tokio_tungstenite::client_async_with_config(url, wire, Some(config)).await;
        made.map(|(socket, _)| socket).map_err(|why| {
            tracing::warn!(call = %self.opening.call, host = self.target.host, %why, "the program refuses the stream");
            StreamEnd::Refused
        })
    }

    /// 20 ms of a party's, and how far the program's audio has come.
    fn piece(&self, line: &mut Line, track: Track, Piece { thread, chunk }: Piece) {
        let moved = core::mem::replace(&mut line.thread, thread) != thread;
        let text = line.writer.media(track, &chunk.codes, chunk.dropped);
        if !line.say(text) {
            self.counts.dropped_out.fetch_add(1, Relaxed);
        }
        if !self.talks() {
            return;
        }
        line.down.heard(chunk.played, chunk.taken);
        if moved {
            line.down.moved();
        }
        while let Some(name) = line.down.due() {
            let text = line.writer.mark(&name);
            line.say(text);
        }
        self.pump(line);
    }

    /// Hands on to the media thread what it is to have by now.
    fn pump(&self, line: &mut Line) {
        let (leg, stream) = (self.opening.leg, self.opening.stream);
        let Some(media) = self.media.get(line.thread) else {
            return;
        };
        // what a full lane refuses waits for the next piece
        if let Some(to) = line.down.clears()
            && media.try_send(MediaOrder::ClearLive { leg, stream, to }).is_err()
        {
            return;
        }
        let mut codes = [0; PIECE];
        while let Some((at, len)) = line.down.piece(&mut codes) {
            if media.try_send(MediaOrder::FeedLive { leg, stream, at, len, codes }).is_err() {
                return;
            }
            line.down.handed_on(len);
        }
    }

    /// Something of the program, or its end.
    fn came(&self, line: &mut Line, came: Option<Result<Message, Error>>) -> Option<StreamEnd> {
        let text = match came {
            Some(Ok(Message::Text(text))) => text,
            Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => return None,
            Some(Ok(Message::Close(_))) | None => return Some(StreamEnd::Closed),
            Some(Err(Error::Protocol(ProtocolError::ResetWithoutClosingHandshake))) => {
                return Some(StreamEnd::Lost);
            }
            Some(Ok(Message::Binary(_)) | Err(Error::Capacity(_) | Error::Protocol(_) | Error::Utf8(_))) => {
                return Some(self.broken("it is no text of JSON, or too long"));
            }
            Some(Err(_)) => return Some(StreamEnd::Lost),
        };
        match protocol::read(&text) {
            // who only listens is not heard, and has nothing that could be played out or thrown away
            Some(FromBot::Media(_) | FromBot::Mark(_) | FromBot::Clear) if !self.talks() => {}
            None => return Some(self.broken("it is no message of the protocol")),
            Some(FromBot::Media(codes)) => {
                line.down.push(&codes);
                self.pump(line);
            }
            Some(FromBot::Mark(name)) => {
                if !line.down.mark(name) {
                    return Some(self.broken("too many marks wait"));
                }
                while let Some(name) = line.down.due() {
                    let text = line.writer.mark(&name);
                    line.say(text);
                }
            }
            Some(FromBot::Clear) => {
                for name in line.down.clear() {
                    let text = line.writer.mark(&name);
                    line.say(text);
                }
                self.pump(line);
            }
            Some(FromBot::Result(value, sure)) => (line.result, line.confidence) = (Some(value), sure),
            Some(FromBot::Stop) => return Some(StreamEnd::Closed),
            Some(FromBot::Other) => {}
        }
        None
    }

    /// Whether the program is heard.
    fn talks(&self) -> bool {
        self.opening.way == StreamWay::Talk
    }

    fn broken(&self, why: &str) -> StreamEnd {
        tracing::warn!(call = %self.opening.call, host = self.target.host, why, "a program breaks the protocol");
        StreamEnd::ProtocolError
    }
}

impl Line {
    /// Says whether there was room for it.
    fn say(&mut self, text: String) -> bool {
        let said = self.out.try_send(Message::text(text)).is_ok();
        self.hangs = if said { 0 } else { self.hangs + 1 };
        said
    }
}

/// Takes pieces until there are no more.
async fn drained(pieces: &mut mpsc::Receiver<ToTalk>) {
    while pieces.recv().await.is_some() {}
}
