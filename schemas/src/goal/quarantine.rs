//! `traceability/quarantine.yaml`: scenarios that are known to be unreliable. An entry buys a week in which the cause
//! is found; the goal does not count meanwhile, and after its deadline the gate is red.

use jiff::{SignedDuration, civil::Date};

use super::{
    GoalId,
    links::Fingerprint,
    read::{list, mapping, parsed, text},
};
use crate::{
    decode::{Decoder, Field, Section},
    problem::{Problem, Source},
};

/// Days after its first flake within which a scenario has to be entered.
pub const ENTRY_DAYS_MAX: i64 = 1;
/// Days that an entry may last.
pub const LIFE_DAYS_MAX: i64 = 7;

const KEYS: [&str; 11] = [
    "goal",
    "scenario",
    "fingerprint",
    "issue",
    "hypothesis",
    "owner",
    "evidence",
    "first_seen",
    "quarantined_at",
    "expires",
    "renewal",
];
const RENEWAL_KEYS: [&str; 3] = ["hypothesis", "on", "expires"];
const DATE: &str = "write a date, for example 2026-01-31";

/// A scenario in quarantine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuarantineEntry {
    /// The goal that its scenario serves.
    pub goal: GoalId,
    /// The scenario's name.
    pub scenario: String,
    /// Fingerprint of what the scenario says: one that was changed is another one.
    pub fingerprint: Fingerprint,
    /// Address of the issue in which its cause is looked for.
    pub issue: String,
    /// What is thought to be the cause; since the renewal, where there was one.
    pub hypothesis: String,
    /// Who looks for it.
    pub owner: String,
    /// What shows that it is unreliable, for example the seed and the environment of a failure.
    pub evidence: String,
    /// The day on which it was entered.
    pub quarantined_at: Date,
    /// The last day on which it does not fail the gate.
    pub expires: Date,
    /// The day of its one renewal, where that is used up.
    pub renewed: Option<Date>,
}

/// Reads the quarantine. That an entry may not be about a Tier-0 goal is judged with the matrix.
pub fn parse(source: &Source) -> Result<Vec<QuarantineEntry>, Vec<Problem>> {
    let mut seen = Vec::new();
    list(source, "quarantine", |decoder, item| entry(decoder, item, &mut seen))
}

