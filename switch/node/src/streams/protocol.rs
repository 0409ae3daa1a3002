//! The messages of the media-stream protocol that speech bots speak: JSON in text frames, audio as base64 of mu-law at
//! 8 kHz. We are the caller's side: `connected`, `start`, `media`, `dtmf`, `mark` (played) and `stop` go out; `media`,
//! `mark`, `clear` and `stop` come in.
//!
//! Numbers that count or point into time are strings, as programs written for the protocol expect.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use cordboard_model::stream::{PARAMETER_MAX, StreamOpening, Track};
use serde::Deserialize;
use serde_json::json;
use sha2::{Digest, Sha256};

/// Most bytes of audio in one message: a minute.
pub const AUDIO_MAX: usize = 480_000;
/// Longest name of a mark, bytes.
pub const MARK_MAX: usize = 256;

/// What a program sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FromBot {
    /// Audio for the party, mu-law.
    Media(Vec<u8>),
    /// Tell when everything before this has been played.
    Mark(String),
    /// Throw away what has not been played.
    Clear,
    /// What it found out, for the flow: ours, beside the protocol.
    Result(String, Option<u8>),
    /// It is done.
    Stop,
    /// An event that we do not know: other versions may have it.
    Other,
}

#[derive(Deserialize)]
struct Message {
    event: String,
    media: Option<Media>,
    mark: Option<Mark>,
    result: Option<Found>,
}

#[derive(Deserialize)]
struct Found {
    value: String,
    confidence: Option<f64>,
}

#[derive(Deserialize)]
struct Media {
    payload: String,
}

#[derive(Deserialize)]
struct Mark {
    name: String,
}

/// Reads a message of the program. `None`: it is not of the protocol.
pub fn read(text: &str) -> Option<FromBot> {
    let message: Message = serde_json::from_str(text).ok()?;
    Some(match message.event.as_str() {
        "media" => {
            let payload = message.media?.payload;
            let audio = STANDARD.decode(payload.trim()).ok().filter(|audio| audio.len() <= AUDIO_MAX)?;
            FromBot::Media(audio)
        }
        "mark" => FromBot::Mark(message.mark.map(|mark| mark.name).filter(|name| name.len() <= MARK_MAX)?),
        "result" => {
            let found = message.result.filter(|found| found.value.len() <= PARAMETER_MAX)?;
            let percent = found.confidence.map(|share| (share.clamp(0.0, 1.0) * 100.0).round() as u8);
            FromBot::Result(found.value, percent)
        }
        "clear" => FromBot::Clear,
        "stop" => FromBot::Stop,
        _ => FromBot::Other,
    })
}

/// Writes our messages of one stream.
#[derive(Debug)]
pub struct Writer {
    stream: String,
    call: String,
    account: String,
    sequence: u64,
    /// The last piece of each track, counted from one.
    chunks: [u64; 2],
}

/// Thirty-two hexadecimal digits after two letters, as programs of the protocol check for; made of our own id.
fn sid(letters: &str, id: &str) -> String {
    let hash = Sha256::digest(id.as_bytes());
    let digits: String = hash.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    format!("{letters}{digits}")
}

impl Writer {
    /// For a stream.
    pub fn new(opening: &StreamOpening) -> Self {
        Self {
            stream: sid("MZ", &opening.stream.to_string()),
            call: sid("CA", &opening.call.to_string()),
            account: sid("AC", opening.call.tenant.as_str()),
            sequence: 0,
            chunks: [0; 2],
        }
    }

    fn next(&mut self) -> String {
        self.sequence += 1;
        self.sequence.to_string()
    }

    /// The first message.
    pub fn connected(&self) -> String {
        json!({"event": "connected", "protocol": "Call", "version": "1.0.0"}).to_string()
    }

    /// The second, with what the program is told.
    pub fn start(&mut self, opening: &StreamOpening) -> String {
        let sequence = self.next();
        let tracks =
            [Track::Inbound, Track::Outbound].map(|track| opening.way.hears(track).then(|| track.as_str()));
        let tracks: Vec<&str> = tracks.into_iter().flatten().collect();
        json!({
            "event": "start",
            "sequenceNumber": sequence,
            "start": {
                "accountSid": self.account,
                "streamSid": self.stream,
                "callSid": self.call,
                "tracks": tracks,
                "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8_000, "channels": 1},
                "customParameters": opening.parameters,
            },
            "streamSid": self.stream,
        })
        .to_string()
    }

    /// A piece of what a party says; pieces that were dropped before it keep their place in time.
    pub fn media(&mut self, track: Track, codes: &[u8], dropped: u64) -> String {
        let sequence = self.next();
        let [inbound, outbound] = &mut self.chunks;
        let chunk = if track == Track::Inbound { inbound } else { outbound };
        *chunk += 1 + dropped;
        let (chunk, timestamp) = (*chunk, (*chunk - 1) * 20);
        json!({
            "event": "media",
            "sequenceNumber": sequence,
            "media": {
                "track": track.as_str(),
                "chunk": chunk.to_string(),
                "timestamp": timestamp.to_string(),
                "payload": STANDARD.encode(codes),
            },
            "streamSid": self.stream,
        })
        .to_string()
    }

