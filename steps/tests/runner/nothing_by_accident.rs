//! Nothing passes by accident.

use std::path::PathBuf;

use mycelium_accept::{
    catalogue::Catalogue,
    runner::{
        Cause, Library, RunResult, VocabularyError,
        suite::{Suite, SuiteError},
    },
};
use mycelium_schemas::messages::{Envelope, TestStepResultStatus as Status};

use crate::{
    bench::{Bench, CATALOGUE},
    world::TinyWorld,
};

/// The message of the only failure.
fn failure(result: &RunResult) -> String {
    assert!(!result.passed());
    let failures: Vec<_> = result.scenarios.iter().filter_map(|scenario| scenario.failure.as_ref()).collect();
    assert_eq!(failures.len(), 1, "{failures:?}");
    failures[0].message.clone()
}

#[test]
fn a_scenario_whose_steps_all_pass_passes() {
    let bench = Bench::with("Scenario: S\n Given nothing\n Then it is so\n And it never happens\n");
    let result = bench.run();
    assert!(result.passed(), "{result:?}");
    assert_eq!(bench.step_statuses(), [Status::Passed; 3]);
    assert!(bench.run_info().partial.is_empty());
}

#[test]
fn the_thens_behind_one_that_failed_are_tried_where_that_is_asked_for_and_nothing_else() {
    let mut bench = Bench::with(
        "Scenario: S\n Given nothing\n Then it is not so\n And it never happens\n When it errs\n Then it is so\n",
    );
    let rest = [Status::Skipped; 3];
    let failed = [Status::Passed, Status::Failed];
    assert!(failure(&bench.run()).contains("it is not so"));
    assert_eq!(bench.step_statuses(), [&failed[..], &rest].concat());
    bench.settings.every_then = true;
    // The failure is the first one, and no When follows it.
    assert!(failure(&bench.run()).contains("it is not so"));
    assert_eq!(bench.step_statuses(), [&failed[..], &[Status::Passed], &rest[..2]].concat());
    assert_eq!(bench.run_info().partial, ["the Thens behind one that failed were tried, too"]);
}

#[test]
fn an_undefined_step_fails_and_skips_the_rest() {
    let bench =
        Bench::with("Scenario: S\n Given nothing\n When it does what nobody knows\n Then it never happens\n");
    assert!(failure(&bench.run()).contains("no step definition"));
    assert_eq!(bench.step_statuses(), [Status::Passed, Status::Undefined, Status::Skipped]);
}

#[test]
fn what_the_machine_cannot_run_neither_passes_nor_fails_and_says_why() {
    let cannot = "Scenario: S\n Given what this machine cannot do\n Then it never happens\n";
    let bench = Bench::with(&format!("{cannot}Scenario: T\n Given nothing\n Then it is so\n"));
    let result = bench.run();
    assert!(result.passed(), "{result:?}");
    assert_eq!(result.notes, ["features/a.feature:3 was not run: the machine has no second moon"]);
    assert_eq!(result.scenarios.iter().filter(|s| s.status == Status::Skipped).count(), 1);
    assert_eq!(bench.step_statuses().iter().filter(|status| **status == Status::Passed).count(), 2);
    drop(bench);
    // Alone, it proves nothing at all.
    assert_eq!(Bench::with(cannot).run().causes, [Cause::ScenariosNotRun(1)]);
}

#[test]
fn an_ambiguous_step_fails_with_both_places() {
    let bench = Bench::with("Scenario: S\n When it means two things\n Then it never happens\n");
    let message = failure(&bench.run());
    assert_eq!(message.matches("steps/tests/runner/world.rs:").count(), 2, "{message}");
    assert_eq!(bench.step_statuses(), [Status::Ambiguous, Status::Skipped]);
}

#[test]
fn a_pending_and_a_skipped_step_fail_the_run_by_their_names() {
    for (step, status, code, said) in [
        ("it is to be written", Status::Pending, "scenarios_pending", "pending: somebody has to"),
        ("it is of no use here", Status::Skipped, "scenarios_skipped", "the step ended as skipped"),
    ] {
        let bench = Bench::with(&format!("Scenario: S\n When {step}\n Then it never happens\n"));
        let result = bench.run();
        assert!(failure(&result).contains(said), "{result:?}");
        assert_eq!(bench.step_statuses(), [status, Status::Skipped]);
        assert_eq!(result.causes.iter().map(Cause::code).collect::<Vec<_>>(), [code]);
        assert_eq!(result.scenarios[0].status, status);
    }
}

