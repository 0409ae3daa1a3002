//! What a program wants played, on its way to the media thread: audio in order, and marks between.
//!
//! Programs send faster than audio plays, so it is kept here and handed on a fifth of a second ahead of its time; the media
//! thread says how far it has come. Pure: no socket and no clock.

use std::collections::VecDeque;

/// Samples the media thread is kept ahead: ten pieces, so that a busy moment of this side is not heard.
const AHEAD: u64 = 1_600;
/// Samples in one piece.
pub const PIECE: usize = 160;
/// Most marks that wait.
const MARKS_MAX: usize = 1_024;

/// See the module.
#[derive(Debug)]
pub struct Downlink {
    /// What waits, and what was handed on and is not known to be there yet, from this place on.
    queue: VecDeque<u8>,
    base: u64,
    most: usize,
    /// Samples handed on, and of these played.
    sent: u64,
    played: u64,
    /// What comes before is to be thrown away where the leg is.
    clears: Option<u64>,
    /// Names, by the sample at which all before them is played.
    marks: VecDeque<(u64, String)>,
    dropped: u64,
}

impl Downlink {
    /// For at most so many samples that wait.
    pub fn new(most: usize) -> Self {
        Self {
            queue: VecDeque::new(),
            base: 0,
            most,
            sent: 0,
            played: 0,
            clears: None,
            marks: VecDeque::new(),
            dropped: 0,
        }
    }

    fn end(&self) -> u64 {
        self.base + self.queue.len() as u64
    }

    /// Audio of the program. What does not fit is dropped and counted.
    pub fn push(&mut self, codes: &[u8]) {
        let room = self.most.saturating_sub(self.queue.len()).min(codes.len());
        self.queue.extend(codes.iter().take(room));
        self.dropped += (codes.len() - room) as u64;
    }

    /// A mark after what was pushed so far. False: too many wait.
    pub fn mark(&mut self, name: String) -> bool {
        let place = self.end();
        if self.marks.len() < MARKS_MAX {
            self.marks.push_back((place, name));
            return true;
        }
        false
    }

    /// What waits is thrown away. The marks that waited are due at once.
    pub fn clear(&mut self) -> Vec<String> {
        self.queue.clear();
        self.base = self.sent;
        self.clears = Some(self.sent);
        self.marks.drain(..).map(|(_, name)| name).collect()
    }

    /// Up to where the leg's media thread is to throw away what it has; told until it has done so.
    pub fn clears(&self) -> Option<u64> {
        self.clears
    }

    /// The leg's media thread has played so many samples since the beginning, and has taken so many.
    pub fn heard(&mut self, played: u64, taken: u64) {
        self.played = self.played.max(played.min(self.sent));
        self.clears = self.clears.filter(|to| *to > played);
        let there = taken.min(self.sent).saturating_sub(self.base);
        let there = usize::try_from(there).unwrap_or(usize::MAX).min(self.queue.len());
        self.queue.drain(..there);
        self.base += there as u64;
    }

    /// The leg has gone to another media thread: what was on its way to the old one is handed on again.
    pub fn moved(&mut self) {
        self.sent = self.base;
    }

    /// The next mark that is due.
    pub fn due(&mut self) -> Option<String> {
        let played = self.played;
        self.marks.pop_front_if(|(place, _)| *place <= played).map(|(_, name)| name)
    }

    /// The next piece that is to be handed on now, if any, and its place: it is not gone before [`Downlink::handed_on`].
    pub fn piece(&self, out: &mut [u8; PIECE]) -> Option<(u64, usize)> {
        if self.sent.saturating_sub(self.played) + PIECE as u64 > AHEAD {
            return None;
        }
        let from = usize::try_from(self.sent.saturating_sub(self.base)).unwrap_or(usize::MAX);
        let mut len = 0;
        for (to, code) in out.iter_mut().zip(self.queue.iter().skip(from)) {
            *to = *code;
            len += 1;
        }
        (len > 0).then_some((self.sent, len))
    }

    /// So many samples were handed on.
    pub fn handed_on(&mut self, samples: usize) {
        self.sent = (self.sent + samples as u64).min(self.end());
    }

