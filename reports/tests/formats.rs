//! Every format shows the same figures, and nothing in a name or a message can break out of any of them.

use mycelium_reports::{Report, csv, html, json, junit, markdown, summary, terminal};
use mycelium_schemas::{
    goal::Tier,
    matrix::{Matrix, Status},
    verdict::{Evaluation, Verdict},
};

fn sample() -> (Matrix, Evaluation) {
    let matrix = serde_json::from_str(include_str!("../samples/v1/matrix.json"));
    let evaluation = serde_json::from_str(include_str!("../samples/v1/evaluation.json"));
    (matrix.expect("the sample is a matrix"), evaluation.expect("the sample is an evaluation"))
}

fn report<'a>((matrix, evaluation): &'a (Matrix, Evaluation), stamp: &'a str) -> Report<'a> {
    Report { matrix, evaluation, stamp }
}

fn count(text: &str, part: &str) -> usize {
    text.matches(part).count()
}

#[test]
fn totals_are_equal_in_every_format() {
    let sample = sample();
    let (matrix, report) = (&sample.0, report(&sample, "stamp"));
    let page = html(&report).unwrap();
    let texts = [terminal(&report, 140), summary(&report)];
    let sheet = csv(matrix);
    let document: serde_json::Value = serde_json::from_str(&json(matrix).unwrap()).unwrap();
    assert!(matrix.totals().iter().filter(|(_, count)| *count > 0).count() >= 5, "the sample is too tame");
    for (status, expected) in matrix.totals() {
        let in_json =
            document["rows"].as_array().unwrap().iter().filter(|row| row["status"] == status.name()).count();
        assert_eq!(in_json, expected, "{status} in JSON");
        assert_eq!(count(&sheet, &format!("\",\"{status}\",\"")), expected, "{status} in CSV");
        assert_eq!(count(&page, &format!("data-status=\"{status}\"")), expected, "{status} in HTML");
        if expected > 0 {
            for text in &texts {
                assert!(text.contains(&format!("{expected} {status}")), "{status} in\n{text}");
            }
        }
    }
    for tier in &sample.1.coverage {
        let line = format!("{} of {} verified", tier.verified, tier.total);
        assert!(texts.iter().all(|text| text.contains(&line)), "{line}");
        assert!(page.contains(&format!("<b>{}</b> of {} verified", tier.verified, tier.total)), "{line}");
        let goals = format!("## Tier {}: {} ({} goal", tier.tier, tier.tier.label(), tier.total);
        assert!(markdown(matrix).contains(&goals), "{goals}");
    }
}

#[test]
fn what_became_of_seeded_faults_is_shown() {
    let sample = sample();
    let page = html(&report(&sample, "stamp")).unwrap();
    let sheet = csv(&sample.0);
    for text in ["ignore-budget was noticed by git.branch_unmoved", "two-writers survived"] {
        assert!(page.contains(&format!("<li>{text}</li>")), "{text}");
        assert!(sheet.contains(text), "{text}");
    }
}

#[test]
fn every_scenario_and_lane_is_one_test_case_and_none_vanishes() {
    let (matrix, _) = sample();
    let xml = junit(&matrix).unwrap();
    let cases: usize = matrix.scenarios.iter().map(|scenario| scenario.lanes.len().max(1)).sum();
    let absent = matrix.scenarios.iter().filter(|scenario| scenario.lanes.is_empty()).count();
    assert!(absent > 0, "the sample is too tame");
    assert!(xml.contains(&format!("<testsuites name=\"mycelium acceptance\" tests=\"{cases}\" skipped=\"{absent}\" failures=\"2\" errors=\"0\"")), "{xml}");
    assert_eq!(count(&xml, "<testcase "), cases);
    assert_eq!(count(&xml, "<skipped message=\"did not run\"/>"), absent);
    assert!(xml.contains("file=\"features/tier0/G0.2-block.feature\" line=\"5\""));
    assert!(xml.contains("<property name=\"goal\" value=\"G0.2\"/>"));
    assert!(xml.contains("expected &lt;main&gt; &amp; found &lt;other&gt;"));
}

#[test]
fn a_scenario_that_passed_at_its_second_attempt_is_a_failure_in_junit() {
    let (matrix, _) = sample();
    let xml = junit(&matrix).unwrap();
    let case = xml.split("<testcase ").find(|case| case.contains("G1.1-block.feature\" line=\"5\"")).unwrap();
    assert!(case.contains("<failure") && case.contains("name=\"attempts\" value=\"2\""), "{case}");
}

#[test]
fn what_is_not_required_is_shown_as_such_and_never_as_green() {
    let sample = sample();
    let report = report(&sample, "stamp");
    let (page, text) = (html(&report).unwrap(), terminal(&report, 200));
    let left_out: Vec<_> =
        sample.1.verdicts.iter().filter(|verdict| verdict.verdict == Verdict::NotRequired).collect();
    assert!(!left_out.is_empty());
    for verdict in left_out {
        let chip = format!("<span class=\"chip off\">○ {}</span>", verdict.gate);
        assert!(page.contains(&chip), "{chip}");
        assert!(!page.contains(&format!("<tr class=\"ok\"><th scope=\"row\">{}</th>", verdict.gate)));
        let line =
            text.lines().find(|line| line.starts_with("Not required by profile local, so not judged:"));
        assert!(line.unwrap().contains(verdict.gate.name()));
    }
}

