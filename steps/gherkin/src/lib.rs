//! A Gherkin parser and pickle compiler that conforms to the official test data, line by line and id by id.
//!
//! Text goes in; values of [`mycelium_schemas::messages`] come out. Nothing here reads a file or a clock.
//!
//! ```
//! use mycelium_gherkin::{IdGenerator, compile, parse};
//!
//! let source = "Feature: Landing\n  Scenario: a tested task lands\n    Given a plan\n    Then it lands\n";
//! let mut ids = IdGenerator::new();
//! let document = parse("landing.feature", source, &mut ids).expect("valid Gherkin");
//! let pickles = compile(&document, "landing.feature", &mut ids);
//! assert_eq!(pickles[0].name, "a tested task lands");
//! ```
//!
//! The way of a file: [`line`](mod@line) takes one line apart, [`dialect`] knows the keywords of its language,
//! [`grammar`] says which kinds of line may come next, [`outline`] turns lines into flat sections and collects every
//! error, [`sentence`] says it to people, [`assemble`] nests the sections into the syntax tree, [`mod@compile`] makes pickles of it.
//! [`mod@format`] lays a file out anew.
#![expect(rustdoc::private_intra_doc_links, reason = "the map of the crate is for those who read its source")]

mod assemble;
mod compile;
mod dialect;
mod error;
mod format;
mod grammar;
mod ids;
mod index;
#[rustfmt::skip]
#[expect(clippy::unicode_not_nfc, reason = "the keywords are those of the official table, byte for byte")]
mod languages;
mod line;
mod outline;
mod section;
mod sentence;

pub use compile::compile;
pub use error::{OpenDocString, ParseError, ParseErrorKind};
pub use format::format;
pub use grammar::TokenKind;
pub use ids::IdGenerator;
pub use index::{AstIndex, AstNode, step_type_of};

use mycelium_schemas::messages::GherkinDocument;

/// The keywords of a language that begin the parts of a feature: backgrounds, scenarios and examples; none where there is
/// no such language.
pub fn title_keywords(language: &str) -> impl Iterator<Item = &'static str> {
    let dialect = dialect::Dialect::of(language).into_iter();
    dialect.flat_map(|dialect| [dialect.background, dialect.scenario, dialect.examples].concat())
}

/// The words that begin a step in a language, such as `en`; none where there is no such language.
pub fn step_keywords(language: &str) -> impl Iterator<Item = &'static str> {
    let dialect = dialect::Dialect::of(language);
    dialect.into_iter().flat_map(|dialect| dialect.steps).map(|(keyword, _)| keyword.trim_end())
}

/// Parses the text of one feature file. All errors of the file are reported at once, in the order of the file.
pub fn parse(uri: &str, source: &str, ids: &mut IdGenerator) -> Result<GherkinDocument, Vec<ParseError>> {
    let outline = outline::outline(source)?;
    Ok(assemble::assemble(uri, outline, ids))
}
