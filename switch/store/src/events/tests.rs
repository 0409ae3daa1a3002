use super::*;
use crate::scratch::Scratch;
use cordboard_model::event::EventKind;
use cordboard_model::id::{AgentId, UserId};
use cordboard_model::time::Wall;
use cordboard_model::view::AgentStatus;
use core::time::Duration;
use std::path::Path;

const US: TenantId = TenantId::DEFAULT;
const HOUR: Duration = Duration::from_secs(3_600);

fn options(size: u64) -> EventLogOptions {
    EventLogOptions { keep: HOUR, size }
}

/// An event that adds its `version` to what stands in a state.
fn event(seq: u64, adds: u64) -> Entry {
    let what = EventKind::ConfigReloaded { version: adds };
    let event = Event { tenant: US, seq, at: Wall(seq as i64), what };
    Entry::Event(Box::new(Told {
        kind: String::new(),
        call: None,
        agents: Vec::new(),
        queues: Vec::new(),
        event,
    }))
}

fn state(seq: u64, sum: u64, lost: Option<(u64, u64)>) -> Entry {
    let agent = AgentView {
        agent: AgentId::new(US, "1001").unwrap(),
        display: String::new(),
        status: AgentStatus::Ready,
        since: Wall(0),
        until: None,
        user: UserId::new(US, "1001").unwrap(),
        device: None,
        contacts: 1,
        call: None,
        why: String::new(),
        reason: None,
        role: Default::default(),
        handled: sum,
        chats: Default::default(),
        chat_slots: Default::default(),
        line: None,
        numbers_label: Default::default(),
        locks: Vec::new(),
        organisation: Default::default(),
        smart: Default::default(),
    };
    Entry::State(Box::new(State { seq, lost, calls: Vec::new(), queues: Vec::new(), agents: vec![agent] }))
}

/// What a reader makes of the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Reader {
    place: Place,
    sum: u64,
    /// It was told that something is lost.
    told: bool,
}

impl Reader {
    fn take(&mut self, entry: &Entry, start: u32) {
        self.place = Place { start, seq: entry.seq() };
        match entry {
            Entry::Event(told) => match &told.event.what {
                EventKind::ConfigReloaded { version } => self.sum += version,
                other => panic!("{other:?}"),
            },
            Entry::State(state) => {
                self.sum = state.agents[0].handled;
                self.told |= state.lost.is_some();
            }
        }
    }

    /// Takes up the stream where it was cut, to its end. False: there is a hole, or its place is no more.
    fn follow(&mut self, dir: &Path, start: u32) -> bool {
        let Some(mut reader) = EventReader::open(dir, US, self.place).unwrap() else { return false };
        loop {
            match reader.next().unwrap() {
                Next::Entry(entry) => self.take(&entry, start),
                Next::Nothing => return true,
                Next::Hole => return false,
            }
        }
    }
}

/// A switch that starts, tells things and ends in order or not, again and again; with every state that a reader may
/// have had on the way.
struct Server {
    dir: std::path::PathBuf,
    log: Option<EventLog>,
    start: u32,
    seq: u64,
    sum: u64,
    readers: Vec<Reader>,
    size: u64,
}

impl Server {
    fn new(dir: &Path, size: u64) -> Self {
        Self { dir: dir.to_owned(), log: None, start: 100, seq: 0, sum: 0, readers: Vec::new(), size }
    }

    /// `sum` is what is left of the state after the restart.
    fn begin(&mut self, sum: u64) {
        self.start += 10;
        let (log, opened) = EventLog::open(&self.dir, options(self.size), self.start).unwrap();
        let lost = opened.first().filter(|found| !found.ended).map(|found| (found.last + 1, found.base()));
        self.seq = opened.first().map_or(0, Opened::base);
        self.sum = sum;
        self.log = Some(log);
        self.put(state(self.seq, sum, lost));
    }

    fn put(&mut self, entry: Entry) {
        let log = self.log.as_mut().unwrap();
        log.put(US, &entry, self.seq as i64);
        log.flush().unwrap();
        let place = Place { start: self.start, seq: self.seq };
        self.readers.push(Reader { place, sum: self.sum, told: false });
    }

