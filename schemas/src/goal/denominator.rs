//! `traceability/denominator.yaml`: the goals that have to be proved, with what each one promised when it was last
//! reviewed. Coverage is counted over goals, so a goal that vanishes or promises less makes it better without any
//! proof; here it is missed. An entry is never removed: whoever gives a promise up signs for it.

use std::collections::BTreeSet;

use jiff::civil::Date;

use super::{
    GoalId,
    declared::{Declared, Repeated},
    links::{Fingerprint, ShortFingerprint},
    read::{done, mapping, parsed, required, text, word},
};
use crate::{
    decode::{Decoder, Field, Section},
    problem::{Problem, Source},
    yaml,
};

const HEADER: &str = "\
# The goals that have to be proved, with what they declared. `accept review GOAL` adds to it; nothing is ever removed.
# Whoever gives a promise up signs for it: {goal, what: removed|retiered|weakened, lost, reason, by, date}.
";
const MEND: &str = "let `accept review GOAL` write it";

/// What has to be proved, and what was given up.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Denominator {
    /// The locked goals, sorted by id.
    pub goals: Vec<LockedGoal>,
    /// What somebody gave up, with name and reason.
    pub signoffs: Vec<SignOff>,
}

/// A goal with what it promised. Its id names its tier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockedGoal {
    /// The goal.
    pub goal: GoalId,
    /// Fingerprint of its statement.
    pub statement: Fingerprint,
    /// Fingerprint of the rest of its prose. None in a lock that an earlier version wrote.
    pub prose: Option<Fingerprint>,
    /// Its scenarios. Empty in a lock that an earlier version wrote.
    pub scenarios: BTreeSet<ShortFingerprint>,
    /// What it declared.
    pub declared: Declared,
}

/// A promise that somebody gave up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignOff {
    /// The goal, as it is locked.
    pub goal: GoalId,
    /// What became of it.
    pub what: Change,
    /// What it may lose; empty unless it was weakened.
    pub lost: Declared,
    /// Why.
    pub reason: String,
    /// Who answers for it.
    pub by: String,
    /// Since when.
    pub date: Date,
}

/// What became of a goal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// It is no goal any more, or went back to the backlog.
    Removed,
    /// Its promise stands in another tier, so under another id.
    Retiered,
    /// It declares less.
    Weakened,
}

impl Change {
    const ALL: [Self; 3] = [Self::Removed, Self::Retiered, Self::Weakened];

    /// The change as a word of the file.
    pub fn name(self) -> &'static str {
        match self {
            Self::Removed => "removed",
            Self::Retiered => "retiered",
            Self::Weakened => "weakened",
        }
    }
}

/// Reads the file; an empty one locks nothing.
pub fn parse(source: &Source) -> Result<Denominator, Vec<Problem>> {
    let node = yaml::parse(source).map_err(|problem| vec![problem])?;
    let mut d = Decoder::new(source);
    let root = d.section("", &node, &["goals", "signoffs"]);
    let mut goals: Vec<LockedGoal> = Vec::new();
    for item in root.get("goals").map(|field| d.items(&field, MEND)).unwrap_or_default() {
        let Some(goal) = read_goal(&mut d, &item) else { continue };
        if goals.iter().any(|other| other.goal == goal.goal) {
            let message = format!("the goal {} stands here twice", goal.goal);
            d.report(&item.node.span, message, "remove one of the two");
        }
        goals.push(goal);
    }
    goals.sort_by_key(|goal| goal.goal);
    let items = root.get("signoffs").map(|field| d.items(&field, "write one `- …` entry for each"));
    let signoffs = items.unwrap_or_default().iter().filter_map(|item| read_signoff(&mut d, item)).collect();
    done(d, Some(Denominator { goals, signoffs }))
}

fn read_goal(d: &mut Decoder<'_>, item: &Field<'_>) -> Option<LockedGoal> {
    let section =
        mapping(d, &item.label, item.node, &["goal", "statement", "prose", "scenarios", "declared"]);
    let goal = parsed(d, &section, "goal", MEND);
    let statement = parsed(d, &section, "statement", MEND);
    let prose = section.get("prose").and_then(|field| d.parsed(&field, MEND));
    let scenarios = section.get("scenarios").map(|field| d.items(&field, MEND)).unwrap_or_default();
    let scenarios = scenarios.iter().filter_map(|item| d.parsed(item, MEND)).collect();
    let declared = declarations(d, &section, "declared");
    Some(LockedGoal { goal: goal?, statement: statement?, prose, scenarios, declared })
}

