//! The keywords of one spoken language.

use mycelium_schemas::messages::StepKeywordType;

use crate::{
    grammar::Title,
    languages::{ENGLISH, OTHERS},
};

/// The keywords of one spoken language.
#[derive(Debug)]
pub(crate) struct Dialect {
    /// Its code, such as `en` or `zh-CN`.
    pub(crate) language: &'static str,
    pub(crate) feature: &'static [&'static str],
    pub(crate) rule: &'static [&'static str],
    pub(crate) background: &'static [&'static str],
    /// Those of scenarios, then those of scenario outlines: the grammar treats them alike.
    pub(crate) scenario: &'static [&'static str],
    pub(crate) examples: &'static [&'static str],
    /// The longest first, because one may begin with another.
    pub(crate) steps: &'static [(&'static str, StepKeywordType)],
}

impl Dialect {
    /// The language of a file that names none.
    pub(crate) fn english() -> &'static Self {
        &ENGLISH
    }

    /// The dialect of a language code.
    pub(crate) fn of(language: &str) -> Option<&'static Self> {
        std::iter::once(&ENGLISH).chain(OTHERS).find(|dialect| dialect.language == language)
    }

    /// Splits a title line, left-trimmed, into keyword and name, if it is one of this kind.
    pub(crate) fn title<'s>(&self, title: Title, text: &'s str) -> Option<(&'static str, &'s str)> {
        let keywords = match title {
            Title::Feature => self.feature,
            Title::Rule => self.rule,
            Title::Background => self.background,
            Title::Scenario => self.scenario,
            Title::Examples => self.examples,
        };
        keywords.iter().find_map(|keyword| {
            let name = text.strip_prefix(keyword)?.strip_prefix(':')?;
            Some((*keyword, name.trim()))
        })
    }

    /// Splits a step line, left-trimmed, into keyword, its meaning, and text, if it is one.
    pub(crate) fn step<'s>(&self, text: &'s str) -> Option<(&'static str, StepKeywordType, &'s str)> {
        self.steps.iter().find_map(|(keyword, keyword_type)| {
            Some((*keyword, *keyword_type, text.strip_prefix(keyword)?.trim()))
        })
    }
}
