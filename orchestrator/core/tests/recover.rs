//! `core::recover` over its whole finite domain, against an oracle that knows no events: only what each task must come
//! to. And the table of docs/resume.md, which must be what the code does.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

mod support;

use std::{fmt::Write as _, sync::LazyLock};

use mycelium_core::{
    decide::{Action, decide},
    limits::HEAD_MOVES_MAX,
    plan::Plan,
    recover::{Found, IntentFound, recover},
    settle::Draft,
    state::RunState,
};
use mycelium_schemas::{
    config::{self, Config, FailurePolicy, Mode},
    event::{
        BatchComplete, BatchStart, CheckoutUpdate, EventKind, LandingIntent, ReasonPayload, ReviewApprove,
        ReviewRetry, RunStop, TaskLanded, TaskRetry, TaskReview, TaskStart, TaskValidated, ValidatorVerdict,
    },
    id::{CommitId, TaskId},
    manifest::{Files, Locks, Manifest, PlannedTask, Verify},
    problem::Source,
    state::{RunStatus, StopReason, TaskStatus, Usage},
};

use support::{event, run_start};

const TASK_LIMIT: u64 = 100;
const RUN_LIMIT: u64 = 120;

/// Where the journal leaves a task, and what is found of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Task {
    Pending,
    /// Its attempt runs; its agent had reported so many tokens, or nothing.
    Running(Option<u64>),
    /// Its attempt runs, and its agent went on without the orchestrator.
    Followed,
    /// It passed; its commit is there or gone.
    Validated {
        there: bool,
    },
    /// A gate blocked it.
    Blocked,
    Failed,
    Landed,
}

const TASKS: [Task; 10] = [
    Task::Pending,
    Task::Followed,
    Task::Running(None),
    Task::Running(Some(70)),
    Task::Running(Some(TASK_LIMIT + 1)),
    Task::Validated { there: true },
    Task::Validated { there: false },
    Task::Blocked,
    Task::Failed,
    Task::Landed,
];

/// What is found of a landing that was meant, where one was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Intent {
    None,
    Moved,
    NotMoved,
    Overtaken,
    BranchGone,
}

const INTENTS: [Intent; 5] =
    [Intent::None, Intent::Moved, Intent::NotMoved, Intent::Overtaken, Intent::BranchGone];

/// One point of the domain.
#[derive(Debug, Clone)]
struct Case {
    tasks: Vec<Task>,
    intent: Intent,
    mode: Mode,
    run_limit: bool,
    stopped: bool,
}

fn commit(n: usize) -> CommitId {
    format!("{n:040x}").parse().unwrap()
}

fn id(n: usize) -> TaskId {
    format!("t{n}").parse().unwrap()
}

fn old_head() -> CommitId {
    commit(0xaaaa)
}

fn candidate() -> CommitId {
    commit(0xbbbb)
}

fn stranger() -> CommitId {
    commit(0xcccc)
}

fn used(tokens: u64) -> Usage {
    Usage { input_tokens: tokens, ..Usage::default() }
}

fn apply(state: &mut RunState, draft: Draft) {
    state.apply(&event(state.last_seq + 1, draft)).unwrap_or_else(|illegal| panic!("{illegal}"));
}

impl Case {
    fn config(&self) -> Config {
        static SAMPLE: LazyLock<Config> = LazyLock::new(|| {
            config::parse(&Source::new("c", "integration_branch: main\ndoctor: d.sh\n")).unwrap()
        });
        let mut config = SAMPLE.clone();
        config.budgets.mode = self.mode;
        config.budgets.max_tokens_per_task = Some(TASK_LIMIT);
        config.budgets.max_tokens_per_run = self.run_limit.then_some(RUN_LIMIT);
        config
    }

    fn plan(&self) -> Plan {
        Plan::new((0..self.tasks.len()).map(|n| PlannedTask {
            dir: id(n).to_string().parse().unwrap(),
            manifest: Manifest {
                id: id(n),
                name: "x".into(),
                description: String::new(),
                dependencies: Vec::new(),
                locks: Locks::default(),
                files: Files::default(),
                verify: Verify::default(),
                spec: String::new(),
            },
            spec_text: String::new(),
        }))
    }

