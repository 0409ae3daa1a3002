//! Every message of RFC 4475 and RFC 5118, sent to the running switch over UDP: answered as the RFC asks, and a call
//! works afterwards. What each message is about stands in tests/torture and in the RFCs.

use crate::common::{AGENT, CALLER, Phone, SOON, answers_when_told, at, calls, field, hear_each_other};
use cordboard_tests::Fail;
use cordboard_tests::config::Config;
use cordboard_tests::fail::{Outcome, ensure, fail};
use cordboard_tests::process::wait_for;
use cordboard_tests::switch::Switch;
use std::net::UdpSocket;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Nothing may be answered.
pub const SILENCE: &[u16] = &[];
/// A well-formed INVITE of a stranger: asked who he is, or told that there is nobody.
const INVITE: &[u16] = &[401, 403, 404, 407, 480, 482, 484, 488];
/// A well-formed OPTIONS.
const OPTIONS: &[u16] = &[200, 401, 404];
/// A well-formed REGISTER.
const REGISTER: &[u16] = &[401, 403, 404];
/// Malformed, and to be said so.
const BAD: &[u16] = &[400];
/// Malformed in a way that a liberal reader may forgive.
const BAD_INVITE: &[u16] = &[400, 401, 403, 404, 407, 480, 482, 484, 488];
const BAD_OPTIONS: &[u16] = &[400, 200, 401, 404];

/// Name, section of RFC 4475, answers that are right.
pub const RFC4475: &[(&str, &[u16])] = &[
    ("wsinv", &[401, 403, 404, 407, 480, 481, 482, 488]), // 3.1.1.1, with a To tag
    ("intmeth", &[401, 404, 405, 407, 501]),              // 3.1.1.2
    ("esc01", INVITE),                                    // 3.1.1.3
    ("escnull", REGISTER),                                // 3.1.1.4
    ("esc02", &[401, 404, 405, 501]),                     // 3.1.1.5, not a REGISTER
    ("lwsdisp", OPTIONS),                                 // 3.1.1.6
    ("longreq", INVITE),                                  // 3.1.1.7
    ("dblreq", REGISTER),                                 // 3.1.1.8
    ("semiuri", OPTIONS),                                 // 3.1.1.9
    ("transports", OPTIONS),                              // 3.1.1.10
    ("mpart01", &[200, 202, 401, 404, 405, 415, 481, 501]), // 3.1.1.11, MESSAGE
    ("unreason", SILENCE),                                // 3.1.1.12, a response
    ("noreason", SILENCE),                                // 3.1.1.13, a response
    ("badinv01", BAD),                                    // 3.1.2.1
    ("clerr", BAD),                                       // 3.1.2.2
    ("ncl", BAD),                                         // 3.1.2.3
    ("scalar02", BAD),                                    // 3.1.2.4
    ("scalarlg", SILENCE),                                // 3.1.2.5, a response
    ("quotbal", BAD_INVITE),                              // 3.1.2.6
    ("ltgtruri", BAD_INVITE),                             // 3.1.2.7
    ("lwsruri", BAD),                                     // 3.1.2.8
    ("lwsstart", BAD_INVITE),                             // 3.1.2.9
    ("trws", BAD_OPTIONS),                                // 3.1.2.10
    ("escruri", BAD_INVITE),                              // 3.1.2.11
    ("baddate", BAD_INVITE),                              // 3.1.2.12
    ("regbadct", &[400, 401, 403, 404]),                  // 3.1.2.13
    ("badaspec", BAD_OPTIONS),                            // 3.1.2.14
    ("baddn", BAD_OPTIONS),                               // 3.1.2.15
    ("badvers", &[505]),                                  // 3.1.2.16
    ("mismatch01", BAD),                                  // 3.1.2.17
    ("mismatch02", &[400, 501]),                          // 3.1.2.18
    ("bigcode", SILENCE),                                 // 3.1.2.19, a response
    ("badbranch", BAD_OPTIONS),                           // 3.2.1
    ("insuf", BAD),                                       // 3.3.1
    ("unkscm", &[416]),                                   // 3.3.2
    ("novelsc", &[404, 416]),                             // 3.3.3
    ("unksm2", &[400, 401, 404, 416]),                    // 3.3.4
    ("bext01", &[420]),                                   // 3.3.5
    ("invut", &[401, 404, 407, 415]),                     // 3.3.6
    ("regaut01", &[401, 403, 404]),                       // 3.3.7
    ("multi01", BAD),                                     // 3.3.8
    ("mcl01", BAD),                                       // 3.3.9
    ("bcast", SILENCE),                                   // 3.3.10, a response
    ("zeromf", &[200, 401, 404, 483]),                    // 3.3.11
    ("cparam01", REGISTER),                               // 3.3.12
    ("cparam02", REGISTER),                               // 3.3.13
    ("regescrt", REGISTER),                               // 3.3.14
    ("sdp01", &[400, 401, 404, 406, 407]),                // 3.3.15
    ("inv2543", INVITE),                                  // 3.4.1
    ("test", &[400, 0]),                                  // in the archive alone
];

