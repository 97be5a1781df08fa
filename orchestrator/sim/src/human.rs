//! A human at rest: cleans the checkout, puts a rewound branch back, and decides about what waits.

use mycelium_core::settle::Draft;
use mycelium_schemas::{
    event::{EventKind, ReviewApprove, ReviewReject, ReviewRetry},
    state::{RunStatus, StopReason, TaskStatus},
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
        let mut decided = self.put_back();
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

    /// Where the run stopped because the branch lost what landed: puts that back, or goes on all the same, or neither.
    /// Says which.
    fn put_back(&mut self) -> bool {
        let reason = self.state.end.as_ref().and_then(|end| end.reason);
        if reason != Some(StopReason::BranchRewound) {
            return false;
        }
        self.saw("a run that stopped for a rewound branch");
        let newest = self.ledger.landings.last().cloned();
        match (self.dice.roll(4), newest) {
            (1 | 2, Some(newest)) => {
                self.world.put_back(newest);
                self.saw("a branch put back");
                true
            }
            (3, _) => true,
            _ => false,
        }
    }
}
