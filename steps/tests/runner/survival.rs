//! Scenarios that panic, hang or are interrupted end as such, with their place, and hold up no other.

use std::{fs, num::NonZeroUsize, sync::PoisonError, time::Duration};

use mycelium_accept::runner::{Cause, Failure, Interrupt, RunResult, leftovers};
use mycelium_schemas::evidence::EVIDENCE_MEDIA_TYPE;
use mycelium_schemas::messages::{Envelope, TestStepResultStatus as Status};

use crate::{
    bench::Bench,
    world::{INTERRUPTER, STICKY},
};

fn failure(result: &RunResult) -> &Failure {
    result.scenarios.iter().find_map(|scenario| scenario.failure.as_ref()).unwrap()
}

#[test]
fn a_panic_fails_with_its_place_and_the_log_before_it() {
    let bench = Bench::with("Scenario: S\n Given nothing\n When it panics\n Then it never happens\n");
    let result = bench.run();
    let failure = failure(&result);
    assert_eq!(failure.message, "on purpose");
    assert_eq!((failure.step.as_str(), failure.place.line), ("When it panics", 5));
    assert!(failure.code_place.as_ref().unwrap().starts_with("steps/tests/runner/world.rs:"));
    assert_eq!(failure.log, ["about to panic"]);
    assert_eq!(bench.step_statuses(), [Status::Passed, Status::Failed, Status::Skipped]);
}

#[test]
fn a_failure_in_the_stream_has_its_message_and_its_place_in_the_code() {
    let bench = Bench::with("Scenario: S\n When it panics\n Then it never happens\n");
    bench.run();
    let failed = bench.messages().into_iter().find_map(|envelope| match envelope {
        Envelope::TestStepFinished(step) if step.test_step_result.status == Status::Failed => Some(step),
        _ => None,
    });
    let result = failed.unwrap().test_step_result;
    let stack = result.exception.unwrap().stack_trace.unwrap();
    assert_eq!(result.message.as_deref(), Some("on purpose"));
    assert!(stack.starts_with("on purpose\n  at steps/tests/runner/world.rs:"), "{stack}");
}

#[test]
fn a_failed_scenario_is_not_blamed_for_what_it_could_not_end_any_more() {
    let bench = Bench::with(
        "Scenario: S\n When it leaves a process behind\n And it panics\n Then it never happens\n",
    );
    assert_eq!(bench.run().causes, [Cause::Scenarios(Status::Failed, 1)]);
    assert_eq!(leftovers::find_inside(&bench.settings.scratch), [0; 0]);
}

#[test]
fn a_step_that_returns_an_error_fails_with_it() {
    let bench = Bench::with("Scenario: S\n When it errs\n Then it never happens\n");
    assert!(failure(&bench.run()).message.contains("invalid digit"));
}

#[test]
fn a_panic_in_a_task_of_the_step_fails_the_step() {
    let bench = Bench::with("Scenario: S\n When a task of it panics\n Then it never happens\n");
    let result = bench.run();
    assert!(failure(&result).message.contains("in a task"));
    assert!(failure(&result).code_place.is_some());
}

#[test]
fn a_task_that_outlives_its_scenario_does_not_meet_the_next_one() {
    let scenario = "When a task of it, the only one, goes on\n Then it never happens\n";
    let mut bench = Bench::with(&format!("Scenario: A\n {scenario}Scenario: B\n {scenario}"));
    bench.settings.jobs = NonZeroUsize::MIN;
    let result = bench.run();
    assert!(result.passed(), "{result:?}");
}

#[test]
fn a_thread_on_which_a_world_could_not_be_dropped_gets_no_other_scenario() {
    let scenario = "When its world sticks to its thread\n Then it never happens\n";
    let mut bench = Bench::with(&format!("Scenario: A\n {scenario}Scenario: B\n {scenario}"));
    bench.settings.jobs = NonZeroUsize::MIN;
    let result = bench.run();
    assert!(
        matches!(
            result.causes.as_slice(),
            [Cause::Teardown(..), Cause::Teardown(..), Cause::Scenarios(_, 2)]
        ),
        "{result:?}"
    );
    let threads = STICKY.lock().unwrap_or_else(PoisonError::into_inner).clone();
    assert!(threads.len() == 2 && threads[0] != threads[1], "{threads:?}");
}

#[test]
fn a_panic_before_a_run_is_none_of_it() {
    let bench = Bench::with("Scenario: S\n Given nothing\n Then it never happens\n");
    assert!(bench.run().passed());
    // From now on it is noted.
    assert!(std::thread::spawn(|| panic!("between two runs")).join().is_err());
    assert!(bench.run().passed());
}

