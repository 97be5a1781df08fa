//! What the tests of the gates notice: a table of dishonest answers, each red for its reason.

use mycelium_schemas::{
    SCHEMA_VERSION,
    goal::gates::ProfileName,
    mutation::{ChangedFile, Mutation, Survivor},
    verdict::{Evaluation, Gate, Verdict},
};

use crate::support::{TREE, World, verdict_of};

/// Every file that has to be asked about.
const FILES: [&str; 16] = [
    "orchestrator/core/src/budget.rs",
    "orchestrator/core/src/manifest.rs",
    "orchestrator/core/src/permit.rs",
    "orchestrator/core/src/settle.rs",
    "traceability/src/catalogue.rs",
    "traceability/src/denominator.rs",
    "traceability/src/fingerprint.rs",
    "traceability/src/flake/bound.rs",
    "traceability/src/gates.rs",
    "traceability/src/gates/judge.rs",
    "traceability/src/matrix.rs",
    "traceability/src/matrix/row.rs",
    "traceability/src/mutation.rs",
    "traceability/src/performance.rs",
    "traceability/src/results/read.rs",
    "traceability/src/sabotage.rs",
];

fn survivor(survived: u64, named: u64) -> Survivor {
    Survivor {
        change: "traceability/src/flake/bound.rs: replace > with >= in upper".to_owned(),
        survived,
        named,
        reason: "Both are the same there.".to_owned(),
    }
}

/// A night in which the tests noticed all that they can.
fn honest() -> World {
    let mut world = World::honest();
    world.profile = ProfileName::Nightly;
    let mut files: Vec<ChangedFile> = FILES
        .iter()
        .map(|file| ChangedFile { file: (*file).to_owned(), noticed: 3, not_code: 1, survived: 0 })
        .collect();
    files[7].survived = 1;
    world.mutation = Some(Mutation {
        schema_version: SCHEMA_VERSION,
        tree: Some(TREE.to_owned()),
        partial: Vec::new(),
        files,
        survivors: vec![survivor(1, 1)],
    });
    world
}

fn verdict(evaluation: &Evaluation) -> (Verdict, String) {
    verdict_of(Gate::Mutation, evaluation)
}

fn judge(bend: impl Fn(&mut World)) -> (Verdict, String) {
    let mut world = honest();
    bend(&mut world);
    verdict(&world.judge().unwrap().1)
}

#[test]
fn where_all_is_noticed_that_can_be_the_gate_is_green_and_tells_the_rest() {
    let green = "Tests notice 48 changes of the code that decides; 1 no test can notice. \
                 traceability/src/flake/bound.rs: replace > with >= in upper: Both are the same there.";
    assert_eq!(judge(|_| ()), (Verdict::Green, green.to_owned()));
    let local = judge(|world| world.profile = ProfileName::Local);
    assert_eq!(local, (Verdict::NotRequired, "Profile local does not require it.".to_owned()));
}

#[test]
fn only_what_survived_and_is_named_is_told_as_such() {
    for (survived, named, told) in [(1, 1, 1), (1, 0, 0), (0, 1, 0)] {
        let mut world = honest();
        set(world.mutation.as_mut().unwrap(), survived, named);
        let matrix = world.judge().unwrap().0;
        let facts = matrix.mutation.unwrap();
        assert_eq!(facts.named.len(), told, "{survived} survived, {named} named: {facts:?}");
    }
}

/// What is bent, and a part of the reason that the gate has to give.
type Lie = (&'static str, fn(&mut Mutation), &'static str);

const LIES: [Lie; 14] = [
    (
        "a survivor that nobody names",
        |m| m.survivors = vec![survivor(1, 0)],
        "No test notices 1 of: traceability",
    ),
    ("one named, two there", |m| set(m, 2, 1), "No test notices 1 of: traceability"),
    (
        "a name without a survivor",
        |m| set(m, 0, 1),
        "1 of these are named as survivors and are none: traceability",
    ),
    (
        "one there, three named",
        |m| set(m, 1, 3),
        "2 of these are named as survivors and are none: traceability",
    ),
    (
        "a name without a reason",
        |m| m.survivors[0].reason = "  ".to_owned(),
        "Nobody says why no test can notice",
    ),
    ("a survivor that is not told", |m| m.survivors.clear(), "1 changes survived, and 0 of them are told."),
    (
        "a survivor that is not counted",
        |m| m.files[7].survived = 0,
        "0 changes survived, and 1 of them are told.",
    ),
    (
        "a file left out",
        |m| drop(m.files.remove(0)),
        "Nothing was changed in orchestrator/core/src/budget.rs",
    ),
    (
        "a folder left out",
        |m| drop(m.files.remove(9)),
        "Nothing was changed in traceability/src/gates/, so nobody knows",
    ),
    (
        "a file of which nothing is code",
        |m| m.files[3].noticed = 0,
        "Nothing was changed in orchestrator/core/src/settle.rs",
    ),
    (
        "a name that begins alike",
        |m| m.files[8].file.push_str(".orig"),
        "Nothing was changed in traceability/src/gates.rs",
    ),
    (
        "a file counted twice",
        |m| m.files.push(m.files[0].clone()),
        "orchestrator/core/src/budget.rs is counted more than once.",
    ),
    ("a part", |m| m.partial.push("Only gates.".to_owned()), "Only gates."),
    ("another tree", |m| m.tree = Some("0".repeat(40)), "another than what is here now"),
];

/// As many survivors, in the file and among those that are told.
fn set(mutation: &mut Mutation, survived: u64, named: u64) {
    mutation.files[7].survived = survived;
    mutation.survivors = vec![survivor(survived, named)];
}

#[test]
fn a_dishonest_answer_is_red_for_its_reason() {
    for (name, bend, reason) in LIES {
        let (found, reasons) = judge(|world| bend(world.mutation.as_mut().unwrap()));
        assert!(found == Verdict::Red && reasons.contains(reason), "{name}: {found}: {reasons}");
        assert_eq!(reasons.lines().count(), 1, "{name}: {reasons}");
    }
}

#[test]
fn what_nobody_asked_or_asked_of_another_tree_gets_no_green() {
    type Bend = fn(&mut World);
    let bends: [(Bend, &str); 5] = [
        (|world| world.mutation = None, "Nobody asked what the tests of the gates notice."),
        (|world| world.mutation.as_mut().unwrap().tree = None, "cannot be bound to a commit"),
        (|world| world.subject.tree = None, "cannot be bound to a commit"),
        (|world| world.subject.dirty = true, "The working tree has uncommitted changes"),
        (
            |world| {
                let files = &mut world.mutation.as_mut().unwrap().files;
                for file in files.iter_mut() {
                    (file.noticed, file.survived) = (0, 1);
                }
            },
            "No change of the code was noticed at all.",
        ),
    ];
    for (bend, reason) in bends {
        let (found, reasons) = judge(bend);
        assert!(found == Verdict::Red && reasons.contains(reason), "{found}: {reasons}");
    }
}

#[test]
fn a_file_of_which_every_change_survived_was_asked_about() {
    let (found, reasons) = judge(|world| {
        let mutation = world.mutation.as_mut().unwrap();
        (mutation.files[0].noticed, mutation.files[0].survived) = (0, 1);
        mutation
            .survivors
            .push(Survivor { change: "orchestrator/core/src/budget.rs: x".to_owned(), ..survivor(1, 1) });
    });
    assert_eq!(found, Verdict::Green, "{reasons}");
    assert!(reasons.contains("2 no test can notice"), "{reasons}");
}
