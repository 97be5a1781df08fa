//! The reference of every key, for people (Markdown) and for editors (JSON Schema), made from the table that the
//! decoder uses.

use std::fmt::Write;

use schemars::Schema;
use serde_json::{Map, Value, json};

use super::{
    keys::{self, Fallback, KeyDoc, Kind},
    minutes::{MINUTES_MAX, MINUTES_MIN},
};

/// Every configuration key, in the order of the reference.
pub fn reference() -> Vec<KeyDoc> {
    keys::all().copied().collect()
}

/// The reference as Markdown: `docs/configuration.md`.
pub fn reference_markdown() -> String {
    let mut page = String::from(
        "# Configuration\n\n\
         `.mycelium/config.yaml` is one strict YAML file. An unknown key, a value of the wrong kind and a key that \
         stands twice are errors with their line and column; all of them are reported at once.\n\n\
         This page is generated from the table in `schemas/src/config/keys.rs`; a test keeps it fresh.\n\n\
         | key | value | default | meaning |\n| --- | --- | --- | --- |\n",
    );
    for doc in keys::all() {
        // Writing to a string cannot fail.
        let _ = writeln!(
            page,
            "| `{}` | {} | {} | {} |",
            doc.key,
            doc.kind.describe(),
            doc.fallback.describe(),
            doc.doc.replace('|', "\\|"),
        );
    }
    page.push_str("\n## An example of every key\n\n| key | written |\n| --- | --- |\n");
    for doc in keys::all() {
        let _ = writeln!(page, "| `{}` | `{}` |", doc.key, doc.example.replace('|', "\\|"));
    }
    page
}

/// The JSON Schema of the file as people write it.
pub(crate) fn file_schema() -> Schema {
    let mut schema = section_schema("");
    schema.insert("$schema".to_owned(), json!("https://json-schema.org/draft/2020-12/schema"));
    schema.insert("title".to_owned(), json!("Mycelium configuration file"));
    Schema::from(schema)
}

fn section_schema(pattern: &str) -> Map<String, Value> {
    let mut properties = Map::new();
    let mut required = Vec::new();
    let mut others = json!(false);
    for (name, doc) in keys::below(pattern) {
        let mut schema = kind_schema(doc.key, &doc.kind);
        schema.insert("description".to_owned(), json!(doc.doc));
        if doc.fallback == Fallback::Required {
            required.push(name);
        }
        // A name in angle brackets stands for any key.
        if name.starts_with('<') {
            others = Value::Object(schema);
        } else {
            properties.insert(name.to_owned(), Value::Object(schema));
        }
    }
    let mut schema = Map::new();
    schema.insert("type".to_owned(), json!("object"));
    schema.insert("properties".to_owned(), Value::Object(properties));
    schema.insert("additionalProperties".to_owned(), others);
    if !required.is_empty() {
        schema.insert("required".to_owned(), json!(required));
    }
    schema
}

fn kind_schema(key: &str, kind: &Kind) -> Map<String, Value> {
    let schema = match kind {
        Kind::Text | Kind::Path | Kind::Glob => json!({ "type": "string", "minLength": 1 }),
        Kind::Id => json!({ "type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$" }),
        Kind::Whole { min, max } => json!({ "type": "integer", "minimum": min, "maximum": max }),
        Kind::Minutes => json!({ "type": "number", "minimum": MINUTES_MIN, "maximum": MINUTES_MAX }),
        Kind::Flag => json!({ "type": "boolean" }),
        Kind::Choice(words) => json!({ "type": "string", "enum": words }),
        Kind::Dollars => json!({ "type": "number", "minimum": 0 }),
        Kind::List(item) => {
            // Nothing at all counts as empty: a key whose entries are all commented out.
            json!({ "type": ["array", "null"], "items": kind_schema(&format!("{key}[]"), item) })
        }
        Kind::Mapping => {
            let mut section = section_schema(key);
            section.insert("type".to_owned(), json!(["object", "null"]));
            Value::Object(section)
        }
    };
    match schema {
        Value::Object(schema) => schema,
        _ => Map::new(),
    }
}

impl Kind {
    /// What it may be, for people.
    pub fn describe(&self) -> String {
        match self {
            Self::Text => "text".to_owned(),
            Self::Path => "path in the repository".to_owned(),
            Self::Glob => "glob over paths".to_owned(),
            Self::Id => "id".to_owned(),
            Self::Whole { min, max } => format!("whole number, {min} to {max}"),
            Self::Minutes => format!("minutes, {MINUTES_MIN} to {MINUTES_MAX}, at most three decimals"),
            Self::Flag => "`true` or `false`".to_owned(),
            Self::Choice(words) => {
                words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
            }
            Self::Dollars => "US dollars, at most six decimals".to_owned(),
            Self::List(item) => format!("list of: {}", item.describe()),
            Self::Mapping => "keys below".to_owned(),
        }
    }
}

impl Fallback {
    /// What happens without the key, for people.
    pub fn describe(&self) -> String {
        match self {
            Self::Required => "required".to_owned(),
            Self::Nothing => "none".to_owned(),
            Self::Value(text) => format!("`{text}`"),
            Self::Rule(rule) => (*rule).to_owned(),
        }
    }
}
