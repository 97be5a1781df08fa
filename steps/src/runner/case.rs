//! A scenario made ready to run: each step with its place and what it means.

use std::{fmt, time::Duration};

use cucumber::step::Context as StepContext;
use gherkin::{LineCol, Span, StepType, Table};
use mycelium_gherkin::AstNode;
use mycelium_schemas::messages::{Pickle, PickleStep, PickleStepType, Snippet, StepMatchArgument};

use super::{
    snippet,
    suite::Feature,
    tags::timeout_of,
    vocabulary::{Library, Matched, Resolution},
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
pub(super) struct Case<W> {
    pub(super) pickle_id: String,
    pub(super) name: String,
    pub(super) place: Place,
    /// Limit of the whole scenario, from its `@timeout` tag.
    pub(super) timeout: Option<Duration>,
    pub(super) steps: Vec<CaseStep<W>>,
}

/// A step of it.
pub(super) struct CaseStep<W> {
    pub(super) pickle_step_id: String,
    /// Keyword and text, as written.
    pub(super) text: String,
    pub(super) place: Place,
    pub(super) binding: Binding<W>,
    /// The definitions that match, each with what its parameters matched.
    pub(super) matches: Vec<(&'static Definition, Vec<StepMatchArgument>)>,
    /// Code that would define the step, where it is undefined.
    pub(super) snippets: Vec<Snippet>,
}

/// What a step means.
pub(super) enum Binding<W> {
    Call(Call<W>),
    Undefined,
    Ambiguous(Vec<&'static Definition>),
}

/// A step function with what it is called with.
pub(super) struct Call<W> {
    pub(super) function: cucumber::Step<W>,
    pub(super) context: StepContext,
    pub(super) definition: &'static Definition,
}

// By hand: a derive would ask the world to be `Clone`.
impl<W> Clone for Call<W> {
    fn clone(&self) -> Self {
        Self { function: self.function, context: self.context.clone(), definition: self.definition }
    }
}

impl<W> Clone for Binding<W> {
    fn clone(&self) -> Self {
        match self {
            Self::Call(call) => Self::Call(call.clone()),
            Self::Undefined => Self::Undefined,
            Self::Ambiguous(definitions) => Self::Ambiguous(definitions.clone()),
        }
    }
}

impl<W> Case<W> {
    pub(super) fn new(library: &Library<W>, feature: &Feature, pickle: &Pickle) -> Self {
        let line = pickle.location.map_or(0, |location| location.line);
        let steps = pickle.steps.iter().map(|step| CaseStep::new(library, feature, pickle, step)).collect();
        Self {
            pickle_id: pickle.id.clone(),
            name: pickle.name.clone(),
            place: Place { uri: pickle.uri.clone(), line },
            timeout: pickle.tags.iter().find_map(|tag| timeout_of(&tag.name)?.ok()),
            steps,
        }
    }
}

impl<W> CaseStep<W> {
    fn new(library: &Library<W>, feature: &Feature, pickle: &Pickle, step: &PickleStep) -> Self {
        let node = feature.step_node(step);
        let line = node.map_or(0, |node| node.location.line);
        let keyword = node.map_or("", keyword_of);
        let mut snippets = Vec::new();
        let (binding, definitions) = match library.vocabulary().resolve(step) {
            Resolution::Undefined => {
                snippets = snippet::suggest(step, kind_of(step), world_name::<W>());
                (Binding::Undefined, Vec::new())
            }
            Resolution::Ambiguous(definitions) => (Binding::Ambiguous(definitions.clone()), definitions),
            Resolution::Defined(matched) => {
                let definition = matched.definition;
                (Binding::Call(call(library, matched, step, node)), vec![definition])
            }
        };
        let arguments = |definition| library.vocabulary().arguments(definition, &step.text);
        let matches = definitions.into_iter().map(|definition| (definition, arguments(definition))).collect();
        Self {
            pickle_step_id: step.id.clone(),
            text: format!("{keyword} {}", step.text),
            place: Place { uri: pickle.uri.clone(), line },
            binding,
            matches,
            snippets,
        }
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

/// The type's name without its path.
fn world_name<W>() -> &'static str {
    let path = std::any::type_name::<W>();
    path.rsplit("::").next().unwrap_or(path)
}

fn call<W>(library: &Library<W>, matched: Matched, step: &PickleStep, node: Option<&AstNode>) -> Call<W> {
    let function = library.function(&matched);
    let step = to_gherkin(step, node, matched.definition.keyword);
    Call {
        function,
        context: StepContext { step, matches: matched.captures },
        definition: matched.definition,
    }
}

/// The step as step functions receive it.
fn to_gherkin(step: &PickleStep, node: Option<&AstNode>, keyword: Keyword) -> gherkin::Step {
    let position = node.map_or_else(LineCol::default, |node| LineCol {
        line: node.location.line as usize,
        col: node.location.column.unwrap_or(1) as usize,
    });
    let argument = step.argument.as_ref();
    gherkin::Step {
        keyword: node.map_or("", keyword_of).to_owned(),
        ty: match keyword {
            Keyword::Given => StepType::Given,
            Keyword::When => StepType::When,
            Keyword::Then => StepType::Then,
        },
        value: step.text.clone(),
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

/// The keyword as written, without the space behind it.
pub(crate) fn keyword_of(node: &AstNode) -> &str {
    node.keyword.as_deref().unwrap_or_default().trim_end()
}
