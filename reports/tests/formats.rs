//! Every format shows the same figures, and nothing in a name or a message can break out of any of them.

mod readers;
mod support;

use mycelium_reports::{Report, csv, github, goals, html, json, junit, markdown, summary, terminal};
use mycelium_schemas::{
    goal::{Tier, spec},
    matrix::{BacklogGoal, LaneRun, Matrix, Scenario, Status, StepStatus},
    problem::Source,
    verdict::{Evaluation, Outcome, Verdict},
};
use serde_json::Value;

use self::{
    readers::{details, sheet, statuses_of_goals},
    support::{large, sample},
};

fn report<'a>((matrix, evaluation): &'a (Matrix, Evaluation), stamp: &'a str) -> Report<'a> {
    Report { matrix, evaluation, stamp }
}

fn count(text: &str, part: &str) -> usize {
    text.matches(part).count()
}

#[test]
fn totals_of_goals_are_equal_in_every_format() {
    for sample in [sample(), large()] {
        let (matrix, report) = (&sample.0, report(&sample, "stamp"));
        let page = html(&report).unwrap();
        let texts = [terminal(&report, 140), summary(&report)];
        let sheet = sheet(matrix);
        let document: Value = serde_json::from_str(&json(matrix).unwrap()).unwrap();
        let linked = statuses_of_goals(&junit(matrix).unwrap());
        for (status, expected) in matrix.totals() {
            let in_json =
                document["rows"].as_array().unwrap().iter().filter(|row| row["status"] == status.name());
            assert_eq!(in_json.count(), expected, "{status} in JSON");
            let in_sheet = sheet.iter().filter(|row| row["status"] == status.name()).count();
            assert_eq!(in_sheet, expected, "{status} in CSV");
            assert_eq!(
                count(&page, &format!(" {status}</span><td class=text>")),
                expected,
                "{status} in HTML"
            );
            let with_scenarios =
                matrix.rows.iter().filter(|row| row.status == status && !row.scenarios.is_empty()).count();
            let in_junit = linked.iter().filter(|(_, found)| found == status.name()).count();
            assert_eq!(in_junit, with_scenarios, "{status} in JUnit");
            if expected > 0 {
                for text in &texts {
                    assert!(text.contains(&format!("{expected} {status}")), "{status} in\n{text}");
                }
                assert!(page.contains(&format!(" {expected} {status}</a>")), "{status} above the matrix");
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
    let kinds = |(matrix, _): &(Matrix, Evaluation)| matrix.totals().iter().filter(|(_, n)| *n > 0).count();
    assert!(kinds(&sample()) >= 5, "the sample is too tame");
}

#[test]
fn the_answer_names_what_is_promised_and_not_automated_in_the_tiers_that_count() {
    let mut sample = sample();
    let entry = sample.0.backlog[0].clone();
    let promised = |sample: &(Matrix, Evaluation), goals: &[&str], more: &str| {
        let mut sample = sample.clone();
        let entry = |id: &&str| BacklogGoal { goal: id.parse().unwrap(), ..entry.clone() };
        sample.0.backlog = goals.iter().map(entry).collect();
        let report = report(&sample, "stamp");
        for text in [terminal(&report, 400), summary(&report), html(&report).unwrap()] {
            assert!(
                text.contains(&format!("Tier-1 goals are verified{more}, ")),
                "{more:?} is not in {text}"
            );
        }
    };
    for outcome in [Outcome::Green, Outcome::Red, Outcome::BadInput] {
        sample.1.outcome = outcome;
        promised(&sample, &[], "");
        promised(&sample, &["G2.90"], "");
        promised(&sample, &["G0.90", "G2.90"], " (1 more is promised and not automated)");
        promised(&sample, &["G0.90", "G1.90"], " (2 more are promised and not automated)");
    }
}

#[test]
fn totals_of_scenarios_are_equal_in_every_format() {
    for sample in [sample(), large()] {
        let matrix = &sample.0;
        let results = |is: fn(Option<StepStatus>) -> bool| {
            let outcome = |s: &&Scenario| s.lanes.first().map(LaneRun::outcome);
            matrix.scenarios.iter().filter(|scenario| is(outcome(scenario))).count()
        };
        let passed = results(|outcome| outcome == Some(StepStatus::Passed));
        let failed = results(|outcome| outcome == Some(StepStatus::Failed));
        let absent = results(|outcome| outcome.is_none());
        assert_eq!(passed + failed + absent, matrix.scenarios.len(), "the sample has results of other kinds");
        let page = html(&report(&sample, "stamp")).unwrap();
        let unpacked = details(&page);
        let in_page = |result: &str| {
            let all = unpacked["scenarios"]["result"].as_array().unwrap().iter();
            all.filter(|found| *found == result).count()
        };
        assert_eq!([in_page("passed"), in_page("failed"), in_page("not-run")], [passed, failed, absent]);
        let xml = junit(matrix).unwrap();
        let (all, ran) = (matrix.scenarios.len(), passed + failed);
        assert_eq!(ran + absent, all);
        assert!(
            xml.contains(&format!("tests=\"{all}\" skipped=\"{absent}\" failures=\"{failed}\" errors=\"0\""))
        );
        let column = |name: &str| sheet(matrix).iter().map(|row| row[name].parse::<usize>().unwrap()).sum();
        let orphans = matrix.scenarios.iter().filter(|scenario| scenario.goals.is_empty());
        assert_eq!(all - orphans.count(), column("scenarios_total"), "each of the others has one goal");
        assert!(passed >= column("scenarios_passed"));
        let of_files: usize = page
            .split("<section id=\"backward\"")
            .nth(1)
            .unwrap()
            .split("<tr><th scope=row>")
            .skip(1)
            .take_while(|row| row.contains(".feature"))
            .map(|row| {
                row.rsplit("<td").nth(3).unwrap().rsplit('>').next().unwrap().parse::<usize>().unwrap()
            })
            .sum();
        assert_eq!(of_files, all, "the way back shows every scenario");
    }
}

#[test]
fn the_document_is_valid_by_its_schema() {
    for (matrix, _) in [sample(), large()] {
        let document: Value = serde_json::from_str(&json(&matrix).unwrap()).unwrap();
        let schema = mycelium_schemas::schemas().remove("matrix").unwrap();
        let validator = jsonschema::validator_for(schema.as_value()).unwrap();
        assert!(validator.is_valid(&document));
        let mut broken = document.clone();
        broken["rows"][0]["status"] = "splendid".into();
        assert!(!validator.is_valid(&broken), "the schema accepts anything");
        assert_eq!(serde_json::from_value::<Matrix>(document).unwrap(), matrix);
    }
}

#[test]
fn what_serves_nobody_is_seen_backward() {
    let sample = sample();
    let page = html(&report(&sample, "stamp")).unwrap();
    let backward = page.split("<section id=\"backward\"").nth(1).unwrap().split("</section>").next().unwrap();
    for part in [
        "✗ orphan, line 5: <bdi>Nobody asked for | this</bdi>.",
        "<li>step <code>Given nobody | asks &#60;for this&#62;</code>, steps/src/given.rs:7<li>",
        "<li>fixture <code>large-repo-sim</code></ul>",
        "for G1.9 fits no scenario of that goal that ran.<",
    ] {
        assert!(backward.contains(part), "{part} is not in {backward}");
    }
    let text = markdown(&sample.0);
    for part in [
        "## Scenarios that serve no goal (1)",
        "## Used by no scenario (2)\n\n* step Given nobody \\| asks &lt;for this&gt;, steps/src/given.rs:7\n* fixture large-repo-sim\n",
    ] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
    let text = summary(&report(&sample, "stamp"));
    let part = "Scenarios that serve no goal: 1. Used by no scenario: 1 step, 1 fixture. Quarantine entries that fit nothing: 1.";
    assert!(text.contains(part), "{text}");
}

#[test]
fn the_runs_of_the_history_stand_on_a_strip_with_what_they_prove() {
    let mut sample = sample();
    let page = html(&report(&sample, "stamp")).unwrap();
    let flakes = |page: &str| {
        page.split("<section id=\"flakes\"").nth(1).unwrap().split("</section>").next().unwrap().to_owned()
    };
    let runs = &sample.0.flakes.lanes[0].runs;
    let (section, all) = (flakes(&page), runs.len());
    let drawn = |section: &str, tone: &str, height: usize| {
        let path = section.split(&format!("<path class=\"{tone}\" d=\"")).nth(1).unwrap_or_default();
        count(path.split('"').next().unwrap(), &format!("24v-{height}h8v{height}"))
    };
    assert_eq!((drawn(&section, "bad", 24), drawn(&section, "off", 6)), (1, all - 1));
    for part in [
        "aria-label=\"11 runs: 0 clean, 1 failed, 10 not whole, 0 not counted\"",
        "M20 24v-24h8v24",
        "run-2 failed: <code>--seed 2 --environment jobs=1,folder=plain,tz=UTC,locale=C,umask=022</code>",
        "1 of 1 runs failed",
        "1 failures in 22 executions bound the mean rate of the 11 scenarios at 19.9 %",
        "<td>1 of 11<td>36.5 %<td>D\n",
        "1 failures of 1 scenarios in 1 runs: Then it holds: expected #, found #",
    ] {
        assert!(section.contains(part), "{part} is not in {section}");
    }
    let lane = &mut sample.0.flakes.lanes[0];
    lane.runs = (0..100).map(|_| lane.runs[2].clone()).collect();
    let many = vec![sample.0.flakes.scenarios.iter().find(|s| s.failed > 0).unwrap().clone(); 13];
    sample.0.flakes.scenarios = many;
    let section = flakes(&html(&report(&sample, "stamp")).unwrap());
    assert!(section.contains("; 60 older ones are not drawn."), "{section}");
    assert!(section.contains("3 more scenarios are not listed here"), "{section}");
    assert_eq!((drawn(&section, "bad", 24), drawn(&section, "off", 6)), (40, 0));
    assert_eq!(count(&section, "run-2 failed"), 10);
    sample.0.flakes = mycelium_schemas::flake::Flakes::default();
    assert!(flakes(&html(&report(&sample, "stamp")).unwrap()).contains("Nothing counted how often"));
}

#[test]
fn what_became_of_seeded_faults_is_shown() {
    let sample = sample();
    let page = html(&report(&sample, "stamp")).unwrap();
    let sheet = csv(&sample.0);
    for text in ["ignore-budget was noticed by git.branch_unmoved", "two-writers survived"] {
        assert!(page.contains(&format!("<li>{text}<")), "{text}");
        assert!(sheet.contains(text), "{text}");
    }
}

#[test]
fn every_failure_says_how_to_see_it_again_in_every_format_for_people() {
    let sample = sample();
    let report = report(&sample, "stamp");
    let command = "cargo accept run features/tier0/G0.2-block.feature:5 --seed 7";
    let page = html(&report).unwrap();
    assert!(page.contains(&format!("<code class=\"command\">{command}</code>")));
    let again = |again: &&Value| **again == command;
    assert_eq!(details(&page)["lanes"]["again"].as_array().unwrap().iter().filter(again).count(), 1);
    assert!(
        summary(&report).contains("again: cargo accept run features/tier0/G0.2-block.feature:5 --seed 7")
    );
    assert!(github(&report).contains(&format!("%0Aagain: {command}")));
}

#[test]
fn annotations_stand_at_the_lines_of_features_and_say_what_is_left_out() {
    let sample = sample();
    let text = github(&report(&sample, "stamp"));
    let lines: Vec<&str> = text.lines().collect();
    assert!(
        lines[0].starts_with("::error file=features/tier0/G0.2-block.feature,line=5,title=accept%3A G0.2::")
    );
    assert!(lines[0].contains("expected <main> & found <other>"), "{}", lines[0]);
    assert!(lines.iter().any(|line| line.contains("title=accept%3A orphan::Nobody asked for | this%0A")));
    assert!(lines.iter().all(|line| line.starts_with("::error ") && line.len() < 4096));
    // GitHub shows ten of a step.
    assert_eq!(lines.len(), 10);
    let red = sample.1.verdicts.iter().filter(|verdict| verdict.verdict == Verdict::Red).count();
    let unproved = sample.0.rows.iter().filter(|row| row.status != Status::Verified).count();
    let failing = 2;
    let errors = failing + sample.0.orphans.len() + (unproved - failing) + red;
    assert!(lines[9].contains(&format!("{} errors are left out here", errors - 9)), "{}", lines[9]);
}

#[test]
fn nothing_is_annotated_where_all_is_proved() {
    let mut sample = sample();
    sample.0.rows.retain(|row| row.status == Status::Verified);
    sample.0.scenarios.retain(|scenario| scenario.goals == [sample.0.rows[0].goal]);
    sample.0.orphans.clear();
    sample.1.verdicts.retain(|verdict| verdict.verdict != Verdict::Red);
    assert_eq!(github(&report(&sample, "stamp")), "");
}

#[test]
fn a_run_that_was_asked_for_a_part_is_no_error_where_nothing_failed() {
    let mut sample = sample();
    let run = sample.0.run.as_mut().unwrap();
    run.partial = vec!["limited by --tags".to_owned(), "limited to given paths".to_owned()];
    let text = github(&report(&sample, "stamp"));
    let lines: Vec<&str> = text.lines().collect();
    let (notice, errors) = lines.split_last().unwrap();
    assert_eq!(errors.len(), 2 + sample.0.orphans.len(), "what failed, and what serves no goal: {text}");
    assert!(
        notice.starts_with(
            "::notice title=accept%3A a part::The run was limited by --tags and limited to given"
        ),
        "{notice}"
    );
    // A part that got lost is another thing.
    sample.0.run.as_mut().unwrap().partial.push("shard 1/2 of mock is missing".to_owned());
    let text = github(&report(&sample, "stamp"));
    assert!(text.lines().all(|line| line.starts_with("::error ")) && text.lines().count() == 10, "{text}");
}

#[test]
fn a_name_cannot_make_an_annotation_of_its_own() {
    let mut sample = sample();
    for scenario in &mut sample.0.scenarios {
        scenario.name = "x\n::error file=y::z".to_owned();
        scenario.key.uri = format!("a,line=9::b%\n::warning ::{}", scenario.key.uri);
    }
    let text = github(&report(&sample, "stamp"));
    assert!(text.lines().all(|line| line.starts_with("::error ")), "{text}");
    assert!(text.contains("file=a%2Cline=9%3A%3Ab%25%0A%3A%3Awarning %3A%3Afeatures/"), "{text}");
}

#[test]
fn a_page_of_sixty_goals_and_a_thousand_scenarios_is_small() {
    let (mut matrix, evaluation) = large();
    let all = html(&Report { matrix: &matrix, evaluation: &evaluation, stamp: "stamp" }).unwrap();
    assert_eq!(count(&all, "<tbody id=\"G"), support::GOALS);
    assert_eq!(details(&all)["scenarios"]["name"].as_array().unwrap().len(), support::SCENARIOS);
    assert!(all.contains("more failures are not shown here"));
    support::drop_evidence(&mut matrix);
    let page = html(&Report { matrix: &matrix, evaluation: &evaluation, stamp: "stamp" }).unwrap();
    assert!(page.len() <= support::BYTES_MAX, "{} bytes", page.len());
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
    let blocked = matrix.scenarios.iter().find(|s| s.key.uri.contains("G0.2") && s.key.line == 5).unwrap();
    let row = matrix.row(blocked.goals[0]).unwrap();
    assert!(row.fingerprint.len() == 64 && blocked.fingerprint.len() == 64);
    for (name, value) in [
        ("goal", "G0.2"),
        ("tier", "0"),
        ("status", "failing"),
        ("goal-fingerprint", &row.fingerprint),
        ("fingerprint", &blocked.fingerprint),
    ] {
        assert!(xml.contains(&format!("<property name=\"{name}\" value=\"{value}\"/>")), "{name}");
    }
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
        assert!(!page.contains(&format!("<th scope=row>{}<td>", verdict.gate)));
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
            for file in &mut step.evidence {
                (file.name, file.sha256) = (hostile.to_owned(), "../../etc/passwd".to_owned());
            }
        }
    }
    for row in &mut sample.0.rows {
        row.owner = hostile.to_owned();
        row.reasons = vec![hostile.to_owned()];
        row.scenarios.iter_mut().for_each(|key| key.uri = format!("{hostile}{}", key.uri));
    }
    let page = html(&report(&sample, hostile)).unwrap();
    assert_eq!(count(&page, "<script>"), 1);
    assert!(!page.contains("\" onload=") && !page.contains("etc/passwd"));
    let xml = junit(&sample.0).unwrap();
    assert!(!xml.contains("<script>"));
    let text = summary(&report(&sample, hostile)) + &markdown(&sample.0);
    assert!(!text.contains("<script>"));
}

#[test]
fn nothing_turns_the_direction_of_the_text_behind_it() {
    let mut sample = sample();
    let turned = "abc\u{202e}cba";
    for scenario in &mut sample.0.scenarios {
        scenario.name = turned.to_owned();
    }
    for row in &mut sample.0.rows {
        (row.title, row.reasons) = (turned.to_owned(), vec![turned.to_owned()]);
    }
    let report = report(&sample, "stamp");
    for text in [markdown(&sample.0), summary(&report), github(&report), terminal(&report, 200)] {
        assert!(!text.contains('\u{202e}') && text.contains("U+202E"), "{text}");
    }
    // In the page it ends with its element, which holds nothing else.
    let page = html(&report).unwrap();
    let alone = [
        "bdi",
        "b",
        "p class=\"why bad\"",
        "p class=\"why warn\"",
        "p class=\"why ok\"",
        "p class=\"why off\"",
    ];
    for (at, _) in page.match_indices(turned) {
        assert!(alone.iter().any(|tag| page[..at].ends_with(&format!("<{tag}>"))), "{at}");
        assert!(page[at + turned.len()..].trim_start().starts_with('<'));
    }
}

#[test]
fn junit_has_no_character_that_xml_forbids() {
    let mut sample = sample();
    for scenario in &mut sample.0.scenarios {
        scenario.name.push_str("\u{fffe}name");
        for step in scenario.lanes.iter_mut().flat_map(|l| &mut l.attempts).flat_map(|a| &mut a.steps) {
            step.message = Some("a\u{ffff}b\u{fffe}c\u{1ffff}d\u{0}e\u{1b}f".to_owned());
        }
    }
    let xml = junit(&sample.0).unwrap();
    // The production Char of XML 1.0.
    let allowed = |c: char| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..);
    assert_eq!(xml.chars().find(|c| !allowed(*c)), None);
    assert!(xml.contains("a\u{fffd}b\u{fffd}c\u{1ffff}d"), "what else was said is lost");
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
fn a_summary_of_long_messages_and_reasons_stays_short_and_has_a_bit_of_everything() {
    let mut sample = large();
    let long = "word ".repeat(20_000);
    for row in &mut sample.0.rows {
        row.reasons = vec![long.clone(); 40];
    }
    for verdict in &mut sample.1.verdicts {
        verdict.reasons = vec![long.clone(); 40];
    }
    let steps = sample.0.scenarios.iter_mut().flat_map(|s| &mut s.lanes).flat_map(|l| &mut l.attempts);
    for step in steps.flat_map(|attempt| &mut attempt.steps) {
        step.message = Some(long.clone());
    }
    let text = summary(&report(&sample, "stamp"));
    assert!(text.len() < 64 * 1024, "{}", text.len());
    for part in [
        "| tier-coverage |",
        "gates are left out here",
        "### 50 scenarios failed",
        "… and 28 more, which the report has.",
        "failures are left out here",
        "goals are left out here",
        "| G0.1 |",
    ] {
        assert!(text.contains(part), "{part}");
    }
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

#[test]
fn the_page_of_goals_says_all_that_a_goal_file_says() {
    let text = include_str!("../../schemas/samples/v1/goal.yaml")
        .replace("title: Budget", "title: \"<b> | *Budget*\"\n#")
        .replace("budgets.mode,", "\"budgets`|mode\",");
    let goal =
        spec::parse(&Source::new("G0.1.yaml", text)).unwrap_or_else(|problems| panic!("{problems:#?}"));
    let (matrix, _) = sample();
    let page = goals(&[goal], &matrix.backlog);
    for part in [
        "## Tier 0: safety (1 goal)",
        "## Tier 1: core workflow (0 goals)\n\nNo goal of this tier is automated.",
        "### G0.1 &lt;b&gt; \\| \\*Budget\\*",
        "This is what I expect to happen: a run over its budget stops, and nothing of it lands.",
        "| Scope | run |",
        "| Configuration | `budgetsmode`, `budgets.max_tokens_per_task` |",
        "| Given | a limit |",
        "| When | I run |",
        "| Then | nothing lands |",
        "| State | status is failed |",
        "| Events | `budget.block` |",
        "| Git | the branch has not moved |",
        "| Must not happen | The integration branch moves. `git.branch_unmoved` |",
        "| Witness | The block is on record. `event.present` |",
        "| With the knob off | With the limit off the task lands. `git.branch_moved` |",
        "| Needs | toy-repo, mock planner, mock agent |",
        "| Lanes | mock<br>docker |",
        "| CI jobs | unit-and-acceptance-local |",
        "| Flake risk | low |",
        "| Owner | orchestrator |",
    ] {
        assert!(page.contains(part), "{part} is not in\n{page}");
    }
    assert!(!page.contains("Seeded faults"), "a part that is empty stands there");
    for goal in &matrix.backlog {
        assert!(page.contains(&format!("| {} | ", goal.goal)), "{}", goal.goal);
    }
}
