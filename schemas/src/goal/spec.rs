//! A goal as its author writes it: one file `traceability/goals/<id>.yaml` each, by the plan's template.

use std::{collections::BTreeMap, fmt, str::FromStr};

use super::{
    GoalId, Tier,
    read::{done, mapping, parsed, required, squash, text, texts, word},
};
use crate::{
    decode::{Decoder, Field, Section, quoted},
    event::EventKind,
    matrix::FlakeRisk,
    problem::{Problem, Source, did_you_mean},
    yaml,
};

/// Lanes that a scenario can run in.
pub const LANES: [&str; 2] = ["mock", "docker"];

/// Parts of the product that a goal can be about: its commands.
pub(super) const SCOPES: [&str; 11] =
    ["init", "plan", "run", "resume", "status", "logs", "review", "clean", "doctor", "demo", "schema"];

/// Kinds of assertion, as `evidence::Assertion::name` spells them.
pub(super) const ASSERTION_KINDS: [&str; 9] =
    ["git", "state", "event", "fs", "exit", "output", "plan", "container", "model"];

pub(super) const KEYS: [&str; 17] = [
    "id",
    "tier",
    "title",
    "statement",
    "scope",
    "config",
    "scenario",
    "artifacts",
    "must_not",
    "witness",
    "control",
    "hook",
    "owner",
    "flake_risk",
    "lanes",
    "ci_jobs",
    "saboteurs",
];

/// Keys that may be missing; a missing list is an empty one.
pub(super) const OPTIONAL_KEYS: [&str; 4] = ["config", "witness", "control", "saboteurs"];

/// A promise, and what proves it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Goal {
    /// Its id.
    pub id: GoalId,
    /// Its short name.
    pub title: String,
    /// The promise itself.
    pub statement: String,
    /// Commands that it is about.
    pub scope: Vec<String>,
    /// Configuration keys that matter.
    pub config: Vec<String>,
    /// The canonical scenario.
    pub scenario: CanonicalScenario,
    /// What it leaves behind.
    pub artifacts: Artifacts,
    /// What must not happen: at least one.
    pub must_not: Vec<Claim>,
    /// What proves that the work was done at all.
    pub witness: Vec<Claim>,
    /// What happens where the knob is off.
    pub control: Vec<Claim>,
    /// Fixtures and mocks that it needs.
    pub hook: String,
    /// Who looks after it.
    pub owner: String,
    /// How easily its scenarios could flake.
    pub flake_risk: FlakeRisk,
    /// Lanes that it has to be proved in: at least one.
    pub lanes: Vec<String>,
    /// CI jobs that run it: at least one.
    pub ci_jobs: Vec<String>,
    /// Seeded faults that its scenarios must find.
    pub saboteurs: Vec<String>,
}

impl Goal {
    /// Its tier, which its id names.
    pub fn tier(&self) -> Tier {
        self.id.tier()
    }
}

/// Given, when, then, in prose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CanonicalScenario {
    /// The state before.
    pub given: String,
    /// What the operator does.
    pub when: String,
    /// What comes out.
    pub then: String,
}

/// What a goal leaves behind, by artifact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Artifacts {
    /// In `state.json`.
    pub state: Vec<String>,
    /// Types of log events.
    pub events: Vec<String>,
    /// In git.
    pub git: Vec<String>,
}

/// A sentence and the assertion that proves it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The sentence.
    pub text: String,
    /// The assertion.
    pub assertion: AssertionName,
}

/// The name of an assertion: its kind and its check, for example `git.branch_unmoved`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AssertionName(String);

/// The text is not the name of an assertion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is not the name of an assertion; one reads <kind>.<check>, for example git.branch_unmoved")]
pub struct AssertionNameError;

impl AssertionName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for AssertionName {
    type Err = AssertionNameError;

    fn from_str(text: &str) -> Result<Self, AssertionNameError> {
        let (kind, check) = text.split_once('.').ok_or(AssertionNameError)?;
        let word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        if ASSERTION_KINDS.contains(&kind) && !check.is_empty() && check.chars().all(word) {
            Ok(Self(text.to_owned()))
        } else {
            Err(AssertionNameError)
        }
    }
}

