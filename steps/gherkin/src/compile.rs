//! Makes pickles of a syntax tree: one for each scenario, one for each row of a scenario outline.

use mycelium_schemas::messages::{
    Examples, FeatureChild, GherkinDocument, Pickle, PickleDocString, PickleStep, PickleStepArgument,
    PickleStepType, PickleTable, PickleTableCell, PickleTableRow, PickleTag, RuleChild, Scenario, Step,
    StepKeywordType, TableCell, TableRow, Tag,
};

use crate::ids::IdGenerator;

/// Compiles a document. Use the generator that parsed it, so that ids differ within the stream.
pub fn compile(document: &GherkinDocument, uri: &str, ids: &mut IdGenerator) -> Vec<Pickle> {
    let Some(feature) = &document.feature else { return Vec::new() };
    let mut compiler = Compiler { uri, language: &feature.language, ids, pickles: Vec::new() };
    let mut scope = Scope::default().within(&feature.tags);
    for child in &feature.children {
        match child {
            FeatureChild::Background(background) => scope.steps.extend(&background.steps),
            FeatureChild::Scenario(scenario) => compiler.scenario(&scope, scenario),
            FeatureChild::Rule(rule) => {
                let mut scope = scope.within(&rule.tags);
                for child in &rule.children {
                    match child {
                        RuleChild::Background(background) => scope.steps.extend(&background.steps),
                        RuleChild::Scenario(scenario) => compiler.scenario(&scope, scenario),
                    }
                }
            }
        }
    }
    compiler.pickles
}

/// What a scenario inherits from the feature and rule around it.
#[derive(Debug, Clone, Default)]
struct Scope<'d> {
    tags: Vec<&'d Tag>,
    /// Steps of the backgrounds.
    steps: Vec<&'d Step>,
}

impl<'d> Scope<'d> {
    /// The scope with these tags too.
    fn within(&self, tags: &'d [Tag]) -> Self {
        let mut scope = self.clone();
        scope.tags.extend(tags);
        scope
    }
}

/// The row of examples that a pickle is made from.
#[derive(Debug, Clone, Copy)]
struct Example<'d> {
    header: &'d TableRow,
    row: &'d TableRow,
}

impl Example<'_> {
    /// Replaces each `<name>` by the row's value, one column after the other.
    fn interpolate(self, text: &str) -> String {
        let columns = self.header.cells.iter().zip(&self.row.cells);
        columns.fold(text.to_owned(), |text, (name, value)| replace_placeholder(&text, name, value))
    }
}

fn replace_placeholder(text: &str, name: &TableCell, value: &TableCell) -> String {
    text.replace(&format!("<{}>", name.value), &value.value)
}

struct Compiler<'d, 'i> {
    uri: &'d str,
    language: &'d str,
    ids: &'i mut IdGenerator,
    pickles: Vec<Pickle>,
}

impl<'d> Compiler<'d, '_> {
    fn scenario(&mut self, scope: &Scope<'d>, scenario: &'d Scenario) {
        let scope = scope.within(&scenario.tags);
        if scenario.examples.is_empty() {
            self.pickle(&scope, scenario, None);
        }
        for Examples { tags, table_header, table_body, .. } in &scenario.examples {
            let Some(header) = table_header else { continue };
            let scope = scope.within(tags);
            for row in table_body {
                self.pickle(&scope, scenario, Some(Example { header, row }));
            }
        }
    }

    fn pickle(&mut self, scope: &Scope<'d>, scenario: &'d Scenario, example: Option<Example<'d>>) {
        let row = example.map(|example| example.row);
        let steps = self.steps(scope, scenario, example);
        let pickle = Pickle {
            id: self.ids.next_id(),
            uri: self.uri.to_owned(),
            location: Some(row.map_or(scenario.location, |row| row.location)),
            name: interpolate(&scenario.name, example),
            language: self.language.to_owned(),
            steps,
            tags: scope.tags.iter().map(|tag| pickle_tag(tag)).collect(),
            ast_node_ids: ast_node_ids(&scenario.id, row),
        };
        self.pickles.push(pickle);
    }

    /// Backgrounds are there for steps: a scenario without any stays empty.
    fn steps(
        &mut self,
        scope: &Scope<'d>,
        scenario: &'d Scenario,
        example: Option<Example<'d>>,
    ) -> Vec<PickleStep> {
        if scenario.steps.is_empty() {
            return Vec::new();
        }
        // Placeholders of the examples mean nothing in a background.
        let inherited = scope.steps.iter().map(|step| (*step, None));
        let own = scenario.steps.iter().map(|step| (step, example));
        let mut step_type = PickleStepType::Unknown;
        let mut steps = Vec::new();
        for (step, example) in inherited.chain(own) {
            step_type = resolve(step.keyword_type, step_type);
            steps.push(PickleStep {
                argument: argument(step, example),
                ast_node_ids: ast_node_ids(&step.id, example.map(|example| example.row)),
                id: self.ids.next_id(),
                step_type: Some(step_type),
                text: interpolate(&step.text, example),
            });
        }
        steps
    }
}

/// The meaning of a step; a conjunction means what the step before it means.
fn resolve(keyword_type: Option<StepKeywordType>, before: PickleStepType) -> PickleStepType {
    match keyword_type {
        Some(StepKeywordType::Context) => PickleStepType::Context,
        Some(StepKeywordType::Action) => PickleStepType::Action,
        Some(StepKeywordType::Outcome) => PickleStepType::Outcome,
        Some(StepKeywordType::Conjunction) => before,
        Some(StepKeywordType::Unknown) | None => PickleStepType::Unknown,
    }
}

fn ast_node_ids(node: &str, row: Option<&TableRow>) -> Vec<String> {
    std::iter::once(node).chain(row.map(|row| row.id.as_str())).map(str::to_owned).collect()
}

fn pickle_tag(tag: &Tag) -> PickleTag {
    PickleTag { name: tag.name.clone(), ast_node_id: tag.id.clone() }
}

fn interpolate(text: &str, example: Option<Example<'_>>) -> String {
    example.map_or_else(|| text.to_owned(), |example| example.interpolate(text))
}

/// The table and doc string of a step; where there are both, each says which comes first.
fn argument(step: &Step, example: Option<Example<'_>>) -> Option<PickleStepArgument> {
    let (doc_string_index, data_table_index) = match (&step.doc_string, &step.data_table) {
        (None, None) => return None,
        (Some(doc_string), Some(table)) if doc_string.location < table.location => (Some(1), Some(2)),
        (Some(_), Some(_)) => (Some(2), Some(1)),
        _ => (None, None),
    };
    let doc_string = step.doc_string.as_ref().map(|doc_string| PickleDocString {
        argument_index: doc_string_index,
        media_type: doc_string.media_type.as_ref().map(|media_type| interpolate(media_type, example)),
        content: interpolate(&doc_string.content, example),
    });
    let data_table = step.data_table.as_ref().map(|table| PickleTable {
        argument_index: data_table_index,
        rows: table.rows.iter().map(|row| pickle_row(row, example)).collect(),
    });
    Some(PickleStepArgument { doc_string, data_table })
}

fn pickle_row(row: &TableRow, example: Option<Example<'_>>) -> PickleTableRow {
    let cells = row.cells.iter().map(|cell| PickleTableCell { value: interpolate(&cell.value, example) });
    PickleTableRow { cells: cells.collect() }
}
