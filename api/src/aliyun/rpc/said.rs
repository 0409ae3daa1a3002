//! What a request says: parameters of its query and its body. Lists are flattened (`Name.1=`), or a JSON text.

use super::Fault;
use crate::aliyun::pairs as form;
use serde_json::Value;

/// The pairs of a form.
pub(super) fn pairs(text: &str) -> Option<Vec<(String, String)>> {
    form(text)
}

/// Parameters that are another with each sending.
const SIGNED: [&str; 3] = ["Signature", "SignatureNonce", "Timestamp"];

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Said(Vec<(String, String)>);

impl Said {
    pub(super) fn new(pairs: Vec<(String, String)>) -> Self {
        Self(pairs)
    }

    /// A parameter, if it says something.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        let mut found = self.0.iter().filter(|(known, value)| known == name && !value.is_empty());
        found.next().map(|(_, value)| value.as_str())
    }

    /// What is meant, whoever signed it and when: the same of a request that is sent again.
    pub(super) fn meant(&self) -> String {
        let meant = self.0.iter().filter(|(name, _)| !SIGNED.contains(&name.as_str()));
        let mut pairs: Vec<String> =
            meant.map(|(name, value)| format!("{} {name}={} {value}", name.len(), value.len())).collect();
        pairs.sort();
        pairs.join("&")
    }

    /// A parameter that has to be there.
    pub(super) fn need(&self, name: &str) -> Result<&str, Fault> {
        self.text(name).ok_or_else(|| Fault::missing(name))
    }

    /// A number, if one is said.
    pub(super) fn number(&self, name: &str) -> Result<Option<u64>, Fault> {
        let read =
            |text: &str| text.parse::<u64>().map_err(|_| Fault::invalid(name, "a whole number is expected"));
        self.text(name).map(read).transpose()
    }

    /// A number that has to be there.
    pub(super) fn need_number(&self, name: &str) -> Result<u64, Fault> {
        self.number(name)?.ok_or_else(|| Fault::missing(name))
    }

    /// Yes or no, if it is said.
    pub(super) fn flag(&self, name: &str) -> Result<Option<bool>, Fault> {
        match self.text(name).map(str::to_ascii_lowercase).as_deref() {
            None => Ok(None),
            Some("true") => Ok(Some(true)),
            Some("false") => Ok(Some(false)),
            Some(_) => Err(Fault::invalid(name, "true or false is expected")),
        }
    }

    /// A list of numbers; none if it is not said.
    pub(super) fn numbers(&self, name: &str) -> Result<Option<Vec<u64>>, Fault> {
        let wrong = || Fault::invalid(name, "a list of whole numbers is expected");
        let flat: Vec<&str> = (1..=1_000_u32).map_while(|at| self.text(&format!("{name}.{at}"))).collect();
        if !flat.is_empty() {
            let read = |text: &&str| text.parse::<u64>().map_err(|_| wrong());
            return flat.iter().map(read).collect::<Result<_, _>>().map(Some);
        }
        let Some(text) = self.text(name) else { return Ok(None) };
        let list = match serde_json::from_str(text) {
            Ok(Value::Array(list)) => list,
            Ok(one @ Value::Number(_)) => vec![one],
            _ => return Err(wrong()),
        };
        let read = |value: &Value| match value {
            Value::String(text) => text.parse().ok(),
            other => other.as_u64(),
        };
        list.iter().map(|value| read(value).ok_or_else(wrong)).collect::<Result<_, _>>().map(Some)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_taken_flattened_and_as_json() {
        let said = |text: &str| Said::new(pairs(text).unwrap());
        let list = |text: &str| said(text).numbers("AgentIds").map_err(|fault| fault.message);
        assert_eq!(list("AgentIds.1=7&AgentIds.2=9"), Ok(Some(vec![7, 9])));
        assert_eq!(list("AgentIds=%5B7%2C%229%22%5D"), Ok(Some(vec![7, 9])));
        assert_eq!(list("AgentIds=7"), Ok(Some(vec![7])));
        assert_eq!(list("AgentIds=%5B%5D"), Ok(Some(vec![])));
        assert_eq!(list(""), Ok(None));
        assert!(
            list("AgentIds=seven").is_err()
                && list("AgentIds.1=x").is_err()
                && list("AgentIds=%5B-1%5D").is_err()
        );
        assert_eq!(said("On=True").flag("On").ok(), Some(Some(true)));
        assert!(said("On=1").flag("On").is_err());
        assert_eq!(said("A=").need("A").map_err(|fault| fault.code).err(), Some("MissingParameter"));
    }
}
