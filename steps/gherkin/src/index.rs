//! Finds the places in the source that a pickle was made from.

use std::collections::HashMap;

use mycelium_schemas::messages::{
    Background, Examples, FeatureChild, GherkinDocument, Location, PickleStep, PickleStepType, RuleChild,
    Scenario, Step, TableRow, Tag,
};

/// What a step means: `Given`, `When` or `Then`, with `And` and `But` already resolved.
pub fn step_type_of(step: &PickleStep) -> PickleStepType {
    step.step_type.unwrap_or(PickleStepType::Unknown)
}

/// A node of the syntax tree, as far as messages to people need it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AstNode {
    /// Where it stands.
    pub location: Location,
    /// Its keyword as written; rows and tags have none.
    pub keyword: Option<String>,
}

/// All nodes of a document by their ids.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AstIndex {
    nodes: HashMap<String, AstNode>,
}

impl AstIndex {
    /// Indexes a document.
    pub fn new(document: &GherkinDocument) -> Self {
        let mut index = Self::default();
        let Some(feature) = &document.feature else { return index };
        index.tags(&feature.tags);
        for child in &feature.children {
            match child {
                FeatureChild::Background(background) => index.background(background),
                FeatureChild::Scenario(scenario) => index.scenario(scenario),
                FeatureChild::Rule(rule) => {
                    index.insert(&rule.id, rule.location, Some(&rule.keyword));
                    index.tags(&rule.tags);
                    for child in &rule.children {
                        match child {
                            RuleChild::Background(background) => index.background(background),
                            RuleChild::Scenario(scenario) => index.scenario(scenario),
                        }
                    }
                }
            }
        }
        index
    }

    /// The node with this id.
    pub fn get(&self, id: &str) -> Option<&AstNode> {
        self.nodes.get(id)
    }

    /// The step as written that this one was made from.
    pub fn step(&self, step: &PickleStep) -> Option<&AstNode> {
        self.get(step.ast_node_ids.first()?)
    }

    fn insert(&mut self, id: &str, location: Location, keyword: Option<&String>) {
        self.nodes.insert(id.to_owned(), AstNode { location, keyword: keyword.cloned() });
    }

    fn background(&mut self, background: &Background) {
        self.insert(&background.id, background.location, Some(&background.keyword));
        self.steps(&background.steps);
    }

    fn scenario(&mut self, scenario: &Scenario) {
        self.insert(&scenario.id, scenario.location, Some(&scenario.keyword));
        self.tags(&scenario.tags);
        self.steps(&scenario.steps);
        for Examples { id, location, keyword, tags, table_header, table_body, .. } in &scenario.examples {
            self.insert(id, *location, Some(keyword));
            self.tags(tags);
            self.rows(table_header.as_slice());
            self.rows(table_body);
        }
    }

    fn steps(&mut self, steps: &[Step]) {
        for step in steps {
            self.insert(&step.id, step.location, Some(&step.keyword));
            self.rows(step.data_table.as_ref().map_or(&[], |table| &table.rows));
        }
    }

    fn rows(&mut self, rows: &[TableRow]) {
        for row in rows {
            self.insert(&row.id, row.location, None);
        }
    }

    fn tags(&mut self, tags: &[Tag]) {
        for tag in tags {
            self.insert(&tag.id, tag.location, None);
        }
    }
}
