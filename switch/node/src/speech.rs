//! Text to speech: one task takes what flows want said, and answers each with the name by which it is played.
//!
//! Invariant: every wish is answered once, if only by a failure. What was made is kept by its content (engine, voice,
//! language, text): on disk, and decoded at the media threads, each up to a size. The same text that is wanted many times
//! at once is made once. No more speech is made at a time than the configuration allows.

mod cache;
mod engine;
mod http;
mod process;

pub use engine::{Engine, Parts, SpeechError, engine};

use crate::config::SpeechMachine;
use crate::media::MediaOrder;
use crate::prompts;
use crate::shard::Order;
use cache::Cache;
use cordboard_lane::Sender;
use cordboard_media::Audio;
use cordboard_model::id::{AssetId, Name, TenantId};
use cordboard_model::speech::Speech;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Semaphore, mpsc};

/// Wishes that may wait for their turn; one more is answered with a failure.
const WAITING: usize = 256;
/// Longest speech: a text of the greatest length at the slowest voice.
const LENGTH_MAX: Duration = Duration::from_secs(600);

/// What a flow wants said.
#[derive(Debug)]
pub struct Wish {
    /// Names it in the answer.
    pub ticket: u64,
    /// For whom.
    pub tenant: TenantId,
    /// What.
    pub speech: Speech,
}

/// What an engine, or the cache, came to.
type Made = (String, Result<Arc<Audio>, SpeechError>);

/// The task.
pub struct Speaker {
    engine: Option<Arc<dyn Engine>>,
    cache: Cache,
    media: Vec<Sender<MediaOrder>>,
    shard: Sender<Order>,
    turns: Arc<Semaphore>,
    time_limit: Duration,
    memory: usize,
    /// Who waits for what, by content.
    waiting: BTreeMap<String, Vec<(u64, AssetId)>>,
    /// What the media threads have: its bytes, and when it was last wanted.
    loaded: BTreeMap<AssetId, (usize, u64)>,
    wishes: u64,
    made: (mpsc::Sender<Made>, mpsc::Receiver<Made>),
}

impl Speaker {
    /// Begins; ends when the shard has.
    pub fn start(
        machine: &SpeechMachine,
        engine: Option<Arc<dyn Engine>>,
        media: Vec<Sender<MediaOrder>>,
        shard: Sender<Order>,
    ) -> mpsc::Sender<Wish> {
        let (wishes, wanted) = mpsc::channel(WAITING);
        let speaker = Self {
            engine,
            cache: Cache::new(machine.cache.clone(), machine.cache_size),
            media,
            shard,
            turns: Arc::new(Semaphore::new(usize::from(machine.at_once))),
            time_limit: machine.time_limit,
            memory: usize::try_from(machine.memory).unwrap_or(usize::MAX),
            waiting: BTreeMap::new(),
            loaded: BTreeMap::new(),
            wishes: 0,
            made: mpsc::channel(WAITING),
        };
        tokio::spawn(speaker.run(wanted));
        wishes
    }

    async fn run(mut self, mut wanted: mpsc::Receiver<Wish>) {
        loop {
            tokio::select! {
                wish = wanted.recv() => match wish {
                    Some(wish) => self.wish(wish).await,
                    None => return,
                },
                Some((key, made)) = self.made.1.recv() => self.made(&key, made).await,
            }
        }
    }

    async fn wish(&mut self, Wish { ticket, tenant, speech }: Wish) {
        let Some(engine) = &self.engine else {
            tracing::warn!("a flow says something, and [speech] names no engine");
            return self.answer(ticket, None).await;
        };
        let key = cache::key(&engine.identity(&speech), &speech.text);
        let Ok(name) = Name::new(&format!("speech.{key}")) else {
            return self.answer(ticket, None).await;
        };
        let asset = AssetId { tenant, name };
        self.wishes += 1;
        if let Some((_, used)) = self.loaded.get_mut(&asset) {
            *used = self.wishes;
            return self.answer(ticket, Some(asset)).await;
        }
        if self.waiting.values().map(Vec::len).sum::<usize>() >= WAITING {
            tracing::warn!("too much speech is wanted at once");
            return self.answer(ticket, None).await;
        }
        let waiting = self.waiting.entry(key.clone()).or_default();
        waiting.push((ticket, asset));
        if waiting.len() > 1 {
            return;
        }
        let (engine, cache, turns) = (Arc::clone(engine), self.cache.clone(), Arc::clone(&self.turns));
        let (made, limit) = (self.made.0.clone(), self.time_limit);
        tokio::spawn(async move {
            let work = make(&*engine, &cache, &key, &speech, &turns);
            // waiting for a turn counts: a caller hears nothing all that time
            let outcome = tokio::time::timeout(limit, work).await.unwrap_or(Err(SpeechError::Late));
            // nobody waits any more when the task has ended
            let _ = made.send((key, outcome)).await;
        });
    }

