//! Goals and scenarios as earlier commits have them, and what differs from them: read from git, written nowhere.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    fs,
    path::{Path, PathBuf},
};

use git2::{
    Commit, ErrorClass, ErrorCode, ObjectType, Oid, Repository, Revwalk, Tree, TreeEntry, TreeWalkMode,
    TreeWalkResult,
};
use mycelium_gherkin::ParseError;
use mycelium_reports::shell_word;
use mycelium_schemas::{
    goal::{
        GoalId,
        links::{Fingerprint, ReviewedLink},
        quarantine::QuarantineEntry,
        spec::{self, Goal},
    },
    matrix::ScenarioKey,
    problem::{Problem, Source},
};
use mycelium_traceability::{
    Catalogue, LockHistory, ScenarioSpec, Side, entries_of, goal_fingerprint, scenarios_fingerprint,
};

use super::{
    error::CliError,
    project::{BACKLOG, BASELINES, DENOMINATOR, FEATURES, Project, QUARANTINE, TRACEABILITY, catalogue},
};
use crate::runner::suite::Suite;

/// Why an earlier state cannot be told.
#[derive(Debug, thiserror::Error)]
pub(super) enum HistoryError {
    #[error("this is not a git repository, so nothing earlier can be compared with")]
    NoRepository(#[source] git2::Error),
    #[error("{rev:?} is no commit of this repository; a shallow clone lacks earlier ones")]
    UnknownRevision { rev: String, source: git2::Error },
    #[error("the goals of {rev} have {} problem(s):\n{}", problems.len(), lines(problems))]
    Goals { rev: String, problems: Vec<Problem> },
    #[error("the features of {rev} do not parse:\n{}", .problems.join("\n"))]
    Features { rev: String, problems: Vec<String> },
    #[error(
        "git refuses to read this checkout, because it is somebody else's; if you trust it: git config --global --add safe.directory {0}"
    )]
    OtherOwner(String),
    #[error(
        "earlier commits lack objects here that the gates read, as in a partial clone; fetch all of them: git fetch --refetch --no-filter"
    )]
    Partial(#[source] git2::Error),
    #[error("cannot read the history")]
    Unreadable(#[source] git2::Error),
}

impl From<git2::Error> for HistoryError {
    fn from(error: git2::Error) -> Self {
        if error.code() == ErrorCode::NotFound && error.class() == ErrorClass::Odb {
            Self::Partial(error)
        } else {
            Self::Unreadable(error)
        }
    }
}

fn lines(problems: &[Problem]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

/// The state of a commit.
#[derive(Debug)]
pub(super) struct Past {
    /// Its id in full.
    pub(super) commit: String,
    pub(super) goals: Vec<Goal>,
    pub(super) catalogue: Catalogue,
}

/// What earlier commits have of some files of `traceability/`.
#[derive(Debug, Default)]
pub(super) struct Earlier {
    /// What was promised.
    pub(super) locked: LockHistory,
    /// The scenarios in quarantine.
    pub(super) quarantined: Vec<QuarantineEntry>,
    /// The baselines of the benchmarks.
    pub(super) measured: Vec<Source>,
}

/// The files of which earlier versions count.
const KEPT: [&str; 4] = [DENOMINATOR, QUARANTINE, BACKLOG, BASELINES];
/// The mode of a link in a tree, and that of another repository's commit.
const MODES_ELSEWHERE: [i32; 2] = [0o120_000, 0o160_000];

/// The commits of a checkout.
pub(super) struct History {
    repository: Repository,
    /// The checkout's root in the repository.
    root: PathBuf,
}

impl History {
    /// That of a checkout.
    pub(super) fn of(project: &Project) -> Result<Self, HistoryError> {
        let repository = Repository::discover(&project.root).map_err(|error| {
            if error.code() == ErrorCode::Owner {
                let is_repository = |folder: &&Path| folder.join(".git").exists();
                let top = project.root.ancestors().find(is_repository).unwrap_or(&project.root);
                HistoryError::OtherOwner(shell_word(&top.to_string_lossy()))
            } else {
                HistoryError::NoRepository(error)
            }
        })?;
        let canonical = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
        let above = repository.workdir().map(canonical).unwrap_or_default();
        let root = canonical(&project.root).strip_prefix(above).map(Path::to_owned).unwrap_or_default();
        Ok(Self { repository, root })
    }

    /// Whether this is a clone that was made without some of the objects; they may have come since.
    pub(super) fn is_partial(&self) -> bool {
        self.repository.config().is_ok_and(|config| {
            let promisors = config.entries(Some(r"^remote\..*\.promisor$"));
            config.get_string("extensions.partialclone").is_ok()
                || promisors.is_ok_and(|mut found| found.next().is_some())
        })
    }

    /// Goals and scenarios at a revision. What was there before any goal is an empty state.
    pub(super) fn at(&self, rev: &str) -> Result<Past, CliError> {
        let commit = self.commit(rev)?;
        let tree = commit.tree().map_err(HistoryError::from)?;
        let sources = self.goal_sources(&tree, rev)?;
        let goals = spec::parse_all(&sources)
            .map_err(|problems| HistoryError::Goals { rev: rev.to_owned(), problems })?;
        let features = self.contents(&self.features(&tree)?)?;
        let suite = suite_of(&features);
        let problems = unparsed(&suite, rev);
        if !problems.is_empty() {
            return Err(HistoryError::Features { rev: rev.to_owned(), problems }.into());
        }
        Ok(Past { commit: commit.id().to_string(), goals, catalogue: catalogue(&suite)? })
    }

    /// The scenarios of a catalogue that no scenario of the same file equals where the current branch left `rev`. Three
    /// of four flaky tests are flaky when they are added (Lam et al., OOPSLA 2020), so those are worth the most runs.
    pub(super) fn new_or_changed(
        &self,
        now: &Catalogue,
        rev: &str,
    ) -> Result<BTreeSet<ScenarioKey>, CliError> {
        let features = self.contents(&self.features(&self.left(rev)?)?)?;
        // A file that did not parse then has no scenario that anybody relied on.
        let before = catalogue(&suite_of(&features))?;
        let known: BTreeSet<(&str, String)> =
            before.iter().map(|spec| (spec.key.uri.as_str(), spec.fingerprint().to_string())).collect();
        let is_new =
            |spec: &&ScenarioSpec| !known.contains(&(spec.key.uri.as_str(), spec.fingerprint().to_string()));
        Ok(now.iter().filter(is_new).map(|spec| spec.key.clone()).collect())
    }

    fn commit(&self, rev: &str) -> Result<Commit<'_>, HistoryError> {
        let found = self.repository.revparse_single(rev).and_then(|found| found.peel_to_commit());
        found.map_err(|source| HistoryError::UnknownRevision { rev: rev.to_owned(), source })
    }

    /// The tree of the merge base of `rev` and the current commit.
    fn left(&self, rev: &str) -> Result<Tree<'_>, HistoryError> {
        let theirs = self.commit(rev)?;
        let ours = self.repository.head()?.peel_to_commit()?;
        let base = self.repository.merge_base(ours.id(), theirs.id())?;
        Ok(self.repository.find_commit(base)?.tree()?)
    }

    /// What the commits that lead to the current one have of what may only be given up openly, the newest first, in
    /// whatever folder it stood: a project that moves takes its promises along.
    pub(super) fn earlier(&self) -> Result<Earlier, HistoryError> {
        let (mut earlier, mut seen) = (Earlier::default(), HashSet::new());
        earlier.locked.gaps.extend(self.cut_off());
        for id in self.commits()? {
            let commit = self.repository.find_commit(id?)?;
            let tree = commit.tree()?;
            let mut elsewhere = Vec::new();
            if tree.get_path(&self.root.join(TRACEABILITY)).is_ok_and(|entry| is_elsewhere(&entry)) {
                elsewhere.push(TRACEABILITY);
            }
            for (name, found) in self.new_files(tree.id(), &mut seen)? {
                let Some(found) = found else {
                    elsewhere.push(name);
                    continue;
                };
                let version = Source::new(format!("commit {}", commit.id()), self.text(found)?);
                match name {
                    DENOMINATOR => earlier.locked.versions.push(version),
                    BACKLOG => earlier.locked.backlogs.push(version),
                    BASELINES => earlier.measured.push(version),
                    _ => earlier.quarantined.extend(entries_of(&version)),
                }
            }
            earlier.locked.gaps.extend(elsewhere.into_iter().map(|name| {
                format!(
                    "In commit {} {name} is a link, so nobody knows what was locked there: take it out of the branch \
                     (git rebase).",
                    commit.id()
                )
            }));
        }
        Ok(earlier)
    }

    /// Why earlier commits are not there, and what to do.
    fn cut_off(&self) -> Option<String> {
        let grafts = self.repository.commondir().join("info/grafts");
        let mend = if fs::metadata(&grafts).is_ok_and(|file| file.len() > 0) {
            format!("remove {}", grafts.display())
        } else if self.repository.is_shallow() {
            "fetch all of it (git fetch --unshallow)".to_owned()
        } else {
            return None;
        };
        Some(format!("The history is cut off, so nobody knows what was locked: {mend}."))
    }

    /// The kept files of a tree that were not seen before, with their names; without an id where a link stands in the
    /// place of one. Each folder is read once, however many commits have it.
    fn new_files(
        &self,
        root: Oid,
        seen: &mut HashSet<(Oid, &'static str)>,
    ) -> Result<Vec<(&'static str, Option<Oid>)>, HistoryError> {
        let mut found = Vec::new();
        let mut open = vec![(root, "")];
        while let Some((id, folder)) = open.pop() {
            if !seen.insert((id, folder)) {
                continue;
            }
            for entry in &self.repository.find_tree(id)? {
                let is = |name: &&str| entry.name_bytes() == name.as_bytes();
                let kept = KEPT.into_iter().find(is).filter(|_| folder == TRACEABILITY);
                match (entry.kind(), kept) {
                    (Some(ObjectType::Tree), _) => {
                        let name = Some(TRACEABILITY).filter(|name| is(name)).unwrap_or_default();
                        open.push((entry.id(), name));
                    }
                    (_, Some(name)) if is_elsewhere(&entry) => found.push((name, None)),
                    (Some(ObjectType::Blob), Some(name)) if seen.insert((entry.id(), name)) => {
                        found.push((name, Some(entry.id())));
                    }
                    _ => {}
                }
            }
        }
        Ok(found)
    }

    /// The commits that lead to the current one, itself first; none where there is none yet.
    fn commits(&self) -> Result<Revwalk<'_>, HistoryError> {
        let mut walk = self.repository.revwalk()?;
        walk.set_sorting(git2::Sort::TOPOLOGICAL | git2::Sort::TIME)?;
        match self.repository.head() {
            Err(error) if error.code() == ErrorCode::UnbornBranch => {}
            head => walk.push(head?.peel_to_commit()?.id())?,
        }
        Ok(walk)
    }

    /// A goal and its scenarios as they were when somebody reviewed them: those of the newest commit with the
    /// fingerprints of the review. None where no commit that can be reached has them.
    pub(super) fn reviewed(&self, link: &ReviewedLink) -> Result<Option<Side>, HistoryError> {
        let mut search = Search::new(link);
        for id in self.commits()? {
            let commit = self.repository.find_commit(id?)?;
            if let Some(side) = search.look_at(self, &commit)? {
                return Ok(Some(side));
            }
        }
        Ok(None)
    }

    fn goal_sources(&self, tree: &Tree<'_>, rev: &str) -> Result<Vec<Source>, HistoryError> {
        let folder = self.root.join(TRACEABILITY).join("goals");
        let Ok(entry) = tree.get_path(&folder) else { return Ok(Vec::new()) };
        let goals = self.repository.find_tree(entry.id())?;
        let mut sources = Vec::new();
        for entry in &goals {
            let name = String::from_utf8_lossy(entry.name_bytes()).into_owned();
            if Path::new(&name).extension().is_some_and(|extension| extension == "yaml") {
                let text = self.text(entry.id())?;
                sources.push(Source::new(format!("{rev}:{TRACEABILITY}/goals/{name}"), text));
            }
        }
        Ok(sources)
    }

    /// The feature files of a tree: path from the checkout's root, and content.
    fn features(&self, tree: &Tree<'_>) -> Result<BTreeMap<String, Oid>, HistoryError> {
        let Ok(entry) = tree.get_path(&self.root.join(FEATURES)) else { return Ok(BTreeMap::new()) };
        self.features_below(entry.id())
    }

    fn features_below(&self, folder: Oid) -> Result<BTreeMap<String, Oid>, HistoryError> {
        let mut found = BTreeMap::new();
        self.repository.find_tree(folder)?.walk(TreeWalkMode::PreOrder, |folder, entry| {
            let name = String::from_utf8_lossy(entry.name_bytes());
            let is_feature = Path::new(&*name).extension().is_some_and(|extension| extension == "feature");
            if entry.kind() == Some(ObjectType::Blob) && is_feature {
                found.insert(format!("{FEATURES}/{folder}{name}"), entry.id());
            }
            TreeWalkResult::Ok
        })?;
        Ok(found)
    }

    fn contents(&self, files: &BTreeMap<String, Oid>) -> Result<BTreeMap<String, Vec<u8>>, HistoryError> {
        let read = |(path, id): (&String, &Oid)| Ok((path.clone(), self.bytes(*id)?));
        files.iter().map(read).collect()
    }

    fn bytes(&self, id: Oid) -> Result<Vec<u8>, HistoryError> {
        Ok(self.repository.find_blob(id)?.content().to_vec())
    }

    fn text(&self, id: Oid) -> Result<String, HistoryError> {
        Ok(String::from_utf8_lossy(&self.bytes(id)?).into_owned())
    }
}

