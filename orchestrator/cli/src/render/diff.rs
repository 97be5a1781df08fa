//! What a new plan would change, as a unified diff.

use mycelium_engine::planning::FileDiff;
use similar::TextDiff;

use super::problem::plain;

/// All files, one after the other.
pub(crate) fn files(files: &[FileDiff]) -> String {
    let mut text = String::new();
    for file in files {
        let old = file.old.as_deref().unwrap_or_default();
        let new = file.new.as_deref().unwrap_or_default();
        let name = |side: &str, there: bool| {
            if there { format!("{side}/{}", file.path) } else { "/dev/null".to_owned() }
        };
        let diff = TextDiff::from_lines(old, new);
        let mut unified = diff.unified_diff();
        let (from, to) = (name("a", file.old.is_some()), name("b", file.new.is_some()));
        text.push_str(&plain(&unified.context_radius(2).header(&from, &to).to_string()));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_and_a_removed_file_are_shown() {
        let changed =
            FileDiff { path: "plan.json".into(), old: Some("a\nb\n".into()), new: Some("a\nc\n".into()) };
        let removed = FileDiff { path: "002/spec.md".into(), old: Some("x\n".into()), new: None };
        assert_eq!(
            files(&[changed, removed]),
            "--- a/plan.json\n+++ b/plan.json\n@@ -1,2 +1,2 @@\n a\n-b\n+c\n--- a/002/spec.md\n+++ /dev/null\n@@ -1 +0,0 @@\n-x\n"
        );
    }
}
