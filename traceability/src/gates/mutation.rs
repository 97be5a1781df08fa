//! Mutation: the code that decides what may land and what passes for proved was changed, one place at a time, and its tests
//! noticed every change that they can.

use mycelium_schemas::matrix::{Matrix, NamedSurvivor};

use super::judge::Judgement;

pub(super) fn judge(matrix: &Matrix) -> Judgement {
    const MEND: &str = "run `.ci/mutants` on what is checked out; notice each survivor by a test, or say in \
                        .ci/mutants.survivors why none can";
    let Some(facts) = &matrix.mutation else {
        return Judgement::red(vec!["Nobody asked what the tests of the gates notice.".to_owned()], MEND);
    };
    let mut reasons: Vec<String> =
        [&facts.stale, &facts.partial, &facts.problems].into_iter().flatten().cloned().collect();
    if facts.noticed == 0 {
        reasons.push("No change of the code was noticed at all.".to_owned());
    }
    if !reasons.is_empty() {
        return Judgement::red(reasons, MEND);
    }
    let named = facts.named.iter().map(|NamedSurvivor { change, reason }| format!(" {change}: {reason}"));
    Judgement::Green(format!(
        "Tests notice {} changes of the code that decides; {} no test can notice.{}",
        facts.noticed,
        facts.named.len(),
        named.collect::<String>()
    ))
}
