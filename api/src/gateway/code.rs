//! Result codes: the reference's numbers, each with the words that go into `message`.

use serde_json::Value;

/// A result that is not `"0"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Code(pub(crate) &'static str, pub(crate) &'static str);

/// Why a request is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) code: Code,
    /// What is wrong here; may be empty.
    pub(crate) detail: String,
}

impl Fault {
    pub(crate) fn new(code: Code, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into() }
    }

    /// `message`.
    pub(crate) fn message(&self) -> String {
        match self.detail.is_empty() {
            true => self.code.1.to_owned(),
            false => format!("{}: {}", self.code.1, self.detail),
        }
    }

    /// The envelope.
    pub(crate) fn body(&self) -> Value {
        serde_json::json!({ "message": self.message(), "retcode": self.code.0, "result": {} })
    }
}

impl From<Code> for Fault {
    fn from(code: Code) -> Self {
        Self { code, detail: String::new() }
    }
}

macro_rules! codes {
    ($($name:ident = $number:literal, $words:literal;)*) => {
        impl Code {
            $(pub(crate) const $name: Code = Code($number, $words);)*
            /// All of them, for the list in the docs.
            #[cfg(test)]
            pub(crate) const ALL: &'static [Code] = &[$(Code::$name),*];
        }
    };
}

codes! {
    METHOD = "000-001", "there is no such method";
    PARAMETER = "000-002", "a parameter is wrong";
    NO_RIGHT = "000-003", "no right: the guid has lapsed, or this agent may not";
    SELF_INSPECTION = "000-005", "an inspector does not inspect himself";
    MESSAGE = "000-006", "the body cannot be read";
    SIGN_IN_EMPTY = "100-001", "a parameter of the sign-in is missing";
    SIGNED_IN = "100-002", "the agent is signed in already";
    UNAVAILABLE = "100-003", "the switch has no room for it now";
    WRONG_PASSWORD = "100-004", "the agent or the password is wrong";
    NOT_SIGNED_IN = "100-006", "the agent is not signed in";
    INTERNAL = "100-007", "the switch could not do it";
    STATE = "100-009", "the state cannot be set";
    SIGN_OUT_STATE = "100-010", "nobody signs out during a call";
    SIGN_IN_ILLEGAL = "100-011", "a parameter of the sign-in is not valid";
    AGENT_TYPE = "100-012", "the agent type is not served";
    PHONE = "100-013", "the phone cannot be bound";
    ADDRESS = "100-016", "the ip is no IPv4 address";
    TENANT = "100-018", "it is not clear which tenant's agent is meant";
    SKILLS = "100-019", "the skills cannot be read";
    PASSWORD_EXPIRED = "100-020", "the password has expired";
    SIGNING_IN = "100-021", "a sign-in of this agent is under way";
    TEXT_EMPTY = "106-002", "the message is empty";
    TEXT_SESSIONS = "106-003", "nobody has so many chats";
    TEXT_DEVICE = "106-004", "a chat is not sent there";
    PASSWORD_LOCKED = "110-021", "too many passwords were wrong; try again later";
    CALL_OUT = "200-001", "the number cannot be called";
    ANSWER = "200-002", "there is no call to answer";
    MUTE_CALL = "200-003", "there is no call to mute";
    MUTE_STATE = "200-004", "the call cannot be muted now";
    UNMUTE_CALL = "200-007", "there is no call to unmute";
    UNMUTE_STATE = "200-008", "the call cannot be unmuted now";
    JOIN_CALL = "200-010", "there is no call to join";
    JOIN_HELD = "200-011", "there is no held call to join";
    TRANSFER = "200-012", "the call cannot be transferred";
    HOLD_CALL = "200-013", "there is no call to hold";
    HOLD_STATE = "200-014", "the call cannot be held now";
    RETRIEVE_CALL = "200-015", "there is no call to retrieve";
    RETRIEVE_STATE = "200-016", "the call is not held";
    RELEASE = "200-017", "there is no call to release";
    HELP = "200-018", "the help call failed";
    NOT_IN_CALL = "200-204", "the number is not in the latest call";
    AGENT_RIGHT = "300-001", "the agent may not ask about another";
    NO_SUCH_AGENT = "300-002", "there is no such agent";
    DATA_CALL = "400-001", "there is no such call";
    HELD_NONE = "400-003", "no call is held";
    RECORD_PAUSE = "500-004", "the recording cannot be paused now";
    RECORD_RESUME = "500-006", "the recording cannot be resumed now";
    RECORD_START = "500-008", "the recording cannot be begun now";
    RECORD_STOP = "500-009", "no recording can be stopped now";
    AGENT_SKILL = "600-001", "the agent has no skill";
    TENANT_SKILL = "600-005", "the tenant has no skill";
    QC_RIGHT = "900-002", "the agent is no inspector";
    QC_RESOURCE = "900-003", "the inspector cannot be reached, or the call has one";
    QC_AGENT = "900-004", "there is no such agent at work";
    QC_STATE = "900-005", "the agent's state does not allow it";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_result_code_is_there_once_in_order_and_has_words() {
        assert!(Code::ALL.windows(2).all(|two| two[0].0 < two[1].0));
        assert!(Code::ALL.iter().all(|code| code.0.len() == 7 && !code.1.is_empty()));
    }
}
