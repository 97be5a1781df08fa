//! What a run begins with: a plan and a configuration, both by chance.

use std::sync::OnceLock;

use mycelium_core::plan::Plan;
use mycelium_schemas::{
    config::{self, Config, FailurePolicy, Mode},
    id::{LockName, TaskId},
    manifest::{Files, Locks, Manifest, PlannedTask, Verify},
    problem::Source,
};

use crate::dice::Dice;

/// Tokens that one task may use.
pub(crate) const TASK_LIMIT: u64 = 100;

/// Plan and configuration.
#[derive(Debug)]
pub(crate) struct Scene {
    /// What is to be done.
    pub(crate) plan: Plan,
    /// How.
    pub(crate) config: Config,
    /// About once in how many effects the orchestrator dies.
    pub(crate) crash_once_in: u8,
    /// About once in how many merges the work of a task conflicts.
    pub(crate) conflict_once_in: u8,
}

/// The two resources of every scene.
pub(crate) fn lock(number: u8) -> Option<LockName> {
    format!("l{number}").parse().ok()
}

impl Scene {
    /// Up to six tasks with dependencies backwards and up to two locks each. None only if the sample is not readable.
    pub(crate) fn roll(dice: &mut Dice, sample: &Config) -> Option<Self> {
        let count = 1 + dice.roll(6);
        let ids: Vec<TaskId> = (0..count).filter_map(|n| format!("t{n}").parse().ok()).collect();
        let tasks: Vec<PlannedTask> =
            (0..ids.len()).map(|number| task(dice, &ids, number)).collect::<Option<_>>()?;
        let mut config = sample.clone();
        config.max_parallel = [3, 1, 2, 4][usize::from(dice.roll(4))];
        config.max_retries = u32::from(2 - dice.roll(3));
        config.task_failure_policy =
            if dice.once_in(4) { FailurePolicy::FailFast } else { FailurePolicy::Retry };
        config.manifest_enforcement = [Mode::Warn, Mode::Block, Mode::Off][usize::from(dice.roll(3))];
        config.budgets.mode = if dice.once_in(4) { Mode::Warn } else { Mode::Block };
        config.budgets.max_tokens_per_run = dice.once_in(4).then_some(TASK_LIMIT * 2);
        let crash_once_in = [40, 12, 90, 20][usize::from(dice.roll(4))];
        let conflict_once_in = [12, 12, 4, 2][usize::from(dice.roll(4))];
        config.doctor_canary = dice.once_in(3);
        Some(Self { plan: Plan::new(tasks), config, crash_once_in, conflict_once_in })
    }
}

/// The configuration that every scene varies, read once.
pub(crate) fn sample() -> Option<&'static Config> {
    static SAMPLE: OnceLock<Option<Config>> = OnceLock::new();
    let read = || {
        let text = format!(
            "integration_branch: main\ndoctor: d.sh\nbudgets: {{max_tokens_per_task: {TASK_LIMIT}}}\n"
        );
        config::parse(&Source::new("config.yaml", text)).ok()
    };
    SAMPLE.get_or_init(read).as_ref()
}

fn task(dice: &mut Dice, ids: &[TaskId], number: usize) -> Option<PlannedTask> {
    let dependencies = ids.iter().take(number).filter(|_| dice.once_in(5)).cloned().collect();
    let (reads, writes) = (dice.roll(8), dice.roll(8));
    let locks = |bits: u8| (0..2).filter(|n| bits & (1 << n) != 0).filter_map(lock).collect();
    let id = ids.get(number)?.clone();
    Some(PlannedTask {
        dir: format!("t{number}").parse().ok()?,
        manifest: Manifest {
            id,
            name: "simulated".to_owned(),
            description: String::new(),
            dependencies,
            locks: Locks { reads: locks(reads), writes: locks(writes) },
            files: Files::default(),
            verify: Verify::default(),
            spec: String::new(),
        },
        spec_text: String::new(),
    })
}
