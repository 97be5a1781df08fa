//! Feature files as people and editors leave them: what is legal runs, what is not is told at its place, and no broken
//! file hides the problems of another.

use std::{fs, os::unix::fs::symlink, path::PathBuf};

use mycelium_accept::runner::suite::Suite;
use mycelium_schemas::{
    evidence::{EVIDENCE_MEDIA_TYPE, EvidenceFile},
    messages::Envelope,
};

use crate::bench::Bench;

/// `file:line:column: problem` of every problem that keeps a file from being parsed.
fn problems(suite: &Suite) -> Vec<String> {
    suite
        .parsed()
        .flat_map(|(file, parsed)| parsed.err().into_iter().flatten().map(move |error| (file, error)))
        .map(|(file, error)| {
            let (line, column) = (error.location.line, error.location.column.unwrap_or_default());
            format!("{}:{line}:{column}: {}", file.uri, error.kind)
        })
        .collect()
}

/// What the steps of the last run kept.
fn evidence(bench: &Bench) -> Vec<String> {
    bench
        .messages()
        .into_iter()
        .filter_map(|envelope| match envelope {
            Envelope::Attachment(a) if a.media_type == EVIDENCE_MEDIA_TYPE => Some(a.body),
            _ => None,
        })
        .map(|body| {
            let file: EvidenceFile = serde_json::from_str(&body).unwrap();
            fs::read_to_string(bench.out().join("evidence").join(file.sha256)).unwrap()
        })
        .collect()
}

#[test]
fn a_bom_windows_line_ends_backslashes_and_descriptions_that_look_like_keywords_are_legal() {
    let bench = Bench::new();
    let text = "\u{feff}@mock\nFeature: A\n\n  Rules of the game are simple.\n\n  Scenario: S\n    Examples are below.\n\n    \
                Given an argument:\n      | C:\\Users\\x | a \\| b |\n    Then it never happens\n";
    bench.write("a.feature", &text.replace('\n', "\r\n"));
    let result = bench.run();
    assert!(result.passed(), "{result:?}");
    assert_eq!(result.scenarios[0].place.line, 6);
    assert_eq!(evidence(&bench), ["C:\\Users\\x,a | b"]);
}

#[test]
fn a_doc_string_reaches_the_step_byte_for_byte_and_its_media_type_the_stream() {
    let bench = Bench::with(
        "Scenario: S\n    Given an argument:\n      \"\"\"text/x-odd\n        in\tdented  \n\n      | no \\ table |\n    \
         less\n      \\\"\\\"\\\" <html>\n      \"\"\"\n    Then it never happens\n",
    );
    let result = bench.run();
    assert!(result.passed(), "{result:?}");
    assert_eq!(evidence(&bench), ["  in\tdented  \n\n| no \\ table |\nless\n\"\"\" <html>"]);
    let media_types: Vec<_> = bench
        .messages()
        .into_iter()
        .filter_map(|envelope| match envelope {
            Envelope::Pickle(pickle) => Some(pickle),
            _ => None,
        })
        .flat_map(|pickle| pickle.steps)
        .filter_map(|step| step.argument?.doc_string?.media_type)
        .collect();
    assert_eq!(media_types, ["text/x-odd"]);
}

#[test]
fn what_is_no_text_is_told_at_its_place_beside_the_problems_of_other_files() {
    let bench = Bench::new();
    let folder = bench.features();
    fs::write(folder.join("bytes.feature"), b"Feature: x\n  Sch\xc3\xb6n \xff\n").unwrap();
    fs::write(folder.join("nul.feature"), b"Feature: x\n\0\n").unwrap();
    fs::write(folder.join("utf16.feature"), b"\xff\xfeF\0e\0").unwrap();
    bench.write("syntax.feature", "no feature\n");
    bench.write("good.feature", "@mock\nFeature: A\n Scenario: S\n  Then it never happens\n");
    let found = problems(&bench.suite());
    assert_eq!(found.len(), 4, "{found:?}");
    assert_eq!(
        found[0],
        "features/bytes.feature:2:9: the byte 0xff is not UTF-8 text; save the file as UTF-8"
    );
    assert_eq!(found[1], "features/nul.feature:2:1: a NUL byte is no text; remove it");
    assert!(found[2].starts_with("features/syntax.feature:1:1: expected:"), "{found:?}");
    assert_eq!(found[3], "features/utf16.feature:1:1: the file is UTF-16; save it as UTF-8");
    assert!(bench.run().passed());
}

#[test]
fn links_are_followed_and_one_that_leads_in_a_circle_or_nowhere_is_told() {
    let bench = Bench::new();
    let folder = bench.features();
    let elsewhere = tempfile::tempdir().unwrap();
    fs::write(
        elsewhere.path().join("b.feature"),
        "@mock\nFeature: B\n Scenario: S\n  Then it never happens\n",
    )
    .unwrap();
    symlink(elsewhere.path().join("b.feature"), folder.join("a.feature")).unwrap();
    symlink(elsewhere.path(), folder.join("more")).unwrap();
    symlink(&folder, folder.join("circle")).unwrap();
    symlink("nowhere", folder.join("dead.feature")).unwrap();
    symlink("nowhere", folder.join("dead.txt")).unwrap();
    symlink("somebody@machine.1", folder.join(".#a.feature")).unwrap();
    let suite = bench.suite();
    let found = problems(&suite);
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(
        found[0].starts_with("features/circle:1:1: this cannot be read: it is a symbolic link to"),
        "{found:?}"
    );
    assert!(found[1].starts_with("features/dead.feature:1:1: this cannot be read: "), "{found:?}");
    let names: Vec<String> = suite.pickles().map(|pickle| pickle.uri).collect();
    assert_eq!(names, ["features/a.feature", "features/more/b.feature"]);
}

#[test]
fn a_feature_outside_of_the_root_keeps_its_path() {
    let bench = Bench::new();
    let elsewhere = tempfile::tempdir().unwrap();
    let path = elsewhere.path().join("b.feature");
    fs::write(&path, "Feature: B\n").unwrap();
    let suite = Suite::load(&bench.features(), &[PathBuf::from(&path)]).unwrap();
    assert_eq!(suite.files[0].uri, path.to_str().unwrap());
}

#[test]
fn a_file_of_ten_megabytes_with_a_broken_end_is_told_at_its_end() {
    let bench = Bench::new();
    let scenario =
        "  Scenario: S\n    Given nothing\n    Then it never happens and it is written at some length\n";
    let count = 10 * 1024 * 1024 / scenario.len() + 1;
    bench.write("big.feature", &["@mock\nFeature: A\n", &scenario.repeat(count), "    oops\n"].concat());
    let found = problems(&bench.suite());
    assert_eq!(found.len(), 1);
    assert!(
        found[0].starts_with(&format!("features/big.feature:{}:5: expected:", 3 * count + 3)),
        "{found:?}"
    );
}
