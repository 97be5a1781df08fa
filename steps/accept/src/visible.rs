//! Text that others wrote, for a terminal.

/// A text of which nothing steers a terminal; lines stay lines.
pub(crate) fn visible(text: &str) -> String {
    let shown = |c: char| match c {
        '\n' => c.to_string(),
        '\t' => " ".to_owned(),
        c if c.is_control() => c.escape_default().to_string(),
        c => c.to_string(),
    };
    text.chars().map(shown).collect()
}
