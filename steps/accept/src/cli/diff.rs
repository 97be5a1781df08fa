//! Differences of two texts, for people.

use similar::{ChangeTag, TextDiff};

use super::console::{Console, Stream, Tone};

/// A unified diff of a file, for standard output.
pub(super) fn unified(console: &Console, name: &str, before: &str, after: &str) -> String {
    let paint = |tone, text: &str| console.paint_for(Stream::Out, tone, text);
    let diff = TextDiff::from_lines(before, after);
    let mut text = format!("--- {name}\n+++ {name} (formatted)\n");
    for hunk in diff.unified_diff().context_radius(2).iter_hunks() {
        text.push_str(&paint(Tone::Dim, &hunk.header().to_string()));
        text.push('\n');
        for change in hunk.iter_changes() {
            let line = change.to_string_lossy();
            let line = line.trim_end_matches(['\n', '\r']);
            let (mark, tone) = match change.tag() {
                ChangeTag::Equal => (' ', None),
                ChangeTag::Delete => ('-', Some(Tone::Bad)),
                ChangeTag::Insert => ('+', Some(Tone::Good)),
            };
            let line = format!("{mark}{line}");
            text.push_str(&tone.map_or_else(|| line.clone(), |tone| paint(tone, &line)));
            text.push('\n');
        }
    }
    text.truncate(text.trim_end_matches('\n').len());
    text
}
