//! Reports to render: the kept sample, and one as large as a report is promised to be handled. Its lengths are those that
//! the scenarios of this repository have in the mean.

use mycelium_schemas::{
    digest,
    evidence::{Assertion, AssertionKind, EvidenceFile, Polarity},
    goal::GoalId,
    matrix::{
        Attempt, Declared, LaneCell, LaneResult, LaneRun, Matrix, Row, Scenario, ScenarioKey, Status,
        StepRole, StepRun, StepStatus,
    },
    verdict::Evaluation,
};

/// Goals of the large report.
pub(crate) const GOALS: usize = 60;
/// Its scenarios.
pub(crate) const SCENARIOS: usize = 1000;

/// Most bytes of its page without the evidence.
pub(crate) const BYTES_MAX: usize = 300_000;

/// Takes every file of evidence out of a matrix.
pub(crate) fn drop_evidence(matrix: &mut Matrix) {
    let runs = matrix.scenarios.iter_mut().flat_map(|scenario| &mut scenario.lanes);
    for Attempt { steps, evidence, .. } in runs.flat_map(|run| &mut run.attempts) {
        evidence.clear();
        for step in steps {
            step.evidence.clear();
        }
    }
}

/// The matrix and the evaluation that are kept as files.
pub(crate) fn sample() -> (Matrix, Evaluation) {
    let matrix = serde_json::from_str(include_str!("../../samples/v1/matrix.json"));
    let evaluation = serde_json::from_str(include_str!("../../samples/v1/evaluation.json"));
    (matrix.expect("the sample is a matrix"), evaluation.expect("the sample is an evaluation"))
}

/// 60 goals with 1,000 scenarios of 12 steps, 8 assertions and 10 files of evidence: 31 fail, 19 are flaky, 49 did not run.
pub(crate) fn large() -> (Matrix, Evaluation) {
    let (mut matrix, mut evaluation) = sample();
    let template = matrix.rows[0].clone();
    matrix.rows = (0..GOALS).map(|number| row(&template, number)).collect();
    matrix.scenarios = (0..SCENARIOS).map(scenario).collect();
    matrix.orphans.clear();
    for scenario in &matrix.scenarios {
        let goal = scenario.goals[0];
        let row = matrix.rows.iter_mut().find(|row| row.goal == goal).expect("each scenario has a goal");
        row.scenarios.push(scenario.key.clone());
        let outcome = scenario.lanes.first().map(LaneRun::outcome);
        let (status, reason) = match outcome {
            None => (Status::NotRun, "did not run in mock"),
            Some(StepStatus::Failed) if scenario.lanes[0].attempts.len() > 1 => {
                (Status::Flaky, "failed and passed in mock")
            }
            Some(StepStatus::Failed) => (Status::Failing, "failed in mock"),
            Some(_) => continue,
        };
        row.status = row.status.min(status);
        row.reasons.push(format!("{} {reason}.", scenario.key));
    }
    matrix.rows.sort_by_key(|row| row.goal);
    matrix.scenarios.sort_by(|a, b| a.key.cmp(&b.key));
    for tier in &mut evaluation.coverage {
        let rows = || matrix.rows.iter().filter(|row| row.tier == tier.tier);
        tier.total = rows().count();
        tier.verified = rows().filter(|row| row.status == Status::Verified).count();
    }
    (matrix, evaluation)
}

fn goal(number: usize) -> GoalId {
    let id = format!("G{}.{}", number / 20, number % 20 + 1);
    id.parse().expect("it is an id")
}

/// A text of about so many characters that no other number has.
fn text(number: usize, chars: usize) -> String {
    const WORDS: [&str; 16] = [
        "branch",
        "lands",
        "nothing",
        "budget",
        "task",
        "workspace",
        "journal",
        "is",
        "the",
        "after",
        "resume",
        "validator",
        "of",
        "a",
        "commit",
        "doctor",
    ];
    let mut text = format!("case {number}");
    let mut seed = number as u64 + 1;
    while text.len() < chars {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        text.push(' ');
        text.push_str(WORDS[usize::try_from(seed >> 60).expect("four bits")]);
    }
    text
}

