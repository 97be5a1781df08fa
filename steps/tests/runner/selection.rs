//! What runs, and in which order.

use std::num::NonZeroUsize;

use mycelium_accept::runner::RunResult;

use crate::bench::Bench;

const FEATURE: &str = "\
@one
Scenario: first
  Given nothing
  Then it never happens

@two
Scenario Outline: second <n>
  Given the number <n> and the text \"x\"
  Then it never happens

  @rows
  Examples: some
    A description.
    # a comment

    | n |
    | 1 |
    | 2 |

Rule: third

  Scenario: in the rule
    Then it never happens
";

fn lines(result: &RunResult) -> Vec<u32> {
    let mut lines: Vec<u32> = result.scenarios.iter().map(|scenario| scenario.place.line).collect();
    lines.sort_unstable();
    lines
}

fn lines_of(target: &str) -> Vec<u32> {
    let mut bench = Bench::with(FEATURE);
    bench.filter.targets = vec![target.parse().unwrap()];
    lines(&bench.run())
}

#[test]
fn a_line_means_the_scenario_the_row_or_the_rule_it_stands_in() {
    assert_eq!(lines_of("features/a.feature"), [4, 19, 20, 24]);
    assert_eq!(lines_of("features"), [4, 19, 20, 24]);
    assert_eq!(lines_of("features/a.feature:1"), [4, 19, 20, 24]);
    assert_eq!(lines_of("features/a.feature:3"), [4]);
    assert_eq!(lines_of("features/a.feature:6"), [4]);
    assert_eq!(lines_of("features/a.feature:9"), [19, 20]);
    assert_eq!(lines_of("features/a.feature:20"), [20]);
    assert_eq!(lines_of("features/a.feature:22"), [24]);
    assert_eq!(lines_of("features/a.feature:4:24"), [4, 24]);
    assert_eq!(lines_of("features/b.feature"), [0; 0]);
}

#[test]
fn filters_hold_together() {
    let mut bench = Bench::with(FEATURE);
    bench.filter.tags = Some("@two".parse().unwrap());
    assert_eq!(lines(&bench.run()), [19, 20]);
    bench.filter.name = Some("^second 2$".parse().unwrap());
    assert_eq!(lines(&bench.run()), [20]);
    assert_eq!(bench.run_info().partial, ["limited by --tags", "limited by --name"]);
    bench.filter.targets = vec!["features/a.feature:19".parse().unwrap()];
    assert_eq!(lines(&bench.run()), [0; 0]);
}

#[test]
fn a_scenario_of_another_lane_does_not_run() {
    let bench = Bench::new();
    bench.write(
        "a.feature",
        "Feature: A\n@mock\nScenario: A\n Then it never happens\n@docker\nScenario: B\n Then it never happens\n",
    );
    assert_eq!(lines(&bench.run()), [3]);
}

#[test]
fn a_tag_that_begins_with_retry_is_an_ordinary_tag() {
    let bench = Bench::with("@retry-budget\nScenario: S\n When it panics\n Then it never happens\n");
    assert_eq!(bench.run().scenarios.len(), 1);
}

#[test]
fn the_tags_of_an_empty_rule_are_of_no_other() {
    let mut bench =
        Bench::with("@one\nRule: empty\n\nRule: full\n  Scenario: S\n    Then it never happens\n");
    assert_eq!(lines(&bench.run()), [7]);
    bench.filter.tags = Some("@one".parse().unwrap());
    assert_eq!(lines(&bench.run()), [0; 0]);
}

#[test]
fn the_seed_fixes_the_order() {
    let text: String = ["a", "b", "c", "d", "e", "f", "g", "h"]
        .map(|n| format!("Scenario: {n}\n Then it never happens\n"))
        .concat();
    let order = |seed| {
        let mut bench = Bench::with(&text);
        bench.settings.jobs = NonZeroUsize::MIN;
        bench.settings.seed = seed;
        bench.run().scenarios.iter().map(|scenario| scenario.name.clone()).collect::<Vec<_>>()
    };
    assert_eq!(order(5), order(5));
    assert_ne!(order(5), order(6));
}
