//! The task with engines of its own making, and with espeak-ng itself.

use super::*;
use crate::config::SpeechEngine;
use cordboard_lane::{Receiver, lane};
use cordboard_model::id::TenantId;
use futures_util::future::BoxFuture;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// A folder for one test, removed when the test ends.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        Self(std::env::temp_dir().join(format!("cordboard-speech-{name}-{}", std::process::id())))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn machine(scratch: &Scratch, engine: SpeechEngine) -> SpeechMachine {
    SpeechMachine { engine, cache: scratch.0.clone(), allow_private: true, ..SpeechMachine::default() }
}

fn wish(ticket: u64, text: &str, language: &str) -> Wish {
    let speech = Speech { text: text.into(), language: language.into(), voice: None };
    Wish { ticket, tenant: TenantId::DEFAULT, speech }
}

/// The task with one media thread's lane and the shard's.
struct Rig {
    wishes: mpsc::Sender<Wish>,
    media: Receiver<MediaOrder>,
    shard: Receiver<Order>,
}

impl Rig {
    fn new(machine: &SpeechMachine, engine: Option<Arc<dyn Engine>>) -> Self {
        let (to_media, media) = lane("media", 64);
        let (to_shard, shard) = lane("shard", 64);
        Self { wishes: Speaker::start(machine, engine, vec![to_media], to_shard), media, shard }
    }

    fn real(machine: &SpeechMachine) -> Self {
        Self::new(machine, engine(machine).unwrap())
    }

    async fn wish(&self, wish: Wish) {
        self.wishes.send(wish).await.unwrap();
    }

    /// The next answer: ticket and asset.
    async fn answer(&mut self) -> (u64, Option<AssetId>) {
        for _ in 0..4_000 {
            match self.shard.pop() {
                Some(Order::Spoken { ticket, asset }) => return (ticket, asset),
                Some(other) => panic!("{other:?}"),
                None => tokio::time::sleep(Duration::from_millis(5)).await,
            }
        }
        panic!("no answer");
    }

    /// What the media thread has been given.
    fn given(&mut self) -> Vec<(AssetId, Option<Arc<Audio>>)> {
        let mut all = Vec::new();
        while let Some(order) = self.media.pop() {
            match order {
                MediaOrder::Asset(asset, audio) => all.push((asset, Some(audio))),
                MediaOrder::DropAsset(asset) => all.push((asset, None)),
                other => panic!("{other:?}"),
            }
        }
        all
    }
}

/// Says each text as a second of audio; "slow" never, "bad" as no audio, "refuse" not at all.
#[derive(Default)]
struct Parrot {
    made: AtomicU32,
    at_once: AtomicU32,
    most: AtomicU32,
}

impl Engine for Parrot {
    fn identity(&self, speech: &Speech) -> String {
        speech.language.clone()
    }

    fn speak<'a>(&'a self, speech: &'a Speech) -> BoxFuture<'a, Result<Vec<u8>, SpeechError>> {
        Box::pin(async move {
            self.made.fetch_add(1, SeqCst);
            let now = self.at_once.fetch_add(1, SeqCst) + 1;
            self.most.fetch_max(now, SeqCst);
            tokio::time::sleep(Duration::from_millis(30)).await;
            self.at_once.fetch_sub(1, SeqCst);
            match speech.text.as_str() {
                "slow" => std::future::pending().await,
                "bad" => Ok(b"<html>".to_vec()),
                "refuse" => Err(SpeechError::Refused("no such voice".into())),
                _ => Ok(prompts::wav_of(&[1_000; 8_000], 8_000, 1)),
            }
        })
    }
}

