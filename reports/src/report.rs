//! What every format shows, and in which words.

use mycelium_schemas::{
    evidence::EvidenceFile,
    matrix::{Attempt, Link, Matrix, Row, SaboteurMark, Scenario, Status, StepStatus},
    sabotage::TrialOutcome,
    verdict::{Evaluation, GateVerdict, Outcome, TierCoverage, Verdict},
};

use crate::text::counted;

/// A matrix, what the gates said about it, and the one thing in a report that may differ between two equal runs.
#[derive(Debug, Clone, Copy)]
pub struct Report<'a> {
    /// What is proved.
    pub matrix: &'a Matrix,
    /// Whether that is enough.
    pub evaluation: &'a Evaluation,
    /// When and where the report was made, as a text.
    pub stamp: &'a str,
}

impl<'a> Report<'a> {
    /// The answer to "do we test what we claim?", as one sentence.
    pub(crate) fn headline(&self) -> String {
        let evaluation = self.evaluation;
        let tiers: Vec<String> = evaluation
            .coverage
            .iter()
            .filter(|tier| tier.required_percent.is_some())
            .map(|tier| format!("{} of {} Tier-{} goals", tier.verified, tier.total, tier.tier))
            .collect();
        let verified = format!("{} are verified{}", tiers.join(" and "), self.promised());
        match evaluation.outcome {
            Outcome::Green => {
                format!("Yes: {verified}, and every gate of profile {} is green.", evaluation.profile)
            }
            Outcome::Red => {
                format!(
                    "No: {verified}, and {} red.",
                    counted(self.red_gates().len(), "gate is", "gates are")
                )
            }
            Outcome::BadInput => {
                format!("This cannot be judged: {verified}, but data contradict themselves or are missing.")
            }
        }
    }

    /// That more is promised in the tiers that count, where nothing proves it: who reads "all" would count it in.
    fn promised(&self) -> String {
        let counts =
            |tier| self.evaluation.coverage.iter().any(|c| c.tier == tier && c.required_percent.is_some());
        match self.matrix.backlog.iter().filter(|goal| counts(goal.goal.tier())).count() {
            0 => String::new(),
            count => format!(" ({} promised and not automated)", counted(count, "more is", "more are")),
        }
    }

    /// Which gates are red; none where none is.
    pub(crate) fn red_line(&self) -> Option<String> {
        let red = self.red_gates();
        (!red.is_empty())
            .then(|| format!("Red under profile {}: {}.", self.evaluation.profile, red.join(", ")))
    }

    fn red_gates(&self) -> Vec<&'static str> {
        let red = self.verdicts().filter(|verdict| verdict.verdict == Verdict::Red);
        red.map(|verdict| verdict.gate.name()).collect()
    }

    pub(crate) fn verdicts(&self) -> impl Iterator<Item = &'a GateVerdict> + use<'a> {
        self.evaluation.verdicts.iter()
    }

    /// Statuses that occur, with their counts.
    pub(crate) fn totals(&self) -> Vec<(Status, usize)> {
        self.matrix.totals().into_iter().filter(|(_, count)| *count > 0).collect()
    }

    /// What was run, in one line.
    pub(crate) fn provenance(&self) -> String {
        let Some(run) = &self.matrix.run else { return "Nothing ran.".to_owned() };
        let tree = run.tree.as_deref().map_or("no tree", short);
        let dirty = if run.dirty { " with uncommitted changes" } else { "" };
        let program = short(&run.binary_digest);
        format!(
            "Tree {tree}{dirty}, program {program}, lanes {}, seed {}.",
            run.lanes.join(" and "),
            run.seed
        )
    }
}

/// A tier's bar in words.
pub(crate) fn tier_line(tier: &TierCoverage) -> String {
    let percent = tier.percent().map_or_else(|| "no goals".to_owned(), |percent| format!("{percent} %"));
    let required =
        tier.required_percent.map_or_else(|| "no threshold".to_owned(), |r| format!("{r} % required"));
    format!(
        "Tier {} ({}): {} of {} verified, {percent}, {required}",
        tier.tier,
        tier.tier.label(),
        tier.verified,
        tier.total
    )
}

/// The scenarios of a row.
pub(crate) fn scenarios_of<'a>(matrix: &'a Matrix, row: &'a Row) -> impl Iterator<Item = &'a Scenario> {
    row.scenarios.iter().filter_map(|key| matrix.scenario(key))
}

