//! `traceability/links.yaml`: which pair of goal text and scenarios somebody last reviewed together. When one of the
//! two changes, its fingerprint does, and the link is suspect until it is reviewed again.

use std::{fmt, str::FromStr};

use jiff::civil::Date;

use super::{
    GoalId,
    read::{list, mapping, parsed, text},
};
use crate::{
    decode::{Decoder, Field},
    problem::{Problem, Source},
};

const KEYS: [&str; 5] = ["goal", "text", "scenarios", "reviewed", "by"];

/// SHA-256 of a normalised text, as 64 lower-case hex digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fingerprint(String);

/// The text is not a fingerprint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is not a fingerprint of 64 lower-case hex digits")]
pub struct FingerprintError;

impl Fingerprint {
    /// The fingerprint that a digest is.
    pub fn new(digest: &[u8; 32]) -> Self {
        const HEX: [char; 16] =
            ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];
        let digits = digest.iter().flat_map(|byte| [byte >> 4, byte & 0xf]);
        Self(digits.map(|digit| HEX[usize::from(digit)]).collect())
    }

    /// The fingerprint as hex text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The first digits of a fingerprint, enough to tell the scenarios of a goal apart.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ShortFingerprint(String);

/// Digits of a short fingerprint.
const SHORT: usize = 12;

impl From<&Fingerprint> for ShortFingerprint {
    fn from(whole: &Fingerprint) -> Self {
        Self(whole.0.chars().take(SHORT).collect())
    }
}

impl FromStr for ShortFingerprint {
    type Err = ShortFingerprintError;

    fn from_str(text: &str) -> Result<Self, ShortFingerprintError> {
        if is_hex(text) && text.len() == SHORT {
            Ok(Self(text.to_owned()))
        } else {
            Err(ShortFingerprintError)
        }
    }
}

impl fmt::Display for ShortFingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// The text is not a short fingerprint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is not a fingerprint of 12 lower-case hex digits")]
pub struct ShortFingerprintError;

fn is_hex(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

impl FromStr for Fingerprint {
    type Err = FingerprintError;

    fn from_str(text: &str) -> Result<Self, FingerprintError> {
        if is_hex(text) && text.len() == 64 { Ok(Self(text.to_owned())) } else { Err(FingerprintError) }
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// A goal and its scenarios, as they were when somebody reviewed them together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReviewedLink {
    /// The goal.
    pub goal: GoalId,
    /// Fingerprint of its text.
    pub text: Fingerprint,
    /// Fingerprint of its scenarios.
    pub scenarios: Fingerprint,
    /// The day of the review.
    pub reviewed: Date,
    /// Who reviewed.
    pub by: String,
}

/// Reads the reviewed links, sorted by goal.
pub fn parse(source: &Source) -> Result<Vec<ReviewedLink>, Vec<Problem>> {
    let mut seen = Vec::new();
    let mut links = list(source, "links", |decoder, item| entry(decoder, item, &mut seen))?;
    links.sort_by_key(|link| link.goal);
    Ok(links)
}

fn entry(d: &mut Decoder<'_>, item: &Field<'_>, seen: &mut Vec<GoalId>) -> Option<ReviewedLink> {
    const MEND: &str = "let `accept review GOAL` write it";
    let section = mapping(d, &item.label, item.node, &KEYS);
    let goal = parsed(d, &section, "goal", MEND);
    if let Some(goal) = goal {
        if seen.contains(&goal) {
            d.report(&item.node.span, format!("the goal {goal} stands here twice"), "remove one of the two");
        }
        seen.push(goal);
    }
    let fingerprint = parsed(d, &section, "text", MEND);
    let scenarios = parsed(d, &section, "scenarios", MEND);
    let reviewed = parsed(d, &section, "reviewed", "write a date, for example 2026-01-31");
    let by = text(d, &section, "by", "name who reviewed");
    Some(ReviewedLink {
        goal: goal?,
        text: fingerprint?,
        scenarios: scenarios?,
        reviewed: reviewed?,
        by: by?,
    })
}

/// The file's new text after a review: the goal's entry is added or replaced, the others stay.
pub fn with_review(source: &Source, review: ReviewedLink) -> Result<String, Vec<Problem>> {
    let mut links = parse(source)?;
    links.retain(|link| link.goal != review.goal);
    links.push(review);
    links.sort_by_key(|link| link.goal);
    Ok(render(&links))
}

fn render(links: &[ReviewedLink]) -> String {
    let mut text =
        "# Goals and scenarios as they were reviewed together. Written by `accept review GOAL`.\n".to_owned();
    for link in links {
        let ReviewedLink { goal, text: fingerprint, scenarios, reviewed, by } = link;
        // A JSON string is a YAML string in which nothing can break out.
        let by = serde_json::Value::from(by.as_str());
        let entry = [
            format!("- goal: {goal}"),
            format!("  text: \"{fingerprint}\""),
            format!("  scenarios: \"{scenarios}\""),
            format!("  reviewed: {reviewed}"),
            format!("  by: {by}\n"),
        ];
        text.push_str(&entry.join("\n"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(goal: &str, digit: char, by: &str) -> ReviewedLink {
        ReviewedLink {
            goal: goal.parse().unwrap(),
            text: digit.to_string().repeat(64).parse().unwrap(),
            scenarios: "b".repeat(64).parse().unwrap(),
            reviewed: "2026-01-31".parse().unwrap(),
            by: by.to_owned(),
        }
    }

    #[test]
    fn a_review_replaces_the_goals_entry_and_keeps_the_others() {
        let empty = Source::new("links.yaml", "");
        let first = with_review(&empty, link("G1.2", '1', "Q \"A\": # x")).unwrap();
        let second = with_review(&Source::new("links.yaml", first), link("G0.1", '2', "b")).unwrap();
        let third = with_review(&Source::new("links.yaml", second), link("G0.1", '3', "c")).unwrap();
        let links = parse(&Source::new("links.yaml", third.clone())).unwrap();
        assert_eq!(links, [link("G0.1", '3', "c"), link("G1.2", '1', "Q \"A\": # x")]);
        assert_eq!(render(&links), third);
    }

    #[test]
    fn a_digest_is_written_in_hex() {
        let mut digest = [0; 32];
        digest[..2].copy_from_slice(&[0x0f, 0xa9]);
        assert_eq!(Fingerprint::new(&digest).as_str(), format!("0fa9{}", "0".repeat(60)));
        assert!("0FA9".parse::<Fingerprint>().is_err());
    }

    #[test]
    fn a_broken_file_is_never_overwritten() {
        let broken = Source::new("links.yaml", "- {goal: G0.1, text: abc}\n");
        let problems = with_review(&broken, link("G0.1", '1', "a")).unwrap_err();
        assert_eq!(problems.len(), 4, "{problems:#?}");
    }
}
