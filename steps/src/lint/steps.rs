//! Steps: each has exactly one meaning.

use super::{Report, Rule};
use crate::{
    catalogue::Definition,
    runner::{Resolution, Vocabulary, keyword_of, suite::Feature},
};

pub(super) fn check(report: &mut Report<'_>, feature: &Feature, vocabulary: &Vocabulary) {
    for pickle in &feature.pickles {
        for step in &pickle.steps {
            let Some(node) = feature.step_node(step) else { continue };
            match vocabulary.resolve(step) {
                Resolution::Defined(_) => {}
                Resolution::Undefined => {
                    let help = vocabulary.nearest(step).map_or_else(
                        || "look for the step to use with `accept steps WORD`".to_owned(),
                        |nearest| {
                            format!(
                                "did you mean `{}`? It is declared at {}",
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

fn shown(definition: &Definition) -> String {
    format!("{} {}", definition.keyword, definition.expression)
}
