//! Goals: what each declares has to be something that a step asserts. Once reviewed it is locked, so that a slip of the pen
//! would have to be signed off.

use mycelium_schemas::{
    goal::spec::{AssertionName, Goal},
    problem::{Source, did_you_mean},
};

use super::{EXCERPT_MAX, LintProblem, Rule, beginning};
use crate::runner::Vocabulary;

/// An assertion that a goal declares and no step makes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unmade<'g> {
    /// Its name.
    pub name: &'g AssertionName,
    /// What may have been meant.
    pub help: String,
}

/// Those of a goal, each once.
pub fn unmade<'g>(goal: &'g Goal, vocabulary: &Vocabulary) -> Vec<Unmade<'g>> {
    let made = vocabulary.catalogue().assertions;
    let claims = goal.must_not.iter().chain(&goal.witness).chain(&goal.control);
    let mut names: Vec<&AssertionName> = claims.map(|claim| &claim.assertion).collect();
    names.sort();
    names.dedup();
    names.retain(|name| !made.contains(&name.as_str()));
    names.into_iter().map(|name| Unmade { name, help: help(name, made) }).collect()
}

/// The problems of goals, at their places in the files that they were read from.
pub fn lint_goals(goals: &[Goal], files: &[Source], vocabulary: &Vocabulary) -> Vec<LintProblem> {
    let problems = goals.iter().flat_map(|goal| {
        let file = files.iter().find(|file| file.name.ends_with(&format!("/{}.yaml", goal.id)));
        let found = unmade(goal, vocabulary);
        found.into_iter().filter_map(move |unmade| Some(problem(file?, goal, &unmade)))
    });
    problems.collect()
}

fn problem(file: &Source, goal: &Goal, Unmade { name, help }: &Unmade<'_>) -> LintProblem {
    let (line, column, excerpt) = place(&file.text, name.as_str());
    LintProblem {
        uri: file.name.to_string(),
        line,
        column,
        rule: Rule::UnknownAssertion,
        message: format!("no step makes the assertion {name}, so nothing can prove {}", goal.id),
        help: help.clone(),
        excerpt: beginning(excerpt, EXCERPT_MAX),
    }
}

/// Line and column, from 1, at which a name stands by itself, and the line; the first ones where it is written otherwise.
fn place<'t>(text: &'t str, name: &str) -> (u32, u32, &'t str) {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.';
    for (number, line) in (1..).zip(text.lines()) {
        for (at, _) in line.match_indices(name) {
            let (before, after) = (&line[..at], &line[at + name.len()..]);
            if !before.ends_with(is_part) && !after.starts_with(is_part) {
                let column = u32::try_from(before.chars().count() + 1).unwrap_or(u32::MAX);
                return (number, column, line);
            }
        }
    }
    (1, 1, text.lines().next().unwrap_or_default())
}

fn help(name: &AssertionName, made: &[&str]) -> String {
    if let Some(near) = did_you_mean(name.as_str(), made.iter().copied()) {
        return format!("did you mean `{near}`?");
    }
    let kind = name.as_str().split_inclusive('.').next().unwrap_or_default();
    let alike: Vec<&str> = made.iter().copied().filter(|made| made.starts_with(kind)).collect();
    format!("write the step that makes it first; of its kind there are {}", alike.join(", "))
}
