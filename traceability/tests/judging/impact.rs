//! What changed since an earlier state: exactly the goals whose text or scenarios did, with the words that did.

use mycelium_schemas::impact::{Change, ChangedGoal, Place, Words};
use mycelium_traceability::{Promises, impact};

use crate::support::{Fixture, World, goal};

fn between(before: &World, now: &World) -> Vec<ChangedGoal> {
    let (old, new) = (before.registry(), now.registry());
    let (old_catalogue, new_catalogue) = (before.catalogue(), now.catalogue());
    impact(
        Promises { goals: &old.goals, catalogue: &old_catalogue },
        Promises { goals: &new.goals, catalogue: &new_catalogue },
    )
}

/// What became of the honest world, and that the way back names the same goals.
fn after(change: impl Fn(&mut World)) -> Vec<ChangedGoal> {
    let mut now = World::honest();
    change(&mut now);
    let changed = between(&World::honest(), &now);
    let ids = |goals: &[ChangedGoal]| goals.iter().map(|goal| goal.goal).collect::<Vec<_>>();
    assert_eq!(ids(&changed), ids(&between(&now, &World::honest())));
    changed
}

fn ids(changed: &[ChangedGoal]) -> Vec<String> {
    changed.iter().map(|goal| goal.goal.to_string()).collect()
}

fn side(words: &[Words], side: Place) -> String {
    let of_side = words.iter().filter(|words| words.place == side || words.place == Place::Both);
    of_side.map(|words| words.text.as_str()).collect()
}

#[test]
fn nothing_changed_where_everything_is_as_it_was() {
    assert_eq!(after(|_| {}), []);
}

#[test]
fn what_no_review_is_about_changes_nothing() {
    for (old, new) in [
        ("owner: orchestrator", "owner: somebody"),
        ("hook: toy-repo", "hook: conflict-repo"),
        ("flake_risk: low", "flake_risk: high"),
        ("ci_jobs: [unit-and-acceptance-local]", "ci_jobs: [nightly]"),
        ("This is what I expect", "This is\n  what I   expect"),
    ] {
        assert_eq!(after(|world| world.goals[1] = world.goals[1].replace(old, new)), [], "{new}");
    }
    assert_eq!(after(|world| world.scenario(0, |scenario| scenario.line = 6)), []);
    assert_eq!(after(|world| world.features.reverse()), []);
}

#[test]
fn every_part_of_a_text_is_named_with_its_words_and_no_other_goal_is() {
    for (part, old, new) in [
        ("title", "title: A block of", "title: The block of"),
        ("statement", "validator.block nothing lands", "validator.block all lands"),
        ("scope", "scope: [run]", "scope: [run, plan]"),
        ("config", "config: [budgets.mode]", "config: []"),
        ("scenario.given", "given: a limit", "given: a bound"),
        ("scenario.when", "when: I run", "when: it runs"),
        ("scenario.then", "then: nothing lands", "then: it lands"),
        ("artifacts.state", "state: [status is failed]", "state: []"),
        ("artifacts.events", "events: [validator.block]", "events: [validator.block, run.stop]"),
        ("artifacts.git", "git: [the branch has not moved]", "git: []"),
        ("must_not", "The integration branch moves.", "The branch moves."),
        ("witness", "The block was logged.", "It was logged."),
        ("control", "assertion: git.branch_moved", "assertion: git.moved"),
        ("lanes", "lanes: [mock]", "lanes: [mock, docker]"),
        ("saboteurs", "saboteurs: []", "saboteurs: [ignore-validator-block]"),
    ] {
        let changed = after(|world| {
            assert!(world.goals[1].contains(old), "{old}");
            world.goals[1] = world.goals[1].replace(old, new);
        });
        assert_eq!(ids(&changed), ["G0.2"], "{new}");
        let parts: Vec<&str> = changed[0].text.iter().map(|part| part.part.as_str()).collect();
        assert_eq!((parts, changed[0].change), (vec![part], Change::Changed));
        assert!(changed[0].scenarios.is_empty());
    }
}

