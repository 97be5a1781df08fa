//! Goals that changed, for people: words that are gone stand as `[-gone-]`, new ones as `{+new+}`.

use mycelium_schemas::impact::{Change, ChangedGoal, ChangedScenario, Place, Words};

use super::console::{Console, Stream, Tone};

/// A changed goal, several lines without an end.
pub(super) fn changed_goal(console: &Console, stream: Stream, goal: &ChangedGoal) -> String {
    let title = console.paint_for(stream, Tone::Strong, &format!("{} {}", goal.goal, goal.title));
    let mut lines = vec![format!("{title}: {}", goal.change.name())];
    // A goal that is new or gone has no words that changed; its statement says what it is.
    let shown = goal.text.iter().filter(|part| goal.change == Change::Changed || part.part == "statement");
    for part in shown {
        let words = marked_lines(console, stream, &part.words);
        let label = console.paint_for(stream, Tone::Dim, &format!("{}:", part.part));
        match words.as_slice() {
            [line] => lines.push(format!("  {label} {line}")),
            several => {
                lines.push(format!("  {label}"));
                lines.extend(several.iter().map(|line| format!("    {line}")));
            }
        }
    }
    for scenario in &goal.scenarios {
        lines.extend(changed_scenario(console, stream, scenario));
    }
    lines.join("\n")
}

fn changed_scenario(console: &Console, stream: Stream, scenario: &ChangedScenario) -> Vec<String> {
    let ChangedScenario { place, name, change, words } = scenario;
    let mut lines = vec![format!("  {place} {name:?}: {}", change.name())];
    if *change == Change::Changed {
        lines.extend(marked_lines(console, stream, words).iter().map(|line| format!("    {line}")));
    }
    lines
}

/// The lines of a text in which words changed.
fn marked_lines(console: &Console, stream: Stream, words: &[Words]) -> Vec<String> {
    let mut lines = Vec::new();
    let (mut line, mut changed) = (String::new(), false);
    for Words { place, text } in words {
        for (number, piece) in text.split('\n').enumerate() {
            if number > 0 {
                if changed {
                    lines.push(std::mem::take(&mut line));
                }
                line.clear();
                changed = false;
            }
            changed |= *place != Place::Both && !piece.is_empty();
            line.push_str(&marked(console, stream, *place, piece));
        }
    }
    if changed {
        lines.push(line);
    }
    lines
}

fn marked(console: &Console, stream: Stream, place: Place, text: &str) -> String {
    match place {
        _ if text.is_empty() => String::new(),
        Place::Both => text.to_owned(),
        Place::Old => console.paint_for(stream, Tone::Bad, &format!("[-{text}-]")),
        Place::New => console.paint_for(stream, Tone::Good, &format!("{{+{text}+}}")),
    }
}
