//! The shapes that well-known keys have. Each is precise rather than greedy: a shape that also fits hashes, UUIDs or
//! paths would make logs unreadable, and nobody would look at its marks any more.

use std::sync::{LazyLock, OnceLock};

use aho_corasick::{AhoCorasick, AhoCorasickKind};
use regex::bytes::{Regex, RegexBuilder};

use super::{pem, span::Span};

/// A kind of key.
struct Shape {
    /// Its name in the mark that replaces it.
    name: &'static str,
    /// One of these stands in every text that holds such a key, in whatever case.
    words: &'static [&'static str],
    /// The key; of a pattern with a group only the group is secret. None crosses a line.
    pattern: &'static str,
    /// What a pattern cannot say.
    holds: fn(&[u8]) -> bool,
}

const fn shape(name: &'static str, words: &'static [&'static str], pattern: &'static str) -> Shape {
    Shape { name, words, pattern, holds: |_| true }
}

static SHAPES: [Shape; 18] = [
    shape(
        "aws-access-key",
        &["akia", "asia", "abia", "acca", "a3t"],
        r"\b(?:A3T[A-Z0-9]|AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}\b",
    ),
    shape(
        "aws-secret-key",
        &["aws"],
        r#"(?i)\baws_?(?:secret)?_?(?:access)?_?key["']?[ \t]*[:=][ \t]*["']?([a-z0-9/+]{40})(?:[^a-z0-9/+]|$)"#,
    ),
    shape("github-token", &["ghp_", "gho_", "ghu_", "ghs_", "ghr_"], r"\bgh[pousr]_[A-Za-z0-9]{36,}"),
    shape("github-token", &["github_pat_"], r"\bgithub_pat_[A-Za-z0-9_]{22,}"),
    shape(
        "gitlab-token",
        &[
            "glpat-", "glptt-", "gldt-", "glrt", "glcbt-", "glsoat-", "glft-", "glimt-", "glagent-",
            "gloas-", "glffct-",
        ],
        r"\bgl(?:pat|ptt|dt|rt|rtr|cbt|soat|ft|imt|agent|oas|ffct)-[A-Za-z0-9_-]{20,}(?:\.[0-9a-z]{2}\.[0-9a-z]{7})?",
    ),
    shape("slack-token", &["xox"], r"\bxox[abeoprs](?:\.xox[bp])?-[A-Za-z0-9-]{10,}"),
    shape("slack-token", &["xapp-"], r"\bxapp-[0-9]-[A-Z0-9]+-[0-9]+-[a-z0-9]+"),
    shape(
        "slack-webhook",
        &["hooks.slack.com"],
        r"\bhooks\.slack\.com/(?:services|workflows)/([A-Za-z0-9+/]{24,})",
    ),
    Shape {
        name: "api-key",
        words: &["sk-"],
        // With dashes in it, it is a key only if it is as mixed as chance makes it.
        pattern: r"\bsk-(?:ant|proj|svcacct|admin|or)-[A-Za-z0-9_-]{20,}",
        holds: is_mixed,
    },
    Shape { name: "api-key", words: &["sk-"], pattern: r"\bsk-[A-Za-z0-9]{20,}", holds: has_digit },
    shape("google-api-key", &["aiza"], r"\bAIza[A-Za-z0-9_-]{35,}"),
    shape("google-oauth", &["ya29.", "gocspx-"], r"\b(?:ya29\.[A-Za-z0-9_-]{20,}|GOCSPX-[A-Za-z0-9_-]{28,})"),
    shape(
        "stripe-key",
        &["sk_", "rk_", "whsec_"],
        r"\b(?:[sr]k_(?:live|test|prod)_[A-Za-z0-9]{10,}|whsec_[A-Za-z0-9+/=]{24,})",
    ),
    shape("npm-token", &["npm_"], r"\bnpm_[A-Za-z0-9]{36,}"),
    shape("pypi-token", &["pypi-age"], r"\bpypi-AgE[A-Za-z0-9_-]{40,}"),
    shape("jwt", &["eyj"], r"\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{10,}"),
    shape(
        "authorization",
        &["authorization"],
        r#"(?i)\bauthorization\\?["']?[ \t]*[:=][ \t]*\\?["']?(?:bearer|basic|token)[ \t]+([a-z0-9._~+/=-]{8,})"#,
    ),
    Shape {
        name: "url-password",
        words: &["://"],
        pattern: r#"(?i)\b[a-z][a-z0-9+.-]*://[^\s:/?#@'"\[\]]*:([^\s/?#@'"\[\]]{3,})@"#,
        holds: is_no_template,
    },
];

/// The names of all shapes.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    SHAPES.iter().map(|shape| shape.name).chain([pem::NAME])
}

/// Adds the keys that stand in a text.
pub(super) fn find(text: &[u8], spans: &mut Vec<Span<'_>>) {
    for index in suspected(text) {
        let shape = &SHAPES[index];
        for found in regex(index).captures_iter(text) {
            if let Some(key) = found.get(1).or_else(|| found.get(0))
                && (shape.holds)(key.as_bytes())
            {
                spans.push(Span { start: key.start(), end: key.end(), name: shape.name, known: false });
            }
        }
    }
    pem::find(text, spans);
}

/// The shapes one of whose words stands in the text: most texts have none, and no expression is compiled for them.
fn suspected(text: &[u8]) -> Vec<usize> {
    static WORDS: LazyLock<(AhoCorasick, Vec<usize>)> = LazyLock::new(|| {
        let words =
            || SHAPES.iter().enumerate().flat_map(|(index, s)| s.words.iter().map(move |w| (index, w)));
        // Every command builds it and most read little by it: a table of all transitions costs more than it saves.
        let matcher = AhoCorasick::builder()
            .kind(Some(AhoCorasickKind::ContiguousNFA))
            .ascii_case_insensitive(true)
            .build(words().map(|(_, word)| word));
        // The table is our own, and a test builds it.
        let matcher = matcher.unwrap_or_else(|why| unreachable!("the words of the shapes: {why}"));
        (matcher, words().map(|(index, _)| index).collect())
    });
    let (matcher, shape_of) = &*WORDS;
    let mut found = [false; SHAPES.len()];
    for word in matcher.find_overlapping_iter(text) {
        found[shape_of[word.pattern().as_usize()]] = true;
    }
    (0..SHAPES.len()).filter(|index| found[*index]).collect()
}

/// A shape's expression, compiled when it is first needed.
fn regex(index: usize) -> &'static Regex {
    static COMPILED: [OnceLock<Regex>; SHAPES.len()] = [const { OnceLock::new() }; SHAPES.len()];
    COMPILED[index].get_or_init(|| {
        let regex = RegexBuilder::new(SHAPES[index].pattern).unicode(false).build();
        // The table is our own, and a test compiles all of it.
        regex.unwrap_or_else(|why| unreachable!("the shape {}: {why}", SHAPES[index].name))
    })
}

fn has_digit(key: &[u8]) -> bool {
    key.iter().any(u8::is_ascii_digit)
}

fn is_mixed(key: &[u8]) -> bool {
    has_digit(key) && key.iter().any(u8::is_ascii_uppercase) && key.iter().any(u8::is_ascii_lowercase)
}

/// `${PASSWORD}`, `<password>`, `$PASSWORD`, `***` stand for a password and are none.
fn is_no_template(password: &[u8]) -> bool {
    !matches!(password.first(), Some(b'$' | b'<' | b'{' | b'*'))
}
