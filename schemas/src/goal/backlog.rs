//! `traceability/backlog.yaml`: goals that are promised and not automated yet. Printed with their count, never counted
//! as covered.

use super::{
    GoalId,
    read::{list, mapping, parsed, required, text},
};
use crate::{
    decode::{Decoder, Field},
    matrix::BacklogGoal,
    problem::{Problem, Source},
};

const KEYS: [&str; 6] = ["id", "tier", "title", "ticket", "reason", "owner"];

/// Reads the backlog, sorted by id.
pub fn parse(source: &Source) -> Result<Vec<BacklogGoal>, Vec<Problem>> {
    let mut seen = Vec::new();
    let mut goals = list(source, "backlog", |decoder, item| entry(decoder, item, &mut seen))?;
    goals.sort_by_key(|goal| goal.goal);
    Ok(goals)
}

fn entry(d: &mut Decoder<'_>, item: &Field<'_>, seen: &mut Vec<GoalId>) -> Option<BacklogGoal> {
    const TIER_HELP: &str = "write 0, 1 or 2";
    let section = mapping(d, &item.label, item.node, &KEYS);
    let id: Option<GoalId> = parsed(d, &section, "id", "write G<tier>.<number>, for example G1.4");
    if let Some(field) = required(d, &section, "tier", TIER_HELP)
        && let Some(tier) = d.whole(&field, 0, 2, TIER_HELP)
        && let Some(id) = id
        && tier != u64::from(id.tier().number())
    {
        let message = format!("the id {id} names tier {}, but `tier` is {tier}", id.tier());
        d.report(&field.node.span, message, "make them agree");
    }
    if let Some(id) = id {
        if seen.contains(&id) {
            d.report(&item.node.span, format!("the goal {id} stands here twice"), "remove one of the two");
        }
        seen.push(id);
    }
    let title = text(d, &section, "title", "name the goal in a few words");
    let ticket = text(d, &section, "ticket", "say where the work is planned");
    let reason = text(d, &section, "reason", "say why it is not automated yet");
    let owner = text(d, &section, "owner", "name who looks after it");
    Some(BacklogGoal { goal: id?, title: title?, ticket: ticket?, reason: reason?, owner: owner? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_backlog_is_sorted_and_every_entry_says_why() {
        let text = "\
- {id: G1.10, tier: 1, title: b, ticket: t, reason: r, owner: o}
- {id: G1.9, tier: 1, title: a, ticket: t, reason: r, owner: o}
";
        let goals = parse(&Source::new("backlog.yaml", text)).unwrap();
        assert_eq!(goals.iter().map(|goal| goal.goal.to_string()).collect::<Vec<_>>(), ["G1.9", "G1.10"]);
        assert!(parse(&Source::new("backlog.yaml", "")).unwrap().is_empty());
    }

    #[test]
    fn an_entry_without_a_ticket_or_a_reason_is_refused() {
        let text = "- {id: G1.9, tier: 2, title: a, reason: '', owner: o}\n- {id: G1.9, tier: 1, title: a, ticket: t, reason: r, owner: o}\n";
        let problems = parse(&Source::new("backlog.yaml", text)).unwrap_err();
        let shown: Vec<String> = problems.iter().map(ToString::to_string).collect();
        assert_eq!(shown.len(), 4, "{shown:#?}");
        for part in
            ["`backlog[0].ticket` is missing", "names tier 1", "`backlog[0].reason` is empty", "twice"]
        {
            assert!(shown.iter().any(|line| line.contains(part)), "{part} in {shown:#?}");
        }
    }
}