/// Whether an entry of a tree only says where something is: what that is has no history here.
fn is_elsewhere(entry: &TreeEntry<'_>) -> bool {
    MODES_ELSEWHERE.contains(&entry.filemode())
}

fn suite_of(features: &BTreeMap<String, Vec<u8>>) -> Suite {
    Suite::of_contents(features.iter().map(|(uri, bytes)| (uri.as_str(), bytes.as_slice())))
}

fn unparsed(suite: &Suite, rev: &str) -> Vec<String> {
    let broken = suite.parsed().filter_map(|(file, parsed)| parsed.err().map(|errors| (file, errors)));
    let lines = broken.flat_map(|(file, errors)| {
        let at = |error: ParseError| format!("{rev}:{}:{}: {}", file.uri, error.location.line, error.kind);
        errors.into_iter().map(at).collect::<Vec<_>>()
    });
    lines.collect()
}

/// The search for what a review was about. Each version of the goal and of its features is read once.
struct Search<'l> {
    id: GoalId,
    link: &'l ReviewedLink,
    goal: Option<Goal>,
    scenarios: Option<Vec<ScenarioSpec>>,
    goals_seen: HashSet<Oid>,
    folders_seen: HashSet<Oid>,
    /// Whether a feature names the goal.
    names_goal: HashMap<Oid, bool>,
}

