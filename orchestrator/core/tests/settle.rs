//! What follows from an attempt and from a landing, as events in their order: a table of what came out and what blocks.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

mod support;

use std::collections::BTreeMap;

use mycelium_core::{
    manifest::{BlockCause, Compliance},
    settle::{self, AttemptFacts, Draft, Judgement, LandingOutcome, Outcome},
    state::RunState,
};
use mycelium_schemas::{
    config::{self, Config, FailurePolicy, Mode},
    event::{
        BudgetMetric, BudgetScope, BudgetVerdict, ChangeKind, DoctorResult, EventKind, ExitReason,
        LandingConflict, Local, PathRefused, TaskRescope, TaskValidated, ValidatorReport, Violation,
        ViolationKind,
    },
    id::{CommitId, TaskId},
    problem::Source,
    state::Usage,
};

use support::{event, run_start};

fn commit() -> CommitId {
    "ab".repeat(20).parse().unwrap()
}

fn id(text: &str) -> TaskId {
    text.parse().unwrap()
}

fn ids(texts: &[&str]) -> Vec<TaskId> {
    texts.iter().map(|text| id(text)).collect()
}

fn config() -> Config {
    config::parse(&Source::new("c", "integration_branch: main\ndoctor: d\n".to_owned())).unwrap()
}

/// Two tasks, of which the first had two attempts.
fn state() -> RunState {
    let start = run_start(vec![id("1"), id("2")], commit());
    let mut state = RunState::start("p".parse().unwrap(), &event(1, Draft::run(start))).unwrap();
    state.tasks.get_mut(&id("1")).unwrap().attempts = 2;
    state
}

fn facts(outcome: Outcome) -> AttemptFacts {
    AttemptFacts {
        usage: None,
        validators: BTreeMap::new(),
        refused: Vec::new(),
        violations: Vec::new(),
        over: None,
        outcome,
    }
}

fn judged(validators: Vec<Judgement>) -> Outcome {
    Outcome::Judged { validators, work: TaskValidated { commit: commit(), changed: Vec::new() } }
}

fn says(mode: Mode, pass: bool) -> Judgement {
    let report = ValidatorReport { pass, summary: "s".to_owned(), issues: Vec::new() };
    Judgement { validator: "style", mode, report: Ok(report) }
}

fn is_silent(mode: Mode) -> Judgement {
    Judgement { validator: "style", mode, report: Err("no report".to_owned()) }
}

fn out_of_manifest(compliance: Compliance, validators: Vec<Judgement>) -> Outcome {
    Outcome::OutOfManifest { compliance, validators, commit: Some(commit()) }
}

fn with_violation(outcome: Outcome) -> AttemptFacts {
    let violation = Violation {
        path: "p".to_owned(),
        change: ChangeKind::Added,
        kind: ViolationKind::Undeclared,
        resource: None,
    };
    AttemptFacts { violations: vec![violation], ..facts(outcome) }
}

/// The events of an attempt by type, each of which has to be about that attempt, and the last of them.
fn settled(config: &Config, facts: AttemptFacts) -> (Vec<&'static str>, EventKind) {
    let drafts = settle::attempt(&state(), config, 3, &id("1"), facts);
    for draft in &drafts {
        assert_eq!(
            (&draft.task, draft.attempt, draft.batch),
            (&Some(id("1")), Some(2), Some(3)),
            "{draft:?}"
        );
    }
    let types = drafts.iter().map(|draft| draft.kind.type_name()).collect();
    (types, drafts.last().unwrap().kind.clone())
}

fn types(config: &Config, facts: AttemptFacts) -> Vec<&'static str> {
    settled(config, facts).0
}

#[test]
fn work_is_validated_only_where_no_validator_that_blocks_is_missing_or_against_it() {
    let config = config();
    let all = |validators| types(&config, facts(judged(validators)));
    assert_eq!(all(vec![]), ["task.validated"]);
    assert_eq!(all(vec![says(Mode::Block, true)]), ["validator.pass", "task.validated"]);
    assert_eq!(all(vec![says(Mode::Warn, false)]), ["validator.warn", "task.validated"]);
    assert_eq!(all(vec![is_silent(Mode::Warn)]), ["validator.warn", "task.validated"]);
    assert_eq!(all(vec![is_silent(Mode::Block)]), ["validator.block", "task.review"]);
    let second = vec![says(Mode::Block, true), says(Mode::Block, false)];
    assert_eq!(all(second.clone()), ["validator.pass", "validator.block", "task.review"]);
    let EventKind::TaskReview(review) = settled(&config, facts(judged(second))).1 else { panic!() };
    assert_eq!((review.code.as_str(), review.commit), ("validator.block", Some(commit())));
}