impl fmt::Display for AssertionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// Reads every goal file, sorted by id; or every problem of all of them.
pub fn parse_all(sources: &[Source]) -> Result<Vec<Goal>, Vec<Problem>> {
    let mut goals: BTreeMap<GoalId, (Goal, &Source)> = BTreeMap::new();
    let mut problems = Vec::new();
    for source in sources {
        match parse(source) {
            Ok(goal) => {
                if let Some((_, first)) = goals.get(&goal.id) {
                    problems.push(Problem {
                        source: source.clone(),
                        span: 0..0,
                        message: format!("the goal {} stands in {} already", goal.id, first.name),
                        help: "keep one of the two files".to_owned(),
                    });
                } else {
                    goals.insert(goal.id, (goal, source));
                }
            }
            Err(found) => problems.extend(found),
        }
    }
    if problems.is_empty() { Ok(goals.into_values().map(|(goal, _)| goal).collect()) } else { Err(problems) }
}

/// Reads one goal file.
pub fn parse(source: &Source) -> Result<Goal, Vec<Problem>> {
    let node = yaml::parse(source).map_err(|problem| vec![problem])?;
    let mut decoder = Decoder::new(source);
    let root = mapping(&mut decoder, "", &node, &KEYS);
    let goal = read_goal(&mut decoder, &root, source);
    done(decoder, goal)
}

fn read_goal(d: &mut Decoder<'_>, root: &Section<'_>, source: &Source) -> Option<Goal> {
    let id = read_id(d, root, source);
    let title = text(d, root, "title", "name the goal in a few words");
    let statement = text(d, root, "statement", "write what you expect to happen");
    let scope = choices(d, root, "scope", &SCOPES);
    let config = texts(d, root, "config", "list configuration keys");
    let scenario = read_scenario(d, root);
    let artifacts = read_artifacts(d, root);
    let must_not = claims(d, root, "must_not");
    let witness = claims(d, root, "witness");
    let control = claims(d, root, "control");
    let hook = text(d, root, "hook", "name the fixtures and mocks it needs");
    let owner = text(d, root, "owner", "name who looks after it");
    let flake_risk = required(d, root, "flake_risk", "write `low`, `medium` or `high`").and_then(|field| {
        let words = [FlakeRisk::Low, FlakeRisk::Medium, FlakeRisk::High].map(|risk| (risk.name(), risk));
        word(d, &field, &words)
    });
    let lanes = choices(d, root, "lanes", &LANES);
    let ci_jobs = texts(d, root, "ci_jobs", "list CI jobs");
    let saboteurs = texts(d, root, "saboteurs", "list names of seeded faults");

    let tier_zero = id.is_some_and(|id: GoalId| id.tier() == Tier::Zero);
    let needed = [
        ("scope", scope.is_empty(), "list the commands it is about"),
        ("must_not", must_not.is_empty(), "write at least one thing that must not happen"),
        ("witness", tier_zero && witness.is_empty(), "a Tier-0 goal says what proves that the work was done"),
        ("control", tier_zero && control.is_empty(), "a Tier-0 goal says what happens with the knob off"),
        ("lanes", lanes.is_empty(), "list the lanes it has to be proved in"),
        ("ci_jobs", ci_jobs.is_empty(), "list the CI jobs that run it"),
    ];
    for (key, empty, help) in needed {
        match root.get(key) {
            Some(field) if empty && is_empty(&field) => {
                d.report(&field.node.span, format!("`{key}` is empty"), help);
            }
            None if empty => d.missing(root, key, help),
            _ => {}
        }
    }
    Some(Goal {
        id: id?,
        title: title?,
        statement: statement?,
        scope,
        config,
        scenario: scenario?,
        artifacts: artifacts?,
        must_not,
        witness,
        control,
        hook: hook?,
        owner: owner?,
        flake_risk: flake_risk?,
        lanes,
        ci_jobs,
        saboteurs,
    })
}

/// Whether a list has no entry; one whose entries are all wrong has had its problems already.
fn is_empty(field: &Field<'_>) -> bool {
    match &field.node.value {
        yaml::Value::Null => true,
        yaml::Value::List(items) => items.is_empty(),
        _ => false,
    }
}

