//! Finds the places in the source that a pickle was made from.

use mycelium_schemas::messages::{
    Background, Examples, Feature, FeatureChild, GherkinDocument, Location, PickleStep, PickleStepType,
    RuleChild, Scenario, Step, TableRow, Tag,
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

/// All nodes of a document by their ids, which are an [`IdGenerator`](crate::IdGenerator)'s. Whoever looks for one node
/// after the other finds them side by side, in a document of any size.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AstIndex {
    /// Sorted by id.
    nodes: Vec<(u64, AstNode)>,
}

impl AstIndex {
    /// Indexes a document.
    pub fn new(document: &GherkinDocument) -> Self {
        let mut index = Self::default();
        if let Some(feature) = &document.feature {
            index.feature(feature);
        }
        index.nodes.sort_by_key(|(id, _)| *id);
        index
    }

    /// The node with this id.
    pub fn get(&self, id: &str) -> Option<&AstNode> {
        let at = self.nodes.binary_search_by_key(&id.parse().ok()?, |(id, _)| *id).ok()?;
        Some(&self.nodes[at].1)
    }

    /// The step as written that this one was made from.
    pub fn step(&self, step: &PickleStep) -> Option<&AstNode> {
        self.get(step.ast_node_ids.first()?)
    }

    fn feature(&mut self, feature: &Feature) {
        self.tags(&feature.tags);
        for child in &feature.children {
            match child {
                FeatureChild::Background(background) => self.background(background),
                FeatureChild::Scenario(scenario) => self.scenario(scenario),
                FeatureChild::Rule(rule) => {
                    self.insert(&rule.id, rule.location, Some(&rule.keyword));
                    self.tags(&rule.tags);
                    for child in &rule.children {
                        match child {
                            RuleChild::Background(background) => self.background(background),
                            RuleChild::Scenario(scenario) => self.scenario(scenario),
                        }
                    }
                }
            }
        }
    }

    fn insert(&mut self, id: &str, location: Location, keyword: Option<&String>) {
        // The id of another generator is not looked for here.
        let Ok(id) = id.parse() else { return };
        self.nodes.push((id, AstNode { location, keyword: keyword.cloned() }));
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
