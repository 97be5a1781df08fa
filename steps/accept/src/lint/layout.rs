//! The layout: every file stands as `accept fmt` writes it.

use mycelium_gherkin::format;
use mycelium_schemas::messages::Location;

use super::{Report, Rule};

pub(super) fn check(report: &mut Report<'_>) {
    let source = &report.file.source;
    let Ok(text) = format(source) else { return };
    if text == *source {
        return;
    }
    let same = source.split('\n').zip(text.split('\n')).take_while(|(found, wanted)| found == wanted).count();
    let line = u32::try_from(same + 1).unwrap_or(u32::MAX);
    report.add(
        Rule::Layout,
        Location { line, column: Some(1) },
        "the file is laid out otherwise from here on",
        "run `accept fmt` or `accept lint --fix`",
    );
}