#[test]
fn the_words_of_both_sides_are_the_two_texts() {
    let changed =
        after(|world| world.goals[1] = world.goals[1].replace("nothing lands.\"", "almost nothing lands.\""));
    let words = &changed[0].text[0].words;
    let old = "This is what I expect to happen: after validator.block nothing lands.";
    assert_eq!(side(words, Place::Old), old);
    assert_eq!(side(words, Place::New), old.replace("nothing", "almost nothing"));
    let new: String =
        words.iter().filter(|words| words.place == Place::New).map(|words| words.text.trim()).collect();
    assert_eq!(new, "almost");
}

#[test]
fn every_part_of_a_scenario_is_a_change_of_its_goal_alone() {
    type Case = (fn(&mut Fixture), &'static str);
    let changes: [Case; 4] = [
        (|scenario| scenario.tags.push("@nightly".to_owned()), "@nightly"),
        (|scenario| scenario.when = "I run \"mycelium resume\"", "resume"),
        (|scenario| scenario.then = "the branch stays".to_owned(), "stays"),
        (|scenario| scenario.doc_string = Some("a doc string"), "doc string"),
    ];
    for (change, shown) in changes {
        let changed = after(|world| world.scenario(2, change));
        assert_eq!(ids(&changed), ["G0.2"], "{shown}");
        assert!(changed[0].text.is_empty());
        let scenario = &changed[0].scenarios[0];
        assert_eq!((changed[0].scenarios.len(), scenario.change), (1, Change::Changed));
        assert_eq!(scenario.place, "features/tier0/G0.2-block.feature:5");
        assert!(side(&scenario.words, Place::New).contains(shown), "{scenario:#?}");
        assert!(!side(&scenario.words, Place::Old).contains(shown), "{scenario:#?}");
    }
}

#[test]
fn scenarios_that_come_go_or_serve_two_goals_are_told_apart() {
    let kinds = |changed: &[ChangedGoal]| -> Vec<Change> {
        changed[0].scenarios.iter().map(|scenario| scenario.change).collect()
    };
    let renamed = after(|world| world.scenario(2, |scenario| scenario.name = "renamed".to_owned()));
    assert_eq!(kinds(&renamed), [Change::Added, Change::Removed]);
    let added = after(|world| world.features.push(Fixture::new("G0.2", 30, "new")));
    assert_eq!((ids(&added), kinds(&added)), (vec!["G0.2".to_owned()], vec![Change::Added]));
    let removed = after(|world| drop(world.features.remove(3)));
    assert_eq!((ids(&removed), kinds(&removed)), (vec!["G0.2".to_owned()], vec![Change::Removed]));
    // The second of two equal scenarios counts.
    let doubled = after(|world| {
        let mut twin = world.features[2].clone();
        twin.line = 40;
        world.features.push(twin);
    });
    assert_eq!((ids(&doubled), kinds(&doubled)), (vec!["G0.2".to_owned()], vec![Change::Added]));
    let both = after(|world| world.scenario(2, |scenario| scenario.tags.push("@G0.1".to_owned())));
    assert_eq!(ids(&both), ["G0.1", "G0.2"]);
}

#[test]
fn goals_that_come_and_go_are_named() {
    let added = after(|world| world.goals.push(goal("G1.7", "run.complete")));
    assert_eq!((ids(&added), added[0].change), (vec!["G1.7".to_owned()], Change::Added));
    assert_eq!(added[0].title, "A block of kind run.complete never merges");
    assert!(added[0].text.iter().any(|part| part.part == "statement"));
    let removed = after(|world| drop(world.goals.remove(3)));
    assert_eq!((ids(&removed), removed[0].change), (vec!["G1.1".to_owned()], Change::Removed));
}