    /// Tasks that the open landing holds.
    fn meant(&self) -> Vec<TaskId> {
        let validated = |task: &Task| matches!(task, Task::Validated { .. });
        (0..self.tasks.len()).filter(|n| validated(&self.tasks[*n])).map(id).collect()
    }

    /// The state that the journal leaves.
    fn state(&self) -> RunState {
        let tasks: Vec<TaskId> = (0..self.tasks.len()).map(id).collect();
        let first = event(1, Draft::run(run_start(tasks.clone(), old_head())));
        let mut state = RunState::start("p".parse().unwrap(), &first).unwrap();
        let batch = BatchStart { tasks, base_commit: old_head() };
        apply(&mut state, Draft::batch(1, EventKind::BatchStart(batch)));
        for (n, task) in self.tasks.iter().enumerate() {
            for kind in history(n, *task) {
                apply(&mut state, Draft::task(1, &id(n), 1, kind));
            }
        }
        if self.intent != Intent::None {
            let intent = LandingIntent {
                landing: 1,
                tasks: self.meant(),
                old_head: old_head(),
                commit: candidate(),
                old_tree: old_head(),
                tree: candidate(),
            };
            apply(&mut state, Draft::batch(1, EventKind::LandingIntent(intent)));
        }
        if self.stopped {
            let stop = RunStop {
                status: RunStatus::Interrupted,
                stop_reason: StopReason::Signal,
                message: String::new(),
            };
            apply(&mut state, Draft::run(EventKind::RunStop(stop)));
        }
        state
    }

    /// The world, as far as it still matters to a state.
    fn found(&self, state: &RunState) -> Found {
        let head = match self.intent {
            Intent::None | Intent::NotMoved => Some(old_head()),
            Intent::Moved => Some(candidate()),
            Intent::Overtaken => Some(stranger()),
            Intent::BranchGone => None,
        };
        let intent = match self.intent {
            _ if state.open_intent.is_none() => None,
            Intent::None => None,
            Intent::Moved => Some(IntentFound::Moved(CheckoutUpdate::NotCheckedOut)),
            Intent::NotMoved => Some(IntentFound::NotMoved),
            Intent::Overtaken | Intent::BranchGone => Some(IntentFound::MovedAway(head.clone())),
        };
        let mut found = Found { head, intent, ..Found::default() };
        for (n, task) in self.tasks.iter().enumerate() {
            match (task, state.tasks[&id(n)].status) {
                (Task::Running(Some(tokens)), TaskStatus::Running) => {
                    found.usage.insert(id(n), used(*tokens));
                }
                (Task::Followed, TaskStatus::Running) => {
                    found.followed.insert(id(n));
                }
                (Task::Validated { there: false }, TaskStatus::Validated) => {
                    found.missing.insert(id(n));
                }
                _ => {}
            }
        }
        found
    }

    /// What each task must be afterwards, and what its use: told without any event.
    fn oracle(&self) -> Vec<(TaskStatus, u64, bool)> {
        let mut of_run = 0;
        let judge = |task: &Task| {
            let tokens = if let Task::Running(reported) = task { reported.unwrap_or(0) } else { 0 };
            of_run += tokens;
            let over = tokens > TASK_LIMIT || (self.run_limit && of_run > RUN_LIMIT);
            let (status, blocked) = match task {
                Task::Running(_) if over && self.mode == Mode::Block => (TaskStatus::Failed, true),
                Task::Validated { .. } if self.intent == Intent::Moved => (TaskStatus::Landed, false),
                Task::Validated { there: true } => (TaskStatus::Validated, false),
                // It is in the hands of whoever follows it.
                Task::Followed => (TaskStatus::Running, false),
                Task::Pending | Task::Running(_) | Task::Validated { there: false } => {
                    (TaskStatus::Pending, false)
                }
                Task::Blocked => (TaskStatus::NeedsHumanReview, true),
                Task::Failed => (TaskStatus::Failed, false),
                Task::Landed => (TaskStatus::Landed, false),
            };
            (status, tokens, blocked)
        };
        self.tasks.iter().map(judge).collect()
    }
}