    async fn made(&mut self, key: &str, made: Result<Arc<Audio>, SpeechError>) {
        let waiting = self.waiting.remove(key).unwrap_or_default();
        let audio = match made {
            Ok(audio) => Some(audio),
            Err(why) => {
                tracing::warn!(%why, "speech cannot be made");
                None
            }
        };
        for (ticket, asset) in waiting {
            let there = audio.as_ref().is_some_and(|audio| self.load(&asset, audio));
            self.answer(ticket, there.then_some(asset)).await;
        }
    }

    /// Gives audio to every media thread. The lanes keep order: a playback that names it comes after it.
    fn load(&mut self, asset: &AssetId, audio: &Arc<Audio>) -> bool {
        if self.loaded.contains_key(asset) {
            return true;
        }
        let order = || MediaOrder::Asset(asset.clone(), Arc::clone(audio));
        if !self.media.iter().all(|thread| thread.try_send(order()).is_ok()) {
            tracing::warn!("a media thread is too busy to take speech");
            return false;
        }
        let bytes = audio.bytes();
        self.loaded.insert(asset.clone(), (bytes, self.wishes));
        self.make_room(asset);
        true
    }

    /// Forgets what was not wanted for longest, but not what was just loaded. Playbacks that are on keep theirs.
    fn make_room(&mut self, newest: &AssetId) {
        let mut taken: usize = self.loaded.values().map(|(bytes, _)| bytes).sum();
        while taken > self.memory {
            let others = self.loaded.iter().filter(|(asset, _)| *asset != newest);
            let Some((oldest, bytes)) =
                others.min_by_key(|(_, (_, used))| *used).map(|(asset, (bytes, _))| (asset.clone(), *bytes))
            else {
                return;
            };
            taken -= bytes;
            self.loaded.remove(&oldest);
            for thread in &self.media {
                // a full lane costs the memory of one speech
                let _ = thread.try_send(MediaOrder::DropAsset(oldest.clone()));
            }
        }
    }

    async fn answer(&self, ticket: u64, asset: Option<AssetId>) {
        let mut order = Order::Spoken { ticket, asset };
        // The lane is full only while the shard is far behind.
        while let Err(back) = self.shard.try_send(order) {
            if self.shard.is_closed() {
                return;
            }
            order = back.item;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// From the disk, or by the engine and then kept there.
async fn make(
    engine: &dyn Engine,
    cache: &Cache,
    key: &str,
    speech: &Speech,
    turns: &Semaphore,
) -> Result<Arc<Audio>, SpeechError> {
    if let Some(bytes) = cache.get(key).await
        && let Ok(audio) = decode(bytes).await
    {
        return Ok(audio);
    }
    let _turn = turns.acquire().await.map_err(|_| SpeechError::Late)?;
    let bytes = engine.speak(speech).await?;
    let audio = decode(bytes.clone()).await?;
    cache.put(key, bytes).await;
    Ok(audio)
}

async fn decode(bytes: Vec<u8>) -> Result<Arc<Audio>, SpeechError> {
    let work = move || prompts::decode(&bytes).map_err(|why| SpeechError::Audio(why.to_string()));
    let audio =
        tokio::task::spawn_blocking(work).await.map_err(|_| SpeechError::Audio("gave up".into()))??;
    match audio.duration() {
        length if length > LENGTH_MAX => Err(SpeechError::Audio(format!("{} s long", length.as_secs()))),
        length if length.is_zero() => Err(SpeechError::Audio("silent".into())),
        _ => Ok(Arc::new(audio)),
    }
}

#[cfg(test)]
mod tests;
