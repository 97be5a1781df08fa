//! Mends what can be mended without knowing what was meant: tags that say nothing new, and the layout.

use mycelium_gherkin::{IdGenerator, format};

use super::{LintProblem, Rule};
use crate::runner::suite::FeatureFile;

/// The text of a file without its tags that say nothing new, laid out as `accept fmt` does. Nothing where it did not
/// parse (its source is then not always what stands on the disk), or is so already.
pub fn fixed(file: &FeatureFile, problems: &[LintProblem]) -> Option<String> {
    let FeatureFile { uri, source, .. } = file;
    if file.parse(&mut IdGenerator::new()).is_err() {
        return None;
    }
    // Columns do not count the byte order mark.
    let text = source.strip_prefix('\u{feff}').unwrap_or(source);
    let mut lines: Vec<String> = text.split('\n').map(str::to_owned).collect();
    let mut tags: Vec<&LintProblem> =
        problems.iter().filter(|problem| problem.uri == *uri && problem.rule == Rule::RedundantTag).collect();
    // From the end of each line, so that no column moves before its turn.
    tags.sort_by_key(|problem| std::cmp::Reverse((problem.line, problem.column)));
    for problem in tags {
        if let Some(line) = lines.get_mut(problem.line as usize - 1) {
            *line = without_tag(line, problem.column as usize);
        }
    }
    format(&lines.join("\n")).ok().filter(|text| text != source)
}

/// The line without the tag at a column, in characters from 1.
fn without_tag(line: &str, column: usize) -> String {
    let mut chars = line.chars();
    let mut kept: String = chars.by_ref().take(column - 1).collect();
    // The tag itself: its `@`, and what follows up to the next one or white space.
    let rest: String = chars.skip(1).skip_while(|c| !c.is_whitespace() && *c != '@').collect();
    kept.push_str(&rest);
    kept
}
