//! The step library: which definition a step means, and the function that carries it out.
//!
//! The registry of the `cucumber` crate holds places, patterns and functions; the catalogue holds expressions and doc
//! comments. Both are joined here by place, and a step known to only one of them is an error: a step library that was
//! not linked in, or a catalogue of another build, must not run anything.

use std::sync::{Arc, OnceLock};

use cucumber::{
    World,
    codegen::{LazyRegex, StepConstructor, WorldInventory},
    step::Location,
};
use mycelium_schemas::{
    messages::{PickleStep, PickleStepType, StepMatchArgument},
    problem::did_you_mean,
};
use regex::{Captures, Regex};

use super::{
    any_world::{Functions, Worlds},
    groups::ArgumentPattern,
};
use crate::catalogue::{BUILT_IN, Catalogue, Definition, Keyword, Pattern};

/// Why a step library cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum VocabularyError {
    /// Nothing is registered: the crate with the steps was not linked in.
    #[error("no {0} step is registered; the step library is not linked into this program")]
    Empty(Keyword),
    /// A registered step that the catalogue does not know.
    #[error("the step at {0} is not in the step catalogue; build again")]
    Uncatalogued(String),
    /// A catalogued step that is not registered.
    #[error("the step at {0} is in the step catalogue, but not registered; is its module compiled in?")]
    Unregistered(String),
    /// The groups of a step's pattern cannot be told apart.
    #[error("the pattern of the step at {place} cannot be read")]
    Pattern {
        /// The step.
        place: String,
        /// Why.
        source: Box<regex::Error>,
    },
    /// An expression names a parameter type that the catalogue does not know.
    #[error("the step at {place} has the parameter {{{name}}}, which is not in the step catalogue")]
    UnknownParameter {
        /// The step.
        place: String,
        /// The parameter's name.
        name: String,
    },
}

/// What a step means.
#[derive(Debug)]
pub enum Resolution {
    /// Exactly one definition.
    Defined(Matched),
    /// None.
    Undefined,
    /// More than one.
    Ambiguous(Vec<&'static Definition>),
}

/// A step matched with its only definition.
#[derive(Debug)]
pub struct Matched {
    /// Index of the definition in its vocabulary.
    pub index: usize,
    /// The definition.
    pub definition: &'static Definition,
    /// The whole match and its groups, as the `cucumber` crate hands them to the step's function.
    pub captures: Vec<(Option<String>, String)>,
}

/// A pattern with the texts that everything it matches is taken to begin and end with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FixedEnds<'a> {
    /// The regular expression.
    pub pattern: &'a str,
    /// The texts.
    pub ends: (&'static str, &'static str),
}

/// All definitions with their patterns.
#[derive(Debug)]
pub struct Vocabulary {
    entries: Vec<Entry>,
    catalogue: Catalogue,
}

/// A definition with what it matches. A pattern is compiled when a text may be one of its own: a run of few scenarios
/// would spend most of its start on patterns that it does not use.
#[derive(Debug)]
struct Entry {
    definition: &'static Definition,
    /// What every text of it begins and ends with.
    ends: (&'static str, &'static str),
    pattern: LazyRegex,
    regex: OnceLock<Regex>,
    arguments: OnceLock<ArgumentPattern>,
}

impl Entry {
    fn new(definition: &'static Definition, pattern: LazyRegex) -> Self {
        let ends = fixed_ends(definition);
        Self { definition, ends, pattern, regex: OnceLock::new(), arguments: OnceLock::new() }
    }

    fn regex(&self) -> &Regex {
        self.regex.get_or_init(self.pattern)
    }

    fn captures<'t>(&self, text: &'t str) -> Option<Captures<'t>> {
        let (beginning, end) = self.ends;
        if text.starts_with(beginning) && text.ends_with(end) { self.regex().captures(text) } else { None }
    }

    fn arguments(&self) -> Result<&ArgumentPattern, VocabularyError> {
        if let Some(arguments) = self.arguments.get() {
            return Ok(arguments);
        }
        let arguments =
            ArgumentPattern::new(self.regex(), self.definition.parameters()).map_err(|source| {
                VocabularyError::Pattern { place: self.definition.place(), source: Box::new(source) }
            })?;
        Ok(self.arguments.get_or_init(|| arguments))
    }
}

/// The texts that a definition's pattern begins and ends with, whatever its parameters are: of an expression the whole
/// words before the first and behind the last character that stands for more than itself.
fn fixed_ends(definition: &Definition) -> (&'static str, &'static str) {
    const SPECIAL: [char; 6] = ['{', '}', '(', ')', '/', '\\'];
    let expression = definition.expression;
    match (definition.pattern, expression.find(SPECIAL), expression.rfind(SPECIAL)) {
        (Pattern::Regex, ..) => ("", ""),
        (Pattern::Expression, Some(first), Some(last)) => {
            let begins = expression[..first].rfind(' ').map_or(0, |space| space + 1);
            let ends = expression[last..].find(' ').map_or(expression.len(), |space| last + space);
            (&expression[..begins], &expression[ends..])
        }
        (Pattern::Literal | Pattern::Expression, ..) => (expression, expression),
    }
}

