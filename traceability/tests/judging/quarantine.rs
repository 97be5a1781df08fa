//! The rules of the quarantine (Q1 to Q12), each with the hole that it closes.

use mycelium_schemas::{
    matrix::Status,
    problem::Source,
    verdict::{Gate, GateVerdict, Outcome, Verdict},
};
use mycelium_traceability::{Registry, deadlines};

use crate::{
    flakes::{clean, fail},
    support::{Fixture, World, goal},
};

/// A world with so many Tier-1 goals that one of them may be in quarantine.
fn world() -> World {
    world_of(20)
}

fn world_of(tier_1_goals: usize) -> World {
    let mut world = World::honest();
    for number in 2..=tier_1_goals {
        let id = format!("G1.{number}");
        world.goals.push(goal(&id, "run.complete"));
        let scenarios = [Fixture::new(&id, 5, "A block keeps work away"), Fixture::control(&id, 12)];
        world.features.extend(scenarios.clone());
        world.ran.extend(scenarios);
    }
    world.backlog.clear();
    world.review_all();
    world
}

/// The same with an entry for G1.1, which it is Q4 to count as open.
fn quarantined(expires: &str) -> World {
    let mut world = world();
    world.quarantine = world.quarantine_entry("G1.1", expires);
    world
}

fn verdict(world: &World) -> GateVerdict {
    let (_, evaluation) = world.judge().unwrap();
    evaluation.verdicts.into_iter().find(|verdict| verdict.gate == Gate::Quarantine).unwrap()
}

fn assert_red(world: &World, reason: &str) {
    let found = verdict(world);
    assert_eq!(found.verdict, Verdict::Red, "{:?}", found.reasons);
    assert!(found.reasons.iter().any(|found| found.contains(reason)), "no {reason:?} in {:?}", found.reasons);
}

fn assert_green(world: &World, said: &str) {
    let found = verdict(world);
    assert_eq!(found.verdict, Verdict::Green, "{:?}", found.reasons);
    assert!(found.reasons[0].contains(said), "no {said:?} in {:?}", found.reasons);
}

#[test]
fn a_failure_that_is_excused_leaves_its_goal_in_quarantine_and_no_other_one() {
    let row = |world: &World, goal: &str| {
        let (matrix, _) = world.judge().unwrap();
        matrix.row(goal.parse().unwrap()).unwrap().clone()
    };
    let status = |world: &World, goal: &str| row(world, goal).status;
    let fails = |world: &mut World, goal: &str| {
        let of_goal = |fixture: &&mut Fixture| fixture.uri.contains(&format!("{goal}-"));
        world.ran.iter_mut().find(of_goal).unwrap().attempts = vec!["FAILED"];
        world.run.success = false;
    };
    let mut world = quarantined("2026-02-01");
    fails(&mut world, "G1.1");
    assert_eq!(status(&world, "G1.1"), Status::Quarantined);
    // What a failed scenario did not look at any more is nobody's news.
    assert_eq!(row(&world, "G1.1").reasons.len(), 1, "{:?}", row(&world, "G1.1").reasons);
    fails(&mut world, "G1.2");
    assert_eq!(status(&world, "G1.2"), Status::Failing);
}

#[test]
fn q1_an_entry_is_about_the_text_that_was_unreliable_and_no_later_one() {
    let mut world = quarantined("2026-02-01");
    world.scenario(6, |scenario| scenario.then = "something else holds".to_owned());
    let now = world.catalogue().of_goal("G1.1".parse().unwrap())[0].fingerprint();
    assert_red(&world, &format!("is about another text than it has now, whose fingerprint is {now}"));
    // And what it says now is excused by nothing.
    world.ran[6].attempts = vec!["FAILED"];
    world.run.success = false;
    let (matrix, _) = world.judge().unwrap();
    assert_eq!(matrix.row("G1.1".parse().unwrap()).unwrap().status, Status::Failing);
}

