//! Every line of the official Cucumber compatibility kit reads into our types and comes back as the same JSON.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use mycelium_schemas::messages::Envelope;
use serde_json::Value;

/// The official samples are read where `MYCELIUM_CONFORMANCE_DIR` says that they lie, never committed. They must lie there
/// where it says so.
fn samples() -> Option<PathBuf> {
    Some(PathBuf::from(std::env::var_os("MYCELIUM_CONFORMANCE_DIR")?).join("cck-samples"))
}

/// All lines of all samples, each with the name of its file for messages.
fn sample_lines(dir: &Path) -> io::Result<Vec<(String, String)>> {
    let mut lines = Vec::new();
    for sample in fs::read_dir(dir)? {
        for file in fs::read_dir(sample?.path())? {
            let path = file?.path();
            if path.extension().is_some_and(|extension| extension == "ndjson") {
                let name = path.display().to_string();
                let text = fs::read_to_string(&path)?;
                lines.extend(text.lines().map(|line| (name.clone(), line.to_owned())));
            }
        }
    }
    Ok(lines)
}

#[test]
fn every_line_of_the_compatibility_kit_survives_a_round_trip() {
    let Some(dir) = samples() else {
        println!("skipped: MYCELIUM_CONFORMANCE_DIR is not set");
        return;
    };
    let lines = sample_lines(&dir).unwrap_or_else(|why| panic!("{}: {why}", dir.display()));
    assert!(lines.len() > 1000, "only {} lines found in {}", lines.len(), dir.display());
    for (file, line) in &lines {
        let expected: Value = serde_json::from_str(line).unwrap();
        let envelope: Envelope = serde_json::from_str(line).unwrap_or_else(|e| panic!("{file}: {e}: {line}"));
        assert_eq!(serde_json::to_value(&envelope).unwrap(), expected, "{file}");
    }
    println!("{} of {} lines identical", lines.len(), lines.len());
}

#[test]
fn an_absent_optional_field_is_left_out() {
    let line = r#"{"testRunFinished":{"success":true,"timestamp":{"seconds":1,"nanos":0}}}"#;
    let envelope: Envelope = serde_json::from_str(line).unwrap();
    assert_eq!(serde_json::to_string(&envelope).unwrap(), line);
}

#[test]
fn an_unknown_status_is_an_error() {
    let line = r#"{"testStepFinished":{"testCaseStartedId":"1","testStepId":"2","timestamp":{"seconds":1,"nanos":0},
        "testStepResult":{"duration":{"seconds":0,"nanos":1},"status":"GREEN"}}}"#;
    let error = serde_json::from_str::<Envelope>(line).unwrap_err().to_string();
    assert!(error.contains("unknown variant `GREEN`"), "{error}");
}
