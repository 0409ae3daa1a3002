//! baresip as an agent's phone: a second stack that is not ours, for signalling and for audio. It says a tone from a
//! file and writes what it hears into another.

use crate::config::PASSWORD;
use crate::fail::{Fail, fail};
use crate::process::Process;
use crate::sound::write_tone;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A running baresip.
pub struct Baresip {
    process: Process,
    dir: PathBuf,
}

/// Where Debian has its modules.
const MODULES: &str = "/usr/lib/baresip/modules";

impl Baresip {
    /// Starts it as the phone of `user`, registering with the switch at 127.0.0.1:5060; it answers every call and says
    /// `hertz`.
    pub fn start(dir: &Path, user: &str, hertz: f64) -> Result<Self, Fail> {
        Self::start_over(dir, user, hertz, "127.0.0.1", None)
    }

    /// The same by another way: `switch` is what stands behind the `@` of its account, with `;transport=`; `ca` whom it
    /// trusts.
    pub fn start_over(
        dir: &Path,
        user: &str,
        hertz: f64,
        switch: &str,
        ca: Option<&Path>,
    ) -> Result<Self, Fail> {
        Self::start_as(dir, user, hertz, switch, ca, false)
    }

    /// The same; it takes nothing but secure RTP.
    pub fn start_secured(
        dir: &Path,
        user: &str,
        hertz: f64,
        switch: &str,
        ca: Option<&Path>,
    ) -> Result<Self, Fail> {
        Self::start_as(dir, user, hertz, switch, ca, true)
    }

    fn start_as(
        dir: &Path,
        user: &str,
        hertz: f64,
        switch: &str,
        ca: Option<&Path>,
        secured: bool,
    ) -> Result<Self, Fail> {
        let (module, way) = if secured { ("module srtp.so\n", ";mediaenc=srtp-mand") } else { ("", "") };
        let ca =
            ca.map_or(String::new(), |ca| format!("sip_cafile {}\nsip_verify_server yes\n", ca.display()));
        let dir = dir.join("baresip");
        std::fs::create_dir_all(&dir)?;
        write_tone(&dir.join("says.wav"), hertz, 20_000)?;
        let config = format!(
            "sip_listen 127.0.0.1:5085\nnet_interface 127.0.0.1\nrtp_ports 46000-46100\n\
             audio_source aufile,{0}/says.wav\naudio_player aufile,{0}/plays.wav\naudio_alert none\n\
             snd_path {0}\nmodule_path {MODULES}\nmodule g711.so\nmodule aufile.so\nmodule sndfile.so\n\
             module_tmp account.so\nmodule_app menu.so\n{module}{ca}",
            dir.display()
        );
        std::fs::write(dir.join("config"), config)?;
        let account =
            format!("<sip:{user}@{switch}>;auth_pass={PASSWORD};answermode=auto;audio_codecs=pcmu{way}\n");
        std::fs::write(dir.join("accounts"), account)?;
        std::fs::write(dir.join("contacts"), "")?;
        let mut command = Command::new("baresip");
        command.arg("-f").arg(&dir).current_dir(&dir).env("HOME", &dir);
        Ok(Self { process: Process::start("baresip", &dir, command)?, dir })
    }

    /// What it printed.
    pub fn output(&self) -> String {
        self.process.output()
    }

    /// The file with what it heard in its (only) call, complete when the call is over.
    pub fn heard(&self) -> Result<PathBuf, Fail> {
        for entry in std::fs::read_dir(&self.dir)? {
            let path = entry?.path();
            if path.to_string_lossy().ends_with("-dec.wav") {
                return Ok(path);
            }
        }
        fail(format!("baresip wrote nothing of what it heard; it said:\n{}", self.output()))
    }

    /// Ends it as Ctrl-C does; it unregisters.
    pub fn stop(&mut self) -> Result<(), Fail> {
        self.process.signal(2)?;
        self.process.wait_success(std::time::Duration::from_secs(10))
    }
}