#[tokio::test]
async fn the_same_text_is_made_once_however_many_want_it_and_comes_from_disk_after_a_restart() {
    let scratch = Scratch::new("once");
    let parrot = Arc::new(Parrot::default());
    let machine = machine(&scratch, SpeechEngine::None);
    let mut rig = Rig::new(&machine, Some(Arc::clone(&parrot) as _));
    for ticket in 0..5 {
        rig.wish(wish(ticket, "hello", "en")).await;
    }
    let mut heard = Vec::new();
    for _ in 0..5 {
        heard.push(rig.answer().await);
    }
    heard.sort();
    let asset = heard[0].1.clone().unwrap();
    assert!(
        heard.iter().enumerate().all(|(n, (ticket, a))| *ticket == n as u64 && *a == Some(asset.clone()))
    );
    let given = rig.given();
    assert!(matches!(&given[..], [(name, Some(audio))] if *name == asset && audio.duration().as_secs() == 1));
    rig.wish(wish(9, "hello", "de")).await;
    assert_ne!(rig.answer().await.1, Some(asset.clone()), "another language is another speech");
    assert_eq!(parrot.made.load(SeqCst), 2);
    let mut later = Rig::new(&machine, Some(Arc::clone(&parrot) as _));
    later.wish(wish(1, "hello", "en")).await;
    assert_eq!(later.answer().await, (1, Some(asset)));
    assert_eq!(parrot.made.load(SeqCst), 2, "from the disk");
}

#[tokio::test]
async fn an_engine_that_fails_or_hangs_or_lies_is_an_answer_in_time() {
    let scratch = Scratch::new("fails");
    let limit = Duration::from_millis(300);
    let machine = SpeechMachine { time_limit: limit, ..machine(&scratch, SpeechEngine::None) };
    let mut rig = Rig::new(&machine, Some(Arc::new(Parrot::default())));
    for (ticket, text) in ["refuse", "bad", "slow"].into_iter().enumerate() {
        rig.wish(wish(ticket as u64, text, "en")).await;
        assert_eq!(rig.answer().await, (ticket as u64, None), "{text}");
    }
    let mut none = Rig::new(&machine, None);
    none.wish(wish(7, "hello", "en")).await;
    assert_eq!(none.answer().await, (7, None), "no engine at all");
    rig.wish(wish(8, "hello", "en")).await;
    assert!(rig.answer().await.1.is_some(), "the others go on");
}

#[tokio::test]
async fn no_more_is_made_at_once_than_allowed_and_memory_has_a_bound() {
    let scratch = Scratch::new("bounds");
    let parrot = Arc::new(Parrot::default());
    // a second takes 32,000 bytes
    let machine = SpeechMachine { at_once: 2, memory: 100_000, ..machine(&scratch, SpeechEngine::None) };
    let mut rig = Rig::new(&machine, Some(Arc::clone(&parrot) as _));
    for ticket in 0..6u64 {
        rig.wish(wish(ticket, &format!("text {ticket}"), "en")).await;
    }
    for _ in 0..6 {
        assert!(rig.answer().await.1.is_some());
    }
    assert_eq!(parrot.most.load(SeqCst), 2);
    let (new, gone): (Vec<_>, Vec<_>) = rig.given().into_iter().partition(|(_, audio)| audio.is_some());
    assert_eq!((new.len(), gone.len()), (6, 3), "three of them fit");
}

#[tokio::test]
async fn espeak_ng_says_english_and_chinese_and_a_voice_it_does_not_have_is_refused() {
    let scratch = Scratch::new("espeak");
    let mut rig = Rig::real(&machine(&scratch, SpeechEngine::EspeakNg));
    for (ticket, text, language) in [
        (1, "Your call will be answered in two minutes; $(touch /tmp/x) `id` \"quoted\".", "en"),
        (2, "\u{60a8}\u{597d}\u{ff0c}\u{8bf7}\u{7a0d}\u{5019}", "zh"),
    ] {
        rig.wish(wish(ticket, text, language)).await;
        assert!(rig.answer().await.1.is_some(), "{language}");
        let given = rig.given();
        let [(_, Some(audio))] = &given[..] else { panic!("{given:?}") };
        let ms = audio.duration().as_millis();
        assert!((700..20_000).contains(&ms), "{language}: {ms} ms");
        let power = audio.pcm().iter().map(|s| f64::from(*s).powi(2)).sum::<f64>() / audio.pcm().len() as f64;
        assert!(power.sqrt() > 300.0, "{language} is silent: {power}");
    }
    rig.wish(wish(3, "hello", "klingon-of-the-north")).await;
    assert_eq!(rig.answer().await, (3, None));
}

#[tokio::test]
async fn speech_of_espeak_ng_has_more_than_the_telephone_band() {
    let scratch = Scratch::new("espeak-wide");
    let mut rig = Rig::real(&machine(&scratch, SpeechEngine::EspeakNg));
    rig.wish(wish(1, "Six sisters sit still.", "en")).await;
    assert!(rig.answer().await.1.is_some());
    let given = rig.given();
    let [(_, Some(audio))] = &given[..] else { panic!("{given:?}") };
    assert_eq!(audio.rate(), 16_000);
}