fn row(template: &Row, number: usize) -> Row {
    let claims = |from: usize, count: usize| {
        let claim = |at: usize| Declared {
            text: text(number * 100 + at, 32),
            assertion: "git.branch_unmoved".to_owned(),
            executed: true,
        };
        (from..from + count).map(claim).collect()
    };
    Row {
        goal: goal(number),
        tier: goal(number).tier(),
        title: text(number, 35),
        statement: text(number, 304),
        status: Status::Verified,
        reasons: Vec::new(),
        scenarios: Vec::new(),
        must_not: claims(0, 5),
        witness: claims(5, 2),
        control: claims(7, 2),
        lanes: vec![LaneCell { lane: "mock".to_owned(), required: true, result: LaneResult::Passed }],
        ..template.clone()
    }
}

fn scenario(number: usize) -> Scenario {
    let goal = goal(number % GOALS);
    let attempts = match number {
        0..31 => vec![attempt(number, StepStatus::Failed)],
        31..50 => vec![attempt(number, StepStatus::Failed), attempt(number, StepStatus::Passed)],
        50..99 => Vec::new(),
        _ => vec![attempt(number, StepStatus::Passed)],
    };
    let lane = LaneRun { lane: "mock".to_owned(), attempts };
    Scenario {
        key: ScenarioKey {
            uri: format!("features/tier{}/{goal}-a-feature-with-a-name.feature", goal.tier()),
            line: number as u64 + 5,
        },
        name: text(number, 63),
        tags: vec![format!("@{goal}"), "@mock".to_owned()],
        goals: vec![goal],
        fingerprint: digest::sha256(&number.to_be_bytes()),
        control: number.is_multiple_of(5),
        steps: (0..12).map(|at| step_text(number, at)).collect(),
        lanes: if lane.attempts.is_empty() { Vec::new() } else { vec![lane] },
    }
}

/// One text of a scenario occurs nowhere else; the others are everybody's.
fn step_text(number: usize, at: usize) -> String {
    text(if at == 0 { 10_000 + number * 12 + at } else { 1_000 + at * 20 + number % 20 }, 45)
}

fn attempt(number: usize, outcome: StepStatus) -> Attempt {
    let steps = (0..12).map(|at| {
        let status = if at == 11 { outcome } else { StepStatus::Passed };
        let message = "expected: the branch stays\n   found: it moved\n  at steps/src/then/git.rs:12";
        StepRun {
            role: StepRole::Then,
            text: step_text(number, at),
            status,
            message: (status != StepStatus::Passed).then(|| format!("{message}\n{}", text(number, 200))),
            duration_nanos: (number * at) as u64 * 10_000,
            assertions: if at < 4 { Vec::new() } else { vec![assertion(number, at, status)] },
            evidence: if at == 3 { (0..10).map(|file| evidence(number, file)).collect() } else { Vec::new() },
        }
    });
    Attempt {
        outcome,
        duration_nanos: number as u64 * 1_000_000,
        steps: steps.collect(),
        evidence: Vec::new(),
    }
}

/// One or two of a scenario's assertions are about something that no other one is.
fn assertion(number: usize, at: usize, status: StepStatus) -> Assertion {
    let unique = at == 8 || (at == 4 && number.is_multiple_of(2));
    let which = if unique { 20_000 + number * 12 + at } else { 2_000 + at * 20 + number % 20 };
    Assertion {
        kind: AssertionKind::Git,
        check: "branch_unmoved".to_owned(),
        polarity: if at.is_multiple_of(2) { Polarity::Must } else { Polarity::MustNot },
        subject: text(which, 30),
        artifact: "git refs".to_owned(),
        expected: text(which, 80),
        actual_digest: digest::sha256(&which.to_be_bytes()),
        held: status == StepStatus::Passed,
    }
}

fn evidence(number: usize, file: usize) -> EvidenceFile {
    EvidenceFile {
        name: format!("command-1/file-{file}"),
        sha256: digest::sha256(&(number * 10 + file).to_be_bytes()),
        bytes: (number * 37 % 5000) as u64,
    }
}