/// The same for RFC 5118, section 4.
pub const RFC5118: &[(&str, &[u16])] = &[
    ("ipv6-good", REGISTER),                             // 4.1
    ("ipv6-bad", BAD),                                   // 4.2
    ("port-ambiguous", REGISTER),                        // 4.3
    ("port-unambiguous", REGISTER),                      // 4.4
    ("via-received-param-with-delim", &[401, 404, 481]), // 4.5, BYE
    ("via-received-param-no-delim", OPTIONS),            // 4.5
    ("ipv6-in-sdp", INVITE),                             // 4.6
    ("mult-ip-in-header", &[401, 404, 481]),             // 4.7, BYE
    ("mult-ip-in-sdp", INVITE),                          // 4.8
    ("ipv4-mapped-ipv6", INVITE),                        // 4.9
    ("ipv6-bug-abnf-3-colons", BAD_OPTIONS),             // 4.10
    ("ipv6-correct-abnf-2-colons", OPTIONS),             // 4.10
];

pub fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("torture").join(name)
}

pub fn rfc4475(dir: &Path) -> Outcome {
    let files: Vec<_> = RFC4475.iter().map(|(name, wanted)| (format!("{name}.dat"), *wanted)).collect();
    torture(dir, "rfc4475", &files)
}

pub fn rfc5118(dir: &Path) -> Outcome {
    let files: Vec<_> = RFC5118.iter().map(|(name, wanted)| ((*name).to_owned(), *wanted)).collect();
    torture(dir, "rfc5118-crlf", &files)?;
    // The archive's own copies have bare LF and lengths that do not fit: nothing is due but survival.
    let switch = Switch::restart(dir)?;
    let tester = Tester::new()?;
    for (name, _) in &files {
        tester.send(&std::fs::read(folder("rfc5118").join(name))?)?;
    }
    tester.probe(0)?;
    works(dir, &switch)
}

fn torture(dir: &Path, set: &str, files: &[(String, &[u16])]) -> Outcome {
    let on_disk = std::fs::read_dir(folder(set))?.count();
    ensure(on_disk == files.len(), || format!("{on_disk} files in {set}, {} judged", files.len()))?;
    let switch = Switch::start(dir, &Config::new(dir)?.agent("1001").queue("").trunk())?;
    let mut wrong = Vec::new();
    for (index, (name, wanted)) in files.iter().enumerate() {
        // Answers go to the port that the message's Via names: a new tester owns it for each.
        let bytes = std::fs::read(folder(set).join(name))?;
        let tester = Tester::for_message(&bytes)?;
        tester.send(&bytes)?;
        let answers = tester.answers(&bytes, wanted, index)?;
        let right = match answers.as_slice() {
            [] => wanted.is_empty() || wanted.contains(&0),
            answers => answers.iter().all(|status| wanted.contains(status)),
        };
        if !right {
            wrong.push(format!("{name}: {answers:?}, not {wanted:?}"));
        }
    }
    ensure(wrong.is_empty(), || format!("{}\nits log:\n{}", wrong.join("\n"), switch.log()))?;
    works(dir, &switch)
}

/// A call with audio both ways.
pub fn works(dir: &Path, switch: &Switch) -> Outcome {
    let mut agent = Phone::registered(dir, "1001", 5071, &answers_when_told(), AGENT)?;
    let mut caller = Phone::by_trunk(dir, "501", &calls(), CALLER)?;
    agent.answers_now()?;
    hear_each_other(&mut caller, &mut agent)?;
    caller.hangs_up()?;
    agent.ended()?;
    let cdr = wait_for("the record of the call", SOON, || {
        let newest = switch.api.list("/api/v1/cdrs?limit=1").ok()?;
        newest.into_iter().find(|cdr| at(cdr, "to.user") == "501")
    })?;
    field(&cdr, "cause", "normal")?;
    switch.ensure_nothing_left()
}

/// Who sends, and owns the ports that answers go to (RFC 3261 18.2.2).
pub struct Tester {
    main: UdpSocket,
    more: Vec<UdpSocket>,
}

const TESTER: &str = "127.0.0.9";

impl Tester {
    pub fn new() -> Result<Self, Fail> {
        let main = UdpSocket::bind((TESTER, 5060))?;
        main.set_read_timeout(Some(Duration::from_millis(2)))?;
        Ok(Self { main, more: Vec::new() })
    }

