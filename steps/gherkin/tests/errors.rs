//! What the parser says of broken text, without the official data.

use mycelium_gherkin::{IdGenerator, ParseErrorKind, parse};

fn errors(source: &str) -> Vec<String> {
    let errors = parse("broken.feature", source, &mut IdGenerator::new()).err().unwrap_or_default();
    errors.iter().map(ToString::to_string).collect()
}

#[test]
fn all_errors_of_a_file_are_reported_at_once() {
    let source =
        "Feature: f\n  Scenario: s\n    Given a\n    Gven b\n      | x | y |\n      | 1 |\n    Wehn c\n";
    let expected = [
        "(4:5): expected: #EOF, #TableRow, #DocStringSeparator, #StepLine, #TagLine, #ExamplesLine, #ScenarioLine, \
         #RuleLine, #Comment, #Empty, got 'Gven b'",
        "(7:5): expected: #EOF, #TableRow, #DocStringSeparator, #StepLine, #TagLine, #ExamplesLine, #ScenarioLine, \
         #RuleLine, #Comment, #Empty, got 'Wehn c'",
        "(6:7): inconsistent cell count within the table",
    ];
    assert_eq!(errors(source), expected);
}

#[test]
fn a_file_of_nothing_but_mistakes_has_an_error_a_line() {
    assert_eq!(errors(&"nonsense\n".repeat(100)).len(), 100);
}

#[test]
fn an_unknown_language_is_named_at_its_place() {
    assert_eq!(errors("\n  # language: xx\nFeature: f\n"), ["(2:3): Language not supported: xx"]);
}

#[test]
fn a_language_without_its_feature_is_an_unexpected_end() {
    let expected = "(2:0): unexpected end of file, expected: #TagLine, #FeatureLine, #Comment, #Empty";
    assert_eq!(errors("# language: en\n"), [expected]);
}

#[test]
fn an_open_doc_string_is_an_unexpected_end() {
    let source = "Feature: f\n  Scenario: s\n    Given d\n      \"\"\"\n      text\n";
    assert_eq!(errors(source), ["(6:0): unexpected end of file, expected: #DocStringSeparator, #Other"]);
}

#[test]
fn a_background_below_a_scenario_is_refused() {
    let found = errors("Feature: f\n  Scenario: s\n    Given a\n  Background:\n    Given b\n");
    assert_eq!(found.len(), 1);
    assert!(found[0].starts_with("(4:3): expected: #EOF"), "{found:?}");
    assert!(found[0].ends_with("got 'Background:'"), "{found:?}");
}

#[test]
fn examples_below_a_background_are_refused() {
    let found = errors("Feature: f\n  Background:\n    Given b\n  Examples:\n");
    assert!(
        found[0].ends_with("#TagLine, #ScenarioLine, #RuleLine, #Comment, #Empty, got 'Examples:'"),
        "{found:?}"
    );
}

#[test]
fn a_step_takes_one_table_and_one_doc_string_only() {
    let source = "Feature: f\n  Scenario: s\n    Given d\n      | a |\n      ```\n      ```\n      | b |\n";
    let found = errors(source);
    assert_eq!(found.len(), 1);
    assert!(found[0].starts_with("(7:7): expected: #EOF, #StepLine, #TagLine"), "{found:?}");
}

#[test]
fn a_space_in_a_tag_is_reported_once_at_that_tag() {
    let found = errors("Feature: f\n  @good @bad one\n  Scenario: s\n");
    assert_eq!(found, ["(2:9): A tag may not contain whitespace"]);
}

#[test]
fn the_error_of_a_line_that_is_looked_at_twice_is_told_once() {
    let found = errors("Feature: f\n  Scenario: s\n    Given a\n  @good\n  @bad one\n  Scenario: t\n");
    let whitespace = found.iter().filter(|error| error.ends_with("A tag may not contain whitespace"));
    assert_eq!(whitespace.collect::<Vec<_>>(), ["(5:3): A tag may not contain whitespace"], "{found:?}");
}

#[test]
fn a_table_is_judged_once_at_its_first_odd_row() {
    let source = "Feature: f\n  Scenario: s\n    Given t\n      | a | b |\n      | 1 |\n      | 2 |\n";
    assert_eq!(errors(source), ["(5:7): inconsistent cell count within the table"]);
}

#[test]
fn an_error_keeps_its_kind_and_becomes_a_message() {
    let found = parse("broken.feature", "# language: xx\n", &mut IdGenerator::new()).unwrap_err();
    assert_eq!(found[0].kind, ParseErrorKind::UnsupportedLanguage { language: "xx".to_owned() });
    let message = found[0].to_message("broken.feature");
    assert_eq!(message.message, "(1:1): Language not supported: xx");
    assert_eq!(message.source.uri.as_deref(), Some("broken.feature"));
    assert_eq!(message.source.location, Some(found[0].location));
}
