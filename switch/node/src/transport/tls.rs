//! Certificates: which listener shows which, whom it asks for one, and whom we trust when we connect.
//!
//! Invariant: what is in use was read and checked whole; a reload that finds a fault changes nothing, and one that
//! finds none ends no connection: those that are up keep the certificate they began with.

use crate::config::{Listen, TlsMachine};
use arc_swap::ArcSwap;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::server::WebPkiClientVerifier;
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::net::TcpStream;
use tokio_rustls::{TlsAcceptor, TlsConnector};

/// Why certificates cannot be used: the operator's files.
#[derive(Debug)]
pub enum TlsError {
    /// A file cannot be read, or holds no PEM of the kind wanted.
    File(&'static str, PathBuf, String),
    /// Certificate and key do not belong together, or are of a kind that is not supported.
    Pair(PathBuf, rustls::Error),
    /// A listener for TLS has no certificate.
    Missing(Listen),
}

impl std::fmt::Display for TlsError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            TlsError::File(what, path, why) => {
                write!(f, "the {what} {} cannot be used: {why}", path.display())
            }
            TlsError::Pair(path, why) => {
                write!(f, "the certificate {} does not go with its key: {why}", path.display())
            }
            TlsError::Missing(listen) => write!(
                f,
                "{listen} has no certificate: set certificate and key in [sip.tls], or in a [[sip.certificate]] with \
                 listen = \"{listen}\""
            ),
        }
    }
}

impl std::error::Error for TlsError {}

/// Everything that was read, exchanged whole.
#[derive(Debug)]
pub(crate) struct Read {
    servers: BTreeMap<Listen, Arc<ServerConfig>>,
    client: Arc<ClientConfig>,
}

/// The certificates in use.
#[derive(Debug)]
pub struct TlsStore {
    read: ArcSwap<Read>,
    /// The host names that addresses were found by: what a certificate must be for.
    names: Mutex<BTreeMap<IpAddr, String>>,
}

impl TlsStore {
    /// Reads every file that the configuration names.
    ///
    /// # Errors
    /// See [`TlsError`].
    pub fn new(machine: &TlsMachine, listen: &[Listen]) -> Result<Self, TlsError> {
        let read = ArcSwap::from_pointee(Self::read(machine, listen)?);
        Ok(Self { read, names: Mutex::default() })
    }

    /// Reads again, and exchanges all if all is well.
    ///
    /// # Errors
    /// See [`TlsError`]; what was in use stays.
    pub fn reload(&self, machine: &TlsMachine, listen: &[Listen]) -> Result<(), TlsError> {
        self.read.store(Arc::new(Self::read(machine, listen)?));
        Ok(())
    }

    /// Reads and checks without using it.
    pub(crate) fn read(machine: &TlsMachine, listen: &[Listen]) -> Result<Read, TlsError> {
        let mut servers = BTreeMap::new();
        for at in listen.iter().filter(|at| at.is_secure()) {
            let pair = machine.pair_for(at).ok_or(TlsError::Missing(*at))?;
            servers.insert(*at, Arc::new(server(pair, *at)?));
        }
        Ok(Read { servers, client: Arc::new(client(machine)?) })
    }

    /// What a listener shows to the next peer.
    pub(crate) fn acceptor(&self, listen: &Listen) -> Option<TlsAcceptor> {
        self.read.load().servers.get(listen).map(|config| TlsAcceptor::from(Arc::clone(config)))
    }

    /// Remembers that `address` was found by asking for `host`: its certificate must be for that name.
    pub fn name(&self, address: IpAddr, host: &str) {
        let mut names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        names.insert(address, host.to_owned());
    }

