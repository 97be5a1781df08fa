//! Every gate but coverage: what it asks for, and what it says when it does not find it.

use mycelium_schemas::{
    evidence::{Assertion, Polarity},
    goal::Tier,
    matrix::{Attempt, Link, Matrix, Row, Scenario, Status, StepRole, StepRun, StepStatus},
    sabotage::TrialOutcome,
};

use crate::matrix::ledger::{counting, counting_from, finds};

/// Every event that says that work was kept from landing.
const BLOCK_EVENTS: [&str; 3] = ["budget.block", "validator.block", "manifest.block"];
/// The assertion that work did not reach the integration branch.
const BRANCH_UNMOVED: &str = "git.branch_unmoved";
/// The assertion that no artifact of a scenario breaks its schema.
const ARTIFACTS_VALID: &str = "fs.artifacts_valid";
/// The assertion that no task had more attempts than its work needed.
const NOT_DONE_AGAIN: &str = "state.attempts_at_most";
/// What a step that resumes a run says.
const RESUME_COMMAND: &str = "mycelium resume";

/// What a gate found.
pub(super) enum Judgement {
    /// What it asks for, with the sentence that says so.
    Green(String),
    /// Not that: why, and what to do.
    Red { reasons: Vec<String>, mend: String },
}

impl Judgement {
    pub(super) fn red(reasons: Vec<String>, mend: &str) -> Self {
        Self::Red { reasons, mend: mend.to_owned() }
    }

    /// Red where there are reasons, else green.
    fn unless(reasons: Vec<String>, mend: &str, green: impl Into<String>) -> Self {
        if reasons.is_empty() { Self::Green(green.into()) } else { Self::red(reasons, mend) }
    }
}

/// Each kind of block has a Tier-0 goal that says that the branch does not move, and every one of them is verified.
pub(super) fn no_merge_safety(matrix: &Matrix) -> Judgement {
    let mut reasons = Vec::new();
    for event in BLOCK_EVENTS {
        let promises =
            |row: &&Row| row.tier == Tier::Zero && row.events.iter().any(|promised| promised == event);
        let mut promised = matrix.rows.iter().filter(promises).peekable();
        if promised.peek().is_none() {
            reasons.push(format!("No Tier-0 goal promises what happens after {event}."));
        }
        for row in promised {
            if !row.must_not.iter().any(|claim| claim.assertion == BRANCH_UNMOVED) {
                reasons
                    .push(format!("{} does not declare {BRANCH_UNMOVED} as something to prove.", row.goal));
            }
            if row.status != Status::Verified {
                reasons.push(format!("{} ({event}) is {}.", row.goal, row.status));
            } else if !scenarios_of(matrix, row).any(|scenario| stays_behind(scenario, event)) {
                reasons.push(format!(
                    "No scenario of {} finds a {event} event and the integration branch where it was.",
                    row.goal
                ));
            }
        }
    }
    let green = "After every kind of block the integration branch is proved not to move.";
    Judgement::unless(reasons, "verify a Tier-0 goal for each kind of block", green)
}

fn scenarios_of<'m>(matrix: &'m Matrix, row: &'m Row) -> impl Iterator<Item = &'m Scenario> {
    row.scenarios.iter().filter_map(|key| matrix.scenario(key))
}

/// Whether a scenario found, at its first attempt in some lane, a block and the branch unmoved behind it.
fn stays_behind(scenario: &Scenario, event: &str) -> bool {
    let mut firsts = scenario.lanes.iter().filter_map(|lane| lane.attempts.first());
    firsts.any(|attempt| {
        counting(attempt).any(|found| finds(found, event))
            && counting(attempt).any(|found| is_negative(found, BRANCH_UNMOVED))
    })
}

/// Whether an assertion is the one of that name, of what must not happen.
fn is_negative(assertion: &Assertion, name: &str) -> bool {
    assertion.polarity == Polarity::MustNot && assertion.name() == name
}

/// Goals about resuming are there and all of them verified, each by a scenario that resumes a run, and at least one of
/// them promises that what was done is not done again.
pub(super) fn resume_correctness(matrix: &Matrix) -> Judgement {
    const MEND: &str = "verify every goal that has `resume` in its scope by a scenario that runs it, and one of them by \
                        the assertion that no task runs again";
    let about: Vec<&Row> =
        matrix.rows.iter().filter(|row| row.scope.iter().any(|part| part == "resume")).collect();
    if about.is_empty() {
        return Judgement::red(vec!["No goal is about `resume`.".to_owned()], MEND);
    }
    let mut reasons = Vec::new();
    for row in &about {
        if row.status != Status::Verified {
            reasons.push(format!("{} is {}.", row.goal, row.status));
        }
        if !scenarios_of(matrix, row).any(resumes) {
            reasons
                .push(format!("{} is about `resume`, and none of its scenarios that ran resumes.", row.goal));
        }
    }
    let idempotent = |row: &&&Row| row.must_not.iter().any(|claim| claim.assertion == NOT_DONE_AGAIN);
    let mut idempotent = about.iter().filter(idempotent).peekable();
    if idempotent.peek().is_none() {
        reasons.push(format!("No goal about `resume` declares {NOT_DONE_AGAIN} as something to prove."));
    } else if !idempotent.any(|row| scenarios_of(matrix, row).any(does_nothing_again)) {
        reasons.push(format!("{NOT_DONE_AGAIN} was asserted behind no `resume`."));
    }
    Judgement::unless(reasons, MEND, format!("All goals about resuming are verified: {}.", about.len()))
}

