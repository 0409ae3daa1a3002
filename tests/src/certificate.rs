//! Certificates made when a test runs, by openssl: an authority, and leaves for names and addresses.

use crate::fail::{Fail, fail};
use std::path::{Path, PathBuf};
use std::process::Command;

/// An authority in a folder.
pub struct Authority {
    dir: PathBuf,
    name: String,
}

/// A certificate with its key.
#[derive(Clone, Debug)]
pub struct Leaf {
    /// PEM.
    pub certificate: PathBuf,
    /// PEM.
    pub key: PathBuf,
}

fn openssl(args: &[&str]) -> Result<(), Fail> {
    let output = Command::new("openssl").args(args).output()?;
    if output.status.success() {
        return Ok(());
    }
    fail(format!("openssl {args:?}: {}", String::from_utf8_lossy(&output.stderr)))
}

impl Authority {
    /// Makes one.
    pub fn new(dir: &Path, name: &str) -> Result<Self, Fail> {
        let made = Self { dir: dir.to_owned(), name: name.to_owned() };
        let subject = format!("/CN={name}");
        let (key, certificate) = (made.path("key"), made.path("pem"));
        openssl(&[
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-nodes",
            "-days",
            "2",
            "-subj",
            &subject,
            "-addext",
            "keyUsage=critical,keyCertSign",
            "-keyout",
            &key,
            "-out",
            &certificate,
        ])?;
        Ok(made)
    }

    fn path(&self, kind: &str) -> String {
        self.dir.join(format!("{}.{kind}", self.name)).display().to_string()
    }

    /// Its own certificate: what peers are given to trust.
    pub fn certificate(&self) -> PathBuf {
        PathBuf::from(self.path("pem"))
    }

    /// A certificate for 127.0.0.1, ::1 and localhost, under this file name.
    pub fn leaf(&self, name: &str) -> Result<Leaf, Fail> {
        self.leaf_for(name, "IP:127.0.0.1,IP:::1,DNS:localhost")
    }

    /// A certificate for these names and addresses, as openssl writes them.
    pub fn leaf_for(&self, name: &str, whom: &str) -> Result<Leaf, Fail> {
        let at = |kind: &str| self.dir.join(format!("{name}.{kind}"));
        let shown = |kind: &str| at(kind).display().to_string();
        std::fs::write(at("ext"), format!("subjectAltName={whom}\n"))?;
        let subject = format!("/CN={name}");
        openssl(&[
            "req",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-nodes",
            "-subj",
            &subject,
            "-keyout",
            &shown("key"),
            "-out",
            &shown("csr"),
        ])?;
        openssl(&[
            "x509",
            "-req",
            "-days",
            "2",
            "-in",
            &shown("csr"),
            "-CA",
            &self.path("pem"),
            "-CAkey",
            &self.path("key"),
            "-CAcreateserial",
            "-extfile",
            &shown("ext"),
            "-out",
            &shown("pem"),
        ])?;
        Ok(Leaf { certificate: at("pem"), key: at("key") })
    }
}

impl Leaf {
    /// The lines of a section that name it.
    pub fn lines(&self) -> String {
        format!("certificate = \"{}\"\nkey = \"{}\"", self.certificate.display(), self.key.display())
    }

    /// Puts another certificate in the place of this one.
    pub fn replace_with(&self, other: &Leaf) -> Result<(), Fail> {
        std::fs::copy(&other.certificate, &self.certificate)?;
        std::fs::copy(&other.key, &self.key)?;
        Ok(())
    }
}
