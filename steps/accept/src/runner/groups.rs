//! What the parameters of a step matched, with their groups, as Cucumber Messages describe it.
//!
//! The `cucumber` crate compiles a parameter that has several groups, such as `{string}`, without a group around the
//! whole of it. Here that group is added, so that a reader can mark the argument with its quotes.

use mycelium_schemas::messages::{Group, StepMatchArgument};
use regex::{Captures, Regex};

/// The pattern of a definition, with one outermost group for each argument.
#[derive(Debug)]
pub(super) struct ArgumentPattern {
    regex: Regex,
    /// For each group but the whole match, the group around it; 0 is the whole match.
    parents: Vec<usize>,
    /// The parameters' names, in order; none for a regular expression.
    names: Vec<&'static str>,
}

impl ArgumentPattern {
    /// Derives it from the pattern that matches the steps.
    pub(super) fn new(regex: &Regex, names: Vec<&'static str>) -> Result<Self, regex::Error> {
        let (source, parents) = with_outer_groups(regex.as_str(), &names);
        let regex = if source == regex.as_str() { regex.clone() } else { Regex::new(&source)? };
        Ok(Self { regex, parents, names })
    }

    /// The arguments of a step; none where it does not match.
    pub(super) fn arguments(&self, text: &str) -> Vec<StepMatchArgument> {
        let Some(captures) = self.regex.captures(text) else { return Vec::new() };
        let mut names = self.names.iter();
        self.children_of(0)
            .map(|index| StepMatchArgument {
                group: self.group(&captures, index, text),
                parameter_type_name: names.next().map(|name| (*name).to_owned()),
            })
            .collect()
    }

    fn children_of(&self, parent: usize) -> impl Iterator<Item = usize> {
        (1..=self.parents.len()).filter(move |index| self.parents[index - 1] == parent)
    }

    fn group(&self, captures: &Captures<'_>, index: usize, text: &str) -> Group {
        let children: Vec<Group> =
            self.children_of(index).map(|child| self.group(captures, child, text)).collect();
        let matched = captures.get(index);
        Group {
            children: (!children.is_empty()).then_some(children),
            start: matched.and_then(|m| u32::try_from(text[..m.start()].chars().count()).ok()),
            value: matched.map(|m| m.as_str().to_owned()),
        }
    }
}

