//! Passwords become hashes, and are compared with them, here alone: argon2id with the parameters that OWASP names, 19 MiB and
//! two passes. That takes tens of milliseconds, so it is done beside all other threads.
//!
//! Invariants: so many are worked on at a time, so many wait, and one more is refused: a flood of tries costs no more memory
//! and no more time than that. No tenant takes more than half of the places, so that a flood at one keeps nobody of another
//! out. A password is in no line of the log.

use crate::shard::Order;
use argon2::password_hash::{PasswordHasher, PasswordVerifier, SaltString};
use argon2::{Algorithm, Argon2, PasswordHash as Known};
use cordboard_lane::Sender;
use cordboard_model::id::TenantId;
use cordboard_model::signin::{HashWork, Hashed, IN_MEMORY, PasswordHash};
use ring::rand::{SecureRandom, SystemRandom};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

/// Most that wait for their turn.
const WAITING: usize = 64;
/// Most that are worked on at a time, each with its 19 MiB; half of the processors if they are fewer.
const AT_ONCE: usize = 4;
/// Bytes of a salt (RFC 9106 3.1).
const SALT: usize = 16;
/// The salt of what is thrown away.
const NOBODY: &[u8; SALT] = b"nobody has this.";
/// Most memory, KiB, and most passes of a hash that the configuration gives.
const MEMORY_MAX: u32 = 65_536;
const PASSES_MAX: u32 = 8;

/// What a flow has looked at, with the name of its answer.
#[derive(Debug)]
pub struct Job {
    /// Names it in the answer.
    pub ticket: u64,
    /// Whose agent it is of.
    pub tenant: TenantId,
    /// What is to be done.
    pub work: Box<HashWork>,
}

/// Whose password it is: of an agent of a tenant, or of somebody who administrates.
type Whose = Option<TenantId>;

/// Does what is asked for, or refuses it.
#[derive(Clone, Debug)]
pub struct Hasher {
    places: Arc<Semaphore>,
    turns: Arc<Semaphore>,
    /// How many places each has.
    shares: Arc<Mutex<BTreeMap<Whose, usize>>>,
    /// Most of them.
    share: usize,
    refused: Arc<AtomicU64>,
}

/// A place that counts for somebody until it is let go.
struct Place {
    whose: Whose,
    shares: Arc<Mutex<BTreeMap<Whose, usize>>>,
    _place: OwnedSemaphorePermit,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut shares = self.shares.lock().unwrap_or_else(PoisonError::into_inner);
        let left = shares.get(&self.whose).copied().unwrap_or_default().saturating_sub(1);
        match left {
            0 => shares.remove(&self.whose),
            left => shares.insert(self.whose, left),
        };
    }
}

impl Hasher {
    /// Counts in `refused` what there was no room for.
    pub fn new(refused: Arc<AtomicU64>) -> Self {
        let processors = std::thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get);
        let turns = (processors / 2).clamp(1, AT_ONCE);
        Self::sized(turns + WAITING, turns, refused)
    }

    fn sized(places: usize, turns: usize, refused: Arc<AtomicU64>) -> Self {
        Self {
            places: Arc::new(Semaphore::new(places)),
            turns: Arc::new(Semaphore::new(turns)),
            shares: Arc::default(),
            share: places.div_ceil(2),
            refused,
        }
    }

    fn place(&self, whose: Whose) -> Option<Place> {
        let mut shares = self.shares.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = shares.get(&whose).copied().unwrap_or_default();
        if taken >= self.share {
            return None;
        }
        let place = Arc::clone(&self.places).try_acquire_owned().ok()?;
        shares.insert(whose, taken + 1);
        Some(Place { whose, shares: Arc::clone(&self.shares), _place: place })
    }

    /// What comes of it; busy at once if too many wait, of this tenant or of all. Of people who administrate there is no tenant.
    pub async fn work(&self, whose: Option<TenantId>, work: HashWork) -> Hashed {
        let Some(_place) = self.place(whose) else {
            self.refused.fetch_add(1, Relaxed);
            return Hashed::Busy;
        };
        let Ok(turn) = Arc::clone(&self.turns).acquire_owned().await else {
            return Hashed::Busy;
        };
        // who asked may give up: the turn lasts as long as the work all the same
        let done = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            hashed(&work)
        });
        done.await.unwrap_or(Hashed::Busy)
    }
}

/// Takes the work of flows; ends when the shard has.
pub fn start(hasher: Hasher, shard: Sender<Order>) -> mpsc::Sender<Job> {
    let (jobs, mut taken) = mpsc::channel::<Job>(WAITING);
    tokio::spawn(async move {
        while let Some(Job { ticket, tenant, work }) = taken.recv().await {
            let (hasher, shard) = (hasher.clone(), shard.clone());
            tokio::spawn(async move {
                let hashed = hasher.work(Some(tenant), *work).await;
                answer(&shard, Order::Hashed { ticket, hashed }).await;
            });
        }
    });
    jobs
}

