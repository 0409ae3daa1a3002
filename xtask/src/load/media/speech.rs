//! What talkers say, and what the codecs alone cost: by `voices` of the benches, built as the switch is, and on its core.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::traffic::{Speech, Talk, Voice};
use crate::load::machine::on_core;
use crate::steps::{cargo, plain};

/// Speech in every codec.
pub(super) struct Voices {
    program: PathBuf,
    dir: PathBuf,
    said: BTreeMap<&'static str, Talk>,
}

impl Voices {
    /// Builds it, unless told not to, and has everything said for these voices. They come into `dir`.
    pub(super) fn new(root: &Path, dir: &Path, build: bool, voices: [Voice; 2]) -> Result<Self, String> {
        let program = root.join("target").join("release").join("voices");
        if build {
            let command = cargo(root, &["build", "--release", "--package", "cordboard-benches", "--bins"]);
            match plain(command) {
                Ok(true) => {}
                Ok(false) => return Err("the voices could not be built".to_owned()),
                Err(error) => return Err(format!("cargo did not start: {error}")),
            }
        }
        let mut all = Self { program, dir: dir.join("voices"), said: BTreeMap::new() };
        fs::create_dir_all(&all.dir).map_err(|error| format!("{}: {error}", all.dir.display()))?;
        all.run()?;
        for name in voices.into_iter().filter_map(|voice| voice.speech) {
            let talk = Talk { speech: all.read(name)?, word: all.read(&format!("{name}.word"))? };
            all.said.insert(name, talk);
        }
        Ok(all)
    }

    /// What a voice says; `None` for silence.
    pub(super) fn of(&self, voice: Voice) -> Option<Talk> {
        self.said.get(voice.speech?).cloned()
    }

    fn read(&self, name: &str) -> Result<Speech, String> {
        let path = self.dir.join(name);
        let bytes = fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        let packets = packets(&bytes);
        if packets.is_empty() { Err(format!("{} is empty", path.display())) } else { Ok(packets.into()) }
    }

    /// Microseconds that the codecs alone take for a packet, from the one voice to the other and back, on the average.
    pub(super) fn cost(&self, voices: [Voice; 2]) -> Result<f64, String> {
        let said = self.run()?;
        let names = voices.map(|voice| voice.speech.unwrap_or("PCMA"));
        let one = |from: &str, to: &str| {
            let start = format!("{from} {to} ");
            let line = said.lines().find_map(|line| line.strip_prefix(&start));
            let nanos: Option<f64> = line.and_then(|text| text.parse().ok());
            nanos.ok_or_else(|| format!("no cost from {from} to {to} in:\n{said}"))
        };
        Ok((one(names[0], names[1])? + one(names[1], names[0])?) / 2e3)
    }

    fn run(&self) -> Result<String, String> {
        let output = on_core(&self.program, true).arg(&self.dir).output();
        let output = output.map_err(|error| format!("{}: {error}", self.program.display()))?;
        match output.status.success() {
            true => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
            false => Err(format!("the voices: {}", String::from_utf8_lossy(&output.stderr))),
        }
    }
}

/// One payload after another, each behind its length in two octets.
fn packets(mut bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    while let Some((length, rest)) = bytes.split_first_chunk::<2>() {
        let length = usize::from(u16::from_be_bytes(*length));
        let Some((packet, rest)) = rest.split_at_checked(length) else { break };
        all.push(packet.to_vec());
        bytes = rest;
    }
    all
}

#[cfg(test)]
mod tests {
    use super::packets;

    #[test]
    fn packets_of_any_length_are_read_and_half_a_packet_is_none() {
        assert_eq!(packets(&[0, 1, 7, 0, 2, 8, 9, 0, 3, 1]), [vec![7], vec![8, 9]]);
        assert_eq!(packets(&[]), Vec::<Vec<u8>>::new());
    }
}