/// A piece of a regular expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token<'a> {
    /// The beginning of a group, with what says its kind.
    Open(&'a str),
    Close,
    Other(&'a str),
}

/// The expression with a group around each parameter that has several, and for each group the one around it.
fn with_outer_groups(source: &str, names: &[&str]) -> (String, Vec<usize>) {
    let tokens = tokens(source);
    let mut out = String::with_capacity(source.len());
    let mut parents: Vec<usize> = Vec::new();
    // The innermost group at each open parenthesis.
    let mut open: Vec<usize> = Vec::new();
    let mut in_string = false;
    let mut arguments = 0;
    for (index, token) in tokens.iter().enumerate() {
        match *token {
            Token::Open(kind) => {
                let around = open.last().copied().unwrap_or_default();
                let is_outer = kind == "(?:" && open.is_empty() && holds_parameter(&tokens[index..]);
                let captures = kind != "(?:" && kind != "(?" || is_outer || kind == "(?:" && in_string;
                if captures && around == 0 {
                    in_string = is_outer && names.get(arguments).is_some_and(|name| *name == "string");
                    arguments += 1;
                }
                if captures {
                    parents.push(around);
                }
                open.push(if captures { parents.len() } else { around });
                out.push_str(if captures && kind == "(?:" { "(" } else { kind });
            }
            Token::Close => {
                open.pop();
                in_string &= !open.is_empty();
                out.push(')');
            }
            Token::Other(text) => out.push_str(text),
        }
    }
    (out, parents)
}

/// Whether the group that these tokens begin with holds one of the `cucumber` crate's groups of a parameter.
fn holds_parameter(tokens: &[Token<'_>]) -> bool {
    let mut depth = 0_usize;
    for token in tokens {
        match token {
            Token::Open(kind) if kind.starts_with("(?P<__") => return true,
            Token::Open(_) => depth += 1,
            Token::Close if depth <= 1 => return false,
            Token::Close => depth -= 1,
            Token::Other(_) => {}
        }
    }
    false
}

fn tokens(source: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let mut rest = source;
    while let Some(c) = rest.chars().next() {
        let (token, length) = match c {
            '(' => {
                let kind = &rest[..open_length(rest)];
                (Token::Open(kind), kind.len())
            }
            ')' => (Token::Close, 1),
            '[' => {
                let length = class_length(rest);
                (Token::Other(&rest[..length]), length)
            }
            '\\' => {
                let length = 1 + rest[1..].chars().next().map_or(0, char::len_utf8);
                (Token::Other(&rest[..length]), length)
            }
            c => (Token::Other(&rest[..c.len_utf8()]), c.len_utf8()),
        };
        tokens.push(token);
        rest = &rest[length..];
    }
    tokens
}

fn open_length(rest: &str) -> usize {
    if rest.starts_with("(?P<") || rest.starts_with("(?<") {
        rest.find('>').map_or(1, |end| end + 1)
    } else if rest.starts_with("(?:") {
        3
    } else if rest.starts_with("(?") {
        2
    } else {
        1
    }
}

/// Length of a class of characters, classes within it too.
fn class_length(rest: &str) -> usize {
    let mut depth = 0_usize;
    let mut escaped = false;
    for (index, c) in rest.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '[' => depth += 1,
            // A bracket right behind the opening one stands for itself.
            ']' if depth == 1 && matches!(&rest[..index], "[" | "[^") => {}
            ']' if depth == 1 => return index + 1,
            ']' => depth -= 1,
            _ => {}
        }
    }
    rest.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(regex: &str, names: &[&'static str], text: &str) -> serde_json::Value {
        let pattern = ArgumentPattern::new(&Regex::new(regex).unwrap(), names.to_vec()).unwrap();
        serde_json::to_value(pattern.arguments(text)).unwrap()
    }

    const STRING: &str = r#"(?:"(?P<__0_0>[^"\\]*(?:\\.[^"\\]*)*)"|'(?P<__0_1>[^'\\]*(?:\\.[^'\\]*)*)')"#;

    #[test]
    fn a_string_is_told_with_its_quotes_and_the_groups_in_it() {
        let found =
            arguments(&format!("^über {STRING} and (\\d+)$"), &["string", "int"], "über \"a\" and 12");
        let string = serde_json::json!({
            "start": 5, "value": "\"a\"",
            "children": [{"start": 6, "value": "a", "children": [{}]}, {"children": [{}]}],
        });
        let expected = serde_json::json!([
            {"group": string, "parameterTypeName": "string"},
            {"group": {"start": 13, "value": "12"}, "parameterTypeName": "int"},
        ]);
        assert_eq!(found, expected);
    }

    #[test]
    fn a_parameter_with_several_groups_is_told_as_a_whole() {
        let found = arguments("^to (?:(?P<__0_0>[A-Z(]+)-(?P<__0_1>[A-Z]+))$", &["flight"], "to A-B");
        let group = serde_json::json!({
            "start": 3, "value": "A-B", "children": [{"start": 3, "value": "A"}, {"start": 5, "value": "B"}],
        });
        assert_eq!(found, serde_json::json!([{"group": group, "parameterTypeName": "flight"}]));
    }

    #[test]
    fn groups_of_a_regular_expression_stay_as_they_are() {
        let found = arguments(r"^a (?:big )?([^)(\]]+)(?: and (b(c)))?$", &[], "a big x");
        let expected =
            serde_json::json!([{"group": {"start": 6, "value": "x"}}, {"group": {"children": [{}]}}]);
        assert_eq!(found, expected);
    }
}
