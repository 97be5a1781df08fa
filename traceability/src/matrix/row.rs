//! One goal: everything that stands in the way of its proof, and so its status.

use std::collections::BTreeMap;

use mycelium_schemas::{
    flake::{Flakes, ScenarioFlakes},
    goal::{Tier, spec::Goal},
    matrix::{
        Declared, LaneCell, LaneResult, LaneRun, Link, QuarantineMark, Row, RunFacts, SaboteurMark, Status,
        StepStatus,
    },
    sabotage::TrialOutcome,
    verdict::Gate,
};

use super::{
    Inputs,
    ledger::{Linked, Part, declared},
    quarantine, runs_of,
};
use crate::{
    fingerprint::{goal_fingerprint, scenarios_fingerprint},
    sabotage,
};

/// What stands in the way of a goal's proof: reasons by the status that they lead to.
#[derive(Default)]
struct Findings(BTreeMap<Status, Vec<String>>);

impl Findings {
    fn add(&mut self, status: Status, reason: impl Into<String>) {
        self.0.entry(status).or_default().push(reason.into());
    }

    /// The first status that matches, and the reasons: its own, then those of the statuses behind it.
    fn settle(self, proof: impl FnOnce() -> String) -> (Status, Vec<String>) {
        match self.0.first_key_value() {
            Some((status, _)) => (*status, self.0.into_values().flatten().collect()),
            None => (Status::Verified, vec![proof()]),
        }
    }
}

/// The parts of a row that its status follows from.
struct Judged<'a> {
    inputs: &'a Inputs<'a>,
    goal: &'a Goal,
    linked: Vec<Linked<'a>>,
    /// Lanes that the goal names and the profile requires.
    lanes: Vec<&'a str>,
    must_not: Vec<Declared>,
    witness: Vec<Declared>,
    control: Vec<Declared>,
    link: Link,
    quarantine: Vec<QuarantineMark>,
    flakes: &'a Flakes,
    saboteurs: Vec<SaboteurMark>,
}

pub(super) fn build<'a>(
    inputs: &'a Inputs<'a>,
    run: Option<&RunFacts>,
    flakes: &'a Flakes,
    goal: &'a Goal,
) -> Row {
    let linked: Vec<Linked<'a>> = inputs
        .catalogue
        .of_goal(goal.id)
        .into_iter()
        .map(|spec| Linked { spec, runs: runs_of(inputs, spec) })
        .collect();
    let lanes: Vec<&str> =
        goal.lanes.iter().map(String::as_str).filter(|lane| inputs.profile.requires_lane(lane)).collect();
    let judged = Judged {
        must_not: declared(goal, Part::MustNot, &linked, &lanes),
        witness: declared(goal, Part::Witness, &linked, &lanes),
        control: declared(goal, Part::Control, &linked, &lanes),
        link: link(inputs, goal, &linked),
        quarantine: quarantine::marks(inputs, goal),
        flakes,
        saboteurs: sabotage::marks(goal, inputs.sabotage),
        inputs,
        goal,
        linked,
        lanes,
    };
    let (status, reasons) = judged.findings(run).settle(|| judged.proof());
    let lanes = goal.lanes.iter().map(|lane| judged.lane_cell(lane)).collect();
    Row {
        goal: goal.id,
        tier: goal.tier(),
        title: goal.title.clone(),
        statement: goal.statement.clone(),
        fingerprint: goal_fingerprint(goal).to_string(),
        scope: goal.scope.clone(),
        config: goal.config.clone(),
        events: goal.artifacts.events.clone(),
        status,
        reasons,
        scenarios: judged.linked.iter().map(|linked| linked.spec.key.clone()).collect(),
        must_not: judged.must_not,
        witness: judged.witness,
        control: judged.control,
        lanes,
        flake_risk: goal.flake_risk,
        ci_jobs: goal.ci_jobs.clone(),
        owner: goal.owner.clone(),
        link: judged.link,
        quarantine: judged.quarantine,
        saboteurs: judged.saboteurs,
    }
}

