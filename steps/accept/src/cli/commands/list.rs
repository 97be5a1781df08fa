//! `accept list`: which scenarios there are, and what they prove.

use serde::Serialize;

use crate::{
    cli::{args::ListArgs, console::Console, error::CliError, project::Project},
    context::Lane,
    runner::Filter,
    visible::visible,
};

#[derive(Debug, Serialize)]
struct Listed {
    place: String,
    name: String,
    tags: Vec<String>,
}

pub(in crate::cli) fn run(console: &Console, args: ListArgs) -> Result<u8, CliError> {
    let project = Project::locate()?;
    let targets = project.targets(args.filter.targets);
    let paths: Vec<_> = targets.iter().map(|target| target.path.clone()).collect();
    let suite = project.parsed_suite(&paths)?;
    let filter = Filter {
        targets,
        tags: args.filter.tags,
        name: args.filter.name,
        any_lane: true,
        ..Filter::default()
    };
    filter.check_lines(&suite)?;
    let listed: Vec<Listed> = filter
        .select(&suite, Lane::Mock)
        .into_iter()
        .map(|pickle| Listed {
            place: format!("{}:{}", pickle.uri, pickle.location.map_or(0, |location| location.line)),
            name: pickle.name,
            tags: pickle.tags.iter().map(|tag| tag.name.clone()).collect(),
        })
        .collect();
    console.document(&listed)?;
    if !console.json {
        for scenario in &listed {
            console.print(format_args!(
                "{}  {}  {}",
                scenario.place,
                visible(&scenario.name),
                scenario.tags.join(" ")
            ))?;
        }
    }
    if listed.is_empty() {
        console.say("no scenario is selected");
    }
    Ok(u8::from(listed.is_empty()))
}
