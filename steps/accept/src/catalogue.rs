//! The step catalogue: what each step definition says to a feature's author, embedded by the build script of the crate
//! that has the steps.

use std::fmt;

/// Which kind of step a definition answers to; steps of different kinds never match each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Keyword {
    /// Puts the world in a state.
    Given,
    /// Does what the operator does.
    When,
    /// Looks at what came of it.
    Then,
}

impl fmt::Display for Keyword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Given => "Given",
            Self::When => "When",
            Self::Then => "Then",
        })
    }
}

/// How a definition's expression is to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pattern {
    /// A Cucumber Expression.
    Expression,
    /// A regular expression.
    Regex,
    /// The very text.
    Literal,
}

/// A step definition, as its source declares it.
#[derive(Debug, PartialEq, Eq)]
pub struct Definition {
    /// Which steps it answers to.
    pub keyword: Keyword,
    /// How to read the expression.
    pub pattern: Pattern,
    /// The text that steps are matched with.
    pub expression: &'static str,
    /// The doc comment: what the step means.
    pub doc: &'static str,
    /// The function's name.
    pub function: &'static str,
    /// Whether its function looks at the table or text below the step.
    pub takes_argument: bool,
    /// Source file, from the workspace root.
    pub file: &'static str,
    /// One-based line of its attribute.
    pub line: u32,
}

impl Definition {
    /// True where the step says what must **not** happen: by convention a `Then` whose function is named `never_…`. The
    /// runner holds the name to its word: such a step fails unless it records an assertion of that polarity.
    pub fn is_negative(&self) -> bool {
        self.keyword == Keyword::Then && self.function.starts_with("never_")
    }

    /// The names of its expression's parameters, in order; none where it is no Cucumber Expression.
    pub fn parameters(&self) -> Vec<&'static str> {
        if self.pattern != Pattern::Expression {
            return Vec::new();
        }
        let mut names = Vec::new();
        let mut rest = self.expression;
        while let Some(open) = rest.find('{') {
            let escaped = rest[..open].ends_with('\\');
            rest = &rest[open + 1..];
            if let (false, Some(close)) = (escaped, rest.find('}')) {
                names.push(&rest[..close]);
                rest = &rest[close + 1..];
            }
        }
        names
    }

    /// `file:line`.
    pub fn place(&self) -> String {
        format!("{}:{}", self.file, self.line)
    }
}

/// The parameter types of Cucumber Expressions themselves, by name, and what each means.
pub const BUILT_IN: [(&str, &str); 5] = [
    ("", "Anything."),
    ("int", "A whole number."),
    ("float", "A number."),
    ("word", "A word without spaces."),
    ("string", "A text in quotes."),
];

/// A parameter type that this project adds to those of Cucumber Expressions.
#[derive(Debug, PartialEq, Eq)]
pub struct Parameter {
    /// Its name, as in `{name}`.
    pub name: &'static str,
    /// What it matches.
    pub regex: &'static str,
    /// The doc comment: what it means.
    pub doc: &'static str,
    /// Source file, from the workspace root.
    pub file: &'static str,
}

impl Parameter {
    /// The values that it lets through, where its expression lists them.
    pub fn allowed_values(&self) -> Option<Vec<String>> {
        let regex = self.regex.trim_matches('"');
        let list = regex.strip_prefix('(').and_then(|list| list.strip_suffix(')')).unwrap_or(regex);
        let values: Vec<String> = list.split('|').map(|value| value.replace("\\.", ".")).collect();
        let is_plain = |value: &String| {
            !value.is_empty() && value.chars().all(|c| c.is_alphanumeric() || "._- ".contains(c))
        };
        (values.len() > 1 && values.iter().all(is_plain)).then_some(values)
    }
}

/// All step definitions and parameter types of a step library.
#[derive(Debug, Clone, Copy)]
pub struct Catalogue {
    /// The definitions, by file and line.
    pub definitions: &'static [Definition],
    /// The parameter types, by file.
    pub parameters: &'static [Parameter],
    /// The names of the assertions that steps make, for example `git.branch_unmoved`, sorted.
    pub assertions: &'static [&'static str],
}

impl Catalogue {
    /// The parameter types of this project that a definition's expression names.
    pub fn parameters_of(self, definition: &Definition) -> impl Iterator<Item = &'static Parameter> {
        let names = definition.parameters();
        self.parameters.iter().filter(move |parameter| names.contains(&parameter.name))
    }

    /// The definition whose attribute stands at this place.
    pub fn at(&self, file: &str, line: u32) -> Option<&'static Definition> {
        self.definitions.iter().find(|definition| definition.line == line && definition.file == file)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    const fn parameter(name: &'static str) -> Parameter {
        Parameter { name, regex: "x", doc: "", file: "" }
    }

    static PARAMETERS: [Parameter; 2] = [parameter("goal"), parameter("tier")];

    /// A step that is nothing but its expression.
    pub(crate) fn definition(pattern: Pattern, expression: &'static str) -> Definition {
        Definition {
            keyword: Keyword::Given,
            pattern,
            expression,
            doc: "",
            function: "f",
            takes_argument: false,
            file: "",
            line: 1,
        }
    }

    #[test]
    fn a_parameter_is_what_an_expression_names_between_braces_that_mean_it() {
        let catalogue = Catalogue { definitions: &[], parameters: &PARAMETERS, assertions: &[] };
        let own = |definition: &Definition| {
            catalogue.parameters_of(definition).map(|parameter| parameter.name).collect::<Vec<_>>()
        };
        let expression = r"{int} of the {goal}, not \{tier}, and {int}";
        let step = definition(Pattern::Expression, expression);
        assert_eq!(step.parameters(), ["int", "goal", "int"]);
        assert_eq!(own(&step), ["goal"]);
        assert_eq!(own(&definition(Pattern::Literal, expression)), Vec::<&str>::new());
    }
}