/// What led to where a task is.
fn history(n: usize, task: Task) -> Vec<EventKind> {
    let begun = EventKind::TaskStart(TaskStart::fresh(old_head()));
    let passed = EventKind::TaskValidated(TaskValidated { commit: commit(n + 1), changed: Vec::new() });
    match task {
        Task::Pending => vec![],
        Task::Running(_) | Task::Followed => vec![begun],
        Task::Validated { .. } => vec![begun, passed],
        Task::Blocked => {
            let verdict = ValidatorVerdict {
                validator: "test".into(),
                summary: String::new(),
                issues: Vec::new(),
                error: false,
            };
            let review = TaskReview {
                code: "validator.block".into(),
                message: String::new(),
                commit: Some(commit(n + 1)),
            };
            vec![begun, EventKind::ValidatorBlock(verdict), EventKind::TaskReview(review)]
        }
        Task::Failed => {
            let reason = ReasonPayload { code: "worker.exit".into(), message: String::new() };
            vec![begun, EventKind::TaskFail(reason)]
        }
        Task::Landed => {
            let done = EventKind::TaskLanded(TaskLanded { commit: old_head() });
            vec![begun, passed, done]
        }
    }
}

/// Every case with two tasks, and with three those in which what one used counts against the next.
fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for (a, b) in TASKS.iter().flat_map(|a| TASKS.iter().map(move |b| (*a, *b))) {
        for intent in INTENTS {
            for (mode, run_limit) in [Mode::Block, Mode::Warn].iter().flat_map(|m| [(*m, false), (*m, true)])
            {
                for stopped in [false, true] {
                    cases.push(Case { tasks: vec![a, b], intent, mode, run_limit, stopped });
                }
            }
            for c in TASKS {
                let (mode, run_limit, stopped) = (Mode::Block, true, false);
                cases.push(Case { tasks: vec![a, b, c], intent, mode, run_limit, stopped });
            }
        }
    }
    cases.retain(|case| case.intent == Intent::None || !case.meant().is_empty());
    cases
}

/// What is compared between two ways to the same place.
type Outcome = (TaskStatus, Usage, u32, u32, Option<CommitId>, Vec<StopReason>);

fn outcome(state: &RunState) -> Vec<Outcome> {
    let facts = state.tasks.values();
    facts.map(|f| (f.status, f.usage, f.attempts, f.failures, f.commit.clone(), f.blocks.clone())).collect()
}

fn recovered(case: &Case, config: &Config, mut state: RunState, groups: usize) -> RunState {
    let found = case.found(&state);
    let all = recover(&state, config, &found);
    all.into_iter().take(groups).flatten().for_each(|draft| apply(&mut state, draft));
    state
}