fn entry(d: &mut Decoder<'_>, item: &Field<'_>, seen: &mut Vec<(GoalId, String)>) -> Option<QuarantineEntry> {
    let section = mapping(d, &item.label, item.node, &KEYS);
    let goal = parsed(d, &section, "goal", "name the goal that the scenario serves");
    let scenario = text(d, &section, "scenario", "write the scenario's name");
    let fingerprint =
        parsed(d, &section, "fingerprint", "copy the scenario's fingerprint from what `accept flake` prints");
    let issue = issue(d, &section);
    let hypothesis = text(d, &section, "hypothesis", "say what you think the cause is");
    let owner = text(d, &section, "owner", "name who looks for the cause");
    let evidence =
        text(d, &section, "evidence", "say what shows that it is unreliable: seed and environment");
    let first_seen: Option<Date> = parsed(d, &section, "first_seen", DATE);
    let quarantined_at: Option<Date> = parsed(d, &section, "quarantined_at", DATE);
    let expires: Option<Date> = parsed(d, &section, "expires", DATE);
    within(d, item, ("first_seen", first_seen), ("quarantined_at", quarantined_at), ENTRY_DAYS_MAX);
    within(d, item, ("quarantined_at", quarantined_at), ("expires", expires), LIFE_DAYS_MAX);
    let renewal = section.get("renewal").map(|field| renewal(d, &field, hypothesis.as_deref(), expires));
    let (hypothesis, renewed, expires) = renewal.unwrap_or((hypothesis, None, expires));
    let entry = QuarantineEntry {
        goal: goal?,
        scenario: scenario?,
        fingerprint: fingerprint?,
        issue: issue?,
        hypothesis: hypothesis?,
        owner: owner?,
        evidence: evidence?,
        quarantined_at: quarantined_at?,
        expires: expires?,
        renewed,
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

/// The address of an issue: a name that nobody can follow leads nobody to the cause.
fn issue(d: &mut Decoder<'_>, section: &Section<'_>) -> Option<String> {
    const HELP: &str = "write the address of the issue in which the cause is looked for: https://…";
    let issue = text(d, section, "issue", HELP)?;
    if let Some(field) = section.get("issue")
        && !["https://", "http://"]
            .iter()
            .any(|scheme| issue.strip_prefix(scheme).is_some_and(|rest| !rest.is_empty()))
    {
        d.report(&field.node.span, format!("`{}` is no address of an issue", field.label), HELP);
    }
    Some(issue)
}

/// The one renewal of an entry: for another hypothesis, before the first deadline has passed, for a week at most.
fn renewal(
    d: &mut Decoder<'_>,
    field: &Field<'_>,
    first: Option<&str>,
    deadline: Option<Date>,
) -> (Option<String>, Option<Date>, Option<Date>) {
    let section = mapping(d, &field.label, field.node, &RENEWAL_KEYS);
    let hypothesis = text(d, &section, "hypothesis", "say what you think the cause is now");
    let on: Option<Date> = parsed(d, &section, "on", DATE);
    let expires: Option<Date> = parsed(d, &section, "expires", DATE);
    if hypothesis.is_some() && hypothesis.as_deref() == first {
        let message = format!("`{}` repeats the first hypothesis", field.label);
        d.report(
            &field.node.span,
            message,
            "a renewal needs another one: nothing was learnt in the first week",
        );
    }
    if let (Some(on), Some(deadline)) = (on, deadline)
        && on > deadline
    {
        let message = format!("`{}` came on {on}, after the deadline of {deadline}", field.label);
        d.report(&field.node.span, message, "what has expired is not renewed: fix the scenario");
    }
    within(d, field, ("on", on), ("expires", expires), LIFE_DAYS_MAX);
    (hypothesis, on, expires)
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

    const ENTRY: &str = "- {goal: G1.3, scenario: s, fingerprint: 0000000000000000000000000000000000000000000000000000000000000000, issue: https://i/1, hypothesis: h, owner: o, evidence: seed 7, first_seen: 2026-01-01, quarantined_at: 2026-01-02, expires: 2026-01-09}\n";
    const RENEWAL: &str = ", renewal: {hypothesis: other, on: 2026-01-09, expires: 2026-01-16}}\n";

    fn read(text: &str) -> Result<Vec<QuarantineEntry>, Vec<Problem>> {
        parse(&Source::new("quarantine.yaml", text))
    }

    #[test]
    fn an_entry_lasts_a_week_at_most() {
        assert_eq!(read(ENTRY).unwrap()[0].expires.to_string(), "2026-01-09");
        for (old, new) in [
            ("expires: 2026-01-09", "expires: 2026-01-10"),
            ("expires: 2026-01-09", "expires: 2026-01-01"),
            ("quarantined_at: 2026-01-02", "quarantined_at: 2026-01-03"),
            ("expires: 2026-01-09", "expires: never"),
        ] {
            assert_eq!(read(&ENTRY.replace(old, new)).unwrap_err().len(), 1, "{new}");
        }
    }

    #[test]
    fn an_entry_says_everything_that_leads_to_the_cause() {
        for key in KEYS.iter().filter(|key| **key != "renewal") {
            let text = ENTRY.replace(&format!("{key}: "), &format!("no_{key}: "));
            assert!(read(&text).is_err(), "{key}");
        }
        for issue in ["issue: i", "issue: https://", "issue: see the board"] {
            let found = read(&ENTRY.replace("issue: https://i/1", issue)).unwrap_err();
            assert!(found[0].to_string().contains("is no address of an issue"), "{issue}");
        }
    }

    #[test]
    fn an_entry_is_renewed_once_for_another_hypothesis_and_in_time() {
        let renewed = ENTRY.replace("}\n", RENEWAL);
        let entry = read(&renewed).unwrap().remove(0);
        assert_eq!(
            (entry.expires.to_string().as_str(), entry.hypothesis.as_str(), entry.renewed),
            ("2026-01-16", "other", Some("2026-01-09".parse().unwrap()))
        );
        for (old, new, why) in [
            ("hypothesis: other", "hypothesis: h", "repeats the first hypothesis"),
            ("on: 2026-01-09", "on: 2026-01-10", "after the deadline"),
            ("expires: 2026-01-16", "expires: 2026-01-17", "is not within 7 days"),
            ("hypothesis: other, ", "", "is missing"),
        ] {
            let found = read(&renewed.replace(old, new)).unwrap_err();
            assert!(found[0].to_string().contains(why), "{new}: {found:?}");
        }
        let twice = renewed
            .replace("}}\n", "}, renewal: {hypothesis: third, on: 2026-01-16, expires: 2026-01-20}}\n");
        assert!(read(&twice).is_err());
    }

    #[test]
    fn an_empty_quarantine_is_valid_and_a_doubled_entry_is_not() {
        assert!(read("[]\n").unwrap().is_empty());
        assert!(read("# none\n").unwrap().is_empty());
        assert!(read(&ENTRY.repeat(2)).is_err());
    }
}