fn read_id(d: &mut Decoder<'_>, root: &Section<'_>, source: &Source) -> Option<GoalId> {
    const TIER_HELP: &str = "write 0 (safety), 1 (core workflow) or 2 (hardening)";
    let tier = required(d, root, "tier", TIER_HELP)
        .and_then(|field| Some((d.whole(&field, 0, 2, TIER_HELP)?, field.node.span.clone())));
    let field = required(d, root, "id", "write G<tier>.<number>, for example G0.1")?;
    let id: GoalId = d.parsed(&field, "write G<tier>.<number>, for example G0.1")?;
    if let Some((tier, span)) = tier
        && tier != u64::from(id.tier().number())
    {
        d.report(
            &span,
            format!("the id {id} names tier {}, but `tier` is {tier}", id.tier()),
            "make them agree",
        );
    }
    let file = source.name.rsplit(['/', '\\']).next().unwrap_or(&source.name);
    if file != format!("{id}.yaml") {
        let message = format!("the goal {id} stands in a file named {file:?}");
        d.report(&field.node.span, message, format!("name the file {id}.yaml"));
    }
    Some(id)
}

fn read_scenario(d: &mut Decoder<'_>, root: &Section<'_>) -> Option<CanonicalScenario> {
    let field = required(d, root, "scenario", "write `given`, `when` and `then`")?;
    let section = mapping(d, "scenario", field.node, &["given", "when", "then"]);
    let given = text(d, &section, "given", "describe the state before");
    let when = text(d, &section, "when", "describe what the operator does");
    let then = text(d, &section, "then", "describe what comes out");
    Some(CanonicalScenario { given: given?, when: when?, then: then? })
}

fn read_artifacts(d: &mut Decoder<'_>, root: &Section<'_>) -> Option<Artifacts> {
    let field = required(d, root, "artifacts", "list what it leaves behind in `state`, `events` or `git`")?;
    let section = mapping(d, "artifacts", field.node, &["state", "events", "git"]);
    let state = texts(d, &section, "state", "list what stands in state.json");
    let events = choices(d, &section, "events", EventKind::TYPES);
    let git = texts(d, &section, "git", "list what stands in git");
    if section.fields().all(|(_, field)| is_empty(&field)) {
        d.report(
            &field.node.span,
            "`artifacts` names none",
            "list at least one under `state`, `events` or `git`",
        );
    }
    Some(Artifacts { state, events, git })
}

fn claims(d: &mut Decoder<'_>, root: &Section<'_>, key: &str) -> Vec<Claim> {
    let Some(field) = root.get(key) else { return Vec::new() };
    let items = d.items(&field, "write `- {text: …, assertion: …}` entries");
    items.iter().filter_map(|item| read_claim(d, item)).collect()
}

fn read_claim(d: &mut Decoder<'_>, item: &Field<'_>) -> Option<Claim> {
    let section = mapping(d, &item.label, item.node, &["text", "assertion"]);
    let text = text(d, &section, "text", "say it in a sentence");
    let help = format!("write <kind>.<check>; the kinds are {}", quoted(&ASSERTION_KINDS));
    let assertion = parsed(d, &section, "assertion", &help);
    Some(Claim { text: text?, assertion: assertion? })
}

/// A list of words out of a known set; a missing key is an empty list.
fn choices(d: &mut Decoder<'_>, section: &Section<'_>, key: &str, allowed: &[&str]) -> Vec<String> {
    let Some(field) = section.get(key) else { return Vec::new() };
    let known = format!("the words known here are {}", quoted(allowed));
    let mut chosen: Vec<String> = Vec::new();
    for item in d.items(&field, &known) {
        let Some(found) = d.text(&item, &known).map(squash) else { continue };
        if !allowed.contains(&found.as_str()) {
            let help = did_you_mean(&found, allowed.iter().copied())
                .map_or_else(|| known.clone(), |near| format!("did you mean `{near}`?"));
            d.report(&item.node.span, format!("`{}` cannot be {found:?}", item.label), help);
        } else if chosen.contains(&found) {
            d.report(&item.node.span, format!("`{}` repeats {found:?}", item.label), "remove one of the two");
        } else {
            chosen.push(found);
        }
    }
    chosen
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) const HONEST: &str = "\
id: G0.1
tier: 0
title: Budget block never merges
statement: |
  This is what I expect to happen: a run over its budget stops.
