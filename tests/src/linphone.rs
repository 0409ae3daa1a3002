//! linphone as a phone: a third stack that is not ours, driven by its own command line. It says a tone from a file and
//! writes what it hears into another.

use crate::config::PASSWORD;
use crate::fail::{Fail, fail};
use crate::process::{Process, SOON, wait_for};
use crate::sound::{is_tone, read_mono, write_tone};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// A loaded machine may take its time to start a phone.
const START: Duration = Duration::from_secs(20);
/// A quarter of a second of what it heard, samples.
const PART: usize = 2_000;

/// How a linphone reaches the switch.
#[derive(Clone, Copy, Debug)]
pub struct Way<'a> {
    /// `udp`, `tcp` or `tls`.
    pub transport: &'a str,
    /// The switch: host and port.
    pub switch: &'a str,
    /// Its own address.
    pub ip: &'a str,
    /// Whom it trusts, for `tls`: a file of certificates.
    pub ca: Option<&'a Path>,
    /// `none`, or `srtp`: then it takes nothing else.
    pub encryption: &'a str,
}

impl Way<'_> {
    /// UDP over IPv4.
    pub const UDP: Way<'static> =
        Way { transport: "udp", switch: "127.0.0.1:5060", ip: "127.0.0.1", ca: None, encryption: "none" };
    /// TCP over IPv4.
    pub const TCP: Way<'static> =
        Way { transport: "tcp", switch: "127.0.0.1:5060", ip: "127.0.0.1", ca: None, encryption: "none" };
}

/// A running linphone.
pub struct Linphone {
    process: Process,
    dir: PathBuf,
}

impl Linphone {
    /// Starts it as the phone of `user`, which is a number; it registers and says `hertz` in its calls. With `answers`
    /// it takes every call at once.
    pub fn start(dir: &Path, user: &str, way: Way<'_>, hertz: f64, answers: bool) -> Result<Self, Fail> {
        let dir = dir.join(format!("linphone-{user}"));
        for folder in [".local/share/linphone", ".config/linphone"] {
            std::fs::create_dir_all(dir.join(folder))?;
        }
        write_tone(&dir.join("says.wav"), hertz, 30_000)?;
        std::fs::write(dir.join("rc"), settings(user, way)?)?;
        let mut command = Command::new("linphonec");
        if answers {
            command.arg("-a");
        }
        command.args(["-d", "6", "-c"]).arg(dir.join("rc")).arg("-l").arg(dir.join("log"));
        command.current_dir(&dir).env("HOME", &dir);
        let mut process = Process::start_with_input(&format!("linphone-{user}"), &dir, command)?;
        process.wait_text("linphonec>", START)?;
        let mut phone = Self { process, dir };
        phone.order("soundcard use files")?;
        let (says, heard) = (phone.dir.join("says.wav"), phone.dir.join("heard.wav"));
        phone.order(&format!("play {}", says.display()))?;
        phone.order(&format!("record {}", heard.display()))?;
        Ok(phone)
    }

    /// Types a line.
    pub fn order(&mut self, line: &str) -> Result<(), Fail> {
        self.process.type_line(line)
    }

    /// Waits until a line that it printed holds `text`.
    pub fn wait_line(&mut self, text: &str, limit: Duration) -> Result<(), Fail> {
        let waited = self.process.wait_text(text, limit);
        waited.map(|_| ()).map_err(|why| Fail(format!("{why}; its log ends:\n{}", self.log_end())))
    }

    /// What it printed and the end of its log.
    pub fn said(&self) -> String {
        format!("{}\n{}", self.process.output(), self.log_end())
    }

    fn log_end(&self) -> String {
        let log = std::fs::read(self.dir.join("log")).unwrap_or_default();
        let text = String::from_utf8_lossy(&log).into_owned();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(60)..].join("\n")
    }

    /// Waits until it has written down two seconds of what it hears.
    pub fn wait_hearing(&self) -> Result<(), Fail> {
        let path = self.dir.join("heard.wav");
        let seen = wait_for("linphone to write down two seconds", START, || {
            std::fs::metadata(&path).ok().filter(|file| file.len() >= 32_000)
        });
        seen.map(|_| ()).map_err(|why| Fail(format!("{why}; it said:\n{}", self.said())))
    }

    /// Waits until it has written down two seconds more than it has now.
    pub fn wait_hearing_on(&self) -> Result<(), Fail> {
        let path = self.dir.join("heard.wav");
        let size = || std::fs::metadata(&path).map_or(0, |file| file.len());
        let before = size();
        let seen = wait_for("linphone to write down two seconds more", START, || {
            (size() >= before + 32_000).then_some(())
        });
        seen.map_err(|why| Fail(format!("{why}; it said:\n{}", self.said())))
    }

    /// Fails unless what it heard holds this tone for three quarters of a second. Its file is complete when the call is
    /// over.
    pub fn ensure_heard(&self, hertz: f64) -> Result<(), Fail> {
        let heard = read_mono(&self.dir.join("heard.wav"))?;
        let tones = heard.chunks_exact(PART).filter(|part| is_tone(part, hertz)).count();
        if tones >= 3 {
            return Ok(());
        }
        fail(format!(
            "linphone heard {hertz} Hz in {tones} of {} parts; it said:\n{}",
            heard.len() / PART,
            self.said()
        ))
    }

    /// Ends it as its user does.
    pub fn stop(&mut self) -> Result<(), Fail> {
        self.order("quit")?;
        self.process.wait(SOON).map(|_| ())
    }
}

/// Its configuration file.
fn settings(user: &str, way: Way<'_>) -> Result<String, Fail> {
    let number: u16 = user.parse()?;
    let Way { transport, switch, ip, ca, encryption } = way;
    let mandatory = u8::from(encryption != "none");
    let own = if ip.contains(':') { format!("[{ip}]") } else { ip.to_owned() };
    // Ten ports each: a phone's second call must not take those of the next phone.
    let (port, rtp) = (4_000 + number, 6_000 + number % 1_000 * 10);
    let port_of = |name: &str| if name == transport { port.to_string() } else { "0".to_owned() };
    let ca = ca.map_or(String::new(), |ca| format!("root_ca={}\nverify_server_certs=1\n", ca.display()));
    let realm = "localhost";
    let v6 = u8::from(ip.contains(':'));
    Ok(format!(
        "[sip]\nsip_port={}\nsip_tcp_port={}\nsip_tls_port={}\nuse_ipv6={v6}\nbind_address={ip}\n\
         default_proxy=0\nguess_hostname=0\ncontact=sip:{user}@{own}:{port}\nmedia_encryption={encryption}\n\
         media_encryption_mandatory={mandatory}\n{ca}\
         [rtp]\naudio_rtp_port={rtp}\n[sound]\nplayback_dev_id=null\n\
         [proxy_0]\nreg_proxy=<sip:{switch};transport={transport}>\nreg_identity=sip:{user}@localhost\n\
         reg_expires=600\nreg_sendregister=1\npublish=0\n\
         [auth_info_0]\nusername={user}\npasswd={PASSWORD}\nrealm={realm}\ndomain=localhost\n",
        port_of("udp"),
        port_of("tcp"),
        port_of("tls"),
    ))
}