#[test]
fn every_crash_comes_to_what_the_oracle_says() {
    let mut count = 0;
    for case in cases() {
        let (config, plan) = (case.config(), case.plan());
        let before = case.state();
        let after = recovered(&case, &config, before.clone(), usize::MAX);
        let found: Vec<_> = after
            .tasks
            .values()
            .map(|facts| (facts.status, facts.usage.tokens(), !facts.blocks.is_empty()))
            .collect();
        assert_eq!(found, case.oracle(), "{case:?}");
        assert!(after.open_intent.is_none() && after.end.is_none(), "{case:?}");
        assert_eq!(after.usage.tokens(), found.iter().map(|(_, tokens, _)| tokens).sum::<u64>(), "{case:?}");
        assert_eq!(after.blocked().is_some(), found.iter().any(|(_, _, blocked)| *blocked), "{case:?}");
        assert!(before.tasks.values().map(|f| f.failures).eq(after.tasks.values().map(|f| f.failures)));
        for (task, facts) in case.tasks.iter().zip(after.tasks.values()) {
            let lost = facts.status == TaskStatus::Pending && *task != Task::Pending;
            assert_eq!(facts.is_lost(), lost, "{case:?}");
        }
        let next = decide(&plan, &after, &config);
        let waits = case.tasks.contains(&Task::Followed);
        assert!(waits || !next.is_empty(), "stuck: {case:?}");
        assert!(
            !(waits
                && next.iter().any(|action| matches!(action, Action::Land(_) | Action::CloseBatch { .. }))),
            "does not wait: {case:?}"
        );
        let goes_on = |action: &Action| matches!(action, Action::StartAttempt { .. } | Action::Land(_));
        assert!(after.blocked().is_none() || !next.iter().any(goes_on), "goes on after a block: {case:?}");
        count += 1;
    }
    assert!(count > 3_000, "{count} cases");
}

#[test]
fn a_second_crash_at_any_group_of_the_recovery_comes_to_the_same() {
    for case in cases() {
        let config = case.config();
        let groups = recover(&case.state(), &config, &case.found(&case.state())).len();
        let straight = recovered(&case, &config, case.state(), usize::MAX);
        for cut in 0..groups {
            let half = recovered(&case, &config, case.state(), cut);
            let whole = recovered(&case, &config, half, usize::MAX);
            assert_eq!(outcome(&whole), outcome(&straight), "cut after group {cut} of {case:?}");
            assert_eq!(whole.usage, straight.usage);
        }
    }
}

#[test]
fn whoever_resumes_begins_to_count_moves_of_the_head_anew() {
    let case = one(Task::Validated { there: true }, Intent::Overtaken, Mode::Block);
    let mut state = case.state();
    for _ in 0..=HEAD_MOVES_MAX {
        state = recovered(&case, &case.config(), state, usize::MAX);
        let intent = case.state().open_intent.unwrap().1;
        apply(&mut state, Draft::batch(1, EventKind::LandingIntent(intent)));
    }
    let state = recovered(&case, &case.config(), state, usize::MAX);
    assert!(matches!(decide(&case.plan(), &state, &case.config())[..], [Action::Land(_)]));
}

/// Kept work only lands, so that it is batched without regard to locks; but its commits may turn out to be gone.
#[test]
fn kept_work_that_has_to_be_done_again_waits_for_its_locks() {
    let gone = Task::Validated { there: false };
    let case = Case { tasks: vec![gone, gone], ..one(gone, Intent::None, Mode::Block) };
    let plan = Plan::new(case.plan().tasks().cloned().map(|mut task| {
        task.manifest.locks.writes.push("l0".parse().unwrap());
        task
    }));
    let state = recovered(&case, &case.config(), case.state(), usize::MAX);
    let actions = decide(&plan, &state, &case.config());
    assert!(matches!(&actions[..], [Action::StartAttempt { task, .. }] if *task == id(0)), "{actions:?}");
}

/// Whatever the policy: the agents of all tasks are started in the same way.
#[test]
fn where_one_agent_failed_as_every_other_one_would_nothing_new_begins_until_a_human_decided() {
    let case = Case {
        tasks: vec![Task::Running(None), Task::Running(None), Task::Pending],
        ..one(Task::Pending, Intent::None, Mode::Block)
    };
    let config = case.config();
    let mut state = case.state();
    let failed = |code: &str| ReasonPayload { code: code.into(), message: String::new() };
    let stops = |state: &RunState| match &decide(&case.plan(), state, &config)[..] {
        [Action::Stop(stop)] => Some((stop.status, stop.stop_reason, stop.message.clone())),
        _ => None,
    };
    apply(&mut state, Draft::task(1, &id(0), 1, EventKind::TaskFail(failed("worker.refused"))));
    apply(&mut state, Draft::task(1, &id(1), 1, EventKind::TaskFail(failed("worker.exit"))));
    // One that waits in the batch does not begin any more.
    let closes = decide(&case.plan(), &state, &config);
    let [Action::CloseBatch { batch: 1, result }] = &closes[..] else { panic!("{closes:?}") };
    apply(&mut state, Draft::batch(1, EventKind::BatchComplete(result.clone())));
    let message = "every other task would fail as t0 did".to_owned();
    assert_eq!(stops(&state), Some((RunStatus::Failed, StopReason::TaskFailed, message)));
    let retry = ReviewRetry { config_digest: String::new() };
    let retry = Draft { task: Some(id(0)), ..Draft::run(EventKind::ReviewRetry(retry)) };
    apply(&mut state, retry);
    let state = recovered(&case, &config, state, usize::MAX);
    assert_eq!(
        decide(&case.plan(), &state, &config),
        [Action::StartBatch { batch: 2, tasks: vec![id(0), id(2)] }]
    );
}