scope: [run]
config: [budgets.mode, budgets.max_tokens_per_task]
scenario: {given: a limit, when: I run, then: nothing lands}
artifacts: {state: [status is failed], events: [budget.block], git: [the branch has not moved]}
must_not:
  - {text: The integration branch moves., assertion: git.branch_unmoved}
witness:
  - {text: The agent reported its usage., assertion: event.present}
control:
  - {text: With the limit off the task lands., assertion: git.branch_moved}
hook: toy-repo, mock planner, mock agent
owner: orchestrator
flake_risk: low
lanes: [mock]
ci_jobs: [unit-and-acceptance-local]
saboteurs: []
";

    fn problems(name: &str, text: &str) -> Vec<String> {
        parse(&Source::new(name, text)).unwrap_err().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_whole_goal_is_read() {
        let goal = parse(&Source::new("traceability/goals/G0.1.yaml", HONEST)).unwrap();
        assert_eq!(goal.id.to_string(), "G0.1");
        assert_eq!(goal.statement, "This is what I expect to happen: a run over its budget stops.");
        assert_eq!(goal.must_not[0].assertion.as_str(), "git.branch_unmoved");
        assert_eq!(goal.artifacts.events, ["budget.block"]);
        assert_eq!(goal.flake_risk, FlakeRisk::Low);
    }

    #[test]
    fn all_problems_of_a_goal_are_shown_at_their_places() {
        let text = HONEST
            .replace("tier: 0", "tier: 1")
            .replace("[budget.block]", "[budget.blok]")
            .replace("git.branch_unmoved", "gitt.branch_unmoved")
            .replace("lanes: [mock]", "lanes: []")
            .replace("owner: orchestrator\n", "ownr: orchestrator\n");
        assert_eq!(
            problems("G0.1.yaml", &text),
            [
                "G0.1.yaml:1:1: the required key `owner` is missing",
                "G0.1.yaml:2:7: the id G0.1 names tier 0, but `tier` is 1",
                "G0.1.yaml:9:49: `artifacts.events[0]` cannot be \"budget.blok\"",
                "G0.1.yaml:11:54: `must_not[0].assertion`: \"gitt.branch_unmoved\" is not the name of an assertion; one reads <kind>.<check>, for example git.branch_unmoved",
                "G0.1.yaml:17:1: unknown key `ownr`",
                "G0.1.yaml:19:8: `lanes` is empty",
            ]
        );
    }

    #[test]
    fn a_goal_without_anything_that_must_not_happen_is_refused() {
        let text = HONEST.replace(
            "must_not:\n  - {text: The integration branch moves., assertion: git.branch_unmoved}\n",
            "must_not: []\n",
        );
        assert_eq!(problems("G0.1.yaml", &text), ["G0.1.yaml:10:11: `must_not` is empty"]);
    }

    #[test]
    fn a_tier_0_goal_needs_a_witness_and_a_control() {
        let text = HONEST
            .replace("witness:\n  - {text: The agent reported its usage., assertion: event.present}\n", "");
        assert_eq!(problems("G0.1.yaml", &text), ["G0.1.yaml:1:1: the required key `witness` is missing"]);
        let tier_1 = text.replace("G0.1", "G1.1").replace("tier: 0", "tier: 1");
        assert!(parse(&Source::new("G1.1.yaml", tier_1)).is_ok());
    }

    #[test]
    fn a_goal_stands_in_the_file_that_bears_its_name_and_only_there() {
        assert_eq!(
            problems("goals/G0.2.yaml", HONEST),
            ["goals/G0.2.yaml:1:5: the goal G0.1 stands in a file named \"G0.2.yaml\""]
        );
        let twice = [Source::new("a/G0.1.yaml", HONEST), Source::new("b/G0.1.yaml", HONEST)];
        let found = parse_all(&twice).unwrap_err();
        assert_eq!(found[0].to_string(), "b/G0.1.yaml:1:1: the goal G0.1 stands in a/G0.1.yaml already");
    }

    #[test]
    fn an_empty_goal_file_is_refused() {
        assert!(!problems("G0.1.yaml", "").is_empty());
        assert!(!problems("G0.1.yaml", "[]").is_empty());
    }
}
