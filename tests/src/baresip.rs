//! baresip as an agent's phone: a second stack that is not ours, for signalling and for audio. It says a tone from a
//! file and writes what it hears into another.

use crate::config::PASSWORD;
use crate::fail::{Fail, fail};
use crate::process::{Process, SOON, wait_for};
use crate::sound::write_tones;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A running baresip.
pub struct Baresip {
    process: Process,
    dir: PathBuf,
}

/// Where Debian has its modules.
const MODULES: &str = "/usr/lib/baresip/modules";

/// What a baresip is to be.
#[derive(Clone, Copy)]
pub struct Setup<'a> {
    /// Whose phone it is.
    pub user: &'a str,
    /// What it says, Hz: all at once.
    pub hertz: &'a [f64],
    /// What stands behind the `@` of its account, with `;transport=`.
    pub switch: &'a str,
    /// Whom it trusts.
    pub ca: Option<&'a Path>,
    /// It takes nothing but secure RTP.
    pub secured: bool,
    /// It speaks Opus and nothing else; otherwise mu-law and nothing else.
    pub opus: bool,
    /// Or G.722 and nothing else.
    pub g722: bool,
    /// Where it listens, 5085 or above; the next one is taken, too. Audio of each port has a hundred of its own.
    pub port: u16,
    /// Whom it calls at once.
    pub dials: Option<&'a str>,
}

impl Default for Setup<'_> {
    fn default() -> Self {
        Self {
            user: "1001",
            hertz: &[660.0],
            switch: "127.0.0.1",
            ca: None,
            secured: false,
            opus: false,
            g722: false,
            port: 5_085,
            dials: None,
        }
    }
}

fn rtp_ports(port: u16) -> [u16; 2] {
    [0, 98].map(|offset| 46_000 + (port - 5_085) * 100 + offset)
}

impl Baresip {
    /// Starts it as the phone of `user`, registering with the switch; it answers every call and says `hertz`. `switch`
    /// is what stands behind the `@` of its account, with `;transport=`; `ca` whom it trusts.
    pub fn start_over(
        dir: &Path,
        user: &str,
        hertz: f64,
        switch: &str,
        ca: Option<&Path>,
    ) -> Result<Self, Fail> {
        Self::start(dir, &Setup { user, hertz: &[hertz], switch, ca, ..Setup::default() })
    }

    /// The same; it takes nothing but secure RTP.
    pub fn start_secured(
        dir: &Path,
        user: &str,
        hertz: f64,
        switch: &str,
        ca: Option<&Path>,
    ) -> Result<Self, Fail> {
        Self::start(dir, &Setup { user, hertz: &[hertz], switch, ca, secured: true, ..Setup::default() })
    }

    /// Starts it; it registers and answers every call.
    pub fn start(dir: &Path, setup: &Setup) -> Result<Self, Fail> {
        let Setup { user, hertz, switch, port, .. } = setup;
        let (module, way) =
            if setup.secured { ("module srtp.so\n", ";mediaenc=srtp-mand") } else { ("", "") };
        let ca = setup
            .ca
            .map_or(String::new(), |ca| format!("sip_cafile {}\nsip_verify_server yes\n", ca.display()));
        // It takes its sound as it lies there, so the file has the codec's rate and channels.
        let (codec, form, opus) = match (setup.opus, setup.g722) {
            (true, _) => ("opus/48000/2", (48_000, 2), "module opus.so\nopus_bitrate 64000\n"),
            (false, true) => ("G722/16000/1", (16_000, 1), "module g722.so\n"),
            (false, false) => ("pcmu", (8_000, 1), ""),
        };
        let dir = dir.join(format!("baresip-{user}"));
        std::fs::create_dir_all(&dir)?;
        write_tones(&dir.join("says.wav"), hertz, 20_000, form)?;
        let [first, last] = rtp_ports(*port);
        let config = format!(
            "sip_listen 127.0.0.1:{port}\nnet_interface 127.0.0.1\nrtp_ports {first}-{last}\n\
             audio_source aufile,{0}/says.wav\naudio_player aufile,{0}/plays.wav\naudio_alert none\n\
             snd_path {0}\nmodule_path {MODULES}\nmodule g711.so\nmodule aufile.so\nmodule sndfile.so\n\
             module_tmp account.so\nmodule_app menu.so\n{module}{opus}{ca}",
            dir.display(),
        );
        std::fs::write(dir.join("config"), config)?;
        let account =
            format!("<sip:{user}@{switch}>;auth_pass={PASSWORD};answermode=auto;audio_codecs={codec}{way}\n");
        std::fs::write(dir.join("accounts"), account)?;
        std::fs::write(dir.join("contacts"), "")?;
        let mut command = Command::new("baresip");
        command.arg("-f").arg(&dir).current_dir(&dir).env("HOME", &dir);
        if let Some(whom) = setup.dials {
            command.arg("-e").arg(format!("/dial {whom}"));
        }
        Ok(Self { process: Process::start("baresip", &dir, command)?, dir })
    }

