//! Collects every step definition of this crate into the step catalogue.
//!
//! The `cucumber` crate's registry keeps the place and the compiled pattern of a step, not its expression, its doc
//! comment or its function. Those are what a feature's author reads, so they are taken from the source here and
//! embedded; at run time the two are joined by file and line, and a step that is in one and not in the other is an
//! error. The names of the assertions that steps make are taken along, so that no goal can ask for one that nothing makes.

use std::{
    collections::BTreeSet,
    env,
    error::Error,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

use syn::{
    Attribute, Expr, ExprLit, FnArg, Item, ItemFn, Lit, Meta, Type,
    parse::{Parse, ParseStream},
};

/// How a step says which assertion it makes.
const CLAIM: &str = "Claim::new(";

const KEYWORDS: [&str; 3] = ["given", "when", "then"];

fn main() -> Result<(), Box<dyn Error>> {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?);
    let out = PathBuf::from(env::var("OUT_DIR")?);
    println!("cargo::rerun-if-changed=build.rs");
    // The steps that only this crate's own tests and benchmark use stand in a catalogue of their own.
    let catalogues = [
        ("src", "catalogue.rs"),
        ("tests/runner", "test_catalogue.rs"),
        ("tests/kit", "kit_catalogue.rs"),
        ("benches", "bench_catalogue.rs"),
    ];
    for (folder, file) in catalogues {
        println!("cargo::rerun-if-changed={folder}");
        let mut catalogue = Catalogue::default();
        let files = walkdir::WalkDir::new(root.join(folder)).sort_by_file_name();
        for entry in files {
            let entry = entry?;
            if entry.path().extension().is_some_and(|e| e == "rs") {
                catalogue.add_file(&root, entry.path())?;
            }
        }
        fs::write(out.join(file), catalogue.into_source())?;
    }
    Ok(())
}

#[derive(Default)]
struct Catalogue {
    definitions: String,
    parameters: String,
    assertions: BTreeSet<String>,
}

impl Catalogue {
    fn add_file(&mut self, root: &Path, path: &Path) -> Result<(), Box<dyn Error>> {
        let source = fs::read_to_string(path)?;
        let relative = path.strip_prefix(root)?.to_string_lossy().replace('\\', "/");
        // As `file!()` spells it: from the workspace root, above this crate.
        let name = format!("steps/{relative}");
        let file = syn::parse_file(&source).map_err(|e| format!("{name}: {e}"))?;
        let mut steps = Vec::new();
        let mut parameters = Vec::new();
        collect(&file.items, &mut steps, &mut parameters);
        let lines = step_lines(&source);
        if steps.len() != lines.len() {
            return Err(format!(
                "{name}: {} step attributes stand at the beginning of a line, {} were parsed; write each \
                 `#[given(..)]`, `#[when(..)]` and `#[then(..)]` on lines of its own, outside macros",
                lines.len(),
                steps.len(),
            )
            .into());
        }
        for (step, line) in steps.iter().zip(lines) {
            step.write(&mut self.definitions, &name, line)?;
        }
        for parameter in &parameters {
            parameter.write(&mut self.parameters, &name)?;
        }
        self.assertions.extend(assertions(&source).map_err(|line| {
            format!("{name}: write kind and check of an assertion as they are: {CLAIM}Kind, \"check\", …, and not {line}")
        })?);
        Ok(())
    }

    fn into_source(self) -> String {
        format!(
            "Catalogue {{\n    definitions: &[\n{}    ],\n    parameters: &[\n{}    ],\n    assertions: &{:?},\n}}\n",
            self.definitions,
            self.parameters,
            self.assertions.into_iter().collect::<Vec<_>>()
        )
    }
}

struct Step {
    keyword: &'static str,
    pattern: &'static str,
    expression: String,
    doc: String,
    function: String,
    takes_argument: bool,
}

impl Step {
    fn write(&self, out: &mut String, file: &str, line: usize) -> std::fmt::Result {
        let Self { keyword, pattern, expression, doc, function, takes_argument } = self;
        writeln!(
            out,
            "        Definition {{ keyword: Keyword::{keyword}, pattern: Pattern::{pattern}, expression: \
             {expression:?}, doc: {doc:?}, function: {function:?}, takes_argument: {takes_argument}, file: {file:?}, line: \
             {line} }},"
        )
    }
}

struct Parameter {
    name: String,
    regex: String,
    doc: String,
}

impl Parameter {
    fn write(&self, out: &mut String, file: &str) -> std::fmt::Result {
        let Self { name, regex, doc } = self;
        writeln!(
            out,
            "        Parameter {{ name: {name:?}, regex: {regex:?}, doc: {doc:?}, file: {file:?} }},"
        )
    }
}

impl Parse for Parameter {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let attributes = input.call(Attribute::parse_outer)?;
        input.parse::<syn::Ident>()?;
        input.parse::<syn::Token![,]>()?;
        let name = input.parse::<syn::LitStr>()?.value();
        input.parse::<syn::Token![,]>()?;
        let regex = input.parse::<syn::LitStr>()?.value();
        input.parse::<Option<syn::Token![,]>>()?;
        Ok(Self { name, regex, doc: doc(&attributes) })
    }
}