#[test]
fn q2_an_entry_for_tier_0_is_no_input_at_all() {
    let mut world = world();
    world.quarantine = world.quarantine_entry("G0.1", "2026-02-01");
    let (matrix, evaluation) = world.judge().unwrap();
    assert_eq!(evaluation.outcome, Outcome::BadInput);
    assert_eq!(matrix.row("G0.1".parse().unwrap()).unwrap().status, Status::Invalid);
}

#[test]
fn q3_q5_it_goes_on_running_in_every_lane_that_is_required() {
    let mut world = quarantined("2026-02-01");
    world.ran[6].attempts.clear();
    assert_red(&world, "fits no scenario of that goal that ran in mock");
}

#[test]
fn q4_its_goal_stays_in_the_denominator_and_does_not_count() {
    let world = quarantined("2026-02-01");
    let (matrix, evaluation) = world.judge().unwrap();
    assert_eq!(matrix.row("G1.1".parse().unwrap()).unwrap().status, Status::Quarantined);
    let tier = &evaluation.coverage[1];
    assert_eq!((tier.verified, tier.total), (19, 20));
}

#[test]
fn q5_an_entry_that_fits_nothing_is_red() {
    for (from, to) in [("A block keeps work away", "another name"), ("G1.1", "G1.99")] {
        let mut world = quarantined("2026-02-01");
        world.quarantine = world.quarantine.replace(from, to);
        assert_red(&world, "fits no scenario of that goal that ran");
    }
}

#[test]
fn q6_its_owner_is_told_before_the_deadline_and_everybody_after_it() {
    let on = |today: &'static str| {
        let mut world = quarantined("2026-02-01");
        world.today = today;
        world
    };
    assert_green(&on("2026-01-28"), "Scenarios in quarantine: 1, none expired.");
    assert!(deadlines(&on("2026-01-28").judge().unwrap().0).is_empty());
    for (today, days) in [("2026-01-29", 3), ("2026-01-31", 1), ("2026-02-01", 0)] {
        let warning =
            format!("Warning: \"A block keeps work away\" of G1.1 expires in {days} days; o owns it.");
        assert_green(&on(today), &warning);
        assert_eq!(deadlines(&on(today).judge().unwrap().0), [warning]);
    }
    assert_red(&on("2026-02-02"), "expired on 2026-02-01; o owns it.");
}

#[test]
fn q7_it_is_renewed_once_and_the_days_go_on_counting() {
    let mut world = renewed();
    world.today = "2026-02-03";
    assert_green(&world, "\"A block keeps work away\": 10 of the last 90 days, renewed once.");
    world.today = "2026-02-09";
    assert_red(&world, "expired on 2026-02-08");
    assert_green(&quarantined("2026-02-01"), "7 of the last 90 days.");
}

/// The entry of [`quarantined`], renewed on the day of its first deadline.
fn renewed() -> World {
    let mut world = quarantined("2026-02-01");
    renew(&mut world, "2026-02-01", "2026-02-08");
    world
}

fn renew(world: &mut World, on: &str, expires: &str) {
    let renewal = format!(", renewal: {{hypothesis: another, on: {on}, expires: {expires}}}}}\n");
    world.quarantine = world.quarantine.trim_end().strip_suffix('}').unwrap().to_owned() + &renewal;
}

/// Commits the quarantine as it is.
fn commit(world: &mut World) {
    world.quarantined.insert(0, Source::new("commit 1", world.quarantine.as_str()));
}

/// Writes the entry anew, with other dates.
fn again(world: &mut World, entered: &str, expires: &str) {
    world.quarantine =
        world.quarantine_entry("G1.1", expires).replace("2026-01-24", entered).replace("2026-01-25", entered);
}