    /// A key of the party's.
    pub fn dtmf(&mut self, digit: char) -> String {
        let sequence = self.next();
        json!({
            "event": "dtmf",
            "streamSid": self.stream,
            "sequenceNumber": sequence,
            "dtmf": {"track": "inbound_track", "digit": digit.to_string()},
        })
        .to_string()
    }

    /// Everything before this mark has been played, or thrown away.
    pub fn mark(&mut self, name: &str) -> String {
        let sequence = self.next();
        json!({
            "event": "mark",
            "sequenceNumber": sequence,
            "streamSid": self.stream,
            "mark": {"name": name},
        })
        .to_string()
    }

    /// The last message.
    pub fn stop(&mut self) -> String {
        let sequence = self.next();
        json!({
            "event": "stop",
            "sequenceNumber": sequence,
            "stop": {"accountSid": self.account, "callSid": self.call},
            "streamSid": self.stream,
        })
        .to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cordboard_model::id::{IdMaker, TenantId};
    use cordboard_model::stream::StreamWay;
    use serde_json::Value;

    fn opening() -> StreamOpening {
        let mut ids = IdMaker::new(0x6560_0000, 0);
        StreamOpening {
            stream: ids.stream(TenantId::DEFAULT),
            call: ids.call(TenantId::DEFAULT),
            leg: ids.leg(TenantId::DEFAULT),
            way: StreamWay::Both,
            url: "ws://bot.example/".into(),
            parameters: [("order".to_owned(), "17".to_owned())].into(),
        }
    }

    fn read_json(text: &str) -> Value {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn our_messages_have_every_field_of_the_protocol_numbers_as_strings() {
        let opening = opening();
        let mut writer = Writer::new(&opening);
        let connected = read_json(&writer.connected());
        assert_eq!((&connected["event"], &connected["protocol"]), (&"connected".into(), &"Call".into()));
        let start = read_json(&writer.start(&opening));
        let sid = start["streamSid"].as_str().unwrap();
        assert!(sid.starts_with("MZ") && sid.len() == 34, "{sid}");
        assert_eq!(start["start"]["streamSid"], sid);
        assert!(start["start"]["callSid"].as_str().unwrap().starts_with("CA"));
        assert_eq!(start["start"]["customParameters"]["order"], "17");
        assert_eq!(
            start["start"]["mediaFormat"],
            json!({"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1})
        );
        assert_eq!(start["start"]["tracks"], json!(["inbound", "outbound"]));
        let first = read_json(&writer.media(Track::Inbound, &[0xff; 160], 0));
        assert_eq!(first["media"]["timestamp"], "0");
        let other = read_json(&writer.media(Track::Outbound, &[0x7f; 160], 0));
        assert_eq!((&other["media"]["track"], &other["media"]["chunk"]), (&"outbound".into(), &"1".into()));
        let media = read_json(&writer.media(Track::Inbound, &[0x7f; 160], 2));
        assert_eq!((&media["sequenceNumber"], &media["streamSid"]), (&"4".into(), &sid.into()));
        assert_eq!((&media["media"]["chunk"], &media["media"]["timestamp"]), (&"4".into(), &"60".into()));
        assert_eq!(STANDARD.decode(media["media"]["payload"].as_str().unwrap()).unwrap(), [0x7f; 160]);
        assert_eq!(read_json(&writer.dtmf('#'))["dtmf"], json!({"track": "inbound_track", "digit": "#"}));
        assert_eq!(read_json(&writer.mark("m"))["mark"]["name"], "m");
        let stop = read_json(&writer.stop());
        assert_eq!((&stop["event"], &stop["sequenceNumber"]), (&"stop".into(), &"7".into()));
    }

    #[test]
    fn what_a_program_sends_is_read_and_what_is_not_of_the_protocol_is_told_apart() {
        let media = r#"{"event":"media","streamSid":"MZ1","media":{"payload":"fn9/"}}"#;
        assert_eq!(read(media), Some(FromBot::Media(vec![0x7e, 0x7f, 0x7f])));
        assert_eq!(read(r#"{"event":"mark","mark":{"name":"a"}}"#), Some(FromBot::Mark("a".into())));
        assert_eq!(read(r#"{"event":"clear","streamSid":"MZ1"}"#), Some(FromBot::Clear));
        let found = r#"{"event":"result","result":{"value":"yes"}}"#;
        assert_eq!(read(found), Some(FromBot::Result("yes".into(), None)));
        let sure = r#"{"event":"result","result":{"value":"yes","confidence":0.834}}"#;
        assert_eq!(read(sure), Some(FromBot::Result("yes".into(), Some(83))));
        assert_eq!(read(r#"{"event":"stop"}"#), Some(FromBot::Stop));
        assert_eq!(read(r#"{"event":"sing"}"#), Some(FromBot::Other));
        let long = format!(r#"{{"event":"mark","mark":{{"name":"{}"}}}}"#, "a".repeat(257));
        for bad in [
            "",
            "hello",
            "[]",
            "{}",
            r#"{"event":"media"}"#,
            r#"{"event":"media","media":{"payload":"***"}}"#,
            r#"{"event":"mark"}"#,
            long.as_str(),
        ] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }
}
