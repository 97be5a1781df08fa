//! Which scenarios are meant: paths, lines, tags and names together, never one instead of the other.

use std::{
    collections::{BTreeSet, HashSet},
    path::{Path, PathBuf},
};

use mycelium_gherkin::IdGenerator;
use mycelium_schemas::messages::{FeatureChild, Pickle, RuleChild, Scenario, Tag};
use regex::Regex;

use super::{
    identity::{Identity, identities},
    shard::Shard,
    suite::{Feature, Suite},
    tags::TagExpression,
};
use crate::context::Lane;

/// A `PATH[:LINE]…` argument.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// A feature file or a folder, from the root of the run.
    pub path: PathBuf,
    /// Lines of that file; none means all of it.
    pub lines: Vec<u32>,
}

/// The argument is not a target.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not PATH or PATH:LINE")]
pub struct TargetError(String);

impl std::str::FromStr for Target {
    type Err = TargetError;

    fn from_str(text: &str) -> Result<Self, TargetError> {
        let mut path = text;
        let mut lines = Vec::new();
        while let Some((head, tail)) = path.rsplit_once(':') {
            let Ok(line) = tail.parse() else { break };
            lines.insert(0, line);
            path = head;
        }
        if path.is_empty() {
            return Err(TargetError(text.to_owned()));
        }
        Ok(Self { path: path.into(), lines })
    }
}

/// A line was given that no scenario stands at.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LineError {
    /// It lies before or behind everything in the file.
    #[error("{uri}:{line} is outside of every scenario; the nearest is {uri}:{nearest} {name:?}")]
    Outside {
        /// The file.
        uri: String,
        /// The line that was given.
        line: u32,
        /// The line of the nearest scenario.
        nearest: u32,
        /// Its name.
        name: String,
    },
    /// Lines count within a file, and this is a folder.
    #[error("{path} is a folder, so line {line} means nothing in it; give a feature file")]
    InFolder {
        /// The folder.
        path: String,
        /// The line that was given.
        line: u32,
    },
}

/// Scenarios of an earlier run are not there any more, or in no lane of this one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{} of what the last run left cannot be run again, because it was renamed, removed or moved to another lane:\n{}\nrun it under its new name, or run everything, without --rerun",
    .0.len(),
    list(.0)
)]
pub struct GoneError(Vec<Identity>);

fn list(gone: &[Identity]) -> String {
    gone.iter().map(|identity| format!("  {identity}")).collect::<Vec<_>>().join("\n")
}

/// What a run is limited to, besides its lane.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Files, folders and lines; none means all features.
    pub targets: Vec<Target>,
    /// A tag expression.
    pub tags: Option<TagExpression>,
    /// A pattern of the scenario's name.
    pub name: Option<Regex>,
    /// The scenarios that an earlier run left to be run again.
    pub again: Option<BTreeSet<Identity>>,
    /// One part of what all of this selects.
    pub shard: Option<Shard>,
    /// Takes scenarios of any lane and of none: those of features that know no lanes.
    pub any_lane: bool,
}

impl Filter {
    /// Why a run under this filter is only a part; empty where nothing is filtered.
    pub fn partial_reasons(&self) -> Vec<String> {
        let given = [
            (!self.targets.is_empty(), "limited to given paths"),
            (self.tags.is_some(), "limited by --tags"),
            (self.name.is_some(), "limited by --name"),
            (self.again.is_some(), "limited to what an earlier run left"),
        ];
        let given = given.iter().filter(|(is_given, _)| *is_given).map(|(_, reason)| (*reason).to_owned());
        given.chain(self.shard.map(Shard::reason)).collect()
    }

    /// Whether every line that was given lies within its file's scenarios. One beyond would mean the last of them.
    pub fn check_lines(&self, suite: &Suite) -> Result<(), LineError> {
        for target in &self.targets {
            let Some(line) = target.lines.first().copied() else { continue };
            let Some(file) = suite.files.iter().find(|file| Path::new(&file.uri) == target.path) else {
                return Err(LineError::InFolder { path: target.path.display().to_string(), line });
            };
            // A file that does not parse is the lint's business.
            let Ok(feature) = file.parse(&mut IdGenerator::new()) else { continue };
            // Blank lines at the end belong to nothing.
            let end = file.source.trim_end().lines().count();
            for line in &target.lines {
                check_line(&file.uri, &feature, end, *line)?;
            }
        }
        Ok(())
    }

