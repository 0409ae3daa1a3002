//! One sub-band: adaptive quantizer and predictor (G.722 clauses 3 and 4; blocks of 6.2.1 to 6.2.4).

use super::{LIMIT, limit, multiply};

/// How the quantizer of a band adapts.
#[derive(Debug)]
pub(super) struct Scale {
    /// Highest logarithmic scale factor.
    nabla_max: i32,
    /// Shift of the table of the scale factor.
    shift: i32,
    /// First scale factor.
    first: i32,
}

pub(super) static LOW: Scale = Scale { nabla_max: 18_432, shift: 8, first: 32 };
pub(super) static HIGH: Scale = Scale { nabla_max: 22_528, shift: 10, first: 8 };

/// Decision levels of the 6-bit quantizer (table 10 of the recommendation).
static Q6: [i32; 31] = [
    0, 35, 72, 110, 150, 190, 233, 276, 323, 370, 422, 473, 530, 587, 650, 714, 786, 858, 940, 1_023, 1_121,
    1_219, 1_339, 1_458, 1_612, 1_765, 1_980, 2_195, 2_557, 2_919, 0,
];
/// Codes of negative intervals.
static ILN: [u8; 31] = [
    0, 63, 62, 31, 30, 29, 28, 27, 26, 25, 24, 23, 22, 21, 20, 19, 18, 17, 16, 15, 14, 13, 12, 11, 10, 9, 8,
    7, 6, 5, 4,
];
/// Codes of positive intervals.
static ILP: [u8; 31] = [
    0, 61, 60, 59, 58, 57, 56, 55, 54, 53, 52, 51, 50, 49, 48, 47, 46, 45, 44, 43, 42, 41, 40, 39, 38, 37,
    36, 35, 34, 33, 32,
];
/// Output values of the 6-bit inverse quantizer.
static QM6: [i32; 64] = [
    -136, -136, -136, -136, -24_808, -21_904, -19_008, -16_704, -14_984, -13_512, -12_280, -11_192, -10_232,
    -9_360, -8_576, -7_856, -7_192, -6_576, -6_000, -5_456, -4_944, -4_464, -4_008, -3_576, -3_168, -2_776,
    -2_400, -2_032, -1_688, -1_360, -1_040, -728, 24_808, 21_904, 19_008, 16_704, 14_984, 13_512, 12_280,
    11_192, 10_232, 9_360, 8_576, 7_856, 7_192, 6_576, 6_000, 5_456, 4_944, 4_464, 4_008, 3_576, 3_168,
    2_776, 2_400, 2_032, 1_688, 1_360, 1_040, 728, 432, 136, -432, -136,
];
/// Of the 4-bit one, which the predictor is fed by, whatever is done with the lower bits.
static QM4: [i32; 16] = [
    0, -20_456, -12_896, -8_968, -6_288, -4_240, -2_584, -1_200, 20_456, 12_896, 8_968, 6_288, 4_240, 2_584,
    1_200, 0,
];
/// Of the 2-bit one of the upper band.
static QM2: [i32; 4] = [-7_408, -1_616, 7_408, 1_616];
/// Multipliers of the lower band's scale factor, by the 4-bit code.
static WL: [i32; 16] = [-60, 3_042, 1_198, 538, 334, 172, 58, -30, 3_042, 1_198, 538, 334, 172, 58, -30, -60];
/// Of the upper band's, by its code.
static WH: [i32; 4] = [798, -214, 798, -214];
/// 2^11 times 2^(n/32).
static ILB: [i32; 32] = [
    2_048, 2_093, 2_139, 2_186, 2_233, 2_282, 2_332, 2_383, 2_435, 2_489, 2_543, 2_599, 2_656, 2_714, 2_774,
    2_834, 2_896, 2_960, 3_025, 3_091, 3_158, 3_228, 3_298, 3_371, 3_444, 3_520, 3_597, 3_676, 3_756, 3_838,
    3_922, 4_008,
];

/// A band's memory. The names are those of the recommendation, without the L or H at their end.
#[derive(Clone, Debug)]
pub(super) struct Predictor {
    scale: &'static Scale,
    /// Predicted sample, and its part from the zeros.
    s: i32,
    sz: i32,
    /// Reconstructed samples and partly reconstructed ones, the newest first.
    r: [i32; 2],
    p: [i32; 2],
    /// Coefficients of the poles and of the zeros.
    a: [i32; 2],
    b: [i32; 6],
    /// Quantized differences.
    d: [i32; 6],
    /// Logarithmic scale factor, and the scale factor.
    nabla: i32,
    det: i32,
}

impl Predictor {
    pub(super) fn new(scale: &'static Scale) -> Self {
        Self {
            scale,
            s: 0,
            sz: 0,
            r: [0; 2],
            p: [0; 2],
            a: [0; 2],
            b: [0; 6],
            d: [0; 6],
            nabla: 0,
            det: scale.first,
        }
    }