#[tokio::test]
async fn a_program_that_hangs_is_killed_and_one_that_is_not_there_is_an_answer() {
    let scratch = Scratch::new("hangs");
    std::fs::create_dir_all(&scratch.0).unwrap();
    let (script, pid) = (scratch.0.join("hangs"), scratch.0.join("pid"));
    std::fs::write(&script, format!("#!/bin/sh\necho $$ > {}\nexec /bin/sleep 600\n", pid.display()))
        .unwrap();
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).unwrap();
    let slow = SpeechMachine {
        command: script.display().to_string(),
        time_limit: Duration::from_millis(1_500),
        ..machine(&scratch, SpeechEngine::EspeakNg)
    };
    let mut rig = Rig::real(&slow);
    rig.wish(wish(1, "hello", "en")).await;
    assert_eq!(rig.answer().await, (1, None));
    let pid = std::fs::read_to_string(&pid).unwrap();
    let alive = || {
        let state = std::fs::read_to_string(format!("/proc/{}/stat", pid.trim()));
        state.is_ok_and(|state| !state.contains(") Z"))
    };
    for _ in 0..200 {
        if !alive() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(!alive(), "the child is killed");
    let gone = SpeechMachine { command: "/nowhere/espeak-ng".into(), ..slow };
    let mut rig = Rig::real(&gone);
    rig.wish(wish(2, "hello", "en")).await;
    assert_eq!(rig.answer().await, (2, None));
}

/// Answers one request with `status` and `audio`; gives back what came.
async fn serve(status: &str, audio: Vec<u8>) -> (u16, tokio::task::JoinHandle<String>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let head =
        format!("HTTP/1.1 {status}\r\nContent-Type: audio/wav\r\nContent-Length: {}\r\n\r\n", audio.len());
    let handle = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut came = Vec::new();
        let mut buf = [0; 4_096];
        while !came.ends_with(b"}") {
            let n = stream.read(&mut buf).await.unwrap();
            assert!(n > 0, "cut short");
            came.extend_from_slice(&buf[..n]);
        }
        stream.write_all(head.as_bytes()).await.unwrap();
        stream.write_all(&audio).await.unwrap();
        String::from_utf8(came).unwrap()
    });
    (port, handle)
}

#[tokio::test]
async fn a_service_behind_http_is_asked_in_its_own_words_with_the_key_and_its_refusal_is_an_answer() {
    let scratch = Scratch::new("http");
    let (port, came) = serve("200 OK", prompts::wav_of(&[2_000; 24_000], 24_000, 1)).await;
    let mut service = SpeechMachine {
        url: format!("http://127.0.0.1:{port}/v1/audio/speech?fast=1"),
        body: r#"{"model":"tts-1","input":{text},"voice":{voice},"response_format":"wav"}"#.into(),
        key: Some(cordboard_model::config::Secret("sesame".into())),
        ..machine(&scratch, SpeechEngine::Http)
    };
    let mut rig = Rig::real(&service);
    rig.wish(wish(1, "Good morning", "en")).await;
    assert!(rig.answer().await.1.is_some());
    let came = came.await.unwrap();
    assert!(came.starts_with("POST /v1/audio/speech?fast=1 HTTP/1.1\r\n"), "{came}");
    assert!(came.to_lowercase().contains("authorization: bearer sesame\r\n"), "{came}");
    let body = r#"{"model":"tts-1","input":"Good morning","voice":"en-us","response_format":"wav"}"#;
    assert!(came.ends_with(body), "{came}");

    let (port, _refused) = serve("402 Payment Required", b"no more money".to_vec()).await;
    service.url = format!("http://127.0.0.1:{port}/");
    let mut rig = Rig::real(&service);
    rig.wish(wish(2, "Good evening", "en")).await;
    assert_eq!(rig.answer().await, (2, None));

    service.allow_private = false;
    let mut rig = Rig::real(&service);
    rig.wish(wish(3, "Good night", "en")).await;
    assert_eq!(rig.answer().await, (3, None), "a private address must be allowed");
}
