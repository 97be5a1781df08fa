//! The lint: each rule speaks up where it must, with its place, and keeps quiet otherwise.

use mycelium_accept::{
    catalogue::Definition,
    lint::{LintProblem, Promises, Rule, fixed, lint},
    runner::{Library, suite::Suite},
};
use mycelium_schemas::matrix::BacklogGoal;

use crate::{
    bench::{Bench, CATALOGUE},
    world::TinyWorld,
};

const GOOD: &str = "\
@G0.1 @tier0 @mock
Feature: A goal

  Scenario: it is blocked
    When it errs
    Then it never happens

  @control
  Scenario: it lands with the knob off
    Given nothing
    Then it is so
    And it never happens
";

fn problems(name: &str, text: &str) -> Vec<LintProblem> {
    let bench = Bench::new();
    bench.write(name, text);
    problems_of(&bench.suite())
}

fn problems_of(suite: &Suite) -> Vec<LintProblem> {
    let library = Library::load::<TinyWorld>(CATALOGUE).unwrap();
    let goals = ["G0.1".parse().unwrap(), "G1.3".parse().unwrap()];
    let backlog = [BacklogGoal {
        goal: "G0.4".parse().unwrap(),
        title: "t".to_owned(),
        ticket: "stage 7".to_owned(),
        reason: "r".to_owned(),
        owner: "o".to_owned(),
    }];
    lint(suite, library.vocabulary(), Promises { goals: &goals, backlog: &backlog })
}

/// Rules and lines of the errors of the good feature after a change.
fn after(from: &str, to: &str) -> Vec<(Rule, u32)> {
    assert!(GOOD.contains(from));
    let found = problems("G0.1-a-goal.feature", &GOOD.replace(from, to));
    found.iter().filter(|problem| problem.is_error()).map(|problem| (problem.rule, problem.line)).collect()
}

const OUTLINE: &str = "\
@G1.3 @tier1 @mock
Feature: F

  Scenario Outline: S <kind>
    Given the number <n> and the text \"x\"
    And an argument:
      \"\"\"
      <html> and <word>
      \"\"\"
    Then it never happens

    Examples:
      | n | kind | word |
      | 1 | a    | w    |
";

/// Rules and lines of everything that is said of the outline after a change.
fn outline_after(from: &str, to: &str) -> Vec<(Rule, u32)> {
    assert!(OUTLINE.contains(from));
    let found = problems("G1.3-x.feature", &OUTLINE.replace(from, to));
    found.iter().map(|problem| (problem.rule, problem.line)).collect()
}

#[test]
fn placeholders_and_columns_fit() {
    assert_eq!(outline_after("<n>", "<n>"), []);
    // Not a number any more either.
    let unknown = [(Rule::Undefined, 5), (Rule::UnknownPlaceholder, 5), (Rule::UnusedColumn, 13)];
    assert_eq!(outline_after("<n>", "<m>"), unknown);
    assert_eq!(
        outline_after("S <kind>", "S <kond>"),
        [(Rule::UnknownPlaceholder, 4), (Rule::UnusedColumn, 13)]
    );
    assert_eq!(
        outline_after("and <word>", "and <wrod>"),
        [(Rule::UnknownPlaceholder, 6), (Rule::UnusedColumn, 13)]
    );
    assert_eq!(outline_after("S <kind>", "S"), [(Rule::UnusedColumn, 13)]);
}

#[test]
fn a_step_gets_what_it_takes_and_nothing_else() {
    let dead = "Then it never happens\n      | dead |";
    assert_eq!(outline_after("Then it never happens", dead), [(Rule::Argument, 10)]);
    let text = "      \"\"\"\n      <html> and <word>\n      \"\"\"\n";
    assert_eq!(outline_after(text, ""), [(Rule::Argument, 6), (Rule::UnusedColumn, 10)]);
}

#[test]
fn doubts_are_warnings() {
    assert_eq!(outline_after("    Given the number", "  Given the number"), [(Rule::Layout, 5)]);
    assert_eq!(outline_after("  Scenario", "  @mock\n  Scenario"), [(Rule::RedundantTag, 4)]);
    assert_eq!(outline_after("@mock", "@mock @x @x"), [(Rule::RedundantTag, 1)]);
    assert_eq!(outline_after("    Examples", "    @x @mock\n    Examples"), [(Rule::RedundantTag, 12)]);
    let again = "    Then it never happens\n    Given nothing\n    Then it never happens\n";
    assert_eq!(outline_after("    Then it never happens\n", again), [(Rule::StepOrder, 11)]);
    let found = problems("G1.3-x.feature", &OUTLINE.replace("@mock", "@mock @x @x"));
    assert!(!found[0].is_error());
}

