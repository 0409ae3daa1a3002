//! What a caller hears of the switch itself: tones of his country.

use crate::stage::{AGENT_HZ, Stage, secs, setup};
use cordboard_sim::phone::Plan;

/// Answers, says that the line is full, then rings agent 2001.
const FLOW: &str = "call:answer() call:play{tone = 'congestion', seconds = 2} call:transfer{agent = '2001'}";

#[test]
fn a_caller_hears_congestion_and_ring_back_as_his_tenants_country_plays_them() {
    for (country, congestion, ring_back) in [("US", [480, 620], [440, 480]), ("FR", [440, 440], [440, 440])] {
        let set = setup(&["2001"]).tones(country).flow("tones", FLOW, None).number_to_flow("1500", "tones");
        let mut s = Stage::new(set);
        s.carrier("caller");
        s.phone("2001", AGENT_HZ, Plan::answer(secs(8.0)));
        s.call("caller", "1500", Plan::call());
        // 250 ms on, 250 ms off in both countries: some look in that time falls into either
        let mut shares = Vec::new();
        for _ in 0..24 {
            s.run(0.05);
            shares.push(congestion.map(|hz| s.world.share("caller", hz)));
        }
        let heard = |shares: &[f64; 2]| shares.iter().all(|share| *share > 0.35);
        assert!(shares.iter().any(heard), "{country}: {shares:?}");
        s.run(2.2);
        let shares = ring_back.map(|hz| s.world.share("caller", hz));
        assert!(heard(&shares), "{country}: {shares:?}\n{}", s.story());
        s.run(2.2);
        assert!(s.world.share("caller", ring_back[0]) < 0.01, "{country}: the pause of ring-back");
        s.run(6.0);
        s.hears("caller", AGENT_HZ);
    }
}
