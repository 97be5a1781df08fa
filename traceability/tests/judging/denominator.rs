//! The denominator: a goal that vanishes, moves or promises less is missed, also where everything else was made to fit.

use mycelium_schemas::{
    problem::Source,
    verdict::{Gate, GateVerdict, Outcome, Verdict},
};
use mycelium_traceability::{LockHistory, differences};

use crate::support::{Fixture, World, goal, verdict_of};

/// The honest world with another Tier-1 goal, G1.2, of which nothing else depends.
fn world() -> World {
    let mut world = World::honest();
    world.backlog.clear();
    add(&mut world, "G1.2");
    world.review_all();
    world
}

/// Adds a goal with its scenarios, which nobody has reviewed yet.
fn add(world: &mut World, id: &'static str) {
    world.goals.push(goal(id, "run.complete"));
    for fixture in [Fixture::new(id, 5, "It runs"), Fixture::control(id, 12)] {
        world.features.push(fixture.clone());
        world.ran.push(fixture);
    }
}

/// Takes G1.2 away, with scenarios and review.
fn remove(world: &mut World) {
    take_away(world, &["G1.2"]);
}

/// Takes the last goals away, with scenarios and review.
fn take_away(world: &mut World, ids: &[&str]) {
    for id in ids {
        world.goals.pop();
        for fixtures in [&mut world.features, &mut world.ran] {
            fixtures.retain(|fixture| !fixture.tags.contains(&format!("@{id}")));
        }
    }
    world.links.clear();
    world.review_all();
}

fn sign(world: &mut World, entry: &str) {
    let signed =
        format!("signoffs:\n  - {{goal: G1.2, {entry}, reason: r, by: somebody, date: 2026-01-31}}\n");
    assert!(world.denominator.contains("signoffs: []\n"));
    world.denominator = world.denominator.replace("signoffs: []\n", &signed);
}

fn judge(world: &World) -> (Outcome, GateVerdict) {
    let (_, evaluation) = world.judge().unwrap();
    let verdict = evaluation.verdicts.into_iter().find(|verdict| verdict.gate == Gate::Denominator).unwrap();
    (evaluation.outcome, verdict)
}

/// The reasons of the gate, the only one that is red.
fn red(world: &World) -> String {
    let (_, evaluation) = world.judge().unwrap();
    let red: Vec<GateVerdict> =
        evaluation.verdicts.into_iter().filter(|verdict| verdict.verdict == Verdict::Red).collect();
    assert_eq!(red.iter().map(|verdict| verdict.gate).collect::<Vec<_>>(), [Gate::Denominator], "{red:#?}");
    assert_eq!(evaluation.outcome, Outcome::Red);
    red[0].reasons.join("\n")
}

fn green(world: &World) -> String {
    let (outcome, verdict) = judge(world);
    assert_eq!((outcome, verdict.verdict), (Outcome::Green, Verdict::Green), "{verdict:#?}");
    verdict.reasons.join("\n")
}

#[test]
fn goals_as_they_were_locked_are_green() {
    assert!(green(&world()).contains("All 5 locked goals"));
}

#[test]
fn a_goal_that_was_removed_needs_a_sign_off() {
    let mut world = world();
    remove(&mut world);
    assert!(red(&world).contains("G1.2 was removed, and nobody signed for it."));
    sign(&mut world, "what: removed");
    assert!(green(&world).contains("G1.2 was removed; somebody signed for it on 2026-01-31: r"));
    // Whoever signs in whole sentences is quoted with one full stop.
    world.denominator = world.denominator.replace("reason: r,", "reason: Nobody wants it.,");
    let said = green(&world);
    assert!(said.contains("on 2026-01-31: Nobody wants it") && !said.contains(".."), "{said}");
}

#[test]
fn a_goal_that_went_back_to_the_backlog_needs_a_sign_off() {
    let mut world = world();
    remove(&mut world);
    world.backlog = "- {id: G1.2, tier: 1, title: t, ticket: t, reason: r, owner: o}\n".to_owned();
    assert!(red(&world).contains("G1.2 was removed"));
}

