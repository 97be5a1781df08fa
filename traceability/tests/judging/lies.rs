//! The lies: each bends one thing of an honest world, and names who has to notice and why.

use mycelium_schemas::{
    goal::gates::ProfileName,
    matrix::Status,
    verdict::{Gate, Outcome},
};
use serde_json::{Value, json};

use crate::{
    ci_lies,
    support::{Fixture, World, goal},
};

/// One way to lie, and who notices.
pub(crate) struct Lie {
    pub(crate) name: &'static str,
    pub(crate) tell: fn(&mut World),
    pub(crate) outcome: Outcome,
    /// The gate that has to be red, and a part of its reason.
    pub(crate) gate: Gate,
    pub(crate) reason: &'static str,
    /// The goal that has to lose its status, the status, and a part of its reason.
    pub(crate) row: Option<(&'static str, Status, &'static str)>,
}

pub(crate) const RED: Outcome = Outcome::Red;

pub(crate) fn lies() -> Vec<Lie> {
    [results(), proofs(), links_and_goals(), runs(), ci_lies::lies()].into_iter().flatten().collect()
}

/// What came out of a scenario is not what is needed.
#[expect(clippy::too_many_lines, reason = "a table that is read as a whole")]
fn results() -> Vec<Lie> {
    fn then(world: &mut World, attempts: &[&'static str]) {
        world.ran[0].attempts = attempts.to_vec();
        world.run.success = false;
    }
    let not_run = |reason| Some(("G0.1", Status::NotRun, reason));
    let lie =
        |name, tell, row| Lie { name, tell, outcome: RED, gate: Gate::TierCoverage, reason: "G0.1 is", row };
    vec![
        lie(
            "the linked test fails",
            |w| then(w, &["FAILED"]),
            Some(("G0.1", Status::Failing, ":5 failed in mock at")),
        ),
        lie(
            "it fails each time it is tried again",
            |w| then(w, &["FAILED", "FAILED"]),
            Some(("G0.1", Status::Failing, "failed")),
        ),
        lie(
            "it is tried again until it is green",
            |w| {
                w.ran[0].attempts = vec!["FAILED", "PASSED"];
            },
            Some(("G0.1", Status::Flaky, "passed 1 of 2 times")),
        ),
        lie(
            "it passed first and failed then",
            |w| then(w, &["PASSED", "FAILED"]),
            Some(("G0.1", Status::Flaky, "passed 1 of 2 times")),
        ),
        lie("it is skipped", |w| w.ran[0].attempts = vec!["SKIPPED"], not_run("is skipped")),
        lie("it is pending", |w| w.ran[0].attempts = vec!["PENDING"], not_run("is pending")),
        lie("it is undefined", |w| then(w, &["UNDEFINED"]), not_run("is undefined")),
        lie("it is ambiguous", |w| then(w, &["AMBIGUOUS"]), not_run("is ambiguous")),
        lie("its status is unknown", |w| then(w, &["UNKNOWN"]), not_run("is unknown")),
        lie("it did not run", |w| w.ran[0].attempts.clear(), not_run("did not run")),
        lie(
            "its last step was never told",
            |w| {
                then(w, &["PASSED"]);
                w.edit = |messages| {
                    drop_first(messages, |m| {
                        m["testStepFinished"]["testStepId"].as_str().is_some_and(|id| id.starts_with("test2"))
                    });
                };
            },
            not_run("is unknown"),
        ),
        lie(
            "a scenario that names no lane did not run",
            |w| {
                w.scenario(0, |s| s.tags.retain(|tag| tag != "@mock"));
                w.ran[0].attempts.clear();
                w.links.clear();
                w.review_all();
            },
            not_run(":5 did not run in mock"),
        ),
        lie(
            "the control twin fails",
            |w| {
                w.ran[1].attempts = vec!["FAILED"];
                w.run.success = false;
            },
            Some(("G0.1", Status::Failing, ":12 failed")),
        ),
        lie("the control twin did not run", |w| w.ran[1].attempts.clear(), not_run(":12 did not run")),
        lie(
            "an assertion did not hold and its step passed",
            |w| w.ran[0].assertions[0].3 = false,
            Some(("G0.1", Status::Failing, "git.branch_unmoved (refs/heads/main) did not hold")),
        ),
    ]
}

/// The witness of G0.1 is another assertion about the log, with that subject.
pub(crate) fn witnessed_by(world: &mut World, check: &'static str, subject: &'static str) {
    world.goals[0] = world.goals[0].replace("event.present", &format!("event.{check}"));
    world.ran[0].assertions[1].1 = check;
    world.ran[0].event = subject;
    world.review_again();
}

/// G0.1 says of two branches that they do not move.
pub(crate) fn twice_unmoved(world: &mut World) {
    const CLAIM: &str = "  - {text: The integration branch moves., assertion: git.branch_unmoved}\n";
    let another = CLAIM.replace("The integration", "Another");
    world.goals[0] = world.goals[0].replace(CLAIM, &format!("{CLAIM}{another}"));
}

/// Everything passed, but what was to be proved was not.
#[expect(clippy::too_many_lines, reason = "a table that is read as a whole")]
fn proofs() -> Vec<Lie> {
    let lie = |name, tell, reason| Lie {
        name,
        tell,
        outcome: RED,
        gate: Gate::NoMergeSafety,
        reason: "G0.1 (budget.block) is weak",
        row: Some(("G0.1", Status::Weak, reason)),
    };
    vec![
        lie(
            "only positive assertions",
            |w| w.ran[0].assertions.retain(|a| a.2 == "must"),
            "looked for nothing that must not happen",
        ),
        lie(
            "its witness is an event that every run has",
            |w| w.ran[0].event = "run.start",
            "The witness assertion event.present was not executed",
        ),
        lie(
            "its witness is what an event says that every run has",
            |w| witnessed_by(w, "payload", "what a run.start event says"),
            "The witness assertion event.payload was not executed",
        ),
        lie(
            "its witness is the order of events that every run has",
            |w| witnessed_by(w, "order", "the order of run.start, run.complete"),
            "The witness assertion event.order was not executed",
        ),
        lie(
            "its witness is an event about a task that is called like the right one",
            |w| witnessed_by(w, "present", "task.start task budget.block"),
            "The witness assertion event.present was not executed",
        ),
        lie(
            "its witness is that there is nothing",
            |w| {
                witnessed_by(w, "count", "budget.block events");
                w.ran[0].assertions[1].2 = "must_not";
            },
            "The witness assertion event.count was not executed",
        ),
        lie(
            "its control twin shows what does not happen",
            |w| {
                w.goals[0] = w.goals[0].replace("git.branch_moved", "git.branch_unmoved");
                w.ran[1].assertions.push(("git", "branch_unmoved", "must_not", true));
                w.review_again();
            },
            "The control assertion git.branch_unmoved was not executed",
        ),
        lie(
            "of two must-nots with one assertion one is proved",
            |w| {
                twice_unmoved(w);
                w.review_again();
            },
            "git.branch_unmoved was not executed in every lane that is required: Another branch moves.",
        ),
        lie(
            "nothing was kept that shows it",
            |w| {
                w.edit = |messages| {
                    let kept = |message: &Value| {
                        let media_type = message["attachment"]["mediaType"].as_str().unwrap_or_default();
                        media_type.contains("vnd.mycelium.evidence")
                    };
                    messages.retain(|message| !kept(message));
                }
            },
            "features/tier0/G0.1-block.feature:5 kept no evidence in mock.",
        ),
        lie(
            "the declared must-not was not executed",
            |w| w.ran[0].assertions[0].1 = "status",
            "must-not assertion git.branch_unmoved",
        ),
        lie(
            "the must-not was asserted the other way round",
            |w| w.ran[0].assertions[0].2 = "must",
            "must-not assertion git.branch_unmoved",
        ),
        lie(
            "the must-not was executed in the control twin alone",
            |w| {
                w.ran[0].assertions[0] = ("fs", "absent", "must_not", true);
                w.ran[1].assertions.push(("git", "branch_unmoved", "must_not", true));
            },
            "must-not assertion git.branch_unmoved",
        ),
        lie(
            "the witness is missing",
            |w| w.ran[0].assertions.retain(|a| a.0 != "event"),
            "witness assertion event.present",
        ),
        lie(
            "the control twin proves nothing",
            |w| w.ran[1].assertions.retain(|a| a.0 != "git"),
            "control assertion git.branch_moved",
        ),
        lie(
            "the control twin has no negative assertion",
            |w| w.ran[1].assertions.retain(|a| a.2 == "must"),
            ":12 looked for nothing",
        ),
        lie(
            "there is no control twin",
            |w| {
                w.ran.remove(1);
                w.features.remove(1);
                w.links.clear();
                w.review_all();
            },
            "No control twin",
        ),
        lie(
            "the control twin lost its tag",
            |w| {
                w.scenario(1, |twin| twin.tags.retain(|tag| tag != "@control"));
                w.links.clear();
                w.review_all();
            },
            "No control twin",
        ),
        lie(
            "the assertion read no artifact of the run",
            |w| {
                w.edit = |messages| edit_bodies(messages, "assertion", |body| body["artifact"] = json!(""));
            },
            "looked for nothing that must not happen",
        ),
        lie(
            "the assertion was made in a Given",
            |w| {
                w.edit = |messages| {
                    for message in messages
                        .iter_mut()
                        .filter(|m| m["attachment"]["mediaType"] == "application/vnd.mycelium.assertion+json")
                    {
                        let step =
                            message["attachment"]["testStepId"].as_str().unwrap().replace("test2", "test0");
                        message["attachment"]["testStepId"] = json!(step);
                    }
                };
            },
            "looked for nothing that must not happen",
        ),
    ]
}

/// Goals, links and data files say what nobody agreed to.
#[expect(clippy::too_many_lines, reason = "a table that is read as a whole")]
fn links_and_goals() -> Vec<Lie> {
    const UNSEEN: &str =
        "No scenario of G0.1 finds a budget.block event and the integration branch where it was.";
    const VERIFIED: Option<(&str, Status, &str)> = Some(("G0.1", Status::Verified, "All"));
    fn quarantine(world: &mut World, goal: &str, expires: &str) {
        world.quarantine = world.quarantine_entry(goal, expires);
    }
    let lie = |name, tell, gate, reason, row| Lie { name, tell, outcome: RED, gate, reason, row };
    let suspect = |reason| Some(("G0.1", Status::Suspect, reason));
    vec![
        lie(
            "the text of a goal changed",
            |w| w.goals[0] = w.goals[0].replace("nothing lands.", "something lands."),
            Gate::SuspectLinks,
            "G0.1: The text of the goal changed",
            suspect("text of the goal"),
        ),
        lie(
            "a promise was dropped",
            |w| w.goals[0] = w.goals[0].replace("git.branch_unmoved", "exit.exit_code"),
            Gate::SuspectLinks,
            "G0.1: The text",
            Some(("G0.1", Status::Suspect, "text of the goal")),
        ),
        lie(
            "a step changed",
            |w| w.scenario(0, |s| s.then = "the branch is there".to_owned()),
            Gate::SuspectLinks,
            "G0.1: The scenarios changed",
            suspect("The scenarios"),
        ),
        lie(
            "a scenario was deleted",
            |w| {
                w.features.remove(0);
                w.ran.remove(0);
            },
            Gate::SuspectLinks,
            "G0.1: The scenarios changed",
            Some(("G0.1", Status::NotRun, "control twins aside")),
        ),
        lie(
            "nobody reviewed",
            |w| w.links.clear(),
            Gate::SuspectLinks,
            "Nobody has reviewed",
            suspect("Nobody"),
        ),
        lie(
            "all scenarios of a goal were deleted",
            |w| {
                w.features.drain(0..2);
                w.ran.drain(0..2);
            },
            Gate::TierCoverage,
            "G0.1 is not-automated",
            Some(("G0.1", Status::NotAutomated, "No scenario is tagged @G0.1")),
        ),
        lie(
            "a reviewed link fits no goal",
            |w| {
                w.goals.pop();
                w.goals.push(goal("G1.7", "run.complete"));
            },
            Gate::SuspectLinks,
            "G1.1 fits no goal",
            None,
        ),
        lie(
            "a scenario names an unknown goal",
            |w| w.scenario(6, |s| s.tags.push("@G1.9".to_owned())),
            Gate::Orphans,
            "There is no goal G1.9",
            None,
        ),
        lie(
            "a scenario names a goal in another spelling",
            |w| w.scenario(6, |s| s.tags.push("@G1.01".to_owned())),
            Gate::Orphans,
            "There is no goal G1.01",
            None,
        ),
        lie(
            "a scenario names a goal of the backlog",
            |w| w.scenario(6, |s| s.tags.push("@G1.2".to_owned())),
            Gate::Orphans,
            "still stands in the backlog",
            None,
        ),
        lie(
            "a scenario names no goal",
            |w| w.scenario(6, |s| s.tags.retain(|tag| !tag.starts_with("@G"))),
            Gate::Orphans,
            "No tag names a goal",
            None,
        ),
        Lie {
            outcome: Outcome::BadInput,
            ..lie(
                "Tier 0 is empty",
                |w| {
                    w.goals.drain(0..3);
                    w.links.clear();
                    w.review_all();
                },
                Gate::TierCoverage,
                "Tier 0 has no goal",
                None,
            )
        },
        Lie {
            outcome: Outcome::BadInput,
            ..lie(
                "Tier 1 is empty",
                |w| {
                    w.goals.pop();
                    w.links.clear();
                    w.review_all();
                },
                Gate::TierCoverage,
                "Tier 1 has no goal",
                None,
            )
        },
        Lie {
            outcome: Outcome::BadInput,
            ..lie(
                "a goal is in the backlog as well",
                |w| w.backlog = w.backlog.replace("G1.2", "G1.1"),
                Gate::TierCoverage,
                "G1.1 is invalid",
                Some(("G1.1", Status::Invalid, "in the backlog")),
            )
        },
        Lie {
            outcome: Outcome::BadInput,
            ..lie(
                "a Tier-0 goal is quarantined",
                |w| quarantine(w, "G0.1", "2026-02-01"),
                Gate::Quarantine,
                "G0.1 is a Tier-0 goal",
                Some(("G0.1", Status::Invalid, "cannot be quarantined")),
            )
        },
        lie(
            "a quarantined goal is no proof",
            |w| quarantine(w, "G1.1", "2026-01-31"),
            Gate::TierCoverage,
            "G1.1 is quarantined",
            Some(("G1.1", Status::Quarantined, "0 days from now")),
        ),
        lie(
            "a quarantine has expired",
            |w| quarantine(w, "G1.1", "2026-01-30"),
            Gate::Quarantine,
            "expired on 2026-01-30",
            Some(("G1.1", Status::QuarantineExpired, "expired")),
        ),
        lie(
            "an expired quarantine excuses no failure",
            |w| {
                quarantine(w, "G1.1", "2026-01-30");
                w.ran[6].attempts = vec!["FAILED"];
                w.run.success = false;
            },
            Gate::Quarantine,
            "expired",
            Some(("G1.1", Status::Failing, "failed")),
        ),
        lie(
            "a quarantined scenario is not run any more",
            |w| {
                quarantine(w, "G1.1", "2026-02-01");
                w.ran[6].attempts.clear();
            },
            Gate::Quarantine,
            "fits no scenario of that goal that ran",
            None,
        ),
        lie(
            "a quarantine fits no scenario",
            |w| {
                quarantine(w, "G1.1", "2026-02-01");
                w.scenario(6, |s| s.name = "renamed".to_owned());
            },
            Gate::Quarantine,
            "fits no scenario",
            None,
        ),
        lie(
            "no goal is left for a kind of block",
            |w| {
                w.goals[0] = w.goals[0].replace("[budget.block]", "[task.fail]");
                w.links.clear();
                w.review_all();
            },
            Gate::NoMergeSafety,
            "No Tier-0 goal promises what happens after budget.block",
            None,
        ),
        lie(
            "no scenario of a block goal sees the block",
            |w| {
                w.goals[0] = w.goals[0].replace("[budget.block]", "[budget.block, usage.update]");
                w.ran[0].event = "usage.update";
                w.review_again();
            },
            Gate::NoMergeSafety,
            UNSEEN,
            VERIFIED,
        ),
        lie(
            "a scenario of a block goal sees that there is none",
            |w| {
                w.goals[0] = w.goals[0].replace("event.present", "state.usage");
                w.ran[0].assertions[1] = ("state", "usage", "must", true);
                w.ran[0].assertions.push(("event", "count", "must_not", true));
                w.review_again();
            },
            Gate::NoMergeSafety,
            UNSEEN,
            VERIFIED,
        ),
        lie(
            "one scenario of a block goal sees the block, and another one that the branch stays",
            |w| {
                let mut other = Fixture::new("G0.1", 30, "No work, no block");
                other.event = "usage.update";
                w.features.push(other.clone());
                w.ran.push(other);
                w.ran[0].assertions[0] = ("fs", "absent", "must_not", true);
                w.review_again();
            },
            Gate::NoMergeSafety,
            UNSEEN,
            VERIFIED,
        ),
        lie(
            "a block goal sees that the branch is where it was, which it should not be",
            |w| {
                let mut other = Fixture::new("G0.1", 30, "No work, no block");
                other.event = "usage.update";
                w.features.push(other.clone());
                w.ran.push(other);
                w.ran[0].assertions[0].2 = "must";
                w.ran[0].assertions.push(("fs", "absent", "must_not", true));
                w.review_again();
            },
            Gate::NoMergeSafety,
            UNSEEN,
            VERIFIED,
        ),
        lie(
            "a block goal does not promise that the branch stays",
            |w| {
                w.goals[0] = w.goals[0].replace("git.branch_unmoved", "event.absent");
                w.scenario(0, |s| s.assertions.push(("event", "absent", "must_not", true)));
                w.links.clear();
                w.review_all();
            },
            Gate::NoMergeSafety,
            "does not declare git.branch_unmoved",
            None,
        ),
    ]
}

/// The run is not what it looks like.
#[expect(clippy::too_many_lines, reason = "a table that is read as a whole")]
fn runs() -> Vec<Lie> {
    let lie = |name, tell, gate, reason, row| Lie { name, tell, outcome: RED, gate, reason, row };
    let stale = |reason| Some(("G0.1", Status::Stale, reason));
    let not_run_anywhere = Some(("G0.1", Status::NotRun, ":5 did not run in mock"));
    vec![
        lie(
            "a filter was used",
            |w| w.run.partial = vec!["--tags @tier0".to_owned()],
            Gate::WholeRun,
            "--tags @tier0",
            Some(("G0.1", Status::Partial, "--tags @tier0")),
        ),
        lie(
            "the run ended without success",
            |w| w.run.success = false,
            Gate::WholeRun,
            "ended without success",
            Some(("G0.1", Status::Partial, "ended without success")),
        ),
        lie(
            "a feature file did not parse",
            |w| {
                w.edit = |messages| {
                    messages.insert(
                        1,
                        json!({"parseError": {"source": {"uri": "x.feature"}, "message": "(1:1): expected"}}),
                    );
                }
            },
            Gate::WholeRun,
            "does not parse",
            Some(("G0.1", Status::Partial, "does not parse")),
        ),
        lie(
            "a step uses a parameter type that nobody defined",
            |w| {
                w.edit = |messages| {
                    messages.insert(
                        1,
                        json!({"undefinedParameterType": {"expression": "a {colour}", "name": "colour"}}),
                    );
                }
            },
            Gate::WholeRun,
            "unknown parameter type \"colour\"",
            Some(("G0.1", Status::Partial, "unknown parameter type \"colour\"")),
        ),
        Lie {
            outcome: Outcome::BadInput,
            ..lie(
                "nothing was planned and nothing ran",
                |w| w.ran.clear(),
                Gate::WholeRun,
                "No scenario that is there now ran",
                not_run_anywhere,
            )
        },
        lie(
            "a planned scenario did not run",
            |w| w.ran[7].attempts.clear(),
            Gate::WholeRun,
            "was planned and did not run",
            Some(("G1.1", Status::NotRun, ":12 did not run")),
        ),
        lie(
            "the results are of another tree",
            |w| w.run.tree = Some("0".repeat(40)),
            Gate::CurrentResults,
            "is checked out",
            stale("ran on tree 000"),
        ),
        lie(
            "the results are bound to no tree",
            |w| {
                w.run.tree = None;
                w.subject.tree = None;
            },
            Gate::CurrentResults,
            "bound to a commit",
            stale("bound to a commit"),
        ),
        lie(
            "the results are of another program",
            |w| w.subject.binary_digest = Some("d2".to_owned()),
            Gate::CurrentResults,
            "ran the program d1",
            stale("d2 is built now"),
        ),
        lie(
            "the program is not built",
            |w| w.subject.binary_digest = None,
            Gate::CurrentResults,
            "is not built",
            stale("is not built"),
        ),
        lie(
            "the tree was changed after the run",
            |w| w.subject.dirty = true,
            Gate::CurrentResults,
            "has uncommitted changes now",
            stale("uncommitted"),
        ),
        lie(
            "the uncommitted changes are other ones",
            |w| {
                (w.run.dirty, w.subject.dirty) = (true, true);
                w.subject.source_digest = Some("s2".to_owned());
            },
            Gate::CurrentResults,
            "uncommitted changes are other ones",
            stale("other ones"),
        ),
        lie(
            "nobody knows which uncommitted changes there were",
            |w| {
                (w.run.dirty, w.subject.dirty) = (true, true);
                (w.run.source_digest, w.subject.source_digest) = (None, None);
            },
            Gate::CurrentResults,
            "uncommitted changes are other ones",
            stale("other ones"),
        ),
        lie(
            "uncommitted changes in CI",
            |w| {
                w.profile = ProfileName::Ci;
                w.run.dirty = true;
                w.subject.dirty = true;
            },
            Gate::CurrentResults,
            "profile ci does not accept",
            stale("profile ci"),
        ),
        lie(
            "a scenario was changed after the run",
            |w| {
                w.features[0].then = "x".to_owned();
                w.links.clear();
                w.review_all();
            },
            Gate::CurrentResults,
            "changed after the scenarios ran",
            Some(("G0.1", Status::NotRun, ":5 did not run")),
        ),
        lie(
            "a scenario was added after the run",
            |w| {
                w.features.push(Fixture::new("G0.1", 30, "new"));
                w.links.clear();
                w.review_all();
            },
            Gate::CurrentResults,
            "was not there",
            Some(("G0.1", Status::NotRun, ":30 did not run")),
        ),
        lie(
            "a scenario that ran is gone",
            |w| {
                w.features.remove(1);
                w.links.clear();
                w.review_all();
            },
            Gate::CurrentResults,
            "is not there any more",
            stale("is not there any more"),
        ),
        lie(
            "the program has a seeded fault",
            |w| w.run.binary_version = json!({"features": ["saboteur"]}),
            Gate::Program,
            "the feature \"saboteur\"",
            None,
        ),
        lie(
            "the program hides its features",
            |w| w.run.binary_version = json!({}),
            Gate::Program,
            "does not say",
            None,
        ),
        lie(
            "nothing runs in a lane that is required",
            |w| {
                w.profile = ProfileName::Ci;
                w.goals[0] = w.goals[0].replace("[mock]", "[mock, docker]");
                w.links.clear();
                w.review_all();
            },
            Gate::TierCoverage,
            "G0.1 is not-run",
            Some(("G0.1", Status::NotRun, "No scenario of it runs in docker")),
        ),
        lie(
            "no lane of the goal is required",
            |w| {
                w.goals[0] = w.goals[0].replace("[mock]", "[docker]");
                w.links.clear();
                w.review_all();
            },
            Gate::TierCoverage,
            "G0.1 is not-run",
            Some(("G0.1", Status::NotRun, "requires none of the goal's lanes")),
        ),
        lie(
            "CI without a count of flakes",
            |w| w.profile = ProfileName::Ci,
            Gate::Flake,
            "Nothing counted",
            None,
        ),
        lie(
            "a release without a search for seeded faults",
            |w| w.profile = ProfileName::Release,
            Gate::Saboteurs,
            "No saboteur was tried",
            None,
        ),
    ]
}

fn drop_first(messages: &mut Vec<Value>, which: impl Fn(&Value) -> bool) {
    let found = messages.iter().position(which).unwrap();
    messages.remove(found);
}

fn edit_bodies(messages: &mut [Value], media_type: &str, change: impl Fn(&mut Value)) {
    let media_type = format!("application/vnd.mycelium.{media_type}+json");
    for message in messages.iter_mut().filter(|message| message["attachment"]["mediaType"] == *media_type) {
        let mut body: Value = serde_json::from_str(message["attachment"]["body"].as_str().unwrap()).unwrap();
        change(&mut body);
        message["attachment"]["body"] = json!(body.to_string());
    }
}
