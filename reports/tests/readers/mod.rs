//! Reading outputs back, as those who get them do.

use std::collections::{BTreeMap, BTreeSet};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use miniz_oxide::inflate::decompress_to_vec;
use mycelium_reports::csv;
use mycelium_schemas::matrix::Matrix;
use serde_json::Value;

/// The cells of a sheet by RFC 4180.
fn cells(sheet: &str) -> Vec<Vec<String>> {
    let (mut rows, mut row, mut cell) = (Vec::new(), Vec::new(), String::new());
    let mut quoted = false;
    let mut chars = sheet.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => cell.extend(chars.next()),
            '"' => quoted = !quoted,
            ',' if !quoted => row.push(std::mem::take(&mut cell)),
            '\n' if !quoted => {
                row.push(std::mem::take(&mut cell).trim_end_matches('\r').to_owned());
                rows.push(std::mem::take(&mut row));
            }
            other => cell.push(other),
        }
    }
    assert!(!quoted && row.is_empty(), "the sheet ends within a line");
    rows
}

/// Each line of a sheet by the names of its columns.
pub(crate) fn sheet(matrix: &Matrix) -> Vec<BTreeMap<String, String>> {
    let mut rows = cells(&csv(matrix)).into_iter();
    let header = rows.next().expect("a header");
    rows.map(|row| {
        assert_eq!(row.len(), header.len());
        header.iter().cloned().zip(row).collect()
    })
    .collect()
}

/// What the page unpacks when somebody opens a scenario.
pub(crate) fn details(page: &str) -> Value {
    let packed = page.split("id=\"details\">").nth(1).and_then(|rest| rest.split('<').next());
    let bytes = STANDARD.decode(packed.expect("the page has details")).expect("they are in Base64");
    let json = decompress_to_vec(&bytes).expect("they are deflated");
    serde_json::from_slice(&json).expect("they are JSON")
}

/// The values of a property in JUnit, with the goal that stands before it.
pub(crate) fn statuses_of_goals(xml: &str) -> BTreeSet<(String, String)> {
    let value = |line: &str, name: &str| {
        let rest = line.trim().strip_prefix(&format!("<property name=\"{name}\" value=\""))?;
        rest.split('"').next().map(str::to_owned)
    };
    let mut goal = String::new();
    let mut found = BTreeSet::new();
    for line in xml.lines() {
        if let Some(name) = value(line, "goal") {
            goal = name;
        } else if let Some(status) = value(line, "status") {
            found.insert((goal.clone(), status));
        }
    }
    found
}
