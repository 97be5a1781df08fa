//! A human at rest: cleans the checkout, and decides about what waits.

use mycelium_core::settle::Draft;
use mycelium_schemas::{
    event::{EventKind, ReviewApprove, ReviewReject, ReviewRetry},
    state::{RunStatus, TaskStatus},
};

use crate::sim::{Sim, Step};

impl Sim {
    /// Decides about some of what waits. Says whether anything was decided.
    pub(crate) fn human(&mut self) -> Step<bool> {
        if self.dice.once_in(2) {
            self.world.clean_checkout();
        }
        if !self.load()? || self.state.end.as_ref().is_some_and(|end| end.status == RunStatus::Complete) {
            return Ok(false);
        }
        let mut decided = false;
        for id in self.state.tasks.keys().cloned().collect::<Vec<_>>() {
            let Some(facts) = self.state.tasks.get(&id) else { continue };
            let (status, commit, attempt) = (facts.status, facts.commit.clone(), facts.attempts);
            let retry = || EventKind::ReviewRetry(ReviewRetry { config_digest: String::new() });
            let kind = match (status, self.dice.roll(5), commit) {
                (TaskStatus::NeedsHumanReview, 1 | 2, Some(commit)) => {
                    EventKind::ReviewApprove(ReviewApprove { commit, overrides: Vec::new() })
                }
                (TaskStatus::NeedsHumanReview, 3, _) => EventKind::ReviewReject(ReviewReject {}),
                (TaskStatus::NeedsHumanReview | TaskStatus::Failed, 4, _) => retry(),
                _ => continue,
            };
            self.record(vec![Draft { task: Some(id), attempt: Some(attempt), ..Draft::run(kind) }])?;
            decided = true;
        }
        Ok(decided)
    }
}
