//! Nests flat sections into the syntax tree. Ids are given from the leaves to the root, as the official parsers do.

use std::{iter::Peekable, vec};

use mycelium_schemas::messages::{
    Background, DataTable, DocString, Examples, Feature, FeatureChild, GherkinDocument, Rule, RuleChild,
    Scenario, Step, TableRow, Tag,
};

use crate::{
    grammar::Title,
    ids::IdGenerator,
    section::{DocStringToken, Outline, RowToken, Section, StepToken, TagToken},
};

/// Builds the tree of a file.
pub(crate) fn assemble(uri: &str, outline: Outline<'_>, ids: &mut IdGenerator) -> GherkinDocument {
    let mut assembler = Assembler { ids, sections: outline.sections.into_iter().peekable() };
    GherkinDocument {
        uri: Some(uri.to_owned()),
        feature: assembler.feature(outline.language),
        comments: outline.comments,
    }
}

struct Assembler<'i, 's> {
    ids: &'i mut IdGenerator,
    sections: Peekable<vec::IntoIter<Section<'s>>>,
}

impl<'s> Assembler<'_, 's> {
    fn feature(&mut self, language: &str) -> Option<Feature> {
        let section = self.sections.next()?;
        let mut children = Vec::new();
        while let Some(child) = self.sections.next() {
            match child.title {
                Title::Background => children.push(FeatureChild::Background(self.background(child))),
                Title::Scenario => children.push(FeatureChild::Scenario(self.scenario(child))),
                Title::Rule => children.push(FeatureChild::Rule(self.rule(child))),
                // The grammar admits one feature, and examples only below a scenario, which has taken them.
                Title::Feature | Title::Examples => {}
            }
        }
        Some(Feature {
            location: section.location,
            description: description(&section.description),
            tags: self.tags(section.tags),
            language: language.to_owned(),
            keyword: section.keyword.to_owned(),
            name: section.name.to_owned(),
            children,
        })
    }

    fn rule(&mut self, section: Section<'s>) -> Rule {
        let mut children = Vec::new();
        let belongs = |child: &Section<'_>| matches!(child.title, Title::Background | Title::Scenario);
        while let Some(child) = self.sections.next_if(belongs) {
            children.push(if child.title == Title::Background {
                RuleChild::Background(self.background(child))
            } else {
                RuleChild::Scenario(self.scenario(child))
            });
        }
        Rule {
            location: section.location,
            description: description(&section.description),
            tags: self.tags(section.tags),
            keyword: section.keyword.to_owned(),
            name: section.name.to_owned(),
            children,
            id: self.ids.next_id(),
        }
    }

    fn background(&mut self, section: Section<'s>) -> Background {
        Background {
            location: section.location,
            keyword: section.keyword.to_owned(),
            name: section.name.to_owned(),
            description: description(&section.description),
            steps: self.steps(section.steps),
            id: self.ids.next_id(),
        }
    }

    fn scenario(&mut self, section: Section<'s>) -> Scenario {
        let steps = self.steps(section.steps);
        let mut examples = Vec::new();
        while let Some(child) = self.sections.next_if(|child| child.title == Title::Examples) {
            examples.push(self.examples(child));
        }
        Scenario {
            location: section.location,
            description: description(&section.description),
            tags: self.tags(section.tags),
            keyword: section.keyword.to_owned(),
            name: section.name.to_owned(),
            steps,
            examples,
            id: self.ids.next_id(),
        }
    }

    fn examples(&mut self, section: Section<'s>) -> Examples {
        let mut rows = self.rows(section.rows).into_iter();
        Examples {
            location: section.location,
            description: description(&section.description),
            tags: self.tags(section.tags),
            keyword: section.keyword.to_owned(),
            name: section.name.to_owned(),
            table_header: rows.next(),
            table_body: rows.collect(),
            id: self.ids.next_id(),
        }
    }

    fn steps(&mut self, steps: Vec<StepToken<'s>>) -> Vec<Step> {
        steps.into_iter().map(|step| self.step(step)).collect()
    }

    fn step(&mut self, step: StepToken<'s>) -> Step {
        let rows = self.rows(step.rows);
        Step {
            location: step.location,
            keyword: step.keyword.to_owned(),
            keyword_type: Some(step.keyword_type),
            text: step.text.to_owned(),
            doc_string: step.doc_string.as_ref().map(doc_string),
            data_table: rows.first().map(|row| row.location).map(|location| DataTable { location, rows }),
            id: self.ids.next_id(),
        }
    }

    fn rows(&mut self, rows: Vec<RowToken>) -> Vec<TableRow> {
        rows.into_iter()
            .map(|row| TableRow { location: row.location, cells: row.cells, id: self.ids.next_id() })
            .collect()
    }

    fn tags(&mut self, tags: Vec<TagToken>) -> Vec<Tag> {
        tags.into_iter()
            .map(|tag| Tag { location: tag.location, name: tag.name, id: self.ids.next_id() })
            .collect()
    }
}

fn doc_string(token: &DocStringToken<'_>) -> DocString {
    DocString {
        location: token.location,
        media_type: (!token.media_type.is_empty()).then(|| token.media_type.to_owned()),
        content: token.lines.join("\n"),
        delimiter: token.delimiter.to_owned(),
    }
}

/// Free text without the blank lines at its end.
fn description(lines: &[&str]) -> String {
    let end = lines.iter().rposition(|line| !line.trim().is_empty()).map_or(0, |last| last + 1);
    lines[..end].join("\n")
}
