//! The ways in which programs spell a value: what is searched for is all of them.

use std::{collections::BTreeSet, fmt::Write};

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD},
};

/// Shortest text worth searching for, in bytes: a shorter one stands in half of all words.
pub(super) const VALUE_BYTES_MIN: usize = 6;

/// Widths at which the usual programs break base64 into lines.
const BASE64_WIDTHS: [usize; 2] = [64, 76];

/// Marks that writers of percent-encoding leave as they are: those of RFC 3986, those of an older RFC, those of HTML forms,
/// those of paths, and those of whole addresses.
const PERCENT_PLAIN: [&str; 6] = ["-._~", "-._~!'()*", "-._*", "-._", "-._~/", "-._~!'()*;,/?:@&=+$#"];

/// Every spelling of a value: of the whole, and of each line of a value with several. Empty for a value that is too
/// short.
pub(super) fn spellings(value: &str) -> BTreeSet<Vec<u8>> {
    let value = value.trim();
    let mut found = BTreeSet::new();
    if value.len() < VALUE_BYTES_MIN {
        return found;
    }
    one(value, &mut found);
    if value.contains('\n') {
        let lines = value.lines().map(str::trim);
        for line in lines.filter(|line| line.len() >= VALUE_BYTES_MIN && !line.starts_with("-----")) {
            one(line, &mut found);
        }
    }
    found
}

fn one(value: &str, found: &mut BTreeSet<Vec<u8>>) {
    found.insert(value.as_bytes().to_vec());
    base64(value.as_bytes(), found);
    percents(value, found);
    let json = escaped_json(value);
    let texts = [
        json.replace('/', "\\/"),
        ascii_json(&json, |c| !c.is_ascii()),
        ascii_json(&json, |c| matches!(c, '<' | '>' | '&')),
        // A JSON text within a JSON text.
        escaped_json(&json),
        json,
        value.replace('\'', r"'\''"),
    ];
    found.extend(texts.into_iter().map(String::into_bytes));
}

/// Base64 of the value alone, and the part of it that shows wherever in a longer text the value stands: one in three
/// ways, since three bytes make four characters.
fn base64(value: &[u8], found: &mut BTreeSet<Vec<u8>>) {
    let whole = STANDARD.encode(value);
    for width in BASE64_WIDTHS.into_iter().filter(|width| whole.len() > *width) {
        let lines = whole.as_bytes().chunks(width);
        found.extend(lines.filter(|line| line.len() >= VALUE_BYTES_MIN).map(<[u8]>::to_vec));
    }
    found.insert(whole.into_bytes());
    for shift in 0..3 {
        let shifted: Vec<u8> = [&[0; 2][..shift], value].concat();
        for engine in [STANDARD_NO_PAD, URL_SAFE_NO_PAD] {
            let text = engine.encode(&shifted);
            // The characters at the seams depend on the neighbours as well.
            let front = if shift == 0 { 0 } else { shift + 1 };
            let back = text.len() - usize::from(!shifted.len().is_multiple_of(3));
            found.insert(text.as_bytes()[front..back].to_vec());
        }
    }
}

/// Percent-encoding as it is usual: writers differ in what they leave as it is, in the case of the digits, and in whether
/// a blank is a plus.
fn percents(value: &str, found: &mut BTreeSet<Vec<u8>>) {
    for plain in PERCENT_PLAIN {
        for small in [false, true] {
            let text = percent(value, plain, small);
            found.insert(text.replace("%20", "+").into_bytes());
            found.insert(text.into_bytes());
        }
    }
}

/// Percent-encoding of everything but letters, digits and some marks.
fn percent(value: &str, plain: &str, small: bool) -> String {
    value.bytes().fold(String::new(), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = match byte {
            _ if byte.is_ascii_alphanumeric() || plain.as_bytes().contains(&byte) => {
                text.push(char::from(byte));
                Ok(())
            }
            _ if small => write!(text, "%{byte:02x}"),
            _ => write!(text, "%{byte:02X}"),
        };
        text
    })
}

/// As it stands between the quotes of a JSON string.
fn escaped_json(value: &str) -> String {
    let quoted = serde_json::Value::from(value).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

/// JSON in which some characters are `\u` escapes, as some writers make them.
fn ascii_json(json: &str, escape: impl Fn(char) -> bool) -> String {
    json.chars().fold(String::new(), |mut text, c| {
        if escape(c) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                // Writing to a String cannot fail.
                let _ = write!(text, "\\u{unit:04x}");
            }
        } else {
            text.push(c);
        }
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finds(value: &str, text: &str) -> bool {
        let text = text.as_bytes();
        spellings(value).iter().any(|spelling| text.windows(spelling.len()).any(|part| part == &spelling[..]))
    }

    #[test]
    fn base64_shows_at_every_offset() {
        for length in 6..40 {
            let value = &"Zw9!xK#4mQ@7pL$2vT%8nR^5sB&3hJ*6dF(1gC)0yX"[..length];
            for before in ["", "a", "ab", "abc", "user:"] {
                for after in ["", "1", "12", "\n"] {
                    let text = STANDARD.encode(format!("{before}{value}{after}"));
                    assert!(finds(value, &text), "{before:?} {value} {after:?}: {text}");
                }
            }
        }
    }

    #[test]
    fn other_spellings_are_known() {
        let value = "p/w <ä> \"quoted\" & it's";
        for text in [
            "p%2Fw%20%3C%C3%A4%3E%20%22quoted%22%20%26%20it%27s",
            "p%2fw%20%3c%c3%a4%3e%20%22quoted%22%20%26%20it%27s",
            "p%2Fw+%3C%C3%A4%3E+%22quoted%22+%26+it%27s",
            "p%2Fw%20%3C%C3%A4%3E%20%22quoted%22%20%26%20it's",
            "p/w%20%3C%C3%A4%3E%20%22quoted%22%20%26%20it%27s",
            "p/w%20%3C%C3%A4%3E%20%22quoted%22%20&%20it's",
            "p%2fw+%3c%c3%a4%3e+%22quoted%22+%26+it%27s",
            r#"p/w <ä> \"quoted\" & it's"#,
            r#"p\/w <ä> \"quoted\" & it's"#,
            r#"p/w <\u00e4> \"quoted\" & it's"#,
            r#"p/w \u003cä\u003e \"quoted\" \u0026 it's"#,
            r#"p/w <ä> \\\"quoted\\\" & it's"#,
            r#"p/w <ä> "quoted" & it'\''s"#,
        ] {
            assert!(finds(value, text), "{text}");
        }
    }

    #[test]
    fn a_tilde_and_a_star_are_left_as_they_are_by_some() {
        for text in ["~b*c%2Fd%2Be", "%7Eb*c%2Fd%2Be", "%7Eb%2Ac%2Fd%2Be", "~b%2Ac/d%2Be", "~b*c/d+e"] {
            assert!(finds("~b*c/d+e", text), "{text}");
        }
    }

    #[test]
    fn each_line_of_a_value_counts_and_armour_does_not() {
        let value = "-----BEGIN X-----\nfirst-line\n  second-line\nabc\n-----END X-----\n";
        assert!(finds(value, "only first-line"));
        assert!(finds(value, "only second-line"));
        assert!(!finds(value, "-----BEGIN X-----\nabc\n"));
        assert!(spellings("short").is_empty());
        assert!(spellings(" short\n").is_empty());
    }
}
