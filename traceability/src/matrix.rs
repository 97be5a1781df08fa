//! The join: goals, links, quarantine, scenarios as they are now and results of a run, into one matrix.

pub(crate) mod ledger;
mod quarantine;
mod row;

pub use quarantine::{entries_of, excused_for_all};

use jiff::civil::Date;
use mycelium_schemas::{
    SCHEMA_VERSION,
    bench::Bench,
    goal::{GoalId, gates::Profile, quarantine::QuarantineEntry},
    matrix::{LaneRun, Matrix, Orphan, RunFacts, Scenario, Subject, Unused},
    mutation::Mutation,
    problem::Source,
    sabotage::Sabotage,
};

use crate::{
    catalogue::{Catalogue, ScenarioSpec},
    denominator::{self, LockHistory},
    flake::{History, Subjects, tally},
    mutation, performance,
    registry::Registry,
    results::Results,
    sabotage,
};

/// What a matrix is built from.
#[derive(Debug, Clone, Copy)]
pub struct Inputs<'a> {
    /// What people promised and decided.
    pub registry: &'a Registry,
    /// Whose criteria the statuses are judged by.
    pub profile: &'a Profile,
    /// What was locked before.
    pub locked: &'a LockHistory,
    /// What stood in `quarantine.yaml` in earlier commits.
    pub quarantined: &'a [QuarantineEntry],
    /// The versions of `bench.yaml` in earlier commits, each named after a commit that has it.
    pub measured: &'a [Source],
    /// The scenarios of the feature files as they are now. What ran is compared with it.
    pub catalogue: &'a Catalogue,
    /// What the scenarios leave unused.
    pub unused: &'a Unused,
    /// What a run did; none where nothing ran.
    pub results: Option<&'a Results>,
    /// How scenarios came out when they were run again and again.
    pub history: &'a History,
    /// What the seeded faults came to; none where none was tried.
    pub sabotage: Option<&'a Sabotage>,
    /// How fast the program is; none where that was not measured.
    pub bench: Option<&'a Bench>,
    /// What the tests of the gates notice; none where nobody asked.
    pub mutation: Option<&'a Mutation>,
    /// The tree that is checked out and the program that is built now.
    pub subject: &'a Subject,
    /// The day that deadlines are compared with.
    pub today: Date,
}

/// Builds the matrix. One row a goal: what is not proved stays in it, with the reason.
pub fn build(inputs: &Inputs<'_>) -> Matrix {
    let run = inputs.results.map(|results| run_facts(inputs, results));
    let flakes = tally(
        inputs.history,
        &Subjects {
            subject: inputs.subject,
            catalogue: inputs.catalogue,
            lanes: &inputs.profile.lanes,
            excused: &excused_for_all(inputs),
        },
    );
    let goals = inputs.registry.goals.iter();
    let rows = goals.map(|goal| row::build(inputs, run.as_ref(), &flakes, goal)).collect();
    Matrix {
        schema_version: SCHEMA_VERSION,
        profile: inputs.profile.name.name().to_owned(),
        today: inputs.today,
        subject: inputs.subject.clone(),
        run,
        rows,
        scenarios: inputs.catalogue.iter().map(|spec| scenario(inputs, spec)).collect(),
        orphans: inputs.catalogue.iter().filter_map(|spec| orphan(inputs.registry, spec)).collect(),
        unused: inputs.unused.clone(),
        dead_quarantine: quarantine::dead(inputs),
        dead_links: dead_links(inputs.registry),
        lock: denominator::compare(inputs.registry, inputs.catalogue, inputs.locked, inputs.today),
        flakes,
        sabotage: inputs.sabotage.map(|sabotage| sabotage::facts(inputs, sabotage)),
        performance: inputs.bench.map(|bench| performance::facts(inputs, bench)),
        mutation: inputs.mutation.map(|mutation| mutation::facts(inputs, mutation)),
        backlog: inputs.registry.backlog.clone(),
    }
}

/// What came out of a scenario, if the run read it as it is written now.
fn runs_of<'r>(inputs: &Inputs<'r>, spec: &ScenarioSpec) -> &'r [LaneRun] {
    match inputs.results {
        Some(results) if results.catalogue.get(&spec.key).is_some_and(|ran| ran.meaning == spec.meaning) => {
            results.of(&spec.key)
        }
        _ => &[],
    }
}

