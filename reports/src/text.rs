//! Making text harmless where it is shown: names, reasons and messages come from features, programs and models.

use std::borrow::Cow;

/// One line without control characters, so that nothing can steer a terminal or break out of a table.
pub(crate) fn plain(text: &str) -> String {
    visible(text).chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// The explicit formatting characters of the Unicode Bidirectional Algorithm (UAX #9, 2).
const TURNS: [char; 9] = [
    '\u{202a}', '\u{202b}', '\u{202c}', '\u{202d}', '\u{202e}', '\u{2066}', '\u{2067}', '\u{2068}',
    '\u{2069}',
];

/// Text in which what would turn the direction of the text behind it stands as its code point, so that nothing reads other
/// than it is.
pub(crate) fn visible(text: &str) -> Cow<'_, str> {
    // Looking for one at a time is quick without optimization, too.
    TURNS.iter().filter(|turn| text.contains(**turn)).fold(Cow::Borrowed(text), |shown, turn| {
        Cow::Owned(shown.replace(*turn, &format!("[U+{:04X}]", u32::from(*turn))))
    })
}

/// The first so many characters of a text, and how many more there were.
pub(crate) fn cut(text: &str, chars_max: usize) -> Cow<'_, str> {
    match text.char_indices().nth(chars_max) {
        None => Cow::Borrowed(text),
        Some((end, _)) => {
            let (head, rest) = text.split_at(end);
            Cow::Owned(format!("{head}… ({} more)", counted(rest.chars().count(), "character", "characters")))
        }
    }
}

/// Text in a table cell of Markdown: what would be markup stands for itself.
pub(crate) fn markdown(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in plain(text).chars() {
        match c {
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            // A mention or an issue reference in a model's words must not call anybody.
            '@' => escaped.push_str("&#64;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '#' | '$' => {
                escaped.push('\\');
                escaped.push(c);
            }
            other => escaped.push(other),
        }
    }
    escaped
}

/// A word or key in a table cell of Markdown, as code: what would end the code or the cell is left out.
pub(crate) fn code(text: &str) -> String {
    let inner: String = plain(text).chars().filter(|c| !"`|".contains(*c)).collect();
    format!("`{inner}`")
}

/// A path as the target of a link: what is not plainly part of a path is percent-encoded.
pub(crate) fn link_target(path: &str) -> String {
    let mut target = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'/' => {
                target.push(char::from(byte));
            }
            other => target.extend(['%', hex(other >> 4), hex(other & 0xf)]),
        }
    }
    target
}

fn hex(digit: u8) -> char {
    char::from_digit(digit.into(), 16).unwrap_or('0').to_ascii_uppercase()
}

/// A number of things, with the word for one of them or for several.
pub(crate) fn counted(count: usize, one: &str, several: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { several })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_cannot_leave_its_link() {
        assert_eq!(link_target("features/a b).feature"), "features/a%20b%29.feature");
    }

    #[test]
    fn nothing_can_steer_a_terminal() {
        assert_eq!(plain("a\u{1b}[31mb\nc\u{7f}"), "a [31mb c ");
    }

    #[test]
    fn what_turns_the_direction_of_text_is_seen() {
        assert_eq!(visible("a\u{202e}b\u{2066}c"), "a[U+202E]b[U+2066]c");
        assert_eq!(visible("\u{5d0}\u{627}"), "\u{5d0}\u{627}");
    }

    #[test]
    fn a_cut_says_how_much_is_gone() {
        assert_eq!(cut("äöü", 3), "äöü");
        assert_eq!(cut("äöüß", 3), "äöü… (1 character more)");
    }

    #[test]
    fn markup_stands_for_itself() {
        assert_eq!(markdown("a|b <img> *x* @you\n"), "a\\|b &lt;img&gt; \\*x\\* &#64;you ");
    }
}