/// A vocabulary with the world that its steps work on.
pub struct Library {
    vocabulary: Vocabulary,
    worlds: Arc<dyn Worlds>,
}

impl std::fmt::Debug for Library {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Library").field("vocabulary", &self.vocabulary).finish_non_exhaustive()
    }
}

/// Loads the step library, for the commands that need it.
pub type Loader = fn() -> Result<Library, VocabularyError>;

/// A step as it is registered.
struct Registered {
    keyword: Keyword,
    location: Location,
    pattern: LazyRegex,
}

impl Library {
    /// Joins what is registered for a world with its catalogue.
    pub fn load<W: World + WorldInventory>(catalogue: Catalogue) -> Result<Self, VocabularyError> {
        let mut steps: Vec<(Registered, cucumber::Step<W>)> = Vec::new();
        let mut add = |keyword, (location, pattern, function): (Location, LazyRegex, cucumber::Step<W>)| {
            steps.push((Registered { keyword, location, pattern }, function));
        };
        for step in inventory::iter::<W::Given> {
            add(Keyword::Given, step.inner());
        }
        for step in inventory::iter::<W::When> {
            add(Keyword::When, step.inner());
        }
        for step in inventory::iter::<W::Then> {
            add(Keyword::Then, step.inner());
        }
        // The order of registration is the linker's; ours is that of the sources.
        steps.sort_by_key(|(registered, _)| registered.location);
        let (registered, functions): (Vec<_>, Vec<_>) = steps.into_iter().unzip();
        let vocabulary = Vocabulary::join(registered, catalogue)?;
        Ok(Self { vocabulary, worlds: Arc::new(Functions(functions.into())) })
    }

    /// The definitions.
    pub fn vocabulary(&self) -> &Vocabulary {
        &self.vocabulary
    }

    /// What makes the worlds of its scenarios; their steps go by the indices of their definitions.
    pub(super) fn worlds(&self) -> &Arc<dyn Worlds> {
        &self.worlds
    }
}

impl Vocabulary {
    fn join(registered: Vec<Registered>, catalogue: Catalogue) -> Result<Self, VocabularyError> {
        for keyword in [Keyword::Given, Keyword::When, Keyword::Then] {
            let is_catalogued = catalogue.definitions.iter().any(|definition| definition.keyword == keyword);
            if is_catalogued && !registered.iter().any(|step| step.keyword == keyword) {
                return Err(VocabularyError::Empty(keyword));
            }
        }
        let mut entries = Vec::with_capacity(registered.len());
        for Registered { keyword, location, pattern } in registered {
            let definition = catalogue
                .at(location.path, location.line)
                .filter(|definition| definition.keyword == keyword)
                .ok_or_else(|| VocabularyError::Uncatalogued(location.to_string()))?;
            entries.push(Entry::new(definition, pattern));
        }
        let is_registered = |d: &Definition| entries.iter().any(|entry| std::ptr::eq(entry.definition, d));
        let missing = catalogue.definitions.iter().find(|definition| !is_registered(definition));
        if let Some(missing) = missing {
            return Err(VocabularyError::Unregistered(missing.place()));
        }
        for definition in catalogue.definitions {
            let built_in = |name: &str| BUILT_IN.iter().any(|(known, _)| *known == name);
            let known = |name: &str| built_in(name) || catalogue.parameters.iter().any(|p| p.name == name);
            if let Some(name) = definition.parameters().into_iter().find(|name| !known(name)) {
                let (place, name) = (definition.place(), name.to_owned());
                return Err(VocabularyError::UnknownParameter { place, name });
            }
        }
        Ok(Self { entries, catalogue })
    }

