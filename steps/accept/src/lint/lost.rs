//! Steps that got lost: Gherkin takes whatever stands between a title and the first step for a description, so a step there
//! whose keyword is misspelt or missing would never run, and nobody would hear of it.

use mycelium_gherkin::{step_keywords, title_keywords};
use mycelium_schemas::messages::{FeatureChild, Location, PickleStep};
use strsim::damerau_levenshtein;

use super::{Report, Rule};
use crate::{
    catalogue::Definition,
    runner::{Resolution, Vocabulary, suite::Feature},
};

const LOST: &str = "this line begins with no keyword of a step, so it is a description and never runs";
const LOST_TITLE: &str =
    "this line begins with no keyword, so it and all below it is a description and never runs";
/// Lines of one file for which the nearest step is looked for: that takes its time.
const LOOKED_FOR_MAX: usize = 200;

pub(super) fn check(report: &mut Report<'_>, feature: &Feature, vocabulary: &Vocabulary) {
    let Some(root) = &feature.document.feature else { return };
    let keywords: Vec<&str> = step_keywords(&root.language).collect();
    let titles: Vec<&str> = title_keywords(&root.language).collect();
    let mut reader = Reader { keywords: &keywords, vocabulary, looked_for: 0 };
    for Described { at, text, may_be_prose } in described(feature) {
        let mut line = at.line as usize;
        let mut told = false;
        for written in text.lines().map(str::trim).filter(|text| !text.is_empty()) {
            // Comments may stand between the lines of a description, so each is looked for.
            let rest = report.lines.get(line..).unwrap_or_default();
            let Some(found) = rest.iter().position(|candidate| candidate.trim() == written) else { continue };
            line += found + 1;
            if let Some(title) = misspelt_title(written, &titles) {
                let column = column_of(report.lines[line - 1]);
                let help = format!("did you mean `{title}:`?");
                report.add(Rule::LostStep, place(line, column), LOST_TITLE, help);
                // What stands below it is meant to be its.
                break;
            }
            let help = if let Some(meant) = reader.meant(written, may_be_prose) {
                let help = format!("did you mean `{} {}`?", meant.keyword, meant.expression);
                match invisible(written) {
                    Some(c) => format!("the line holds U+{:04X}, which nobody sees; {help}", u32::from(c)),
                    None => help,
                }
            } else if !may_be_prose && !told && is_argument(written) {
                // Below a step that is told it belongs to that.
                "a table or a text stands below a step; is the keyword of that step misspelt?".to_owned()
            } else {
                continue;
            };
            told = true;
            let column = column_of(report.lines[line - 1]);
            report.add(Rule::LostStep, place(line, column), LOST, help);
        }
    }
}

fn column_of(source: &str) -> usize {
    source.chars().take_while(|c| c.is_whitespace()).count() + 1
}

fn place(line: usize, column: usize) -> Location {
    let number = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    Location { line: number(line), column: Some(number(column)) }
}

/// The keyword of a part of the feature that a line begins with, but for a slip.
fn misspelt_title<'k>(line: &str, titles: &[&'k str]) -> Option<&'k str> {
    // Short ones have words for neighbours.
    const LETTERS_MIN: usize = 7;
    let (word, _) = line.split_once(':')?;
    let word = word.trim_end();
    let is_near = |title: &&&str| {
        title.chars().count() >= LETTERS_MIN
            && damerau_levenshtein(&word.to_lowercase(), &title.to_lowercase()) <= 2
    };
    titles.iter().find(is_near).copied()
}

/// A character that takes the place of a blank, or none at all, and is no blank to Gherkin.
fn invisible(line: &str) -> Option<char> {
    line.chars().find(|c| is_invisible(*c))
}

fn is_invisible(c: char) -> bool {
    matches!(c, '\u{a0}' | '\u{200b}'..='\u{200d}' | '\u{2060}' | '\u{feff}')
}

/// A line without what marks a list or stresses a word.
fn unmarked(line: &str) -> &str {
    let number = line.trim_start_matches(|c: char| c.is_ascii_digit());
    let line = number.strip_prefix(['.', ')']).filter(|_| number.len() < line.len()).unwrap_or(line);
    line.trim_start_matches(|c: char| "-*_•>#".contains(c) || c.is_whitespace() || is_invisible(c))
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

/// Reads the lines of one file.
struct Reader<'a> {
    keywords: &'a [&'a str],
    vocabulary: &'a Vocabulary,
    /// Lines for which the nearest step was looked for.
    looked_for: usize,
}

impl Reader<'_> {
    /// The step that a line of a description was meant as, where that can be told.
    fn meant(&mut self, line: &str, may_be_prose: bool) -> Option<&'static Definition> {
        let plain = unmarked(line);
        let (word, rest) = plain.split_once(char::is_whitespace).unwrap_or((plain, ""));
        let (word, rest) = (word.trim_end_matches(['*', '_']), rest.trim_start());
        let after_keyword = self.keywords.iter().any(|keyword| is_near(word, keyword)).then_some(rest);
        // With its colon, or without the blank behind it.
        let glued = self.keywords.iter().find_map(|keyword| line.strip_prefix(keyword));
        let glued = glued.map(|rest| rest.trim_start_matches(':').trim_start());
        let bare = (!may_be_prose).then_some(plain);
        let as_sentence = bare.map(uncapitalized);
        let texts = [after_keyword, glued, bare, as_sentence.as_deref()].into_iter().flatten();
        let exact = texts.filter(|text| !text.is_empty()).find_map(|text| exact(text, self.vocabulary));
        // A sentence goes on with "and" or "but"; a keyword has a capital letter.
        let is_sentence = word.chars().next().is_none_or(|c| !c.is_uppercase());
        if exact.is_some() || may_be_prose || is_sentence || self.looked_for == LOOKED_FOR_MAX {
            return exact;
        }
        let text = after_keyword?;
        self.looked_for += 1;
        let near = self.vocabulary.nearest(&step(text))?;
        // "The run …" is prose, and near to `Then the run …`.
        let begins_alike = near.expression.split(' ').next() == rest.split(' ').next();
        begins_alike.then_some(near)
    }
}

/// A text that begins with a small letter.
fn uncapitalized(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map_or_else(String::new, |first| first.to_lowercase().chain(characters).collect())
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