fn read_signoff(d: &mut Decoder<'_>, item: &Field<'_>) -> Option<SignOff> {
    let keys = ["goal", "what", "lost", "reason", "by", "date"];
    let section = mapping(d, &item.label, item.node, &keys);
    let goal = parsed(d, &section, "goal", "name the goal as it is locked");
    let what = required(d, &section, "what", "write `removed`, `retiered` or `weakened`")
        .and_then(|field| word(d, &field, &Change::ALL.map(|change| (change.name(), change))));
    let lost = declarations(d, &section, "lost");
    if what.is_some_and(|what| (what == Change::Weakened) == lost.is_empty()) {
        let message =
            format!("`{}` has to be there where a goal was weakened, and only there", section.label("lost"));
        d.report(
            &item.node.span,
            message,
            "list what is given up, for example [must_not git.branch_unmoved]",
        );
    }
    let reason = text(d, &section, "reason", "say why the promise is given up");
    let by = text(d, &section, "by", "name who answers for it");
    let date = parsed(d, &section, "date", "write a date, for example 2026-01-31");
    Some(SignOff { goal: goal?, what: what?, lost, reason: reason?, by: by?, date: date? })
}

fn declarations(d: &mut Decoder<'_>, section: &Section<'_>, key: &str) -> Declared {
    const HELP: &str =
        "write the part and what it declares, for example must_not git.branch_unmoved or lane docker";
    let Some(field) = section.get(key) else { return Declared::default() };
    let items = d.items(&field, HELP);
    items.iter().filter_map(|item| d.parsed::<Repeated>(item, HELP)).collect()
}

/// The file's new text after a review: the goal is added, or its prose and scenarios replaced and what it declares added.
/// What it does not declare any more stays: only a sign-off gives it up.
pub fn with_goal(source: &Source, goal: LockedGoal) -> Result<String, Vec<Problem>> {
    let mut denominator = parse(source)?;
    match denominator.goals.iter_mut().find(|locked| locked.goal == goal.goal) {
        Some(locked) => {
            locked.statement = goal.statement;
            locked.prose = goal.prose;
            locked.scenarios = goal.scenarios;
            locked.declared.grow(goal.declared);
        }
        None => denominator.goals.push(goal),
    }
    denominator.goals.sort_by_key(|locked| locked.goal);
    Ok(render(&denominator))
}

fn render(denominator: &Denominator) -> String {
    let goals: String = denominator.goals.iter().map(render_goal).collect();
    let signoffs: String = denominator.signoffs.iter().map(render_signoff).collect();
    let list = |key: &str, entries: String| {
        if entries.is_empty() { format!("{key}: []\n") } else { format!("{key}:\n{entries}") }
    };
    format!("{HEADER}{}{}", list("goals", goals), list("signoffs", signoffs))
}

fn render_goal(locked: &LockedGoal) -> String {
    let LockedGoal { goal, statement, prose, scenarios, declared } = locked;
    let prose = prose.as_ref().map_or_else(String::new, |prose| format!("    prose: \"{prose}\"\n"));
    // In quotes, because digits with an `e` among them are a number.
    let scenarios: Vec<String> = scenarios.iter().map(|scenario| format!("\"{scenario}\"")).collect();
    let scenarios = if scenarios.is_empty() {
        String::new()
    } else {
        format!("    scenarios: [{}]\n", scenarios.join(", "))
    };
    format!(
        "  - goal: {goal}\n    statement: \"{statement}\"\n{prose}{scenarios}    declared: {}\n",
        declared.list()
    )
}

