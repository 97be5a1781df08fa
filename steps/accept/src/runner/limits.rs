//! How long things may take before they are given up.

use std::time::Duration;

/// The limits of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Of a step, where its scenario has no `@timeout` tag.
    pub step: Duration,
    /// Of a scenario without such a tag.
    pub scenario: Duration,
    /// All of them so many times, since so many times as many scenarios run at a time as is usual.
    pub times: u32,
}

/// The limits of one scenario.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ScenarioLimits {
    pub(super) step: Duration,
    pub(super) scenario: Duration,
}

impl Limits {
    /// Those of a scenario that asks for its own time, or does not. It may spend that on one step.
    pub(super) fn of(&self, own: Option<Duration>) -> ScenarioLimits {
        ScenarioLimits {
            step: own.unwrap_or(self.step).saturating_mul(self.times),
            scenario: own.unwrap_or(self.scenario).saturating_mul(self.times),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: Duration = Duration::from_secs(1);

    #[test]
    fn a_scenario_may_ask_for_its_own_time_and_has_more_of_it_in_a_crowd() {
        let limits = Limits { step: 60 * S, scenario: 300 * S, times: 4 };
        assert_eq!(limits.of(None), ScenarioLimits { step: 240 * S, scenario: 1200 * S });
        assert_eq!(limits.of(Some(120 * S)), ScenarioLimits { step: 480 * S, scenario: 480 * S });
        assert_eq!(limits.of(Some(Duration::MAX)).step, Duration::MAX);
    }
}