#[test]
fn a_goal_in_another_tier_needs_a_sign_off_of_its_own() {
    let mut world = world();
    remove(&mut world);
    add(&mut world, "G2.5");
    world.review_all();
    let unsigned = "G1.2 was moved to Tier 2 as G2.5, and nobody signed for it.";
    assert!(red(&world).contains(unsigned));
    let mut wrong = world.clone();
    sign(&mut wrong, "what: removed");
    let reasons = red(&wrong);
    let untrue = "somebody signed for G1.2 as removed, and it is not.";
    assert!(reasons.contains(unsigned) && reasons.contains(untrue), "{reasons}");
    sign(&mut world, "what: retiered");
    assert!(green(&world).contains("G1.2 was retiered"));
}

#[test]
fn a_goal_that_declares_less_needs_a_sign_off_for_exactly_that() {
    let mut world = world();
    world.goals[4] = world.goals[4]
        .replace("witness:\n  - {text: The block was logged., assertion: event.present}\n", "witness: []\n");
    world.review_all();
    assert!(red(&world).contains("G1.2 does not declare \"witness event.present\" any more"));
    let mut wrong = world.clone();
    sign(&mut wrong, "what: weakened, lost: [control git.branch_moved]");
    let reasons = red(&wrong);
    let unused = "\"control git.branch_moved\" of G1.2, which it still declares";
    assert!(reasons.contains("witness event.present") && reasons.contains(unused), "{reasons}");
    sign(&mut world, "what: weakened, lost: [witness event.present]");
    assert!(green(&world).contains("G1.2 was weakened"));
}

/// A change of G1.2 that makes it easier to prove, and what it loses.
const EASIER: [(&str, &str, &str); 6] = [
    ("lanes: [mock, docker]", "lanes: [mock]", "lane docker"),
    ("saboteurs: [redo-done]", "saboteurs: []", "saboteur redo-done"),
    ("scope: [run, resume]", "scope: [run]", "scope resume"),
    ("events: [run.complete, task.rescope]", "events: [run.complete]", "event task.rescope"),
    ("  - {text: Nor does a tag., assertion: git.branch_unmoved}\n", "", "must_not git.branch_unmoved"),
    (
        "  - {text: Nor does a tag., assertion: git.branch_unmoved}\n",
        "  - {text: A task is left., assertion: state.task_left}\n",
        "must_not git.branch_unmoved",
    ),
];

/// The world whose G1.2 has everything that the changes above take away.
fn demanding() -> World {
    let mut world = world();
    let branch = "  - {text: The integration branch moves., assertion: git.branch_unmoved}\n";
    for (full, little) in [
        (EASIER[0].0, "lanes: [mock]"),
        (EASIER[1].0, "saboteurs: []"),
        (EASIER[2].0, "scope: [run]"),
        (EASIER[3].0, "events: [run.complete]"),
        (&format!("{branch}{}", EASIER[4].0), branch),
    ] {
        assert!(world.goals[4].contains(little), "{little}");
        world.goals[4] = world.goals[4].replace(little, full);
    }
    world.review_again();
    world
}

#[test]
fn a_review_alone_makes_no_goal_easier_to_prove() {
    assert_eq!(judge(&demanding()).1.verdict, Verdict::Green);
    for (full, less, lost) in EASIER {
        let mut world = demanding();
        assert!(world.goals[4].contains(full), "{full}");
        world.goals[4] = world.goals[4].replace(full, less);
        let mut told = told(&world);
        // Whose claims change, changes its prose.
        told.retain(|told| !told.starts_with("its prose"));
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].starts_with(&format!("\"{lost}\" is locked and not declared ")), "{told:?}");
        world.review_all();
        let (outcome, verdict) = judge(&world);
        assert_eq!((outcome, verdict.verdict), (Outcome::Red, Verdict::Red), "{lost}");
        let often = if lost.starts_with("must_not") { "as often as it did" } else { "any more" };
        let expected = format!("G1.2 does not declare \"{lost}\" {often}, and nobody signed for it.");
        assert_eq!(verdict.reasons, [expected]);
        sign(&mut world, &format!("what: weakened, lost: [{lost}]"));
        assert_eq!(self::told(&world), Vec::<String>::new());
        assert!(judge(&world).1.reasons.concat().contains("G1.2 was weakened"), "{lost}");
        assert_eq!(judge(&world).1.verdict, Verdict::Green, "{lost}");
    }
}

