//! A small name server (RFC 1035) on loopback: answers what it was told, and says "nothing" to the rest.

use crate::fail::Fail;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

const A: u16 = 1;
const SRV: u16 = 33;
/// Seconds.
const TTL: u32 = 3_600;

/// Name, kind and the bytes of a record.
type Record = (String, u16, Vec<u8>);

/// A running name server.
pub struct NameServer {
    /// Where it listens.
    pub address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

/// An address record.
pub fn host(name: &str, address: Ipv4Addr) -> Record {
    (name.to_owned(), A, address.octets().to_vec())
}

/// A service record.
pub fn service(name: &str, priority: u16, weight: u16, port: u16, target: &str) -> Record {
    let numbers = [priority, weight, port].into_iter().flat_map(u16::to_be_bytes);
    (name.to_owned(), SRV, numbers.chain(labels(target)).collect())
}

fn labels(name: &str) -> Vec<u8> {
    let label = |label: &str| {
        let length = u8::try_from(label.len()).unwrap_or(u8::MAX);
        core::iter::once(length).chain(label.bytes()).collect::<Vec<u8>>()
    };
    name.split('.').flat_map(label).chain([0]).collect()
}

impl NameServer {
    /// Starts one that knows these records.
    pub fn start(records: Vec<Record>) -> Result<Self, Fail> {
        let socket = UdpSocket::bind("127.0.0.1:0")?;
        socket.set_read_timeout(Some(Duration::from_millis(50)))?;
        let address = socket.local_addr()?;
        let (asked, stop) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicBool::new(false)));
        let (note, stopping) = (Arc::clone(&asked), Arc::clone(&stop));
        let thread = std::thread::spawn(move || {
            let mut buffer = [0; 1_500];
            while !stopping.load(Relaxed) {
                let Ok((length, from)) = socket.recv_from(&mut buffer) else { continue };
                let query = &buffer[..length];
                let Some((name, kind, end)) = question(query) else { continue };
                if let Ok(mut asked) = note.lock() {
                    asked.push(format!("{name} {kind}"));
                }
                let known = |record: &&Record| record.0.eq_ignore_ascii_case(&name) && record.1 == kind;
                let found: Vec<&Record> = records.iter().filter(known).collect();
                let _ = socket.send_to(&response(query, end, &found), from);
            }
        });
        Ok(Self { address, asked, stop, thread: Some(thread) })
    }

    /// What it was asked: name and number of the kind.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().map(|asked| asked.clone()).unwrap_or_default()
    }
}

impl Drop for NameServer {
    fn drop(&mut self) {
        self.stop.store(true, Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// The first question: its name, its kind, and where it ends.
fn question(query: &[u8]) -> Option<(String, u16, usize)> {
    let mut at = 12;
    let mut name = String::new();
    loop {
        let length = usize::from(*query.get(at)?);
        at += 1;
        if length == 0 {
            break;
        }
        let label = query.get(at..at + length)?;
        if !name.is_empty() {
            name.push('.');
        }
        name.push_str(&String::from_utf8_lossy(label));
        at += length;
    }
    let kind = u16::from_be_bytes([*query.get(at)?, *query.get(at + 1)?]);
    Some((name, kind, at + 4))
}

fn response(query: &[u8], end: usize, found: &[&Record]) -> Vec<u8> {
    let mut out = query[..2].to_vec();
    let count = u16::try_from(found.len()).unwrap_or(0).to_be_bytes();
    out.extend([0x81, 0x80, 0, 1, count[0], count[1], 0, 0, 0, 0]);
    out.extend(&query[12..end]);
    for (_, kind, data) in found {
        out.extend([0xC0, 0x0C]);
        out.extend(kind.to_be_bytes());
        out.extend([0, 1]);
        out.extend(TTL.to_be_bytes());
        out.extend(u16::try_from(data.len()).unwrap_or(0).to_be_bytes());
        out.extend(data);
    }
    out
}
