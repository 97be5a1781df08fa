//! `accept steps`: the vocabulary of features, for those who write them.

use std::fs;

use crate::{
    catalogue::Keyword,
    cli::{
        args::StepsArgs,
        console::{Console, Stream, Tone},
        error::CliError,
        last_run,
        project::{Project, write},
        steps::{Duration, Entry, ParameterEntry, durations, entries, markdown},
    },
    runner::Loader,
};

/// The committed page.
const PAGE: &str = "docs/steps.md";

pub(in crate::cli) fn run(console: &Console, load: Loader, args: &StepsArgs) -> Result<u8, CliError> {
    let library = load()?;
    let project = Project::locate();
    let suite = match &project {
        // What is said of all features is said of nothing less.
        Ok(project) if args.check || args.write || args.unused => Some(project.parsed_suite(&[])?),
        Ok(project) => project.suite(&[]).ok(),
        // Outside a checkout the catalogue alone still helps.
        Err(_) => None,
    };
    let mut entries = entries(library.vocabulary(), suite.as_ref());
    if args.check || args.write {
        return page(console, &project?, &markdown(&entries), args.check);
    }
    let search = args.search.as_deref().unwrap_or_default().to_lowercase();
    // Where nothing says it so, its words may stand apart, in any order.
    let is_said_so = entries.iter().any(|entry| entry.speaks_of(&search));
    let words: Vec<&str> =
        if is_said_so { vec![search.as_str()] } else { search.split_whitespace().collect() };
    entries.retain(|entry| words.iter().all(|word| entry.speaks_of(word)));
    let is_spoken_of = !entries.is_empty();
    if args.unused {
        project?;
        entries.retain(|entry| entry.uses == Some(0));
    } else if args.slow {
        let durations = durations(&last_run::stream(&args.out.folder(&project?))?);
        for entry in &mut entries {
            let key = (entry.place.clone(), entry.expression.to_owned());
            entry.duration = durations.get(&key).copied();
        }
        entries.retain(|entry| entry.duration.is_some());
        entries.sort_by_key(|entry| std::cmp::Reverse(entry.duration.map(Duration::mean_ms)));
    }
    console.document(&entries)?;
    if !console.json {
        print(console, &entries, args)?;
    }
    if entries.is_empty() {
        return Ok(tell_nothing_found(console, args, is_spoken_of));
    }
    Ok(0)
}

/// Why nothing is listed, with the exit code. That no step is unused is good news, where there are steps.
fn tell_nothing_found(console: &Console, args: &StepsArgs, is_spoken_of: bool) -> u8 {
    let search = args.search.as_deref().unwrap_or_default();
    if !is_spoken_of {
        console.say(format_args!("no step speaks of {search:?}"));
        return 1;
    }
    let which = if search.is_empty() { String::new() } else { format!(" that speaks of {search:?}") };
    if args.unused {
        console.say(format_args!("every step{which} is used"));
        return 0;
    }
    // Only what did not run is left out else.
    console.say(format_args!("no step{which} ran in the last run"));
    1
}

fn page(console: &Console, project: &Project, fresh: &str, check: bool) -> Result<u8, CliError> {
    let path = project.root.join(PAGE);
    if !check {
        write(&path, fresh.as_bytes())?;
        console.say(format_args!("wrote {PAGE}"));
        return Ok(0);
    }
    if fs::read(&path).ok().as_deref() == Some(fresh.as_bytes()) {
        console.say(format_args!("{PAGE} is up to date"));
        return Ok(0);
    }
    console.say(format_args!("{PAGE} is not up to date; run `cargo accept steps --write` and commit it"));
    Ok(1)
}

fn print(console: &Console, entries: &[Entry], args: &StepsArgs) -> Result<(), CliError> {
    let mut group: Option<Keyword> = None;
    for entry in entries {
        if !args.slow && group.replace(entry.keyword) != Some(entry.keyword) {
            let title = format!("{}\n", entry.keyword).to_uppercase();
            console.print(console.paint_for(Stream::Out, Tone::Dim, &title))?;
        }
        print_step(console, entry)?;
    }
    Ok(())
}

fn print_step(console: &Console, entry: &Entry) -> Result<(), CliError> {
    let paint = |tone, text: &str| console.paint_for(Stream::Out, tone, text);
    let negative = if entry.negative { "  (says what must not happen)" } else { "" };
    let head = format!("{} {}", entry.keyword, entry.expression);
    console.print(format_args!("{}{}", paint(Tone::Strong, &head), paint(Tone::Warn, negative)))?;
    for line in entry.doc.lines() {
        console.print(format_args!("    {line}"))?;
    }
    for ParameterEntry { name, doc, values } in &entry.parameters {
        console.print(format_args!("    {{{name}}}  {}", doc.replace('\n', " ")))?;
        if let Some(values) = values {
            console.print(format_args!("        {}", values.join(", ")))?;
        }
    }
    if let Some(example) = &entry.example {
        console.print(format_args!("    for example, {}:", example.place))?;
        for line in example.text.lines() {
            console.print(paint(Tone::Good, &format!("        {line}")))?;
        }
    }
    if let Some(duration) = entry.duration {
        console.print(format_args!(
            "    {} ms in the mean, {} ms at most, {} times in the last run",
            duration.mean_ms(),
            duration.longest_ms,
            duration.runs
        ))?;
    }
    match entry.uses {
        Some(1) => console.print(format_args!("    {}, used once\n", entry.place)),
        Some(uses) => console.print(format_args!("    {}, used {uses} times\n", entry.place)),
        None => console.print(format_args!("    {}\n", entry.place)),
    }
}
