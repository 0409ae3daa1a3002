//! espeak-ng as a child process: the text goes in by its standard input, audio comes out by its standard output. There is
//! no shell, nothing of the text is an argument, and the child is killed when nobody waits for it any more.

use super::engine::{AUDIO_MAX, Engine, Parts, SpeechError};
use crate::config::SpeechMachine;
use cordboard_model::speech::Speech;
use futures_util::future::BoxFuture;
use std::process::Stdio;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::Command;

/// Most bytes of the child's complaints that are kept.
const COMPLAINT_MAX: u64 = 512;

/// See the module.
pub(super) struct EspeakNg {
    machine: SpeechMachine,
}

impl EspeakNg {
    pub(super) fn new(machine: SpeechMachine) -> Self {
        Self { machine }
    }

    async fn run(&self, speech: &Speech) -> Result<Vec<u8>, SpeechError> {
        let failed = |why: std::io::Error| SpeechError::Engine(format!("{}: {why}", self.machine.command));
        let parts = Parts::of(&self.machine, speech);
        let mut child = Command::new(&self.machine.command)
            .args(["-v", &parts.voice, "-s", &parts.speed.to_string(), "-b", "1", "--stdin", "--stdout"])
            .env_clear()
            .env("LC_ALL", "C.UTF-8")
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(failed)?;
        let (input, output, complaints) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let (Some(mut input), Some(output), Some(complaints)) = (input, output, complaints) else {
            return Err(SpeechError::Engine("it has no standard input and output".into()));
        };
        let write = async move {
            // A child that reads no further says why by its end.
            let _ = input.write_all(speech.text.as_bytes()).await;
            let _ = input.write_all(b"\n").await;
        };
        let (mut audio, mut said) = (Vec::new(), Vec::new());
        let mut output = output.take(AUDIO_MAX as u64 + 1);
        let mut complaints = complaints.take(COMPLAINT_MAX);
        let ((), read, _) =
            tokio::join!(write, output.read_to_end(&mut audio), complaints.read_to_end(&mut said));
        read.map_err(failed)?;
        if audio.len() > AUDIO_MAX {
            return Err(SpeechError::Audio(format!("more than {AUDIO_MAX} bytes")));
        }
        let status = child.wait().await.map_err(failed)?;
        if !status.success() || audio.is_empty() {
            let said = String::from_utf8_lossy(&said).trim().replace('\n', "; ");
            return Err(SpeechError::Refused(format!("{status} {said}")));
        }
        Ok(audio)
    }
}

impl Engine for EspeakNg {
    fn identity(&self, speech: &Speech) -> String {
        let Parts { voice, speed } = Parts::of(&self.machine, speech);
        format!("{}\n{}\n{voice}\n{speed}", self.machine.command, speech.language)
    }

    fn speak<'a>(&'a self, speech: &'a Speech) -> BoxFuture<'a, Result<Vec<u8>, SpeechError>> {
        Box::pin(self.run(speech))
    }
}
