//! Random texts that look like Gherkin.

use proptest::prelude::*;

/// Pieces that mean something to the parser, so that random text reaches deep states.
const PIECES: &[&str] = &[
    "Feature: f",
    "Rule: r",
    "Background:",
    "Scenario: s",
    "Scenario Outline: <a>",
    "Examples:",
    "Given <a>",
    "And b",
    "* c",
    "@t",
    "@t @u # v",
    "@a b",
    "| a |",
    "| a | b |",
    "| \\",
    "|",
    "\"\"\"",
    "```json",
    "\\\"\\\"\\\"",
    "# c",
    "# language: fr",
    "# language: xx",
    "Fonctionnalité: f",
    "Scénario: s",
    "Étant donné é",
    "text",
    "",
    "   ",
    "\t",
    "\u{feff}",
    "\u{a0}",
    "\u{2028}",
    "😀",
    "\r",
];

/// Lines of such pieces, some of them indented, joined or broken.
pub(crate) fn gherkin_like() -> impl Strategy<Value = String> {
    let piece = prop_oneof![9 => prop::sample::select(PIECES).prop_map(str::to_owned), 1 => any::<String>()];
    let line = (prop::sample::select(&["", "  ", "\t", "\u{3000}"][..]), prop::collection::vec(piece, 0..3))
        .prop_map(|(indent, pieces)| indent.to_owned() + &pieces.join(" "));
    let ending = prop::sample::select(&["\n", "\r\n"][..]);
    (prop::collection::vec(line, 0..40), ending).prop_map(|(lines, ending)| lines.join(ending))
}

/// A feature that uses everything.
pub(crate) const WHOLE: &str = "# language: en\n@f\nFeature: f\n  text\n\n  Background:\n    Given <a>\n  Scenario: s\n    When w\n      | a | b |\n      | 1 | 2 |\n    And d\n      \"\"\"xml\n      <a/>\n      \"\"\"\n  @r\n  Rule: r\n    @o\n    Scenario Outline: <a>\n      Then <a>\n        | <a> |\n        ```\n        <a>\n        ```\n      @e\n      Examples: e\n        | a |\n        | 1 |\n";

/// That feature, with a few lines deleted, doubled, swapped or cut.
pub(crate) fn mutated() -> impl Strategy<Value = String> {
    prop::collection::vec((0_u8..4, any::<prop::sample::Index>(), any::<prop::sample::Index>()), 1..5)
        .prop_map(|edits| {
            let mut lines: Vec<String> = WHOLE.lines().map(str::to_owned).collect();
            for (edit, here, there) in edits {
                let (at, to) = (here.index(lines.len()), there.index(lines.len()));
                match edit {
                    0 if lines.len() > 1 => drop(lines.remove(at)),
                    1 => lines.insert(to, lines[at].clone()),
                    2 => lines.swap(at, to),
                    _ => lines[at] = lines[at].chars().take(to).collect(),
                }
            }
            lines.join("\n")
        })
}