/// Whether a scenario resumed a run in every attempt at it, in a step that passed.
fn resumes(scenario: &Scenario) -> bool {
    let mut attempts = scenario.lanes.iter().flat_map(|lane| &lane.attempts).peekable();
    attempts.peek().is_some() && attempts.all(|attempt| attempt.steps.iter().any(is_resume))
}

/// Whether a step passed that resumes a run.
fn is_resume(step: &StepRun) -> bool {
    step.role == StepRole::When && step.status == StepStatus::Passed && step.text.contains(RESUME_COMMAND)
}

/// Whether a scenario found, at its first attempt in some lane, that behind a `resume` nothing was done again.
fn does_nothing_again(scenario: &Scenario) -> bool {
    let mut firsts = scenario.lanes.iter().filter_map(|lane| lane.attempts.first());
    firsts.any(|attempt| {
        let resumed = attempt.steps.iter().position(is_resume);
        let behind = resumed.and_then(|at| attempt.steps.get(at..)).unwrap_or_default();
        counting_from(behind).any(|found| is_negative(found, NOT_DONE_AGAIN))
    })
}

/// Every scenario that ran had all its artifacts checked against their schemas, the last time after its last command.
pub(super) fn artifact_schema(matrix: &Matrix) -> Judgement {
    const MEND: &str = "let the runner check the artifacts of every scenario against their schemas";
    // What a machine has not the means for leaves nothing that could be checked; its goal says that it was not run.
    let began = |attempt: &Attempt| attempt.outcome != StepStatus::Skipped;
    let has_run = |scenario: &&Scenario| {
        let mut attempts = scenario.lanes.iter().flat_map(|lane| &lane.attempts).peekable();
        attempts.peek().is_none() || attempts.any(began)
    };
    let planned = matrix.scenarios.iter().filter(|scenario| !scenario.lanes.is_empty());
    let ran: Vec<&Scenario> = planned.filter(has_run).collect();
    if ran.is_empty() {
        return Judgement::red(vec!["No scenario ran, so no artifact was checked.".to_owned()], MEND);
    }
    let checked = |scenario: &Scenario| {
        let attempts = scenario.lanes.iter().flat_map(|lane| &lane.attempts);
        let mut attempts = attempts.filter(|attempt| began(attempt)).peekable();
        attempts.peek().is_some() && attempts.all(has_valid_artifacts)
    };
    let unchecked = ran.iter().filter(|scenario| !checked(scenario));
    let reasons =
        unchecked.map(|scenario| format!("The artifacts of {} are not shown to be valid.", scenario.key));
    Judgement::unless(
        reasons.collect(),
        MEND,
        format!("The artifacts of all {} scenarios are valid.", ran.len()),
    )
}

/// Whether every check of an attempt's artifacts held, and one was made where or after the last artifact was kept.
fn has_valid_artifacts(attempt: &Attempt) -> bool {
    let is_check = |assertion: &&Assertion| is_negative(assertion, ARTIFACTS_VALID);
    let last_kept = attempt.steps.iter().rposition(|step| !step.evidence.is_empty()).unwrap_or_default();
    let after_all = attempt.steps.get(last_kept..).unwrap_or_default();
    after_all.iter().flat_map(|step| &step.assertions).any(|found| is_check(&found))
        && attempt.assertions().filter(is_check).all(|check| check.held)
}

pub(super) fn orphans(matrix: &Matrix) -> Judgement {
    let mut reasons: Vec<String> =
        matrix.orphans.iter().map(|orphan| format!("{}: {}", orphan.key, orphan.reason)).collect();
    if matrix.scenarios.is_empty() {
        reasons.push("There is no scenario at all.".to_owned());
    }
    let green = format!("All {} scenarios serve a goal.", matrix.scenarios.len());
    Judgement::unless(reasons, "tag each scenario with a goal of traceability/goals/, or remove it", green)
}

