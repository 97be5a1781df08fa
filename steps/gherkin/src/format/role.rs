//! What each line of a feature file is, and where it belongs on the page.

use mycelium_schemas::messages::{
    Background, DocString, FeatureChild, GherkinDocument, Location, RuleChild, Scenario, Step, TableRow, Tag,
};

use crate::line::Line;

const STEP: usize = 2;

/// The role of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Blank,
    /// `# language: en`.
    Language,
    Comment {
        indent: usize,
    },
    Tags {
        indent: usize,
    },
    Title {
        indent: usize,
        /// Whether a blank line goes before it: everything but the feature itself.
        block: bool,
    },
    /// Free text, which keeps its shape: `shift` is what all lines of its part are indented by at least.
    Description {
        indent: usize,
        shift: usize,
    },
    Step {
        indent: usize,
        /// Bytes of its keyword: its last space belongs to it even where no text follows.
        keyword: usize,
    },
    /// A row of a table; tables are counted through the file.
    Row {
        indent: usize,
        table: usize,
    },
    /// Begins or ends a doc string.
    Fence {
        indent: usize,
        opens: bool,
    },
    /// A line within a doc string; `fence` is what its fence was indented by.
    Content {
        indent: usize,
        fence: usize,
    },
}

impl Role {
    /// Whether a blank line that the author left before this one means something.
    pub(super) fn may_be_separated_from(self, before: Option<Self>) -> bool {
        let Some(before) = before else { return false };
        match (before, self) {
            // Blank lines between paragraphs, and between a text and what follows.
            (_, Self::Description { .. }) => {
                matches!(before, Self::Description { .. } | Self::Comment { .. })
            }
            (Self::Title { .. } | Self::Tags { .. }, _)
            | (_, Self::Row { .. } | Self::Fence { .. } | Self::Content { .. }) => false,
            // A comment within a table stands in the table.
            (Self::Row { indent: row, .. }, Self::Comment { indent }) => row != indent,
            _ => true,
        }
    }
}

/// The roles of all lines.
pub(super) fn roles(lines: &[Line<'_>], document: &GherkinDocument) -> Vec<Role> {
    let mut page = Page { lines, roles: vec![None; lines.len()], tables: 0 };
    page.document(document);
    page.finish(document)
}

struct Page<'l, 's> {
    lines: &'l [Line<'s>],
    roles: Vec<Option<Role>>,
    tables: usize,
}

impl Page<'_, '_> {
    fn document(&mut self, document: &GherkinDocument) {
        let Some(feature) = &document.feature else { return };
        self.part(feature.location, &feature.tags, 0, false);
        for child in &feature.children {
            match child {
                FeatureChild::Background(background) => self.background(background, STEP),
                FeatureChild::Scenario(scenario) => self.scenario(scenario, STEP),
                FeatureChild::Rule(rule) => {
                    self.part(rule.location, &rule.tags, STEP, true);
                    for child in &rule.children {
                        match child {
                            RuleChild::Background(background) => self.background(background, 2 * STEP),
                            RuleChild::Scenario(scenario) => self.scenario(scenario, 2 * STEP),
                        }
                    }
                }
            }
        }
    }

    fn background(&mut self, background: &Background, indent: usize) {
        self.part(background.location, &[], indent, true);
        self.steps(&background.steps, indent + STEP);
    }

    fn scenario(&mut self, scenario: &Scenario, indent: usize) {
        self.part(scenario.location, &scenario.tags, indent, true);
        self.steps(&scenario.steps, indent + STEP);
        for examples in &scenario.examples {
            self.part(examples.location, &examples.tags, indent + STEP, true);
            self.table(examples.table_header.iter().chain(&examples.table_body), indent + 2 * STEP);
        }
    }

    fn part(&mut self, at: Location, tags: &[Tag], indent: usize, block: bool) {
        for tag in tags {
            self.set(tag.location, Role::Tags { indent });
        }
        self.set(at, Role::Title { indent, block });
    }

