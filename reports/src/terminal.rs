//! For whoever ran `accept`: the answer first, then the matrix, then the gates. Readable without colour.

use comfy_table::{ContentArrangement, Table, presets::UTF8_HORIZONTAL_ONLY};
use mycelium_schemas::{matrix::Row, verdict::Verdict};

use crate::{
    report::{Report, passed_of, sign, tier_line, verdict_sign},
    text::{counted, plain},
};

/// Renders a report for a terminal of so many columns.
pub fn terminal(report: &Report<'_>, width: u16) -> String {
    let parts = [
        matrix_table(report, width),
        orphans(report),
        gates_table(report, width),
        not_required(report),
        backlog(report),
        tiers(report),
        answer(report),
    ];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n")
}

fn table(width: u16, header: &[&str]) -> Table {
    let mut table = Table::new();
    table
        .load_style(UTF8_HORIZONTAL_ONLY)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(width)
        .set_header(header.to_vec());
    table
}

fn matrix_table(report: &Report<'_>, width: u16) -> String {
    let mut table = table(width, &["Goal", "Status", "Promise", "Scenarios", "Why"]);
    for row in &report.matrix.rows {
        let (passed, total) = passed_of(report.matrix, row);
        table.add_row([
            row.goal.to_string(),
            format!("{} {}", sign(row.status), row.status),
            plain(&row.title),
            format!("{passed}/{total}"),
            why(row),
        ]);
    }
    table.trim_fmt() + "\n"
}

fn why(row: &Row) -> String {
    let reasons: Vec<String> = row.reasons.iter().map(|reason| plain(reason)).collect();
    reasons.join("\n")
}

fn gates_table(report: &Report<'_>, width: u16) -> String {
    let mut table = table(width, &["Gate", "Verdict", "Why", "Mend"]);
    for verdict in report.verdicts().filter(|verdict| verdict.verdict != Verdict::NotRequired) {
        let reasons: Vec<String> = verdict.reasons.iter().map(|reason| plain(reason)).collect();
        table.add_row([
            verdict.gate.to_string(),
            format!("{} {}", verdict_sign(verdict.verdict), verdict.verdict),
            reasons.join("\n"),
            verdict.mend.as_deref().map(plain).unwrap_or_default(),
        ]);
    }
    table.trim_fmt() + "\n"
}

fn not_required(report: &Report<'_>) -> String {
    let left_out = report.verdicts().filter(|verdict| verdict.verdict == Verdict::NotRequired);
    let names: Vec<&str> = left_out.map(|verdict| verdict.gate.name()).collect();
    if names.is_empty() {
        return String::new();
    }
    format!("Not required by profile {}, so not judged: {}.\n", report.evaluation.profile, names.join(", "))
}

fn orphans(report: &Report<'_>) -> String {
    let orphans = &report.matrix.orphans;
    let lines = orphans
        .iter()
        .map(|o| format!("  {} {}: {}\n", plain(&o.key.to_string()), plain(&o.name), plain(&o.reason)));
    let lines: Vec<String> = lines.collect();
    if lines.is_empty() {
        String::new()
    } else {
        format!("Scenarios that serve no goal:\n{}", lines.concat())
    }
}

fn backlog(report: &Report<'_>) -> String {
    let backlog = &report.matrix.backlog;
    if backlog.is_empty() {
        return String::new();
    }
    let lines = backlog.iter().map(|goal| {
        let (title, ticket, reason) = (plain(&goal.title), plain(&goal.ticket), plain(&goal.reason));
        format!("  {} {title} ({ticket}): {reason}\n", goal.goal)
    });
    let lines: Vec<String> = lines.collect();
    format!(
        "Promised and not automated yet, {}, not covered:\n{}",
        counted(backlog.len(), "goal", "goals"),
        lines.concat()
    )
}

fn answer(report: &Report<'_>) -> String {
    let red = report.red_line().map(|line| line + "\n").unwrap_or_default();
    format!("{}\n{red}", report.headline())
}

fn tiers(report: &Report<'_>) -> String {
    let tiers: Vec<String> = report.evaluation.coverage.iter().map(|tier| tier_line(tier) + "\n").collect();
    let totals: Vec<String> =
        report.totals().iter().map(|(status, count)| format!("{count} {status}")).collect();
    let goals = counted(report.matrix.rows.len(), "goal", "goals");
    format!("{}{goals}: {}.\n{}\n", tiers.concat(), totals.join(", "), plain(&report.provenance()))
}
