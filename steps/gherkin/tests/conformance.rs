//! The official test data: every good file gives the expected tree and pickles, ids included, every bad one the
//! expected errors.

mod official;

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use mycelium_gherkin::{IdGenerator, compile, parse};
use mycelium_schemas::messages::{Envelope, Source, SourceMediaType};

/// The `.feature` files of one folder of the official data, with the uris that its messages use.
fn features(dir: &Path, folder: &str) -> io::Result<Vec<(PathBuf, String)>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(dir.join(folder))? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.path().extension().is_some_and(|extension| extension == "feature") {
            files.push((entry.path(), format!("../testdata/{folder}/{name}")));
        }
    }
    files.sort();
    Ok(files)
}

/// The messages that the official data expects for a file.
fn expected(feature: &Path, suffix: &str) -> io::Result<Vec<Envelope>> {
    let text = fs::read_to_string(format!("{}.{suffix}.ndjson", feature.display()))?;
    Ok(text.lines().map(serde_json::from_str).collect::<Result<_, _>>()?)
}

/// The text of a file as its official `source` message holds it. A copy of the data that went through git may have
/// lost its CRLF line endings; the message has not.
fn official_source(feature: &Path, uri: &str) -> io::Result<String> {
    let copy = fs::read_to_string(feature)?;
    match expected(feature, "source")?.as_slice() {
        [Envelope::Source(source)]
            if source.uri == uri
                && source.media_type == SourceMediaType::Plain
                && source.data.replace("\r\n", "\n") == copy.replace("\r\n", "\n") =>
        {
            Ok(source.data.clone())
        }
        other => Err(io::Error::other(format!("{uri} is not its own source: {other:?}"))),
    }
}

#[test]
fn every_good_file_gives_the_official_tree_and_pickles() {
    let Some(dir) = official::data("gherkin-testdata") else { return official::skip("gherkin-testdata") };
    let files = features(&dir, "good").unwrap();
    let mut failures = Vec::new();
    for (file, uri) in &files {
        let source = official_source(file, uri).unwrap();
        let mut ids = IdGenerator::new();
        let document = match parse(uri, &source, &mut ids) {
            Ok(document) => document,
            Err(errors) => {
                failures.push(format!("{uri}: {errors:#?}"));
                continue;
            }
        };
        let pickles: Vec<_> = compile(&document, uri, &mut ids).into_iter().map(Envelope::Pickle).collect();
        for (suffix, found) in [("ast", vec![Envelope::GherkinDocument(document)]), ("pickles", pickles)] {
            let wanted = expected(file, suffix).unwrap();
            if found != wanted {
                failures.push(format!("{uri} {suffix}:\nexpected {wanted:#?}\nfound {found:#?}"));
                break;
            }
        }
    }
    report("good", files.len(), 50, &failures);
}

#[test]
fn every_bad_file_gives_the_official_errors() {
    let Some(dir) = official::data("gherkin-testdata") else { return official::skip("gherkin-testdata") };
    let files = features(&dir, "bad").unwrap();
    let mut failures = Vec::new();
    for (file, uri) in &files {
        let data = fs::read_to_string(file).unwrap();
        let errors = parse(uri, &data, &mut IdGenerator::new()).err().unwrap_or_default();
        let found: Vec<_> = errors.iter().map(|error| Envelope::ParseError(error.to_message(uri))).collect();
        let wanted = expected(file, "errors").unwrap();
        if found != wanted {
            failures.push(format!("{uri}:\nexpected {wanted:#?}\nfound {found:#?}"));
        }
    }
    report("bad", files.len(), 12, &failures);
}

#[test]
fn every_stream_of_the_compatibility_kit_holds_the_trees_and_pickles_that_its_sources_give() {
    let Some(dir) = official::data("cck-samples") else { return official::skip("cck-samples") };
    let mut total = 0;
    let mut failures = Vec::new();
    for sample in fs::read_dir(dir).unwrap() {
        let path = sample.unwrap().path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let text = fs::read_to_string(path.join(format!("{name}.ndjson"))).unwrap();
        let stream: Vec<Envelope> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        if let Some((found, wanted)) = trees_and_pickles(&stream) {
            total += 1;
            if found != wanted {
                failures.push(format!("{name}:\nexpected {wanted:#?}\nfound {found:#?}"));
            }
        }
    }
    report("compatibility kit", total, 45, &failures);
}

/// What the sources of a stream give, and what the stream holds. Nothing for a stream of Gherkin in Markdown.
fn trees_and_pickles(stream: &[Envelope]) -> Option<(Vec<Envelope>, Vec<Envelope>)> {
    let mut ids = IdGenerator::new();
    let mut found = Vec::new();
    let mut wanted = Vec::new();
    for envelope in stream {
        match envelope {
            Envelope::Source(source) if source.media_type == SourceMediaType::Markdown => return None,
            Envelope::Source(Source { uri, data, .. }) => match parse(uri, data, &mut ids) {
                Ok(document) => {
                    let pickles = compile(&document, uri, &mut ids);
                    found.push(Envelope::GherkinDocument(document));
                    found.extend(pickles.into_iter().map(Envelope::Pickle));
                }
                Err(errors) => {
                    found.extend(errors.iter().map(|error| Envelope::ParseError(error.to_message(uri))));
                }
            },
            Envelope::GherkinDocument(_) | Envelope::Pickle(_) | Envelope::ParseError(_) => {
                wanted.push(envelope.clone());
            }
            _ => {}
        }
    }
    Some((found, wanted))
}

/// Prints the count; fewer files than the data had when this was written is a failure too.
#[expect(clippy::print_stdout, reason = "the count is the result of the test")]
fn report(folder: &str, total: usize, least: usize, failures: &[String]) {
    println!("{folder}: {}/{total} identical to the official data", total - failures.len());
    assert!(total >= least, "only {total} files in {folder}");
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}
