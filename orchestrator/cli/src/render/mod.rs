//! Values as people read them. Text in, text out: nothing here prints.

pub(crate) mod clean;
pub(crate) mod diff;
pub(crate) mod doctor;
pub(crate) mod error;
pub(crate) mod logs;
pub(crate) mod plan;
pub(crate) mod problem;
pub(crate) mod progress;
pub(crate) mod review;
pub(crate) mod state;

use jiff::Timestamp;
use mycelium_schemas::{id::TaskId, state::Reason};

/// Each text on a line of its own.
pub(crate) fn lines(texts: impl IntoIterator<Item = impl AsRef<str>>) -> String {
    texts.into_iter().fold(String::new(), |lines, text| lines + text.as_ref() + "\n")
}

/// Names shown of a list that may be of any length.
const NAMES_MAX: usize = 10;

/// The first of some names in one line; where there are more, how many, and where all of them are.
pub(crate) fn some(names: impl IntoIterator<Item = impl ToString>, all: &str) -> String {
    let names: Vec<String> = names.into_iter().map(|name| name.to_string()).collect();
    shortened(&names, || format!("; see {all}"))
}

/// A sentence that holds a list of names, as the journal has it: shortened in the same way.
pub(crate) fn brief(sentence: &str) -> String {
    let names: Vec<&str> = sentence.split(", ").collect();
    // Behind the last name the sentence goes on.
    let rest = names.last().and_then(|last| last.find("; ").and_then(|at| last.get(at..)));
    shortened(&names, || rest.unwrap_or("; --json names them").to_owned())
}

fn shortened(names: &[impl AsRef<str>], rest: impl FnOnce() -> String) -> String {
    let joined = |names: &[_]| names.iter().map(AsRef::as_ref).collect::<Vec<&str>>().join(", ");
    match names.split_at_checked(NAMES_MAX) {
        Some((shown, more)) if !more.is_empty() => {
            format!("{}, … and {} more{}", joined(shown), more.len(), rest())
        }
        _ => joined(names),
    }
}

/// Why a task stands as it does, in one sentence.
pub(crate) fn reason(reason: &Reason) -> String {
    if matches!(reason.code.as_str(), "task.rescope" | "task.retry" | "landing.conflict") {
        brief(&reason.message)
    } else {
        reason.message.clone()
    }
}

/// Tasks in one line.
pub(crate) fn ids<'a>(tasks: impl IntoIterator<Item = &'a TaskId>) -> String {
    tasks.into_iter().map(TaskId::as_str).collect::<Vec<_>>().join(", ")
}

/// When, to the millisecond.
pub(crate) fn stamp(ts: Timestamp) -> String {
    format!("{ts:.3}")
}

/// A length of time as people read it.
pub(crate) fn duration(milliseconds: u64) -> String {
    let seconds = milliseconds / 1000;
    match seconds {
        0..60 => format!("{seconds}.{:03} s", milliseconds % 1000),
        60..3600 => format!("{}m{:02}s", seconds / 60, seconds % 60),
        _ => format!("{}h{:02}m{:02}s", seconds / 3600, seconds / 60 % 60, seconds % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_as_long_as_a_line_bears_and_says_what_it_leaves_out() {
        let names = |count: usize| (1..=count).map(|number| format!("f{number}")).collect::<Vec<_>>();
        assert_eq!(some(names(0), "x.json"), "");
        assert_eq!(some(names(10), "x.json"), names(10).join(", "));
        assert_eq!(
            some(names(322), "x.json"),
            format!("{}, … and 312 more; see x.json", names(10).join(", "))
        );
        let conflict = |count| format!("conflicts in {}; both sides are in y.json", names(count).join(", "));
        assert_eq!(brief(&conflict(10)), conflict(10));
        assert_eq!(
            brief(&conflict(11)),
            format!("conflicts in {}, … and 1 more; both sides are in y.json", names(10).join(", "))
        );
        let widened = format!("also allows {}", names(12).join(", "));
        assert_eq!(
            brief(&widened),
            format!("also allows {}, … and 2 more; --json names them", names(10).join(", "))
        );
        let prose = Reason { code: "validator.block".to_owned(), message: names(20).join(", ") };
        assert_eq!(reason(&prose), prose.message, "what others wrote is theirs");
    }

    #[test]
    fn lengths_are_short() {
        let durations: Vec<_> = [0, 1_234, 59_999, 60_000, 3_600_000, 90_061_000].map(duration).into();
        assert_eq!(durations, ["0.000 s", "1.234 s", "59.999 s", "1m00s", "1h00m00s", "25h01m01s"]);
    }
}