    fn for_message(bytes: &[u8]) -> Result<Self, Fail> {
        let mut tester = Self::new()?;
        for port in ports(bytes) {
            if let Ok(socket) = UdpSocket::bind((TESTER, port)) {
                socket.set_read_timeout(Some(Duration::from_millis(2)))?;
                tester.more.push(socket);
            }
        }
        Ok(tester)
    }

    fn send(&self, bytes: &[u8]) -> Outcome {
        self.main.send_to(bytes, "127.0.0.1:5060")?;
        Ok(())
    }

    /// Sends an OPTIONS and waits for its answer: whatever came before it has been dealt with. Gives what else came.
    pub fn probe(&self, number: usize) -> Result<Vec<String>, Fail> {
        let text = format!(
            "OPTIONS sip:127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP {TESTER}:5060;branch=z9hG4bK-probe-{number}\r\n\
             From: <sip:probe@{TESTER}>;tag=p\r\nTo: <sip:127.0.0.1>\r\nCall-ID: probe-{number}\r\nCSeq: 1 OPTIONS\r\n\
             Max-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
        );
        self.send(text.as_bytes())?;
        let end = Instant::now() + SOON;
        let mut others = Vec::new();
        while Instant::now() < end {
            let (probes, texts): (Vec<_>, Vec<_>) =
                self.read().into_iter().partition(|text| text.contains("z9hG4bK-probe-"));
            others.extend(texts);
            if !probes.is_empty() {
                others.extend(self.read());
                return Ok(others);
            }
        }
        fail(format!("the switch answered no OPTIONS after message {number}"))
    }

    fn read(&self) -> Vec<String> {
        let mut buf = vec![0; 65_535];
        let mut texts = Vec::new();
        for socket in std::iter::once(&self.main).chain(&self.more) {
            while let Ok((len, _)) = socket.recv_from(&mut buf) {
                texts.push(String::from_utf8_lossy(&buf[..len]).into_owned());
            }
        }
        texts
    }

    /// The final answers to a message. Where one is wanted it is waited for.
    fn answers(&self, bytes: &[u8], wanted: &[u16], number: usize) -> Result<Vec<u16>, Fail> {
        let marks = marks(bytes);
        let mut found = Vec::new();
        let mut take = |texts: Vec<String>| {
            found.extend(texts.iter().filter_map(|text| final_answer(text, &marks)));
            found.len()
        };
        take(self.probe(number)?);
        let end = Instant::now() + SOON;
        let due = !wanted.is_empty() && !wanted.contains(&0);
        while due && take(self.read()) == 0 && Instant::now() < end {}
        Ok(found)
    }
}

/// The status of a final answer to the message with these marks.
pub fn final_answer(text: &str, marks: &[String]) -> Option<u16> {
    let ours = marks.iter().any(|mark| text.contains(mark.as_str()));
    let status = text.strip_prefix("SIP/2.0 ").and_then(|rest| rest.get(..3))?.parse::<u16>().ok()?;
    Some(status).filter(|status| ours && *status >= 200)
}

/// What an answer repeats of the message: Call-IDs, or the branch where there is none.
pub fn marks(bytes: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(bytes).into_owned();
    let values = |names: &[&str]| -> Vec<String> {
        let of = |line: &str| {
            let (name, value) = line.split_once(':')?;
            let known = names.iter().any(|known| name.trim().eq_ignore_ascii_case(known));
            known.then(|| value.trim().to_owned()).filter(|value| !value.is_empty())
        };
        text.lines().filter_map(of).collect()
    };
    let mut marks = values(&["Call-ID", "i"]);
    // The name and its value may stand on two lines.
    marks
        .extend(text.lines().filter(|line| line.starts_with([' ', '\t'])).map(|line| line.trim().to_owned()));
    if marks.is_empty() {
        let branch = text.split("branch=").nth(1).map(|rest| rest.split([';', '\r', '\n']).next());
        marks.extend(branch.flatten().map(str::to_owned));
    }
    marks.retain(|mark| mark.len() > 4);
    // dblreq holds a second message, which must not be answered as such: its Call-ID is no mark of the first.
    marks.truncate(3);
    marks
}

/// The ports that the message's Via headers name, except 5060, and TLS's own.
fn ports(bytes: &[u8]) -> Vec<u16> {
    let text = String::from_utf8_lossy(bytes).into_owned();
    let vias = text.lines().filter(|line| {
        let name = line.split(':').next().unwrap_or_default().trim();
        name.eq_ignore_ascii_case("via") || name.eq_ignore_ascii_case("v") || line.starts_with(' ')
    });
    let numbers =
        vias.flat_map(|line| line.split([':', ';', ' ', ',']).map(str::to_owned).collect::<Vec<_>>());
    let mut ports: Vec<u16> =
        numbers.filter_map(|n| n.trim().parse().ok()).filter(|p| *p > 1_023 && *p != 5_060).collect();
    ports.push(5_061);
    ports.sort_unstable();
    ports.dedup();
    ports
}