#[test]
fn q7_an_entry_that_is_written_anew_is_red_with_its_days_and_excuses_nothing() {
    let mut world = quarantined("2026-02-01");
    commit(&mut world);
    again(&mut world, "2026-02-10", "2026-02-17");
    world.today = "2026-02-11";
    assert_red(&world, "was there until 2026-02-01 before, 10 of the last 90 days in all");
    // Nor does a renewal of its own make it another one.
    renew(&mut world, "2026-02-11", "2026-02-12");
    assert_red(&world, "was there until 2026-02-01 before");
    world.ran[6].attempts = vec!["FAILED"];
    world.run.success = false;
    let (matrix, _) = world.judge().unwrap();
    let row = matrix.row("G1.1".parse().unwrap()).unwrap();
    assert_eq!((row.status, row.quarantine[0].days_in), (Status::Failing, 10));
}

#[test]
fn q7_dates_that_are_moved_take_no_day_away_and_give_none() {
    let mut world = quarantined("2026-01-30");
    world.today = "2026-01-30";
    commit(&mut world);
    again(&mut world, "2026-01-28", "2026-01-30");
    assert_green(&world, "6 of the last 90 days.");
    again(&mut world, "2026-01-25", "2026-01-31");
    assert_red(&world, "was there until 2026-01-30 before, 6 of the last 90 days in all");
    // The one renewal is told as such, and no other one follows.
    let mut world = renewed();
    world.today = "2026-02-01";
    let before = quarantined("2026-02-01").quarantine;
    world.quarantined = vec![Source::new("commit 1", before)];
    assert_green(&world, "8 of the last 90 days, renewed once.");
    commit(&mut world);
    world.quarantine = world
        .quarantine
        .replace("on: 2026-02-01, expires: 2026-02-08", "on: 2026-02-01, expires: 2026-02-07");
    assert_green(&world, "renewed once.");
    commit(&mut world);
    world.quarantine = renewed().quarantine;
    assert_red(&world, "was there until 2026-02-07 before");
}

#[test]
fn q7_after_90_days_and_for_another_scenario_it_is_a_first_entry() {
    let mut world = quarantined("2026-02-01");
    commit(&mut world);
    again(&mut world, "2026-05-01", "2026-05-08");
    world.today = "2026-05-01";
    assert_red(&world, "was there until 2026-02-01 before, 2 of the last 90 days in all");
    world.today = "2026-05-02";
    assert_green(&world, " 2 of the last 90 days.");
    world.today = "2026-05-01";
    let committed = quarantined("2026-02-01").quarantine;
    // What nobody can read says nothing, nor what is about a scenario that stands there as it was.
    let mut other = world.clone();
    other.scenario(6, |scenario| scenario.name = "No block keeps work away".to_owned());
    let other = other.quarantine_entry("G1.1", "2026-02-01");
    let more = Fixture { line: 20, name: "No block keeps work away".to_owned(), ..world.ran[6].clone() };
    world.features.push(more.clone());
    world.ran.push(more);
    world.review_all();
    for text in [other, committed.replace("G1.1", "G1.2"), "?".to_owned()] {
        world.quarantined = vec![Source::new("commit 1", text)];
        assert_green(&world, " 1 of the last 90 days.");
    }
}

#[test]
fn q7_another_name_or_text_makes_no_scenario_another_one() {
    let before = quarantined("2026-02-01").quarantine;
    let renamed = |version: String| {
        let mut world = world();
        world.scenario(6, |scenario| {
            scenario.name = "A block keeps all work away".to_owned();
            scenario.then = "something else holds".to_owned();
        });
        world.review_all();
        world.quarantined = vec![Source::new("commit 1", version)];
        world.today = "2026-02-10";
        again(&mut world, "2026-02-10", "2026-02-17");
        world
    };
    let said =
        "was there until 2026-02-01 before as \"A block keeps work away\", 9 of the last 90 days in all";
    assert_red(&renamed(before.clone()), said);
    // Nor does another one under its former name.
    let mut decoy = renamed(before.clone());
    let under_its_name = Fixture {
        line: 20,
        then: "it exits".to_owned(),
        ..Fixture::new("G1.1", 20, "A block keeps work away")
    };
    decoy.features.push(under_its_name.clone());
    decoy.ran.push(under_its_name);
    decoy.review_all();
    assert_red(&decoy, said);
    // By the days of the former one it is excused.
    let mut world = renamed(before);
    world.today = "2026-02-01";
    again(&mut world, "2026-01-30", "2026-02-01");
    assert_green(&world, "8 of the last 90 days.");
}