    fn tell(&mut self, count: u64) {
        for _ in 0..count {
            self.seq += 1;
            let adds = self.seq % 7 + 1;
            self.sum += adds;
            self.put(event(self.seq, adds));
        }
    }

    fn end(&mut self) {
        self.log.take().unwrap().end().unwrap();
    }

    /// Each reader there has been comes back and has what the server has.
    fn everybody_is_right(&self) {
        for reader in &self.readers {
            let mut again = *reader;
            assert!(again.follow(&self.dir, self.start), "{reader:?}");
            assert_eq!((again.sum, again.place.seq), (self.sum, self.seq), "{reader:?}");
        }
    }
}

#[test]
fn who_was_cut_anywhere_has_what_the_server_has_over_restarts_in_order_and_not() {
    let scratch = Scratch::new();
    let mut server = Server::new(scratch.path(), 1 << 30);
    server.begin(0);
    server.tell(40);
    server.everybody_is_right();
    server.end();
    server.begin(3);
    server.tell(25);
    server.everybody_is_right();
    // Killed: the number of what comes next leaves out what may have been.
    let last = server.seq;
    server.begin(5);
    server.tell(25);
    assert!(server.seq > last + LEFT_OUT);
    server.everybody_is_right();
    let mut cut = server.readers[10];
    assert!(
        cut.follow(scratch.path(), server.start) && cut.told,
        "who lived through the crash is told of it"
    );
    let mut fresh = *server.readers.iter().rfind(|reader| reader.place.start == server.start).unwrap();
    assert!(fresh.follow(scratch.path(), server.start) && !fresh.told);
    // A server that started, told nothing and was killed, twice.
    server.begin(6);
    server.begin(7);
    server.everybody_is_right();
}

/// A crash in the middle of a write leaves a part of the last entry: at whichever byte, the rest is read, what was
/// torn is named as lost, and the numbers go on behind it.
#[test]
fn a_torn_tail_is_cut_off_at_whichever_byte() {
    let whole = Scratch::new();
    let mut server = Server::new(whole.path(), 1 << 30);
    server.begin(0);
    server.tell(4);
    let segment = segments(&folder(whole.path(), US)).unwrap().remove(0);
    let bytes = std::fs::read(&segment.path).unwrap();
    for length in 0..=bytes.len() {
        let torn = Scratch::new();
        let folder = folder(torn.path(), US);
        std::fs::create_dir_all(&folder).unwrap();
        let name = segment.path.file_name().unwrap();
        std::fs::write(folder.join(name), bytes.get(..length).unwrap()).unwrap();
        let mut again = Server::new(torn.path(), 1 << 30);
        again.start = server.start;
        again.begin(9);
        again.tell(2);
        // Also who had seen more than the disk has now.
        for reader in &server.readers {
            let mut back = *reader;
            assert!(back.follow(torn.path(), again.start), "{length} bytes, {reader:?}");
            assert_eq!((back.sum, back.place.seq, back.told), (again.sum, again.seq, true), "{length}");
        }
    }
}

/// A loss of power may take so many numbers that those of the next start begin below what a reader has seen.
#[test]
fn a_reader_who_has_seen_more_than_the_next_start_begins_with_gets_its_state() {
    let scratch = Scratch::new();
    let mut server = Server::new(scratch.path(), 1 << 30);
    server.begin(0);
    server.tell(5);
    let first = server.start;
    server.begin(2);
    server.tell(5);
    let mut ahead = Reader { place: Place { start: first, seq: server.seq + 3 }, sum: 99, told: false };
    assert!(ahead.follow(scratch.path(), server.start) && ahead.told);
    assert_eq!((ahead.sum, ahead.place.seq), (server.sum, server.seq));
}