/// What passed its gates is not given up because something else failed; only nothing new begins.
#[test]
fn after_a_failure_that_ends_the_run_approved_work_lands_and_nothing_begins() {
    let case = Case {
        tasks: vec![Task::Failed, Task::Blocked, Task::Pending],
        ..one(Task::Failed, Intent::None, Mode::Block)
    };
    let mut config = case.config();
    config.task_failure_policy = FailurePolicy::FailFast;
    let mut state = case.state();
    let closed = BatchComplete { landed: Vec::new(), not_landed: vec![id(0), id(1), id(2)] };
    apply(&mut state, Draft::batch(1, EventKind::BatchComplete(closed)));
    let stops = |state: &RunState| match &decide(&case.plan(), state, &config)[..] {
        [Action::Stop(stop)] => Some(stop.stop_reason),
        _ => None,
    };
    assert_eq!(stops(&state), Some(StopReason::ValidatorBlock));
    let approve = EventKind::ReviewApprove(ReviewApprove { commit: commit(1), overrides: Vec::new() });
    apply(&mut state, Draft { task: Some(id(1)), ..Draft::run(approve) });

    let mut state = recovered(&case, &config, state, usize::MAX);
    let kept = Action::StartBatch { batch: 2, tasks: vec![id(1)] };
    assert_eq!(decide(&case.plan(), &state, &config), [kept]);
    let start = BatchStart { tasks: vec![id(1)], base_commit: old_head() };
    apply(&mut state, Draft::batch(2, EventKind::BatchStart(start)));
    assert!(matches!(decide(&case.plan(), &state, &config)[..], [Action::Land(_)]));

    // Where it does not merge after all it is not begun again: a human has the failed task done first.
    let again = TaskRetry { reason: String::new(), attempts_left: 1, backoff_ms: 0 };
    apply(&mut state, Draft::task(2, &id(1), 1, EventKind::TaskRetry(again)));
    let closes = decide(&case.plan(), &state, &config);
    assert!(matches!(closes[..], [Action::CloseBatch { batch: 2, .. }]), "{closes:?}");
    let closed = BatchComplete { landed: Vec::new(), not_landed: vec![id(1)] };
    apply(&mut state, Draft::batch(2, EventKind::BatchComplete(closed)));
    assert_eq!(stops(&state), Some(StopReason::TaskFailed));
}

#[test]
fn a_landing_that_was_carried_out_needs_its_tasks_commits_no_more() {
    let case = one(Task::Validated { there: false }, Intent::Moved, Mode::Block);
    let state = recovered(&case, &case.config(), case.state(), usize::MAX);
    assert_eq!(state.batches[0].landed, [id(0)]);
    assert_eq!(state.tasks[&id(0)].status, TaskStatus::Landed);
}

fn one(task: Task, intent: Intent, mode: Mode) -> Case {
    Case { tasks: vec![task], intent, mode, run_limit: false, stopped: false }
}