    /// Samples that found no room.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Hands on what may be handed on; how much.
    fn pump(downlink: &mut Downlink) -> usize {
        let mut all = 0;
        let mut piece = [0; PIECE];
        while let Some((_, len)) = downlink.piece(&mut piece) {
            downlink.handed_on(len);
            all += len;
        }
        all
    }

    #[test]
    fn a_flood_of_audio_is_handed_on_a_fifth_of_a_second_ahead_and_a_mark_is_due_when_it_is_heard() {
        let mut down = Downlink::new(80_000);
        down.push(&[1; 8_000]);
        assert!(down.mark("half".into()));
        down.push(&[2; 8_000]);
        assert!(down.mark("end".into()));
        assert_eq!(pump(&mut down), 1_600);
        let mut played = 0;
        let mut marks = Vec::new();
        while marks.len() < 2 {
            played += 160;
            down.heard(played, played + 160);
            pump(&mut down);
            while let Some(name) = down.due() {
                marks.push((name, played));
            }
            assert!(played <= 16_000);
        }
        assert_eq!(marks, [("half".to_owned(), 8_000), ("end".to_owned(), 16_000)]);
    }

    #[test]
    fn a_mark_on_silence_is_due_at_once_and_clear_makes_all_due_and_nothing_of_before_is_played() {
        let mut down = Downlink::new(80_000);
        down.mark("now".into());
        assert_eq!(down.due().as_deref(), Some("now"));
        down.push(&[1; 8_000]);
        down.mark("a".into());
        down.mark("b".into());
        pump(&mut down);
        assert_eq!(down.due(), None);
        assert_eq!(down.clear(), ["a", "b"]);
        assert_eq!(down.clears(), Some(1_600));
        down.heard(1_600, 1_600);
        assert_eq!(down.clears(), None);
        assert_eq!(pump(&mut down), 0);
        down.push(&[2; 80]);
        down.mark("c".into());
        assert_eq!(pump(&mut down), 80);
        down.heard(1_679, 1_680);
        assert_eq!(down.due(), None);
        down.heard(1_680, 1_680);
        assert_eq!(down.due().as_deref(), Some("c"));
    }

    #[test]
    fn what_does_not_fit_is_dropped_and_counted_and_marks_have_a_bound() {
        let mut down = Downlink::new(1_000);
        down.push(&[1; 1_500]);
        assert_eq!(down.dropped(), 500);
        let taken = (0..2_000).filter(|n| down.mark(n.to_string())).count();
        assert_eq!(taken, 1_024);
    }

    #[test]
    fn what_was_on_its_way_to_a_thread_that_the_leg_has_left_is_handed_on_again_and_no_mark_is_lost() {
        let mut down = Downlink::new(80_000);
        let audio: Vec<u8> = (0..3_200u32).map(|n| (n / 160) as u8).collect();
        down.push(&audio);
        assert!(down.mark("end".into()));
        assert_eq!(pump(&mut down), 1_600);
        down.heard(480, 640);
        assert_eq!(pump(&mut down), 480);
        // of 2,080 samples 1,120 came to where the leg was
        down.heard(640, 1_120);
        down.moved();
        let mut piece = [0; PIECE];
        assert_eq!(down.piece(&mut piece), Some((1_120, 160)));
        assert_eq!(piece, [7; PIECE]);
        pump(&mut down);
        for played in (640..=3_200u64).step_by(160) {
            down.heard(played, (played + 1_600).min(3_200));
            pump(&mut down);
            assert_eq!(down.due().is_some(), played == 3_200, "{played}");
        }
    }

    #[test]
    fn a_clear_that_was_lost_on_the_way_is_told_again() {
        let mut down = Downlink::new(80_000);
        down.push(&[1; 1_000]);
        pump(&mut down);
        down.clear();
        down.heard(160, 480);
        down.moved();
        assert_eq!(down.clears(), Some(1_000));
        down.push(&[2; 160]);
        assert_eq!(
            down.piece(&mut [0; PIECE]),
            Some((1_000, 160)),
            "in its place behind what was thrown away"
        );
        down.heard(1_000, 1_000);
        assert_eq!(down.clears(), None);
    }
}