/// How many scenarios of a row passed at their first attempt wherever they ran, of how many.
pub(crate) fn passed_of(matrix: &Matrix, row: &Row) -> (usize, usize) {
    let passed = scenarios_of(matrix, row).filter(|scenario| outcome(scenario) == Some(StepStatus::Passed));
    (passed.count(), row.scenarios.len())
}

/// The worst of a scenario's results; none where it did not run.
pub(crate) fn outcome(scenario: &Scenario) -> Option<StepStatus> {
    scenario.lanes.iter().map(mycelium_schemas::matrix::LaneRun::outcome).max()
}

/// How many declared assertions of a row were executed and held, of how many.
pub(crate) fn proved_of(row: &Row) -> (usize, usize) {
    let declared = || row.must_not.iter().chain(&row.witness).chain(&row.control);
    (declared().filter(|claim| claim.executed).count(), declared().count())
}

/// Every file that the scenarios of a row kept.
pub(crate) fn evidence_of<'a>(matrix: &'a Matrix, row: &'a Row) -> impl Iterator<Item = &'a EvidenceFile> {
    scenarios_of(matrix, row).flat_map(files_kept)
}

/// Every file that a scenario kept.
pub(crate) fn files_kept(scenario: &Scenario) -> impl Iterator<Item = &EvidenceFile> {
    scenario.lanes.iter().flat_map(|run| &run.attempts).flat_map(Attempt::evidence_files)
}

/// The result of a scenario as a word.
pub(crate) fn outcome_name(scenario: &Scenario) -> &'static str {
    outcome(scenario).map_or("not-run", StepStatus::name)
}

/// The names of the assertions that a goal declares, in order and each once.
pub(crate) fn assertion_names(row: &Row) -> Vec<&str> {
    let mut names: Vec<&str> = Vec::new();
    for claim in row.must_not.iter().chain(&row.witness).chain(&row.control) {
        if !names.contains(&claim.assertion.as_str()) {
            names.push(&claim.assertion);
        }
    }
    names
}

/// What became of each seeded fault of a goal: "two-writers survived".
pub(crate) fn saboteurs(row: &Row) -> Vec<String> {
    let outcome = |mark: &SaboteurMark| match mark.outcome {
        Some(TrialOutcome::Killed) => format!("was noticed by {}", mark.noticed_by.join(", ")),
        Some(TrialOutcome::Survived) => "survived".to_owned(),
        None => "was not tried".to_owned(),
    };
    row.saboteurs.iter().map(|mark| format!("{} {}", mark.name, outcome(mark))).collect()
}

/// The feature files of a goal, each once.
pub(crate) fn files_of(row: &Row) -> Vec<&str> {
    let mut files: Vec<&str> = row.scenarios.iter().map(|key| key.uri.as_str()).collect();
    files.dedup();
    files
}

/// Who looks after a goal, and what is still to be done about it.
pub(crate) fn owner_and_follow_up(row: &Row) -> String {
    let quarantine =
        row.quarantine.iter().map(|mark| format!("{} until {} ({})", mark.issue, mark.expires, mark.owner));
    let review = match row.link {
        Link::Suspect { .. } => Some(format!("review {}", row.goal)),
        Link::Reviewed { .. } | Link::NoScenarios => None,
    };
    let parts: Vec<String> = std::iter::once(row.owner.clone()).chain(quarantine).chain(review).collect();
    parts.join("; ")
}

/// A sign for a status, so that colour is never the only one.
pub(crate) fn sign(status: Status) -> &'static str {
    match status {
        Status::Verified => "✓",
        Status::Invalid | Status::Failing | Status::QuarantineExpired => "✗",
        Status::Flaky => "~",
        Status::Quarantined | Status::Stale | Status::Suspect | Status::Weak | Status::Partial => "!",
        Status::NotRun | Status::NotAutomated => "○",
    }
}

/// A sign for a verdict.
pub(crate) fn verdict_sign(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Green => "✓",
        Verdict::Red => "✗",
        Verdict::NotRequired => "○",
    }
}

/// The first ten characters of an id.
pub(crate) fn short(id: &str) -> &str {
    id.char_indices().nth(10).map_or(id, |(end, _)| &id[..end])
}
