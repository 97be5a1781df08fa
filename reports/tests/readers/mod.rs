//! Reading outputs back, as those who get them do.

use std::collections::{BTreeMap, BTreeSet};

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

/// So many bytes that stand there as 13 bits a pair of characters.
fn bytes_of(text: &str, length: usize) -> Vec<u8> {
    let digit = |c: u8| u64::from(if c == b'~' { b'<' } else { c } - b'#');
    assert!(text.bytes().all(|c| (b'#'..=b'~').contains(&c)), "the details are in 91 characters");
    let mut bits = text.as_bytes().chunks(2).flat_map(|pair| {
        let value = digit(pair[0]) + 91 * digit(pair[1]);
        (0..13).map(move |bit| u8::try_from(value >> bit & 1).expect("a bit"))
    });
    let mut byte = || (0..8).map(|at| bits.next().expect("enough characters") << at).sum();
    (0..length).map(|_| byte()).collect()
}

/// What the page unpacks when somebody opens a scenario.
pub(crate) fn details(page: &str) -> Value {
    let before = page.split("id=\"details\">").next().and_then(|head| head.rsplit("data-bytes=\"").next());
    let length =
        before.and_then(|rest| rest.split('"').next()?.parse().ok()).expect("the page says how many");
    let packed = page.split("id=\"details\">").nth(1).and_then(|rest| rest.split('<').next());
    let bytes = bytes_of(packed.expect("the page has details"), length);
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
