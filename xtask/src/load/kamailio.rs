//! Kamailio as a stateful proxy that stays in the dialog (`record_route`), in the switch's place: same core, same
//! addresses, same SIPp.
//!
//! It is the yardstick of `load signalling --against kamailio`, and no like for like: a proxy passes messages on. It
//! keeps no dialog, binds no audio ports and writes no record.

use std::fs::{self, File};
use std::io;
use std::net::UdpSocket;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::machine::{cpu, on_core};
use super::place::{CALLED, NUMBER, PROBE, SIP};

/// Where Debian keeps it; not on the path of everybody.
const BINARY: &str = "/usr/sbin/kamailio";

/// A running Kamailio; it ends with this value.
pub(super) struct Kamailio {
    child: Child,
}

/// Numbers go where the switch sends them. One process reads UDP, for there is one core.
fn configuration(dir: &Path) -> String {
    format!(
        r##"#!KAMAILIO
debug=0
log_stderror=yes
children=1
auto_aliases=no
disable_tcp=yes
listen=udp:{SIP}
run_dir="{dir}"
loadmodule "tm.so"
loadmodule "rr.so"
loadmodule "sl.so"
loadmodule "pv.so"
loadmodule "maxfwd.so"
loadmodule "textops.so"
loadmodule "siputils.so"
request_route {{
    if (!mf_process_maxfwd_header("10")) {{ sl_send_reply("483", "Too Many Hops"); exit; }}
    if (has_totag()) {{
        if (loose_route()) {{ t_relay(); exit; }}
        if (is_method("ACK")) {{ if (t_check_trans()) t_relay(); exit; }}
        sl_send_reply("404", "Not Found");
        exit;
    }}
    if (is_method("CANCEL")) {{ if (t_check_trans()) t_relay(); exit; }}
    if (!is_method("INVITE")) {{ sl_send_reply("405", "Method Not Allowed"); exit; }}
    record_route();
    if ($rU == "{NUMBER}") {{ $du = "sip:{CALLED}:5060"; }} else {{ $du = "sip:{PROBE}:5060"; }}
    t_relay();
}}
"##,
        dir = dir.display()
    )
}

impl Kamailio {
    pub(super) fn start(dir: &Path) -> Result<Self, String> {
        if !Path::new(BINARY).exists() {
            return Err("there is no Kamailio; install the Debian package kamailio".to_owned());
        }
        let wrong = |error: io::Error| format!("Kamailio did not start: {error}");
        let config = dir.join("kamailio.cfg");
        fs::write(&config, configuration(dir)).map_err(wrong)?;
        let log = File::create(dir.join("kamailio.out")).map_err(wrong)?;
        let mut command = on_core(BINARY, true);
        // In the foreground: -DD keeps the first process as the parent of the others.
        command.args(["-DD", "-E", "-m", "256", "-M", "16", "-f"]).arg(&config);
        command.arg("-Y").arg(dir).arg("-P").arg(dir.join("kamailio.pid"));
        command.current_dir(dir).stdin(Stdio::null());
        command.stdout(log.try_clone().map_err(wrong)?).stderr(log);
        let mut kamailio = Self { child: command.spawn().map_err(wrong)? };
        let begun = Instant::now();
        // Once its address is taken, and its reader is there, it listens.
        while UdpSocket::bind(SIP).is_ok() || kamailio.readers().len() < 3 {
            let ended = kamailio.child.try_wait().ok().flatten().is_some();
            if ended || begun.elapsed() > Duration::from_secs(10) {
                let said = fs::read_to_string(dir.join("kamailio.out")).unwrap_or_default();
                return Err(format!("Kamailio did not become ready:\n{said}"));
            }
            sleep(Duration::from_millis(20));
        }
        Ok(kamailio)
    }

    /// Its processes beside the first.
    fn readers(&self) -> Vec<u32> {
        let pid = self.child.id();
        let list = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
        list.split_whitespace().filter_map(|word| word.parse().ok()).collect()
    }

    /// User and system time of all of its processes so far, seconds.
    pub(super) fn cpu(&self) -> f64 {
        let all = self.readers().into_iter().chain([self.child.id()]);
        all.filter_map(cpu).sum()
    }
}

impl Drop for Kamailio {
    fn drop(&mut self) {
        // Asked, the first ends the others; killed, it would leave them.
        let asked = Command::new("kill").arg(self.child.id().to_string()).status();
        let begun = Instant::now();
        while asked.is_ok() && begun.elapsed() < Duration::from_secs(5) {
            if self.child.try_wait().ok().flatten().is_some() {
                return;
            }
            sleep(Duration::from_millis(20));
        }
        for reader in self.readers() {
            // What is left of it is of no use to anybody.
            let _ = Command::new("kill").args(["-9", &reader.to_string()]).status();
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
