//! The core under random plans and random outcomes: no world, no clock, every invariant after every event.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

use std::collections::{BTreeMap, BTreeSet};

use mycelium_core::{
    budget,
    decide::{Action, decide, effective_locks},
    lock::LockSet,
    manifest::{BlockCause, Compliance},
    permit::MergePermit,
    plan::Plan,
    settle::{self, AttemptFacts, Draft, Judgement, LandingOutcome, Outcome},
    state::RunState,
};
use mycelium_schemas::{
    config::{Config, FailurePolicy, Mode},
    event::{
        ChangeKind, DoctorResult, Event, EventKind, ExitReason, LandingConflict, LandingDone, LandingRefused,
        Local, RefusalReason, RunStart, TaskRescope, TaskStart, TaskValidated, ValidatorReport, Violation,
        ViolationKind,
    },
    id::{CommitId, TaskId},
    manifest::{Files, Locks, Manifest, PlannedTask, Verify},
    problem::Source,
    state::{RunStatus, TaskStatus, Usage},
};
use proptest::prelude::*;

const LIMIT: u64 = 100;

/// A run in which chance plays agents, doctor and colleagues.
struct Simulation {
    plan: Plan,
    config: Config,
    state: RunState,
    events: Vec<Event>,
    dice: Vec<u8>,
    rolled: usize,
    running: BTreeMap<TaskId, (u32, u32)>,
    commits: u64,
}

impl Simulation {
    fn roll(&mut self, sides: u8) -> u8 {
        self.rolled += 1;
        // Beyond the given dice everything goes well, so that every run ends.
        self.dice.get(self.rolled - 1).map_or(0, |value| value % sides)
    }

    fn commit(&mut self) -> CommitId {
        self.commits += 1;
        format!("{:040x}", self.commits).parse().unwrap()
    }

    fn record(&mut self, drafts: Vec<Draft>) {
        for draft in drafts {
            let event = stamp(self.state.last_seq + 1, draft);
            self.state.apply(&event).unwrap_or_else(|illegal| panic!("{illegal}: {:?}", event.kind));
            self.events.push(event);
            self.check();
        }
    }

    /// What must hold after every event.
    fn check(&self) {
        let held: Vec<(&TaskId, LockSet)> = self
            .state
            .tasks
            .iter()
            .filter(|(_, facts)| facts.status == TaskStatus::Running)
            .map(|(id, _)| (id, effective_locks(&self.plan, &self.state, id)))
            .collect();
        for (i, (a, locks)) in held.iter().enumerate() {
            for (b, other) in &held[i + 1..] {
                assert!(!locks.conflicts_with(other), "{a} and {b} run together");
            }
        }
        let blocked = self.events.iter().position(|e| {
            matches!(
                e.kind,
                EventKind::BudgetBlock(_) | EventKind::ValidatorBlock(_) | EventKind::ManifestBlock(_)
            )
        });
        if let Some(at) = blocked {
            let late = self.events[at..].iter().find(|e| {
                matches!(
                    e.kind,
                    EventKind::LandingIntent(_) | EventKind::LandingDone(_) | EventKind::BatchStart(_)
                )
            });
            assert!(late.is_none(), "after a block: {late:?}");
        }
    }

    fn act(&mut self, action: Action) {
        match action {
            Action::StartBatch { batch, tasks } => {
                let base_commit = self.state.head.clone();
                let start = mycelium_schemas::event::BatchStart { tasks, base_commit };
                self.record(vec![Draft::batch(batch, EventKind::BatchStart(start))]);
            }
            Action::StartAttempt { batch, task, attempt } => {
                let base_commit = self.state.head.clone();
                let kind = EventKind::TaskStart(TaskStart { base_commit });
                self.record(vec![Draft::task(batch, &task, attempt, kind)]);
                self.running.insert(task, (batch, attempt));
            }
            Action::Land(permit) => self.land(&permit),
            Action::CloseBatch { batch, result } => self.record(vec![settle::close_batch(batch, result)]),
            Action::Complete => {
                let head_commit = self.state.head.clone();
                let kind = EventKind::RunComplete(mycelium_schemas::event::RunComplete { head_commit });
                self.record(vec![Draft::run(kind)]);
            }
            Action::Stop(stop) => self.record(vec![Draft::run(EventKind::RunStop(stop))]),
        }
    }