    /// Whether each scenario that is to run again is still there, as far as the paths reach. One that is not would be
    /// forgotten.
    pub fn check_again(&self, suite: &Suite, lane: Lane) -> Result<(), GoneError> {
        let Some(again) = &self.again else { return Ok(()) };
        let is_within = |target: &Target, uri: &str| Path::new(uri).starts_with(&target.path);
        let mut gone: BTreeSet<&Identity> = again
            .iter()
            .filter(|identity| {
                let targets = &self.targets;
                targets.is_empty() || targets.iter().any(|target| is_within(target, identity.uri()))
            })
            .collect();
        let everything = Self { any_lane: self.any_lane, ..Self::default() };
        for feature in suite.features() {
            for (identity, _) in everything.select_of(&feature, lane) {
                gone.remove(&identity);
            }
        }
        if gone.is_empty() { Ok(()) } else { Err(GoneError(gone.into_iter().cloned().collect())) }
    }

    /// The scenarios of a lane that the filter selects.
    pub fn select(&self, suite: &Suite, lane: Lane) -> Vec<Pickle> {
        let features = suite.features();
        let selected = features.flat_map(|feature| {
            let selected = self.select_of(&feature, lane);
            selected.into_iter().map(|(identity, pickle)| (identity, pickle.clone())).collect::<Vec<_>>()
        });
        self.part(selected.collect())
    }

    /// The scenarios of one feature, without regard to the shard.
    pub(super) fn select_of<'a>(&self, feature: &'a Feature, lane: Lane) -> Vec<(Identity, &'a Pickle)> {
        let lane_tag = format!("@{}", lane.as_str());
        let named = identities(&feature.pickles).into_iter().zip(&feature.pickles);
        let places = self.places(feature);
        named
            .filter(|(identity, pickle)| {
                let tags = || pickle.tags.iter().map(|tag| tag.name.as_str());
                (self.any_lane || tags().any(|tag| tag == lane_tag))
                    && self.tags.as_ref().is_none_or(|expression| expression.matches(tags()))
                    && self.name.as_ref().is_none_or(|name| name.is_match(&pickle.name))
                    && self.again.as_ref().is_none_or(|again| again.contains(identity))
                    && places.as_ref().is_none_or(|places| places.contains(pickle.id.as_str()))
            })
            .collect()
    }

    /// Of what is selected the part that the shard means.
    pub(super) fn part<T>(&self, selected: Vec<(Identity, T)>) -> Vec<T> {
        match self.shard {
            Some(shard) => shard.keep(selected),
            None => selected.into_iter().map(|(_, scenario)| scenario).collect(),
        }
    }

    /// The ids of the pickles of a feature that the targets mean; none where they mean all of it.
    fn places<'a>(&self, feature: &'a Feature) -> Option<HashSet<&'a str>> {
        if self.targets.is_empty() {
            return None;
        }
        let uri = feature.document.uri.as_deref().unwrap_or_default();
        let targets = self.targets.iter().filter(|target| Path::new(uri).starts_with(&target.path));
        if targets.clone().any(|target| target.lines.is_empty()) {
            return None;
        }
        let lines = targets.flat_map(|target| &target.lines);
        let sections = sections(feature);
        Some(lines.flat_map(|line| at_line(feature, &sections, *line)).collect())
    }
}