#[test]
fn violations_block_or_are_told_as_their_mode_says() {
    let mut config = config();
    let block = || out_of_manifest(Compliance::Block(BlockCause::Forbidden), vec![says(Mode::Block, true)]);
    let rescope = TaskRescope { files: Vec::new(), locks: Vec::new() };
    let rescoped = || out_of_manifest(Compliance::Rescope(rescope.clone()), Vec::new());
    let goes = || out_of_manifest(Compliance::Goes, Vec::new());
    let blocked = ["manifest.block", "validator.pass", "task.review"];
    for mode in [Mode::Block, Mode::Warn] {
        config.manifest_enforcement = mode;
        assert_eq!(types(&config, with_violation(block())), blocked);
        assert_eq!(types(&config, with_violation(rescoped())), ["manifest.warn", "task.rescope"]);
        assert_eq!(types(&config, with_violation(judged(vec![]))), ["manifest.warn", "task.validated"]);
        assert_eq!(types(&config, with_violation(goes())), ["manifest.warn", "task.review"]);
    }
    config.manifest_enforcement = Mode::Off;
    assert_eq!(types(&config, with_violation(judged(vec![]))), ["task.validated"]);
    // A path that no mode allows blocks whatever the mode.
    assert_eq!(types(&config, with_violation(block())), blocked);
    let EventKind::TaskReview(review) = settled(&config, with_violation(block())).1 else { panic!() };
    assert_eq!((review.code.as_str(), review.commit), ("manifest.block", Some(commit())));
    assert_eq!(review.message, BlockCause::Forbidden.sentence());
}

#[test]
fn a_budget_that_is_exceeded_ends_the_task_only_where_its_mode_is_block() {
    let mut config = config();
    config.budgets.max_tokens_per_task = Some(1);
    let used = |tokens| AttemptFacts {
        usage: Some(Usage { input_tokens: tokens, ..Usage::default() }),
        refused: vec![PathRefused { path: "p".to_owned(), why: "w".to_owned() }],
        ..facts(judged(Vec::new()))
    };
    for (mode, tokens, expected) in [
        (Mode::Block, 2, &["usage.update", "path.refused", "budget.block", "task.fail"][..]),
        (Mode::Block, 1, &["usage.update", "path.refused", "task.validated"]),
        (Mode::Warn, 2, &["usage.update", "path.refused", "budget.warn", "task.validated"]),
        (Mode::Off, 2, &["usage.update", "path.refused", "task.validated"]),
    ] {
        config.budgets.mode = mode;
        assert_eq!(types(&config, used(tokens)), expected, "{mode:?}, {tokens} tokens");
    }
    config.budgets.mode = Mode::Block;
    let EventKind::TaskFail(reason) = settled(&config, used(2)).1 else { panic!() };
    assert_eq!(reason.code, "budget.block");
}

#[test]
fn a_limit_at_which_an_agent_was_stopped_is_told_once_whether_or_not_it_is_exceeded() {
    use BudgetMetric::{CostMicrousd, Tokens};
    use BudgetScope::{Run, Task};
    let mut config = config();
    config.budgets.max_tokens_per_task = Some(1);
    config.budgets.mode = Mode::Block;
    let once = &["usage.update", "budget.block", "task.fail"][..];
    let twice = &["usage.update", "budget.block", "budget.block", "task.fail"][..];
    for (used, scope, metric, expected) in [
        (1, Task, Tokens, once),
        (2, Task, Tokens, once),
        (2, Run, Tokens, twice),
        (2, Task, CostMicrousd, twice),
    ] {
        let stopped = AttemptFacts {
            usage: Some(Usage { input_tokens: used, ..Usage::default() }),
            over: Some(BudgetVerdict { scope, metric, used: 1, limit: 1 }),
            ..facts(judged(Vec::new()))
        };
        assert_eq!(types(&config, stopped), expected, "{used} used, stopped at {scope:?} {metric:?}");
    }
}

#[test]
fn a_failed_attempt_is_repeated_as_often_as_is_allowed_and_a_lost_one_does_not_count() {
    let mut config = config();
    config.max_retries = 2;
    let failed = |config: &Config, failures| {
        let mut state = state();
        state.tasks.get_mut(&id("1")).unwrap().failures = failures;
        let drafts = settle::attempt(&state, config, 1, &id("1"), facts(Outcome::Failed("why".to_owned())));
        drafts.into_iter().next_back().unwrap().kind
    };
    for (failures, left, backoff_ms) in [(0, 2, 500), (1, 1, 1000)] {
        let EventKind::TaskRetry(retry) = failed(&config, failures) else { panic!() };
        assert_eq!((retry.reason.as_str(), retry.attempts_left, retry.backoff_ms), ("why", left, backoff_ms));
    }
    for failures in [2, 3] {
        let EventKind::TaskFail(reason) = failed(&config, failures) else { panic!() };
        assert_eq!((reason.code.as_str(), reason.message.as_str()), ("worker.exit", "why"));
    }
    config.task_failure_policy = FailurePolicy::FailFast;
    assert_eq!(failed(&config, 0).type_name(), "task.fail");
    assert_eq!(types(&config, facts(Outcome::Lost("why".to_owned()))), ["worker.lost"]);
}

