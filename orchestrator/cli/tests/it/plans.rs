//! Plans that several files run.

/// One task.
pub(crate) const ONE: &str =
    r#"{"tasks": [{"id": "001", "name": "One", "files": {"writes": ["src/one.js"]}, "spec": "One."}]}"#;

/// Two tasks that have nothing to do with each other.
pub(crate) const TWO: &str = r#"{"tasks": [
    {"id": "001", "name": "One", "files": {"writes": ["src/one.js"]}, "spec": "One."},
    {"id": "002", "name": "Two", "files": {"writes": ["src/two.js"]}, "spec": "Two."}
]}"#;

/// Two tasks, the second of which builds on the first.
pub(crate) const CHAIN: &str = r#"{"tasks": [
    {"id": "001", "name": "One", "files": {"writes": ["src/one.js"]}, "spec": "One."},
    {"id": "002", "name": "Two", "files": {"writes": ["src/two.js"]}, "dependencies": ["001"], "spec": "Two."}
]}"#;