#[test]
fn what_is_taken_from_the_lock_is_missed_by_each_of_its_words() {
    for (full, less, lost) in EASIER {
        let mut world = demanding();
        commit(&mut world, "commit 1");
        world.goals[4] = world.goals[4].replace(full, less);
        world.review_again();
        let expected = format!("\"{lost}\" was taken away from the lock of G1.2; commit 1 has it.");
        assert_eq!(judge(&world).1.reasons, [expected]);
    }
}

#[test]
fn each_loss_of_what_was_declared_more_than_once_is_signed_for() {
    let mut world = demanding();
    world.goals[4] = world.goals[4].replace(EASIER[4].0, &EASIER[4].0.repeat(2));
    world.review_all();
    world.goals[4] = world.goals[4].replace(&EASIER[4].0.repeat(2), "");
    world.review_all();
    let mut once = world.clone();
    sign(&mut once, "what: weakened, lost: [must_not git.branch_unmoved]");
    let reason = &judge(&once).1.reasons[0];
    assert!(reason.contains("as often as it did (2 times less), and nobody signed"), "{reason}");
    let mut none_left = demanding();
    none_left.goals[4] =
        none_left.goals[4].replace("assertion: git.branch_unmoved", "assertion: state.task_left");
    none_left.review_all();
    let reasons = judge(&none_left).1.reasons;
    let expected = "\"must_not git.branch_unmoved\" any more (2 times), and nobody signed for it.";
    assert!(reasons[0].ends_with(expected), "{reasons:?}");
    for lost in ["must_not git.branch_unmoved, must_not git.branch_unmoved", "2x must_not git.branch_unmoved"]
    {
        let mut world = world.clone();
        sign(&mut world, &format!("what: weakened, lost: [{lost}]"));
        assert_eq!(judge(&world).1.verdict, Verdict::Green);
    }
}

#[test]
fn a_lock_that_was_written_short_by_hand_holds_nothing_and_is_red() {
    let mut world = world();
    world.denominator = world.denominator.replace("lane mock, ", "");
    assert_eq!(
        judge(&world).1.reasons[0],
        "The lock of G0.1 lacks \"lane mock\", so nobody would miss it: `accept review G0.1` adds it."
    );
    // An earlier version that knew no such word is no promise that was broken.
    let mut world = World::honest();
    let short = world.denominator.replace("lane mock, ", "");
    assert_ne!(short, world.denominator);
    world.locked.versions.push(Source::new("commit 1", short));
    green(&world);
}

#[test]
fn a_statement_that_was_not_reviewed_is_not_the_locked_one() {
    let mut world = world();
    world.goals[4] = world.goals[4].replace("nothing lands.", "hardly anything lands.");
    let (_, verdict) = judge(&world);
    assert_eq!(verdict.reasons, ["The statement of G1.2 is not the locked one."]);
    // Whoever reviews it is told, and so is everybody who reads what the gate says, as long as a commit has the old one.
    assert_eq!(
        told(&world),
        ["its statement is not the locked one: who records this review signs for the new one"]
    );
    commit(&mut world, "commit 1");
    world.review_all();
    assert_eq!(told(&world), Vec::<String>::new());
    commit(&mut world, "commit 2");
    assert!(green(&world).ends_with("declare no less. Reviews replaced the locked statement of G1.2."));
}

#[test]
fn a_goal_that_nobody_would_miss_is_a_problem() {
    let mut world = world();
    world.denominator = World::honest().denominator;
    assert!(red(&world).contains("G1.2 is not locked"));
    world.denominator.clear();
    assert!(red(&world).contains("No goal is locked."));
}

#[test]
fn a_sign_off_for_nothing_is_a_problem() {
    let mut world = world();
    sign(&mut world, "what: removed");
    assert_eq!(
        red(&world),
        "traceability/denominator.yaml, signoffs[0]: somebody signed for G1.2 as removed, and it is not."
    );
}

