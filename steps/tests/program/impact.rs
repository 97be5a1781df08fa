//! What changed since a commit, and since the last review.

use std::fs;

use mycelium_schemas::impact::{Change, Impact, Place, Reviewed, Since, Words};

use crate::checkout::{Answer, Checkout};

const GOAL: &str = "traceability/goals/G1.3.yaml";

/// A checkout of two goals and one commit.
fn checkout() -> Checkout {
    let checkout = Checkout::new();
    let goal = fs::read_to_string(checkout.path(GOAL)).unwrap();
    checkout.write("traceability/goals/G1.4.yaml", &goal.replace("G1.3", "G1.4"));
    checkout.commit();
    checkout
}

fn edit(checkout: &Checkout, file: &str, from: &str, to: &str) {
    let text = fs::read_to_string(checkout.path(file)).unwrap();
    assert!(text.contains(from), "{text}");
    checkout.write(file, &text.replace(from, to));
}

fn read<T: serde::de::DeserializeOwned>(answer: &Answer) -> T {
    assert_eq!(answer.code, Some(0), "{}", answer.err);
    serde_json::from_str(&answer.out).unwrap()
}

fn new_words(words: &[Words]) -> String {
    words.iter().filter(|words| words.place == Place::New).map(|words| words.text.as_str()).collect()
}

#[test]
fn exactly_the_goals_that_changed_since_a_commit_are_named() {
    let checkout = checkout();
    let first = checkout.commit();
    let impact = || read::<Impact>(&checkout.accept("impact --since HEAD~1 --json"));
    checkout.write("README.md", "Nothing that a goal is about.\n");
    edit(&checkout, GOAL, "owner: orchestrator", "owner: somebody");
    edit(
        &checkout,
        "features/tier1/G1.3-a-run-executes.feature",
        "@G1.3 @tier1",
        "# A comment.\n@tier1 @G1.3",
    );
    checkout.commit();
    assert_eq!(impact(), Impact { schema_version: 1, since: first, goals: Vec::new() });
    // What is not committed counts too.
    edit(&checkout, GOAL, "expect to happen", "expect to see");
    let found = impact();
    let ids: Vec<String> = found.goals.iter().map(|goal| goal.goal.to_string()).collect();
    assert_eq!((ids, found.goals[0].change), (vec!["G1.3".to_owned()], Change::Changed));
    assert_eq!(new_words(&found.goals[0].text[0].words), "see.");
    edit(&checkout, GOAL, "expect to see", "expect to happen");
    checkout.change("exit code is 0", "exit code is 1");
    let found = impact();
    assert!(found.goals.len() == 1 && found.goals[0].text.is_empty(), "{found:#?}");
    let scenario = &found.goals[0].scenarios[0];
    assert_eq!((scenario.change, new_words(&scenario.words)), (Change::Changed, "1".to_owned()));
}

#[test]
fn for_people_the_words_are_marked_and_the_way_to_prove_them_is_named() {
    let checkout = checkout();
    edit(&checkout, GOAL, "expect to happen", "expect to see");
    fs::remove_file(checkout.path("traceability/goals/G1.4.yaml")).unwrap();
    let answer = checkout.accept("impact --since HEAD");
    assert_eq!(answer.code, Some(0), "{}", answer.err);
    for line in ["G1.3 A run executes: changed", "statement: This is what I expect to [-happen.-]{+see.+}"] {
        assert!(answer.out.contains(line), "{}", answer.out);
    }
    assert!(answer.out.contains("G1.4 A run executes: removed"), "{}", answer.out);
    assert!(answer.err.contains("2 goals changed since HEAD"), "{}", answer.err);
    assert!(answer.err.contains("cargo accept run --tags \"@G1.3\"\n"), "{}", answer.err);
}

#[test]
fn what_cannot_be_compared_with_is_bad_input_with_its_place() {
    let checkout = Checkout::new();
    let refused = |arguments: &str, why: &str| {
        let answer = checkout.accept(arguments);
        assert_eq!(answer.code, Some(2), "{arguments}: {}", answer.err);
        assert!(answer.err.contains(why), "{arguments}: {}", answer.err);
    };
    refused("impact --since HEAD", "not a git repository");
    refused("impact", "--since");
    checkout.commit();
    refused("impact --since nowhere", "\"nowhere\" is no commit of this repository");
    edit(&checkout, GOAL, "tier: 1", "tier: 2");
    checkout.change("When I run", "Wen I run");
    checkout.commit();
    edit(&checkout, GOAL, "tier: 2", "tier: 1");
    checkout.change("it says so", "it says so");
    refused("impact --since HEAD", "HEAD:traceability/goals/G1.3.yaml:2:7: the id G1.3 names tier 1");
    checkout.commit();
    checkout.change("When I run", "Wen I run");
    checkout.commit();
    checkout.change("it says so", "it says so");
    refused("impact --since HEAD", "HEAD:features/tier1/G1.3-a-run-executes.feature:6: ");
}

#[test]
fn a_review_shows_what_changed_since_the_last_one_wherever_it_stands_in_the_history() {
    let checkout = checkout();
    let review = |more: &str| {
        let answer = checkout.accept(&format!("review G1.3 --by reviewer --today 2026-01-31 --json {more}"));
        let mut reviewed: Reviewed = read(&answer);
        assert_eq!((reviewed.by.as_str(), reviewed.on.to_string().as_str()), ("reviewer", "2026-01-31"));
        (reviewed.recorded, reviewed.goals.remove(0), answer.err)
    };
    let links = || fs::read_to_string(checkout.path("traceability/links.yaml")).unwrap();
    assert_eq!(review("").1.since, Since::FirstReview);
    assert_eq!(review("").1.since, Since::Unchanged);
    checkout.commit();
    // The text and the scenarios of the review stand in different commits, behind others.
    checkout.change("exit code is 0", "exit code is 1");
    checkout.commit();
    edit(&checkout, GOAL, "expect to happen", "expect to see");
    checkout.commit();
    let before = links();
    let (recorded, shown, said) = review("--dry-run");
    assert!(!recorded && said.contains("nothing was recorded"), "{said}");
    assert_eq!((shown.since, links()), (Since::Changed, before));
    let changed = shown.changed.unwrap();
    assert_eq!(new_words(&changed.text[0].words), "see.");
    assert_eq!(new_words(&changed.scenarios[0].words), "1");
    for line in
        ["statement: This is what I expect to [-happen.-]{+see.+}", "Then the exit code is [-0-]{+1+}"]
    {
        assert!(said.contains(line), "{said}");
    }
    assert!(review("").0);
    assert_eq!(review("").1.since, Since::Unchanged);
    // What was reviewed and never committed is nowhere.
    edit(&checkout, GOAL, "expect to see", "expect to find");
    review("");
    edit(&checkout, GOAL, "expect to find", "expect to meet");
    assert_eq!(review("--dry-run").1.since, Since::NotInHistory);
}
