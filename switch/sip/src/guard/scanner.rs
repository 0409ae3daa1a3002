//! The signs of tools that ask every address there is: read off the first bytes, before anything is parsed.

/// How far into a message the signs are looked for: tools that scan send short ones.
const PREFIX: usize = 1_024;

/// Whether User-Agent or From of the message names one of the tools, whose words are in lower case.
pub(super) fn is_scanner(bytes: &[u8], words: &[String]) -> bool {
    let prefix = bytes.get(..PREFIX).unwrap_or(bytes);
    prefix.split(|byte| *byte == b'\n').take_while(|line| !matches!(line, [] | [b'\r'])).any(|line| {
        let told = [&b"user-agent:"[..], b"from:", b"f:"].iter().any(|name| begins(line, name));
        told && words.iter().any(|word| holds(line, word.as_bytes()))
    })
}

fn begins(line: &[u8], name: &[u8]) -> bool {
    line.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name))
}

fn holds(line: &[u8], word: &[u8]) -> bool {
    !word.is_empty() && line.windows(word.len()).any(|part| part.eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tool_is_known_by_its_name_in_the_first_bytes() {
        let words: Vec<String> = ["sipvicious", "friendly-scanner"].map(str::to_owned).into();
        let named = |text: &str| is_scanner(text.as_bytes(), &words);
        assert!(named("OPTIONS sip:a SIP/2.0\r\nUser-Agent: Friendly-Scanner\r\n\r\n"));
        assert!(named("OPTIONS sip:a SIP/2.0\r\nf: \"sipvicious\"<sip:100@1.1.1.1>;tag=1\r\n\r\n"));
        assert!(!named("OPTIONS sip:a SIP/2.0\r\nUser-Agent: baresip\r\nSubject: sipvicious\r\n\r\n"));
        assert!(!named("MESSAGE sip:a SIP/2.0\r\n\r\nUser-Agent: sipvicious\r\n"));
        let late =
            format!("OPTIONS sip:a SIP/2.0\r\nX: {}\r\nUser-Agent: sipvicious\r\n\r\n", "a".repeat(2_000));
        assert!(!named(&late) && !named("") && !is_scanner(&[0xff; 3_000], &words));
    }
}
