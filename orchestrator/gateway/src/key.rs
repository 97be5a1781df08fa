//! A provider's key: it is sent, and never shown, also where the provider itself repeats it.

use std::{fmt, ops::Range};

use reqwest::header::{AUTHORIZATION, HeaderName, HeaderValue};

use crate::protocol::Vendor;

/// Shortest key that is looked for in what a provider says: a shorter one stands in half of all words.
const HIDDEN_MIN: usize = 6;
/// Characters of a key around what stands in the place of the rest, from which on they are taken for the key's.
const SHOWN_MIN: usize = 4;

/// A key, by the name of its variable.
#[derive(Clone)]
pub struct Key {
    name: String,
    text: String,
}

/// A text that is no key. It is not in what is said of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadKey {
    /// There is none.
    #[error("is empty")]
    Empty,
    /// It cannot be sent.
    #[error("holds a line break or another character that cannot be sent in an HTTP header")]
    Unsendable,
}

impl Key {
    /// A key of the operator's environment. What stands around it, as the line break of a file that it was read from, is
    /// left out.
    pub fn new(name: &str, text: &str) -> Result<Self, BadKey> {
        let text = text.trim();
        if text.is_empty() {
            return Err(BadKey::Empty);
        }
        if !text.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic()) {
            return Err(BadKey::Unsendable);
        }
        Ok(Self { name: name.to_owned(), text: text.to_owned() })
    }

    /// The header by which a vendor knows it.
    pub(crate) fn header(&self, vendor: Vendor) -> Option<(HeaderName, HeaderValue)> {
        let (name, text) = match vendor {
            Vendor::OpenAi => (AUTHORIZATION, format!("Bearer {}", self.text)),
            Vendor::Anthropic => (HeaderName::from_static("x-api-key"), self.text.clone()),
        };
        // It cannot fail: what cannot be sent is no key.
        let mut value = HeaderValue::from_str(&text).ok()?;
        value.set_sensitive(true);
        Some((name, value))
    }

    /// Its bytes, where it is long enough to be looked for.
    pub(crate) fn sought(&self) -> Option<&[u8]> {
        (self.text.len() >= HIDDEN_MIN).then_some(self.text.as_bytes())
    }

    /// A text with a mark in the place of the key, and of a key that is shown in part, as `sk-ab***yz`; none where it has
    /// neither.
    pub(crate) fn hide(&self, text: &str) -> Option<String> {
        if self.text.len() < HIDDEN_MIN {
            return None;
        }
        let mark = format!("[redacted:{}]", self.name);
        let quoted = serde_json::Value::from(self.text.as_str()).to_string();
        let quoted = quoted.get(1..quoted.len() - 1).unwrap_or(&self.text);
        let mut hidden = text.replace(&self.text, &mark).replace(quoted, &mark);
        let mut from = 0;
        while let Some(gap) = gap(&hidden, from) {
            let (before, behind) = (&hidden[..gap.start], &hidden[gap.end..]);
            let front = (0..=self.text.len()).rev().find(|n| before.ends_with(&self.text[..*n])).unwrap_or(0);
            let back = (0..=self.text.len()).find(|n| behind.starts_with(&self.text[*n..]));
            let back = self.text.len() - back.unwrap_or(self.text.len());
            from = gap.end;
            if front + back >= SHOWN_MIN {
                let start = gap.start - front;
                hidden.replace_range(start..gap.end + back, &mark);
                from = start + mark.len();
            }
        }
        (hidden != text).then_some(hidden)
    }
}

/// What next stands in the place of a part that is not shown: a row of stars or dots.
fn gap(text: &str, from: usize) -> Option<Range<usize>> {
    let is_gap = |c: char| matches!(c, '*' | '.' | '…' | '•');
    let mut at = from;
    loop {
        let start = at + text[at..].find(is_gap)?;
        let rest = &text[start..];
        let end = start + rest.find(|c| !is_gap(c)).unwrap_or(rest.len());
        // One dot ends a sentence.
        if &text[start..end] != "." {
            return Some(start..end);
        }
        at = end;
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(…)")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sent(text: &str) -> Result<String, BadKey> {
        let (_, value) = Key::new("KEY", text)?.header(Vendor::OpenAi).unwrap();
        Ok(value.to_str().unwrap().to_owned())
    }

    #[test]
    fn a_key_is_sent_without_what_stands_around_it() {
        for text in ["sk-1", "sk-1\r\n", "\n sk-1\t", "\u{a0}sk-1\u{2003}"] {
            assert_eq!(sent(text).unwrap(), "Bearer sk-1", "{text:?}");
        }
    }

    #[test]
    fn a_key_is_hidden_whole_and_as_providers_shorten_it() {
        let key = Key::new("KEY", "sk-proj-Ab/12\"345678wxyz").unwrap();
        for (said, told) in [
            ("provided: sk-proj-Ab/12\"345678wxyz.", "provided: [redacted:KEY]."),
            (r#"{"m":"sk-proj-Ab/12\"345678wxyz"}"#, r#"{"m":"[redacted:KEY]"}"#),
            ("provided: sk-proj-********wxyz. You", "provided: [redacted:KEY]. You"),
            ("sk-...wxyz, sk-p…z and ••••wxyz", "[redacted:KEY], [redacted:KEY] and [redacted:KEY]"),
            ("begins with sk-proj-Ab/12...", "begins with [redacted:KEY]"),
            ("*****sk-proj-Ab/12\"345678wxyz", "*****[redacted:KEY]"),
        ] {
            assert_eq!(key.hide(said).as_deref(), Some(told), "{said}");
        }
        for said in
            ["", "sk-... is how keys begin", "It failed. xyz", "wait ... please", "**bold** …", "...xyz"]
        {
            assert_eq!(key.hide(said), None, "{said}");
        }
        assert_eq!(Key::new("KEY", "dummy").unwrap().hide("a dummy"), None);
    }

    proptest! {
        #[test]
        fn no_text_that_is_hidden_holds_the_key(before in "[a*.…s-]{0,12}", behind in "[a*.…y-]{0,12}") {
            let key = Key::new("KEY", "s-a-a*y-ay").unwrap();
            let hidden = key.hide(&format!("{before}s-a-a*y-ay{behind}"));
            prop_assert!(hidden.is_some_and(|hidden| !hidden.contains("s-a-a*y-ay")));
        }
    }

    #[test]
    fn what_is_no_key_is_told_without_it() {
        for text in ["", " ", "\r\n", "\t\u{a0}"] {
            assert_eq!(sent(text), Err(BadKey::Empty), "{text:?}");
        }
        for text in ["sk-\r\n1", "sk-\u{1}", "sk-ключ", "sk\u{7f}"] {
            assert_eq!(sent(text), Err(BadKey::Unsendable), "{text:?}");
            assert!(!sent(text).unwrap_err().to_string().contains("sk"));
        }
    }
}
