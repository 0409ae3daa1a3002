//! Which gateway first (RFC 2782, in the words of its weights).

use cordboard_model::config::Gateway;
use rand_core::RngCore;

/// The indexes of `gateways` in the order in which they are tried: the lowest priority first; within one, at random by
/// weight, and those of weight zero last.
pub(crate) fn order(gateways: &[Gateway], rng: &mut impl RngCore) -> Vec<usize> {
    let mut left: Vec<usize> = (0..gateways.len()).collect();
    let mut order = Vec::with_capacity(left.len());
    let priority = |at: &usize| gateways.get(*at).map_or(u16::MAX, |gateway| gateway.priority);
    let weight = |at: &usize| gateways.get(*at).map_or(0, |gateway| u64::from(gateway.weight));
    while let Some(first) = left.iter().map(priority).min() {
        let of_first: Vec<usize> = left.iter().copied().filter(|at| priority(at) == first).collect();
        let sum: u64 = of_first.iter().map(weight).sum();
        let mut drawn = if sum == 0 { 0 } else { rng.next_u64() % sum };
        let chosen = of_first.iter().copied().find(|at| {
            let own = weight(at);
            let is_it = sum == 0 || drawn < own;
            drawn = drawn.saturating_sub(own);
            is_it
        });
        let Some(chosen) = chosen.or(of_first.first().copied()) else {
            break;
        };
        left.retain(|at| *at != chosen);
        order.push(chosen);
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_chacha::ChaCha12Rng;
    use rand_core::SeedableRng;

    fn gateway(priority: u16, weight: u16) -> Gateway {
        Gateway { priority, weight, ..Gateway::at("192.0.2.1:5060".parse().unwrap()) }
    }

    #[test]
    fn a_lower_priority_always_comes_first_and_weights_are_shares() {
        let mut rng = ChaCha12Rng::from_seed([3; 32]);
        let gateways = [gateway(2, 9), gateway(1, 3), gateway(1, 1), gateway(1, 0)];
        let mut firsts = [0u32; 4];
        for _ in 0..4_000 {
            let order = order(&gateways, &mut rng);
            assert_eq!(order.len(), 4);
            assert_eq!(order[3], 0, "the second priority is the last");
            assert_eq!(order[2], 3, "without weight, after those with one");
            firsts[order[0]] += 1;
        }
        assert!((2_850..3_150).contains(&firsts[1]) && firsts[1] + firsts[2] == 4_000, "{firsts:?}");
        assert_eq!(order(&[], &mut rng), [0usize; 0]);
        assert_eq!(order(&[gateway(1, 0)], &mut rng), [0]);
    }
}
