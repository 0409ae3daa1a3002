//! Call progress tones by country: which sound in which cadence (ITU-T E.180 supplement 2, "Various tones used in
//! national networks"). One row a country; the media engine makes sound of it.

use serde::{Deserialize, Serialize};

/// A sound, in hertz.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sound {
    /// Nothing.
    Silence,
    /// One frequency; "425" in the supplement.
    Pure(u16),
    /// Two at the same level; "350+440".
    Sum(u16, u16),
    /// The first modulated by the second; "400x25".
    Modulated(u16, u16),
}

/// A sound and how long it lasts, milliseconds.
pub type Segment = (Sound, u32);

/// A tone: segments in turn, again and again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pattern(pub &'static [Segment]);

impl Pattern {
    /// After how many milliseconds it begins anew; never 0.
    pub fn period_ms(self) -> u32 {
        self.0.iter().map(|(_, ms)| ms).sum::<u32>().max(1)
    }

    /// What sounds at this millisecond from the beginning.
    pub fn at(self, ms: u64) -> Sound {
        let mut left = ms % u64::from(self.period_ms());
        for (sound, length) in self.0 {
            let length = u64::from(*length);
            if left < length {
                return *sound;
            }
            left -= length;
        }
        Sound::Silence
    }
}

/// What a tone says to who hears it (E.180).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Signal {
    /// "Dial": the switch waits for digits.
    Dial,
    /// The called party's phone rings.
    RingBack,
    /// The called party talks to somebody else.
    Busy,
    /// The way there is full.
    Congestion,
    /// The number cannot be reached as it was dialled; an announcement should follow.
    Information,
}

impl Signal {
    /// Every signal, by the name it has in a flow.
    pub const NAMES: [(&'static str, Signal); 5] = [
        ("ringback", Signal::RingBack),
        ("busy", Signal::Busy),
        ("congestion", Signal::Congestion),
        ("dial", Signal::Dial),
        ("information", Signal::Information),
    ];

    /// Its name in a flow.
    pub fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(_, signal)| *signal == self).map_or("", |(name, _)| name)
    }
}

/// The plan of tones of a country, by its place in the table; China's by default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TonePlan(u8);

impl TonePlan {
    /// The plan of a country, by its two letters (ISO 3166-1), in either case.
    pub fn of_country(letters: &str) -> Option<Self> {
        let at = PLANS.iter().position(|plan| plan.country.eq_ignore_ascii_case(letters))?;
        u8::try_from(at).ok().map(Self)
    }

    /// The countries that have one.
    pub fn countries() -> impl Iterator<Item = &'static str> {
        PLANS.iter().map(|plan| plan.country)
    }

    /// Its country.
    pub fn country(self) -> &'static str {
        self.row().country
    }

    /// A tone of this plan.
    pub fn pattern(self, signal: Signal) -> Pattern {
        let row = self.row();
        Pattern(match signal {
            Signal::Dial => row.dial,
            Signal::RingBack => row.ring_back,
            Signal::Busy => row.busy,
            Signal::Congestion => row.congestion,
            Signal::Information => INFORMATION,
        })
    }

    fn row(self) -> &'static Row {
        PLANS.get(usize::from(self.0)).unwrap_or(&CHINA)
    }
}

impl From<TonePlan> for String {
    fn from(plan: TonePlan) -> Self {
        plan.country().to_owned()
    }
}

impl TryFrom<String> for TonePlan {
    type Error = String;

    fn try_from(letters: String) -> Result<Self, String> {
        Self::of_country(&letters).ok_or_else(|| format!("there is no plan of tones for {letters:?}"))
    }
}

struct Row {
    country: &'static str,
    dial: &'static [Segment],
    ring_back: &'static [Segment],
    busy: &'static [Segment],
    congestion: &'static [Segment],
}

use Sound::{Modulated as Mod, Pure, Silence as Off, Sum};

/// E.180 7: three tones in rising order, 950, 1,400 and 1,800 Hz, each of 330 ms, then a pause of one second.
const INFORMATION: &[Segment] = &[(Pure(950), 330), (Pure(1_400), 330), (Pure(1_800), 330), (Off, 1_000)];

/// A tone without end.
const WHOLE: u32 = 1_000;

const CHINA: Row = Row {
    country: "CN",
    dial: &[(Pure(450), WHOLE)],
    ring_back: &[(Pure(450), 1_000), (Off, 4_000)],
    busy: &[(Pure(450), 350), (Off, 350)],
    congestion: &[(Pure(450), 700), (Off, 700)],
};