#[test]
fn an_agent_that_would_fail_the_same_way_again_is_not_tried_again() {
    let mut config = config();
    config.max_retries = 2;
    for (for_all, code) in [(true, "worker.refused"), (false, "worker.exit")] {
        let hopeless = Outcome::Hopeless { why: "no key".to_owned(), for_all };
        let (types, last) = settled(&config, facts(hopeless));
        let EventKind::TaskFail(failed) = last else { panic!("{last:?}") };
        assert_eq!((types, failed.code.as_str()), (vec!["task.fail"], code));
        assert_eq!(failed.message, "no key; another attempt would fail the same way");
    }
}

#[test]
fn work_that_does_not_merge_is_done_again_as_often_as_is_allowed() {
    let mut config = config();
    config.max_retries = 1;
    let conflict = LandingConflict {
        landing: 4,
        task: id("1"),
        commit: commit(),
        onto: commit(),
        paths: vec!["a".parse().unwrap(), "b".parse().unwrap()],
    };
    let mut state = state();
    let land = |state: &RunState| {
        let drafts = settle::landing(state, &config, 3, LandingOutcome::Conflict(conflict.clone()));
        let about = |draft: &Draft| (draft.task.clone(), draft.attempt, draft.batch);
        assert!(drafts.iter().all(|draft| about(draft) == (Some(id("1")), Some(2), Some(3))), "{drafts:?}");
        drafts.into_iter().map(|draft| draft.kind).collect::<Vec<_>>()
    };
    let [EventKind::LandingConflict(_), EventKind::TaskRetry(retry)] = &land(&state)[..] else { panic!() };
    assert_eq!((retry.attempts_left, retry.backoff_ms), (1, 0));
    assert!(retry.reason.contains("in a, b; both sides are in landing/4/conflict.json"), "{}", retry.reason);
    for conflicts in [1, 2] {
        state.tasks.get_mut(&id("1")).unwrap().conflicts = conflicts;
        let [EventKind::LandingConflict(_), EventKind::TaskReview(review)] = &land(&state)[..] else {
            panic!()
        };
        assert_eq!((review.code.as_str(), &review.commit), ("landing.conflict", &Some(commit())));
    }
}

#[test]
fn a_doctor_that_refuses_splits_the_tasks_and_fails_the_last_one() {
    let land = |tasks: &[&str], reason| {
        let result = DoctorResult {
            landing: 4,
            tasks: ids(tasks),
            commit: commit(),
            tree: commit(),
            reason,
            exit_code: None,
            local: Local::default(),
        };
        let drafts = settle::landing(&state(), &config(), 3, LandingOutcome::DoctorFailed(result));
        let [first, second] = <[Draft; 2]>::try_from(drafts).unwrap();
        assert_eq!(first.kind.type_name(), "landing.doctor_fail");
        assert_eq!((first.task, first.batch), (None, Some(3)));
        second
    };
    for (tasks, middle) in [(&["1", "2"][..], 1), (&["1", "2", "3"], 1), (&["1", "2", "3", "4"], 2)] {
        let split = land(tasks, ExitReason::Exited);
        let EventKind::LandingBisect(bisect) = split.kind else { panic!() };
        let (left, right) = tasks.split_at(middle);
        assert_eq!((bisect.left, bisect.right), (ids(left), ids(right)));
        assert_eq!((bisect.landing, split.task, split.batch), (4, None, Some(3)));
    }
    let words_of = [
        (ExitReason::Exited, "the doctor failed on"),
        (ExitReason::Signaled, "the doctor was ended by a signal"),
        (ExitReason::OutOfMemory, "the doctor needed more memory than `docker.memory_mb` allows"),
        (ExitReason::Timeout, "the doctor did not end within its time"),
    ];
    for (reason, words) in words_of {
        let draft = land(&["1"], reason);
        let EventKind::TaskFail(failed) = draft.kind else { panic!() };
        assert_eq!((draft.task, failed.code.as_str()), (Some(id("1")), "landing.doctor_fail"));
        assert!(failed.message.starts_with(words), "{}", failed.message);
    }
}
