//! `accept steps`: the vocabulary of features, for those who write them.

use std::collections::HashMap;

use serde::Serialize;

use crate::{
    catalogue::{CATALOGUE, Definition, Keyword},
    cli::{args::StepsArgs, console::Console, error::CliError, project::Project},
    runner::{Library, Resolution, Vocabulary},
    world::MyceliumWorld,
};

#[derive(Debug, Serialize)]
struct Listed {
    keyword: String,
    expression: &'static str,
    negative: bool,
    doc: &'static str,
    place: String,
    /// How often features use it; none outside a checkout.
    uses: Option<usize>,
}

pub(in crate::cli) fn run(console: &Console, args: &StepsArgs) -> Result<u8, CliError> {
    let library = Library::<MyceliumWorld>::load(CATALOGUE)?;
    let vocabulary = library.vocabulary();
    let uses = count_uses(vocabulary);
    let search = args.search.as_deref().unwrap_or_default().to_lowercase();
    let found = |definition: &Definition| {
        format!("{} {} {}", definition.keyword, definition.expression, definition.doc)
            .to_lowercase()
            .contains(&search)
    };
    let mut listed: Vec<(Keyword, Listed)> = vocabulary
        .definitions()
        .filter(|definition| found(definition))
        .map(|definition| {
            let listed = Listed {
                keyword: definition.keyword.to_string(),
                expression: definition.expression,
                negative: definition.is_negative(),
                doc: definition.doc,
                place: definition.place(),
                uses: uses.as_ref().map(|uses| uses.get(&definition.place()).copied().unwrap_or_default()),
            };
            (definition.keyword, listed)
        })
        .collect();
    listed.sort_by_key(|(keyword, listed)| (*keyword, listed.expression));
    console.document(&listed.iter().map(|(_, listed)| listed).collect::<Vec<_>>())?;
    if !console.json {
        for (_, step) in &listed {
            print(console, step)?;
        }
        print_parameters(console, &listed)?;
    }
    if listed.is_empty() {
        console.say(format_args!("no step speaks of {search:?}"));
    }
    Ok(u8::from(listed.is_empty()))
}

fn print(console: &Console, step: &Listed) -> Result<(), CliError> {
    let negative = if step.negative { "  (says what must not happen)" } else { "" };
    console.print(format_args!("{} {}{negative}", step.keyword, step.expression))?;
    for line in step.doc.lines() {
        console.print(format_args!("    {line}"))?;
    }
    match step.uses {
        Some(uses) => console.print(format_args!("    {}, used {uses} times\n", step.place)),
        None => console.print(format_args!("    {}\n", step.place)),
    }
}

/// The allowed values of the parameters that occur in the list.
fn print_parameters(console: &Console, listed: &[(Keyword, Listed)]) -> Result<(), CliError> {
    for parameter in CATALOGUE.parameters {
        let braced = format!("{{{}}}", parameter.name);
        if listed.iter().any(|(_, step)| step.expression.contains(&braced)) {
            console.print(format_args!("{braced} matches {}", parameter.regex))?;
            for line in parameter.doc.lines() {
                console.print(format_args!("    {line}"))?;
            }
        }
    }
    Ok(())
}

/// How often each definition is used; none outside a checkout, where the catalogue alone still helps.
fn count_uses(vocabulary: &Vocabulary) -> Option<HashMap<String, usize>> {
    let suite = Project::locate().ok()?.suite(&[]).ok()?;
    let mut uses = HashMap::new();
    for (_, pickle) in suite.pickles() {
        for step in &pickle.steps {
            if let Resolution::Defined(matched) = vocabulary.resolve(step) {
                *uses.entry(matched.definition.place()).or_default() += 1;
            }
        }
    }
    Some(uses)
}
