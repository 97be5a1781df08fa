//! The scenarios of the feature files, as the matrix sees them: place, name, tags, steps.

use std::collections::{BTreeMap, HashMap};

use mycelium_schemas::{
    goal::{GoalId, links::Fingerprint, spec::LANES},
    matrix::{ScenarioKey, StepRole},
    messages::{
        Background, Feature, FeatureChild, GherkinDocument, Pickle, PickleStep, PickleStepType, RuleChild,
        Scenario, Step,
    },
};

use crate::fingerprint::scenario_fingerprint;

/// Tag of a control twin: the same background with the knob off.
const CONTROL_TAG: &str = "@control";

/// The scenarios of a set of feature files, sorted by place.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Catalogue {
    specs: BTreeMap<ScenarioKey, ScenarioSpec>,
}

/// A scenario that the matrix cannot tell from another one, or not find again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CatalogueError {
    /// It does not say where it stands.
    #[error("the scenario {name:?} of {uri} has no place")]
    NoPlace {
        /// Its file.
        uri: String,
        /// Its name.
        name: String,
    },
    /// Two stand at one place.
    #[error("two scenarios stand at {0}")]
    SamePlace(ScenarioKey),
}

/// A scenario as written, its background and examples row filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScenarioSpec {
    /// Where it stands.
    pub key: ScenarioKey,
    /// Its name.
    pub name: String,
    /// Its tags, each with its `@`, sorted.
    pub tags: Vec<String>,
    /// Its steps in words, with their keywords.
    pub steps: Vec<String>,
    /// What is passed to each step, as lines of their own; empty where nothing is.
    arguments: Vec<String>,
    /// Its meaning as one line, independent of place and layout; two scenarios are the same where it is.
    pub(crate) meaning: String,
}

impl ScenarioSpec {
    /// The fingerprint of what it says, wherever it stands.
    pub fn fingerprint(&self) -> Fingerprint {
        scenario_fingerprint(self)
    }

    /// Whether it is a control twin.
    pub fn is_control(&self) -> bool {
        self.has_tag(CONTROL_TAG)
    }

    /// The texts of its tags that name a goal, without the `@`: `G` and a digit.
    pub fn goal_tags(&self) -> impl Iterator<Item = &str> {
        self.tags.iter().filter_map(|tag| {
            let name = tag.strip_prefix('@')?;
            let digits = name.strip_prefix('G')?;
            digits.starts_with(|c: char| c.is_ascii_digit()).then_some(name)
        })
    }

    /// Whether it has to run in a lane. One that names no lane has to run in each.
    pub fn needs_lane(&self, lane: &str) -> bool {
        let named = |lane: &str| self.tags.iter().any(|tag| tag.strip_prefix('@') == Some(lane));
        named(lane) || !LANES.into_iter().any(named)
    }

    /// Its meaning for people: name, tags and steps, each with what is passed to it.
    pub(crate) fn text(&self) -> String {
        let arguments = self.arguments.iter().map(String::as_str).chain(std::iter::repeat(""));
        let steps = self.steps.iter().zip(arguments);
        let steps: Vec<String> = steps.map(|(step, argument)| format!("\n{step}{argument}")).collect();
        format!("{}\n{}{}", self.name, self.tags.join(" "), steps.concat())
    }

    fn has_tag(&self, name: &str) -> bool {
        self.tags.iter().any(|tag| tag == name)
    }
}

impl Catalogue {
    /// The catalogue of parsed feature files.
    pub fn new<'a>(
        documents: impl IntoIterator<Item = &'a GherkinDocument>,
        pickles: impl IntoIterator<Item = &'a Pickle>,
    ) -> Result<Self, CatalogueError> {
        let keywords = Keywords::of(documents);
        let mut catalogue = Self::default();
        for pickle in pickles {
            catalogue.insert(ScenarioSpec::new(pickle, &keywords)?)?;
        }
        Ok(catalogue)
    }

    pub(crate) fn insert(&mut self, spec: ScenarioSpec) -> Result<(), CatalogueError> {
        match self.specs.insert(spec.key.clone(), spec) {
            None => Ok(()),
            Some(other) => Err(CatalogueError::SamePlace(other.key)),
        }
    }

    /// Every scenario, sorted by place.
    pub fn iter(&self) -> impl Iterator<Item = &ScenarioSpec> {
        self.specs.values()
    }

    /// The scenarios that are tagged with a goal, sorted by place.
    pub fn of_goal(&self, goal: GoalId) -> Vec<&ScenarioSpec> {
        let name = goal.to_string();
        self.iter().filter(|spec| spec.goal_tags().any(|tag| tag == name)).collect()
    }

    /// The scenario at a place.
    pub fn get(&self, key: &ScenarioKey) -> Option<&ScenarioSpec> {
        self.specs.get(key)
    }
}