fn render_signoff(signoff: &SignOff) -> String {
    let SignOff { goal, what, lost, reason, by, date } = signoff;
    let what = what.name();
    let lost = if lost.is_empty() { String::new() } else { format!("    lost: {}\n", lost.list()) };
    // A JSON string is a YAML string in which nothing can break out.
    let [reason, by] = [reason, by].map(|text| serde_json::Value::from(text.as_str()));
    format!(
        "  - goal: {goal}\n    what: {what}\n{lost}    reason: {reason}\n    by: {by}\n    date: {date}\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn goal(id: &str, digit: char, declared: &[&str]) -> LockedGoal {
        LockedGoal {
            goal: id.parse().unwrap(),
            statement: digit.to_string().repeat(64).parse().unwrap(),
            prose: Some(digit.to_string().repeat(64).parse().unwrap()),
            scenarios: [digit.to_string().repeat(12).parse().unwrap()].into(),
            declared: declared.iter().map(|text| text.parse::<Repeated>().unwrap()).collect(),
        }
    }

    fn problems(text: &str) -> Vec<String> {
        parse(&Source::new("d.yaml", text)).unwrap_err().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_review_adds_and_never_removes() {
        const SIGNOFF: &str = "\
signoffs:
  - {goal: G0.9, what: removed, reason: \"it: is gone\", by: a, date: 2026-01-31}
  - {goal: G0.1, what: weakened, lost: [witness state.usage], reason: r, by: b, date: 2026-01-31}
";
        let add = |text: String, goal| with_goal(&Source::new("d.yaml", text), goal).unwrap();
        let first = add(SIGNOFF.to_owned(), goal("G1.2", '1', &["must_not fs.absent"]));
        let second = add(first, goal("G0.1", '2', &["must_not git.branch_unmoved", "witness state.usage"]));
        let third = add(second, goal("G0.1", '3', &["must_not git.branch_unmoved", "control exit.code"]));
        let found = parse(&Source::new("d.yaml", third.clone())).unwrap();
        let declared = ["must_not git.branch_unmoved", "witness state.usage", "control exit.code"];
        assert_eq!(found.goals, [goal("G0.1", '3', &declared), goal("G1.2", '1', &["must_not fs.absent"])]);
        assert_eq!(found.signoffs.len(), 2);
        assert_eq!(found.signoffs[0].reason, "it: is gone");
        assert_eq!(render(&found), third);
    }

    #[test]
    fn what_is_declared_twice_stands_there_twice_whatever_its_name() {
        let twice = ["must_not fs.absent", "must_not fs.absent", "saboteur a, b: \"]\"", "lane docker"];
        let text = with_goal(&Source::new("d.yaml", ""), goal("G1.2", '1', &twice)).unwrap();
        let found = |text: &str| parse(&Source::new("d.yaml", text)).unwrap().goals;
        assert_eq!(found(&text), [goal("G1.2", '1', &twice)]);
        // A review that finds less takes nothing away, and one that finds the same adds nothing.
        for declared in [&twice[1..], &twice] {
            let again =
                with_goal(&Source::new("d.yaml", text.as_str()), goal("G1.2", '1', declared)).unwrap();
            assert_eq!(again, text);
        }
    }

    #[test]
    fn a_sign_off_says_exactly_what_is_given_up_and_who_answers_for_it() {
        for (entry, part) in [
            ("{goal: G0.1, what: weakened, reason: r, by: b, date: 2026-01-31}", "has to be there where"),
            (
                "{goal: G0.1, what: removed, lost: [witness fs.a], reason: r, by: b, date: 2026-01-31}",
                "only there",
            ),
            ("{goal: G0.1, what: forgotten, reason: r, by: b, date: 2026-01-31}", "cannot be \"forgotten\""),
            ("{goal: G0.1, what: removed, by: b, date: 2026-01-31}", "reason` is missing"),
            ("{goal: G0.1, what: removed, reason: r, date: 2026-01-31}", "by` is missing"),
            ("{goal: G0.1, what: removed, reason: r, by: b}", "date` is missing"),
            ("{goal: G0.1, what: weakened, lost: [fs.a], reason: r, by: b, date: 2026-01-31}", "begin with"),
            ("{goal: G0.1, what: weakened, lost: [lane], reason: r, by: b, date: 2026-01-31}", "begin with"),
            ("{goal: G0.1, what: weakened, lost: ['lane '], reason: r, by: b, date: 2026-01-31}", "nothing"),
            (
                "{goal: G0.1, what: weakened, lost: [witness a], reason: r, by: b, date: 2026-01-31}",
                "assertion",
            ),
        ] {
            let found = problems(&format!("signoffs:\n  - {entry}\n")).join("\n");
            assert!(found.contains(part), "{entry}: {found}");
        }
    }

    #[test]
    fn a_lock_of_an_earlier_version_is_read_and_written_again_as_it_is() {
        let text = format!(
            "{HEADER}goals:\n  - goal: G0.1\n    statement: \"{}\"\n    declared: [2x must_not fs.absent, 12x scenario mock]\nsignoffs: []\n",
            "a".repeat(64)
        );
        let found = parse(&Source::new("d.yaml", text.as_str())).unwrap();
        let [locked] = &found.goals[..] else { panic!("{found:?}") };
        assert_eq!((&locked.prose, locked.scenarios.len()), (&None, 0));
        assert_eq!(locked.declared.count(&"scenario mock".parse().unwrap()), 12);
        assert_eq!(render(&found), text);
        // Counts that are none, and words that only look like one.
        for (from, to) in [("12x", "0x"), ("12x", "-1x"), ("12x ", "x "), ("12x", "99999x")] {
            assert!(parse(&Source::new("d.yaml", text.replace(from, to))).is_err(), "{to}");
        }
        let twice = text.replace("2x must_not fs.absent", "must_not fs.absent, must_not fs.absent");
        assert_eq!(parse(&Source::new("d.yaml", twice)).unwrap(), found);
    }

    #[test]
    fn nobody_signs_with_a_name_or_a_reason_that_cannot_be_seen() {
        for blank in ["\\u200b", "\\u200b\\ufeff ", "\\u3164", "\\u00ad", "\\u2800", "…"] {
            for (key, reason, by) in [("reason", blank, "b"), ("by", "r", blank)] {
                let entry = format!(
                    "  - {{goal: G0.1, what: removed, reason: \"{reason}\", by: \"{by}\", date: 2026-01-31}}\n"
                );
                let found = problems(&format!("signoffs:\n{entry}")).join("\n");
                assert!(found.contains(&format!("{key}` says nothing")), "{blank}: {found}");
            }
        }
    }

    #[test]
    fn a_goal_is_locked_once() {
        let entry = format!("  - {{goal: G0.1, statement: \"{}\", declared: []}}\n", "a".repeat(64));
        assert!(problems(&format!("goals:\n{entry}{entry}"))[0].contains("stands here twice"));
        assert_eq!(parse(&Source::new("d.yaml", "")).unwrap(), Denominator::default());
    }
}