fn run_facts(inputs: &Inputs<'_>, results: &Results) -> RunFacts {
    let info = &results.info;
    RunFacts {
        tree: info.tree.clone(),
        dirty: info.dirty,
        binary_digest: info.binary_digest.clone(),
        binary_version: info.binary_version.clone(),
        seed: info.seed,
        lanes: info.lanes.clone(),
        partial: info.partial.iter().chain(&results.broken).cloned().collect(),
        missing: results.missing.clone(),
        stale: stale(inputs, results),
    }
}

/// Why the results are not about what is there now.
fn stale(inputs: &Inputs<'_>, results: &Results) -> Vec<String> {
    let (run, now) = (&results.info, inputs.subject);
    let mut reasons = Vec::new();
    match (&run.tree, &now.tree) {
        (Some(ran), Some(here)) if ran == here => {}
        (Some(ran), Some(here)) => {
            reasons.push(format!("The scenarios ran on tree {ran}, but {here} is checked out."));
        }
        _ => {
            reasons.push("The results cannot be bound to a commit: this is not a git repository.".to_owned());
        }
    }
    if run.dirty != now.dirty {
        let state = |dirty| if dirty { "had uncommitted changes" } else { "had none" };
        reasons.push(format!(
            "The working tree {} when the scenarios ran, and {} now.",
            state(run.dirty),
            state(now.dirty).replace("had", "has")
        ));
    } else if run.dirty && !inputs.profile.dirty_tree_allowed {
        let profile = inputs.profile.name.name();
        reasons.push(format!(
            "The working tree has uncommitted changes, which profile {profile} does not accept."
        ));
    } else if run.dirty && (run.source_digest.is_none() || run.source_digest != now.source_digest) {
        reasons.push("The uncommitted changes are other ones than when the scenarios ran.".to_owned());
    }
    match &now.binary_digest {
        Some(digest) if *digest == run.binary_digest => {}
        Some(digest) => reasons
            .push(format!("The scenarios ran the program {}, but {digest} is built now.", run.binary_digest)),
        None => reasons.push(
            "The program under test is not built, so nothing shows that it is the one that ran.".to_owned(),
        ),
    }
    reasons.extend(changed_scenarios(inputs.catalogue, &results.catalogue));
    reasons
}

/// Scenarios that the run did not read as they are written now.
fn changed_scenarios(now: &Catalogue, ran: &Catalogue) -> Vec<String> {
    let changed = now.iter().filter_map(|spec| match ran.get(&spec.key) {
        None => Some(format!("The scenario {} was not there when the scenarios ran.", spec.key)),
        Some(other) if other.meaning != spec.meaning => {
            Some(format!("The scenario {} changed after the scenarios ran.", spec.key))
        }
        Some(_) => None,
    });
    let gone = ran.iter().filter(|spec| now.get(&spec.key).is_none());
    changed
        .chain(gone.map(|spec| format!("The scenario {} ran and is not there any more.", spec.key)))
        .collect()
}

fn scenario(inputs: &Inputs<'_>, spec: &ScenarioSpec) -> Scenario {
    Scenario {
        key: spec.key.clone(),
        name: spec.name.clone(),
        tags: spec.tags.clone(),
        goals: known_goals(inputs.registry, spec),
        fingerprint: spec.fingerprint().to_string(),
        control: spec.is_control(),
        steps: spec.steps.clone(),
        lanes: runs_of(inputs, spec).to_vec(),
    }
}

fn known_goals(registry: &Registry, spec: &ScenarioSpec) -> Vec<GoalId> {
    let ids = spec.goal_tags().filter_map(|tag| tag.parse::<GoalId>().ok());
    let mut goals: Vec<GoalId> = ids.filter(|id| registry.goal(*id).is_some()).collect();
    goals.sort();
    goals
}

/// Why a scenario serves no goal, or claims one that is none.
fn orphan(registry: &Registry, spec: &ScenarioSpec) -> Option<Orphan> {
    let reason = |tag: &str| match tag.parse::<GoalId>() {
        Ok(id) if registry.goal(id).is_some() => None,
        Ok(id) if registry.backlog.iter().any(|entry| entry.goal == id) => {
            Some(format!("The goal {id} still stands in the backlog: move it to goals/."))
        }
        _ => Some(format!("There is no goal {tag}.")),
    };
    let reason = if spec.goal_tags().next().is_none() {
        Some("No tag names a goal.".to_owned())
    } else {
        spec.goal_tags().find_map(reason)
    };
    reason.map(|reason| Orphan { key: spec.key.clone(), name: spec.name.clone(), reason })
}

fn dead_links(registry: &Registry) -> Vec<String> {
    let dead = registry.links.iter().filter(|link| registry.goal(link.goal).is_none());
    dead.map(|link| format!("The reviewed link of {} fits no goal.", link.goal)).collect()
}
