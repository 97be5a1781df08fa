//! For product owners and auditors: one page, offline, the answer first. It loads nothing, and readers without scripts
//! lose only the filter and the keys.

mod view;

use askama::Template;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use mycelium_schemas::verdict::Verdict;
use sha2::{Digest, Sha256};

use self::view::{GateView, GoalView, ScenarioView, TierView};
use crate::{RenderError, Report};

const STYLE: &str = include_str!("../templates/report.css");
const SCRIPT: &str = include_str!("../templates/report.js");

#[derive(Template)]
#[template(path = "report.html")]
struct Page<'a> {
    style: &'static str,
    style_hash: String,
    script: &'static str,
    script_hash: String,
    report: &'a Report<'a>,
    headline: String,
    outcome: &'static str,
    provenance: String,
    tiers: Vec<TierView>,
    red_line: Option<String>,
    gates: Vec<GateView<'a>>,
    not_required: Vec<GateView<'a>>,
    totals: Vec<Total>,
    goals: Vec<GoalView<'a>>,
    scenarios: Vec<ScenarioView<'a>>,
}

/// How many goals have a status.
struct Total {
    status: &'static str,
    tone: &'static str,
    sign: &'static str,
    count: usize,
}

/// Renders a report as one self-contained HTML page. Equal reports with equal stamps are equal byte for byte.
pub fn html(report: &Report<'_>) -> Result<String, RenderError> {
    let matrix = report.matrix;
    let (not_required, gates) =
        report.verdicts().map(GateView::new).partition(|view| view.verdict.verdict == Verdict::NotRequired);
    let page = Page {
        style: STYLE,
        style_hash: content_hash(STYLE),
        script: SCRIPT,
        script_hash: content_hash(SCRIPT),
        report,
        headline: report.headline(),
        outcome: view::outcome_tone(report.evaluation.outcome),
        provenance: report.provenance(),
        tiers: report.evaluation.coverage.iter().map(|tier| TierView::new(matrix, tier)).collect(),
        red_line: report.red_line(),
        gates,
        not_required,
        totals: totals(report),
        goals: matrix.rows.iter().map(|row| GoalView::new(matrix, row)).collect(),
        scenarios: matrix.scenarios.iter().map(|scenario| ScenarioView::new(matrix, scenario)).collect(),
    };
    Ok(page.render()?)
}

fn totals(report: &Report<'_>) -> Vec<Total> {
    let totals = report.totals().into_iter();
    totals
        .map(|(status, count)| Total {
            status: status.name(),
            tone: view::status_tone(status),
            sign: crate::report::sign(status),
            count,
        })
        .collect()
}

/// The hash by which the page's content security policy admits its own style and script, and nothing else.
fn content_hash(text: &str) -> String {
    format!("sha256-{}", STANDARD.encode(Sha256::digest(text.as_bytes())))
}
