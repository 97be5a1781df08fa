//! The files of `traceability/`, read together.

use mycelium_schemas::{
    goal::{
        GoalId, backlog,
        baselines::{self, Baselines},
        denominator::{self, Denominator},
        gates::{self, GateRules},
        links::{self, ReviewedLink},
        quarantine::{self, QuarantineEntry},
        spec::{self, Goal},
    },
    matrix::BacklogGoal,
    problem::{Problem, Source},
};

/// The texts of `traceability/`.
#[derive(Debug, Clone)]
pub struct Files {
    /// Every file of `goals/`.
    pub goals: Vec<Source>,
    /// `backlog.yaml`.
    pub backlog: Source,
    /// `links.yaml`.
    pub links: Source,
    /// `denominator.yaml`.
    pub denominator: Source,
    /// `gates.yaml`.
    pub gates: Source,
    /// `quarantine.yaml`.
    pub quarantine: Source,
    /// `bench.yaml`.
    pub baselines: Source,
}

/// What people promised and decided.
#[derive(Debug, Clone)]
pub struct Registry {
    /// The goals, sorted by id.
    pub goals: Vec<Goal>,
    /// What is promised and not automated yet, sorted by id.
    pub backlog: Vec<BacklogGoal>,
    /// Which pairs of goal and scenarios were reviewed, sorted by goal.
    pub links: Vec<ReviewedLink>,
    /// The goals that have to be there, and what was signed off.
    pub denominator: Denominator,
    /// What each profile requires.
    pub rules: GateRules,
    /// Scenarios that are known to be unreliable.
    pub quarantine: Vec<QuarantineEntry>,
    /// What each figure of the benchmarks was.
    pub baselines: Baselines,
}

impl Registry {
    /// Reads all files; or every problem of all of them.
    pub fn parse(files: &Files) -> Result<Self, Vec<Problem>> {
        let mut problems = Vec::new();
        let goals = keep(spec::parse_all(&files.goals), &mut problems);
        let backlog = keep(backlog::parse(&files.backlog), &mut problems);
        let links = keep(links::parse(&files.links), &mut problems);
        let denominator = keep(denominator::parse(&files.denominator), &mut problems);
        let rules = keep(gates::parse(&files.gates), &mut problems);
        let quarantine = keep(quarantine::parse(&files.quarantine), &mut problems);
        let baselines = keep(baselines::parse(&files.baselines), &mut problems);
        let all = || {
            Some(Self {
                goals: goals?,
                backlog: backlog?,
                links: links?,
                denominator: denominator?,
                rules: rules?,
                quarantine: quarantine?,
                baselines: baselines?,
            })
        };
        all().ok_or(problems)
    }

    /// The goal with an id.
    pub fn goal(&self, id: GoalId) -> Option<&Goal> {
        self.goals.iter().find(|goal| goal.id == id)
    }
}

fn keep<T>(read: Result<T, Vec<Problem>>, problems: &mut Vec<Problem>) -> Option<T> {
    read.map_err(|found| problems.extend(found)).ok()
}