    /// Makes a TLS connection to `remote`, whose certificate must be for the name it was found by, or its address.
    pub(crate) async fn connect(
        &self,
        remote: SocketAddr,
        stream: TcpStream,
    ) -> io::Result<Box<tokio_rustls::client::TlsStream<TcpStream>>> {
        let named = self.names.lock().unwrap_or_else(PoisonError::into_inner).get(&remote.ip()).cloned();
        let name = match named {
            Some(host) => ServerName::try_from(host).map_err(io::Error::other)?,
            None => ServerName::from(remote.ip()),
        };
        let connector = TlsConnector::from(Arc::clone(&self.read.load().client));
        connector.connect(name, stream).await.map(Box::new)
    }
}

/// Certificate, key, and whose certificates a peer must have.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Pair {
    /// PEM: the certificate, then those that lead to one that peers trust.
    pub certificate: PathBuf,
    /// PEM: its private key.
    pub key: PathBuf,
    /// PEM: who must have signed the certificate of a peer; without it peers need none.
    pub client_ca: Option<PathBuf>,
}

fn server(pair: &Pair, listen: Listen) -> Result<ServerConfig, TlsError> {
    let chain = certificates("certificate", &pair.certificate)?;
    let key = PrivateKeyDer::from_pem_file(&pair.key)
        .map_err(|why| TlsError::File("key", pair.key.clone(), why.to_string()))?;
    let builder = match &pair.client_ca {
        None => ServerConfig::builder().with_no_client_auth(),
        Some(path) => {
            let verifier = WebPkiClientVerifier::builder(Arc::new(roots(path)?)).build();
            let verifier =
                verifier.map_err(|why| TlsError::File("client_ca", path.clone(), why.to_string()))?;
            ServerConfig::builder().with_client_cert_verifier(verifier)
        }
    };
    let config = builder.with_single_cert(chain, key);
    let mut config = config.map_err(|why| TlsError::Pair(pair.certificate.clone(), why))?;
    if listen.is_websocket() {
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
    }
    Ok(config)
}

/// Whom we trust: those of a file, or those that the system trusts.
fn trusted(ca: Option<&Path>) -> Result<RootCertStore, TlsError> {
    let Some(path) = ca else {
        let mut store = RootCertStore::empty();
        store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        return Ok(store);
    };
    roots(path)
}

/// How we connect where nobody asks who we are.
///
/// # Errors
/// The file cannot be read or holds no certificate.
pub fn trusting(ca: Option<&Path>) -> Result<Arc<ClientConfig>, TlsError> {
    Ok(Arc::new(ClientConfig::builder().with_root_certificates(trusted(ca)?).with_no_client_auth()))
}

fn client(machine: &TlsMachine) -> Result<ClientConfig, TlsError> {
    let trusted = trusted(machine.ca.as_deref())?;
    let builder = ClientConfig::builder().with_root_certificates(trusted);
    match &machine.default {
        // A carrier that asks who we are is shown what we show.
        Some(pair) => {
            let chain = certificates("certificate", &pair.certificate)?;
            let key = PrivateKeyDer::from_pem_file(&pair.key)
                .map_err(|why| TlsError::File("key", pair.key.clone(), why.to_string()))?;
            builder
                .with_client_auth_cert(chain, key)
                .map_err(|why| TlsError::Pair(pair.certificate.clone(), why))
        }
        None => Ok(builder.with_no_client_auth()),
    }
}

fn certificates(what: &'static str, path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let failed = |why: String| TlsError::File(what, path.to_owned(), why);
    let read = CertificateDer::pem_file_iter(path).map_err(|why| failed(why.to_string()))?;
    let all: Vec<_> = read.collect::<Result<_, _>>().map_err(|why| failed(why.to_string()))?;
    if all.is_empty() { Err(failed("it holds no certificate in PEM".into())) } else { Ok(all) }
}

fn roots(path: &Path) -> Result<RootCertStore, TlsError> {
    let mut store = RootCertStore::empty();
    for certificate in certificates("ca", path)? {
        store.add(certificate).map_err(|why| TlsError::File("ca", path.to_owned(), why.to_string()))?;
    }
    Ok(store)
}