/// One row of the table in docs/resume.md.
fn row(table: &mut String, tail: &str, world: &str, case: &Case) {
    let (config, before) = (case.config(), case.state());
    let drafts = recover(&before, &config, &case.found(&before)).concat();
    let events: Vec<String> = drafts[1..].iter().map(|draft| name(&draft.kind)).collect();
    let events = if events.is_empty() { "–".to_owned() } else { events.join(", ") };
    let after = recovered(case, &config, before, usize::MAX);
    let next = match &decide(&case.plan(), &after, &config)[..] {
        [Action::StartAttempt { attempt: 1, .. }] => "starts the attempt",
        [Action::StartAttempt { .. }] => "starts the next attempt",
        [Action::Land(_)] => "builds, tests and lands a candidate",
        [Action::CloseBatch { .. }] => "closes the batch",
        [] => "waits for the agent",
        other => panic!("{other:?}"),
    };
    let status = after.tasks[&id(0)].status;
    let next = if after.blocked().is_some() { format!("{next}; nothing lands") } else { next.to_owned() };
    writeln!(table, "| {tail} | {world} | {events} | `{status}` | {next} |").unwrap();
}

fn name(kind: &EventKind) -> String {
    match kind {
        EventKind::LandingRefused(refused) => {
            let reason = serde_reason(refused.reason);
            format!("`landing.refused` ({reason})")
        }
        kind => format!("`{}`", kind.type_name()),
    }
}

fn serde_reason(reason: mycelium_schemas::event::RefusalReason) -> &'static str {
    use mycelium_schemas::event::RefusalReason::{CheckoutDirty, HeadMoved, Interrupted};
    match reason {
        HeadMoved => "`head_moved`",
        CheckoutDirty => "`checkout_dirty`",
        Interrupted => "`interrupted`",
    }
}

#[test]
fn the_documented_table_is_what_the_code_does() {
    let validated = |there| Task::Validated { there };
    let mut table =
        "| last word of the journal | found in the world | events after `run.resume` | task | `decide` |\n\
                     | --- | --- | --- | --- | --- |\n"
            .to_owned();
    let rows: [(&str, &str, Case); 15] = [
        ("no `task.start`", "–", one(Task::Pending, Intent::None, Mode::Block)),
        ("`task.start`", "agent reported nothing", one(Task::Running(None), Intent::None, Mode::Block)),
        ("`task.start`", "usage within the budget", one(Task::Running(Some(70)), Intent::None, Mode::Block)),
        ("`task.start`", "usage over the budget, mode `block`", one(TASKS[4], Intent::None, Mode::Block)),
        ("`task.start`", "usage over the budget, mode `warn`", one(TASKS[4], Intent::None, Mode::Warn)),
        (
            "`task.start`",
            "agent's container at work, or ended by itself",
            one(Task::Followed, Intent::None, Mode::Block),
        ),
        ("`task.validated`", "commit there", one(validated(true), Intent::None, Mode::Block)),
        ("`task.validated`", "commit gone", one(validated(false), Intent::None, Mode::Block)),
        (
            "`landing.intent`",
            "branch at the candidate, or built on it",
            one(validated(true), Intent::Moved, Mode::Block),
        ),
        (
            "`landing.intent`",
            "branch where the candidate was built",
            one(validated(true), Intent::NotMoved, Mode::Block),
        ),
        ("`landing.intent`", "branch elsewhere", one(validated(true), Intent::Overtaken, Mode::Block)),
        ("`landing.intent`", "branch gone", one(validated(true), Intent::BranchGone, Mode::Block)),
        ("`task.landed`", "–", one(Task::Landed, Intent::None, Mode::Block)),
        ("`task.fail`", "–", one(Task::Failed, Intent::None, Mode::Block)),
        ("a block and `task.review`", "–", one(Task::Blocked, Intent::None, Mode::Block)),
    ];
    for (tail, world, case) in &rows {
        row(&mut table, tail, world, case);
    }
    let documented = include_str!("../../../docs/resume.md");
    assert!(documented.contains(&table), "docs/resume.md should hold:\n{table}");
}
