//! For spreadsheets: one line a goal, RFC 4180, and no cell that a spreadsheet would run as a formula.

use mycelium_schemas::matrix::{LaneCell, Matrix};

use crate::report::{
    assertion_names, evidence_of, files_of, owner_and_follow_up, passed_of, proved_of, saboteurs,
};

const HEADER: [&str; 18] = [
    "goal",
    "tier",
    "title",
    "goal_text",
    "status",
    "reasons",
    "test_files",
    "scenarios_passed",
    "scenarios_total",
    "assertions",
    "assertions_proved",
    "assertions_declared",
    "lanes",
    "evidence_files",
    "saboteurs",
    "flake_risk",
    "ci_jobs",
    "owner_follow_up",
];

/// Renders the matrix as CSV.
pub fn csv(matrix: &Matrix) -> String {
    let header = HEADER.map(str::to_owned).to_vec();
    let rows = matrix.rows.iter().map(|row| {
        let (passed, total) = passed_of(matrix, row);
        let (proved, declared) = proved_of(row);
        vec![
            row.goal.to_string(),
            row.tier.to_string(),
            row.title.clone(),
            row.statement.clone(),
            row.status.to_string(),
            row.reasons.join(" "),
            files_of(row).join(" "),
            passed.to_string(),
            total.to_string(),
            assertion_names(row).join(" "),
            proved.to_string(),
            declared.to_string(),
            row.lanes.iter().map(lane).collect::<Vec<_>>().join(" "),
            evidence_of(matrix, row).count().to_string(),
            saboteurs(row).join("; "),
            row.flake_risk.to_string(),
            row.ci_jobs.join(" "),
            owner_and_follow_up(row),
        ]
    });
    std::iter::once(header).chain(rows).map(|cells| line(&cells)).collect()
}

fn lane(cell: &LaneCell) -> String {
    format!("{}:{}{}", cell.lane, cell.result.name(), if cell.required { "" } else { ":not-required" })
}

fn line(cells: &[String]) -> String {
    let cells: Vec<String> = cells.iter().map(|cell| quoted(cell)).collect();
    cells.join(",") + "\r\n"
}

/// A cell in quotes, with an apostrophe before what a spreadsheet would take for a formula. Spreadsheets skip what is not
/// seen before the sign, and some take its full-width form.
fn quoted(cell: &str) -> String {
    let unseen = |c: char| c.is_whitespace() || c.is_control() || "\u{200b}\u{feff}".contains(c);
    let formula = cell.trim_start_matches(unseen).starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠'])
        || cell.starts_with(['\t', '\r', '\n']);
    let guard = if formula { "'" } else { "" };
    format!("\"{guard}{}\"", cell.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula() {
        for formula in ["=1+1", "+1", "-1", "@x", "\t=1", " =1", "\r=1", "\u{feff}=1", "\0=1", "＝1"] {
            assert!(quoted(formula).starts_with("\"'"), "{formula:?}");
        }
        assert_eq!(quoted("a \"b\", c"), "\"a \"\"b\"\", c\"");
    }
}
