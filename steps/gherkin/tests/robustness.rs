//! No input makes the parser or the compiler panic, and whatever comes out is in order.

mod text;

use std::collections::HashSet;

use mycelium_gherkin::{AstIndex, IdGenerator, compile, parse};
use proptest::prelude::*;
use text::{gherkin_like, mutated};

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
