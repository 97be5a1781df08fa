//! How fast the program is: a table of dishonest measurements, and the limit to the last thousandth.

use mycelium_schemas::{
    SCHEMA_VERSION,
    bench::{Bench, Figure, Measure},
    goal::{baselines::Baselines, gates::ProfileName},
    problem::Source,
    verdict::{Evaluation, Gate, Verdict},
};

use mycelium_traceability::FIGURES;

use crate::support::{TREE, World, verdict_of};

const MACHINE: &str = "linux-x86_64";
const BASELINES: &str = "\
tolerance_percent: {instructions: 5, cpu-ratio: 60}
machines:
  - machine: linux-x86_64
    figures:
      - {figure: plan/10, measure: instructions, value: 1000000}
      - {figure: plan/10, measure: cpu-ratio, value: 2000}
      - {figure: resume/finished, measure: cpu-ratio, value: 1500}
";

fn figure(name: &str, measure: Measure, value: u64) -> Figure {
    Figure { name: name.to_owned(), measure, value, least: value, most: value, rounds: 3 }
}

/// What has to be measured beside that, each with its value as its baseline.
fn others() -> Vec<Figure> {
    let all = FIGURES.into_iter().flat_map(|name| Measure::ALL.map(|measure| figure(name, measure, 1_000)));
    let is_other = |other: &Figure| {
        other.name != "plan/10" && (other.name != "resume/finished" || other.measure != Measure::CpuRatio)
    };
    all.filter(is_other).collect()
}

/// A night in which everything is as it was, but for noise.
fn honest() -> World {
    let mut world = World::honest();
    world.profile = ProfileName::Nightly;
    let line = |other: Figure| {
        format!("      - {{figure: {}, measure: {}, value: {}}}\n", other.name, other.measure, other.value)
    };
    world.baselines = BASELINES.to_owned() + &others().into_iter().map(line).collect::<String>();
    world.bench = Some(Bench {
        schema_version: SCHEMA_VERSION,
        tree: Some(TREE.to_owned()),
        source_digest: Some("s1".to_owned()),
        binary_digest: "d3".to_owned(),
        features: Vec::new(),
        machine: MACHINE.to_owned(),
        partial: Vec::new(),
        figures: vec![
            figure("plan/10", Measure::Instructions, 1_040_000),
            figure("plan/10", Measure::CpuRatio, 2_700),
            figure("resume/finished", Measure::CpuRatio, 1_100),
        ]
        .into_iter()
        .chain(others())
        .collect(),
    });
    world
}

fn verdict(evaluation: &Evaluation) -> (Verdict, String) {
    verdict_of(Gate::Performance, evaluation)
}

fn judge(bend: impl Fn(&mut World)) -> (Verdict, String) {
    let mut world = honest();
    bend(&mut world);
    verdict(&world.judge().unwrap().1)
}

#[test]
fn honest_figures_are_green_and_a_profile_that_does_not_ask_says_so() {
    let green = "All 22 figures are within their limits on linux-x86_64.".to_owned();
    assert_eq!(judge(|_| ()), (Verdict::Green, green));
    let local = judge(|world| world.profile = ProfileName::Local);
    assert_eq!(local, (Verdict::NotRequired, "Profile local does not require it.".to_owned()));
}

#[test]
fn a_baseline_that_was_raised_is_named_with_both_values() {
    let raise = |times: u64, versions: &[&str]| {
        judge(|world| {
            let before = world.baselines.clone();
            let version = |name: &&str| Source::new(*name, before.as_str());
            world.measured = versions.iter().map(version).collect();
            world.measured.push(Source::new("commit 0", "?"));
            world.baselines =
                before.replace("value: 1000000", &format!("value: {}", 1_000_000 + 50_000 * times));
        })
    };
    let green = "All 22 figures are within their limits on linux-x86_64.";
    // Within what a measurement may differ it is the same.
    for (times, versions) in [(1, &["commit 1"][..]), (2, &[])] {
        assert_eq!(raise(times, versions), (Verdict::Green, green.to_owned()));
    }
    let told = "Baselines were raised: plan/10 (instructions) from 1,000,000 in commit 2 to 1,100,000.";
    assert_eq!(raise(2, &["commit 2", "commit 1"]), (Verdict::Green, format!("{green} {told}")));
}

#[test]
fn a_baseline_is_compared_with_the_least_that_it_was() {
    let (_, reasons) = judge(|world| {
        let of = |value: &str| world.baselines.replace("value: 1000000", &format!("value: {value}"));
        let versions = [("commit 3", "1080000"), ("commit 2", "1000000"), ("commit 1", "1020000")];
        world.measured = versions.map(|(name, value)| Source::new(name, of(value))).into();
        world.baselines = of("1100000");
    });
    let told = "Baselines were raised: plan/10 (instructions) from 1,000,000 in commit 2 to 1,100,000.";
    assert!(reasons.ends_with(told), "{reasons}");
}

/// Changes a figure in all that it says of itself.
fn set(bench: &mut Bench, index: usize, value: u64) {
    let Figure { name, measure, .. } = bench.figures[index].clone();
    bench.figures[index] = figure(&name, measure, value);
}

#[test]
fn a_figure_at_its_limit_is_green_and_one_above_is_named_with_value_limit_and_baseline() {
    let found = |index, value| judge(move |world| set(world.bench.as_mut().unwrap(), index, value));
    assert_eq!(found(0, 1_050_000).0, Verdict::Green);
    let (red, reason) = found(0, 1_050_001);
    let said = "plan/10 (instructions) is 1,050,001, over its limit 1,050,000; its baseline is 1,000,000.";
    assert_eq!((red, reason.as_str()), (Verdict::Red, said));
    assert_eq!(found(2, 2_400).0, Verdict::Green);
    let (red, reason) = found(2, 2_401);
    let said = "resume/finished (cpu-ratio) is 2.401x, over its limit 2.400x; its baseline is 1.500x.";
    assert_eq!((red, reason.as_str()), (Verdict::Red, said));
}

