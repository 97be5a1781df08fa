//! What `clean` removed, and what it did not.

use std::fmt::Write;

use mycelium_engine::{quantity::bytes, signals::StopSignal};
use mycelium_schemas::answer::{Cleaned, CleanedKind, Unreached};

use super::{lines, problem::plain};

/// A line for each process that ended and each thing that went, or would.
pub(crate) fn removed(cleaned: &Cleaned) -> String {
    let verb = if cleaned.dry_run { "would end" } else { "ended" };
    let ended = cleaned
        .ended
        .iter()
        .map(|process| format!("{verb} process {} of run {}", process.pid, process.run_id));
    let verb = if cleaned.dry_run { "would remove" } else { "removed" };
    let removed = cleaned.removed.iter().map(|item| {
        plain(&format!("{verb} {:<10} {:>10}  {}", kind(item.kind), bytes(item.bytes), item.path))
    });
    let containers = cleaned.containers.iter().map(|container| {
        let run = container.run_id.as_ref().map_or_else(String::new, |run| format!(" of run {run}"));
        let size = container.bytes.map_or_else(String::new, |count| format!(" ({})", bytes(count)));
        plain(&format!("{verb} container {}{run}{size}", container.name))
    });
    lines(ended.chain(containers).chain(removed))
}

fn kind(kind: CleanedKind) -> &'static str {
    match kind {
        CleanedKind::Workspaces => "workspaces",
        CleanedKind::Objects => "objects",
        CleanedKind::Run => "run",
        CleanedKind::Leftover => "leftover",
    }
}

/// What a signal kept from being removed, and how it goes on.
pub(crate) fn stopped(cleaned: &Cleaned, signal: StopSignal) -> String {
    let left =
        cleaned.left.iter().map(|item| plain(&format!("left     {:<10}  {}", kind(item.kind), item.path)));
    format!("{}stopped by {signal}; the same command removes the rest", lines(left))
}

/// What could not be removed, in lines.
pub(crate) fn failed(cleaned: &Cleaned) -> String {
    lines(
        cleaned
            .failed
            .iter()
            .map(|failed| plain(&format!("error: could not remove {}: {}", failed.path, failed.reason))),
    )
}

/// Why there may be more containers, in lines.
pub(crate) fn unreached(unreached: &Unreached) -> String {
    let help = unreached.help.as_ref().map(|help| plain(&format!("  help: {help}")));
    lines(
        [plain(&format!("error: containers may be left: {}", unreached.reason))]
            .into_iter()
            .chain(help)
            .chain(["  help: `mycelium clean` removes them once the engine answers".to_owned()]),
    )
}

/// What stays, and the sum, in lines.
pub(crate) fn rest(cleaned: &Cleaned) -> String {
    let mut text = lines(cleaned.kept.iter().map(|kept| {
        plain(&format!("kept     run {}: {}; --force removes it with that work", kept.run_id, kept.reason))
    }));
    let verb = if cleaned.dry_run { "would be freed" } else { "freed" };
    // Writing to a string cannot fail.
    let _ = match cleaned.removed.len() {
        0 if cleaned.ended.is_empty() && cleaned.containers.is_empty() && cleaned.left.is_empty() => {
            writeln!(text, "nothing to remove")
        }
        _ => writeln!(text, "{} {verb}", bytes(cleaned.bytes)),
    };
    text
}