#[test]
fn a_panic_in_a_thread_of_the_step_fails_the_run() {
    let bench = Bench::with("Scenario: S\n When a thread of it panics\n Then it never happens\n");
    let result = bench.run();
    assert!(matches!(result.causes.as_slice(), [Cause::StrayPanic(panic)] if panic.message == "in a thread"));
    assert_eq!(bench.run_info().partial.len(), 1);
    // `--rerun` reads it there.
    let told = bench.messages().into_iter().find_map(|message| match message {
        Envelope::Attachment(told) if told.media_type == "text/x.mycelium.beside+plain" => Some(told.body),
        _ => None,
    });
    assert_eq!(told, Some(result.causes[0].to_string()));
}

#[test]
fn a_hung_step_is_given_up_and_the_others_finish() {
    for step in ["it waits for ever", "it blocks for ever"] {
        let mut bench = Bench::with(&format!(
            "Scenario: hangs\n When {step}\n Then it never happens\nScenario: ends\n Then it never happens\n"
        ));
        bench.settings.jobs = NonZeroUsize::MIN;
        bench.settings.limits.step = Duration::from_millis(200);
        let result = bench.run();
        assert_eq!(result.scenarios.len(), 2);
        assert_eq!(result.causes, [Cause::Scenarios(Status::Failed, 1)]);
        let hung = failure(&result);
        assert!(hung.message.contains("timed out after 0.2 s"), "{}", hung.message);
        assert_eq!(hung.place.line, 4);
        assert!(result.scenarios.iter().any(|s| s.kept.as_ref().is_some_and(|p| p.starts_with(bench.out()))));
    }
}

#[test]
fn a_step_that_is_given_up_shows_what_it_said_and_kept_and_what_its_commands_say() {
    let bench =
        Bench::with("@timeout(300ms)\nScenario: S\n When it waits for what talks\n Then it never happens\n");
    let result = bench.run();
    let log = &failure(&result).log;
    // Of what is much, the whole lines at its end.
    assert_eq!(log.as_slice(), ["said", "$ endless (still running)", "late"]);
    let attached = |media_type: &str| {
        let messages = bench.messages().into_iter();
        let bodies = messages.filter_map(|message| match message {
            Envelope::Attachment(attachment) if attachment.media_type == media_type => Some(attachment.body),
            _ => None,
        });
        bodies.collect::<Vec<_>>()
    };
    assert_eq!(attached("text/x.cucumber.log+plain"), [log.join("\n")]);
    let kept = attached(EVIDENCE_MEDIA_TYPE);
    assert!(matches!(kept.as_slice(), [file] if file.contains("\"kept\"")), "{kept:?}");
}

#[test]
fn a_timeout_tag_limits_its_scenario() {
    let bench =
        Bench::with("@timeout(200ms)\nScenario: S\n When it waits for ever\n Then it never happens\n");
    let result = bench.run();
    assert!(failure(&result).message.contains("timed out after 0.2 s"));
    assert!(result.scenarios[0].kept.as_ref().unwrap().starts_with(bench.out()));
}

#[test]
fn a_scenario_has_a_limit_without_a_tag_and_a_run_has_one_that_leaves_a_complete_stream() {
    let scenario = "Scenario: S\n When it waits for ever\n Then it never happens\n";
    let mut bench = Bench::with(scenario);
    bench.settings.limits.scenario = Duration::from_millis(200);
    assert!(failure(&bench.run()).message.starts_with("the scenario timed out after 0.2 s"));
    // In a crowd it has more time.
    bench.settings.limits.times = 2;
    assert!(failure(&bench.run()).message.starts_with("the scenario timed out after 0.4 s"));
    drop(bench);
    let mut bench =
        Bench::with(&[scenario, "Scenario: T\n When it blocks for ever\n Then it never happens\n"].concat());
    bench.settings.run_timeout = Some(Duration::from_millis(200));
    bench.settings.jobs = NonZeroUsize::MIN;
    let result = bench.run();
    assert_eq!(result.causes, [Cause::RunTimedOut(Duration::from_millis(200)), Cause::ScenariosNotRun(2)]);
    assert!(failure(&result).message.contains("not finished: the run timed out after 0.2 s"));
    assert_eq!(bench.step_statuses(), [Status::Unknown, Status::Skipped]);
    assert_eq!(bench.run_info().partial, ["the run timed out after 0.2 s"]);
    assert!(
        matches!(bench.messages().last(), Some(Envelope::TestRunFinished(finished)) if !finished.success)
    );
}

