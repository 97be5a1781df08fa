//! docs/peer-failures.md: every failure has a row, and every row points to scenarios and tests that exist.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::PathBuf,
};

use mycelium_gherkin::{IdGenerator, parse};
use regex::Regex;

/// Rows that nothing proves yet.
const OPEN: [&str; 0] = [];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Names of the scenarios of every goal's feature, as the parser reads them.
fn scenarios() -> BTreeMap<String, BTreeSet<String>> {
    let mut found = BTreeMap::<String, BTreeSet<String>>::new();
    let files =
        walkdir::WalkDir::new(root().join("features")).into_iter().map(|entry| entry.unwrap().into_path());
    for path in files.filter(|path| path.extension().is_some_and(|extension| extension == "feature")) {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let goal = name.split('-').next().unwrap().to_owned();
        let document = parse(&name, &fs::read_to_string(&path).unwrap(), &mut IdGenerator::new());
        let text = serde_json::to_value(document.unwrap()).unwrap();
        collect(&text, found.entry(goal).or_default());
    }
    found
}

fn collect(node: &serde_json::Value, names: &mut BTreeSet<String>) {
    if let Some(scenario) = node.get("scenario") {
        names.extend(scenario["name"].as_str().map(str::to_owned));
    }
    match node {
        serde_json::Value::Object(fields) => fields.values().for_each(|field| collect(field, names)),
        serde_json::Value::Array(items) => items.iter().for_each(|item| collect(item, names)),
        _ => {}
    }
}

/// What a row names as its proof: number and points.
fn rows() -> Vec<(String, Vec<String>)> {
    let page = fs::read_to_string(root().join("docs/peer-failures.md")).unwrap();
    page.lines()
        .filter(|line| line.starts_with("| B"))
        .map(|line| {
            let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
            assert_eq!(cells.len(), 4, "{line}");
            (cells[0].to_owned(), cells[3].split("<br>").map(str::to_owned).collect())
        })
        .collect()
}

/// Whether a test of that name stands in that file: `path::name`.
fn is_test(point: &str) -> bool {
    let Some((path, name)) = point.split_once("::") else { return false };
    let Ok(text) = fs::read_to_string(root().join(path)) else { return false };
    Regex::new(&format!(r"#\[test\]\s+(#\[[^\n]*\]\s+)*fn {}\(", regex::escape(name)))
        .unwrap()
        .is_match(&text)
}

#[test]
fn every_failure_has_a_row_in_order() {
    let numbers: Vec<String> = rows().into_iter().map(|(number, _)| number).collect();
    assert_eq!(numbers, (1..=30).map(|number| format!("B{number}")).collect::<Vec<_>>());
}

#[test]
fn every_row_points_to_what_exists() {
    let scenarios = scenarios();
    let point = Regex::new("^`([^`]+)`(?: (.+))?$").unwrap();
    for (number, points) in rows() {
        let (open, proofs): (Vec<_>, Vec<_>) = points.iter().partition(|point| point.starts_with("open: "));
        let excused = OPEN.contains(&number.as_str());
        assert_eq!(proofs.is_empty(), excused, "{number} is proven by {proofs:?}");
        assert!(!excused || !open.is_empty(), "{number} says neither what proves it nor that it is open");
        for proof in proofs {
            let found = point.captures(proof).unwrap_or_else(|| panic!("{number}: {proof}"));
            let exists = match found.get(2) {
                Some(name) => scenarios.get(&found[1]).is_some_and(|names| names.contains(name.as_str())),
                None => is_test(&found[1]),
            };
            assert!(exists, "{number} points to nothing: {proof}");
        }
    }
}
