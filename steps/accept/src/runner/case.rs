//! A scenario made ready to run: each step with its place and what it means.

use std::{collections::HashMap, fmt, sync::Arc, time::Duration};

use cucumber::step::{CaptureName, Context as StepContext};
use gherkin::{LineCol, Span, StepType, Table};
use mycelium_gherkin::AstNode;
use mycelium_schemas::messages::{
    Location, Pickle, PickleStep, PickleStepArgument, PickleStepType, Snippet, StepMatchArgument,
};

use super::{
    snippet,
    suite::Feature,
    tags::timeout_of,
    vocabulary::{Library, Resolution, VocabularyError},
};
use crate::catalogue::{Definition, Keyword};

/// `uri:line` of something in a feature file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The file, from the root.
    pub uri: String,
    /// One-based line.
    pub line: u32,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.uri, self.line)
    }
}

/// A scenario that is going to run.
pub(super) struct Case {
    pub(super) pickle_id: String,
    pub(super) name: String,
    pub(super) place: Place,
    /// Limit of the whole scenario, from its `@timeout` tag.
    pub(super) timeout: Option<Duration>,
    pub(super) steps: Vec<CaseStep>,
}

/// A step of it.
pub(super) struct CaseStep {
    pub(super) pickle_step_id: String,
    keyword: Arc<str>,
    location: Location,
    argument: Option<Box<PickleStepArgument>>,
    pub(super) meaning: Arc<Meaning>,
    /// Code that would define the step, where it is undefined.
    pub(super) snippets: Vec<Snippet>,
}

/// What a text means as a step of a type. Steps of one text share it: a suite says the same things again and again.
pub(super) struct Meaning {
    text: String,
    pub(super) binding: Binding,
    /// The definitions that match, by their index, each with what its parameters matched.
    pub(super) matches: Vec<(usize, Vec<StepMatchArgument>)>,
}

/// What is done for a step.
pub(super) enum Binding {
    Call(Call),
    Undefined,
    Ambiguous(Vec<&'static Definition>),
}

/// A step's function with what it takes from the text.
pub(super) struct Call {
    /// Its index.
    pub(super) function: usize,
    pub(super) definition: &'static Definition,
    captures: Vec<(CaptureName, String)>,
}

impl Binding {
    /// Whether it looks at the world and leaves it as it is.
    pub(super) fn is_then(&self) -> bool {
        matches!(self, Self::Call(call) if call.definition.keyword == Keyword::Then)
    }
}

impl Case {
    /// Where one of its steps stands.
    pub(super) fn place_of(&self, step: usize) -> Place {
        Place { uri: self.place.uri.clone(), line: self.steps[step].location.line }
    }
}

impl CaseStep {
    /// Keyword and text, as written.
    pub(super) fn text(&self) -> String {
        format!("{} {}", self.keyword, self.meaning.text)
    }

    /// What its function receives.
    pub(super) fn context(&self, call: &Call) -> StepContext {
        StepContext { step: self.to_gherkin(call.definition.keyword), matches: call.captures.clone() }
    }

    fn to_gherkin(&self, keyword: Keyword) -> gherkin::Step {
        let position = LineCol {
            line: self.location.line as usize,
            col: self.location.column.unwrap_or_default() as usize,
        };
        let argument = self.argument.as_deref();
        gherkin::Step {
            keyword: self.keyword.as_ref().to_owned(),
            ty: match keyword {
                Keyword::Given => StepType::Given,
                Keyword::When => StepType::When,
                Keyword::Then => StepType::Then,
            },
            value: self.meaning.text.clone(),
            docstring: argument.and_then(|a| a.doc_string.as_ref()).map(|doc| doc.content.clone()),
            table: argument.and_then(|a| a.data_table.as_ref()).map(|table| Table {
                rows: table
                    .rows
                    .iter()
                    .map(|row| row.cells.iter().map(|cell| cell.value.clone()).collect())
                    .collect(),
                span: Span::default(),
                position,
            }),
            span: Span::default(),
            position,
        }
    }
}

/// Makes cases of pickles, and remembers what their texts mean.
pub(super) struct Reader<'a> {
    library: &'a Library,
    meanings: HashMap<Option<PickleStepType>, HashMap<String, Arc<Meaning>>>,
    /// As they were written; a suite has a handful.
    keywords: Vec<Arc<str>>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(library: &'a Library) -> Self {
        Self { library, meanings: HashMap::new(), keywords: Vec::new() }
    }

