//! Steps that got lost: Gherkin takes whatever stands between a title and the first step for a description, so a step there
//! whose keyword is misspelt or missing would never run, and nobody would hear of it.

use mycelium_gherkin::step_keywords;
use mycelium_schemas::messages::{FeatureChild, Location, PickleStep};
use strsim::damerau_levenshtein;

use super::{Report, Rule};
use crate::{
    catalogue::Definition,
    runner::{Resolution, Vocabulary, suite::Feature},
};

const LOST: &str = "this line begins with no keyword of a step, so it is a description and never runs";

pub(super) fn check(report: &mut Report<'_>, feature: &Feature, vocabulary: &Vocabulary) {
    let Some(root) = &feature.document.feature else { return };
    let keywords: Vec<&str> = step_keywords(&root.language).collect();
    for Described { at, text, may_be_prose } in described(feature) {
        let mut line = at.line as usize;
        let mut told = false;
        for written in text.lines().map(str::trim).filter(|text| !text.is_empty()) {
            // Comments may stand between the lines of a description, so each is looked for.
            let rest = report.lines.get(line..).unwrap_or_default();
            let Some(found) = rest.iter().position(|candidate| candidate.trim() == written) else { continue };
            line += found + 1;
            let help = if let Some(meant) = meant(written, &keywords, vocabulary, may_be_prose) {
                format!("did you mean `{} {}`?", meant.keyword, meant.expression)
            } else if !may_be_prose && !told && is_argument(written) {
                // Below a step that is told it belongs to that.
                "a table or a text stands below a step; is the keyword of that step misspelt?".to_owned()
            } else {
                continue;
            };
            told = true;
            let source = report.lines[line - 1];
            let column = source.chars().take_while(|c| c.is_whitespace()).count() + 1;
            let number = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
            let place = Location { line: number(line), column: Some(number(column)) };
            report.add(Rule::LostStep, place, LOST, help);
        }
    }
}

/// A description, and where the title above it stands.
struct Described<'a> {
    at: Location,
    text: &'a str,
    /// No step belongs there.
    may_be_prose: bool,
}

fn described(feature: &Feature) -> Vec<Described<'_>> {
    let of_steps = |at, text| Described { at, text, may_be_prose: false };
    let of_prose = |at, text| Described { at, text, may_be_prose: true };
    let mut all = Vec::new();
    if let Some(node) = &feature.document.feature {
        all.push(of_prose(node.location, node.description.as_str()));
        let rules = node.children.iter().filter_map(|child| match child {
            FeatureChild::Rule(rule) => Some(rule),
            FeatureChild::Background(_) | FeatureChild::Scenario(_) => None,
        });
        all.extend(rules.map(|rule| of_prose(rule.location, rule.description.as_str())));
    }
    all.extend(
        feature.backgrounds().map(|background| of_steps(background.location, &background.description)),
    );
    for scenario in feature.scenarios() {
        all.push(of_steps(scenario.location, &scenario.description));
        let examples = scenario.examples.iter();
        all.extend(examples.map(|examples| of_prose(examples.location, examples.description.as_str())));
    }
    all
}

/// What begins the table or the text of a step.
fn is_argument(line: &str) -> bool {
    ["|", "\"\"\"", "```"].into_iter().any(|beginning| line.starts_with(beginning))
}

/// The step that a line of a description was meant as, where that can be told.
fn meant(
    line: &str,
    keywords: &[&str],
    vocabulary: &Vocabulary,
    may_be_prose: bool,
) -> Option<&'static Definition> {
    let (word, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let rest = rest.trim_start();
    let after_keyword = keywords.iter().any(|keyword| is_near(word, keyword)).then_some(rest);
    // With its colon, or without the blank behind it.
    let glued = keywords.iter().find_map(|keyword| line.strip_prefix(keyword));
    let glued = glued.map(|rest| rest.trim_start_matches(':').trim_start());
    let bare = (!may_be_prose).then_some(line);
    let texts = [after_keyword, glued, bare].into_iter().flatten();
    let exact = texts.filter(|text| !text.is_empty()).find_map(|text| exact(text, vocabulary));
    exact.or_else(|| {
        let near = vocabulary.nearest(&step(after_keyword?))?;
        // "The run …" is prose, and near to `Then the run …`.
        let begins_alike = near.expression.split(' ').next() == rest.split(' ').next();
        (!may_be_prose && begins_alike).then_some(near)
    })
}

fn exact(text: &str, vocabulary: &Vocabulary) -> Option<&'static Definition> {
    match vocabulary.resolve(&step(text)) {
        Resolution::Defined(matched) => Some(matched.definition),
        Resolution::Ambiguous(definitions) => definitions.first().copied(),
        Resolution::Undefined => None,
    }
}

/// A step of no kind.
fn step(text: &str) -> PickleStep {
    PickleStep {
        argument: None,
        ast_node_ids: Vec::new(),
        id: String::new(),
        step_type: None,
        text: text.to_owned(),
    }
}

/// Whether a word may be a keyword that somebody misspelt, or the keyword in another case.
fn is_near(word: &str, keyword: &str) -> bool {
    const LETTERS_MIN: usize = 4;
    let (word, keyword) = (word.trim_end_matches(':').to_lowercase(), keyword.to_lowercase());
    let distance_max = if keyword.chars().count() < LETTERS_MIN { 1 } else { 2 };
    damerau_levenshtein(&word, &keyword) <= distance_max
}
