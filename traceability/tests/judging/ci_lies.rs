//! Lies that only the gates see which CI asks for beyond a developer's machine: nothing shows that what stopped goes on, or
//! that what was written is valid.

use mycelium_schemas::{
    goal::gates::ProfileName,
    verdict::{Gate, Outcome},
};
use serde_json::{Value, json};

use crate::{
    lies::{Lie, RED},
    support::World,
};

pub(crate) fn lies() -> Vec<Lie> {
    [resuming(), artifacts()].into_iter().flatten().collect()
}

/// Nothing shows that a run that stopped goes on where it stood.
#[expect(clippy::too_many_lines, reason = "a table that is read as a whole")]
fn resuming() -> Vec<Lie> {
    const NEVER: &str = "G1.1 is about `resume`, and none of its scenarios that ran resumes";
    fn of_goal(world: &mut World, from: &str, to: &str) {
        assert!(world.goals[3].contains(from));
        world.goals[3] = world.goals[3].replace(from, to);
        world.review_again();
    }
    let lie = |name, tell, reason| Lie {
        name,
        tell,
        outcome: RED,
        gate: Gate::ResumeCorrectness,
        reason,
        row: None,
    };
    vec![
        lie(
            "no goal is about resuming",
            |w| {
                *w = World::of_ci();
                of_goal(w, "scope: [run, resume]", "scope: [run]");
            },
            "No goal is about `resume`",
        ),
        lie(
            "a goal about resuming fails",
            |w| {
                *w = World::of_ci();
                w.ran[6].attempts = vec!["FAILED"];
                w.run.success = false;
            },
            "G1.1 is failing",
        ),
        lie(
            "no scenario of a goal about resuming resumes",
            |w| {
                *w = World::of_ci();
                w.scenario(6, |scenario| scenario.when = "I run \"mycelium run\"");
                w.scenario(7, |scenario| scenario.when = "I run \"mycelium run\"");
                w.review_again();
            },
            NEVER,
        ),
        lie(
            "a scenario only speaks of resuming, where nothing is done",
            |w| {
                *w = World::of_ci();
                for index in [6, 7] {
                    w.scenario(index, |scenario| {
                        scenario.when = "I run \"mycelium run\"";
                        scenario.then = String::from("standard error says \"mycelium resume\"");
                    });
                }
                w.review_again();
            },
            NEVER,
        ),
        lie(
            "the step that resumes did not run",
            |w| {
                *w = World::of_ci();
                w.edit = |messages| {
                    let resumes = |m: &&mut Value| {
                        let step = m["testStepFinished"]["testStepId"].as_str().unwrap_or_default();
                        step.starts_with("test1:") && step.contains("G1.1")
                    };
                    for message in messages.iter_mut().filter(resumes) {
                        message["testStepFinished"]["testStepResult"]["status"] = json!("SKIPPED");
                    }
                };
            },
            NEVER,
        ),
        lie(
            "that nothing is done again was looked at where nothing was resumed",
            |w| {
                *w = World::of_ci();
                let mut other = w.ran[6].clone();
                (other.line, other.name, other.when) = (30, "A run".to_owned(), "I run \"mycelium run\"");
                w.features.push(other.clone());
                w.ran.push(other);
                for index in [6, 7] {
                    w.ran[index].assertions.retain(|assertion| assertion.1 != "attempts_at_most");
                }
                w.review_again();
            },
            "state.attempts_at_most was asserted behind no `resume`.",
        ),
        lie(
            "nobody promises that nothing is done again",
            |w| {
                *w = World::of_ci();
                of_goal(w, "state.attempts_at_most", "git.branch_unmoved");
            },
            "No goal about `resume` declares state.attempts_at_most",
        ),
    ]
}

/// Nothing shows that what the program wrote is valid.
fn artifacts() -> Vec<Lie> {
    const SECOND: &str = "artifacts of features/tier0/G0.2-block.feature:5 are not shown to be valid";
    fn checks(world: &mut World, change: impl Fn(&mut (&'static str, &'static str, &'static str, bool))) {
        *world = World::of_ci();
        let assertions = &mut world.ran[2].assertions;
        assertions.iter_mut().filter(|assertion| assertion.1 == "artifacts_valid").for_each(change);
    }
    let lie =
        |name, tell, reason| Lie { name, tell, outcome: RED, gate: Gate::ArtifactSchema, reason, row: None };
    vec![
        lie("no artifact is checked", |w| w.profile = ProfileName::Ci, "G0.1-block.feature:5 are not shown"),
        Lie {
            outcome: Outcome::BadInput,
            ..lie(
                "nothing ran, so no artifact was checked",
                |w| {
                    *w = World::of_ci();
                    w.ran.iter_mut().for_each(|scenario| scenario.attempts.clear());
                },
                "No scenario ran",
            )
        },
        lie("the artifacts of one scenario are invalid", |w| checks(w, |check| check.3 = false), SECOND),
        lie("another check has that name", |w| checks(w, |check| check.0 = "git"), SECOND),
        lie("the check looked for the opposite", |w| checks(w, |check| check.2 = "must"), SECOND),
        lie(
            "artifacts were kept after the last check",
            |w| {
                *w = World::of_ci();
                w.edit = |messages| {
                    for message in messages.iter_mut() {
                        let body = message["attachment"]["body"].as_str().unwrap_or_default();
                        let step = message["attachment"]["testStepId"].as_str().unwrap_or_default();
                        if body.contains("artifacts_valid") && step.contains("G0.2-block.feature:5") {
                            message["attachment"]["testStepId"] = json!(step.replace("test2", "test1"));
                        }
                    }
                };
            },
            SECOND,
        ),
    ]
}