#[test]
fn a_sign_off_signs_for_exactly_what_was_lost() {
    let mut world = demanding();
    world.goals[4] = world.goals[4].replace(EASIER[0].0, EASIER[0].1);
    world.review_all();
    for (lost, objection) in [
        ("lane docker, lane mock", "gave up \"lane mock\" of G1.2, which it still declares"),
        ("lane docker, lane docker", "gave up \"lane docker\" of G1.2, which it still declares, or another"),
        ("lane docker, lane moon", "gave up \"lane moon\" of G1.2, which it never declared."),
        ("lane docker, witness fs.a", "gave up \"witness fs.a\" of G1.2, which it never declared."),
    ] {
        let mut world = world.clone();
        sign(&mut world, &format!("what: weakened, lost: [{lost}]"));
        let (outcome, verdict) = judge(&world);
        assert_eq!((outcome, verdict.reasons.len()), (Outcome::Red, 1), "{verdict:#?}");
        let expected = format!("traceability/denominator.yaml, signoffs[0]: somebody {objection}");
        assert!(verdict.reasons[0].starts_with(&expected), "{verdict:#?}");
    }
}

#[test]
fn a_goal_that_is_gone_is_signed_for_once() {
    let mut world = world();
    remove(&mut world);
    let entry = "  - {goal: G1.2, what: removed, reason: r, by: a, date: 2026-01-31}\n";
    world.denominator = world.denominator.replace("signoffs: []\n", &format!("signoffs:\n{entry}{entry}"));
    assert_eq!(
        red(&world),
        "traceability/denominator.yaml, signoffs[1]: G1.2 was signed for as removed already."
    );
}

#[test]
fn each_goal_that_is_gone_has_its_own_sign_off() {
    let mut world = world();
    add(&mut world, "G1.3");
    world.review_all();
    let ids = ["G1.2", "G1.3"];
    take_away(&mut world, &ids);
    let entries =
        ids.map(|id| format!("  - {{goal: {id}, what: removed, reason: r, by: a, date: 2026-01-31}}\n"));
    world.denominator =
        world.denominator.replace("signoffs: []\n", &format!("signoffs:\n{}", entries.concat()));
    let said = green(&world);
    assert!(ids.iter().all(|id| said.contains(&format!("{id} was removed; a signed for it"))), "{said}");
}

#[test]
fn nobody_signs_and_nobody_reviews_on_a_day_that_did_not_come_yet() {
    let mut world = world();
    remove(&mut world);
    sign(&mut world, "what: removed");
    green(&world);
    let mut early = world.clone();
    early.today = "2026-01-30";
    assert_eq!(
        red(&early),
        "traceability/denominator.yaml, signoffs[0]: somebody signed for G1.2 on 2026-01-31, and today is 2026-01-30."
    );
    // The goals of the sample were reviewed on the first of the month.
    world.today = "2026-01-01";
    let suspects = |world: &World| verdict_of(Gate::SuspectLinks, &world.judge().unwrap().1);
    assert_eq!(suspects(&world).0, Verdict::Green);
    world.today = "2025-12-31";
    let (verdict, reasons) = suspects(&world);
    assert_eq!(verdict, Verdict::Red);
    let future =
        "G0.1: traceability/links.yaml says that it was reviewed on 2026-01-01, and today is 2025-12-31.";
    assert!(reasons.contains(future), "{reasons}");
}

/// What is told to whoever reviews G1.2.
fn told(world: &World) -> Vec<String> {
    let source = Source::new("denominator.yaml", world.denominator.as_str());
    differences(&source, world.registry().goals.last().unwrap(), &world.catalogue()).unwrap()
}

/// Commits the lock as it is now.
fn commit(world: &mut World, name: &str) {
    world.locked.versions.insert(0, Source::new(name, world.denominator.as_str()));
}

#[test]
fn a_goal_that_was_removed_with_its_lock_is_missed_as_long_as_the_history_has_it() {
    let mut world = world();
    commit(&mut world, "commit 1");
    commit(&mut world, "commit 2");
    assert!(green(&world).contains("All 5 locked goals"));
    remove(&mut world);
    world.denominator.clear();
    world.review_all();
    assert_eq!(red(&world), "The lock of G1.2 was taken away; commit 2 has it.");
    // Nor does it help to commit that.
    commit(&mut world, "commit 3");
    assert_eq!(red(&world), "The lock of G1.2 was taken away; commit 2 has it.");
    // Without the history nobody knows.
    world.locked.versions.clear();
    green(&world);
    world.locked.gaps.push("The history is cut off, so nobody knows what was locked: fetch it.".to_owned());
    assert!(red(&world).starts_with("The history is cut off, so nobody knows what was locked"));
}

