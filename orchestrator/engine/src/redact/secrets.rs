//! Everything that is searched for, and where in a text it stands.

use std::{collections::BTreeMap, ops::Range};

use aho_corasick::AhoCorasick;

use super::{
    encodings::{VALUE_BYTES_MIN, spellings},
    shapes,
    span::{Span, merge},
};
use crate::saboteur;

/// Why a value is not searched for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    /// It has no value.
    #[error("is not set")]
    NotSet,
    /// It stands in half of all words.
    #[error("has fewer than {VALUE_BYTES_MIN} bytes")]
    Short,
    /// It would be found in the marks that replace secrets.
    #[error("is a word of the marks that replace secrets")]
    InMark,
}

/// What is left of a part of a text between spans; nothing where there are none.
fn gaps(spans: &[Span<'_>], part: Range<usize>) -> Vec<Range<usize>> {
    if spans.is_empty() {
        return Vec::new();
    }
    let starts = [part.start].into_iter().chain(spans.iter().map(|span| span.end));
    let ends = spans.iter().map(|span| span.start).chain([part.end]);
    starts.zip(ends).map(|(start, end)| start..end).filter(|gap| !gap.is_empty()).collect()
}

/// The known values in all their spellings.
#[derive(Debug, Default)]
pub(super) struct Secrets {
    /// In order, each with the variable that it belongs to.
    spellings: Vec<(Vec<u8>, String)>,
    matcher: Option<AhoCorasick>,
    longest: usize,
}

impl Secrets {
    /// Of variables with their values; tells those that cannot be searched for.
    pub(super) fn new(values: &BTreeMap<String, String>) -> (Self, Vec<(String, Unusable)>) {
        let marks: Vec<String> =
            values.keys().map(|name| super::mark(name)).chain(shapes::names().map(super::mark)).collect();
        let (mut unusable, mut all) = (Vec::new(), BTreeMap::new());
        for (name, value) in values {
            let spellings = spellings(value);
            if spellings.is_empty() {
                unusable.push((name.clone(), Unusable::Short));
            } else if marks.iter().any(|mark| mark.contains(value.trim())) {
                unusable.push((name.clone(), Unusable::InMark));
            } else {
                // Two variables with one value: the first name stands for both.
                for spelling in spellings {
                    all.entry(spelling).or_insert_with(|| name.clone());
                }
            }
        }
        let spellings: Vec<(Vec<u8>, String)> = all.into_iter().collect();
        let longest = spellings.iter().map(|(spelling, _)| spelling.len()).max().unwrap_or_default();
        // It can only fail for more patterns than an environment can hold.
        let matcher = (!spellings.is_empty()).then(|| {
            AhoCorasick::new(spellings.iter().map(|(spelling, _)| spelling))
                .unwrap_or_else(|why| unreachable!("the spellings of the secrets: {why}"))
        });
        (Self { spellings, matcher, longest }, unusable)
    }

    /// Where secrets stand in a text, besides those given. A secret ends the word beside it, as its mark will: what is
    /// left between two of them is looked at once more by itself.
    pub(super) fn spans<'s>(&'s self, text: &[u8], given: Option<Span<'s>>) -> Vec<Span<'s>> {
        if saboteur::is!("print-a-secret") {
            return Vec::new();
        }
        let mut spans = self.known(text);
        spans.extend(given);
        shapes::find(text, &mut spans);
        spans = merge(spans);
        let mut gaps = gaps(&spans, 0..text.len());
        while let Some(gap) = gaps.pop() {
            let mut inside = Vec::new();
            shapes::find(&text[gap.clone()], &mut inside);
            for span in &mut inside {
                (span.start, span.end) = (span.start + gap.start, span.end + gap.start);
            }
            let inside = merge(inside);
            if !inside.is_empty() {
                gaps.extend(self::gaps(&inside, gap));
                spans.extend(inside);
            }
        }
        merge(spans)
    }

    /// Where values of variables stand in a text.
    fn known(&self, text: &[u8]) -> Vec<Span<'_>> {
        let Some(matcher) = &self.matcher else { return Vec::new() };
        let span = |found: aho_corasick::Match| Span {
            start: found.start(),
            end: found.end(),
            name: &self.spellings[found.pattern().as_usize()].1,
            known: true,
        };
        matcher.find_overlapping_iter(text).map(span).collect()
    }

    /// Where a spelling begins at the end of a text whose rest may still come.
    pub(super) fn open(&self, text: &[u8]) -> Option<usize> {
        let from = text.len().saturating_sub(self.longest.saturating_sub(1));
        (from..text.len()).find(|start| {
            let begun = &text[*start..];
            let next = self.spellings.partition_point(|(spelling, _)| spelling.as_slice() <= begun);
            self.spellings.get(next).is_some_and(|(spelling, _)| spelling.starts_with(begun))
        })
    }
}