/// What is bent, and a part of the reason that the gate has to give.
type Lie = (&'static str, fn(&mut Bench), &'static str);

const LIES: [Lie; 16] = [
    ("twice as slow", |b| set(b, 1, 5_400), "plan/10 (cpu-ratio) is 5.400x, over its limit 3.200x"),
    (
        "no figure at all",
        |b| b.figures.clear(),
        "plan/10 (instructions) has a baseline on linux-x86_64 and was not",
    ),
    (
        "a figure left out",
        |b| drop(b.figures.remove(2)),
        "resume/finished (cpu-ratio) has a baseline on linux-x86_64 and was not",
    ),
    ("a way of measuring left out", |b| drop(b.figures.remove(0)), "plan/10 (instructions) has a baseline"),
    (
        "a figure that nobody looked at",
        |b| b.figures.push(figure("logs/10", Measure::CpuRatio, 1)),
        "logs/10 (cpu-ratio) is 0.001x, and has no baseline on linux-x86_64",
    ),
    (
        "another class of machine",
        |b| b.machine = "linux-aarch64".to_owned(),
        "class linux-aarch64, so there is no verdict",
    ),
    ("no class of machine", |b| b.machine.clear(), "there is no verdict"),
    ("a figure of nothing", |b| set(b, 0, 0), "plan/10 (instructions) measured nothing"),
    ("no round", |b| b.figures[0].rounds = 0, "plan/10 (instructions) measured nothing"),
    ("a middle below the least", |b| b.figures[1].least = 2_701, "is not between its least and its most"),
    ("a middle above the most", |b| b.figures[1].most = 2_699, "is not between its least and its most"),
    (
        "one measured until it fits",
        |b| {
            let again = b.figures[0].clone();
            b.figures.push(again);
        },
        "plan/10 (instructions) was measured more than once",
    ),
    (
        "a program with seeded faults",
        |b| b.features.push("saboteur".to_owned()),
        "built with the feature saboteur",
    ),
    ("another tree", |b| b.tree = Some("0".repeat(40)), "about other sources"),
    ("other sources", |b| b.source_digest = Some("s0".to_owned()), "about other sources"),
    ("a part", |b| b.partial.push("Only plan was measured.".to_owned()), "Only plan was measured."),
];

#[test]
fn a_dishonest_measurement_is_red_for_its_reason() {
    for (name, bend, reason) in LIES {
        let (found, reasons) = judge(|world| bend(world.bench.as_mut().unwrap()));
        assert!(found == Verdict::Red && reasons.contains(reason), "{name}: {found}: {reasons}");
    }
}

#[test]
fn what_is_not_measured_or_not_bound_or_not_saved_gets_no_verdict() {
    type Bend = fn(&mut World);
    let bends: [(Bend, &str); 5] = [
        (|world| world.bench = None, "Nothing was measured, so there is no verdict."),
        (|world| world.bench.as_mut().unwrap().tree = None, "cannot be bound to a commit"),
        (|world| world.bench.as_mut().unwrap().source_digest = None, "cannot be bound to a commit"),
        (|world| world.subject.source_digest = None, "cannot be bound to a commit"),
        (|world| world.baselines.clear(), "Nobody saved baselines on a machine of the class linux-x86_64"),
    ];
    for (bend, reason) in bends {
        let (found, reasons) = judge(bend);
        assert!(found == Verdict::Red && reasons.contains(reason), "{found}: {reasons}");
    }
    let (found, reasons) = judge(|world| {
        world.baselines.clear();
        world.bench.as_mut().unwrap().figures.clear();
    });
    assert_eq!((found, reasons.as_str()), (Verdict::Red, "No figure was measured, so there is no verdict."));
}

#[test]
fn a_baseline_that_is_saved_from_the_figures_lets_them_through() {
    let world = honest();
    let bench = world.bench.as_ref().unwrap();
    let mut baselines = Baselines::default();
    baselines.save(MACHINE, bench.figures.iter().map(mycelium_traceability::baseline));
    let compared = mycelium_traceability::compare(MACHINE, &bench.figures, &baselines);
    assert_eq!(mycelium_traceability::too_slow(MACHINE, &compared), Vec::<String>::new());
    assert_eq!(compared.len(), 22);
}

#[test]
fn a_figure_that_nobody_measured_and_nobody_has_a_baseline_for_is_missed() {
    for name in FIGURES {
        for measure in Measure::ALL {
            let (found, reasons) = judge(|world| {
                let line = format!("figure: {name}, measure: {measure},");
                let kept = world.baselines.split_inclusive('\n').filter(|kept| !kept.contains(&line));
                world.baselines = kept.collect();
                let figures = &mut world.bench.as_mut().unwrap().figures;
                figures.retain(|figure| figure.name != name || figure.measure != measure);
            });
            let said = format!("{name} ({measure}) was not measured, and has no baseline on linux-x86_64.");
            assert_eq!((found, reasons), (Verdict::Red, said));
        }
    }
    // With a figure and no baseline it is missed as well.
    let (found, reasons) = judge(|world| {
        world.baselines =
            world.baselines.replace("figure: run/50, measure: cpu-ratio", "figure: x, measure: cpu-ratio");
    });
    assert!(
        found == Verdict::Red && reasons.contains("run/50 (cpu-ratio) is 1.000x, and has no baseline"),
        "{reasons}"
    );
}
