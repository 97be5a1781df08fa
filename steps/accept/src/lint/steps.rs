//! Steps: each has exactly one meaning.

use std::collections::HashMap;

use mycelium_schemas::messages::{Location, PickleStep};

use super::{Report, Rule, scaffold::is_placeholder};
use crate::{
    catalogue::{Catalogue, Definition},
    runner::{Resolution, Vocabulary, keyword_of, suite::Feature},
};

/// Steps of one file for which the nearest one is looked for: that takes its time.
const LOOKED_FOR_MAX: usize = 200;

pub(super) fn check(report: &mut Report<'_>, feature: &Feature, vocabulary: &Vocabulary) {
    let mut nearest = HashMap::new();
    for pickle in &feature.pickles {
        for step in &pickle.steps {
            let Some(node) = feature.step_node(step) else { continue };
            match vocabulary.resolve(step) {
                Resolution::Defined(matched) => {
                    check_argument(report, matched.definition, step, node.location);
                }
                // It is reported on its own.
                Resolution::Undefined if is_placeholder(&step.text) => {}
                Resolution::Undefined => {
                    let key = (step.step_type, step.text.as_str());
                    let has_looked_enough = nearest.len() >= LOOKED_FOR_MAX;
                    let found = match nearest.get(&key) {
                        Some(found) => *found,
                        None if has_looked_enough => None,
                        None => *nearest.entry(key).or_insert_with(|| vocabulary.nearest(step)),
                    };
                    let help = found.map_or_else(
                        || "look for the step to use with `accept steps WORD`".to_owned(),
                        |nearest| {
                            let values = allowed_values(vocabulary.catalogue(), nearest);
                            format!(
                                "did you mean `{}`? It is declared at {}{values}",
                                shown(nearest),
                                nearest.place()
                            )
                        },
                    );
                    let message = format!("no step is `{} {}`", keyword_of(node), step.text);
                    report.add(Rule::Undefined, node.location, message, help);
                }
                Resolution::Ambiguous(definitions) => {
                    let list: Vec<String> =
                        definitions.iter().map(|d| format!("`{}` ({})", shown(d), d.place())).collect();
                    report.add(
                        Rule::Ambiguous,
                        node.location,
                        format!("the step means {} things: {}", list.len(), list.join(", ")),
                        "change one of these definitions so that only one matches",
                    );
                }
            }
        }
    }
}

/// A table or text that nothing reads says something that nobody checks.
fn check_argument(report: &mut Report<'_>, definition: &Definition, step: &PickleStep, at: Location) {
    let expression = shown(definition);
    match (definition.takes_argument, step.argument.is_some()) {
        (true, true) | (false, false) => {}
        (false, true) => report.add(
            Rule::Argument,
            at,
            format!("`{expression}` takes no table and no text, so the one below it is read by nobody"),
            "remove it, or look for the step that takes it with `accept steps WORD`",
        ),
        (true, false) => report.add(
            Rule::Argument,
            at,
            format!("`{expression}` needs a table or a text below it"),
            "write it; `accept steps` tells which, with an example",
        ),
    }
}

/// The values that the parameters of a step let through, where they are listed.
fn allowed_values(catalogue: Catalogue, definition: &Definition) -> String {
    let lists = catalogue.parameters_of(definition).filter_map(|parameter| {
        let values = parameter.allowed_values()?;
        let list = values.iter().map(|value| format!("{value:?}")).collect::<Vec<_>>().join(", ");
        Some(format!("\n     {{{}}} is one of {list}", parameter.name))
    });
    lists.collect()
}

fn shown(definition: &Definition) -> String {
    format!("{} {}", definition.keyword, definition.expression)
}
