//! Scenario outlines: every placeholder has its column, and every column its placeholder.

use std::collections::BTreeSet;

use mycelium_schemas::{
    messages::{Examples, Scenario, Step, TableCell},
    problem::did_you_mean,
};

use super::{Report, Rule};
use crate::runner::suite::Feature;

pub(super) fn check(report: &mut Report<'_>, feature: &Feature) {
    for scenario in feature.scenarios() {
        if !scenario.examples.is_empty() {
            check_outline(report, scenario);
        }
    }
}

fn check_outline(report: &mut Report<'_>, scenario: &Scenario) {
    let (empty, full): (Vec<&Examples>, Vec<&Examples>) =
        scenario.examples.iter().partition(|examples| examples.table_body.is_empty());
    // Where none has a row, that is told of the outline.
    for examples in empty.into_iter().filter(|_| !full.is_empty()) {
        report.add(
            Rule::NoSteps,
            examples.location,
            "these examples have no row, so nothing of them runs",
            "give the table at least one row, or remove it",
        );
    }
    let header = |cell: &TableCell| cell.value.clone();
    let headers = scenario.examples.iter().filter_map(|examples| examples.table_header.as_ref());
    let columns: BTreeSet<String> = headers.clone().flat_map(|row| row.cells.iter().map(header)).collect();
    let named = |name: &str| columns.contains(name);
    for name in placeholders(&scenario.name).filter(|name| !named(name)) {
        unknown(report, scenario.location, name, &columns);
    }
    for step in &scenario.steps {
        for name in placeholders(&step.text).filter(|name| !named(name)) {
            unknown(report, step.location, name, &columns);
        }
        // Texts and tables hold angle brackets of their own; only what looks like a slip is one.
        let given = arguments(step);
        let slips = given.iter().flat_map(|text| placeholders(text));
        for name in slips.filter(|name| !named(name) && nearest(name, &columns).is_some()) {
            unknown(report, step.location, name, &columns);
        }
    }
    let texts = texts(scenario);
    let mut told = BTreeSet::new();
    for cell in headers.flat_map(|row| &row.cells) {
        let placeholder = format!("<{}>", cell.value);
        if !texts.iter().any(|text| text.contains(&placeholder)) && told.insert(&cell.value) {
            report.add(
                Rule::UnusedColumn,
                cell.location,
                format!("the column {:?} is used by no step", cell.value),
                format!(
                    "write {placeholder} where its value belongs, in the scenario's name if nowhere else"
                ),
            );
        }
    }
}

fn unknown(
    report: &mut Report<'_>,
    at: mycelium_schemas::messages::Location,
    name: &str,
    columns: &BTreeSet<String>,
) {
    let help = nearest(name, columns).map_or_else(
        || "give the Examples a column of this name, or write the text without angle brackets".to_owned(),
        |nearest| format!("did you mean <{nearest}>?"),
    );
    report.add(Rule::UnknownPlaceholder, at, format!("no column of the Examples is named {name:?}"), help);
}

fn nearest<'c>(name: &str, columns: &'c BTreeSet<String>) -> Option<&'c str> {
    did_you_mean(name, columns.iter().map(String::as_str))
}

/// The names between `<` and `>` in a text.
fn placeholders(text: &str) -> impl Iterator<Item = &str> {
    text.split('<').skip(1).filter_map(|rest| {
        let name = rest.split_once('>')?.0;
        let is_name = !name.is_empty() && !name.contains(['\n', '"']) && name.trim() == name;
        is_name.then_some(name)
    })
}

/// Everything in which placeholders are replaced.
fn texts(scenario: &Scenario) -> Vec<&str> {
    let steps = scenario.steps.iter().flat_map(|step| [vec![step.text.as_str()], arguments(step)].concat());
    std::iter::once(scenario.name.as_str()).chain(steps).collect()
}

fn arguments(step: &Step) -> Vec<&str> {
    let table = step.data_table.iter().flat_map(|table| &table.rows).flat_map(|row| &row.cells);
    let doc_string = step.doc_string.iter();
    let cells = table.map(|cell| cell.value.as_str());
    let texts = doc_string.flat_map(|text| [Some(text.content.as_str()), text.media_type.as_deref()]);
    cells.chain(texts.flatten()).collect()
}