    fn steps(&mut self, steps: &[Step], indent: usize) {
        for step in steps {
            self.set(step.location, Role::Step { indent, keyword: step.keyword.len() });
            if let Some(table) = &step.data_table {
                self.table(&table.rows, indent + STEP);
            }
            if let Some(doc_string) = &step.doc_string {
                self.doc_string(doc_string, indent + STEP);
            }
        }
    }

    fn table<'t>(&mut self, rows: impl IntoIterator<Item = &'t TableRow>, indent: usize) {
        for row in rows {
            self.set(row.location, Role::Row { indent, table: self.tables });
        }
        self.tables += 1;
    }

    fn doc_string(&mut self, doc_string: &DocString, indent: usize) {
        self.set(doc_string.location, Role::Fence { indent, opens: true });
        let first = doc_string.location.line as usize;
        let fence = self.lines.get(first - 1).map_or(0, |line| line.indent());
        for index in first..self.lines.len() {
            if self.lines[index].trimmed.starts_with(&doc_string.delimiter) {
                self.roles[index] = Some(Role::Fence { indent, opens: false });
                return;
            }
            self.roles[index] = Some(Role::Content { indent, fence });
        }
    }

    fn set(&mut self, at: Location, role: Role) {
        if let Some(slot) = (at.line as usize).checked_sub(1).and_then(|index| self.roles.get_mut(index)) {
            *slot = Some(role);
        }
    }

    /// What is left: blank lines, comments, descriptions and the language.
    fn finish(mut self, document: &GherkinDocument) -> Vec<Role> {
        self.comments(document);
        self.texts();
        self.roles.into_iter().map(|role| role.unwrap_or(Role::Blank)).collect()
    }

    /// A comment stands where the next line stands; behind everything, at the margin if it was there, else with the
    /// line before.
    fn comments(&mut self, document: &GherkinDocument) {
        let is_comment = |line: usize| document.comments.iter().any(|c| c.location.line as usize == line);
        let mut next: Option<usize> = None;
        for index in (0..self.lines.len()).rev() {
            if self.roles[index].is_some() || self.lines[index].trimmed.is_empty() {
                next = self.roles[index].map(Role::indent).or(next);
            } else if is_comment(index + 1) {
                let indent = next.unwrap_or_else(|| self.last_indent(index));
                self.roles[index] = Some(Role::Comment { indent });
            } else {
                next = None;
            }
        }
    }

    /// Where a comment stands that nothing follows.
    fn last_indent(&self, index: usize) -> usize {
        if self.lines[index].indent() == 0 {
            return 0;
        }
        self.roles[..index].iter().rev().flatten().next().map_or(0, |role| role.indent())
    }

    /// Free text below each title, and the language line above the first.
    fn texts(&mut self) {
        let mut title: Option<usize> = None;
        let mut text: Vec<usize> = Vec::new();
        for index in 0..=self.lines.len() {
            let role = self.roles.get(index).copied().flatten();
            match role {
                None if index < self.lines.len() => {
                    if !self.lines[index].trimmed.is_empty() {
                        text.push(index);
                    }
                }
                Some(Role::Comment { .. }) => {}
                _ => {
                    self.text(title, &text);
                    text.clear();
                    title = role.and_then(|role| match role {
                        Role::Title { indent, .. } => Some(indent),
                        _ => None,
                    });
                }
            }
        }
    }

    fn text(&mut self, title: Option<usize>, text: &[usize]) {
        let shift = text.iter().map(|index| self.lines[*index].indent()).min().unwrap_or_default();
        for index in text {
            self.roles[*index] = Some(match title {
                None => Role::Language,
                Some(indent) => Role::Description { indent: indent + STEP, shift },
            });
        }
    }
}

impl Role {
    fn indent(self) -> usize {
        match self {
            Self::Blank | Self::Language => 0,
            Self::Comment { indent }
            | Self::Tags { indent }
            | Self::Title { indent, .. }
            | Self::Description { indent, .. }
            | Self::Step { indent, .. }
            | Self::Row { indent, .. }
            | Self::Fence { indent, .. }
            | Self::Content { indent, .. } => indent,
        }
    }
}
