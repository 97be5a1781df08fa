//! What must hold after every step, and what at rest.

use mycelium_core::limits::RESCOPES_MAX;
use mycelium_schemas::{
    config::Mode,
    event::{EventKind, RunStop},
    id::CommitId,
    state::{RunStatus, StopReason, TaskStatus},
};

use crate::{
    scene::TASK_LIMIT,
    sim::{Sim, Step, broken},
};

impl Sim {
    /// After every step.
    pub(crate) fn check(&self) -> Step {
        self.world.check().or_else(broken)?;
        let agents: Vec<_> = self.world.alive.iter().collect();
        if agents.len() > usize::try_from(self.scene.config.max_parallel).unwrap_or(usize::MAX) {
            return broken(format!("{} agents at once", agents.len()));
        }
        for (nth, (one, locks)) in agents.iter().enumerate() {
            if let Some((other, _)) = agents.iter().skip(nth + 1).find(|(_, held)| held.clashes_with(locks)) {
                return broken(format!("{one} and {other} work at once and hold the same lock"));
            }
        }
        if self.state.blocked().is_some() == self.ledger.blocked().is_empty() {
            return broken(format!("the journal blocks {:?}, the state disagrees", self.ledger.blocked()));
        }
        Ok(())
    }

    /// After recovery: the run can go on.
    pub(crate) fn check_recovered(&self) -> Step {
        if let Some((id, _)) = self.state.tasks.iter().find(|(_, facts)| facts.status == TaskStatus::Running)
        {
            return broken(format!("{id} still counts as running after recovery"));
        }
        if self.state.open_intent.is_some() {
            return broken("a landing is still open after recovery");
        }
        if self.decide().is_empty() {
            return broken("there is nothing to do after recovery");
        }
        Ok(())
    }

    /// Before whatever supposes that the branch holds what landed.
    pub(crate) fn check_holds_landed(&self, what: &str) -> Step {
        match self.missing() {
            Some(commit) => broken(format!("{what}, and the branch does not hold the landing {commit}")),
            None => Ok(()),
        }
    }

    /// Before the run stops: it says that a landing is missing only where one is.
    pub(crate) fn check_stop(&self, stop: &RunStop) -> Step {
        if stop.stop_reason == StopReason::BranchRewound && self.missing().is_none() {
            return broken("the run stops for a rewound branch, and the branch holds every landing");
        }
        Ok(())
    }

    /// When a conflict is told: it is with something that landed after the work was begun. Work that was made on the very
    /// head can only be at odds with others of its batch, which may not land at all.
    pub(crate) fn check_conflict(&self, kind: &EventKind) -> Step {
        match kind {
            EventKind::LandingConflict(conflict)
                if self.world.base_of(&conflict.commit) == Some(&conflict.onto) =>
            {
                broken(format!("{} is in conflict with the commit that it was made on", conflict.task))
            }
            _ => Ok(()),
        }
    }

    fn missing(&self) -> Option<&CommitId> {
        self.ledger.landings.iter().find(|commit| !self.world.is_ancestor(commit, self.world.head()))
    }

    /// When the run has stopped.
    pub(crate) fn check_rest(&self) -> Step {
        let Some(end) = &self.state.end else { return broken("the run stopped without an end") };
        let all_landed = self.state.tasks.values().all(|facts| facts.status == TaskStatus::Landed);
        // What landed and was taken off the branch again does not make a run complete.
        let taken_off = end.reason == Some(StopReason::BranchRewound);
        if (end.status == RunStatus::Complete) != (all_landed && !taken_off) {
            return broken(format!("the run is {:?}, and all landed: {all_landed}", end.status));
        }
        let Some((replayed, _, _)) = self.fold()? else { return broken("the journal is empty") };
        if replayed.view() != self.state.view() {
            return broken("the journal tells another state than the one in memory");
        }
        self.state.tasks.keys().try_for_each(|id| self.check_task(id))
    }

    fn check_task(&self, id: &mycelium_schemas::id::TaskId) -> Step {
        let (Some(facts), config) = (self.state.tasks.get(id), &self.scene.config) else {
            return broken(format!("{id} is gone"));
        };
        let (counted, (said, kept)) = (facts.usage.tokens(), self.world.usage_of(id));
        let lossless = !self.power_cut && facts.status != TaskStatus::Running;
        if counted > said || (lossless && counted < kept) {
            return broken(format!("{id} used {said} tokens, of which {counted} are counted"));
        }
        let count = |of: &std::collections::BTreeMap<_, u32>| of.get(id).copied().unwrap_or_default();
        if count(&self.ledger.attempts) > self.allowed_attempts(id) {
            return broken(format!("{id} was tried {} times", facts.attempts));
        }
        if facts.failures > count(&self.world.failed) {
            return broken(format!("{id} failed {} times, says the state", facts.failures));
        }
        let landed = facts.status == TaskStatus::Landed;
        if !self.world.rewound && landed != self.world.shows(id) {
            return broken(format!("{id} is {}, and the branch disagrees", facts.status));
        }
        if landed && config.budgets.mode == Mode::Block && counted > TASK_LIMIT {
            return broken(format!("{id} landed over its budget"));
        }
        Ok(())
    }

    /// Most attempts that count: failures, conflicts and widenings are bounded, and a human begins anew.
    pub(crate) fn allowed_attempts(&self, id: &mycelium_schemas::id::TaskId) -> u32 {
        let count = |of: &std::collections::BTreeMap<_, u32>| of.get(id).copied().unwrap_or_default();
        let once = 1 + 2 * self.scene.config.max_retries + RESCOPES_MAX;
        // Work whose commit is gone is done again without any blame.
        once * (1 + count(&self.ledger.redone)) + count(&self.ledger.gone)
    }
}