/// Every goal that was locked is still there and promises no less, or somebody signed for it.
pub(super) fn denominator(matrix: &Matrix) -> Judgement {
    let mut reasons = matrix.lock.problems.clone();
    if matrix.lock.goals == 0 {
        reasons.push("No goal is locked.".to_owned());
    }
    let mend = "bring the promise back, or sign for it in traceability/denominator.yaml; lock new goals with \
                `accept review GOAL`";
    let signed: Vec<String> = matrix.lock.signed.iter().map(|signed| format!(" {signed}.")).collect();
    let locked = matrix.lock.goals;
    let green = format!("All {locked} locked goals are there and declare no less.{}", signed.concat());
    Judgement::unless(reasons, mend, green)
}

pub(super) fn suspect_links(matrix: &Matrix) -> Judgement {
    let suspects = matrix.rows.iter().filter_map(|row| match &row.link {
        Link::Suspect { reason } => Some(format!("{}: {reason}", row.goal)),
        // Whatever its tier: what is promised and not automated has a ticket, a reason and an owner.
        Link::NoScenarios => Some(format!(
            "{}: No scenario is tagged with it. Tag one, or move it to the backlog with ticket, reason and owner.",
            row.goal
        )),
        Link::Reviewed { .. } => None,
    });
    let reasons = suspects.chain(matrix.dead_links.iter().cloned()).collect();
    let mend = "read the goal together with its scenarios (`accept review GOAL --dry-run` shows what changed), then \
                record it with `accept review GOAL`";
    Judgement::unless(reasons, mend, "Every goal was reviewed together with its scenarios as they are.")
}

pub(super) fn whole_run(matrix: &Matrix) -> Judgement {
    const MEND: &str = "run everything: `accept run` without a filter, to its end";
    let Some(run) = &matrix.run else {
        return Judgement::red(vec!["Nothing ran.".to_owned()], MEND);
    };
    let partial = run.partial.iter().map(|why| format!("The run was not whole: {why}"));
    let missing = run.missing.iter().map(|what| format!("{what} was planned and did not run."));
    let nothing = matrix.scenarios.iter().all(|scenario| scenario.lanes.is_empty());
    let nothing = nothing.then(|| "No scenario that is there now ran.".to_owned());
    let reasons = partial.chain(missing).chain(nothing).collect();
    Judgement::unless(reasons, MEND, "Everything that was planned ran.")
}

pub(super) fn current_results(matrix: &Matrix) -> Judgement {
    const MEND: &str = "run `accept run` again on what is there now";
    let Some(run) = &matrix.run else {
        return Judgement::red(vec!["There are no results.".to_owned()], MEND);
    };
    let dirty = if run.dirty { " (with uncommitted changes, which this profile allows)" } else { "" };
    let tree = run.tree.as_deref().unwrap_or("none");
    let green = format!("The results are about tree {tree}{dirty} and program {}.", run.binary_digest);
    Judgement::unless(run.stale.clone(), MEND, green)
}

/// The program has no feature that a release does not have, such as seeded faults.
pub(super) fn program(matrix: &Matrix) -> Judgement {
    const MEND: &str = "build the program as it is released, without extra features";
    let features =
        matrix.run.as_ref().and_then(|run| run.binary_version.get("features")).and_then(|f| f.as_array());
    let reasons = match features {
        None => vec!["The program does not say which features it was built with.".to_owned()],
        Some(features) => features
            .iter()
            .map(|feature| format!("The program was built with the feature {feature}."))
            .collect(),
    };
    Judgement::unless(reasons, MEND, "The program is built as it is released.")
}

/// Every seeded fault is noticed, on an assertion that its goal declares, and each Tier-0 goal has one.
pub(super) fn saboteurs(matrix: &Matrix) -> Judgement {
    const MEND: &str =
        "run `accept sabotage` on what is there now; let a scenario of the goal notice each survivor";
    let Some(facts) = &matrix.sabotage else {
        return Judgement::red(vec!["No saboteur was tried.".to_owned()], MEND);
    };
    let mut reasons: Vec<String> =
        [&facts.stale, &facts.partial, &facts.problems].into_iter().flatten().cloned().collect();
    let mut killed = 0;
    for row in &matrix.rows {
        if row.tier == Tier::Zero && row.saboteurs.is_empty() {
            reasons.push(format!("{} is a Tier-0 goal without a saboteur.", row.goal));
        }
        for mark in &row.saboteurs {
            match mark.outcome {
                Some(TrialOutcome::Killed) => killed += 1,
                Some(TrialOutcome::Survived) => {
                    reasons.push(format!("{}: the saboteur {} survived.", row.goal, mark.name));
                }
                None => reasons.push(format!("{}: the saboteur {} was not tried.", row.goal, mark.name)),
            }
        }
    }
    if killed == 0 {
        reasons.push("No saboteur was noticed at all.".to_owned());
    }
    let green = format!("All {killed} saboteurs are noticed on an assertion that their goal declares.");
    Judgement::unless(reasons, MEND, green)
}
