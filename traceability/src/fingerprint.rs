//! Fingerprints: what a reviewer looked at, as two hashes. Layout, owners and places do not count; meaning does.

use jiff::civil::Date;
use mycelium_schemas::{
    goal::{
        GoalId,
        links::{self, Fingerprint, ReviewedLink},
        spec::{Claim, Goal},
    },
    problem::{Problem, Source},
};
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::catalogue::{Catalogue, ScenarioSpec};

/// The fingerprint of what a goal promises and how it is to be proved. Who looks after it, how risky it is and where it
/// runs in CI can change without a review.
pub fn goal_fingerprint(goal: &Goal) -> Fingerprint {
    // A list, because the order of an object's keys depends on how the JSON library was built.
    let promise = json!([
        goal.id,
        goal.title,
        goal.statement,
        goal.scope,
        goal.config,
        [goal.scenario.given, goal.scenario.when, goal.scenario.then],
        [goal.artifacts.state, goal.artifacts.events, goal.artifacts.git],
        claims(&goal.must_not),
        claims(&goal.witness),
        claims(&goal.control),
        goal.lanes,
        goal.saboteurs,
    ]);
    hash(promise.to_string().as_bytes())
}

/// The fingerprint of a goal's statement alone: who makes the same promise under another id, moved it.
pub(crate) fn statement_fingerprint(goal: &Goal) -> Fingerprint {
    hash(goal.statement.as_bytes())
}

/// The fingerprint of what a goal says in prose beside its statement: that can lose its meaning, and no list of what is
/// declared shows it.
pub(crate) fn prose_fingerprint(goal: &Goal) -> Fingerprint {
    let prose = json!([
        goal.title,
        goal.config,
        [goal.scenario.given, goal.scenario.when, goal.scenario.then],
        [goal.artifacts.state, goal.artifacts.git],
        claims(&goal.must_not),
        claims(&goal.witness),
        claims(&goal.control),
    ]);
    hash(prose.to_string().as_bytes())
}

fn claims(claims: &[Claim]) -> Vec<(&str, &str)> {
    claims.iter().map(|claim| (claim.text.as_str(), claim.assertion.as_str())).collect()
}

/// The fingerprint of one scenario, wherever it stands.
pub(crate) fn scenario_fingerprint(spec: &ScenarioSpec) -> Fingerprint {
    hash(spec.meaning.as_bytes())
}

/// The fingerprint of a goal's scenarios, whatever their files, places and order.
pub fn scenarios_fingerprint<'a>(scenarios: impl IntoIterator<Item = &'a ScenarioSpec>) -> Fingerprint {
    let mut meanings: Vec<&str> = scenarios.into_iter().map(|spec| spec.meaning.as_str()).collect();
    meanings.sort_unstable();
    hash(json!(meanings).to_string().as_bytes())
}

/// Why a review is not recorded.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ReviewError {
    /// The goal has no scenario that somebody could have looked at.
    #[error("no scenario is tagged @{0}: there is nothing to review")]
    NoScenarios(GoalId),
    /// The file of reviewed links is broken, so nothing may be written over it.
    #[error("the file of reviewed links is broken in {} places", .0.len())]
    BrokenLinks(Vec<Problem>),
}

/// The new text of `links.yaml` after somebody reviewed a goal together with its scenarios as they are now.
pub fn review(
    links: &Source,
    goal: &Goal,
    catalogue: &Catalogue,
    reviewed: Date,
    by: &str,
) -> Result<String, ReviewError> {
    let linked = catalogue.of_goal(goal.id);
    if linked.is_empty() {
        return Err(ReviewError::NoScenarios(goal.id));
    }
    let review = ReviewedLink {
        goal: goal.id,
        text: goal_fingerprint(goal),
        scenarios: scenarios_fingerprint(linked),
        reviewed,
        by: by.to_owned(),
    };
    links::with_review(links, review).map_err(ReviewError::BrokenLinks)
}

fn hash(bytes: &[u8]) -> Fingerprint {
    Fingerprint::new(&Sha256::digest(bytes).into())
}
