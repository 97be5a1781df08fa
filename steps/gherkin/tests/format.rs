//! The formatter: layout changes and meaning does not, and what it wrote it leaves alone.

#![expect(clippy::unwrap_used, reason = "a test that cannot read its data has failed")]

mod official;
mod text;

use std::{
    fs,
    path::{Path, PathBuf},
};

use mycelium_gherkin::{IdGenerator, ParseError, compile, format, parse};
use mycelium_schemas::messages::Pickle;
use proptest::prelude::*;
use text::{WHOLE, gherkin_like, mutated};

/// What a file means: its pickles without their places.
fn meaning(source: &str) -> Result<Vec<Pickle>, Vec<ParseError>> {
    let mut ids = IdGenerator::new();
    let document = parse("any.feature", source, &mut ids)?;
    let mut pickles = compile(&document, "any.feature", &mut ids);
    for pickle in &mut pickles {
        pickle.location = None;
    }
    Ok(pickles)
}

/// What must hold for any text; returns whether it was Gherkin at all.
fn check(source: &str) -> Result<bool, String> {
    let formatted = match (format(source), meaning(source)) {
        (Ok(formatted), Ok(before)) => {
            let after = meaning(&formatted);
            if after.as_ref() != Ok(&before) {
                return Err(format!("another meaning:\n{source:?}\n{formatted:?}\n{before:#?}\n{after:#?}"));
            }
            formatted
        }
        (Err(errors), Err(wanted)) if errors == wanted => return Ok(false),
        (formatted, meaning) => return Err(format!("{source:?}\n{formatted:?}\n{meaning:?}")),
    };
    let again = format(&formatted);
    if again.as_ref() != Ok(&formatted) {
        return Err(format!("not stable:\n{source:?}\n{formatted}\n{again:?}"));
    }
    let ending = if formatted.contains("\r\n") { "\r\n" } else { "\n" };
    if formatted.starts_with('\u{feff}') || (!formatted.is_empty() && !formatted.ends_with(ending)) {
        return Err(format!("a mark, or a last line that is not ended:\n{formatted:?}"));
    }
    Ok(true)
}

fn features(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(features(&path));
        } else if path.extension().is_some_and(|extension| extension == "feature") {
            found.push(path);
        }
    }
    found.sort();
    found
}

#[test]
fn every_official_good_file_keeps_its_meaning() {
    let Some(dir) = official::data("gherkin-testdata") else { return official::skip("gherkin-testdata") };
    let files = features(&dir.join("good"));
    assert!(files.len() >= 50, "only {} files", files.len());
    for file in files {
        let is_gherkin = check(&fs::read_to_string(&file).unwrap()).unwrap();
        assert!(is_gherkin, "{}", file.display());
    }
}

#[test]
fn every_feature_of_this_repository_stands_formatted() {
    let files = features(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../features"));
    assert!(!files.is_empty());
    for file in files {
        let source = fs::read_to_string(&file).unwrap();
        assert!(check(&source).unwrap());
        assert_eq!(format(&source).unwrap(), source, "{}: run `cargo accept fmt`", file.display());
    }
}

/// A feature that uses everything, laid out anew: lines moved, blank lines and comments put between.
fn laid_out_otherwise() -> impl Strategy<Value = String> {
    let indent = prop::sample::select(&["", " ", "    ", "\t", "\u{3000}", "            "][..]);
    let between = prop::sample::select(&["", "", "", "\n", "\n  \n", "# c\n", "      # c\n\n"][..]);
    let behind = prop::sample::select(&["", "", " ", "\t "][..]);
    let count = WHOLE.lines().count();
    let ending = prop::sample::select(&["\n", "\r\n"][..]);
    (prop::collection::vec((between, indent, behind), count), ending).prop_map(|(changes, ending)| {
        let lines = WHOLE.lines().zip(changes);
        let text = lines
            .map(|(line, (between, indent, behind))| {
                format!("{between}{indent}{}{behind}\n", line.trim_start())
            })
            .collect::<Vec<_>>()
            .concat();
        text.replace('\n', ending)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_feature_that_is_laid_out_otherwise_keeps_its_meaning(source in laid_out_otherwise()) {
        prop_assert_eq!(check(&source), Ok(true));
    }

    #[test]
    fn a_mutated_feature_keeps_its_meaning(source in mutated()) {
        check(&source).map_err(TestCaseError::fail)?;
    }

    #[test]
    fn text_of_gherkin_pieces_keeps_its_meaning(source in gherkin_like()) {
        check(&source).map_err(TestCaseError::fail)?;
    }
}
