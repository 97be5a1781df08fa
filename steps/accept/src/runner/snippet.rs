//! Code that would define an undefined step, to be copied: in Rust, with a Cucumber Expression.

use mycelium_schemas::messages::{PickleStep, Snippet};

use crate::catalogue::Keyword;

/// A value in a step's text that the code takes as an argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Value {
    Text,
    Number,
    Decimal,
}

/// The code for a step: for each reading of its numbers a piece.
pub(super) fn suggest(step: &PickleStep, keyword: Keyword, world: &str) -> Vec<Snippet> {
    let parts = parts(&step.text);
    let has_number = parts.iter().any(|(_, value)| *value == Some(Value::Number));
    let readings: &[(&str, &str)] =
        if has_number { &[("int", "i64"), ("float", "f64")] } else { &[("int", "i64")] };
    readings
        .iter()
        .map(|number| Snippet {
            language: "rust".to_owned(),
            code: code(&parts, step, keyword, world, *number),
        })
        .collect()
}

fn code(
    parts: &[(&str, Option<Value>)],
    step: &PickleStep,
    keyword: Keyword,
    world: &str,
    (number, number_type): (&str, &str),
) -> String {
    let mut expression = String::new();
    let mut arguments = vec![format!("world: &mut {world}")];
    for (text, value) in parts {
        expression.push_str(&escaped(text));
        let (name, rust_type) = match value {
            None => continue,
            Some(Value::Text) => ("string", "String"),
            Some(Value::Number) => (number, number_type),
            Some(Value::Decimal) => ("float", "f64"),
        };
        expression.extend(["{", name, "}"]);
        arguments.push(format!("{name}_{}: {rust_type}", arguments.len()));
    }
    if step.argument.is_some() {
        arguments.push("step: &cucumber::gherkin::Step".to_owned());
    }
    format!(
        "/// What the step means to the author of a feature.\n#[{}(expr = {expression:?})]\nasync fn {}({}) {{\n    \
         context::pending(Some(\"to be written\"))\n}}",
        keyword.to_string().to_lowercase(),
        function_name(parts),
        arguments.join(", "),
    )
}

/// The text cut behind each text before a value, with that value.
fn parts(text: &str) -> Vec<(&str, Option<Value>)> {
    let mut parts = Vec::new();
    let mut rest = text;
    let mut from = 0;
    while let Some(c) = rest[from..].chars().next() {
        let (value, length) = match c {
            '"' => (Value::Text, rest[from + 1..].find('"').map_or(0, |end| end + 2)),
            '0'..='9' if !rest[..from].ends_with(char::is_alphanumeric) => number(&rest[from..]),
            _ => (Value::Text, 0),
        };
        if length == 0 {
            from += c.len_utf8();
        } else {
            parts.push((&rest[..from], Some(value)));
            rest = &rest[from + length..];
            from = 0;
        }
    }
    parts.push((rest, None));
    parts
}

/// A number and its length; 0 where it is the beginning of a word, such as the one in `3rd`.
fn number(text: &str) -> (Value, usize) {
    let digits = |text: &str| text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let whole = digits(text);
    let decimals = text[whole..].strip_prefix('.').map_or(0, digits);
    let (value, length) =
        if decimals > 0 { (Value::Decimal, whole + 1 + decimals) } else { (Value::Number, whole) };
    (value, if text[length..].starts_with(char::is_alphanumeric) { 0 } else { length })
}

/// What an expression takes for more than text, escaped.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '\\' | '(' | '{' | '/') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

fn function_name(parts: &[(&str, Option<Value>)]) -> String {
    let words: Vec<String> = parts
        .iter()
        .flat_map(|(text, _)| text.split(|c: char| !c.is_ascii_alphanumeric()))
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect();
    let name = words.join("_");
    if name.starts_with(|c: char| c.is_ascii_lowercase()) { name } else { format!("step_{name}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code_of(text: &str) -> Vec<String> {
        let step = PickleStep {
            argument: None,
            ast_node_ids: Vec::new(),
            id: "1".to_owned(),
            step_type: None,
            text: text.to_owned(),
        };
        suggest(&step, Keyword::When, "World").into_iter().map(|snippet| snippet.code).collect()
    }

    #[test]
    fn values_become_parameters() {
        let code = code_of("I send \"a b\" to 12 peers/friends (or 3rd)");
        assert_eq!(code.len(), 2);
        let lines: Vec<&str> = code[0].lines().collect();
        assert_eq!(lines[1], r#"#[when(expr = "I send {string} to {int} peers\\/friends \\(or 3rd)")]"#);
        let function =
            "async fn i_send_to_peers_friends_or_3rd(world: &mut World, string_1: String, int_2: i64) {";
        assert_eq!(lines[2], function);
        assert!(code[1].contains("{float}") && code[1].contains("float_2: f64"), "{}", code[1]);
    }

    #[test]
    fn a_decimal_number_reads_in_one_way() {
        let code = code_of("I wait 2.5 days.");
        assert_eq!(code.len(), 1);
        assert!(code[0].contains("expr = \"I wait {float} days.\""), "{}", code[0]);
    }

    #[test]
    fn a_text_without_letters_or_with_an_open_quote_gives_code_too() {
        assert!(code_of("\"open").concat().contains("expr = \"\\\"open\""));
        assert!(code_of("12").concat().contains("async fn step_("));
        assert!(code_of("ж (").concat().contains("async fn step_("));
    }
}