#[test]
fn a_process_that_a_scenario_leaves_fails_the_run_by_the_scenario_and_is_ended() {
    let bench = Bench::with(
        "Scenario: S\n When it leaves a process behind\n Then it never happens\nScenario: T\n Then it never happens\n",
    );
    let result = bench.run();
    let [Cause::ProcessLeft(place, command), Cause::Scenarios(Status::Failed, 1)] = result.causes.as_slice()
    else {
        panic!("{result:?}")
    };
    assert_eq!((place.line, command.as_str()), (3, "sleep 600"));
    assert_eq!(leftovers::find_inside(&bench.settings.scratch), [0; 0]);
    assert_eq!(bench.run_info().partial.len(), 1);
}

#[test]
fn what_outlives_its_world_fails_a_scenario_whose_steps_all_passed_at_the_last_of_them() {
    let bench = Bench::with("Scenario: S\n Given what stays\n Then it never happens\n");
    let result = bench.run();
    assert_eq!(bench.step_statuses(), [Status::Passed, Status::Failed]);
    assert_eq!(failure(&result).place.line, 5);
    assert!(failure(&result).message.ends_with("could not be dropped: it left behind a container"));
    let [Cause::Teardown(place, what), Cause::Scenarios(Status::Failed, 1)] = result.causes.as_slice() else {
        panic!("{result:?}")
    };
    assert_eq!((place.line, what.as_str()), (3, "it left behind a container"));
}

#[test]
fn a_file_that_a_scenario_leaves_beside_its_folder_fails_the_run() {
    let mut bench = Bench::with(
        "Scenario: S\n When it writes beside its folder\n Then it never happens\nScenario: T\n Then it never happens\n",
    );
    bench.settings.jobs = NonZeroUsize::MIN;
    fs::write(bench.settings.scratch.join("known.txt"), "from before").unwrap();
    let result = bench.run();
    let [Cause::FileLeft(place, file, beside), Cause::Scenarios(Status::Failed, 1)] =
        result.causes.as_slice()
    else {
        panic!("{result:?}")
    };
    assert_eq!((place.line, file.as_str(), beside.as_slice()), (3, "stray.txt", &[][..]));
    assert_eq!(bench.run_info().partial, [result.causes[0].to_string()]);
}

#[test]
fn a_file_is_seen_whatever_it_is_called_and_whoever_may_have_left_it_is_named() {
    let bench =
        Bench::with("Scenario: S\n When it makes a folder like those of scenarios\n Then it never happens\n");
    let result = bench.run();
    let [Cause::FileLeft(place, file, _), Cause::Scenarios(Status::Failed, 1)] = result.causes.as_slice()
    else {
        panic!("{result:?}")
    };
    assert_eq!((place.line, file.as_str()), (3, "scenario-mine"));
    drop(bench);
    let mut bench = Bench::with(
        "Scenario: S\n When it writes beside its folder\n And it meets the other\n And the other has ended\n \
         Then it never happens\nScenario: T\n Given nothing\n When it meets the other\n Then it never happens\n",
    );
    bench.settings.jobs = NonZeroUsize::new(2).unwrap();
    let result = bench.run();
    let [cause @ Cause::FileLeft(place, _, beside), Cause::Scenarios(Status::Failed, 1)] =
        result.causes.as_slice()
    else {
        panic!("{result:?}")
    };
    // It is seen at the end of the one, and is the other's.
    assert_eq!((place.line, beside.iter().map(|place| place.line).collect::<Vec<_>>()), (8, vec![3]));
    assert!(cause.to_string().contains("beside it ran that at features/a.feature:3"), "{cause}");
}

#[test]
fn a_process_is_looked_for_before_the_next_scenario_begins() {
    for step in ["it leaves a process behind", "it leaves a process without an environment behind"] {
        let mut bench = Bench::with(&format!(
            "Scenario: S\n When {step}\n Then it never happens\nScenario: T\n Given nothing\n Then it never happens\n"
        ));
        bench.settings.jobs = NonZeroUsize::MIN;
        let scratch = bench.settings.scratch.clone();
        let mut alive = Vec::new();
        let result = bench.run_and_tell(|_, _| alive.push(leftovers::find_inside(&scratch).len()));
        let [Cause::ProcessLeft(place, command), Cause::Scenarios(Status::Failed, 1)] =
            result.causes.as_slice()
        else {
            panic!("{result:?}")
        };
        assert_eq!((place.line, command.as_str()), (3, "sleep 600"));
        assert_eq!((alive, result.notes), (vec![0, 0], vec![]));
    }
}

