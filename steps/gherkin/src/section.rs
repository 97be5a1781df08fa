//! The flat form of a feature file: titled sections in the order of the file, not yet nested, without ids.

use std::borrow::Cow;

use mycelium_schemas::messages::{Comment, Location, StepKeywordType, TableCell};

use crate::grammar::Title;

/// A whole file.
#[derive(Debug)]
pub(crate) struct Outline<'s> {
    /// Code of the spoken language.
    pub(crate) language: &'static str,
    /// All comments.
    pub(crate) comments: Vec<Comment>,
    /// All sections. The grammar has made sure that the feature comes first and examples follow a scenario.
    pub(crate) sections: Vec<Section<'s>>,
}

/// A title line and what stands below it, up to the next title.
#[derive(Debug)]
pub(crate) struct Section<'s> {
    pub(crate) title: Title,
    pub(crate) location: Location,
    pub(crate) tags: Vec<TagToken>,
    pub(crate) keyword: &'static str,
    pub(crate) name: &'s str,
    pub(crate) description: Vec<&'s str>,
    /// Steps of a background or scenario.
    pub(crate) steps: Vec<StepToken<'s>>,
    /// Table of examples.
    pub(crate) rows: Vec<RowToken>,
}

/// A tag.
#[derive(Debug)]
pub(crate) struct TagToken {
    pub(crate) location: Location,
    pub(crate) name: String,
}

/// A step and what it has been given.
#[derive(Debug)]
pub(crate) struct StepToken<'s> {
    pub(crate) location: Location,
    pub(crate) keyword: &'static str,
    pub(crate) keyword_type: StepKeywordType,
    pub(crate) text: &'s str,
    pub(crate) doc_string: Option<DocStringToken<'s>>,
    pub(crate) rows: Vec<RowToken>,
}

/// A doc string, line by line.
#[derive(Debug)]
pub(crate) struct DocStringToken<'s> {
    pub(crate) location: Location,
    pub(crate) delimiter: &'static str,
    pub(crate) media_type: &'s str,
    pub(crate) lines: Vec<Cow<'s, str>>,
}

/// A row of a table.
#[derive(Debug)]
pub(crate) struct RowToken {
    pub(crate) location: Location,
    pub(crate) cells: Vec<TableCell>,
}
