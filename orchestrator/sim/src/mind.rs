//! What the orchestrator under test thinks: the core's pure functions, or one mutant of them.

use std::convert::Infallible;

use mycelium_core::{
    decide::{self, Action},
    plan::Plan,
    recover::{self, Found, IntentFound},
    rewind,
    settle::{self, AttemptFacts, Draft, LandingOutcome, Outcome},
    state::RunState,
};
use mycelium_schemas::{
    config::{Config, FailurePolicy, Mode},
    event::{CheckoutUpdate, Event, EventKind, JournalTruncated, LandingDone, RunStop, TaskRetry},
    id::TaskId,
    manifest::PlannedTask,
};

use crate::{mutant::Mutant, sim::Sim};

impl Sim {
    /// Whether it is wrong in this way.
    pub(crate) fn is(&self, mutant: Mutant) -> bool {
        self.mutant == Some(mutant)
    }

    /// What to do next.
    pub(crate) fn decide(&self) -> Vec<Action> {
        let Some(mutant) = self.mutant else {
            return decide::decide(&self.scene.plan, &self.state, &self.scene.config);
        };
        let (plan, config) = (mutant.plan(&self.scene.plan), mutant.config(&self.scene.config));
        let mut state = self.state.clone();
        if matches!(mutant, Mutant::AddedLocksIgnored | Mutant::LocksIgnored) {
            state.tasks.values_mut().for_each(|facts| facts.added_locks.clear());
        }
        if mutant == Mutant::RefusalIgnored {
            state
                .tasks
                .values_mut()
                .filter(|facts| facts.is_refused())
                .for_each(|facts| facts.reasons.clear());
        }
        let mut actions = decide::decide(&plan, &state, &config);
        if let (Mutant::FirstOvertaken, [Action::StartBatch { tasks, .. }]) = (mutant, actions.as_mut_slice())
            && tasks.len() > 1
        {
            tasks.remove(0);
        }
        actions
    }

    /// What is done of that, seen what the branch holds.
    pub(crate) fn unless_rewound(&self, actions: Vec<Action>) -> Vec<Action> {
        let lost = |landed: &[LandingDone]| Ok::<_, Infallible>(self.lost(landed));
        let Ok(actions) = rewind::unless_rewound(&self.state, actions, lost);
        actions
    }

    /// How the run ends instead of a landing, where the branch does not hold what landed before.
    pub(crate) fn rewound(&self) -> Option<RunStop> {
        rewind::rewound(&self.state.integration_branch, &self.lost(&self.state.landed))
    }

    fn lost(&self, landed: &[LandingDone]) -> Vec<LandingDone> {
        if self.is(Mutant::RewindIgnored) { Vec::new() } else { self.world.lost(landed) }
    }

    /// What follows from an attempt.
    pub(crate) fn settle(&self, batch: u32, task: &TaskId, mut facts: AttemptFacts) -> Vec<Draft> {
        let Some(mutant) = self.mutant else {
            return settle::attempt(&self.state, &self.scene.config, batch, task, facts);
        };
        let (mut config, mut state) = (self.scene.config.clone(), self.state.clone());
        match mutant {
            Mutant::BudgetIgnored => config.budgets.mode = Mode::Off,
            Mutant::FailuresNotCounted => {
                state.tasks.entry(task.clone()).and_modify(|facts| facts.failures = 0);
            }
            Mutant::HopelessRetried => {
                if let Outcome::Hopeless { why, .. } = &facts.outcome {
                    facts.outcome = Outcome::Failed(why.clone());
                }
            }
            Mutant::ValidatorIgnored => {
                if let Outcome::Judged { validators, .. } = &mut facts.outcome {
                    validators.clear();
                }
            }
            _ => {}
        }
        let mut drafts = settle::attempt(&state, &config, batch, task, facts);
        match mutant {
            Mutant::UsageCountedTwice => {
                let used = drafts.iter().find(|draft| matches!(draft.kind, EventKind::UsageUpdate(_)));
                drafts.splice(0..0, used.cloned());
            }
            Mutant::NoBackoff => drafts.iter_mut().for_each(|draft| {
                if let EventKind::TaskRetry(retry) = &mut draft.kind {
                    retry.backoff_ms = 0;
                }
            }),
            _ => {}
        }
        drafts
    }