#[test]
fn what_a_scenario_began_and_nobody_waited_for_fails_the_run_by_its_name() {
    let bench =
        Bench::with("Scenario: S\n When it begins what it does not wait for\n Then it never happens\n");
    let result = bench.run();
    let [Cause::Unended(place, what), Cause::Scenarios(Status::Failed, 1)] = result.causes.as_slice() else {
        panic!("{result:?}")
    };
    assert_eq!((place.line, what.as_str()), (3, "a long walk"));
    assert_eq!(bench.run_info().partial.len(), 1);
    drop(bench);
    // One that failed did not come to the step that waits.
    let bench = Bench::with(
        "Scenario: S\n When it begins what it does not wait for\n And it panics\n Then it never happens\n",
    );
    assert_eq!(bench.run().causes, [Cause::Scenarios(Status::Failed, 1)]);
}

#[test]
fn a_folder_that_cannot_be_removed_fails_the_run() {
    let bench = Bench::with("Scenario: S\n When it takes its own folder away\n Then it never happens\n");
    let result = bench.run();
    assert!(
        matches!(
            result.causes.as_slice(),
            [Cause::FolderLeft(place, _), Cause::Scenarios(Status::Failed, 1)] if place.line == 3
        ),
        "{result:?}"
    );
    assert_eq!(bench.run_info().partial.len(), 1);
}

#[test]
fn an_interrupted_run_leaves_a_complete_stream_that_says_so() {
    let mut bench = Bench::with(
        "Scenario: A\n When somebody presses Ctrl-C\n Then it never happens\n\
         Scenario: B\n When somebody presses Ctrl-C\n Then it never happens\n",
    );
    bench.settings.jobs = NonZeroUsize::MIN;
    let result = bench.run();
    assert_eq!(result.interrupted, Some(Interrupt::Sigint));
    assert_eq!((result.scenarios.len(), result.not_started.len()), (1, 1));
    assert!(!result.passed());
    let info = bench.run_info();
    assert_eq!(info.partial, ["ended by SIGINT"]);
    assert_eq!(info.planned.len(), 2);
    assert_eq!(bench.step_statuses(), [Status::Unknown, Status::Skipped]);
    let messages = bench.messages();
    assert!(matches!(messages.last(), Some(Envelope::TestRunFinished(finished)) if !finished.success));
    assert!(result.scenarios[0].kept.as_ref().unwrap().starts_with(bench.out()));
}

#[test]
fn an_interruption_of_a_run_is_its_own_or_refused_and_never_lost() {
    let bench = Bench::with("Scenario: A\n Given nothing\n Then it never happens\n");
    let interrupt = || {
        let interrupter = INTERRUPTER.lock().unwrap_or_else(PoisonError::into_inner).clone();
        interrupter.unwrap().interrupt(Interrupt::Sigterm)
    };
    // The last scenario has ended, the run has not.
    let mut heard = false;
    let result = bench.run_and_tell(|_, to_come| heard = to_come == 0 && interrupt());
    assert!(heard);
    assert_eq!((result.interrupted, result.not_started), (Some(Interrupt::Sigterm), vec![]));
    assert_eq!(bench.run_info().partial, ["ended by SIGTERM"]);
    assert!(!interrupt(), "a run that is over was interrupted");
}

#[test]
fn scenarios_run_at_the_same_time() {
    let scenario = "When it meets the other\n Then it never happens\n";
    let mut bench = Bench::with(&format!("Scenario: A\n {scenario}Scenario: B\n {scenario}"));
    bench.settings.jobs = NonZeroUsize::new(2).unwrap();
    let result = bench.run();
    assert!(result.passed(), "{result:?}");
}

#[test]
fn fail_fast_starts_nothing_after_the_first_failure() {
    let scenario = "When it panics\n Then it never happens\n";
    let mut bench = Bench::with(&format!("Scenario: A\n {scenario}Scenario: B\n {scenario}"));
    bench.settings.jobs = NonZeroUsize::MIN;
    bench.settings.fail_fast = true;
    let result = bench.run();
    assert_eq!((result.scenarios.len(), result.not_started.len()), (1, 1));
    assert_eq!(bench.run_info().partial, ["stopped at the first failure"]);
}

#[test]
fn the_folder_of_a_failed_scenario_is_kept_and_that_of_a_passed_one_is_not() {
    let bench = Bench::with(
        "Scenario: A\n When it panics\n Then it never happens\nScenario: B\n Then it never happens\n",
    );
    let result = bench.run();
    let kept: Vec<_> = result.scenarios.iter().filter_map(|scenario| scenario.kept.as_ref()).collect();
    assert_eq!(kept, [&bench.out().join("kept/features/a.feature/3")]);
    assert_eq!(fs::read_to_string(kept[0].join("note.txt")).unwrap(), "written by the world");
}
