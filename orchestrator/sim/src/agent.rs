//! Attempts: an agent works, reports, ends somehow, and its facts become events.

use std::collections::{BTreeMap, BTreeSet};

use mycelium_core::{
    decide::effective_locks,
    limits::backoff_ms,
    manifest::{self, BlockCause, Compliance},
    settle::{AttemptFacts, Draft, Judgement, Outcome},
};
use mycelium_schemas::{
    config::Mode,
    event::{
        ChangeKind, EventKind, Local, TaskStart, TaskValidated, ValidatorReport, Violation, ViolationKind,
        WorkerStart,
    },
    id::{CommitId, LockName, TaskId},
    state::{RunStatus, StopReason, Usage},
};

use crate::{
    scene::{TASK_LIMIT, lock},
    sim::{Halt, Sim, Step, broken},
};

/// An attempt under way.
#[derive(Debug, Clone)]
pub(crate) struct Agent {
    pub(crate) batch: u32,
    pub(crate) attempt: u32,
    /// True before its agent begins: it failed before and waits a while.
    backs_off: bool,
    base: CommitId,
    held_by_others: BTreeSet<LockName>,
}

impl Sim {
    /// Journals the attempt, then sets its agent to work.
    pub(crate) fn start_attempt(&mut self, batch: u32, task: &TaskId, attempt: u32) -> Step {
        if self.running.is_empty() {
            self.check_holds_landed("an attempt begins")?;
        }
        let base = self.state.head.clone();
        let kind = EventKind::TaskStart(TaskStart::fresh(base.clone()));
        self.record(vec![Draft::task(batch, task, attempt, kind)])?;
        let others = self.state.open_batch().map(|(_, open)| open.tasks.clone()).unwrap_or_default();
        let held_by_others = others
            .iter()
            .filter(|other| *other != task)
            .map(|other| effective_locks(&self.scene.plan, &self.state, other))
            .flat_map(|locks| locks.reads.into_iter().chain(locks.writes))
            .collect();
        self.effect()?;
        let backs_off = self.state.tasks.get(task).is_some_and(|facts| backoff_ms(facts.failures) > 0);
        self.running.insert(task.clone(), Agent { batch, attempt, backs_off, base, held_by_others });
        if backs_off { Ok(()) } else { self.set_to_work(task) }
    }

    /// The agent of an attempt begins.
    fn set_to_work(&mut self, task: &TaskId) -> Step {
        self.effect()?;
        let locks = self.locks(task);
        if self.world.alive.insert(task.clone(), locks).is_some() {
            return broken(format!("a second agent works at {task}"));
        }
        if let Some(agent) = self.running.get_mut(task) {
            agent.backs_off = false;
        }
        self.check()
    }

    /// Waits until something comes: a report, an end, a signal.
    pub(crate) fn wait(&mut self) -> Step {
        let Some(task) = self.dice.pick(self.running.keys().cloned().collect()) else { return Ok(()) };
        let Some(agent) = self.running.get(&task).cloned() else { return Ok(()) };
        if agent.backs_off {
            self.saw("a wait before another attempt");
            return if self.dice.once_in(12) { self.stop() } else { self.set_to_work(&task) };
        }
        match self.dice.roll(12) {
            1 | 2 => self.report_usage(&task, agent.attempt),
            3 => {
                let kind =
                    EventKind::WorkerStart(WorkerStart { agent: "mock".into(), local: Local::default() });
                self.report(vec![Draft::task(agent.batch, &task, agent.attempt, kind)])
            }
            4 if self.dice.once_in(3) => self.stop(),
            _ => self.end_attempt(&task, &agent),
        }
    }

    /// Stops in order, as after a signal or a failing machine: agents end, and nothing of them is judged.
    pub(crate) fn stop(&mut self) -> Step {
        self.world.alive.clear();
        let stop = mycelium_schemas::event::RunStop {
            status: RunStatus::Interrupted,
            stop_reason: StopReason::Signal,
            message: String::new(),
        };
        self.record(vec![Draft::run(EventKind::RunStop(stop))])?;
        self.running.clear();
        Err(Halt::Stopped)
    }

