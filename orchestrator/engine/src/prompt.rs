//! Prompts: texts with named places, each of which the project may replace by a file of its own below
//! `.mycelium/prompts`. A place that nobody fills is an error with its line and column.

use std::ops::Range;

use mycelium_schemas::problem::{Problem, Source, did_you_mean};

use crate::{error::Error, project::Project, settings::read_source_if_there, validator::DOCTOR};

/// What one kind of question is asked with, and the names that its prompt may hold.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Kind {
    /// Its file's name, without `.md`.
    pub(crate) name: &'static str,
    /// The prompt where the project has none.
    default: &'static str,
    /// Every name; those in the first part must be there, since a model that is not told them answers something else.
    required: &'static [&'static str],
    optional: &'static [&'static str],
}

/// The planner's.
pub(crate) const PLANNER: Kind = Kind {
    name: "planner",
    default: include_str!("prompts/planner.md"),
    required: &["input"],
    optional: &["tree", "resources"],
};

/// A validator's, by its short name.
pub(crate) fn of_validator(validator: &str) -> Kind {
    let (name, default) = match validator {
        "test" => ("test_validator", include_str!("prompts/test_validator.md")),
        "style" => ("style_validator", include_str!("prompts/style_validator.md")),
        DOCTOR => ("doctor_validator", include_str!("prompts/doctor_validator.md")),
        _ => ("architecture_validator", include_str!("prompts/architecture_validator.md")),
    };
    let required: &[_] = if validator == DOCTOR { &["diff", "doctor"] } else { &["diff"] };
    Kind { name, default, required, optional: &["task", "spec", "manifest"] }
}

impl Kind {
    /// The project's own prompt, or else the one of this version. It was checked.
    pub(crate) fn load(self, project: &Project) -> Result<Source, Error> {
        let path = project.dir().join("prompts").join(format!("{}.md", self.name));
        let own = read_source_if_there(project, &path)?;
        let source = own.unwrap_or_else(|| Source::new(format!("the {} prompt", self.name), self.default));
        let problems = self.check(&source);
        if problems.is_empty() { Ok(source) } else { Err(Error::Problems { problems }) }
    }

    fn names(self) -> impl Iterator<Item = &'static str> {
        self.required.iter().chain(self.optional).copied()
    }

    fn check(self, source: &Source) -> Vec<Problem> {
        let at = |span: Range<usize>, message: String, help: String| Problem {
            source: source.clone(),
            span,
            message,
            help,
        };
        let known: Vec<String> = self.names().map(|name| format!("{{{{{name}}}}}")).collect();
        let known = known.join(", ");
        let mut problems = Vec::new();
        let places = places(&source.text);
        for place in &places {
            match place {
                Place { name: Some(name), .. } if self.names().any(|known| known == *name) => {}
                Place { name: Some(name), span } => {
                    let near = did_you_mean(name, self.names());
                    let help = near.map_or_else(
                        || format!("this prompt may hold {known}"),
                        |near| format!("did you mean `{{{{{near}}}}}`?"),
                    );
                    problems.push(at(span.clone(), format!("nothing is called `{name}` here"), help));
                }
                Place { name: None, span } => {
                    let message = "`{{` begins a name, and no `}}` ends it on this line".to_owned();
                    problems.push(at(span.clone(), message, format!("this prompt may hold {known}")));
                }
            }
        }
        for name in self.required {
            if !places.iter().any(|place| place.name == Some(name)) {
                let message =
                    format!("the prompt never says `{{{{{name}}}}}`, without which no answer can fit");
                problems.push(at(0..0, message, "write it where the model should read it".to_owned()));
            }
        }
        problems
    }
}

/// The prompt with its places filled. One that has no value stays as it is: [`Kind::check`] lets none through.
pub(crate) fn fill(text: &str, values: &[(&str, &str)]) -> String {
    let (mut filled, mut end) = (String::with_capacity(text.len()), 0);
    for place in places(text) {
        let value = values.iter().find(|(name, _)| Some(*name) == place.name);
        if let Some((_, value)) = value {
            filled.push_str(text.get(end..place.span.start).unwrap_or_default());
            filled.push_str(value);
            end = place.span.end;
        }
    }
    filled.push_str(text.get(end..).unwrap_or_default());
    filled
}

/// A name between two pairs of braces; none where they do not end on their line.
struct Place<'t> {
    name: Option<&'t str>,
    span: Range<usize>,
}

fn places(text: &str) -> Vec<Place<'_>> {
    let (mut places, mut from) = (Vec::new(), 0);
    while let Some(begin) = text.get(from..).and_then(|rest| rest.find("{{")).map(|at| from + at) {
        let rest = text.get(begin + 2..).unwrap_or_default();
        let line = rest.lines().next().unwrap_or_default();
        let name = line.find("}}").and_then(|end| line.get(..end));
        let end = begin + 2 + name.map_or(0, |name| name.len() + 2);
        places.push(Place { name: name.map(str::trim), span: begin..end });
        from = end;
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_filled_and_what_is_filled_in_is_not_looked_at_again() {
        let values = [("input", "{{tree}} and {{x"), ("tree", "T")];
        assert_eq!(fill("a {{input}} b {{ tree }}{{tree}}.", &values), "a {{tree}} and {{x b TT.");
        assert_eq!(fill("no place", &values), "no place");
    }

    #[test]
    fn a_name_that_nothing_has_and_one_that_is_missing_are_named_with_their_place() {
        let source = Source::new("p.md", "Do it.\n{{ipnut}} {{nonsense}}\n  {{tree\n");
        let problems = PLANNER.check(&source);
        let told: Vec<String> =
            problems.iter().map(|problem| format!("{problem}; {}", problem.help)).collect();
        assert_eq!(
            told,
            [
                "p.md:2:1: nothing is called `ipnut` here; did you mean `{{input}}`?",
                "p.md:2:11: nothing is called `nonsense` here; this prompt may hold {{input}}, {{tree}}, {{resources}}",
                "p.md:3:3: `{{` begins a name, and no `}}` ends it on this line; this prompt may hold {{input}}, {{tree}}, {{resources}}",
                "p.md:1:1: the prompt never says `{{input}}`, without which no answer can fit; write it where the model should read it",
            ]
        );
    }

    #[test]
    fn the_prompts_of_this_version_are_without_a_problem() {
        let validators = ["test", "style", "architecture", "doctor"].map(of_validator);
        for kind in [PLANNER].into_iter().chain(validators) {
            let source = Source::new(kind.name, kind.default);
            assert!(kind.check(&source).is_empty(), "{}", kind.name);
        }
    }
}
