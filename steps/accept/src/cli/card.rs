//! The failure card: all that somebody needs who did not see it happen.

use super::{
    again::Again,
    console::{Console, Tone},
};
use crate::{
    runner::{Failure, ScenarioResult},
    visible::visible,
};

/// The card of a scenario that did not pass; empty for one that did.
pub(super) fn failure_card(console: &Console, scenario: &ScenarioResult, again: &Again) -> String {
    let Some(failure) = &scenario.failure else { return String::new() };
    let Failure { step, place, message, code_place, log } = failure;
    let (step, message) = (&visible(step), &visible(message));
    let label = |text: &str| console.paint(Tone::Dim, text);
    let mut lines = vec![
        String::new(),
        format!(
            "{} {}",
            console.paint(Tone::Bad, "FAILED"),
            console.paint(Tone::Strong, &visible(&scenario.name))
        ),
        format!("  {} {place}", label("at")),
        format!("     {}", console.paint(Tone::Strong, step)),
        String::new(),
    ];
    lines.extend(explained(console, message));
    if let Some(place) = code_place {
        lines.push(format!("  {} {place}", label("in the step's code:")));
    }
    if !log.is_empty() {
        lines.extend([String::new(), format!("  {}", label("last lines of its log:"))]);
        lines.extend(log.iter().map(|line| format!("  {} {}", label("|"), visible(line))));
    }
    lines.push(String::new());
    if let Some(kept) = &scenario.kept {
        lines.push(format!("  {} {}", label("its folder:"), kept.display()));
    }
    lines.push(format!("  {} {}", label("run it again:"), again.command(scenario)));
    lines.join("\n")
}

/// The message, with what is expected and what was found told apart where it holds a difference of both.
fn explained<'a>(console: &'a Console, message: &'a str) -> impl Iterator<Item = String> + 'a {
    let mut within = false;
    message.lines().map(move |line| {
        within |= line == "--- expected";
        let tone = match line.as_bytes().first() {
            Some(b'-') if within => Some(Tone::Good),
            Some(b'+') if within => Some(Tone::Bad),
            Some(b'@') if within => Some(Tone::Dim),
            _ => None,
        };
        tone.map_or_else(|| format!("  {line}"), |tone| format!("  {}", console.paint(tone, line)))
    })
}