    fn land(&mut self, permit: &MergePermit) {
        let (batch, landing, tasks) = (permit.batch(), permit.landing(), permit.task_ids());
        let (old_head, commit) = (self.state.head.clone(), self.commit());
        let result = DoctorResult {
            landing,
            tasks: tasks.clone(),
            commit: commit.clone(),
            tree: commit.clone(),
            reason: ExitReason::Exited,
            exit_code: Some(0),
            local: Local::default(),
        };
        let refused = |reason, found| LandingRefused {
            landing,
            tasks: tasks.clone(),
            reason,
            expected: old_head.clone(),
            found,
            paths: Vec::new(),
        };
        let outcome = match self.roll(8) {
            1 => LandingOutcome::Conflict(LandingConflict {
                landing,
                task: tasks[tasks.len() - 1].clone(),
                commit: commit.clone(),
                onto: old_head.clone(),
                paths: Vec::new(),
            }),
            2 => LandingOutcome::DoctorFailed(DoctorResult { exit_code: Some(1), ..result }),
            3 => LandingOutcome::Refused(refused(RefusalReason::HeadMoved, Some(commit.clone()))),
            4 => LandingOutcome::Refused(refused(RefusalReason::CheckoutDirty, Some(old_head.clone()))),
            _ => {
                self.record(vec![Draft::batch(batch, EventKind::LandingDoctorPass(result))]);
                let checkout = mycelium_schemas::event::CheckoutUpdate::NotCheckedOut;
                LandingOutcome::Done(LandingDone {
                    landing,
                    tasks: tasks.clone(),
                    old_head: old_head.clone(),
                    commit,
                    checkout,
                })
            }
        };
        let drafts = settle::landing(&self.state, &self.config, batch, outcome);
        self.record(drafts);
    }

    /// Ends one running attempt.
    fn end_attempt(&mut self) {
        let nth = usize::from(self.roll(7)) % self.running.len();
        let (task, (batch, _)) = self.running.iter().nth(nth).map(|(t, k)| (t.clone(), *k)).unwrap();
        self.running.remove(&task);
        let path = "a.txt".to_owned();
        let violation =
            Violation { path, change: ChangeKind::Added, kind: ViolationKind::Undeclared, resource: None };
        let work = TaskValidated { commit: self.commit(), changed: Vec::new() };
        let judged = |pass| {
            let report = ValidatorReport { pass, summary: String::new(), issues: Vec::new() };
            vec![Judgement { validator: "test", mode: Mode::Block, report: Ok(report) }]
        };
        let (violations, outcome) = match self.roll(10) {
            1 | 2 => (Vec::new(), Outcome::Failed("chance".into())),
            3 => {
                let rescope =
                    TaskRescope { files: vec!["a.txt".parse().unwrap()], locks: vec!["l1".parse().unwrap()] };
                (
                    vec![violation],
                    Outcome::OutOfManifest {
                        compliance: Compliance::Rescope(rescope),
                        validators: vec![],
                        commit: None,
                    },
                )
            }
            4 => (
                vec![violation],
                Outcome::OutOfManifest {
                    compliance: Compliance::Block(BlockCause::Enforced),
                    validators: vec![],
                    commit: None,
                },
            ),
            5 => (Vec::new(), Outcome::Judged { validators: judged(false), work }),
            _ => (Vec::new(), Outcome::Judged { validators: judged(true), work }),
        };
        let usage = match self.roll(12) {
            1 => Some(Usage { input_tokens: LIMIT + 1, ..Usage::default() }),
            2 => None,
            _ => Some(Usage { input_tokens: 1, ..Usage::default() }),
        };
        let facts = AttemptFacts { usage, refused: Vec::new(), violations, outcome };
        let drafts = settle::attempt(&self.state, &self.config, batch, &task, facts);
        self.record(drafts);
    }

    fn run(&mut self) {
        for _ in 0..10_000 {
            let actions = decide(&self.plan, &self.state, &self.config);
            assert_eq!(actions, decide(&self.plan, &self.state, &self.config), "deciding changed its mind");
            if actions.is_empty() && self.running.is_empty() {
                return;
            }
            if actions.is_empty() {
                self.end_attempt();
            }
            for action in actions {
                self.act(action);
            }
        }
        panic!("the run does not end");
    }
}

fn stamp(seq: u64, draft: Draft) -> Event {
    Event {
        v: 1,
        ts: "2026-01-02T03:04:05Z".parse().unwrap(),
        seq,
        run_id: "r1".parse().unwrap(),
        task_id: draft.task,
        attempt: draft.attempt,
        batch: draft.batch,
        more: false,
        kind: draft.kind,
    }
}

