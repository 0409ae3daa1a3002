//! Lines of the log on their way to standard error.
//!
//! Invariant: who writes a line never waits for who reads it. A terminal that is stopped or a pipe that nobody empties
//! costs lines, which are counted and told of; it costs no audio and no call.

use cordboard_lane::{Receiver, Sender, Sleep, lane};
use std::io::{self, Write};
use std::sync::OnceLock;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::time::Duration;

/// Lines that may wait to be written.
const LINES: usize = 4_096;
/// Longest time that [`flush`] waits.
const FLUSH: Duration = Duration::from_secs(1);

enum Line {
    Text(Vec<u8>),
    Flush(SyncSender<()>),
}

/// The lane of the log of this process.
static LOG: OnceLock<Sender<Line>> = OnceLock::new();

/// Writes to the log without waiting.
pub struct Lines(Sender<Line>);

impl Write for Lines {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        // A full lane: the writer says how many lines it did not get.
        let _ = self.0.try_send(Line::Text(line.to_vec()));
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A log that is not written yet.
pub struct Log {
    sender: Sender<Line>,
    receiver: Receiver<Line>,
}

impl Log {
    /// An empty one.
    pub fn new() -> Self {
        let (sender, receiver) = lane("log", LINES);
        Self { sender, receiver }
    }

    /// Makes what writes to it.
    pub fn writers(&self) -> impl Fn() -> Lines + Send + Sync + 'static {
        let sender = self.sender.clone();
        move || Lines(sender.clone())
    }

    /// Writes it to `out` on a thread of its own, for as long as the process lives. The first is the one that [`flush`]
    /// waits for.
    pub fn write_to(self, out: impl Write + Send + 'static) -> io::Result<()> {
        let Self { sender, receiver } = self;
        std::thread::Builder::new().name("log".into()).spawn(move || write_out(receiver, out))?;
        let _ = LOG.set(sender);
        Ok(())
    }
}

impl Default for Log {
    fn default() -> Self {
        Self::new()
    }
}

/// Waits until what was logged so far is written, but not for ever. For the end of the process.
pub fn flush() {
    let (done, wait) = sync_channel(1);
    if LOG.get().is_some_and(|log| log.try_send(Line::Flush(done)).is_ok()) {
        let _ = wait.recv_timeout(FLUSH);
    }
}

fn write_out(mut lines: Receiver<Line>, mut out: impl Write) {
    let thread = std::thread::current();
    if lines.set_waker(move || thread.unpark()).is_err() {
        return;
    }
    let mut told = 0;
    loop {
        while let Some(line) = lines.pop() {
            // Standard error that is closed is nobody's loss.
            let _ = match line {
                Line::Text(text) => out.write_all(&text),
                Line::Flush(done) => {
                    let flushed = out.flush();
                    let _ = done.try_send(());
                    flushed
                }
            };
        }
        let refused = lines.stats().refused();
        if refused > told {
            let _ = writeln!(out, " WARN the log is read too slowly: {} lines were left out", refused - told);
            told = refused;
        }
        match lines.prepare_sleep() {
            Sleep::Ready => {}
            Sleep::Armed => std::thread::park(),
            Sleep::Finished => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::{Receiver as Channel, Sender as ChannelSender, channel};

    /// A reader that lets nothing through until it is told to.
    struct Stopped {
        go: Channel<()>,
        went: bool,
        out: ChannelSender<String>,
    }

    impl Write for Stopped {
        fn write(&mut self, line: &[u8]) -> io::Result<usize> {
            if !self.went {
                self.went = self.go.recv().is_ok();
            }
            let _ = self.out.send(String::from_utf8_lossy(line).into_owned());
            Ok(line.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_reader_that_stops_costs_lines_and_no_time() {
        let ((go, stop), (out, read)) = (channel(), channel());
        let log = Log::new();
        let write = log.writers();
        let thread =
            std::thread::spawn(move || write_out(log.receiver, Stopped { go: stop, went: false, out }));
        for n in 0..LINES + 1_000 {
            assert!(write().write_all(format!("line {n}\n").as_bytes()).is_ok());
        }
        assert!(go.send(()).is_ok());
        let lines: Vec<String> = read.iter().take_while(|line| !line.contains("left out")).collect();
        assert!(lines.len() >= LINES && lines.len() < LINES + 1_000, "{}", lines.len());
        assert_eq!(lines[0], "line 0\n");
        log.sender.close();
        assert!(thread.join().is_ok());
    }
}
