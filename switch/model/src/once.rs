//! What opens once, and sessions that enterprises' pages have begun: what has to be known after a restart, too, lest a thing
//! that was shown before opens again.

use crate::id::{AgentId, Name};
use crate::signin::TokenHash;
use crate::time::Wall;
use serde::{Deserialize, Serialize};

/// A token or a signature that opens once, by a hash of it and of whose it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OnceMark {
    /// The hash.
    pub mark: [u8; 16],
    /// Until when it would be taken: it is remembered as long.
    pub until: Wall,
    /// When it was shown.
    pub at: Wall,
}

/// How a request that may come again was answered, kept as long as it may.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OnceAnswer {
    /// Of who asked and his key, as in the [`OnceMark`] from before it was carried out.
    pub mark: [u8; 16],
    /// A hash of what was asked.
    pub request: [u8; 32],
    /// Until when it is remembered.
    pub until: Wall,
    /// When it was answered.
    pub at: Wall,
    /// The answer, as the control plane reads it.
    pub answer: String,
}

/// A session that an enterprise's page has begun, as it is kept. Of its tokens there are hashes alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PageSession {
    /// Its id, which opens nothing.
    pub id: Name,
    /// Whose.
    pub agent: AgentId,
    /// SHA-256 of its present token.
    pub token: TokenHash,
    /// SHA-256 of what the next token is had for.
    pub refresh: TokenHash,
    /// The same of the one before, and when it was used.
    #[serde(default)]
    pub before: Option<(TokenHash, Wall)>,
    /// Where it was begun, as it is told where the agent is signed in.
    pub place: String,
    /// When it was begun or went on.
    pub at: Wall,
}