impl<'l> Search<'l> {
    fn new(link: &'l ReviewedLink) -> Self {
        Self {
            id: link.goal,
            link,
            goal: None,
            scenarios: None,
            goals_seen: HashSet::new(),
            folders_seen: HashSet::new(),
            names_goal: HashMap::new(),
        }
    }

    /// Looks at a commit; what was reviewed, once both parts of it are found.
    fn look_at(&mut self, history: &History, commit: &Commit<'_>) -> Result<Option<Side>, HistoryError> {
        let tree = commit.tree()?;
        self.look_at_goal(history, &tree)?;
        self.look_at_features(history, &tree)?;
        if self.goal.is_none() {
            return Ok(None);
        }
        let Some(scenarios) = self.scenarios.clone() else { return Ok(None) };
        Ok(Some(Side { goal: self.goal.take(), scenarios }))
    }

    fn look_at_goal(&mut self, history: &History, tree: &Tree<'_>) -> Result<(), HistoryError> {
        let name = format!("{}.yaml", self.id);
        let path = history.root.join(TRACEABILITY).join("goals").join(&name);
        let Ok(entry) = tree.get_path(&path) else { return Ok(()) };
        if self.goal.is_some() || !self.goals_seen.insert(entry.id()) {
            return Ok(());
        }
        // What cannot be read was not reviewed by this version's fingerprint.
        let read = spec::parse(&Source::new(name, history.text(entry.id())?)).ok();
        self.goal = read.filter(|goal| goal_fingerprint(goal) == self.link.text);
        Ok(())
    }