#[test]
fn what_begins_after_today_excuses_nothing() {
    for (mut world, today, day) in
        [(quarantined("2026-02-01"), "2026-01-24", "2026-01-25"), (renewed(), "2026-01-31", "2026-02-01")]
    {
        world.ran[6].attempts = vec!["FAILED"];
        world.run.success = false;
        world.today = day;
        assert_green(&world, "none expired");
        world.today = today;
        assert_red(&world, &format!("begins on {day}, and today is {today}"));
        let (matrix, _) = world.judge().unwrap();
        assert_eq!(matrix.row("G1.1".parse().unwrap()).unwrap().status, Status::Failing);
    }
}

#[test]
fn q8_there_are_few_entries() {
    let mut world = world_of(40);
    let entries = ["G1.1", "G1.2", "G1.3"].map(|goal| world.quarantine_entry(goal, "2026-02-01"));
    world.quarantine = entries[..2].concat();
    assert_green(&world, "Scenarios in quarantine: 2");
    world.quarantine = entries.concat();
    assert_red(&world, "3 scenarios are in quarantine, 2 may be.");
    assert_red(&world, "3 of 40 Tier-1 goals are in quarantine, 5 % may be.");
    // In a product with few promises, one is too much.
    let mut small = World::honest();
    small.quarantine = small.quarantine_entry("G1.1", "2026-02-01");
    assert_red(&small, "1 of 1 Tier-1 goals are in quarantine");
}

#[test]
fn q9_what_is_broken_is_not_unreliable() {
    let mut world = quarantined("2026-02-01");
    world.ran[6].attempts = vec!["FAILED"];
    world.run.success = false;
    assert_green(&world, "none expired");
    let key = world.catalogue().of_goal("G1.1".parse().unwrap())[0].key.clone();
    world.history = clean(&world, 4);
    world.history.retain(|execution| execution.scenario == key && execution.lane == "mock");
    world.history.iter_mut().for_each(fail);
    assert_red(&world, "failed 5 of 5 times: it is broken, not unreliable; o owns it.");
    // Once is enough to be unreliable.
    world.history.push(clean(&world, 1).into_iter().find(|execution| execution.scenario == key).unwrap());
    world.history.last_mut().unwrap().run = "one more".to_owned();
    assert_green(&world, "none expired");
}

#[test]
fn q10_it_comes_out_after_59_clean_runs_and_not_before() {
    let mut world = quarantined("2026-02-01");
    world.history = clean(&world, 59);
    world.history.retain(|execution| execution.lane == "mock");
    assert_green(&world, "passed at least 59 times in a row: remove its entry.");
    world.history.retain(|execution| execution.run != "run-7");
    let found = verdict(&world);
    assert!(!found.reasons[0].contains("remove its entry"), "{:?}", found.reasons);
}

#[test]
fn q11_a_malformed_file_is_no_input() {
    let files = |text: &str| {
        let mut world = world();
        world.quarantine = text.to_owned();
        world.files()
    };
    assert!(Registry::parse(&files("[]\n")).is_ok());
    for bad in ["- G1.1\n", "entries: []\n", "- {goal: G1.1}\n", "[\n"] {
        assert!(Registry::parse(&files(bad)).is_err(), "{bad:?} was accepted");
    }
}

#[test]
fn q12_the_day_is_an_argument_and_stands_in_the_matrix() {
    let mut world = quarantined("2026-02-01");
    world.today = "2026-01-30";
    let (matrix, _) = world.judge().unwrap();
    assert_eq!(matrix.today.to_string(), "2026-01-30");
    assert_eq!(matrix.row("G1.1".parse().unwrap()).unwrap().quarantine[0].days_left, 2);
}
