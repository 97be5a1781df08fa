//! How long each step definition took in a run, from its stream.

use std::collections::HashMap;

use mycelium_schemas::messages::{Duration as WireDuration, Envelope};
use serde::Serialize;

/// The executions of one step definition.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(in crate::cli) struct Duration {
    pub(in crate::cli) runs: u64,
    pub(in crate::cli) total_ms: u64,
    pub(in crate::cli) longest_ms: u64,
}

impl Duration {
    /// What one execution took in the middle.
    pub(in crate::cli) fn mean_ms(self) -> u64 {
        self.total_ms.checked_div(self.runs).unwrap_or_default()
    }
}

/// The durations by place and expression of the definition, so that one that moved is not taken for another.
pub(in crate::cli) fn durations(stream: &[Envelope]) -> HashMap<(String, String), Duration> {
    let mut definitions: HashMap<&str, (String, String)> = HashMap::new();
    let mut steps: HashMap<&str, &str> = HashMap::new();
    let mut durations: HashMap<(String, String), Duration> = HashMap::new();
    for envelope in stream {
        match envelope {
            Envelope::StepDefinition(definition) => {
                let source = &definition.source_reference;
                let line = source.location.map_or(0, |location| location.line);
                let place = format!("{}:{line}", source.uri.as_deref().unwrap_or_default());
                definitions.insert(&definition.id, (place, definition.pattern.source.clone()));
            }
            Envelope::TestCase(case) => {
                for step in &case.test_steps {
                    if let Some([definition]) = step.step_definition_ids.as_deref() {
                        steps.insert(&step.id, definition);
                    }
                }
            }
            Envelope::TestStepFinished(finished) => {
                let definition = steps.get(finished.test_step_id.as_str());
                let Some(key) = definition.and_then(|id| definitions.get(id)) else { continue };
                let took = milliseconds(finished.test_step_result.duration);
                let duration = durations.entry(key.clone()).or_default();
                duration.runs += 1;
                duration.total_ms += took;
                duration.longest_ms = duration.longest_ms.max(took);
            }
            _ => {}
        }
    }
    durations
}

fn milliseconds(duration: WireDuration) -> u64 {
    u64::try_from(duration.seconds).unwrap_or_default() * 1000 + u64::from(duration.nanos) / 1_000_000
}
