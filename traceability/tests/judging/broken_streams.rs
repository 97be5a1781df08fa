//! A stream of messages with a hole, a double or a contradiction is refused, with the line and the reason.

use crate::support::{World, document, pickle};
use mycelium_schemas::{
    matrix::{ScenarioKey, StepStatus},
    messages::{GherkinDocument, Pickle},
    verdict::Outcome,
};
use mycelium_traceability::{Catalogue, Results};
use serde_json::{Value, json};

fn problems_of(edit: fn(&mut Vec<Value>)) -> Vec<String> {
    let mut world = World::honest();
    world.edit = edit;
    Results::read(&world.messages()).err().unwrap_or_default().iter().map(ToString::to_string).collect()
}

fn position(messages: &[Value], kind: &str) -> usize {
    messages.iter().position(|message| message.get(kind).is_some()).unwrap()
}

fn again(messages: &mut Vec<Value>, kind: &str) {
    let at = position(messages, kind);
    let copy = messages[at].clone();
    messages.insert(at + 1, copy);
}

fn remove(messages: &mut Vec<Value>, kind: &str) {
    let at = position(messages, kind);
    messages.remove(at);
}

fn run_info(messages: &mut [Value], change: impl Fn(&mut Value)) {
    let info =
        messages.iter_mut().find(|m| m["attachment"]["mediaType"] == "application/vnd.mycelium.run+json");
    let attachment = &mut info.unwrap()["attachment"];
    let mut body: Value = serde_json::from_str(attachment["body"].as_str().unwrap()).unwrap();
    change(&mut body);
    attachment["body"] = json!(body.to_string());
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table that is read as a whole")]
fn every_hole_double_and_contradiction_is_named() {
    type Case = (&'static str, fn(&mut Vec<Value>), &'static str);
    let cases: [Case; 22] = [
        ("no end of the run", |m| remove(m, "testRunFinished"), "no `testRunFinished` message"),
        ("no start of the run", |m| remove(m, "testRunStarted"), "no `testRunStarted` message"),
        ("no meta", |m| remove(m, "meta"), "line 1: the stream has no `meta` message at its beginning"),
        ("no description of the run", |m| remove(m, "attachment"), "no description of the run"),
        (
            "a newer protocol",
            |m| m[0]["meta"]["protocolVersion"] = json!("99.0.0"),
            "line 1: the protocol version is \"99.0.0\"",
        ),
        (
            "an unknown attachment of ours",
            |m| {
                let at = position(m, "attachment");
                m[at]["attachment"]["mediaType"] = json!("application/vnd.mycelium.run+json;v=2");
            },
            "the media type is",
        ),
        (
            "two pickles of one id",
            |m| again(m, "pickle"),
            "line 4: the scenario \"pickle:features/tier0/G0.1-block.feature:5\" stands here a second time",
        ),
        (
            "two scenarios at one place",
            |m| {
                again(m, "pickle");
                let at = position(m, "pickle");
                m[at + 1]["pickle"]["id"] = json!("other");
            },
            "two scenarios stand at features/tier0/G0.1-block.feature:5",
        ),
        (
            "a scenario without a place",
            |m| {
                let at = position(m, "pickle");
                m[at]["pickle"].as_object_mut().unwrap().remove("location");
            },
            "has no place",
        ),
        (
            "two test cases of one id",
            |m| again(m, "testCase"),
            "the test case \"case:features/tier0/G0.1-block.feature:5\" stands here a second time",
        ),
        (
            "a second result of a scenario",
            |m| {
                let (from, to) = (position(m, "testCaseStarted"), position(m, "testCaseFinished"));
                let copy = serde_json::to_string(&m[from..=to]).unwrap().replace("attempt0", "copy");
                let copy: Vec<Value> = serde_json::from_str(&copy).unwrap();
                m.splice(to + 1..=to, copy);
            },
            "the attempts at features/tier0/G0.1-block.feature:5 in one lane do not count 0, 1, 2",
        ),
        (
            "an attempt left out",
            |m| {
                let at = position(m, "testCaseStarted");
                m[at]["testCaseStarted"]["attempt"] = json!(1);
            },
            "do not count 0, 1, 2",
        ),
        (
            "one attempt twice",
            |m| again(m, "testCaseStarted"),
            "the attempt \"attempt0:features/tier0/G0.1-block.feature:5\" stands here a second time",
        ),
        (
            "two results of one step",
            |m| again(m, "testStepFinished"),
            "the result of step \"test0:features/tier0/G0.1-block.feature:5\" stands here a second time",
        ),
        (
            "a result behind the end",
            |m| {
                let (step, end) = (position(m, "testStepFinished"), position(m, "testCaseFinished"));
                let late = m.remove(step);
                m.insert(end, late);
            },
            "an attempt goes on after its end",
        ),
        (
            "a message behind the end of the run",
            |m| m.push(json!({"suggestion": {}})),
            "the run goes on after its end",
        ),
        (
            "an attempt that does not end",
            |m| remove(m, "testCaseFinished"),
            "an attempt at features/tier0/G0.1-block.feature:5 did not end",
        ),
        (
            "a step left out of the test case",
            |m| {
                let at = position(m, "testCase");
                m[at]["testCase"]["testSteps"].as_array_mut().unwrap().pop();
            },
            "does not have exactly the steps of its scenario",
        ),
        (
            "a result of an unknown attempt",
            |m| {
                let at = position(m, "testStepFinished");
                m[at]["testStepFinished"]["testCaseStartedId"] = json!("nobody");
            },
            "the attempt \"nobody\" was not told before",
        ),
        (
            "a scenario that was not planned",
            |m| run_info(m, |info| info["planned"] = json!([])),
            "ran without being planned",
        ),
        (
            "a plan for an unknown scenario",
            |m| run_info(m, |info| info["planned"][0]["pickle_id"] = json!("nobody")),
            "the planned scenario \"nobody\"",
        ),
        (
            "success in spite of a failure",
            |m| {
                let at = position(m, "testStepFinished");
                m[at]["testStepFinished"]["testStepResult"]["status"] = json!("FAILED");
            },
            "the run says that it succeeded, but features/tier0/G0.1-block.feature:5 in mock did not pass",
        ),
    ];
    for (name, edit, expected) in cases {
        let problems = problems_of(edit);
        assert!(problems.iter().any(|problem| problem.contains(expected)), "{name}: {problems:#?}");
    }
}

#[test]
fn an_attempt_without_a_lane_is_refused() {
    let problems = problems_of(|messages| {
        let is_lane = |m: &Value| m["attachment"]["mediaType"] == "application/vnd.mycelium.scenario+json";
        let at = messages.iter().position(is_lane).unwrap();
        messages.remove(at);
    });
    assert!(problems[0].contains("does not say its lane"), "{problems:#?}");
}

#[test]
fn unknown_kinds_of_message_are_passed_over() {
    assert_eq!(
        problems_of(|messages| messages.insert(1, json!({"newInVersion40": {"x": 1}}))),
        Vec::<String>::new()
    );
}

#[test]
fn an_attachment_in_base64_is_read_as_well() {
    let text = |messages: &mut Vec<Value>| {
        use base64::Engine as _;
        let at = position(messages, "attachment");
        let attachment = &mut messages[at]["attachment"];
        let body = base64::engine::general_purpose::STANDARD.encode(attachment["body"].as_str().unwrap());
        attachment["body"] = json!(body);
        attachment["contentEncoding"] = json!("BASE64");
    };
    assert_eq!(problems_of(text), Vec::<String>::new());
}

#[test]
fn a_stream_that_is_cut_anywhere_is_refused() {
    let text = World::honest().messages();
    assert!(Results::read(&text).is_ok());
    // Behind the last brace only the end of the line is missing.
    let complete = text.trim_end().len();
    for end in (0..complete).filter(|end| end % 97 == 0 || complete - end < 200) {
        assert!(Results::read(&text[..end]).is_err(), "cut at byte {end} of {complete}");
    }
}

#[test]
fn garbage_is_named_by_its_line() {
    let text = World::honest().messages();
    let mut lines: Vec<&str> = text.lines().collect();
    lines[3] = "\u{fffd}garbage";
    lines[5] = "";
    lines[7] = "{\"pickle\":{},\"source\":{}}";
    let problems = Results::read(&lines.join("\n")).unwrap_err();
    let at: Vec<usize> = problems.iter().map(|problem| problem.line).take(3).collect();
    assert!(at.contains(&4) && at.contains(&6), "{problems:#?}");
    assert!(problems.iter().any(|problem| problem.line == 8), "{problems:#?}");
}

/// Moves a feature's scenario into a rule, and writes its first step with a star.
fn write_otherwise(document: &mut Value) {
    let feature = &mut document["feature"];
    let mut scenario = feature["children"][0].take();
    scenario["scenario"]["steps"][0]["keyword"] = json!("* ");
    feature["children"] = json!([{"rule": {"location": {"line": 4}, "tags": [], "keyword": "Rule", "name": "r",
        "description": "", "children": [scenario], "id": "rule"}}]);
}

#[test]
fn a_step_is_shown_by_the_keyword_that_was_written() {
    let mut world = World::honest();
    let features = &world.features[..2];
    let mut documents: Vec<Value> = features.iter().map(document).collect();
    write_otherwise(&mut documents[0]);
    let documents: Vec<GherkinDocument> =
        documents.into_iter().map(|document| serde_json::from_value(document).unwrap()).collect();
    let pickles: Vec<Pickle> = features.iter().map(|f| serde_json::from_value(pickle(f)).unwrap()).collect();
    let catalogue = Catalogue::new(&documents, &pickles).unwrap();
    world.edit = |messages| {
        let at = position(messages, "gherkinDocument");
        write_otherwise(&mut messages[at]["gherkinDocument"]);
    };
    let results = Results::read(&world.messages()).unwrap();
    for (feature, shown) in
        features.iter().zip(["* the repository \"toy-repo\"", "Given the repository \"toy-repo\""])
    {
        let key = ScenarioKey { uri: feature.uri.clone(), line: feature.line.into() };
        assert_eq!(catalogue.get(&key).unwrap().steps[0], shown);
        assert_eq!(results.of(&key)[0].attempts[0].steps[0].text, shown);
    }
}

/// Lines that say nothing about what passed: keywords for people.
fn is_ornament(line: &str) -> bool {
    line.starts_with("{\"gherkinDocument\"")
}

#[test]
fn without_any_one_line_an_honest_stream_is_not_green() {
    let world = World::honest();
    let text = world.messages();
    let lines: Vec<&str> = text.lines().collect();
    for left_out in 0..lines.len() {
        let rest: Vec<&str> =
            lines.iter().enumerate().filter(|(at, _)| *at != left_out).map(|(_, line)| *line).collect();
        let green = Results::read(&rest.join("\n"))
            .is_ok_and(|results| world.judge_results(Some(&results)).1.outcome == Outcome::Green);
        assert_eq!(green, is_ornament(lines[left_out]), "without {}", lines[left_out]);
    }
}

#[test]
fn with_any_one_line_doubled_a_stream_is_refused_unless_it_only_repeats_an_observation() {
    let text = World::honest().messages();
    let lines: Vec<&str> = text.lines().collect();
    for doubled in 0..lines.len() {
        let mut longer = lines.clone();
        longer.insert(doubled, lines[doubled]);
        let observes = ["assertion", "evidence"]
            .map(|what| lines[doubled].contains(&format!("vnd.mycelium.{what}+json")));
        let repeats = is_ornament(lines[doubled]) || observes.contains(&true);
        assert_eq!(Results::read(&longer.join("\n")).is_ok(), repeats, "{} twice", lines[doubled]);
    }
}

#[test]
fn a_scenario_in_which_nothing_but_hooks_ran_did_not_pass() {
    let mut world = World::honest();
    world.run.success = false;
    world.edit = |messages| {
        let (pickle, case) = (position(messages, "pickle"), position(messages, "testCase"));
        messages[pickle]["pickle"]["steps"] = json!([]);
        for step in messages[case]["testCase"]["testSteps"].as_array_mut().unwrap() {
            step.as_object_mut().unwrap().remove("pickleStepId");
            step["hookId"] = json!("hook");
        }
    };
    let results = Results::read(&world.messages()).unwrap();
    let first = results.catalogue.iter().next().unwrap();
    assert_eq!(results.of(&first.key)[0].outcome(), StepStatus::Unknown);
}

#[test]
fn a_message_that_is_too_long_loses_its_middle_and_says_so() {
    let mut world = World::honest();
    world.run.success = false;
    world.edit = |messages| {
        let step = position(messages, "testStepFinished");
        let result = &mut messages[step]["testStepFinished"]["testStepResult"];
        result["status"] = json!("FAILED");
        result["message"] = json!(format!("expected\n{}\n  at place.rs:1", "ß".repeat(200_000)));
    };
    let results = Results::read(&world.messages()).unwrap();
    let first = results.catalogue.iter().next().unwrap();
    let message = results.of(&first.key)[0].attempts[0].steps[0].message.clone().unwrap();
    assert!(message.starts_with("expected\nß") && message.ends_with("ß\n  at place.rs:1"), "{message}");
    assert!(message.contains("\n… 192025 characters are left out here; messages.ndjson has them all …\n"));
    assert!(message.chars().count() < 8_100);
}