#[test]
fn the_first_given_behind_a_then_is_out_of_order_and_shown_with_its_line() {
    const STEPS: [&str; 4] = ["Given nothing", "When it errs", "Then it is so", "And nothing"];
    let mut lines = vec!["@G1.3 @tier1 @mock".to_owned(), "Feature: F".to_owned()];
    let mut expected = Vec::new();
    // Every scenario of five steps.
    for number in 0..STEPS.len().pow(5) {
        lines.push(format!("  Scenario: S{number}"));
        let mut kinds: Vec<&str> = Vec::new();
        let mut out_of_order = None;
        for index in 0..5 {
            let step = STEPS[number / STEPS.len().pow(index) % STEPS.len()];
            lines.push(format!("    {step}"));
            let keyword = &step[..step.find(' ').unwrap()];
            // A conjunction is of the kind of the step before it; one that begins a scenario is of none.
            let kind = if keyword == "And" { kinds.last().copied().unwrap_or("") } else { keyword };
            if kind == "Given" && kinds.contains(&"Then") && out_of_order.is_none() {
                out_of_order = Some(lines.len());
            }
            kinds.push(kind);
        }
        expected.extend(out_of_order);
    }
    let found = problems("G1.3-x.feature", &lines.join("\n"));
    let found: Vec<(usize, &str)> = found
        .iter()
        .filter(|problem| problem.rule == Rule::StepOrder)
        .map(|problem| (problem.line as usize, problem.excerpt.as_str()))
        .collect();
    let expected: Vec<(usize, &str)> =
        expected.into_iter().map(|line| (line, lines[line - 1].as_str())).collect();
    assert!(!expected.is_empty());
    assert_eq!(found, expected);
}

#[test]
fn a_fix_removes_what_says_nothing_new_and_lays_the_file_out() {
    let loose = OUTLINE
        .replace("@mock", "@mock @é @é@mock")
        .replace("  Scenario", "  @mock @own\n Scenario")
        .replace("    Examples", "    @own\n    Examples");
    let wanted = OUTLINE.replace("@mock", "@mock @é").replace("  Scenario", "  @own\n  Scenario");
    assert_eq!(after_fix(&loose), Some(wanted.clone()));
    assert_eq!(after_fix(&format!("\u{feff}{loose}")), Some(wanted), "a byte order mark is no column");
    assert_eq!(after_fix(OUTLINE), None);
    assert_eq!(after_fix("oops"), None);
}

/// What `accept lint --fix` makes of a file.
fn after_fix(text: &str) -> Option<String> {
    let bench = Bench::new();
    bench.write("G1.3-x.feature", text);
    let suite = bench.suite();
    fixed(&suite.files[0], &problems_of(&suite))
}

#[test]
fn a_quarantine_is_no_tag() {
    assert_eq!(outline_after("@mock", "@mock @quarantine"), [(Rule::QuarantineTag, 1)]);
}

#[test]
fn a_good_feature_has_no_problem() {
    assert_eq!(problems("G0.1-a-goal.feature", GOOD), []);
}