fn link(inputs: &Inputs<'_>, goal: &Goal, linked: &[Linked<'_>]) -> Link {
    if linked.is_empty() {
        return Link::NoScenarios;
    }
    let Some(reviewed) = inputs.registry.links.iter().find(|link| link.goal == goal.id) else {
        return Link::Suspect {
            reason: "Nobody has reviewed the goal together with its scenarios.".to_owned(),
        };
    };
    if reviewed.reviewed > inputs.today {
        let (day, today) = (reviewed.reviewed, inputs.today);
        let reason =
            format!("traceability/links.yaml says that it was reviewed on {day}, and today is {today}.");
        return Link::Suspect { reason };
    }
    let text = reviewed.text == goal_fingerprint(goal);
    let scenarios = reviewed.scenarios == scenarios_fingerprint(linked.iter().map(|linked| linked.spec));
    let changed = match (text, scenarios) {
        (true, true) => return Link::Reviewed { on: reviewed.reviewed, by: reviewed.by.clone() },
        (false, true) => "text of the goal",
        (true, false) => "scenarios",
        (false, false) => "text of the goal and the scenarios",
    };
    Link::Suspect { reason: format!("The {changed} changed since the review of {}.", reviewed.reviewed) }
}

impl Judged<'_> {
    fn findings(&self, run: Option<&RunFacts>) -> Findings {
        let mut findings = Findings::default();
        self.contradictions(&mut findings);
        self.quarantined(&mut findings);
        if self.linked.is_empty() {
            findings.add(Status::NotAutomated, format!("No scenario is tagged @{}.", self.goal.id));
            return findings;
        }
        self.failures(run, &mut findings);
        self.gaps(&mut findings);
        if let Link::Suspect { reason } = &self.link {
            findings.add(Status::Suspect, reason.as_str());
        }
        if let Some(run) = run {
            if let Some(reason) = first_of(&run.stale) {
                findings.add(Status::Stale, reason);
            }
            if let Some(why) = first_of(&run.partial) {
                findings.add(Status::Partial, format!("The run was not whole: {why}"));
            }
        }
        // Where a scenario did not pass, nothing it asserts counts: that is no finding of its own. One in quarantine need not
        // pass.
        let unproved = [Status::Failing, Status::Flaky, Status::NotRun, Status::Quarantined];
        if !unproved.iter().any(|status| findings.0.contains_key(status)) {
            self.weaknesses(&mut findings);
        }
        findings
    }

    fn contradictions(&self, findings: &mut Findings) {
        let registry = self.inputs.registry;
        if registry.backlog.iter().any(|entry| entry.goal == self.goal.id) {
            findings.add(Status::Invalid, "The goal stands in goals/ and in the backlog.");
        }
        if self.goal.tier() == Tier::Zero && !self.quarantine.is_empty() {
            findings.add(Status::Invalid, "A Tier-0 goal cannot be quarantined.");
        }
        if self.goal.must_not.is_empty() {
            findings.add(Status::Invalid, "The goal declares nothing that must not happen.");
        }
    }

    fn quarantined(&self, findings: &mut Findings) {
        for mark in &self.quarantine {
            let QuarantineMark { scenario, issue, owner, expires, days_left, .. } = mark;
            if *days_left < 0 {
                let reason =
                    format!("The quarantine of {scenario:?} expired on {expires}; {owner} works on {issue}.");
                findings.add(Status::QuarantineExpired, reason);
            } else {
                let reason = format!(
                    "The scenario {scenario:?} is in quarantine until {expires}, {days_left} days from now; {owner} works on {issue}."
                );
                findings.add(Status::Quarantined, reason);
            }
        }
    }

    fn failures(&self, run: Option<&RunFacts>, findings: &mut Findings) {
        for linked in &self.linked {
            let place = &linked.spec.key;
            for run in linked.runs {
                let of = |status| run.attempts.iter().filter(|attempt| attempt.outcome == status).count();
                let (passed, failed) = (of(StepStatus::Passed), of(StepStatus::Failed));
                if passed > 0 && failed > 0 {
                    let reason =
                        format!("{place} passed {passed} of {} times in {}.", run.attempts.len(), run.lane);
                    findings.add(Status::Flaky, reason);
                } else if failed > 0 && !self.excuses(linked) && !self.passed_before(linked, &run.lane) {
                    findings
                        .add(Status::Failing, format!("{place} failed in {}{}.", run.lane, failed_step(run)));
                }
            }
            self.flakes(run, linked, findings);
            for assertion in linked.unheld() {
                let (name, subject) = (assertion.name(), &assertion.subject);
                let reason = format!("{place}: {name} ({subject}) did not hold, though its step passed.");
                findings.add(Status::Failing, reason);
            }
        }
    }

    /// Whether a scenario is in a quarantine that has not expired.
    fn excuses(&self, linked: &Linked<'_>) -> bool {
        quarantine::excuses(self.inputs, self.goal, linked.spec)
    }

    /// Whether this tree and program have passed a scenario: then a failure is a flake, and no mere failure.
    fn passed_before(&self, linked: &Linked<'_>, lane: &str) -> bool {
        self.counts(linked).any(|count| count.lane == lane && count.failed < count.n)
    }

    fn counts(&self, linked: &Linked<'_>) -> impl Iterator<Item = &ScenarioFlakes> {
        self.flakes.scenarios.iter().filter(|count| count.key == linked.spec.key)
    }

    /// What came out when the scenario was run again and again, together with the run that is judged.
    fn flakes(&self, run: Option<&RunFacts>, linked: &Linked<'_>, findings: &mut Findings) {
        let place = &linked.spec.key;
        let is_current = run.is_some_and(|run| run.stale.is_empty());
        for ScenarioFlakes { lane, n, failed, .. } in self.counts(linked) {
            let outcome = linked.in_lane(lane).filter(|_| is_current).map(LaneRun::outcome);
            let ever_passed = failed < n || outcome == Some(StepStatus::Passed);
            let ever_failed = *failed > 0 || outcome == Some(StepStatus::Failed);
            if ever_passed && ever_failed {
                let also = if *failed == 0 { ", and failed in this run" } else { "" };
                let reason =
                    format!("{place} failed {failed} of {n} times in {lane} when it was run again{also}.");
                findings.add(Status::Flaky, reason);
            } else if ever_failed && !self.excuses(linked) {
                findings.add(
                    Status::Failing,
                    format!("{place} failed each of {n} times in {lane} when it was run again."),
                );
            }
        }
    }

    /// Where a scenario did not run to its end, in a lane that counts.
    fn gaps(&self, findings: &mut Findings) {
        if self.lanes.is_empty() {
            let profile = self.inputs.profile.name.name();
            findings.add(Status::NotRun, format!("Profile {profile} requires none of the goal's lanes."));
        }
        for lane in &self.lanes {
            let mut runs_here = self.linked.iter().filter(|linked| linked.spec.needs_lane(lane));
            if !runs_here.any(|linked| !linked.spec.is_control()) {
                findings
                    .add(Status::NotRun, format!("No scenario of it runs in {lane}, control twins aside."));
            }
            for linked in self.linked.iter().filter(|linked| linked.spec.needs_lane(lane)) {
                let place = &linked.spec.key;
                match linked.in_lane(lane).map(LaneRun::outcome) {
                    None => findings.add(Status::NotRun, format!("{place} did not run in {lane}.")),
                    Some(StepStatus::Passed | StepStatus::Failed) => {}
                    Some(other) => findings.add(Status::NotRun, format!("{place} is {other} in {lane}.")),
                }
            }
        }
    }

    fn weaknesses(&self, findings: &mut Findings) {
        for lane in &self.lanes {
            for linked in self.linked.iter().filter(|linked| linked.spec.needs_lane(lane)) {
                let place = &linked.spec.key;
                if !linked.has_negative(lane) {
                    let reason = format!("{place} looked for nothing that must not happen in {lane}.");
                    findings.add(Status::Weak, reason);
                }
                if !linked.has_evidence(lane) {
                    findings.add(Status::Weak, format!("{place} kept no evidence in {lane}."));
                }
            }
            let twin = |linked: &Linked<'_>| linked.spec.is_control() && linked.in_lane(lane).is_some();
            // Every Tier-0 goal declares one.
            if !self.goal.control.is_empty() && !self.linked.iter().any(twin) {
                findings.add(
                    Status::Weak,
                    format!("No control twin (a scenario tagged @control) ran in {lane}."),
                );
            }
        }
        self.unnoticed(findings);
        let parts = [("must-not", &self.must_not), ("witness", &self.witness), ("control", &self.control)];
        for (part, claims) in parts {
            for claim in claims.iter().filter(|claim| !claim.executed) {
                let reason = format!(
                    "The {part} assertion {} was not executed in every lane that is required: {}",
                    claim.assertion, claim.text
                );
                findings.add(Status::Weak, reason);
            }
        }
    }

    /// Seeded faults that nothing noticed, where the profile asks for that.
    fn unnoticed(&self, findings: &mut Findings) {
        if !self.inputs.profile.requires(Gate::Saboteurs) {
            return;
        }
        if self.goal.tier() == Tier::Zero && self.saboteurs.is_empty() {
            findings.add(Status::Weak, "The Tier-0 goal declares no saboteur.");
        }
        for mark in self.saboteurs.iter().filter(|mark| mark.outcome != Some(TrialOutcome::Killed)) {
            let why = if mark.outcome.is_none() { "was not tried" } else { "survived" };
            findings.add(Status::Weak, format!("The saboteur {} {why}.", mark.name));
        }
    }

    fn proof(&self) -> String {
        // What runs in another lane alone proves nothing here.
        let needed = |linked: &&Linked<'_>| self.lanes.iter().any(|lane| linked.spec.needs_lane(lane));
        let proving: Vec<&Linked<'_>> = self.linked.iter().filter(needed).collect();
        let twins = match proving.iter().filter(|linked| linked.spec.is_control()).count() {
            0 => String::new(),
            1 => ", a control twin among them,".to_owned(),
            count => format!(", {count} control twins among them,"),
        };
        let claims = self.must_not.len() + self.witness.len() + self.control.len();
        format!(
            "All {} scenarios{twins} passed at the first attempt in {}; all {claims} declared assertions held.",
            proving.len(),
            self.lanes.join(" and "),
        )
    }

    fn lane_cell(&self, lane: &str) -> LaneCell {
        let needed = self.linked.iter().filter(|linked| linked.spec.needs_lane(lane));
        let outcomes: Vec<Option<StepStatus>> =
            needed.map(|linked| linked.in_lane(lane).map(LaneRun::outcome)).collect();
        let result = if outcomes.contains(&Some(StepStatus::Failed)) {
            LaneResult::Failed
        } else if !outcomes.is_empty() && outcomes.iter().all(|outcome| *outcome == Some(StepStatus::Passed))
        {
            LaneResult::Passed
        } else {
            LaneResult::NotRun
        };
        LaneCell { lane: lane.to_owned(), required: self.inputs.profile.requires_lane(lane), result }
    }
}

/// The first of what is wrong with the whole run; the gates say the rest once and for all rows.
fn first_of(reasons: &[String]) -> Option<String> {
    let (first, others) = reasons.split_first()?;
    Some(if others.is_empty() { first.clone() } else { format!("{first} (And {} more.)", others.len()) })
}

/// The step at which a scenario failed.
fn failed_step(run: &LaneRun) -> String {
    let steps = run.attempts.first().into_iter().flat_map(|attempt| &attempt.steps);
    let failed = steps.into_iter().find(|step| step.status == StepStatus::Failed);
    failed.map(|step| format!(" at {:?}", step.text)).unwrap_or_default()
}
