//! Tag expressions, and the tags that steer a run.

use std::{str::FromStr, time::Duration};

use gherkin::tagexpr::TagOperation;

/// A parsed tag expression, as `@tier0 and not @docker`.
#[derive(Debug, Clone)]
pub struct TagExpression(TagOperation);

/// The text is not a tag expression.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{text:?} is not a tag expression: column {column}; write for example \"@tier0 and not @control\"")]
pub struct TagExpressionError {
    text: String,
    column: usize,
}

impl FromStr for TagExpression {
    type Err = TagExpressionError;

    /// Parses an expression of tags, `and`, `or`, `not` and parentheses.
    fn from_str(text: &str) -> Result<Self, TagExpressionError> {
        text.trim()
            .parse()
            .map(Self)
            .map_err(|error| TagExpressionError { text: text.to_owned(), column: error.location.column })
    }
}

impl TagExpression {
    /// Whether a scenario with these tags (each with its `@`) is meant.
    pub fn matches<'a>(&self, tags: impl IntoIterator<Item = &'a str>) -> bool {
        let tags: Vec<&str> = tags.into_iter().collect();
        holds(&self.0, &tags)
    }
}

fn holds(operation: &TagOperation, tags: &[&str]) -> bool {
    match operation {
        TagOperation::And(left, right) => holds(left, tags) && holds(right, tags),
        TagOperation::Or(left, right) => holds(left, tags) || holds(right, tags),
        TagOperation::Not(inner) => !holds(inner, tags),
        TagOperation::Tag(tag) => tags.iter().any(|t| t.strip_prefix('@') == Some(tag)),
    }
}

/// The time of a `@timeout(2m)` tag: a whole number of `ms`, `s` or `m`. None where the tag is not one of a timeout.
pub fn timeout_of(tag: &str) -> Option<Result<Duration, TimeoutTagError>> {
    let inner = tag.strip_prefix("@timeout")?;
    let time = inner.strip_prefix('(').and_then(|rest| rest.strip_suffix(')'));
    Some(time.and_then(|time| parse_duration(time).ok()).ok_or_else(|| TimeoutTagError(tag.to_owned())))
}

/// A malformed `@timeout` tag.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0} is not a timeout; write for example @timeout(90s) or @timeout(2m)")]
pub struct TimeoutTagError(String);

/// A text is no time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a time; write for example 90s or 30m")]
pub struct DurationError(String);

/// Reads a time: a whole number of `ms`, `s` or `m`, above 0.
pub fn parse_duration(text: &str) -> Result<Duration, DurationError> {
    duration(text).ok_or_else(|| DurationError(text.to_owned()))
}

fn duration(text: &str) -> Option<Duration> {
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, unit) = text.split_at(digits);
    let number: u32 = number.parse().ok().filter(|n| *n > 0)?;
    match unit {
        "ms" => Some(Duration::from_millis(number.into())),
        "s" => Some(Duration::from_secs(number.into())),
        "m" => Some(Duration::from_secs(u64::from(number) * 60)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expression_selects_by_whole_tags() {
        let expression = " @tier0 and not (@docker or @control) ".parse::<TagExpression>().unwrap();
        assert!(expression.matches(["@tier0", "@G0.1"]));
        assert!(!expression.matches(["@tier0", "@control"]));
        assert!(!expression.matches(["@tier01"]));
        let goal = "@G0.1".parse::<TagExpression>().unwrap();
        assert!(goal.matches(["@G0.1"]) && !goal.matches(["@G0.12"]));
    }

    #[test]
    fn a_broken_expression_is_refused() {
        for bad in ["", "tier0", "@a and", "@a @b", "(@a"] {
            assert!(bad.parse::<TagExpression>().is_err(), "{bad:?} was accepted");
        }
    }

    #[test]
    fn a_timeout_tag_has_a_number_and_a_unit() {
        assert_eq!(timeout_of("@tier0"), None);
        assert_eq!(timeout_of("@timeout(2m)"), Some(Ok(Duration::from_secs(120))));
        assert_eq!(timeout_of("@timeout(250ms)"), Some(Ok(Duration::from_millis(250))));
        for bad in ["@timeout", "@timeout()", "@timeout(0s)", "@timeout(2)", "@timeout(2h)", "@timeout(-1s)"]
        {
            assert!(matches!(timeout_of(bad), Some(Err(_))), "{bad} was accepted");
        }
    }
}