#[test]
fn every_way_not_to_pass_has_a_name_of_its_own() {
    let bench = Bench::with(
        "Scenario: A\n When it panics\n Then it never happens\n\
         Scenario: B\n When it does what nobody knows\n Then it never happens\n\
         Scenario: C\n When it means two things\n Then it never happens\n\
         Scenario: D\n When it is to be written\n Then it never happens\n\
         Scenario: E\n When it is of no use here\n Then it never happens\n\
         Scenario: F\n Description only.\n",
    );
    let result = bench.run();
    let mut codes: Vec<_> = result.causes.iter().map(Cause::code).collect();
    codes.sort_unstable();
    let wanted = [
        "no_steps",
        "scenarios_ambiguous",
        "scenarios_failed",
        "scenarios_pending",
        "scenarios_skipped",
        "scenarios_undefined",
    ];
    assert_eq!(codes, wanted);
}

#[test]
fn an_undefined_step_comes_with_the_code_that_would_define_it() {
    let bench = Bench::with("Scenario: S\n When it takes 3 days\n Then it never happens twice\n");
    let message = failure(&bench.run());
    assert!(message.contains("#[when(expr = \"it takes {int} days\")]"), "{message}");
    assert!(message.contains("world: &mut TinyWorld"), "{message}");
    let suggestions = bench.messages().iter().filter(|m| matches!(m, Envelope::Suggestion(_))).count();
    assert_eq!((suggestions, bench.step_statuses()), (2, vec![Status::Undefined; 2]));
}

#[test]
fn an_empty_folder_and_an_empty_selection_fail() {
    let empty = Bench::new();
    let refused = Suite::load(&empty.features(), &[PathBuf::from(".")]);
    assert!(matches!(refused, Err(SuiteError::NoFeature(_))), "{refused:?}");
    drop(empty);
    let mut bench = Bench::with("Scenario: S\n Given nothing\n Then it never happens\n");
    bench.filter.tags = Some("@nope".parse().unwrap());
    assert_eq!(bench.run().causes, [Cause::NothingSelected]);
}

#[test]
fn a_scenario_without_steps_fails() {
    let bench = Bench::with("Scenario: S\n Givena typo\n");
    assert!(matches!(bench.run().causes.as_slice(), [Cause::NoSteps(place)] if place.line == 3));
    assert_eq!(bench.run_info().partial.len(), 1);
}

#[test]
fn a_then_that_records_nothing_fails() {
    let bench = Bench::with("Scenario: S\n Given nothing\n Then it looks away\n");
    assert!(failure(&bench.run()).contains("recorded no assertion"));
}

#[test]
fn a_step_named_never_must_record_what_must_not_happen() {
    let bench = Bench::with("Scenario: S\n Given nothing\n Then it never happens, it says\n");
    assert!(failure(&bench.run()).contains("never_kept"));
}

#[test]
fn an_assertion_that_did_not_hold_fails_a_step_that_passed() {
    let bench = Bench::with("Scenario: S\n Given nothing\n Then it shrugs\n");
    assert!(failure(&bench.run()).contains("did not hold"));
}

#[test]
fn a_world_that_cannot_be_made_fails_the_scenario() {
    let mut bench = Bench::with("Scenario: S\n Given nothing\n Then it never happens\n");
    bench.settings.bin = "no-world".into();
    assert!(failure(&bench.run()).contains("there is no context"));
}

#[test]
fn a_step_library_that_is_not_linked_in_cannot_be_loaded() {
    #[derive(Debug, Default, cucumber::World)]
    struct Unlinked;

    let empty = Catalogue { definitions: &[], parameters: &[], assertions: &[] };
    assert!(matches!(Library::load::<Unlinked>(CATALOGUE), Err(VocabularyError::Empty(_))));
    assert!(matches!(Library::load::<TinyWorld>(empty), Err(VocabularyError::Uncatalogued(_))));
    assert!(Library::load::<TinyWorld>(CATALOGUE).is_ok());
}
