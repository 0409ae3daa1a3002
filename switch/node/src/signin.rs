//! Sign-ins that the API carries: the shard says what is to be looked at, that is done beside it, and the shard decides.

use crate::hashing::Hasher;
use crate::switch::{NodeSwitch, ask};
use cordboard_api::switch::{AgentCaller, Later, Refusal, SignIn, SignedIn};
use cordboard_core::signin::{Ask, NewSession};
use cordboard_model::config::Secret;
use cordboard_model::id::AgentId;
use cordboard_model::signin::{SessionView, TOKEN_PREFIX, TokenHash};
use ring::rand::{SecureRandom, SystemRandom};
use sha2::{Digest, Sha256};

/// Random bytes of a token.
const TOKEN: usize = 32;

/// A token that nobody can guess, and its hash, which is all that is kept of it.
fn token() -> Result<(String, TokenHash), Refusal> {
    use base64::Engine;
    let mut bytes = [0; TOKEN];
    let random = SystemRandom::new().fill(&mut bytes);
    random.map_err(|_| Refusal::Internal("the operating system gives no random bytes".to_owned()))?;
    let text = format!("{TOKEN_PREFIX}{}", base64::prelude::BASE64_URL_SAFE_NO_PAD.encode(bytes));
    let hash = hash_of(&text);
    Ok((text, hash))
}

fn hash_of(token: &str) -> TokenHash {
    TokenHash(Sha256::digest(token).into())
}

impl NodeSwitch {
    pub(crate) fn sign_in_by(&self, order: SignIn) -> Later<SignedIn> {
        let (orders, hasher): (_, Hasher) = (self.orders.clone(), self.hasher.clone());
        // who asked may give up: what was begun is ended all the same
        let work = tokio::spawn(async move {
            let SignIn { agent, password, new, session, address, by } = order;
            let tenant = agent.tenant;
            let made = session.is_some().then(token).transpose()?;
            let (token, hash) = made.unzip();
            let session = session.map(|wanted| NewSession {
                token: hash,
                place: wanted.place,
                address: address.clone(),
                phone: false,
                take_over: wanted.take_over,
            });
            let mut question = Ask { agent, password, new, session, from: address, by, version: 0 };
            let begun = ask(orders.clone(), move |shard| {
                let now = shard.now();
                let work = shard.begin_sign_in(&mut question, now);
                work.map(|work| (work, question))
            });
            let (work, question) = begun.await?.map_err(Refusal::SignIn)?;
            let hashed = hasher.work(Some(tenant), work).await;
            let done = ask(orders, move |shard| {
                let now = shard.now();
                shard.finish_sign_in(question, hashed, now)
            });
            done.await?.map_err(Refusal::SignIn)?;
            Ok(SignedIn { token: token.map(Secret) })
        });
        Box::pin(async move { work.await.unwrap_or_else(|why| Err(Refusal::Internal(why.to_string()))) })
    }

    pub(crate) fn unlock(&self, agent: AgentId, by: String) -> Later<Vec<String>> {
        let answer = self.later(move |shard| {
            if shard.agent(&agent).is_none() {
                return Err(Refusal::NotFound(format!("agent {agent}")));
            }
            let now = shard.now();
            Ok(vec![match shard.unlock_sign_in(&agent, by, now) {
                true => format!("agent {agent} may sign in: wrong passwords of before count no longer"),
                false => format!("no wrong passwords of agent {agent} counted"),
            }])
        });
        Box::pin(async move { answer.await? })
    }

    pub(crate) fn session_by(&self, token: &str) -> Later<AgentCaller> {
        let hash = hash_of(token);
        let answer = self.later(move |shard| {
            let now = shard.now();
            shard.signed(&hash, now)
        });
        Box::pin(async move {
            let signed = answer.await?.ok_or_else(|| Refusal::NotFound("no such session".to_owned()))?;
            Ok(AgentCaller { agent: signed.agent, supervisor: signed.supervisor })
        })
    }

    pub(crate) fn session_at(&self, agent: AgentId) -> Later<Option<SessionView>> {
        let answer = self.later(move |shard| match shard.agent(&agent) {
            Some(_) => Ok(shard.session_of(&agent)),
            None => Err(Refusal::NotFound(format!("agent {agent}"))),
        });
        Box::pin(async move { answer.await? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_long_random_and_kept_as_its_hash_alone() {
        let ((one, hash), (two, _)) = (token().unwrap(), token().unwrap());
        assert_eq!(one.len(), TOKEN_PREFIX.len() + 43);
        assert_ne!(one, two);
        assert_eq!(hash_of(&one), hash);
        assert_ne!(hash_of(&two), hash);
    }
}