fn simulate(shape: &[(Vec<usize>, u8, u8)], dice: Vec<u8>, fail_fast: bool, max_parallel: u32) -> Simulation {
    let name = |n: usize| -> TaskId { format!("t{n:02}").parse().unwrap() };
    let locks = |bits: u8| {
        (0..2).filter(|i| bits & (1 << i) != 0).map(|i| format!("l{i}").parse().unwrap()).collect()
    };
    let tasks = shape.iter().enumerate().map(|(n, (dependencies, reads, writes))| PlannedTask {
        dir: format!("t{n:02}").parse().unwrap(),
        manifest: Manifest {
            id: name(n),
            name: "x".into(),
            description: String::new(),
            dependencies: dependencies.iter().filter(|d| **d < n).map(|d| name(*d)).collect(),
            locks: Locks { reads: locks(*reads), writes: locks(*writes) },
            files: Files::default(),
            verify: Verify::default(),
            spec: String::new(),
        },
        spec_text: String::new(),
    });
    let plan = Plan::new(tasks);
    let text = format!("integration_branch: main\ndoctor: d.sh\nbudgets: {{max_tokens_per_task: {LIMIT}}}\n");
    let mut config = mycelium_schemas::config::parse(&Source::new("c", text)).unwrap();
    config.max_parallel = max_parallel;
    config.task_failure_policy = if fail_fast { FailurePolicy::FailFast } else { FailurePolicy::Retry };
    let start = Draft::run(EventKind::RunStart(RunStart {
        tasks: plan.ids().cloned().collect(),
        landed_before: Vec::new(),
        integration_branch: "main".into(),
        base_commit: "f".repeat(40).parse().unwrap(),
        max_parallel,
        config_digest: String::new(),
        doctor_digest: String::new(),
        local: Local::default(),
    }));
    let first = stamp(1, start);
    let state = RunState::start("p".parse().unwrap(), &first).unwrap();
    let mut simulation = Simulation {
        plan,
        config,
        state,
        events: vec![first],
        dice,
        rolled: 0,
        running: BTreeMap::new(),
        commits: 0,
    };
    simulation.run();
    simulation
}

/// What must hold when a run has ended.
fn check_end(simulation: &Simulation) {
    let state = &simulation.state;
    let end = state.end.as_ref().expect("the run has an end");
    let mut landed = BTreeSet::new();
    for event in &simulation.events {
        match &event.kind {
            EventKind::TaskLanded(_) => assert!(landed.insert(event.task_id.clone()), "landed twice"),
            EventKind::LandingDone(done) => {
                let tested = simulation.events
                    [..simulation.events.iter().position(|e| e.seq == event.seq).unwrap()]
                    .iter()
                    .any(|e| matches!(&e.kind, EventKind::LandingDoctorPass(p) if p.commit == done.commit));
                assert!(tested, "an undoctored commit landed");
            }
            _ => {}
        }
    }
    let all_landed = state.tasks.values().all(|facts| facts.status == TaskStatus::Landed);
    assert_eq!(end.status == RunStatus::Complete, all_landed, "complete means landed, and only that");
    for facts in state.tasks.values() {
        let bound = 1 + 2 * simulation.config.max_retries + mycelium_core::limits::RESCOPES_MAX;
        // The simulated agent may be told to rescope more often than the manifest gate would allow.
        assert!(facts.attempts <= bound + facts.rescopes, "{} attempts", facts.attempts);
        assert!(facts.status != TaskStatus::Running);
        if facts.status == TaskStatus::Landed {
            let over = budget::exceeded(&simulation.config.budgets, facts.usage, state.usage);
            assert!(over.is_empty(), "work over its budget landed");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn whatever_happens_a_run_ends_and_keeps_every_promise(
        shape in prop::collection::vec((prop::collection::vec(0usize..8, 0..3), 0u8..4, 0u8..4), 1..8),
        dice in prop::collection::vec(any::<u8>(), 0..80),
        fail_fast: bool,
        max_parallel in 1u32..5,
    ) {
        let simulation = simulate(&shape, dice, fail_fast, max_parallel);
        check_end(&simulation);
        // The journal alone gives the same state again.
        let (first, rest) = simulation.events.split_first().unwrap();
        let mut replayed = RunState::start("p".parse().unwrap(), first).unwrap();
        for event in rest {
            replayed.apply(event).unwrap();
        }
        prop_assert_eq!(replayed.view(), simulation.state.view());
    }
}

#[test]
fn when_everything_goes_well_every_task_lands_at_its_first_attempt() {
    let shape = vec![(vec![], 0, 0), (vec![0], 1, 0), (vec![], 0, 1), (vec![1, 2], 3, 3)];
    let simulation = simulate(&shape, Vec::new(), false, 4);
    check_end(&simulation);
    assert_eq!(simulation.state.end.as_ref().unwrap().status, RunStatus::Complete);
    assert!(simulation.state.tasks.values().all(|facts| facts.attempts == 1));
}
