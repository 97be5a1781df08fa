//! Redacts a JSON text token by token, so that it stays valid and keeps its order and its layout.

use std::ops::Range;

/// A token that would be written differently.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Change {
    pub(super) at: Range<usize>,
    pub(super) text: String,
}

/// Which tokens are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tokens {
    /// Strings and keys: numbers are our own, and readers count on them.
    Texts,
    /// Numbers as well: they may be somebody else's.
    All,
}

/// What has to change: every token in which `redact` finds something. The text is valid JSON.
pub(super) fn changes(
    json: &str,
    which: Tokens,
    mut redact: impl FnMut(&str) -> Option<String>,
) -> Vec<Change> {
    let mut changes = Vec::new();
    for at in tokens(json.as_bytes()) {
        let token = &json[at.clone()];
        let plain = match serde_json::from_str::<String>(token) {
            Ok(text) => text,
            Err(_) if which == Tokens::All => token.to_owned(),
            Err(_) => continue,
        };
        if let Some(redacted) = redact(&plain) {
            changes.push(Change { at, text: serde_json::Value::from(redacted).to_string() });
        }
    }
    changes
}

/// The text with changes made; they are in order.
pub(super) fn apply<'c>(json: &str, changes: impl IntoIterator<Item = &'c Change>) -> String {
    let (mut text, mut at) = (String::with_capacity(json.len()), 0);
    for change in changes {
        text.push_str(&json[at..change.at.start]);
        text.push_str(&change.text);
        at = change.at.end;
    }
    text.push_str(&json[at..]);
    text
}

/// Strings with their quotes, and numbers.
fn tokens(json: &[u8]) -> Vec<Range<usize>> {
    let (mut tokens, mut at) = (Vec::new(), 0);
    while at < json.len() {
        let start = at;
        match json[at] {
            b'"' => {
                at += 1;
                while at < json.len() && json[at] != b'"' {
                    at += if json[at] == b'\\' { 2 } else { 1 };
                }
                at = (at + 1).min(json.len());
                tokens.push(start..at);
            }
            b'-' | b'0'..=b'9' => {
                while at < json.len() && matches!(json[at], b'-' | b'+' | b'.' | b'e' | b'E' | b'0'..=b'9') {
                    at += 1;
                }
                tokens.push(start..at);
            }
            _ => at += 1,
        }
    }
    tokens
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_keys_and_numbers_change_and_nothing_else() {
        let json = r#"{"a\"x": ["xx", -12.5e3, true, {"x": "\u0078\n"}], "plain": 7}"#;
        let redact = |text: &str| (text.contains('x') || text.contains('5')).then(|| format!("<{text}>"));
        let changed = apply(json, &changes(json, Tokens::All, redact));
        assert_eq!(changed, r#"{"<a\"x>": ["<xx>", "<-12.5e3>", true, {"<x>": "<x\n>"}], "plain": 7}"#);
        let changed = apply(json, &changes(json, Tokens::Texts, redact));
        assert_eq!(changed, r#"{"<a\"x>": ["<xx>", -12.5e3, true, {"<x>": "<x\n>"}], "plain": 7}"#);
    }
}