#[test]
fn a_declaration_that_was_taken_from_the_lock_is_missed() {
    let mut world = world();
    commit(&mut world, "commit 1");
    world.goals[4] = world.goals[4]
        .replace("witness:\n  - {text: The block was logged., assertion: event.present}", "witness: []");
    world.review_again();
    assert_eq!(
        red(&world),
        "\"witness event.present\" was taken away from the lock of G1.2; commit 1 has it."
    );
}

#[test]
fn a_lock_that_grew_and_one_that_nobody_can_read_any_more_take_nothing_away() {
    let mut world = world();
    world.locked = LockHistory {
        versions: vec![
            Source::new("commit 2", "goals: []\nsignoffs: []\n"),
            Source::new("commit 1", "- what"),
        ],
        ..LockHistory::default()
    };
    green(&world);
}

/// Takes scenarios of G1.2 away, from the features and the run.
fn without(world: &mut World, gone: impl Fn(&Fixture) -> bool) {
    for fixtures in [&mut world.features, &mut world.ran] {
        fixtures.retain(|fixture| !(fixture.tags.contains(&"@G1.2".to_owned()) && gone(fixture)));
    }
}

#[test]
fn a_goal_without_scenarios_is_red_whatever_its_tier_and_whoever_signs() {
    for id in ["G1.2", "G2.5"] {
        let mut world = World::honest();
        world.backlog.clear();
        world.goals.push(goal(id, "run.complete"));
        let scenarios = [Fixture::new(id, 5, "It runs"), Fixture::control(id, 12)];
        world.features.extend(scenarios.clone());
        world.ran.extend(scenarios);
        world.review_all();
        green(&world);
        for fixtures in [&mut world.features, &mut world.ran] {
            fixtures.truncate(8);
        }
        let none = format!("{id}: No scenario is tagged with it.");
        let suspects = |world: &World| verdict_of(Gate::SuspectLinks, &world.judge().unwrap().1);
        let (verdict, reasons) = suspects(&world);
        assert!(verdict == Verdict::Red && reasons.starts_with(&none), "{reasons}");
        let fewer =
            |part| format!("{id} does not declare \"{part} mock\" any more, and nobody signed for it.");
        assert_eq!(judge(&world).1.reasons, [fewer("scenario"), fewer("twin")]);
        // Neither a sign-off nor an empty lock helps.
        world.denominator = world.denominator.replace(
            "signoffs: []\n",
            &format!("signoffs:\n  - {{goal: {id}, what: weakened, lost: [scenario mock, twin mock], reason: r, by: b, date: 2026-01-31}}\n"),
        );
        assert_eq!(judge(&world).1.verdict, Verdict::Green);
        assert_eq!(suspects(&world).0, Verdict::Red);
        (world.links, world.denominator) = Default::default();
        assert_eq!(suspects(&world).0, Verdict::Red);
    }
}

#[test]
fn fewer_scenarios_than_were_locked_need_a_sign_off() {
    let mut world = world();
    for line in [20, 30] {
        let more = Fixture::new("G1.2", line, &format!("It runs, line {line}"));
        world.features.push(more.clone());
        world.ran.push(more);
    }
    world.review_all();
    green(&world);
    let retag = |world: &mut World, change: fn(&mut Fixture)| {
        for index in [10, 11] {
            world.scenario(index, change);
        }
    };
    let mut deleted = world.clone();
    without(&mut deleted, |fixture| fixture.line >= 20);
    // One that runs elsewhere or proves something else is one less, too.
    let mut elsewhere = world.clone();
    retag(&mut elsewhere, |scenario| scenario.tags[2] = "@docker".to_owned());
    let mut twins = world;
    retag(&mut twins, |scenario| scenario.tags.push("@control".to_owned()));
    let lost = "scenario mock";
    for mut world in [deleted, elsewhere, twins] {
        world.review_all();
        let expected = format!(
            "G1.2 does not declare \"{lost}\" as often as it did (2 times less), and nobody signed for it."
        );
        assert_eq!(judge(&world).1.reasons, [expected]);
        let mut once = world.clone();
        sign(&mut once, &format!("what: weakened, lost: [{lost}]"));
        assert_eq!(judge(&once).1.verdict, Verdict::Red);
        sign(&mut world, &format!("what: weakened, lost: [2x {lost}]"));
        assert_eq!(judge(&world).1.verdict, Verdict::Green);
    }
}

