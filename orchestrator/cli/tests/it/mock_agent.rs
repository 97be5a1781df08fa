//! The mock worker as an attempt starts it.

use std::fs;

use crate::place::{Done, Place};

/// Runs it in a folder of its own on a manifest with these writes.
fn work(place: &mut Place, writes: &str) -> Done {
    let folder = place.outside();
    let manifest = folder.with_extension("json");
    let text = format!(r#"{{"id": "007", "name": "x", "files": {{"writes": {writes}}}}}"#);
    fs::write(&manifest, text).unwrap();
    place.sandbox.set("MYCELIUM_TASK_MANIFEST", manifest);
    place.run_in(&folder, &["mock-agent"])
}

#[test]
fn it_writes_what_the_manifest_permits_and_reports_its_usage() {
    let mut place = Place::new();
    place
        .sandbox
        .set("MOCK_CODEX_USAGE", r#"{"input_tokens": 7, "cached_input_tokens": 3, "output_tokens": 2}"#);
    let done = work(&mut place, r#"["a/b.txt", "src/**"]"#).exits(0);
    let expected = serde_json::json!({
        "type": "turn.completed",
        "usage": { "input_tokens": 7, "cached_input_tokens": 3, "output_tokens": 2 },
    });
    assert_eq!(done.json(), expected);
    let read = |path: &str| fs::read_to_string(place.outside().join(path)).unwrap();
    assert_eq!((read("a/b.txt"), read("src/007.txt")), ("007\n".to_owned(), "007\n".to_owned()));
}

#[test]
fn without_writes_it_writes_to_the_fallback_and_appends() {
    let mut place = Place::new();
    work(&mut place, "[]").exits(0);
    work(&mut place, "[]").exits(0);
    assert_eq!(fs::read_to_string(place.outside().join("mock-output.txt")).unwrap(), "007\n007\n");
}

#[test]
fn bad_usage_is_refused_before_anything_is_written() {
    let mut place = Place::new();
    place.sandbox.set("MOCK_CODEX_USAGE", "{\"tokens\": 1}");
    work(&mut place, "[]").exits(2).complains(&["MOCK_CODEX_USAGE", "unknown field `tokens`"]);
    assert_eq!(fs::read_dir(place.outside()).unwrap().count(), 0);
}

#[test]
fn it_does_not_write_through_a_link_that_leads_out() {
    let mut place = Place::new();
    let target = place.repository.path().join("README.md");
    let before = fs::read_to_string(&target).unwrap();
    std::os::unix::fs::symlink(&target, place.outside().join("out")).unwrap();
    work(&mut place, r#"["out"]"#).exits(1).complains(&["leads out of the workspace"]);
    assert_eq!(fs::read_to_string(&target).unwrap(), before);
}

#[test]
fn without_a_task_it_says_who_starts_it() {
    Place::new().run(&["mock-agent"]).exits(2).complains(&["MYCELIUM_TASK_MANIFEST is not set"]);
}
