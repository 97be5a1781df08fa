//! A provider's key: it is sent, and never shown.

use std::fmt;

use reqwest::header::{AUTHORIZATION, HeaderName, HeaderValue};

use crate::protocol::Vendor;

/// A key.
#[derive(Clone)]
pub struct Key(String);

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
    pub fn new(text: &str) -> Result<Self, BadKey> {
        let text = text.trim();
        if text.is_empty() {
            return Err(BadKey::Empty);
        }
        if !text.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic()) {
            return Err(BadKey::Unsendable);
        }
        Ok(Self(text.to_owned()))
    }

    /// The header by which a vendor knows it.
    pub(crate) fn header(&self, vendor: Vendor) -> Option<(HeaderName, HeaderValue)> {
        let (name, text) = match vendor {
            Vendor::OpenAi => (AUTHORIZATION, format!("Bearer {}", self.0)),
            Vendor::Anthropic => (HeaderName::from_static("x-api-key"), self.0.clone()),
        };
        // It cannot fail: what cannot be sent is no key.
        let mut value = HeaderValue::from_str(&text).ok()?;
        value.set_sensitive(true);
        Some((name, value))
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(text: &str) -> Result<String, BadKey> {
        let (_, value) = Key::new(text)?.header(Vendor::OpenAi).unwrap();
        Ok(value.to_str().unwrap().to_owned())
    }

    #[test]
    fn a_key_is_sent_without_what_stands_around_it() {
        for text in ["sk-1", "sk-1\r\n", "\n sk-1\t", "\u{a0}sk-1\u{2003}"] {
            assert_eq!(sent(text).unwrap(), "Bearer sk-1", "{text:?}");
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
