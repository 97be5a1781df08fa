//! Every gate but coverage: what it asks for, and what it says when it does not find it.

use mycelium_schemas::{
    goal::Tier,
    matrix::{Link, Matrix, Row, Scenario, Status},
    sabotage::TrialOutcome,
    verdict::Gate,
};

/// Every event that says that work was kept from landing.
const BLOCK_EVENTS: [&str; 3] = ["budget.block", "validator.block", "manifest.block"];
/// The assertion that work did not reach the integration branch.
const BRANCH_UNMOVED: &str = "git.branch_unmoved";
/// The check, of whatever kind, that every artifact of a scenario is valid by its schema.
const ARTIFACTS_VALID: &str = "artifacts_valid";
/// Days before a quarantine ends from which its owner is warned.
const WARN_DAYS: i32 = 3;

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
            }
        }
    }
    let green = "After every kind of block the integration branch is proved not to move.";
    Judgement::unless(reasons, "verify a Tier-0 goal for each kind of block", green)
}

/// There is a goal about resuming, and all such goals are verified.
pub(super) fn resume_correctness(matrix: &Matrix) -> Judgement {
    const MEND: &str = "verify every goal that has `resume` in its scope";
    let about: Vec<&Row> =
        matrix.rows.iter().filter(|row| row.scope.iter().any(|part| part == "resume")).collect();
    if about.is_empty() {
        return Judgement::red(vec!["No goal is about `resume`.".to_owned()], MEND);
    }
    let open = about.iter().filter(|row| row.status != Status::Verified);
    let reasons = open.map(|row| format!("{} is {}.", row.goal, row.status)).collect();
    Judgement::unless(reasons, MEND, format!("All goals about resuming are verified: {}.", about.len()))
}

/// Every scenario that ran had all its artifacts checked against their schemas.
pub(super) fn artifact_schema(matrix: &Matrix) -> Judgement {
    const MEND: &str = "let the runner check the artifacts of every scenario against their schemas";
    let ran: Vec<&Scenario> = matrix.scenarios.iter().filter(|scenario| !scenario.lanes.is_empty()).collect();
    if ran.is_empty() {
        return Judgement::red(vec!["No scenario ran, so no artifact was checked.".to_owned()], MEND);
    }
    let checked = |scenario: &Scenario| {
        let attempts = scenario.lanes.iter().flat_map(|lane| &lane.attempts);
        attempts.into_iter().all(|attempt| {
            let mut checks =
                attempt.assertions().filter(|assertion| assertion.check == ARTIFACTS_VALID).peekable();
            checks.peek().is_some() && checks.all(|assertion| assertion.held)
        })
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
    let green = format!("All {locked} locked goals are there and promise no less.{}", signed.concat());
    Judgement::unless(reasons, mend, green)
}

pub(super) fn suspect_links(matrix: &Matrix) -> Judgement {
    let suspects = matrix.rows.iter().filter_map(|row| match &row.link {
        Link::Suspect { reason } => Some(format!("{}: {reason}", row.goal)),
        Link::Reviewed { .. } | Link::NoScenarios => None,
    });
    let reasons = suspects.chain(matrix.dead_links.iter().cloned()).collect();
    let mend = "read the goal together with its scenarios, then record it with `accept review GOAL`";
    Judgement::unless(reasons, mend, "Every goal was reviewed together with its scenarios as they are.")
}

pub(super) fn quarantine(matrix: &Matrix) -> Judgement {
    let mut reasons = matrix.dead_quarantine.clone();
    let mut warnings = Vec::new();
    for row in &matrix.rows {
        for mark in &row.quarantine {
            if row.tier == Tier::Zero {
                reasons.push(format!(
                    "{} is a Tier-0 goal: {:?} cannot be quarantined.",
                    row.goal, mark.scenario
                ));
            }
            if mark.days_left < 0 {
                let (scenario, expires, owner) = (&mark.scenario, mark.expires, &mark.owner);
                reasons.push(format!("{}: {scenario:?} expired on {expires}; {owner} owns it.", row.goal));
            } else if mark.days_left <= WARN_DAYS {
                let (scenario, days, owner) = (&mark.scenario, mark.days_left, &mark.owner);
                warnings.push(format!(" Warning: {scenario:?} expires in {days} days; {owner} owns it."));
            }
        }
    }
    let entries: usize = matrix.rows.iter().map(|row| row.quarantine.len()).sum();
    let green = format!("Scenarios in quarantine: {entries}, none expired.{}", warnings.concat());
    Judgement::unless(reasons, "fix the scenario and remove its entry; a deadline is not extended", green)
}

pub(super) fn whole_run(matrix: &Matrix) -> Judgement {
    const MEND: &str = "run everything: `accept run` without a filter, to its end";
    let Some(run) = &matrix.run else {
        return Judgement::red(vec!["Nothing ran.".to_owned()], MEND);
    };
    let partial = run.partial.iter().map(|why| format!("The run was not whole: {why}"));
    let missing = run.missing.iter().map(|what| format!("{what} was planned and did not run."));
    Judgement::unless(partial.chain(missing).collect(), MEND, "Everything that was planned ran.")
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

/// What this version has no measurement for cannot be green.
pub(super) fn not_measured(gate: Gate) -> Judgement {
    let what = match gate {
        Gate::Flake => "how often scenarios flake",
        Gate::Mutation => "whether tests find mutated code",
        Gate::Performance => "how fast the program is",
        _ => "this",
    };
    let reason = format!("Nothing measured {what}: this version of `accept` cannot.");
    Judgement::red(
        vec![reason],
        "use a profile that does not require it, and say so where the result is used",
    )
}
