//! The text of a new feature.

use std::fmt::Write as _;

use mycelium_schemas::{
    goal::{GoalId, spec::Claim, spec::Goal},
    matrix::BacklogGoal,
};

use crate::lint::PLACEHOLDER;

/// How wide the text of the goal is set.
const WIDTH: usize = 100;

/// What is known of the goal that a feature is to prove.
#[derive(Debug)]
pub(super) struct Draft {
    id: GoalId,
    title: String,
    statement: String,
    lanes: Vec<String>,
    given: String,
    when: String,
    witness: Vec<String>,
    must_not: Vec<String>,
    control: Vec<String>,
    has_twin: bool,
}

impl Draft {
    pub(super) fn of_goal(goal: &Goal) -> Self {
        let texts = |claims: &[Claim]| claims.iter().map(|claim| claim.text.clone()).collect::<Vec<_>>();
        let mut witness = vec![goal.scenario.then.clone()];
        witness.extend(texts(&goal.witness));
        Self {
            id: goal.id,
            title: goal.title.clone(),
            statement: goal.statement.clone(),
            lanes: goal.lanes.clone(),
            given: goal.scenario.given.clone(),
            when: goal.scenario.when.clone(),
            witness,
            must_not: texts(&goal.must_not),
            control: texts(&goal.control),
            has_twin: goal.tier().number() == 0 || !goal.control.is_empty(),
        }
    }

    pub(super) fn of_backlog(goal: &BacklogGoal) -> Self {
        Self {
            id: goal.goal,
            title: goal.title.clone(),
            // Only the goal itself will say it.
            statement: String::new(),
            lanes: vec!["mock".to_owned()],
            given: "the state before".to_owned(),
            when: "what the operator does".to_owned(),
            witness: vec!["the witness that the work was done".to_owned()],
            must_not: vec!["say what".to_owned()],
            control: Vec::new(),
            has_twin: goal.goal.tier().number() == 0,
        }
    }
}

/// The name of its file.
pub(super) fn file_name(draft: &Draft) -> String {
    let words: String =
        draft.title.to_lowercase().chars().map(|c| if c.is_alphanumeric() { c } else { ' ' }).collect();
    let slug: Vec<&str> = words.split_whitespace().collect();
    format!("{}-{}.feature", draft.id, slug.join("-"))
}

/// The feature: tags, statement, background, the scenario and its control twin, every step a placeholder.
pub(super) fn feature(draft: &Draft) -> String {
    let Draft { id, title, given, when, witness, must_not, .. } = draft;
    let mut tags = vec![id.to_string(), format!("tier{}", id.tier().number())];
    tags.extend(draft.lanes.iter().cloned());
    let mut text = format!("@{}\nFeature: {id} {}\n", tags.join(" @"), one_line(title));
    for line in wrapped(&draft.statement) {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "  {line}");
    }
    let _ = write!(text, "\n  Background:\n    Given the repository \"toy-repo\"\n");
    scenario(&mut text, "", "what is proved", [given, when], witness, must_not);
    if draft.has_twin {
        let known = if draft.control.is_empty() { None } else { Some(draft.control.clone()) };
        let control = known.unwrap_or_else(|| vec!["what does happen here".to_owned()]);
        let never = vec!["what must not happen here either".to_owned()];
        let off = "the same state with the knob off".to_owned();
        scenario(&mut text, "  @control\n", "the same with the knob off", [&off, when], &control, &never);
    }
    text
}

fn scenario(
    text: &mut String,
    tags: &str,
    name: &str,
    [given, when]: [&String; 2],
    outcomes: &[String],
    never: &[String],
) {
    let _ = write!(text, "\n{tags}  Scenario: {PLACEHOLDER} {name}\n");
    let mut step = |keyword: &str, words: &str| {
        let _ = writeln!(text, "    {keyword} {PLACEHOLDER} {}", one_line(words));
    };
    step("Given", given);
    step("When", when);
    for (index, outcome) in outcomes.iter().enumerate() {
        step(if index == 0 { "Then" } else { "And" }, outcome);
    }
    for words in never {
        step("And", &format!("must not happen: {words}"));
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Lines of a text. None begins with what Gherkin would take for something else.
fn wrapped(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + word.chars().count() < WIDTH || is_mark(word) => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// A comment, a tag, a row, or a title.
fn is_mark(word: &str) -> bool {
    word.starts_with(['#', '@', '|']) || word.ends_with(':')
}