impl ScenarioSpec {
    pub(crate) fn new(pickle: &Pickle, keywords: &Keywords) -> Result<Self, CatalogueError> {
        let Some(place) = pickle.location else {
            return Err(CatalogueError::NoPlace { uri: pickle.uri.clone(), name: pickle.name.clone() });
        };
        let mut tags: Vec<String> = pickle.tags.iter().map(|tag| tag.name.clone()).collect();
        tags.sort();
        tags.dedup();
        Ok(Self {
            key: ScenarioKey { uri: pickle.uri.clone(), line: u64::from(place.line) },
            name: pickle.name.clone(),
            steps: pickle.steps.iter().map(|step| keywords.sentence(step)).collect(),
            arguments: pickle.steps.iter().map(argument_text).collect(),
            meaning: meaning(pickle, &tags),
            tags,
        })
    }
}

/// Name, tags, and each step with its type and arguments, as JSON: quoted, so that no text can pass for another one.
fn meaning(pickle: &Pickle, tags: &[String]) -> String {
    let steps: Vec<serde_json::Value> = pickle
        .steps
        .iter()
        .map(|step| serde_json::json!([role(step).name(), step.text, argument(step)]))
        .collect();
    serde_json::json!([pickle.name, tags, steps]).to_string()
}

fn argument(step: &PickleStep) -> serde_json::Value {
    let Some(argument) = &step.argument else { return serde_json::Value::Null };
    let doc_string = argument.doc_string.as_ref().map(|text| (&text.media_type, &text.content));
    let table = argument.data_table.as_ref().map(|table| {
        let cells = |row: &mycelium_schemas::messages::PickleTableRow| {
            row.cells.iter().map(|cell| cell.value.clone()).collect::<Vec<_>>()
        };
        table.rows.iter().map(cells).collect::<Vec<_>>()
    });
    serde_json::json!([doc_string, table])
}

/// The doc string or table of a step as a feature shows it, each line behind a line end.
fn argument_text(step: &PickleStep) -> String {
    let Some(argument) = &step.argument else { return String::new() };
    let doc_string = argument.doc_string.iter().flat_map(|text| text.content.split('\n').map(str::to_owned));
    let rows = argument.data_table.iter().flat_map(|table| &table.rows).map(|row| {
        let cells: Vec<&str> = row.cells.iter().map(|cell| cell.value.as_str()).collect();
        format!("| {} |", cells.join(" | "))
    });
    let lines: Vec<String> = doc_string.chain(rows).map(|line| format!("\n  {line}")).collect();
    lines.concat()
}

/// What a step is in its scenario.
pub(crate) fn role(step: &PickleStep) -> StepRole {
    match step.step_type {
        Some(PickleStepType::Context) => StepRole::Given,
        Some(PickleStepType::Action) => StepRole::When,
        Some(PickleStepType::Outcome) => StepRole::Then,
        Some(PickleStepType::Unknown) | None => StepRole::Any,
    }
}

/// The keyword of every step as written, by the id of its node.
#[derive(Debug, Default)]
pub(crate) struct Keywords(HashMap<String, String>);

impl Keywords {
    pub(crate) fn of<'a>(documents: impl IntoIterator<Item = &'a GherkinDocument>) -> Self {
        let mut keywords = Self::default();
        for document in documents {
            keywords.add(document);
        }
        keywords
    }

    pub(crate) fn add(&mut self, document: &GherkinDocument) {
        if let Some(feature) = &document.feature {
            self.add_feature(feature);
        }
    }

    fn add_feature(&mut self, feature: &Feature) {
        for child in &feature.children {
            match child {
                FeatureChild::Background(Background { steps, .. })
                | FeatureChild::Scenario(Scenario { steps, .. }) => self.add_steps(steps),
                FeatureChild::Rule(rule) => {
                    for child in &rule.children {
                        let (RuleChild::Background(Background { steps, .. })
                        | RuleChild::Scenario(Scenario { steps, .. })) = child;
                        self.add_steps(steps);
                    }
                }
            }
        }
    }

    fn add_steps(&mut self, steps: &[Step]) {
        self.0.extend(steps.iter().map(|step| (step.id.clone(), step.keyword.trim().to_owned())));
    }

    /// The step as written: its keyword, or where that is not known the word for its role, and its text.
    pub(crate) fn sentence(&self, step: &PickleStep) -> String {
        let keyword = step.ast_node_ids.iter().find_map(|id| self.0.get(id));
        format!("{} {}", keyword.map_or(role(step).name(), String::as_str), step.text)
    }
}
