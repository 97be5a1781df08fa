//! What the parser makes of text, without the official data.

use mycelium_gherkin::{IdGenerator, parse};
use mycelium_schemas::messages::{
    DocString, Feature, FeatureChild, GherkinDocument, RuleChild, Scenario, Step, StepKeywordType,
};

fn document(source: &str) -> GherkinDocument {
    parse("sample.feature", source, &mut IdGenerator::new()).unwrap_or_else(|errors| panic!("{errors:?}"))
}

fn feature(source: &str) -> Feature {
    document(source).feature.unwrap_or_else(|| panic!("no feature"))
}

fn scenario(source: &str) -> Scenario {
    let child = feature(source).children.into_iter().find_map(|child| match child {
        FeatureChild::Scenario(scenario) => Some(scenario),
        _ => None,
    });
    child.unwrap_or_else(|| panic!("no scenario"))
}

/// The steps of a scenario whose body is given.
fn steps(body: &str) -> Vec<Step> {
    scenario(&format!("Feature: f\n  Scenario: s\n{body}")).steps
}

fn doc_string(body: &str) -> DocString {
    steps(body).remove(0).doc_string.unwrap_or_else(|| panic!("no doc string"))
}

/// The cells of the first row of the first step's table, with their columns.
fn cells(row: &str) -> Vec<(String, Option<u32>)> {
    let table =
        steps(&format!("    Given t\n{row}\n")).remove(0).data_table.unwrap_or_else(|| panic!("no table"));
    table.rows[0].cells.iter().map(|cell| (cell.value.clone(), cell.location.column)).collect()
}

#[test]
fn a_file_without_a_feature_has_only_comments() {
    let document = document("\n# nothing yet\n");
    assert_eq!(document.feature, None);
    assert_eq!(document.comments[0].text, "# nothing yet");
    assert_eq!(document.comments[0].location.line, 2);
}

#[test]
fn parts_nest_as_written_and_ids_count_from_the_leaves() {
    let feature = feature(
        "@f\nFeature: f\n  Background:\n    Given b\n  Scenario: s\n    When w\n  @r\n  Rule: r\n    Background:\n      \
         Given c\n    @s\n    Scenario: t\n      Then v\n",
    );
    let [FeatureChild::Background(background), FeatureChild::Scenario(first), FeatureChild::Rule(rule)] =
        feature.children.as_slice()
    else {
        panic!("{feature:#?}")
    };
    let [RuleChild::Background(inner), RuleChild::Scenario(second)] = rule.children.as_slice() else {
        panic!("{rule:#?}")
    };
    let ids = [&background.steps[0].id, &background.id, &first.steps[0].id, &first.id, &inner.steps[0].id];
    assert_eq!(ids, ["0", "1", "2", "3", "4"]);
    let ids = [&inner.id, &second.steps[0].id, &second.tags[0].id, &second.id, &rule.tags[0].id, &rule.id];
    assert_eq!(ids, ["5", "6", "7", "8", "9", "10"]);
    assert_eq!(feature.tags[0].id, "11");
}

#[test]
fn tags_belong_to_the_title_that_follows_them() {
    let scenario = scenario(
        "Feature: f\n  @a @b # why\n  # between\n\n  @c\n  Scenario Outline: s\n    Given <x>\n\n    @d\n    Examples:\n      \
         | x |\n      | 1 |\n",
    );
    let names: Vec<_> =
        scenario.tags.iter().map(|tag| (tag.name.as_str(), tag.location.line, tag.location.column)).collect();
    assert_eq!(names, [("@a", 2, Some(3)), ("@b", 2, Some(6)), ("@c", 5, Some(3))]);
    assert_eq!(scenario.examples[0].tags[0].name, "@d");
}

#[test]
fn a_tag_may_hold_a_hash_that_is_not_behind_a_space() {
    assert_eq!(feature("@issue#7\nFeature: f\n").tags[0].name, "@issue#7");
}

#[test]
fn a_description_keeps_its_indentation_and_loses_comments_and_trailing_blank_lines() {
    let feature =
        feature("Feature: f\n\n  As an operator\n  # not this\n\n    I sleep\n   \n\n  Scenario: s\n");
    assert_eq!(feature.description, "  As an operator\n\n    I sleep");
}

