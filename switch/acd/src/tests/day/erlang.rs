//! What queueing theory says of a queue with Poisson arrivals, exponential service, and exponential patience or none
//! (Erlang C and A, the M/M/N and M/M/N+M queues), from the chances of each number of callers.

/// A queue as theory sees it.
pub(super) struct Theory {
    /// Callers a second.
    pub(super) arrivals: f64,
    /// Mean length of a service, seconds.
    pub(super) service: f64,
    /// Mean patience, seconds; none: nobody gives up.
    pub(super) patience: Option<f64>,
    pub(super) agents: usize,
}

/// What it says.
#[derive(Debug)]
pub(super) struct Expected {
    /// The share of callers who wait.
    pub(super) waits: f64,
    /// The mean wait of all, seconds.
    pub(super) wait: f64,
    /// The share of those who give up.
    pub(super) abandons: f64,
}

impl Theory {
    pub(super) fn expected(&self) -> Expected {
        let n = self.agents;
        let leave = |callers: usize| {
            let served = callers.min(n) as f64 / self.service;
            let gives_up = self.patience.map_or(0.0, |patience| callers.saturating_sub(n) as f64 / patience);
            served + gives_up
        };
        // So far up the chances are nothing any more.
        let most = n * 20 + 500;
        let mut chances = vec![1.0_f64];
        for callers in 1..most {
            let before = chances[callers - 1];
            chances.push(before * self.arrivals / leave(callers));
        }
        let all: f64 = chances.iter().sum();
        let chance = |callers: usize| chances[callers] / all;
        let waiting: f64 = (n..most).map(|callers| (callers - n) as f64 * chance(callers)).sum();
        Expected {
            waits: (n..most).map(chance).sum(),
            wait: waiting / self.arrivals,
            abandons: self.patience.map_or(0.0, |patience| waiting / patience / self.arrivals),
        }
    }

    /// The share of callers served within `seconds`, where nobody gives up.
    pub(super) fn served_within(&self, seconds: f64) -> f64 {
        let spare = self.agents as f64 / self.service - self.arrivals;
        1.0 - self.expected().waits * (-spare * seconds).exp()
    }
}

#[test]
fn theory_agrees_with_the_tables_of_others() {
    // 20 agents, 17 erlangs, 180 s of service.
    let theory = Theory { arrivals: 17.0 / 180.0, service: 180.0, patience: None, agents: 20 };
    let said = theory.expected();
    // By the closed form, with Erlang B from its recursion.
    let b = (1..=20).fold(1.0, |b, n| 17.0 * b / (f64::from(n) + 17.0 * b));
    let c = 20.0 * b / (20.0 - 17.0 * (1.0 - b));
    assert!((said.waits - c).abs() < 1e-9, "{said:?} {c}");
    assert!((said.wait - c * 180.0 / 3.0).abs() < 1e-6, "{said:?}");
    assert!((said.abandons).abs() < 1e-12);
    // With patience as long as a service, M/M/N+M is M/M/infinity: as many leave as come, at the rate of each.
    let patient = Theory { patience: Some(180.0), ..theory };
    let poisson = |k: u32| (1..=k).fold((-17.0_f64).exp(), |p, i| p * 17.0 / f64::from(i));
    let waits: f64 = 1.0 - (0..20).map(poisson).sum::<f64>();
    assert!((patient.expected().waits - waits).abs() < 1e-9, "{:?} {waits}", patient.expected());
}