#[test]
fn each_rule_finds_its_problem_at_its_line() {
    assert_eq!(after("Given nothing", "Givn nothing"), [(Rule::LostStep, 10)]);
    assert_eq!(after("    When it errs\n", "    When it errs\n    oops\n"), [(Rule::Syntax, 6)]);
    assert_eq!(after("When it errs", "When it does it"), [(Rule::Undefined, 5)]);
    assert_eq!(after("When it errs", "When it means two things"), [(Rule::Ambiguous, 5)]);
    assert_eq!(after("    When it errs\n    Then it never happens\n", ""), [(Rule::NoSteps, 4)]);
    assert_eq!(after("    Then it never happens\n", ""), [(Rule::NoThen, 4)]);
    assert_eq!(after("    And it never happens\n", ""), [(Rule::NoNegative, 9)]);
    assert_eq!(after("it lands with the knob off", "it is blocked"), [(Rule::DuplicateName, 9)]);
    assert_eq!(after("  @control\n", ""), [(Rule::NoControl, 2)]);
    assert_eq!(after("@mock", "@mock @control"), [(Rule::NoControl, 2)]);
    assert_eq!(after("@mock", "@mock @retry(3)"), [(Rule::ForbiddenTag, 1)]);
    assert_eq!(after("@mock", "@mock @retry"), [(Rule::ForbiddenTag, 1)]);
    assert_eq!(after("@mock", "@mock @retry.after(1s)"), [(Rule::ForbiddenTag, 1)]);
    assert_eq!(after("@mock", "@mock @retry-budget @retry_logic"), []);
    assert_eq!(after("@mock", "@mock @allow.skipped"), [(Rule::ForbiddenTag, 1)]);
    assert_eq!(after("@mock", "@mock @timeout(2)"), [(Rule::Timeout, 1)]);
    assert_eq!(after("@mock", ""), [(Rule::NoLane, 4), (Rule::NoLane, 9)]);
    assert_eq!(after("@tier0", "@tier1"), [(Rule::Tier, 4), (Rule::Tier, 9)]);
    assert_eq!(after("@tier0 ", ""), [(Rule::Tier, 4), (Rule::Tier, 9)]);
    assert_eq!(after("@G0.1 ", ""), [(Rule::FileName, 1), (Rule::NoGoal, 4), (Rule::NoGoal, 9)]);
    assert_eq!(after("@G0.1", "@G0.1 @G0.2"), [(Rule::UnknownGoal, 1)]);
    assert_eq!(problems("G1.3-x.feature", GOOD)[0].rule, Rule::FileName);
    assert_eq!(problems("G0.1-x.feature", "Feature: none\n")[0].rule, Rule::NoScenario);
}

#[test]
fn a_step_that_became_a_description_is_told_with_what_it_was_meant_as() {
    let lost = |from: &str, to: &str| {
        let found = problems("G0.1-a-goal.feature", &GOOD.replace(from, to));
        let errors = found.into_iter().filter(LintProblem::is_error);
        errors.map(|problem| (problem.rule, problem.line, problem.help)).collect::<Vec<_>>()
    };
    let meant = |line, help: &str| vec![(Rule::LostStep, line, format!("did you mean `{help}`?"))];
    for written in [
        "Givn nothing",
        "Gievn nothing",
        "given nothing",
        "Given: nothing",
        "*nothing",
        "nothing",
        "Nothing",
        "- Given nothing",
        "1. Given nothing",
        "**Given** nothing",
        "> nothing",
    ] {
        assert_eq!(
            lost("    Given nothing", &format!("    {written}")),
            meant(10, "Given nothing"),
            "{written}"
        );
    }
    // As one line of many, behind blanks and comments.
    let prose = "    Once upon a time.\n    # Then\n\n      Whne it errs\n    The end.\n    Given nothing";
    assert_eq!(lost("    Given nothing", prose), meant(13, "When it errs"));
    // Keyword and text.
    assert_eq!(lost("    When it errs", "    Wehn it ers\n    When it errs"), meant(5, "When it errs"));
    // Its text may mean nothing at all; then what stands below it tells.
    let argument =
        lost("    Given nothing", "    Givn of nobody:\n      | a |\n      | b |\n    Given nothing");
    assert_eq!(
        argument.iter().map(|(rule, line, _)| (*rule, *line)).collect::<Vec<_>>(),
        [(Rule::LostStep, 11)]
    );
    // In a background, and where no step belongs.
    let background = "Feature: A goal\n  Background:\n    Gven nothing\n";
    assert_eq!(lost("Feature: A goal\n", background), meant(4, "Given nothing"));
    assert_eq!(lost("Feature: A goal\n", "Feature: A goal\n  Given nothing\n"), meant(3, "Given nothing"));
    for prose in
        ["The nothing of it all.", "Any text that says why.", "Then again: see | there.", "| a | b |"]
    {
        assert_eq!(lost("Feature: A goal\n", &format!("Feature: A goal\n  {prose}\n")), [], "{prose}");
    }
    for prose in [
        "It never happens.",
        "The run that errs.",
        "Buts and ifs",
        "nothing at all",
        "and it never happened.",
        "(And it never happens.)",
        "Note: nothing",
    ] {
        assert_eq!(lost("    When it errs", &format!("    {prose}\n    When it errs")), [], "{prose}");
    }
}