#[test]
fn what_a_review_replaces_is_named_as_long_as_a_commit_has_it() {
    let mut world = world();
    commit(&mut world, "commit 1");
    // More scenarios replace nothing.
    let more = Fixture::new("G1.2", 20, "It runs twice");
    world.features.push(more.clone());
    world.ran.push(more);
    world.review_all();
    assert!(green(&world).ends_with("declare no less."));
    for (from, to) in [
        ("title: A block of kind run.complete never merges", "title: A block may merge"),
        ("text: The integration branch moves.", "text: Nothing much happens."),
        ("then: nothing lands}", "then: something may land}"),
        ("git: [the branch has not moved]", "git: [the branch exists]"),
        ("config: [budgets.mode]", "config: []"),
    ] {
        let mut world = world.clone();
        assert!(world.goals[4].contains(from), "{from}");
        world.goals[4] = world.goals[4].replace(from, to);
        assert_eq!(
            told(&world),
            [
                "its prose beside the statement is not the locked one: who records this review signs for the new one"
            ]
        );
        world.review_all();
        assert!(green(&world).ends_with("declare no less. Reviews replaced locked prose of G1.2."), "{from}");
    }
    world.scenario(8, |scenario| scenario.then = "something else holds".to_owned());
    let told = told(&world);
    assert!(told[0].starts_with("1 of its 3 locked scenarios read otherwise or are gone"), "{told:?}");
    world.review_all();
    assert!(green(&world).ends_with("declare no less. Reviews replaced locked scenarios of G1.2."));
}

#[test]
fn a_lock_without_prose_and_scenarios_is_read_and_lacks_them() {
    let mut old = world();
    let is_new = |line: &&str| line.starts_with("    prose:") || line.starts_with("    scenarios:");
    let lines: Vec<&str> = old.denominator.lines().filter(|line| !is_new(line)).collect();
    let text = lines.join("\n").replace(", scenario mock", "").replace(", twin mock", "") + "\n";
    assert_ne!(text, old.denominator);
    old.denominator = text;
    assert_eq!(
        judge(&old).1.reasons[4],
        "The lock of G1.2 lacks \"scenario mock\", \"twin mock\", its prose, its scenarios, so nobody would miss it: \
         `accept review G1.2` adds it."
    );
    // In the history it takes nothing away.
    let mut world = world();
    world.locked.versions.push(Source::new("commit 1", old.denominator));
    assert!(green(&world).ends_with("declare no less."));
}

#[test]
fn what_was_reverted_with_its_lock_can_be_signed_for() {
    let mut world = world();
    commit(&mut world, "commit 1");
    remove(&mut world);
    world.denominator = World::honest().denominator;
    assert_eq!(red(&world), "The lock of G1.2 was taken away; commit 1 has it.");
    let mut wrong = world.clone();
    sign(&mut wrong, "what: retiered");
    assert!(red(&wrong).contains("The lock of G1.2 was taken away"));
    sign(&mut world, "what: removed");
    assert!(green(&world).contains("G1.2 was removed; somebody signed for it on 2026-01-31: r"));
    // The same for a word that is gone from goal and lock.
    let mut world = demanding();
    commit(&mut world, "commit 1");
    world.goals[4] = world.goals[4].replace(EASIER[0].0, EASIER[0].1);
    world.review_again();
    assert_eq!(
        judge(&world).1.reasons,
        ["\"lane docker\" was taken away from the lock of G1.2; commit 1 has it."]
    );
    sign(&mut world, "what: weakened, lost: [lane docker]");
    assert_eq!(judge(&world).1.verdict, Verdict::Green);
}

#[test]
fn a_promise_that_vanishes_from_the_backlog_is_named() {
    let mut world = World::honest();
    let backlog = std::mem::take(&mut world.backlog);
    for name in ["commit 2", "commit 1"] {
        world.locked.backlogs.push(Source::new(name, backlog.as_str()));
    }
    world.locked.backlogs.push(Source::new("commit 0", "?"));
    let gone = "G1.2 (t) was promised in the backlog of commit 2, and is not any more.";
    assert!(green(&world).ends_with(&format!("declare no less. {gone}")));
    world.backlog = backlog;
    assert!(green(&world).ends_with("declare no less."));
}
