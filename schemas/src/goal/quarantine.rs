//! `traceability/quarantine.yaml`: scenarios that are known to be unreliable. An entry buys a week in which the cause
//! is found; the goal does not count meanwhile, and after its deadline the gate is red.

use jiff::{SignedDuration, civil::Date};

use super::{
    GoalId,
    read::{list, mapping, parsed, text},
};
use crate::{
    decode::{Decoder, Field},
    problem::{Problem, Source},
};

/// Days after its first flake within which a scenario has to be entered.
pub const ENTRY_DAYS_MAX: i64 = 1;
/// Days that an entry may last.
pub const LIFE_DAYS_MAX: i64 = 7;

const KEYS: [&str; 8] =
    ["goal", "scenario", "issue", "hypothesis", "owner", "first_seen", "quarantined_at", "expires"];

/// A scenario in quarantine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuarantineEntry {
    /// The goal that its scenario serves.
    pub goal: GoalId,
    /// The scenario's name.
    pub scenario: String,
    /// Where its cause is looked for.
    pub issue: String,
    /// What is thought to be the cause.
    pub hypothesis: String,
    /// Who looks for it.
    pub owner: String,
    /// The last day on which it does not fail the gate.
    pub expires: Date,
}

/// Reads the quarantine. That an entry may not be about a Tier-0 goal is judged with the matrix.
pub fn parse(source: &Source) -> Result<Vec<QuarantineEntry>, Vec<Problem>> {
    let mut seen = Vec::new();
    list(source, "quarantine", |decoder, item| entry(decoder, item, &mut seen))
}

fn entry(d: &mut Decoder<'_>, item: &Field<'_>, seen: &mut Vec<(GoalId, String)>) -> Option<QuarantineEntry> {
    const DATE: &str = "write a date, for example 2026-01-31";
    let section = mapping(d, &item.label, item.node, &KEYS);
    let goal = parsed(d, &section, "goal", "name the goal that the scenario serves");
    let scenario = text(d, &section, "scenario", "write the scenario's name");
    let issue = text(d, &section, "issue", "say where the cause is looked for");
    let hypothesis = text(d, &section, "hypothesis", "say what you think the cause is");
    let owner = text(d, &section, "owner", "name who looks for the cause");
    let first_seen: Option<Date> = parsed(d, &section, "first_seen", DATE);
    let quarantined_at: Option<Date> = parsed(d, &section, "quarantined_at", DATE);
    let expires: Option<Date> = parsed(d, &section, "expires", DATE);
    within(d, item, ("first_seen", first_seen), ("quarantined_at", quarantined_at), ENTRY_DAYS_MAX);
    within(d, item, ("quarantined_at", quarantined_at), ("expires", expires), LIFE_DAYS_MAX);
    let entry = QuarantineEntry {
        goal: goal?,
        scenario: scenario?,
        issue: issue?,
        hypothesis: hypothesis?,
        owner: owner?,
        expires: expires?,
    };
    let key = (entry.goal, entry.scenario.clone());
    if seen.contains(&key) {
        d.report(
            &item.node.span,
            format!("the scenario {:?} stands here twice", entry.scenario),
            "keep one entry",
        );
    }
    seen.push(key);
    Some(entry)
}

/// Checks that a day follows another one, by so many days at most.
fn within(
    d: &mut Decoder<'_>,
    item: &Field<'_>,
    (from_key, from): (&str, Option<Date>),
    (to_key, to): (&str, Option<Date>),
    days_max: i64,
) {
    let (Some(from), Some(to)) = (from, to) else { return };
    let gap = to.duration_since(from);
    if gap < SignedDuration::ZERO || gap > SignedDuration::from_hours(24 * days_max) {
        let message = format!("`{to_key}` ({to}) is not within {days_max} days after `{from_key}` ({from})");
        d.report(&item.node.span, message, "find the cause, or remove the scenario's goal from the promises");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENTRY: &str = "- {goal: G1.3, scenario: s, issue: i, hypothesis: h, owner: o, first_seen: 2026-01-01, quarantined_at: 2026-01-02, expires: 2026-01-09}\n";

    #[test]
    fn an_entry_lasts_a_week_at_most() {
        assert_eq!(
            parse(&Source::new("quarantine.yaml", ENTRY)).unwrap()[0].expires.to_string(),
            "2026-01-09"
        );
        for (old, new) in [
            ("expires: 2026-01-09", "expires: 2026-01-10"),
            ("expires: 2026-01-09", "expires: 2026-01-01"),
            ("quarantined_at: 2026-01-02", "quarantined_at: 2026-01-03"),
            ("hypothesis: h, ", ""),
            ("expires: 2026-01-09", "expires: never"),
        ] {
            let text = ENTRY.replace(old, new);
            assert_eq!(parse(&Source::new("quarantine.yaml", text)).unwrap_err().len(), 1, "{new}");
        }
    }

    #[test]
    fn an_empty_quarantine_is_valid_and_a_doubled_entry_is_not() {
        assert!(parse(&Source::new("quarantine.yaml", "[]\n")).unwrap().is_empty());
        assert!(parse(&Source::new("quarantine.yaml", "# none\n")).unwrap().is_empty());
        assert!(parse(&Source::new("quarantine.yaml", ENTRY.repeat(2))).is_err());
    }
}
