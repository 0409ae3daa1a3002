//! Whether a gateway lives: pure counting.
//!
//! Invariant: a gateway is taken for dead only after so many failures in a row, and for alive again only after so many
//! successes; one that was never asked is used as if it lived.

use cordboard_model::config::TrunkHealth;
use cordboard_model::view::GatewayState;

/// What was seen of a gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    /// It answered, whatever it said but that it cannot serve.
    Alive,
    /// It did not, or said that it cannot.
    Dead,
}

/// One gateway's state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Door {
    pub(crate) state: GatewayState,
    /// In a row: failures while it is not down, successes while it is.
    count: u8,
}

impl Default for Door {
    fn default() -> Self {
        Self { state: GatewayState::Unknown, count: 0 }
    }
}

impl Door {
    /// Takes note; true if the state changed.
    pub(crate) fn see(&mut self, seen: Seen, health: &TrunkHealth) -> bool {
        let before = self.state;
        match (self.state, seen) {
            (GatewayState::Up, Seen::Alive) => self.count = 0,
            (GatewayState::Unknown, Seen::Alive) => (self.state, self.count) = (GatewayState::Up, 0),
            (GatewayState::Up | GatewayState::Unknown, Seen::Dead) => {
                self.count = self.count.saturating_add(1);
                if self.count >= health.down_after {
                    (self.state, self.count) = (GatewayState::Down, 0);
                }
            }
            (GatewayState::Down, Seen::Alive) => {
                self.count = self.count.saturating_add(1);
                if self.count >= health.up_after {
                    (self.state, self.count) = (GatewayState::Up, 0);
                }
            }
            (GatewayState::Down, Seen::Dead) => self.count = 0,
        }
        before != self.state
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_takes_some_failures_in_a_row_to_be_down_and_some_successes_to_be_up() {
        let health = TrunkHealth { down_after: 3, up_after: 2, ..TrunkHealth::default() };
        let mut door = Door::default();
        let mut states = String::new();
        for seen in "-+--+---+-++-".chars() {
            door.see(if seen == '+' { Seen::Alive } else { Seen::Dead }, &health);
            states.push(match door.state {
                GatewayState::Unknown => '?',
                GatewayState::Up => 'u',
                GatewayState::Down => 'd',
            });
        }
        assert_eq!(states, "?uuuuuudddduu");
    }

    #[test]
    fn one_that_was_never_alive_is_down_after_as_many_failures() {
        let health = TrunkHealth { down_after: 2, ..TrunkHealth::default() };
        let mut door = Door::default();
        assert!(!door.see(Seen::Dead, &health));
        assert!(door.see(Seen::Dead, &health));
        assert_eq!(door.state, GatewayState::Down);
    }
}