/// In the order in which they are offered.
const PLANS: &[Row] = &[
    CHINA,
    Row {
        country: "US",
        dial: &[(Sum(350, 440), WHOLE)],
        ring_back: &[(Sum(440, 480), 2_000), (Off, 4_000)],
        busy: &[(Sum(480, 620), 500), (Off, 500)],
        congestion: &[(Sum(480, 620), 250), (Off, 250)],
    },
    Row {
        country: "CA",
        dial: &[(Sum(350, 440), WHOLE)],
        ring_back: &[(Sum(440, 480), 2_000), (Off, 4_000)],
        busy: &[(Sum(480, 620), 500), (Off, 500)],
        congestion: &[(Sum(480, 620), 250), (Off, 250)],
    },
    Row {
        country: "GB",
        dial: &[(Sum(350, 440), WHOLE)],
        ring_back: &[(Sum(400, 450), 400), (Off, 200), (Sum(400, 450), 400), (Off, 2_000)],
        busy: &[(Pure(400), 375), (Off, 375)],
        congestion: &[(Pure(400), 400), (Off, 350), (Pure(400), 225), (Off, 525)],
    },
    Row {
        country: "DE",
        dial: &[(Pure(425), WHOLE)],
        ring_back: &[(Pure(425), 1_000), (Off, 4_000)],
        busy: &[(Pure(425), 480), (Off, 480)],
        congestion: &[(Pure(425), 240), (Off, 240)],
    },
    Row {
        country: "FR",
        dial: &[(Pure(440), WHOLE)],
        ring_back: &[(Pure(440), 1_500), (Off, 3_500)],
        busy: &[(Pure(440), 500), (Off, 500)],
        congestion: &[(Pure(440), 250), (Off, 250)],
    },
    Row {
        country: "ES",
        dial: &[(Pure(425), WHOLE)],
        ring_back: &[(Pure(425), 1_500), (Off, 3_000)],
        busy: &[(Pure(425), 200), (Off, 200)],
        congestion: &[
            (Pure(425), 200),
            (Off, 200),
            (Pure(425), 200),
            (Off, 200),
            (Pure(425), 200),
            (Off, 600),
        ],
    },
    Row {
        country: "IT",
        dial: &[(Pure(425), 200), (Off, 200), (Pure(425), 600), (Off, 1_000)],
        ring_back: &[(Pure(425), 1_000), (Off, 4_000)],
        busy: &[(Pure(425), 500), (Off, 500)],
        congestion: &[(Pure(425), 200), (Off, 200)],
    },
    Row {
        country: "JP",
        dial: &[(Pure(400), WHOLE)],
        ring_back: &[(Mod(400, 16), 1_000), (Off, 2_000)],
        busy: &[(Pure(400), 500), (Off, 500)],
        congestion: &[(Pure(400), 500), (Off, 500)],
    },
    Row {
        country: "KR",
        dial: &[(Sum(350, 440), WHOLE)],
        ring_back: &[(Sum(440, 480), 1_000), (Off, 2_000)],
        busy: &[(Sum(480, 620), 500), (Off, 500)],
        congestion: &[(Sum(480, 620), 300), (Off, 200)],
    },
    Row {
        country: "IN",
        dial: &[(Mod(400, 25), WHOLE)],
        ring_back: &[(Mod(400, 25), 400), (Off, 200), (Mod(400, 25), 400), (Off, 2_000)],
        busy: &[(Pure(400), 750), (Off, 750)],
        congestion: &[(Pure(400), 250), (Off, 250)],
    },
    Row {
        country: "SG",
        dial: &[(Pure(425), WHOLE)],
        ring_back: &[(Mod(425, 24), 400), (Off, 200), (Mod(425, 24), 400), (Off, 2_000)],
        busy: &[(Pure(425), 750), (Off, 750)],
        congestion: &[(Pure(425), 250), (Off, 250)],
    },
    Row {
        country: "HK",
        dial: &[(Sum(350, 440), WHOLE)],
        ring_back: &[(Sum(440, 480), 400), (Off, 200), (Sum(440, 480), 400), (Off, 3_000)],
        busy: &[(Sum(480, 620), 500), (Off, 500)],
        congestion: &[(Sum(480, 620), 250), (Off, 250)],
    },
    Row {
        country: "AU",
        dial: &[(Mod(425, 25), WHOLE)],
        ring_back: &[(Mod(425, 25), 400), (Off, 200), (Mod(425, 25), 400), (Off, 2_000)],
        busy: &[(Pure(425), 375), (Off, 375)],
        congestion: &[(Pure(425), 375), (Off, 375), (Pure(420), 375), (Off, 375)],
    },
    Row {
        country: "BR",
        dial: &[(Pure(425), WHOLE)],
        ring_back: &[(Pure(425), 1_000), (Off, 4_000)],
        busy: &[(Pure(425), 250), (Off, 250)],
        congestion: &[(Pure(425), 250), (Off, 250), (Pure(425), 750), (Off, 250)],
    },
    Row {
        country: "MX",
        dial: &[(Pure(425), WHOLE)],
        ring_back: &[(Pure(425), 1_000), (Off, 4_000)],
        busy: &[(Pure(425), 250), (Off, 250)],
        congestion: &[(Pure(425), 250), (Off, 250)],
    },
    Row {
        country: "RU",
        dial: &[(Pure(425), WHOLE)],
        ring_back: &[(Pure(425), 800), (Off, 3_200)],
        busy: &[(Pure(425), 400), (Off, 400)],
        congestion: &[(Pure(425), 200), (Off, 200)],
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_goes_through_its_segments_and_begins_anew() {
        let ring = TonePlan::of_country("gb").unwrap().pattern(Signal::RingBack);
        assert_eq!(ring.period_ms(), 3_000);
        let sounds =
            [0, 399, 400, 599, 600, 999, 1_000, 2_999, 3_000].map(|ms| ring.at(ms) != Sound::Silence);
        assert_eq!(sounds, [true, true, false, false, true, true, false, false, true]);
    }

    #[test]
    fn every_country_stands_there_once_and_comes_back_from_what_is_stored() {
        let mut all: Vec<_> = TonePlan::countries().collect();
        assert!(all.len() >= 10, "{all:?}");
        for country in &all {
            let plan = TonePlan::of_country(&country.to_lowercase()).unwrap();
            assert_eq!(TonePlan::try_from(String::from(plan)), Ok(plan));
        }
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), PLANS.len());
        assert_eq!(TonePlan::of_country("XX"), None);
        assert_eq!(TonePlan::default().country(), "CN");
    }
}
