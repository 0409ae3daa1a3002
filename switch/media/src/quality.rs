//! How good the audio of a path is: the E-model (ITU-T G.107), reduced to what packets can tell.
//!
//! R = 93.2 - Id - Ie,eff. Id is the delay's part, Ie,eff the part of codec and loss; everything else of the model is at its
//! default. The scale is that of the telephone band; G.722 is held against G.711, not against what it could be.

use cordboard_model::media::Codec;

/// R without delay and loss, all parameters at their defaults (G.107 7.7).
const BEST: f64 = 93.2;
/// Delay beyond which talking at the same time begins to disturb, milliseconds.
const NOTICED_MS: f64 = 177.3;
/// What coding and playing out take beside the path: a packet at each end.
const ENDS_MS: f64 = 40.0;

/// What is known of one direction of a path.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Path {
    /// Packets that arrived and that did not.
    pub received: u64,
    pub lost: u64,
    /// Runs of lost packets.
    pub gaps: u64,
    pub jitter_us: u32,
    pub round_trip_us: Option<u32>,
}

/// The mean opinion score, 100 to 450 hundredths. `None` when nothing was sent that could have arrived, and for video.
pub(crate) fn mos(codec: Codec, path: Path) -> Option<u16> {
    let all = path.received + path.lost;
    if all == 0 || codec.is_video() {
        return None;
    }
    let share = path.lost as f64 / all as f64;
    let r = BEST - delay_impairment(path) - loss_impairment(codec, share, burst_ratio(path, share));
    // G.107 annex B.
    let mos = match r {
        r if r <= 0.0 => 1.0,
        r => (1.0 + 0.035 * r + r * (r - 60.0) * (100.0 - r) * 7e-6).max(1.0),
    };
    Some((mos * 100.0).round() as u16)
}

/// Id, in the form of G.107's derivation for echo-free paths.
fn delay_impairment(path: Path) -> f64 {
    let way = f64::from(path.round_trip_us.unwrap_or(0)) / 2_000.0;
    // A buffer that plays jittery packets out waits for about twice their jitter.
    let delay = way + f64::from(path.jitter_us) / 500.0 + ENDS_MS;
    0.024 * delay + if delay > NOTICED_MS { 0.11 * (delay - NOTICED_MS) } else { 0.0 }
}

/// Ie,eff = Ie + (95 - Ie) * Ppl / (Ppl / BurstR + Bpl), loss in percent (G.107 7.5).
fn loss_impairment(codec: Codec, share: f64, burst_ratio: f64) -> f64 {
    let (ie, bpl) = match codec {
        // G.113 appendix I: G.711 whose receiver conceals loss. It has no values for Opus, whose own concealment is no
        // worse.
        Codec::Pcma | Codec::Pcmu | Codec::G722 | Codec::Opus | Codec::L16 | Codec::H264 | Codec::Vp8 => {
            (0.0, 25.1)
        }
    };
    let percent = share * 100.0;
    ie + (95.0 - ie) * percent / (percent / burst_ratio + bpl)
}

/// The mean length of a run of losses, held against that of the same loss at random.
fn burst_ratio(path: Path, share: f64) -> f64 {
    if path.gaps == 0 || path.lost == 0 {
        return 1.0;
    }
    (path.lost as f64 / path.gaps as f64 * (1.0 - share)).max(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(received: u64, lost: u64, gaps: u64, round_trip_ms: u32) -> u16 {
        let path = Path { received, lost, gaps, jitter_us: 0, round_trip_us: Some(round_trip_ms * 1_000) };
        mos(Codec::Pcma, path).unwrap()
    }

    #[test]
    fn a_clean_short_path_is_as_good_as_the_telephone_gets() {
        assert_eq!(of(1_000, 0, 0, 20), 438);
        assert_eq!(mos(Codec::Pcma, Path::default()), None);
    }

    #[test]
    fn loss_bursts_and_delay_each_cost() {
        let clean = of(1_000, 0, 0, 20);
        let scattered = of(940, 60, 60, 20);
        let in_bursts = of(940, 60, 10, 20);
        assert!((365..=385).contains(&scattered), "{scattered}");
        assert!(in_bursts < scattered && scattered < clean, "{in_bursts} {scattered}");
        let far = of(1_000, 0, 0, 600);
        assert!((330..=360).contains(&far), "{far}");
        assert_eq!(of(1, 999, 1, 4_000), 100);
    }
}