    pub(super) fn case(&mut self, feature: &Feature, pickle: &Pickle) -> Result<Case, VocabularyError> {
        let line = pickle.location.map_or(0, |location| location.line);
        let steps = pickle.steps.iter().map(|step| self.step(feature.step_node(step), step));
        let steps = steps.collect::<Result<_, _>>()?;
        Ok(Case {
            pickle_id: pickle.id.clone(),
            name: pickle.name.clone(),
            place: Place { uri: pickle.uri.clone(), line },
            timeout: pickle.tags.iter().find_map(|tag| timeout_of(&tag.name)?.ok()),
            steps,
        })
    }

    fn step(&mut self, node: Option<&AstNode>, step: &PickleStep) -> Result<CaseStep, VocabularyError> {
        let meaning = self.meaning(step)?;
        let snippets = match meaning.binding {
            Binding::Undefined => snippet::suggest(step, kind_of(step), self.library.worlds().name()),
            Binding::Call(_) | Binding::Ambiguous(_) => Vec::new(),
        };
        Ok(CaseStep {
            pickle_step_id: step.id.clone(),
            keyword: self.keyword(node.map_or("", keyword_of)),
            location: node.map_or(Location { line: 0, column: Some(0) }, |node| Location {
                line: node.location.line,
                column: Some(node.location.column.unwrap_or(1)),
            }),
            argument: step.argument.clone().map(Box::new),
            meaning,
            snippets,
        })
    }

    fn meaning(&mut self, step: &PickleStep) -> Result<Arc<Meaning>, VocabularyError> {
        let known = self.meanings.entry(step.step_type).or_default();
        if let Some(meaning) = known.get(&step.text) {
            return Ok(meaning.clone());
        }
        let meaning = Arc::new(Meaning::new(self.library, step)?);
        known.insert(step.text.clone(), meaning.clone());
        Ok(meaning)
    }

    fn keyword(&mut self, keyword: &str) -> Arc<str> {
        if let Some(known) = self.keywords.iter().find(|known| ***known == *keyword) {
            return known.clone();
        }
        let keyword: Arc<str> = keyword.into();
        self.keywords.push(keyword.clone());
        keyword
    }
}

impl Meaning {
    fn new(library: &Library, step: &PickleStep) -> Result<Self, VocabularyError> {
        let vocabulary = library.vocabulary();
        let (binding, definitions) = match vocabulary.resolve(step) {
            Resolution::Undefined => (Binding::Undefined, Vec::new()),
            Resolution::Ambiguous(definitions) => (Binding::Ambiguous(definitions.clone()), definitions),
            Resolution::Defined(matched) => {
                let (function, definition) = (matched.index, matched.definition);
                (Binding::Call(Call { function, definition, captures: matched.captures }), vec![definition])
            }
        };
        let indices = definitions.into_iter().filter_map(|definition| vocabulary.index_of(definition));
        let matches = indices.map(|index| Ok((index, vocabulary.arguments(index, &step.text)?)));
        Ok(Self { text: step.text.clone(), binding, matches: matches.collect::<Result<_, _>>()? })
    }
}

/// Which kind of definition a step asks for.
fn kind_of(step: &PickleStep) -> Keyword {
    match step.step_type {
        Some(PickleStepType::Action) => Keyword::When,
        Some(PickleStepType::Outcome) => Keyword::Then,
        // A `*` that begins a scenario most likely puts the world in a state.
        Some(PickleStepType::Context | PickleStepType::Unknown) | None => Keyword::Given,
    }
}

/// The keyword as written, without the space behind it.
pub(crate) fn keyword_of(node: &AstNode) -> &str {
    node.keyword.as_deref().unwrap_or_default().trim_end()
}
