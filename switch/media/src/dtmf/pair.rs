//! The two tones of a key (ITU-T Q.23): which they are, and how loud we send them.

use crate::tone::Sine;

/// The low group of Q.23, hertz: one for each row of keys.
pub(crate) const LOW: [u16; 4] = [697, 770, 852, 941];
/// The high group, one for each column.
pub(crate) const HIGH: [u16; 4] = [1_209, 1_336, 1_477, 1_633];
/// The keys by row and column.
const KEYS: [[u8; 4]; 4] = [*b"123A", *b"456B", *b"789C", *b"*0#D"];

/// Peak of a sine of 0 dBm0 in linear 16-bit samples: G.711's A-law holds 3.14 dBm0 at most, at 32,256.
pub(crate) const PEAK_0_DBM0: f64 = 22_470.0;
/// The low tone, -8 dBm0: phones send between -5 and -11, and receivers must understand -24 (Q.24, annex A).
const LOW_PEAK: i16 = 8_945;
/// The high tone is 2 dB louder, for lines lose more of it.
const HIGH_PEAK: i16 = 11_262;

/// The key of a row and a column.
pub(crate) fn key_at(row: usize, column: usize) -> Option<char> {
    KEYS.get(row)?.get(column).map(|key| char::from(*key))
}

/// The two sines of a key.
pub(crate) fn tones_of(key: char) -> Option<[Sine; 2]> {
    let key = u8::try_from(key.to_ascii_uppercase()).ok()?;
    let place = |row: &[u8; 4]| row.iter().position(|known| *known == key);
    let (row, column) = KEYS.iter().enumerate().find_map(|(row, keys)| Some((row, place(keys)?)))?;
    Some([Sine::new(*LOW.get(row)?, LOW_PEAK), Sine::new(*HIGH.get(column)?, HIGH_PEAK)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_levels_are_what_they_are_said_to_be() {
        let level = |peak: i16| 20.0 * (f64::from(peak) / PEAK_0_DBM0).log10();
        assert!((level(LOW_PEAK) + 8.0).abs() < 0.01, "{}", level(LOW_PEAK));
        assert!((level(HIGH_PEAK) + 6.0).abs() < 0.01, "{}", level(HIGH_PEAK));
    }

    #[test]
    fn each_key_has_its_row_and_column() {
        assert_eq!(
            (key_at(0, 0), key_at(3, 1), key_at(3, 3), key_at(4, 0)),
            (Some('1'), Some('0'), Some('D'), None)
        );
        assert!("0123456789*#ABCDabcd".chars().all(|key| tones_of(key).is_some()));
        assert!(tones_of('x').is_none() && tones_of('é').is_none());
    }
}