    /// One with a camera and a screen of its own making and VP8, which takes orders and answers every call; its SIP port.
    pub fn start_with_video(dir: &Path, user: &str, port: u16) -> Result<Self, Fail> {
        let dir = dir.join(format!("baresip-{user}"));
        std::fs::create_dir_all(&dir)?;
        write_tones(&dir.join("says.wav"), &[440.0], 20_000, (8_000, 1))?;
        let rtp = 46_000 + (port - 5_000) * 10;
        let config = format!(
            "sip_listen 127.0.0.1:{port}\nnet_interface 127.0.0.1\nrtp_ports {rtp}-{1}\n\
             audio_source aufile,{0}/says.wav\naudio_player aufile,{0}/plays.wav\naudio_alert none\n\
             video_source fakevideo,nil\nvideo_display fakevideo,nil\nvideo_size 320x240\nvideo_fps 15\n\
             video_bitrate 256000\nmodule_path {MODULES}\nmodule g711.so\nmodule vp8.so\nmodule aufile.so\n\
             module fakevideo.so\nmodule stdio.so\nmodule_tmp account.so\nmodule_app menu.so\n",
            dir.display(),
            rtp + 8
        );
        std::fs::write(dir.join("config"), config)?;
        let account = format!(
            "<sip:{user}@127.0.0.1>;auth_pass={PASSWORD};answermode=auto;audio_codecs=pcmu;video_codecs=vp8\n"
        );
        std::fs::write(dir.join("accounts"), account)?;
        std::fs::write(dir.join("contacts"), "")?;
        let mut command = Command::new("baresip");
        command.arg("-f").arg(&dir).current_dir(&dir).env("HOME", &dir);
        let name = format!("baresip-{user}");
        Ok(Self { process: Process::start_with_input(&name, &dir, command)?, dir })
    }

    /// Types a line, for one with video.
    pub fn order(&mut self, line: &str) -> Result<(), Fail> {
        self.process.type_line(line)
    }

    /// Waits until it has decoded a picture of its partner's, and then until it has measured what came for three seconds.
    pub fn wait_seeing(&mut self) -> Result<(), Fail> {
        let line = "receiving with resolution 320 x 240";
        self.process.wait_text(line, SOON)?;
        self.process.wait_text("audio=6", SOON).map(drop)
    }

    /// The same of the pictures of its so many-th call, of which it says nothing more.
    pub fn wait_seeing_call(&mut self, calls: usize) -> Result<(), Fail> {
        let seen =
            || (self.output().matches("receiving with resolution 320 x 240").count() >= calls).then_some(());
        wait_for("baresip to see pictures", SOON, seen)
    }

    /// Where it hears audio and reports, for the one that listens at `port`: `first:last`.
    pub fn ports(port: u16) -> String {
        let [first, last] = rtp_ports(port);
        format!("{first}:{last}")
    }

    /// What it printed.
    pub fn output(&self) -> String {
        self.process.output()
    }

    /// The file with what it heard in its (only) call, complete when the call is over.
    /// Its own path must be short: baresip cuts names at 128 bytes.
    pub fn heard(&self) -> Result<PathBuf, Fail> {
        for entry in std::fs::read_dir(&self.dir)? {
            let path = entry?.path();
            if path.to_string_lossy().ends_with("-dec.wav") {
                return Ok(path);
            }
        }
        fail(format!("baresip wrote nothing of what it heard; it said:\n{}", self.output()))
    }

    /// Waits until it has written down so many bytes of what it heard.
    pub fn wait_heard(&self, bytes: u64) -> Result<(), Fail> {
        let len = || std::fs::metadata(self.heard().ok()?).ok().map(|file| file.len());
        let seen = wait_for("a phone to hear something", SOON, || len().filter(|len| *len >= bytes));
        seen.map(drop)
            .map_err(|why| Fail(format!("{why}; it heard {:?}; it said:\n{}", len(), self.output())))
    }

    /// Ends it as Ctrl-C does; it unregisters.
    pub fn stop(&mut self) -> Result<(), Fail> {
        self.process.signal(2)?;
        self.process.wait_success(SOON)
    }
}
