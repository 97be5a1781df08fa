//! The gates: each a function of the matrix alone, so that a verdict can always be computed again. A gate that cannot
//! see what it asks for is red.

mod coverage;
mod flake;
mod judge;
mod mutation;
mod performance;
mod quarantine;

use mycelium_schemas::{
    goal::gates::{GateRules, ProfileName},
    matrix::{Matrix, Status},
    verdict::{Evaluation, Gate, GateVerdict, Outcome, TierCoverage, Verdict},
};

pub use self::performance::too_slow;

use self::judge::Judgement;

/// What the owner of each quarantined scenario is told on every run before its deadline, in sentences.
pub fn deadlines(matrix: &Matrix) -> Vec<String> {
    let marks = matrix.rows.iter().flat_map(|row| row.quarantine.iter().map(|mark| (row.goal, mark)));
    marks
        .filter_map(|(goal, mark)| quarantine::warning(goal, mark))
        .map(|words| words.trim().to_owned())
        .collect()
}

/// Judges a matrix by the rules of a profile.
pub fn evaluate(matrix: &Matrix, rules: &GateRules, profile: ProfileName) -> Evaluation {
    let coverage = coverage::of_tiers(matrix, rules);
    let verdicts: Vec<GateVerdict> =
        Gate::ALL.into_iter().map(|gate| verdict(matrix, rules, profile, &coverage, gate)).collect();
    let red = verdicts.iter().any(|verdict| verdict.verdict == Verdict::Red);
    let outcome = if cannot_be_judged(matrix, &coverage, profile) {
        Outcome::BadInput
    } else if red {
        Outcome::Red
    } else {
        Outcome::Green
    };
    Evaluation { profile: profile.name().to_owned(), outcome, coverage, verdicts }
}

/// Whether the data are no basis for any verdict.
fn cannot_be_judged(matrix: &Matrix, coverage: &[TierCoverage], profile: ProfileName) -> bool {
    let empty = |tier: &TierCoverage| tier.required_percent.is_some() && tier.total == 0;
    coverage.iter().any(empty)
        || matrix.rows.iter().any(|row| row.status == Status::Invalid)
        || matrix.run.is_none()
        || matrix.scenarios.iter().all(|scenario| scenario.lanes.is_empty())
        || matrix.profile != profile.name()
}

fn verdict(
    matrix: &Matrix,
    rules: &GateRules,
    profile: ProfileName,
    coverage: &[TierCoverage],
    gate: Gate,
) -> GateVerdict {
    let name = profile.name().to_owned();
    if !rules.profile(profile).requires(gate) {
        let reasons = vec![format!("Profile {name} does not require it.")];
        return GateVerdict { gate, profile: name, verdict: Verdict::NotRequired, reasons, mend: None };
    }
    let judgement = match gate {
        Gate::TierCoverage => coverage::judge(coverage, matrix, profile),
        Gate::NoMergeSafety => judge::no_merge_safety(matrix),
        Gate::ResumeCorrectness => judge::resume_correctness(matrix),
        Gate::ArtifactSchema => judge::artifact_schema(matrix),
        Gate::Orphans => judge::orphans(matrix),
        Gate::Denominator => judge::denominator(matrix),
        Gate::SuspectLinks => judge::suspect_links(matrix),
        Gate::Quarantine => quarantine::judge(matrix),
        Gate::WholeRun => judge::whole_run(matrix),
        Gate::CurrentResults => judge::current_results(matrix),
        Gate::Program => judge::program(matrix),
        Gate::Flake => flake::judge(matrix),
        Gate::Saboteurs => judge::saboteurs(matrix),
        Gate::Performance => performance::judge(matrix),
        Gate::Mutation => mutation::judge(matrix),
    };
    match judgement {
        Judgement::Green(reason) => {
            GateVerdict { gate, profile: name, verdict: Verdict::Green, reasons: vec![reason], mend: None }
        }
        Judgement::Red { reasons, mend } => {
            GateVerdict { gate, profile: name, verdict: Verdict::Red, reasons, mend: Some(mend) }
        }
    }
}
