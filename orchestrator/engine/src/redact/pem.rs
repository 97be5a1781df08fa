//! Private keys in PEM armour: the one shape that goes over lines.

use std::sync::LazyLock;

use memchr::memmem::{self, Finder};

use super::span::Span;

/// Name of the shape.
pub(super) const NAME: &str = "private-key";
/// Longest key looked for, in bytes; the largest in use are half as long.
pub(super) const KEY_BYTES_MAX: usize = 16 * 1024;

const BEGIN: &[u8] = b"-----BEGIN ";
const END: &[u8] = b"-----END ";
const DASHES: &[u8] = b"-----";
/// Longest name between the dashes.
const LABEL_BYTES_MAX: usize = 64;

/// Adds the keys that stand in a text. One whose end is missing goes as far as it looks like a key.
pub(super) fn find(text: &[u8], spans: &mut Vec<Span<'_>>) {
    let mut from = 0;
    while let Some((start, body)) = begin(text, from) {
        let window = &text[body..text.len().min(start + KEY_BYTES_MAX)];
        let end = end(window).unwrap_or_else(|| base64_run(window));
        from = body + end;
        spans.push(Span { start, end: from, name: NAME, known: false });
    }
}

/// Where a key begins whose end may still come.
pub(super) fn open(text: &[u8]) -> Option<usize> {
    let mut from = 0;
    while let Some((start, body)) = begin(text, from) {
        match end(&text[body..text.len().min(start + KEY_BYTES_MAX)]) {
            Some(end) => from = body + end,
            None if text.len() - start < KEY_BYTES_MAX => return Some(start),
            None => from = body,
        }
    }
    None
}

/// The next first line of a private key: where it begins and where it ends.
fn begin(text: &[u8], mut from: usize) -> Option<(usize, usize)> {
    static FINDER: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(BEGIN));
    loop {
        let start = FINDER.find(&text[from..])? + from;
        let label = start + BEGIN.len();
        let rest = &text[label..text.len().min(label + LABEL_BYTES_MAX)];
        if let Some(length) = memmem::find(rest, DASHES)
            && memmem::find(&rest[..length], b"PRIVATE KEY").is_some()
        {
            return Some((start, label + length + DASHES.len()));
        }
        from = label;
    }
}

/// Where the armour's last line ends, if it is there before another key begins.
fn end(text: &[u8]) -> Option<usize> {
    let last = memmem::find(text, END)?;
    let label = last + END.len();
    let rest = &text[label..text.len().min(label + LABEL_BYTES_MAX)];
    let closed = memmem::find(rest, DASHES)?;
    memmem::find(&text[..last], BEGIN).is_none().then_some(label + closed + DASHES.len())
}

/// As far as a text is base64 in lines, real line ends or escaped ones.
fn base64_run(text: &[u8]) -> usize {
    let is_body = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/=\\\r\n\t".contains(byte);
    text.iter().position(|byte| !is_body(byte)).unwrap_or(text.len())
}