    /// Compiles every pattern, which a run does with those alone that it needs.
    pub fn patterns(&self) -> Result<Vec<FixedEnds<'_>>, VocabularyError> {
        let entries = self.entries.iter();
        entries
            .map(|entry| {
                entry.arguments()?;
                Ok(FixedEnds { pattern: entry.regex().as_str(), ends: entry.ends })
            })
            .collect()
    }

    /// The definitions, in the order of their sources.
    pub fn definitions(&self) -> impl ExactSizeIterator<Item = &'static Definition> {
        self.entries.iter().map(|entry| entry.definition)
    }

    /// The catalogue it was made from.
    pub fn catalogue(&self) -> Catalogue {
        self.catalogue
    }

    /// Index of a definition.
    pub(super) fn index_of(&self, definition: &Definition) -> Option<usize> {
        self.entries.iter().position(|entry| std::ptr::eq(entry.definition, definition))
    }

    /// What the parameters of a definition matched in a text, as Cucumber Messages describe it.
    pub(super) fn arguments(
        &self,
        index: usize,
        text: &str,
    ) -> Result<Vec<StepMatchArgument>, VocabularyError> {
        Ok(self.entries[index].arguments()?.arguments(text))
    }

    /// What a step means.
    pub fn resolve(&self, step: &PickleStep) -> Resolution {
        let mut matches = self
            .entries
            .iter()
            .enumerate()
            .filter(|(_, entry)| answers(entry.definition.keyword, step.step_type))
            .filter_map(|(index, entry)| Some((index, entry, entry.captures(&step.text)?)));
        let Some((index, entry, captures)) = matches.next() else {
            return Resolution::Undefined;
        };
        let definition = entry.definition;
        let others: Vec<&'static Definition> = matches.map(|(_, other, _)| other.definition).collect();
        if !others.is_empty() {
            return Resolution::Ambiguous([vec![definition], others].concat());
        }
        let captures = entry
            .regex()
            .capture_names()
            .zip(captures.iter())
            .map(|(name, group)| (name.map(str::to_owned), group.map_or("", |g| g.as_str()).to_owned()))
            .collect();
        Resolution::Defined(Matched { index, definition, captures })
    }

    /// The definition nearest to a step that means nothing: the same text under another keyword, or a likely typo.
    pub fn nearest(&self, step: &PickleStep) -> Option<&'static Definition> {
        if let Some(entry) = self.entries.iter().find(|entry| entry.captures(&step.text).is_some()) {
            return Some(entry.definition);
        }
        let text = skeleton(&step.text);
        let candidates: Vec<(String, &'static Definition)> = self
            .definitions()
            .filter(|definition| answers(definition.keyword, step.step_type))
            .map(|definition| (skeleton(definition.expression), definition))
            .collect();
        let nearest = did_you_mean(&text, candidates.iter().map(|(text, _)| text.as_str()))?;
        candidates.iter().find(|(text, _)| text == nearest).map(|(_, definition)| *definition)
    }
}

/// Whether a definition of a kind answers to a step of a type.
fn answers(keyword: Keyword, step_type: Option<PickleStepType>) -> bool {
    match step_type {
        Some(PickleStepType::Context) => keyword == Keyword::Given,
        Some(PickleStepType::Action) => keyword == Keyword::When,
        Some(PickleStepType::Outcome) => keyword == Keyword::Then,
        // A `*` that begins a scenario says nothing of its kind.
        Some(PickleStepType::Unknown) | None => true,
    }
}

/// A step's text without its values, and an expression without the names of its parameters, so that both compare by
/// their words.
fn skeleton(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let closing = match c {
            '"' => Some('"'),
            '{' => Some('}'),
            _ => None,
        };
        let end = closing.and_then(|closing| rest[1..].find(closing));
        if let Some(end) = end {
            out.push('_');
            rest = &rest[end + 2..];
        } else if c.is_ascii_digit() {
            out.push('_');
            rest = rest.trim_start_matches(|c: char| c.is_ascii_digit());
        } else {
            out.push(c);
            rest = &rest[c.len_utf8()..];
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::tests::definition;

    #[test]
    fn the_ends_of_an_expression_are_the_words_around_all_that_stands_for_more_than_itself() {
        let ends = |pattern, expression| fixed_ends(&definition(pattern, expression));
        let of_expression = |expression| ends(Pattern::Expression, expression);
        assert_eq!(of_expression("the run is blocked"), ("the run is blocked", "the run is blocked"));
        assert_eq!(of_expression("the file {string} is there"), ("the file ", " is there"));
        assert_eq!(of_expression("a big dog(s)/cat runs"), ("a big ", " runs"));
        assert_eq!(of_expression("it runs/walk(s)"), ("it ", ""));
        assert_eq!(of_expression(r"there \{is} one\ or two"), ("there ", " or two"));
        assert_eq!(of_expression("{int} of them"), ("", " of them"));
        assert_eq!(ends(Pattern::Literal, "a (b) {c}"), ("a (b) {c}", "a (b) {c}"));
        assert_eq!(ends(Pattern::Regex, "^a (b)$"), ("", ""));
    }

    #[test]
    fn a_step_and_its_expression_compare_by_their_words() {
        assert_eq!(
            skeleton(r#"the log has a "budget.block" event 12 times"#),
            skeleton("the log has a {string} event {int} times")
        );
        assert_ne!(skeleton("the run is blocked"), skeleton("the run is complete"));
        assert_eq!(skeleton("an open \" quote {"), "an open \" quote {");
    }
}
