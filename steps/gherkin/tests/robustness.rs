//! No input makes the parser or the compiler panic, and whatever comes out is in order.

use std::collections::HashSet;

use mycelium_gherkin::{AstIndex, IdGenerator, compile, parse};
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
fn gherkin_like() -> impl Strategy<Value = String> {
    let piece = prop_oneof![9 => prop::sample::select(PIECES).prop_map(str::to_owned), 1 => any::<String>()];
    let line = (prop::sample::select(&["", "  ", "\t", "\u{3000}"][..]), prop::collection::vec(piece, 0..3))
        .prop_map(|(indent, pieces)| indent.to_owned() + &pieces.join(" "));
    let ending = prop::sample::select(&["\n", "\r\n"][..]);
    (prop::collection::vec(line, 0..40), ending).prop_map(|(lines, ending)| lines.join(ending))
}

/// A feature that uses everything, with a few lines deleted, doubled, swapped or cut.
fn mutated() -> impl Strategy<Value = String> {
    const WHOLE: &str = "# language: en\n@f\nFeature: f\n  text\n\n  Background:\n    Given <a>\n  Scenario: s\n    When w\n      | a | b |\n      | 1 | 2 |\n    And d\n      \"\"\"xml\n      <a/>\n      \"\"\"\n  @r\n  Rule: r\n    @o\n    Scenario Outline: <a>\n      Then <a>\n        | <a> |\n        ```\n        <a>\n        ```\n      @e\n      Examples: e\n        | a |\n        | 1 |\n";
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

/// Parses, compiles, and checks what must hold for any text.
fn check(source: &str) -> Result<(), TestCaseError> {
    let mut ids = IdGenerator::new();
    let lines = source.lines().count();
    let parsed = parse("any.feature", source, &mut ids);
    prop_assert_eq!(&parsed, &parse("any.feature", source, &mut IdGenerator::new()), "deterministic");
    match parsed {
        Err(errors) => {
            prop_assert!(!errors.is_empty(), "a failure has a reason");
            let unique: HashSet<_> = errors.iter().map(ToString::to_string).collect();
            prop_assert_eq!(unique.len(), errors.len(), "no error is told twice");
            for error in errors {
                prop_assert!((1..=lines + 1).contains(&(error.location.line as usize)), "{}", error);
            }
        }
        Ok(document) => {
            let index = AstIndex::new(&document);
            let mut seen = HashSet::new();
            for pickle in compile(&document, "any.feature", &mut ids) {
                prop_assert!(seen.insert(pickle.id), "ids differ");
                for id in &pickle.ast_node_ids {
                    let node = index.get(id);
                    prop_assert!(node.is_some_and(|node| node.location.line as usize <= lines), "{}", id);
                }
                for step in pickle.steps {
                    let written = index.step(&step).and_then(|node| node.keyword.clone());
                    prop_assert!(written.is_some(), "a step has its keyword");
                    prop_assert!(seen.insert(step.id), "ids differ");
                }
            }
        }
    }
    Ok(())
}

proptest! {
    // A failure prints its smallest input; it becomes a test of its own, not a file.
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_text_is_a_document_or_errors(source in any::<String>()) {
        check(&source)?;
    }

    #[test]
    fn text_of_gherkin_pieces_is_a_document_or_errors(source in gherkin_like()) {
        check(&source)?;
    }

    #[test]
    fn a_mutated_feature_is_a_document_or_errors(source in mutated()) {
        check(&source)?;
    }
}
