//! What pickles hold, and how they lead back to the source, without the official data.

use mycelium_gherkin::{AstIndex, IdGenerator, compile, parse, step_type_of};
use mycelium_schemas::messages::{GherkinDocument, Pickle, PickleStepType};

fn compiled(source: &str) -> (GherkinDocument, Vec<Pickle>) {
    let mut ids = IdGenerator::new();
    let document = parse("sample.feature", source, &mut ids).unwrap_or_else(|errors| panic!("{errors:?}"));
    let pickles = compile(&document, "sample.feature", &mut ids);
    (document, pickles)
}

fn pickles(source: &str) -> Vec<Pickle> {
    compiled(source).1
}

fn texts(pickle: &Pickle) -> Vec<&str> {
    pickle.steps.iter().map(|step| step.text.as_str()).collect()
}

fn tags(pickle: &Pickle) -> Vec<&str> {
    pickle.tags.iter().map(|tag| tag.name.as_str()).collect()
}

const OUTLINE: &str = "\
@f
Feature: f
  Background:
    Given <who> is fed

  @r
  Rule: r
    Background:
      And the door is shut

    @s
    Scenario Outline: <who> eats <what>
      When <who> eats
        | food   |
        | <what> |
      And says
        ```text/<what>
        <who>: <<what>>
        ```
      Then <unknown> stays

      @e
      Examples:
        | who | what  |
        | Ann | <who> |

      Examples: none
";

#[test]
fn a_row_of_examples_fills_name_text_table_and_doc_string_but_not_the_background() {
    let pickles = pickles(OUTLINE);
    assert_eq!(pickles.len(), 1);
    // A value that looks like the placeholder of an earlier column stays as it is.
    assert_eq!(pickles[0].name, "Ann eats <who>");
    assert_eq!(
        texts(&pickles[0]),
        ["<who> is fed", "the door is shut", "Ann eats", "says", "<unknown> stays"]
    );
    let table = pickles[0].steps[2].argument.as_ref().and_then(|argument| argument.data_table.as_ref());
    assert_eq!(table.map(|table| table.rows[1].cells[0].value.as_str()), Some("<who>"));
    let doc_string = pickles[0].steps[3].argument.as_ref().and_then(|argument| argument.doc_string.as_ref());
    let parts = doc_string.map(|doc_string| (doc_string.content.as_str(), doc_string.media_type.as_deref()));
    assert_eq!(parts, Some(("Ann: <<who>>", Some("text/<who>"))));
}

#[test]
fn tags_are_inherited_from_the_feature_downwards() {
    assert_eq!(tags(&pickles(OUTLINE)[0]), ["@f", "@r", "@s", "@e"]);
}

#[test]
fn a_pickle_leads_back_to_its_scenario_row_and_steps() {
    let (document, pickles) = compiled(OUTLINE);
    let index = AstIndex::new(&document);
    let lines = |ids: &[String]| -> Vec<_> {
        ids.iter().filter_map(|id| index.get(id)).map(|n| n.location.line).collect()
    };
    assert_eq!(pickles[0].location.map(|location| location.line), Some(25));
    assert_eq!(lines(&pickles[0].ast_node_ids), [12, 25]);
    assert_eq!(lines(&pickles[0].steps[0].ast_node_ids), [4]);
    assert_eq!(lines(&pickles[0].steps[2].ast_node_ids), [13, 25]);
    let tag_ids: Vec<_> = pickles[0].tags.iter().map(|tag| tag.ast_node_id.clone()).collect();
    assert_eq!(lines(&tag_ids), [1, 6, 11, 22]);
    let step = index.step(&pickles[0].steps[3]).unwrap();
    assert_eq!(
        (step.location.line, step.location.column, step.keyword.as_deref()),
        (16, Some(7), Some("And "))
    );
    assert_eq!(index.get("no such id"), None);
}

#[test]
fn every_id_of_a_stream_differs() {
    let (document, pickles) = compiled(OUTLINE);
    let json =
        format!("{}{}", serde_json::to_string(&document).unwrap(), serde_json::to_string(&pickles).unwrap());
    let ids: Vec<_> = json.split("\"id\":\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    let mut unique = ids.clone();
    unique.sort_unstable();
    unique.dedup();
    assert_eq!(unique.len(), ids.len());
}

#[test]
fn a_conjunction_means_what_the_step_before_it_means() {
    use PickleStepType::{Action, Context, Outcome, Unknown};
    let source = "Feature: f\n  Background:\n    Given a\n  Scenario: s\n    And b\n    When c\n    But d\n    * e\n    And g\n    Then h\n";
    let types: Vec<_> = pickles(source)[0].steps.iter().map(step_type_of).collect();
    assert_eq!(types, [Context, Context, Action, Action, Unknown, Unknown, Outcome]);
}

#[test]
fn a_scenario_without_steps_is_a_pickle_without_the_background() {
    let pickles = pickles("Feature: f\n  Background:\n    Given a\n  Scenario: s\n");
    assert_eq!(pickles.len(), 1);
    assert!(pickles[0].steps.is_empty());
}

#[test]
fn an_outline_without_rows_gives_no_pickle() {
    assert!(
        pickles("Feature: f\n  Scenario Outline: s\n    Given <a>\n    Examples:\n      | a |\n").is_empty()
    );
}

#[test]
fn two_arguments_say_which_comes_first() {
    let source = "Feature: f\n  Scenario: s\n    Given t\n      | a |\n      ```\n      ```\n    Given d\n      ```\n      ```\n      | a |\n";
    let order: Vec<_> = pickles(source)[0]
        .steps
        .iter()
        .filter_map(|step| step.argument.as_ref())
        .map(|argument| {
            let doc_string = argument.doc_string.as_ref().and_then(|doc_string| doc_string.argument_index);
            (argument.data_table.as_ref().and_then(|table| table.argument_index), doc_string)
        })
        .collect();
    assert_eq!(order, [(Some(1), Some(2)), (Some(2), Some(1))]);
}
