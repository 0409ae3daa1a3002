//! `cordboard recording`: checks recordings and opens sealed ones, without the switch.

use crate::cli::{DecryptArgs, KeyArgs, VerifyArgs};
use crate::recordings::sealed::{MasterKey, SealError};
use crate::recordings::{audio, keys, manifest};
use crate::reload;
use std::path::Path;

/// The keys that are named on the command line, or those of the configuration.
fn keys_of(args: &KeyArgs) -> Result<Vec<MasterKey>, String> {
    if args.key.is_empty() {
        let loaded = reload::read(&args.config);
        let loaded = loaded.map_err(|faults| match faults.first() {
            Some(fault) => format!("{fault}\nno key was given, and the configuration cannot be read"),
            None => "the configuration cannot be read".to_owned(),
        })?;
        return Ok(loaded.machine.recordings.keys);
    }
    let key = |given: &String| match given.split_once('=') {
        Some((id, reference)) => {
            keys::load(id, reference, Path::new(".")).map_err(|why| format!("--key {id}: {why}"))
        }
        None => Err(format!("--key {given}: expected ID=env:NAME or ID=file:PATH")),
    };
    args.key.iter().map(key).collect()
}

/// Checks files against their manifests; a line for each.
///
/// # Errors
/// What is wrong with them, a line for each.
pub fn verify(args: &VerifyArgs) -> Result<String, String> {
    // A file that is not sealed can be checked without any configuration.
    let keys = match args.keys.key.is_empty() && !args.keys.config.exists() {
        true => Vec::new(),
        false => keys_of(&args.keys)?,
    };
    let (mut good, mut bad) = (String::new(), String::new());
    for file in &args.files {
        match manifest::verify(file, &keys) {
            Ok(told) => good += &format!("{told}\n"),
            Err(why) => bad += &format!("{}: {why}\n", file.display()),
        }
    }
    match bad.is_empty() {
        true => Ok(good),
        false => Err(format!("{good}{}", bad.trim_end())),
    }
}

/// Makes a WAV file from a sealed one.
///
/// # Errors
/// The key is missing or the wrong one, or the file is cut or damaged: then what is whole of it is written.
pub fn decrypt(args: &DecryptArgs) -> Result<String, String> {
    let keys = keys_of(&args.keys)?;
    let (from, to) = (args.file.display(), args.out.display());
    match audio::decrypt(&args.file, &args.out, &keys) {
        Ok(bytes) => Ok(format!("{to}: {bytes} bytes of audio\n")),
        Err(why @ (SealError::Cut | SealError::Damaged(_))) => {
            Err(format!("{from}: {why}\n{to} has what comes before"))
        }
        Err(why) => Err(format!("{from}: {why}")),
    }
}