#[test]
fn the_page_loads_nothing_and_admits_only_its_own_style_and_script() {
    let sample = sample();
    let page = html(&report(&sample, "stamp")).unwrap();
    assert!(page.contains("content=\"default-src 'none'; style-src 'sha256-"));
    for forbidden in
        ["http://", "https://", "src=", "@import", "url(", " style=\"", " onclick", "javascript:"]
    {
        assert!(!page.contains(forbidden), "{forbidden}");
    }
    assert_eq!(count(&page, "<script>"), 1);
    assert_eq!(count(&page, "<style>"), 1);
}

#[test]
fn names_and_messages_cannot_break_out_of_the_page() {
    let mut sample = sample();
    let hostile = "</script><script>alert(1)</script>\" onload=\"x";
    for scenario in &mut sample.0.scenarios {
        scenario.name = hostile.to_owned();
        scenario.key.uri = format!("{hostile}{}", scenario.key.uri);
        scenario.steps = vec![hostile.to_owned()];
        for step in scenario.lanes.iter_mut().flat_map(|l| &mut l.attempts).flat_map(|a| &mut a.steps) {
            step.text = hostile.to_owned();
            step.message = Some(hostile.to_owned());
            step.evidence.iter_mut().for_each(|file| file.name = hostile.to_owned());
        }
    }
    for row in &mut sample.0.rows {
        row.owner = hostile.to_owned();
        row.reasons = vec![hostile.to_owned()];
        row.scenarios.iter_mut().for_each(|key| key.uri = format!("{hostile}{}", key.uri));
    }
    let page = html(&report(&sample, hostile)).unwrap();
    assert_eq!(count(&page, "<script>"), 1);
    assert!(!page.contains("\" onload="));
    let xml = junit(&sample.0).unwrap();
    assert!(!xml.contains("<script>"));
    let text = summary(&report(&sample, hostile)) + &markdown(&sample.0);
    assert!(!text.contains("<script>"));
}

#[test]
fn a_name_cannot_steer_the_terminal() {
    let mut sample = sample();
    sample.0.rows[0].title = "\u{1b}]0;owned\u{7}\u{1b}[2J".to_owned();
    assert!(!terminal(&report(&sample, "stamp"), 100).contains('\u{1b}'));
}

#[test]
fn equal_reports_are_equal_byte_for_byte_but_for_the_stamp() {
    let sample = sample();
    let (first, second) = (html(&report(&sample, "AAAA")).unwrap(), html(&report(&sample, "BBBB")).unwrap());
    assert_ne!(first, second);
    assert_eq!(first.replace("AAAA", "BBBB"), second);
}

#[test]
fn the_committed_page_does_not_change_with_results() {
    let (mut matrix, _) = sample();
    let before = markdown(&matrix);
    matrix.run = None;
    matrix.today = "2030-01-01".parse().unwrap();
    matrix.subject.tree = None;
    matrix.scenarios.iter_mut().for_each(|scenario| scenario.lanes.clear());
    for row in &mut matrix.rows {
        row.status = Status::NotRun;
        row.reasons = vec!["It did not run.".to_owned()];
        row.must_not.iter_mut().for_each(|claim| claim.executed = false);
    }
    assert_eq!(markdown(&matrix), before);
}

#[test]
fn no_line_of_the_terminal_is_wider_than_it() {
    let sample = sample();
    let text = terminal(&report(&sample, "stamp"), 100);
    let tables = text.split("Promised and not").next().unwrap();
    for line in
        tables.lines().filter(|line| !line.starts_with("  features/") && !line.starts_with("Not required"))
    {
        assert!(line.chars().count() <= 100, "{line}");
    }
}

#[test]
fn a_long_summary_says_what_it_leaves_out() {
    let mut sample = sample();
    let row = sample.0.rows[0].clone();
    for number in 1..2000_u16 {
        let mut copy = row.clone();
        copy.goal = format!("G2.{number}").parse().unwrap();
        copy.tier = Tier::Two;
        sample.0.rows.push(copy);
    }
    let text = summary(&report(&sample, "stamp"));
    assert!(text.len() < 64 * 1024, "{}", text.len());
    assert!(text.contains("goals are left out here"));
}

#[test]
fn a_formula_in_a_name_is_no_formula_in_the_sheet() {
    let (mut matrix, _) = sample();
    matrix.rows[0].title = "=HYPERLINK(\"x\")".to_owned();
    assert!(csv(&matrix).contains("\"'=HYPERLINK(\"\"x\"\")\""));
}

#[test]
fn an_empty_matrix_is_shown_and_not_praised() {
    let mut sample = sample();
    sample.0.rows.clear();
    sample.0.scenarios.clear();
    sample.0.orphans.clear();
    sample.0.run = None;
    let page = html(&report(&sample, "stamp")).unwrap();
    assert!(page.contains("No goal is promised"));
    assert!(terminal(&report(&sample, "stamp"), 100).contains("0 goals"));
    assert!(junit(&sample.0).is_ok());
}
