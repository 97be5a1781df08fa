//! Tier coverage: how many of the promised goals are verified. The denominator comes from the goals, the arithmetic is
//! in whole numbers, so that nothing is rounded up to a threshold.

use mycelium_schemas::{
    goal::{
        Tier,
        gates::{GateRules, ProfileName},
    },
    matrix::{Matrix, Status},
    verdict::TierCoverage,
};

use super::judge::Judgement;

pub(super) fn of_tiers(matrix: &Matrix, rules: &GateRules) -> Vec<TierCoverage> {
    Tier::ALL.into_iter().map(|tier| of_tier(matrix, tier, rules.required_percent(tier))).collect()
}

fn of_tier(matrix: &Matrix, tier: Tier, required_percent: Option<u8>) -> TierCoverage {
    let total = matrix.rows.iter().filter(|row| row.tier == tier).count();
    let verified =
        matrix.rows.iter().filter(|row| row.tier == tier && row.status == Status::Verified).count();
    let met = required_percent.is_none_or(|percent| {
        total > 0 && verified.saturating_mul(100) >= total.saturating_mul(percent.into())
    });
    TierCoverage { tier, verified, total, required_percent, met }
}

pub(super) fn judge(coverage: &[TierCoverage], matrix: &Matrix, profile: ProfileName) -> Judgement {
    let mut reasons = Vec::new();
    for tier in coverage.iter().filter(|tier| !tier.met) {
        let Some(required) = tier.required_percent else { continue };
        if tier.total == 0 {
            reasons
                .push(format!("Tier {} has no goal: nothing is promised, so nothing is proved.", tier.tier));
            continue;
        }
        let open = matrix.rows.iter().filter(|row| row.tier == tier.tier && row.status != Status::Verified);
        let open: Vec<String> = open.map(|row| format!("{} is {}", row.goal, row.status)).collect();
        let TierCoverage { tier, verified, total, .. } = tier;
        reasons.push(format!(
            "Tier {tier}: {verified} of {total} goals are verified, {required} % are required; {}.",
            open.join(", ")
        ));
    }
    if matrix.profile != profile.name() {
        let (built, asked) = (&matrix.profile, profile.name());
        reasons.push(format!("The matrix was built for profile {built}, not for {asked}."));
    }
    if reasons.is_empty() {
        let tiers =
            coverage.iter().map(|tier| format!("Tier {}: {} of {}", tier.tier, tier.verified, tier.total));
        let tiers: Vec<String> = tiers.collect();
        return Judgement::Green(format!("Goals verified: {}.", tiers.join(", ")));
    }
    Judgement::red(reasons, "prove the goals named above; the matrix says what each one lacks")
}