    fn report_usage(&mut self, task: &TaskId, attempt: u32) -> Step {
        self.effect()?;
        let tokens = if self.dice.once_in(6) { TASK_LIMIT + 1 } else { 7 };
        self.world.report(&(task.clone(), attempt), tokens);
        Ok(())
    }

    fn end_attempt(&mut self, task: &TaskId, agent: &Agent) -> Step {
        self.report_usage(task, agent.attempt)?;
        self.world.alive.remove(task);
        let (violations, outcome) = self.outcome(task, agent);
        if matches!(outcome, Outcome::Failed(_) | Outcome::Hopeless { .. }) {
            *self.world.failed.entry(task.clone()).or_default() += 1;
        }
        let report = self.world.reports.get(&(task.clone(), agent.attempt));
        let usage = report.and_then(|report| report.said).map(tokens);
        let facts = AttemptFacts {
            usage,
            validators: BTreeMap::new(),
            refused: Vec::new(),
            violations,
            over: None,
            outcome,
        };
        let drafts = self.settle(agent.batch, task, facts);
        self.record(drafts)?;
        self.running.remove(task);
        Ok(())
    }

    fn outcome(&mut self, task: &TaskId, agent: &Agent) -> (Vec<Violation>, Outcome) {
        let roll = self.dice.roll(12);
        if roll == 1 && self.dice.once_in(3) {
            let for_all = self.dice.once_in(2);
            self.ledger.hopeless(task);
            return (Vec::new(), Outcome::Hopeless { why: "no key".to_owned(), for_all });
        }
        if roll == 1 || roll == 2 {
            return (Vec::new(), Outcome::Failed("chance".to_owned()));
        }
        if roll == 6 && self.dice.once_in(4) {
            self.saw("an attempt that came to nothing through no fault of its own");
            return (Vec::new(), Outcome::Lost("chance".to_owned()));
        }
        let commit = self.world.make_work(&agent.base, task, agent.attempt);
        let violations = if roll == 3 || roll == 4 { self.violations() } else { Vec::new() };
        let rescopes = self.state.tasks.get(task).map_or(0, |facts| facts.rescopes);
        let held = |lock: &LockName| agent.held_by_others.contains(lock);
        let mode = self.scene.config.manifest_enforcement;
        let outcome = match manifest::judge(&violations, mode, held, rescopes) {
            Compliance::Goes => {
                if roll == 5 {
                    self.world.refused.insert(commit.clone());
                }
                judged(roll != 5, commit)
            }
            compliance => {
                let unusable =
                    matches!(compliance, Compliance::Rescope(_) | Compliance::Block(BlockCause::Forbidden));
                self.world.refused.insert(commit.clone());
                let commit = Some(commit).filter(|_| !unusable);
                Outcome::OutOfManifest { compliance, validators: Vec::new(), commit }
            }
        };
        (violations, outcome)
    }

    fn violations(&mut self) -> Vec<Violation> {
        let number = self.dice.roll(3);
        let resource = lock(number).filter(|_| number < 2);
        let kind = if resource.is_some() { ViolationKind::Unlocked } else { ViolationKind::Undeclared };
        vec![Violation { path: "a.txt".to_owned(), change: ChangeKind::Added, kind, resource }]
    }
}

fn judged(pass: bool, commit: CommitId) -> Outcome {
    let report = Ok(ValidatorReport { pass, summary: String::new(), issues: Vec::new() });
    let validators = vec![Judgement { validator: "test", mode: Mode::Block, report }];
    Outcome::Judged { validators, work: TaskValidated { commit, changed: Vec::new() } }
}

/// Usage of so many tokens.
pub(crate) fn tokens(count: u64) -> Usage {
    Usage { input_tokens: count, ..Usage::default() }
}