#[test]
fn a_step_in_the_description_of_a_feature_is_text() {
    assert_eq!(
        feature("Feature: f\n  Given a day\n  Examples: many\n").description,
        "  Given a day\n  Examples: many"
    );
}

#[test]
fn keywords_have_the_meanings_of_their_language() {
    let types: Vec<_> = steps("    Given a\n    And b\n    When c\n    But d\n    Then e\n    * f\n")
        .into_iter()
        .map(|step| (step.keyword, step.keyword_type))
        .collect();
    let expected = [
        ("Given ", StepKeywordType::Context),
        ("And ", StepKeywordType::Conjunction),
        ("When ", StepKeywordType::Action),
        ("But ", StepKeywordType::Conjunction),
        ("Then ", StepKeywordType::Outcome),
        ("* ", StepKeywordType::Unknown),
    ];
    assert_eq!(types, expected.map(|(keyword, kind)| (keyword.to_owned(), Some(kind))));
}

#[test]
fn the_language_line_changes_the_keywords() {
    let feature = feature("#language:de\nFunktionalität: f\n  Szenario: s\n    Angenommen a\n    Und b\n");
    assert_eq!((feature.language.as_str(), feature.keyword.as_str()), ("de", "Funktionalität"));
}

#[test]
fn a_second_language_line_is_a_comment() {
    let document = document("# language: en\n# language: fr\nFeature: f\n");
    assert_eq!(document.comments[0].text, "# language: fr");
}

#[test]
fn the_longest_keyword_wins() {
    let scenario = scenario("# language: ht\nKarakteristik: k\n  Senaryo: s\n    Le sa a li fini\n");
    assert_eq!(
        (scenario.steps[0].keyword.as_str(), scenario.steps[0].text.as_str()),
        ("Le sa a ", "li fini")
    );
}

#[test]
fn a_byte_order_mark_and_crlf_line_endings_leave_no_trace() {
    let windows = "\u{feff}Feature: f\r\n  Text\r\n  Scenario: s\r\n    Given d\r\n      \"\"\"\r\n      a\r\n      b\r\n      \"\"\"\r\n";
    let unix = windows.replace(['\r', '\u{feff}'], "");
    assert_eq!(document(windows), document(&unix));
}

#[test]
fn a_doc_string_loses_the_indentation_of_its_delimiter() {
    let doc_string =
        doc_string("    Given d\n      \"\"\"json\n      {\n        \"a\": 1\n    }\n\n      \"\"\"\n");
    assert_eq!(doc_string.content, "{\n  \"a\": 1\n}\n");
    assert_eq!(doc_string.media_type.as_deref(), Some("json"));
    assert_eq!((doc_string.location.line, doc_string.location.column), (4, Some(7)));
}

#[test]
fn a_doc_string_holds_keywords_comments_and_the_other_delimiter_as_text() {
    let doc_string =
        doc_string("    Given d\n    ```\n    Scenario: no\n    # no\n    \"\"\"\n    \\`\\`\\`\n    ```\n");
    assert_eq!(doc_string.content, "Scenario: no\n# no\n\"\"\"\n```");
    assert_eq!((doc_string.delimiter.as_str(), doc_string.media_type), ("```", None));
}

#[test]
fn cells_are_trimmed_unescaped_and_placed_by_character() {
    let expected = [("é|", 9), ("a\\b", 15), ("\n x \n", 22), ("", 37), ("\\d", 39)];
    let expected = expected.map(|(value, column)| (value.to_owned(), Some(column)));
    assert_eq!(cells(r"      | é\| | a\\b | \n x \n    |   | \d |").as_slice(), expected);
}

#[test]
fn what_stands_behind_the_last_bar_is_not_a_cell() {
    assert_eq!(cells("| a | b"), [("a".to_owned(), Some(3))]);
}

#[test]
fn rows_go_on_behind_comments_and_blank_lines() {
    let table = steps("    Given t\n      | a |\n\n      # half\n      | b |\n").remove(0).data_table;
    assert_eq!(table.map(|table| table.rows.len()), Some(2));
}