async fn answer(shard: &Sender<Order>, mut order: Order) {
    // The lane is full only while the shard is far behind.
    while let Err(back) = shard.try_send(order) {
        if shard.is_closed() {
            return;
        }
        order = back.item;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// All of it, on the thread that calls.
pub fn hashed(work: &HashWork) -> Hashed {
    let right = match &work.check {
        None => true,
        Some((password, Some(known))) => is(&password.0, known),
        Some((password, None)) => {
            // nobody has this password: to say so takes as long as it does where somebody has one
            let _ = make(&password.0, NOBODY);
            false
        }
    };
    let Some((new, former)) = work.make.as_ref().filter(|_| right) else {
        return Hashed::Done { right, used: false, made: None };
    };
    if former.iter().any(|known| is(&new.0, known)) {
        return Hashed::Done { right, used: true, made: None };
    }
    let mut salt = [0; SALT];
    let made = SystemRandom::new().fill(&mut salt).ok().and_then(|()| make(&new.0, &salt));
    made.map_or(Hashed::Busy, |made| Hashed::Done { right, used: false, made: Some(made) })
}

/// Whether it is the password of that hash. The two are compared in constant time.
fn is(password: &str, known: &PasswordHash) -> bool {
    if let Some(known) = known.0.strip_prefix(IN_MEMORY) {
        // It takes as long as with a password that is kept: who asks does not learn which of them it is.
        let _ = make(password, NOBODY);
        return is_configured(password, known);
    }
    let known = Known::new(&known.0);
    known.is_ok_and(|known| Argon2::default().verify_password(password.as_bytes(), &known).is_ok())
}

/// Its hash, as PHC writes it.
fn make(password: &str, salt: &[u8; SALT]) -> Option<PasswordHash> {
    let salt = SaltString::encode_b64(salt).ok()?;
    let made = Argon2::default().hash_password(password.as_bytes(), &salt).ok()?;
    Some(PasswordHash(made.to_string()))
}

/// What a password that stands in the environment is compared with. It is made at each reading of the configuration, for
/// each agent, and nothing else is learnt from it than the environment shows: so it costs no 30 ms, and is never written down
/// ([`PasswordHash::may_be_kept`]).
pub(crate) fn configured(tenant: &str, agent: &str, password: &str) -> String {
    let digest = Sha256::digest(format!("{}:{tenant}/{agent}/{password}", tenant.len()));
    let digits: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{IN_MEMORY}{tenant}/{agent}/{digits}")
}

/// Whether it is the password of one that [`configured`] has made. The digests are compared: how far they agree says nothing of
/// the password.
fn is_configured(password: &str, known: &str) -> bool {
    let mut parts = known.split('/');
    let (Some(tenant), Some(agent)) = (parts.next(), parts.next()) else { return false };
    configured(tenant, agent, password).strip_prefix(IN_MEMORY) == Some(known)
}

/// The hash of a password, with a salt that nobody else has.
///
/// # Errors
/// The operating system gives no random bytes.
pub fn new_hash(password: &str) -> Result<String, String> {
    let mut salt = [0; SALT];
    let random = SystemRandom::new().fill(&mut salt).ok();
    random.and_then(|()| make(password, &salt)).map(|made| made.0).ok_or_else(|| "no random bytes".to_owned())
}

/// Whether a text is a hash that can be compared with, at a price that can be paid at each try.
pub(crate) fn is_hash(text: &str) -> bool {
    let Ok(known) = Known::new(text) else { return false };
    let argon = Algorithm::try_from(known.algorithm).is_ok_and(|kind| kind == Algorithm::Argon2id);
    let params = argon2::Params::try_from(&known);
    argon
        && known.hash.is_some()
        && params.is_ok_and(|params| params.m_cost() <= MEMORY_MAX && params.t_cost() <= PASSES_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use cordboard_model::config::Secret;

    fn secret(text: &str) -> Secret {
        Secret(text.into())
    }

    fn made(password: &str) -> PasswordHash {
        let work = HashWork { check: None, make: Some((secret(password), Vec::new())) };
        match hashed(&work) {
            Hashed::Done { right: true, used: false, made: Some(made) } => made,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_hash_is_argon2id_with_19_mib_and_two_passes_and_never_the_same_twice() {
        let (one, two) = (made("correct7"), made("correct7"));
        assert!(one.0.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", one.0);
        assert_ne!(one, two);
        assert!(is_hash(&one.0));
        assert!(is("correct7", &one) && is("correct7", &two) && !is("correct8", &one));
    }

    #[test]
    fn a_new_password_is_made_only_for_who_knows_the_old_one_and_not_of_a_former_one() {
        let (old, former) = (made("correct7"), made("former-1"));
        let work = |password: &str, new: &str| HashWork {
            check: Some((secret(password), Some(old.clone()))),
            make: Some((secret(new), vec![old.clone(), former.clone()])),
        };
        assert_eq!(
            hashed(&work("wrong-77", "other-11")),
            Hashed::Done { right: false, used: false, made: None }
        );
        assert_eq!(
            hashed(&work("correct7", "former-1")),
            Hashed::Done { right: true, used: true, made: None }
        );
        let Hashed::Done { right: true, used: false, made: Some(made) } =
            hashed(&work("correct7", "other-11"))
        else {
            panic!()
        };
        assert!(is("other-11", &made));
    }

    #[test]
    fn where_there_is_no_password_every_one_is_wrong() {
        let work = HashWork { check: Some((secret("correct7"), None)), make: None };
        assert_eq!(hashed(&work), Hashed::Done { right: false, used: false, made: None });
    }

    #[test]
    fn a_password_of_the_environment_is_compared_and_never_written_down() {
        let one = configured("default", "1001", "correct7");
        assert_eq!(configured("default", "1001", "correct7"), one);
        assert_ne!(configured("default", "1002", "correct7"), one);
        assert!(!is_hash(&one), "nobody may configure one");
        assert!(!one.contains("correct7"));
        let known = PasswordHash(one);
        assert!(!known.may_be_kept() && made("correct7").may_be_kept());
        assert!(is("correct7", &known) && !is("correct8", &known) && !is("", &known));
        assert!(!is("correct7", &PasswordHash(IN_MEMORY.to_owned())));
    }

    #[test]
    fn a_hash_of_the_configuration_is_one_that_can_be_paid_at_each_try() {
        let one = new_hash("correct7").unwrap();
        assert!(is_hash(&one) && is("correct7", &PasswordHash(one)));
        for other in [
            "correct7",
            "$argon2i$v=19$m=19456,t=2,p=1$c29tZXNhbHQ$iWh06vD8Fy27wf9npn6FXWiCX4K6pW6Ue1Bnzz07Z8A",
            "$argon2id$v=19$m=1048576,t=2,p=1$c29tZXNhbHQ$iWh06vD8Fy27wf9npn6FXWiCX4K6pW6Ue1Bnzz07Z8A",
            "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHQ",
        ] {
            assert!(!is_hash(other), "{other}");
        }
    }

    /// Begins so many that wait for a turn, for as long as there are places.
    async fn waiting(hasher: &Hasher, whose: Whose, count: usize) -> Vec<tokio::task::JoinHandle<Hashed>> {
        let before = hasher.places.available_permits();
        let begin = |_| {
            let (hasher, work) = (hasher.clone(), a_try());
            tokio::spawn(async move { hasher.work(whose, work).await })
        };
        let tries = (0..count).map(begin).collect();
        while before - hasher.places.available_permits() < count {
            tokio::task::yield_now().await;
        }
        tries
    }

    fn a_try() -> HashWork {
        HashWork { check: Some((secret("correct7"), None)), make: None }
    }

    #[tokio::test]
    async fn a_flood_of_tries_is_refused_and_not_queued_for_ever() {
        let refused = Arc::new(AtomicU64::new(0));
        let hasher = Hasher::sized(6, 1, Arc::clone(&refused));
        let held = Arc::clone(&hasher.turns).acquire_owned().await.unwrap();
        let tries = waiting(&hasher, Some(TenantId::DEFAULT), 3).await;
        assert_eq!(hasher.work(Some(TenantId::DEFAULT), a_try()).await, Hashed::Busy);
        assert_eq!(refused.load(Relaxed), 1);
        drop(held);
        for one in tries {
            assert!(matches!(one.await.unwrap(), Hashed::Done { right: false, .. }));
        }
        let again = hasher.work(Some(TenantId::DEFAULT), a_try()).await;
        assert!(matches!(again, Hashed::Done { .. }), "and then there is room again");
        assert!(hasher.shares.lock().unwrap().is_empty());
    }

    /// A flood at the agents of one tenant kept those of all others out, and who administrates, too.
    #[tokio::test]
    async fn no_tenant_takes_the_places_of_another() {
        let refused = Arc::new(AtomicU64::new(0));
        let hasher = Hasher::sized(4, 1, Arc::clone(&refused));
        let held = Arc::clone(&hasher.turns).acquire_owned().await.unwrap();
        let other = TenantId::new("other").unwrap();
        let flood = waiting(&hasher, Some(TenantId::DEFAULT), 2).await;
        assert_eq!(hasher.work(Some(TenantId::DEFAULT), a_try()).await, Hashed::Busy);
        let mut all = waiting(&hasher, Some(other), 1).await;
        all.extend(waiting(&hasher, None, 1).await);
        assert_eq!(hasher.work(Some(other), a_try()).await, Hashed::Busy, "all places are taken");
        assert_eq!(refused.load(Relaxed), 2);
        drop(held);
        for one in flood.into_iter().chain(all) {
            assert!(matches!(one.await.unwrap(), Hashed::Done { right: false, .. }));
        }
    }
}