#[test]
fn a_scenario_that_became_a_description_is_told_once_and_so_are_examples_without_a_row() {
    let lost = GOOD.replacen("  Scenario: ", "  Scenaro: ", 1);
    let found: Vec<_> = problems("G0.1-a-goal.feature", &lost)
        .into_iter()
        .filter(|problem| problem.rule == Rule::LostStep)
        .collect();
    assert_eq!(
        found.iter().map(|problem| problem.help.as_str()).collect::<Vec<_>>(),
        ["did you mean `Scenario:`?"]
    );
    let invisible = GOOD.replace("    Given nothing", "    Given\u{a0}nothing");
    let found = problems("G0.1-a-goal.feature", &invisible);
    assert!(found.iter().any(|problem| problem.help.contains("U+00A0")), "{found:?}");
    let outline = "  Scenario Outline: <a>\n    When it errs\n    Then it never happens\n\n    Examples:\n      | a |\n      | b |\n\n    Examples: of nothing\n      | a |\n";
    let found = problems("G0.1-a-goal.feature", &format!("{GOOD}\n{outline}"));
    assert!(found.iter().any(|problem| problem.message.contains("these examples have no row")), "{found:?}");
}

#[test]
fn a_line_of_any_length_is_shown_by_its_beginning() {
    let long =
        format!("    {}\n    When it errs\n    Whenn it {}\n", "x".repeat(100_000), "y".repeat(100_000));
    let found = problems("G0.1-a-goal.feature", &GOOD.replace("    When it errs\n", &long));
    assert!(found.len() == 1 && found[0].to_string().len() < 5000, "{} problems", found.len());
    assert!(found[0].excerpt.starts_with("    Whenn it yyy"), "{}", found[0].excerpt);
}

#[test]
fn a_typo_is_answered_with_the_nearest_step_or_goal() {
    let found = problems("G0.1-a-goal.feature", &GOOD.replace("it never happens", "it newer hapens"));
    assert_eq!(found.len(), 2);
    assert!(found[0].help.contains("did you mean `Then it never happens`"), "{}", found[0].help);
    assert!(found[0].to_string().starts_with("features/G0.1-a-goal.feature:6:5: no step is `Then it newer"));
    let found = problems("G0.1-a-goal.feature", &GOOD.replace("@G0.1", "@G0.1 @G1.4"));
    assert!(found[0].help.contains("did you mean @G1.3"), "{}", found[0].help);
}

#[test]
fn a_goal_of_the_backlog_is_answered_with_where_it_stands() {
    let found = problems("G0.1-a-goal.feature", &GOOD.replace("@G0.1", "@G0.1 @G0.4"));
    assert_eq!(found.iter().map(|problem| problem.rule).collect::<Vec<_>>(), [Rule::UnknownGoal]);
    assert!(found[0].message.contains("traceability/backlog.yaml (stage 7)"), "{}", found[0].message);
    assert!(found[0].help.contains("traceability/goals/G0.4.yaml"), "{}", found[0].help);
}

#[test]
fn a_step_with_two_meanings_is_refused_with_the_places_of_both() {
    let found = problems("G0.1-a-goal.feature", &GOOD.replace("When it errs", "When it means two things"));
    let places: Vec<String> = CATALOGUE
        .definitions
        .iter()
        .filter(|definition| definition.expression.contains("it means"))
        .map(Definition::place)
        .collect();
    assert_eq!(places.len(), 2);
    assert!(places.iter().all(|place| found[0].message.contains(place)), "{places:?} {}", found[0].message);
}

#[test]
fn a_step_under_the_wrong_keyword_is_answered_with_the_right_one() {
    let found = problems("G0.1-a-goal.feature", &GOOD.replace("When it errs", "Given it errs"));
    assert!(found[0].help.contains("did you mean `When it errs`"), "{}", found[0].help);
}

#[test]
fn the_rows_of_an_outline_share_their_problem() {
    let text = "@G1.3 @tier1 @mock\nFeature: F\n  Scenario Outline: S <n>\n    When it does it <n>\n    \
                Then it never happens\n    Examples:\n      | n |\n      | 1 |\n      | 1 |\n";
    let found = problems("G1.3-x.feature", text);
    assert_eq!(found.iter().filter(|problem| problem.is_error()).count(), 1, "{found:?}");
}

#[test]
fn all_syntax_errors_of_a_file_are_reported() {
    let found = problems(
        "G0.1-x.feature",
        "Feature: F\n  oops: a description\n  Scenario: S\n    Given a\n    x\n    y\n",
    );
    assert_eq!(found.iter().filter(|problem| problem.rule == Rule::Syntax).count(), 2, "{found:?}");
}