    fn look_at_features(&mut self, history: &History, tree: &Tree<'_>) -> Result<(), HistoryError> {
        let Ok(entry) = tree.get_path(&history.root.join(FEATURES)) else { return Ok(()) };
        if self.scenarios.is_some() || !self.folders_seen.insert(entry.id()) {
            return Ok(());
        }
        let mut named = history.features_below(entry.id())?;
        let mut failed = None;
        named.retain(|_, id| {
            self.names_goal(history, *id).unwrap_or_else(|error| {
                failed = Some(error);
                false
            })
        });
        if let Some(error) = failed {
            return Err(error);
        }
        let suite = suite_of(&history.contents(&named)?);
        let Ok(catalogue) = catalogue(&suite) else { return Ok(()) };
        let scenarios: Vec<ScenarioSpec> = catalogue.of_goal(self.id).into_iter().cloned().collect();
        let fingerprint: Fingerprint = scenarios_fingerprint(&scenarios);
        self.scenarios = Some(scenarios).filter(|_| fingerprint == self.link.scenarios);
        Ok(())
    }

    fn names_goal(&mut self, history: &History, id: Oid) -> Result<bool, HistoryError> {
        if let Some(known) = self.names_goal.get(&id) {
            return Ok(*known);
        }
        let names = history.text(id)?.contains(&format!("@{}", self.id));
        self.names_goal.insert(id, names);
        Ok(names)
    }
}