/// The pickles that a line of the file means: a row of examples means that row, a line of a scenario its pickles, a line
/// of a rule or of the feature (or of their backgrounds) everything in it.
fn at_line<'a>(feature: &'a Feature, sections: &[Section<'_>], line: u32) -> Vec<&'a str> {
    let Some(section) = sections.iter().rfind(|section| section.first_line <= line) else {
        return Vec::new();
    };
    let scenarios: HashSet<&str> = section.scenarios.iter().map(|scenario| scenario.id.as_str()).collect();
    let row = section
        .scenarios
        .iter()
        .flat_map(|scenario| &scenario.examples)
        .flat_map(|examples| &examples.table_body)
        .find(|row| row.location.line == line);
    let is_meant = |pickle: &&Pickle| {
        pickle.ast_node_ids.first().is_some_and(|id| scenarios.contains(id.as_str()))
            && row.is_none_or(|row| pickle.ast_node_ids.contains(&row.id))
    };
    feature.pickles.iter().filter(is_meant).map(|pickle| pickle.id.as_str()).collect()
}

/// A file without scenarios is the lint's business.
fn check_line(uri: &str, feature: &Feature, end: usize, line: u32) -> Result<(), LineError> {
    let scenarios = feature.scenarios();
    let Some(nearest) = scenarios.iter().min_by_key(|scenario| scenario.location.line.abs_diff(line)) else {
        return Ok(());
    };
    let begin = sections(feature).first().map_or(1, |section| section.first_line);
    if line >= begin && usize::try_from(line).is_ok_and(|line| line <= end) {
        return Ok(());
    }
    Err(LineError::Outside {
        uri: uri.to_owned(),
        line,
        nearest: nearest.location.line,
        name: nearest.name.clone(),
    })
}

/// A part of a file, from its first line to the next part.
struct Section<'a> {
    first_line: u32,
    scenarios: Vec<&'a Scenario>,
}

impl<'a> Section<'a> {
    fn of(scenario: &'a Scenario) -> Self {
        Self { first_line: first_line(&scenario.tags, scenario.location.line), scenarios: vec![scenario] }
    }
}

fn sections(feature: &Feature) -> Vec<Section<'_>> {
    let Some(node) = &feature.document.feature else { return Vec::new() };
    let mut sections = vec![Section {
        first_line: first_line(&node.tags, node.location.line),
        scenarios: feature.scenarios(),
    }];
    for child in &node.children {
        match child {
            FeatureChild::Background(_) => {}
            FeatureChild::Scenario(scenario) => sections.push(Section::of(scenario)),
            FeatureChild::Rule(rule) => {
                let scenarios: Vec<&Scenario> = rule
                    .children
                    .iter()
                    .filter_map(|child| match child {
                        RuleChild::Scenario(scenario) => Some(scenario),
                        RuleChild::Background(_) => None,
                    })
                    .collect();
                sections.push(Section {
                    first_line: first_line(&rule.tags, rule.location.line),
                    scenarios: scenarios.clone(),
                });
                sections.extend(scenarios.into_iter().map(Section::of));
            }
        }
    }
    sections
}

fn first_line(tags: &[Tag], keyword_line: u32) -> u32 {
    tags.iter().map(|tag| tag.location.line).min().unwrap_or(keyword_line)
}

#[cfg(test)]
mod tests {
    use mycelium_schemas::evidence::LIMITED;

    use super::*;

    #[test]
    fn whoever_asks_for_a_part_is_told_from_whoever_lost_one() {
        let filter = Filter {
            targets: vec!["a.feature".parse().unwrap()],
            tags: Some("@mock".parse().unwrap()),
            name: Some(Regex::new("a").unwrap()),
            again: Some(BTreeSet::new()),
            ..Filter::default()
        };
        let reasons = filter.partial_reasons();
        assert!(
            reasons.len() == 4 && reasons.iter().all(|reason| reason.starts_with(LIMITED)),
            "{reasons:?}"
        );
    }

    #[test]
    fn a_target_is_a_path_with_lines_behind_it() {
        let target = |text: &str| text.parse::<Target>().unwrap();
        assert_eq!(target("features/a.feature"), Target { path: "features/a.feature".into(), lines: vec![] });
        assert_eq!(target("a.feature:12:20"), Target { path: "a.feature".into(), lines: vec![12, 20] });
        assert_eq!(target("odd:name.feature:3"), Target { path: "odd:name.feature".into(), lines: vec![3] });
        assert!(":12".parse::<Target>().is_err());
    }
}
