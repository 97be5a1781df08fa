//! The problems of a lint in the formats of other tools: SARIF 2.1.0 and GitHub annotations.

use serde_json::{Value, json};

use crate::lint::{LintProblem, Rule};

const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// A SARIF log of one run.
pub(super) fn sarif(problems: &[LintProblem]) -> Value {
    let rules: Vec<Value> = Rule::ALL
        .into_iter()
        .map(|rule| {
            json!({
                "id": rule.name(),
                "shortDescription": {"text": rule.description()},
                "defaultConfiguration": {"level": rule.severity().name()},
            })
        })
        .collect();
    let results: Vec<Value> = problems.iter().map(result).collect();
    json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {"name": "accept", "version": env!("CARGO_PKG_VERSION"), "rules": rules}},
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    })
}

fn result(problem: &LintProblem) -> Value {
    let LintProblem { uri, line, column, rule, message, help, excerpt } = problem;
    json!({
        "ruleId": rule.name(),
        "ruleIndex": Rule::ALL.iter().position(|known| known == rule),
        "level": rule.severity().name(),
        "message": {"text": format!("{message}. {help}")},
        "locations": [{
            "physicalLocation": {
                "artifactLocation": {"uri": encoded(uri), "uriBaseId": "%SRCROOT%"},
                "region": {"startLine": line, "startColumn": column, "snippet": {"text": excerpt}},
            },
        }],
    })
}

/// A path as a URI: everything but what stands for itself is written as its bytes.
fn encoded(path: &str) -> String {
    let stands_for_itself = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte);
    path.bytes()
        .map(
            |byte| {
                if stands_for_itself(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }
            },
        )
        .collect()
}

/// One workflow command a problem, which GitHub shows at its line.
pub(super) fn github(problems: &[LintProblem]) -> String {
    let lines: Vec<String> = problems.iter().map(annotation).collect();
    lines.join("\n")
}

fn annotation(problem: &LintProblem) -> String {
    let LintProblem { uri, line, column, rule, message, help, .. } = problem;
    let command = rule.severity().name();
    let (uri, title) = (property(uri), property(rule.name()));
    let text = data(&format!("{message}\n{help}"));
    format!("::{command} file={uri},line={line},col={column},title=accept lint: {title}::{text}")
}

/// A text as workflow commands take it.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// The value of a property, in which `:` and `,` mean something too.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem() -> LintProblem {
        LintProblem {
            uri: "features/a b,ü.feature".to_owned(),
            line: 3,
            column: 5,
            rule: Rule::UnusedColumn,
            message: "100% wrong".to_owned(),
            help: "mend it".to_owned(),
            excerpt: "    Given x".to_owned(),
        }
    }

    #[test]
    fn an_annotation_quotes_what_means_something() {
        assert_eq!(
            github(&[problem()]),
            "::warning file=features/a b%2Cü.feature,line=3,col=5,title=accept lint: unused-column::100%25 wrong%0Amend it"
        );
    }

    #[test]
    fn a_result_refers_to_its_rule_and_its_place() {
        let log = sarif(&[problem()]);
        let run = &log["runs"][0];
        let result = &run["results"][0];
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(run["tool"]["driver"]["rules"][index]["id"], result["ruleId"]);
        assert_eq!(result["level"], "warning");
        let place = &result["locations"][0]["physicalLocation"];
        assert_eq!(place["artifactLocation"]["uri"], "features/a%20b%2C%C3%BC.feature");
        assert_eq!(place["region"]["startColumn"], 5);
    }
}