    /// What follows from a landing.
    pub(crate) fn settle_landing(&self, batch: u32, outcome: LandingOutcome) -> Vec<Draft> {
        if !self.is(Mutant::ConflictsNotCounted) {
            return settle::landing(&self.state, &self.scene.config, batch, outcome);
        }
        let mut state = self.state.clone();
        state.tasks.values_mut().for_each(|facts| facts.conflicts = 0);
        settle::landing(&state, &self.scene.config, batch, outcome)
    }

    /// What makes journal and world agree again.
    pub(crate) fn recover(&self, mut found: Found) -> Vec<Vec<Draft>> {
        let Some(mutant) = self.mutant else {
            return recover::recover(&self.state, &self.scene.config, &found);
        };
        let mut config = self.scene.config.clone();
        match (mutant, &found.intent) {
            (Mutant::LandingRepeated, Some(IntentFound::Moved(_))) => {
                found.intent = Some(IntentFound::NotMoved);
            }
            (Mutant::LandingInvented, Some(IntentFound::NotMoved)) => {
                found.intent = Some(IntentFound::Moved(CheckoutUpdate::NotCheckedOut));
            }
            (Mutant::UsageForgotten, _) => found.usage.clear(),
            (Mutant::BudgetIgnoredInRecovery, _) => config.budgets.mode = Mode::Off,
            (Mutant::LostCommitIgnored, _) => found.missing.clear(),
            _ => {}
        }
        let mut groups = recover::recover(&self.state, &config, &found);
        let is_lost = |draft: &Draft| matches!(draft.kind, EventKind::WorkerLost(_));
        match mutant {
            Mutant::RunningForgotten => groups.retain(|group| !group.iter().any(is_lost)),
            Mutant::LossBlamed => {
                for draft in groups.iter_mut().flatten().filter(|draft| is_lost(draft)) {
                    let retry = TaskRetry { reason: String::new(), attempts_left: 1, backoff_ms: 500 };
                    draft.kind = EventKind::TaskRetry(retry);
                }
            }
            _ => {}
        }
        groups
    }

    /// An event as it is remembered.
    pub(crate) fn remember(&self, state: &mut RunState, event: &Event) -> Result<(), String> {
        let blocks = matches!(
            event.kind,
            EventKind::BudgetBlock(_) | EventKind::ValidatorBlock(_) | EventKind::ManifestBlock(_)
        );
        if !(blocks && self.is(Mutant::BlockForgotten)) {
            return state.apply(event).map_err(|illegal| illegal.to_string());
        }
        let kind = EventKind::JournalTruncated(JournalTruncated { bytes: 0 });
        state.apply(&Event { kind, ..event.clone() }).map_err(|illegal| illegal.to_string())
    }
}

impl Mutant {
    /// The plan as it takes it.
    fn plan(self, plan: &Plan) -> Plan {
        let change = |task: &PlannedTask| {
            let mut task = task.clone();
            match self {
                Self::LocksIgnored => task.manifest.locks = mycelium_schemas::manifest::Locks::default(),
                Self::DependenciesIgnored => task.manifest.dependencies.clear(),
                _ => {}
            }
            task
        };
        Plan::new(plan.tasks().map(change))
    }

    /// The configuration as it takes it.
    fn config(self, config: &Config) -> Config {
        let mut config = config.clone();
        match self {
            Self::LimitIgnored => config.max_parallel += 1,
            Self::FailFastIgnored => config.task_failure_policy = FailurePolicy::Retry,
            _ => {}
        }
        config
    }
}