    /// Blocks LOGSCL and SCALEL, or LOGSCH and SCALEH.
    fn adapt_scale(&mut self, weight: i32) {
        self.nabla = (multiply(self.nabla, 32_512) + weight).clamp(0, self.scale.nabla_max);
        let mantissa = ILB[(self.nabla >> 6 & 31) as usize];
        let shift = self.scale.shift - (self.nabla >> 11);
        self.det = if shift < 0 { mantissa << -shift } else { mantissa >> shift } << 2;
    }

    /// Block 4: takes the quantized difference and predicts the next sample.
    fn adapt(&mut self, d: i32) {
        let r = limit(self.s + d);
        let p = limit(self.sz + d);
        self.adapt_poles(p);
        self.adapt_zeros(d);
        self.d.copy_within(..5, 1);
        self.d[0] = d;
        self.r = [r, self.r[0]];
        self.p = [p, self.p[0]];
        // FILTEP
        let poles =
            limit(multiply(self.a[0], limit(2 * self.r[0])) + multiply(self.a[1], limit(2 * self.r[1])));
        // FILTEZ
        let zeros = self.b.iter().zip(self.d).rev();
        self.sz = zeros.fold(0, |sum, (b, d)| limit(sum + multiply(*b, limit(2 * d))));
        // PREDIC
        self.s = limit(poles + self.sz);
    }

    /// Blocks UPPOL2 and UPPOL1.
    fn adapt_poles(&mut self, p: i32) {
        let same = |before: i32| (p < 0) == (before < 0);
        let steep = limit(4 * self.a[0]);
        let turned = if same(self.p[0]) { limit(-steep) } else { steep };
        let second = (turned >> 7) + if same(self.p[1]) { 128 } else { -128 };
        let a2 = limit(second + multiply(self.a[1], 32_512)).clamp(-12_288, 12_288);
        let first = if same(self.p[0]) { 192 } else { -192 };
        let bound = limit(15_360 - a2);
        let a1 = limit(first + multiply(self.a[0], 32_640)).clamp(-bound, bound);
        self.a = [a1, a2];
    }

    /// Block UPZERO.
    fn adapt_zeros(&mut self, d: i32) {
        let step = if d == 0 { 0 } else { 128 };
        for (b, before) in self.b.iter_mut().zip(self.d) {
            let towards = if (d < 0) == (before < 0) { step } else { -step };
            *b = limit(towards + multiply(*b, 32_640));
        }
    }
}

/// The magnitude by which a difference is quantized.
fn magnitude(difference: i32) -> i32 {
    if difference < 0 { -(difference + 1) } else { difference }
}

/// Blocks SUBTRA, QUANTL, INVQAL and block 4: the 6-bit code of a sample.
pub(super) fn quantize_low(band: &mut Predictor, sample: i32) -> u8 {
    let difference = limit(sample - band.s);
    let size = magnitude(difference);
    // The intervals grow: find the first whose upper end is above.
    let levels = &Q6[1..30];
    let interval = 1 + levels.partition_point(|level| size >= (level * band.det) >> 12);
    let code = if difference < 0 { ILN[interval] } else { ILP[interval] };
    adapt_low(band, code);
    code
}

fn adapt_low(band: &mut Predictor, code: u8) {
    let coarse = usize::from(code >> 2);
    let d = multiply(band.det, QM4[coarse]);
    band.adapt_scale(WL[coarse]);
    band.adapt(d);
}

/// Blocks INVQBL, RECONS and LIMIT: the sample of a 6-bit code.
pub(super) fn reconstruct_low(band: &mut Predictor, code: u8) -> i32 {
    let fine = multiply(band.det, QM6[usize::from(code & 0x3f)]);
    let sample = limit(band.s + fine).clamp(LIMIT.0, LIMIT.1);
    adapt_low(band, code & 0x3f);
    sample
}

/// The 2-bit code of a sample of the upper band.
pub(super) fn quantize_high(band: &mut Predictor, sample: i32) -> u8 {
    let difference = limit(sample - band.s);
    let outer = magnitude(difference) >= (564 * band.det) >> 12;
    let code = match (difference < 0, outer) {
        (true, false) => 1,
        (true, true) => 0,
        (false, false) => 3,
        (false, true) => 2,
    };
    adapt_high(band, code);
    code
}

fn adapt_high(band: &mut Predictor, code: u8) -> i32 {
    let code = usize::from(code & 3);
    let d = multiply(band.det, QM2[code]);
    band.adapt_scale(WH[code]);
    band.adapt(d);
    d
}

/// The sample of a 2-bit code.
pub(super) fn reconstruct_high(band: &mut Predictor, code: u8) -> i32 {
    let predicted = band.s;
    let d = adapt_high(band, code);
    limit(predicted + d).clamp(LIMIT.0, LIMIT.1)
}
