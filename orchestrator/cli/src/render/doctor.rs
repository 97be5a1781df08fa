//! The checks of `doctor`, one a line, with the mend below.

use mycelium_schemas::answer::{CheckStatus, Checkup};

use super::{lines, problem::plain};

/// For people.
pub(crate) fn text(found: &Checkup) -> String {
    let width = found.checks.iter().map(|check| check.name.len()).max().unwrap_or(0);
    lines(found.checks.iter().map(|check| {
        let status = match check.status {
            CheckStatus::Ok => "ok  ",
            CheckStatus::Warn => "warn",
            CheckStatus::Fail => "FAIL",
        };
        let line = format!("{status}  {:<width$}  {}", check.name, check.message.replace('\n', " "));
        let mend =
            check.mend.as_ref().map(|mend| format!("\n      {:<width$}  = {}", "", mend.replace('\n', " ")));
        plain(&(line + &mend.unwrap_or_default()))
    }))
}
