//! The quadrature mirror filters between 16 kHz and the two bands (G.722 clauses 3.1 and 4.4; table 11).

use super::LIMIT;

/// Every second coefficient from the first on; the others are these backwards.
static EVEN: [i32; 12] = [3, -11, 12, 32, -210, 951, 3_876, -805, 362, -156, 53, -11];

/// A delay line of twelve that is written twice, so that it can always be read in one piece.
#[derive(Clone, Debug, Default)]
struct Line {
    samples: [[i32; 12]; 2],
    at: usize,
}

impl Line {
    /// Puts a sample in front.
    fn push(&mut self, sample: i32) {
        self.at = (self.at + 11) % 12;
        self.samples[0][self.at] = sample;
        self.samples[1][self.at] = sample;
    }

    /// The newest first.
    fn newest_first(&self) -> &[i32] {
        self.samples.as_flattened().get(self.at..self.at + 12).unwrap_or_default()
    }

    fn filter(&self) -> i32 {
        self.newest_first().iter().zip(EVEN).map(|(sample, coefficient)| sample * coefficient).sum()
    }

    fn filter_mirrored(&self) -> i32 {
        self.newest_first().iter().rev().zip(EVEN).map(|(sample, coefficient)| sample * coefficient).sum()
    }
}

/// Before the coder.
#[derive(Clone, Debug, Default)]
pub(super) struct Analysis {
    first: Line,
    second: Line,
}

impl Analysis {
    /// Two samples in, one of each band out.
    pub(super) fn split(&mut self, first: i32, second: i32) -> (i32, i32) {
        self.first.push(first);
        self.second.push(second);
        let (odd, even) = (self.first.filter_mirrored(), self.second.filter());
        let scaled = |sum: i32| (sum >> 14).clamp(LIMIT.0, LIMIT.1);
        (scaled(even + odd), scaled(even - odd))
    }
}

/// After the decoder.
#[derive(Clone, Debug, Default)]
pub(super) struct Synthesis {
    differences: Line,
    sums: Line,
}

impl Synthesis {
    /// One sample of each band in, two out.
    pub(super) fn join(&mut self, low: i32, high: i32) -> (i16, i16) {
        self.differences.push(low - high);
        self.sums.push(low + high);
        let scaled = |sum: i32| (sum >> 11).clamp(-32_768, 32_767) as i16;
        (scaled(self.differences.filter()), scaled(self.sums.filter_mirrored()))
    }
}
