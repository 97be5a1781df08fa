//! The committed JSON Schemas are those of the types.

use std::{collections::BTreeSet, fs};

#[test]
fn the_committed_schemas_are_fresh_and_complete() {
    let folder = crate::file("generated");
    let mut expected = BTreeSet::new();
    for (name, schema) in mycelium_schemas::schemas() {
        let mut text = serde_json::to_string_pretty(&schema).unwrap();
        text.push('\n');
        let file = format!("{name}.schema.json");
        crate::assert_fresh(&folder.join(&file), &text);
        expected.insert(file);
    }
    let found: BTreeSet<String> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(found, expected, "the folder holds something else than the schemas");
}