fn collect(items: &[Item], steps: &mut Vec<Step>, parameters: &mut Vec<Parameter>) {
    for item in items {
        match item {
            Item::Fn(function) => steps.extend(steps_of(function)),
            Item::Mod(module) => {
                if let Some((_, items)) = &module.content {
                    collect(items, steps, parameters);
                }
            }
            Item::Struct(item) => parameters.extend(parameter_of(&item.ident.to_string(), &item.attrs)),
            Item::Enum(item) => parameters.extend(parameter_of(&item.ident.to_string(), &item.attrs)),
            // A macro that declares parameter types takes doc comments, the type, its name and its regex.
            Item::Macro(item) => parameters.extend(item.mac.parse_body::<Parameter>().ok()),
            _ => {}
        }
    }
}

fn steps_of(function: &ItemFn) -> impl Iterator<Item = Step> {
    function.attrs.iter().filter_map(|attribute| {
        let keyword = match attribute.path().get_ident()?.to_string().as_str() {
            "given" => "Given",
            "when" => "When",
            "then" => "Then",
            _ => return None,
        };
        let (pattern, expression) = if let Ok(literal) = attribute.parse_args::<syn::LitStr>() {
            ("Literal", literal.value())
        } else {
            let meta = attribute.parse_args::<syn::MetaNameValue>().ok()?;
            let pattern = if meta.path.is_ident("expr") { "Expression" } else { "Regex" };
            (pattern, text(&meta.value)?)
        };
        let function_name = function.sig.ident.to_string();
        Some(Step {
            keyword,
            pattern,
            expression,
            doc: doc(&function.attrs),
            function: function_name,
            takes_argument: takes_argument(function),
        })
    })
}

/// Whether the function asks for the step itself, which holds its table and its text.
fn takes_argument(function: &ItemFn) -> bool {
    function.sig.inputs.iter().any(|input| {
        let FnArg::Typed(input) = input else { return false };
        let Type::Reference(reference) = &*input.ty else { return false };
        let Type::Path(path) = &*reference.elem else { return false };
        path.path.segments.last().is_some_and(|segment| segment.ident == "Step")
    })
}

fn parameter_of(type_name: &str, attributes: &[Attribute]) -> Option<Parameter> {
    let attribute = attributes.iter().find(|a| a.path().is_ident("param"))?;
    let mut name = type_name.to_lowercase();
    let mut regex = None;
    attribute
        .parse_nested_meta(|meta| {
            let value: Expr = meta.value()?.parse()?;
            if meta.path.is_ident("name") {
                name = text(&value).unwrap_or_default();
            } else if meta.path.is_ident("regex") {
                regex = text(&value);
            }
            Ok(())
        })
        .ok()?;
    Some(Parameter { name, regex: regex?, doc: doc(attributes) })
}

fn text(value: &Expr) -> Option<String> {
    match value {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(text.value()),
        _ => None,
    }
}

/// The doc comment, its lines trimmed and joined.
fn doc(attributes: &[Attribute]) -> String {
    let lines: Vec<String> = attributes
        .iter()
        .filter(|attribute| attribute.path().is_ident("doc"))
        .filter_map(|attribute| match &attribute.meta {
            Meta::NameValue(meta) => text(&meta.value),
            _ => None,
        })
        .map(|line| line.trim().to_owned())
        .collect();
    lines.join("\n").trim().to_owned()
}

/// One-based numbers of the lines that begin with a step's attribute. `syn` has no line numbers without a feature of
/// `proc-macro2` that slows every macro of the workspace, so the lines are found in the text.
fn step_lines(source: &str) -> Vec<usize> {
    let begins = |line: &str, keyword: &str| {
        line.strip_prefix("#[")
            .and_then(|rest| rest.strip_prefix(keyword))
            .is_some_and(|r| r.starts_with('('))
    };
    source
        .lines()
        .enumerate()
        .filter(|(_, line)| KEYWORDS.iter().any(|keyword| begins(line.trim_start(), keyword)))
        .map(|(index, _)| index + 1)
        .collect()
}

/// The names of the assertions that a source makes; the line of one whose name does not stand there.
fn assertions(source: &str) -> Result<Vec<String>, String> {
    // What the tests of a module make, no feature can.
    let source = source.split("#[cfg(test)]").next().unwrap_or_default();
    let claims = source.split(CLAIM).skip(1);
    claims
        .map(|rest| assertion(rest).ok_or_else(|| rest.lines().next().unwrap_or_default().to_owned()))
        .collect()
}

/// The name by the first two arguments of a claim: the variant of its kind, and a text.
fn assertion(arguments: &str) -> Option<String> {
    let (kind, rest) = arguments.split_once(',')?;
    let kind = kind.trim().trim_start_matches("AssertionKind::");
    let check = rest.trim_start().strip_prefix('"')?.split_once('"')?.0;
    let is_variant = kind.starts_with(|c: char| c.is_ascii_uppercase())
        && kind.chars().all(|c| c.is_ascii_alphabetic())
        && !kind.chars().all(|c| c.is_ascii_uppercase());
    is_variant.then(|| format!("{}.{check}", kind.to_ascii_lowercase()))
}
