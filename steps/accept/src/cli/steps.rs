//! The vocabulary as its readers need it: each step with its meaning, its parameters, an example and its use.

mod duration;
mod example;
mod markdown;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use mycelium_fixtures::Fixture;
use mycelium_schemas::matrix::{Unused, UnusedStep};
use serde::Serialize;

use crate::{
    catalogue::{BUILT_IN, Catalogue, Definition, Keyword, Parameter},
    runner::{Matched, Resolution, Vocabulary, suite::Suite},
};

pub(super) use duration::{Duration, durations};
pub(super) use markdown::markdown;

/// A step definition with everything that is known of it.
#[derive(Debug, Serialize)]
pub(super) struct Entry {
    #[serde(serialize_with = "as_word")]
    pub(super) keyword: Keyword,
    pub(super) expression: &'static str,
    /// Whether it says what must not happen.
    pub(super) negative: bool,
    pub(super) doc: &'static str,
    /// Whether a table or a text stands below it.
    pub(super) takes_argument: bool,
    pub(super) parameters: Vec<ParameterEntry>,
    /// The shortest use in a feature.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) example: Option<Example>,
    pub(super) place: String,
    /// How often features use it; none outside a checkout.
    pub(super) uses: Option<usize>,
    /// How long it took in the last run, where that is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) duration: Option<Duration>,
}

/// A parameter of a step.
#[derive(Debug, Clone, Serialize)]
pub(super) struct ParameterEntry {
    pub(super) name: String,
    pub(super) doc: &'static str,
    /// The values that it lets through, where they are listed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) values: Option<Vec<String>>,
}

/// A step as a feature writes it.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Example {
    pub(super) place: String,
    /// The step and what stands below it, without indentation.
    pub(super) text: String,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
fn as_word<S: serde::Serializer>(keyword: &Keyword, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(keyword)
}

/// The parameter type that names a test repository.
const FIXTURE: &str = "fixture";

/// What the library has for features and none of a suite uses.
pub(super) fn unused(vocabulary: &Vocabulary, suite: &Suite) -> Unused {
    let mut steps: BTreeMap<(Keyword, &str), String> =
        vocabulary.definitions().map(|step| ((step.keyword, step.expression), step.place())).collect();
    let mut fixtures: BTreeSet<&str> = Fixture::ALL.into_iter().map(Fixture::name).collect();
    let features: Vec<_> = suite.features().collect();
    for step in features.iter().flat_map(|feature| &feature.pickles).flat_map(|pickle| &pickle.steps) {
        let Resolution::Defined(Matched { definition, captures, .. }) = vocabulary.resolve(step) else {
            continue;
        };
        steps.remove(&(definition.keyword, definition.expression));
        if definition.parameters().contains(&FIXTURE) {
            for (_, value) in &captures {
                fixtures.remove(value.as_str());
            }
        }
    }
    let step = |((keyword, expression), place)| UnusedStep { step: format!("{keyword} {expression}"), place };
    Unused {
        steps: steps.into_iter().map(step).collect(),
        fixtures: fixtures.into_iter().map(str::to_owned).collect(),
    }
}

/// All steps, by keyword and expression; with uses and examples where features are at hand.
pub(super) fn entries(vocabulary: &Vocabulary, suite: Option<&Suite>) -> Vec<Entry> {
    let uses = suite.map(|suite| uses(vocabulary, suite));
    let mut entries: Vec<Entry> = vocabulary
        .definitions()
        .map(|definition| {
            let found = uses.as_ref().map(|uses| uses.get(&definition.place()));
            Entry {
                keyword: definition.keyword,
                expression: definition.expression,
                negative: definition.is_negative(),
                doc: definition.doc,
                takes_argument: definition.takes_argument,
                parameters: parameters(vocabulary.catalogue(), definition),
                example: found.flatten().map(|use_| use_.example.clone()),
                place: definition.place(),
                uses: found.map(|found| found.map_or(0, |use_| use_.count)),
                duration: None,
            }
        })
        .collect();
    entries.sort_by_key(|entry| (entry.keyword, entry.expression));
    entries
}

impl Entry {
    /// Whether the text occurs in its words, or in a value that it lets through.
    pub(super) fn speaks_of(&self, search: &str) -> bool {
        let has = |text: &str| text.to_lowercase().contains(search);
        let mut values = self.parameters.iter().flat_map(|parameter| parameter.values.iter().flatten());
        has(&format!("{} {} {}", self.keyword, self.expression, self.doc)) || values.any(|value| has(value))
    }
}

fn parameters(catalogue: Catalogue, definition: &Definition) -> Vec<ParameterEntry> {
    let mut names: Vec<&str> = Vec::new();
    for name in definition.parameters() {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names.into_iter().map(|name| parameter(catalogue, name)).collect()
}

/// What is known of a parameter type. The vocabulary has none that is neither built in nor the project's.
fn parameter(catalogue: Catalogue, name: &str) -> ParameterEntry {
    let own = catalogue.parameters.iter().find(|parameter| parameter.name == name);
    let built_in = BUILT_IN.iter().find(|(known, _)| *known == name).map_or("", |(_, doc)| doc);
    ParameterEntry {
        name: name.to_owned(),
        doc: own.map_or(built_in, |parameter| parameter.doc),
        values: own.and_then(Parameter::allowed_values),
    }
}

struct Use {
    count: usize,
    example: Example,
}

fn uses(vocabulary: &Vocabulary, suite: &Suite) -> HashMap<String, Use> {
    let mut uses: HashMap<String, Use> = HashMap::new();
    for (file, parsed) in suite.parsed() {
        let Ok(feature) = &parsed else { continue };
        for step in feature.pickles.iter().flat_map(|pickle| &pickle.steps) {
            let Resolution::Defined(matched) = vocabulary.resolve(step) else { continue };
            let Some(example) = example::of(file, feature, step, matched.definition.keyword) else {
                continue;
            };
            uses.entry(matched.definition.place())
                .and_modify(|known| {
                    known.count += 1;
                    // The first of the shortest, so that the choice rests on the features alone.
                    if example.text.len() < known.example.text.len() {
                        known.example = example.clone();
                    }
                })
                .or_insert(Use { count: 1, example });
        }
    }
    uses
}