#[test]
fn a_place_of_another_log_or_of_long_ago_is_no_place() {
    let scratch = Scratch::new();
    let mut server = Server::new(scratch.path(), 2 << 20);
    server.begin(0);
    server.tell(3);
    assert!(!Reader { place: Place { start: 7, seq: 1 }, ..server.readers[0] }.follow(scratch.path(), 7));
    // The oldest go beyond the size; what is there is no more than it and a segment.
    while segments(&folder(scratch.path(), US)).unwrap().len() < 20 {
        server.tell(500);
    }
    let early = server.readers[1];
    server.log.as_mut().unwrap().sweep(0).unwrap();
    let left = segments(&folder(scratch.path(), US)).unwrap();
    let bytes: u64 = left.iter().map(|s| std::fs::metadata(&s.path).unwrap().len()).sum();
    assert!(bytes <= 2 << 20, "{bytes}");
    assert!(left.len() > 10, "{}", left.len());
    let mut gone = early;
    assert!(!gone.follow(scratch.path(), server.start));
    let oldest = Place { start: server.start, seq: left[0].first - 1 };
    let kept = server.readers.iter().find(|reader| reader.place == oldest).unwrap();
    let mut kept = *kept;
    assert!(kept.follow(scratch.path(), server.start));
    assert_eq!(kept.sum, server.sum);
    // After an hour the rest goes, and the segment that is written stays.
    let later = i64::try_from(server.seq).unwrap() + 3_600_001;
    server.log.as_mut().unwrap().sweep(later).unwrap();
    assert_eq!(segments(&folder(scratch.path(), US)).unwrap().len(), 1);
}

#[test]
fn what_the_disk_did_not_take_is_a_hole_and_what_comes_after_it_is_read() {
    let scratch = Scratch::new();
    let mut server = Server::new(scratch.path(), 1 << 30);
    server.begin(0);
    server.tell(3);
    // Another tenant's folder cannot be made; ours goes on.
    let other = TenantId::new("acme").unwrap();
    std::fs::write(scratch.path().join("acme"), b"in the way").unwrap();
    let log = server.log.as_mut().unwrap();
    log.put(other, &event(1, 1), 0);
    log.put(US, &event(4, 5), 0);
    assert!(log.flush().is_err());
    (server.seq, server.sum) = (4, server.sum + 5);
    server.everybody_is_right();
    std::fs::remove_file(scratch.path().join("acme")).unwrap();
    let log = server.log.as_mut().unwrap();
    log.put(other, &event(2, 1), 0);
    log.put(other, &event(3, 1), 0);
    log.flush().unwrap();
    let place = |seq| Place { start: 110, seq };
    assert!(EventReader::open(scratch.path(), other, place(0)).unwrap().is_none(), "1 is not there");
    let mut reader = EventReader::open(scratch.path(), other, place(1)).unwrap().unwrap();
    assert_eq!(reader.next().unwrap(), Next::Entry(event(2, 1)));
    assert_eq!(reader.next().unwrap(), Next::Entry(event(3, 1)));
    assert_eq!(reader.next().unwrap(), Next::Nothing);
    // A number that never came to the log.
    log.put(other, &event(5, 1), 0);
    log.flush().unwrap();
    let mut reader = EventReader::open(scratch.path(), other, place(3)).unwrap().unwrap();
    assert_eq!(reader.next().unwrap(), Next::Hole);
}

#[test]
fn nobody_else_reads_the_files() {
    use std::os::unix::fs::PermissionsExt;
    let scratch = Scratch::new();
    let mut server = Server::new(&scratch.path().join("events"), 1 << 30);
    server.begin(0);
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let folder = folder(&server.dir, US);
    let segment = segments(&folder).unwrap().remove(0);
    assert_eq!((mode(&server.dir), mode(&folder), mode(&segment.path)), (0o700, 0o700, 0o600));
}

/// Events are kept as JSON: each kind that has something of its own in it comes back as it was.
#[test]
fn an_event_comes_back_from_its_json() {
    let json = [
        r#"{"tenant":"default","seq":1,"at":5,"type":"leg_audio","call":"default.6b00e42d-0-48","leg":"default.6b00e42d-0-49","audio":"late","packets":3,"by_ms":80}"#,
        r#"{"tenant":"default","seq":2,"at":5,"type":"data_changed","call":"default.6b00e42d-0-48","key":"n","value":18446744073709551615}"#,
        r#"{"tenant":"default","seq":3,"at":5,"type":"agent_status","agent":{"tenant":"default","name":"1001"},"status":"ready","why":"x","call":null}"#,
    ];
    for text in json {
        let read: Event = serde_json::from_str(text).unwrap();
        assert_eq!(
            serde_json::to_value(&read).unwrap(),
            serde_json::from_str::<serde_json::Value>(text).unwrap()
        );
    }
}
