//! A small product with goals, scenarios and a run, all honest until a test bends one thing.

use std::sync::LazyLock;

use mycelium_schemas::{
    SCHEMA_VERSION,
    bench::Bench,
    flake::{Environment, Execution, FolderShape},
    goal::gates::ProfileName,
    matrix::{Matrix, StepStatus, Subject, Unused},
    messages::{GherkinDocument, Pickle},
    mutation::Mutation,
    problem::Source,
    sabotage::Sabotage,
    verdict::{Evaluation, Gate, Verdict},
};
use mycelium_traceability::{
    Catalogue, Files, Inputs, LockHistory, ReadProblem, Registry, Results, ScenarioSpec, build, entries_of,
    evaluate, flake::History, lock, review,
};
use serde_json::{Value, json};

pub(crate) const TREE: &str = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";

/// A scenario passes once, on the tree and with the program of an honest world.
pub(crate) fn execution(spec: &ScenarioSpec, run: &str, lane: &str, seed: u64) -> Execution {
    Execution {
        v: SCHEMA_VERSION,
        at: "2026-01-31T00:00:00Z".parse().unwrap(),
        run: run.to_owned(),
        tree: Some(TREE.to_owned()),
        dirty: false,
        binary_digest: "d1".to_owned(),
        scenario: spec.key.clone(),
        fingerprint: spec.fingerprint().to_string(),
        lane: lane.to_owned(),
        outcome: StepStatus::Passed,
        seed,
        environment: Environment {
            jobs: 1,
            folder: FolderShape::Plain,
            timezone: "UTC".to_owned(),
            locale: "C".to_owned(),
            umask: "022".to_owned(),
        },
        failure: None,
        flaws: Vec::new(),
    }
}

/// Everything that a verdict depends on.
#[derive(Clone)]
pub(crate) struct World {
    pub(crate) goals: Vec<String>,
    pub(crate) backlog: String,
    pub(crate) links: String,
    pub(crate) denominator: String,
    pub(crate) locked: LockHistory,
    pub(crate) quarantine: String,
    /// That file as earlier commits have it.
    pub(crate) quarantined: Vec<Source>,
    /// The feature files as they are now.
    pub(crate) features: Vec<Fixture>,
    /// The feature files as the run read them, with what came out.
    pub(crate) ran: Vec<Fixture>,
    pub(crate) unused: Unused,
    pub(crate) run: Run,
    /// How scenarios came out when they were run again and again.
    pub(crate) history: Vec<Execution>,
    pub(crate) subject: Subject,
    pub(crate) sabotage: Option<Sabotage>,
    pub(crate) baselines: String,
    /// That file as earlier commits have it.
    pub(crate) measured: Vec<Source>,
    pub(crate) bench: Option<Bench>,
    pub(crate) mutation: Option<Mutation>,
    pub(crate) today: &'static str,
    pub(crate) profile: ProfileName,
    /// A last change to the stream of messages.
    pub(crate) edit: fn(&mut Vec<Value>),
}

/// What the run says about itself.
#[derive(Clone)]
pub(crate) struct Run {
    pub(crate) tree: Option<String>,
    pub(crate) dirty: bool,
    pub(crate) source_digest: Option<&'static str>,
    pub(crate) binary_digest: String,
    pub(crate) binary_version: Value,
    pub(crate) partial: Vec<String>,
    pub(crate) success: bool,
}

/// A scenario, and what came out of it.
#[derive(Clone)]
pub(crate) struct Fixture {
    pub(crate) uri: String,
    pub(crate) line: u32,
    pub(crate) name: String,
    pub(crate) tags: Vec<String>,
    pub(crate) when: &'static str,
    pub(crate) then: String,
    /// The event that its assertions about the log find.
    pub(crate) event: &'static str,
    /// What is passed to the `Then`.
    pub(crate) doc_string: Option<&'static str>,
    /// The status of the `Then` of each attempt; no attempt means that it did not run.
    pub(crate) attempts: Vec<&'static str>,
    /// Kind, check, polarity, whether it held.
    pub(crate) assertions: Vec<(&'static str, &'static str, &'static str, bool)>,
}

impl Fixture {
    pub(crate) fn new(goal: &str, line: u32, name: &str) -> Self {
        let tier = &goal[1..2];
        Self {
            uri: format!("features/tier{tier}/{goal}-block.feature"),
            line,
            name: name.to_owned(),
            tags: vec![format!("@{goal}"), format!("@tier{tier}"), "@mock".to_owned()],
            when: "I run \"mycelium run\"",
            then: "the integration branch has not moved".to_owned(),
            event: GOALS.into_iter().find(|(id, _)| *id == goal).map_or("run.complete", |(_, event)| event),
            doc_string: None,
            attempts: vec!["PASSED"],
            assertions: vec![("git", "branch_unmoved", "must_not", true), ("event", "present", "must", true)],
        }
    }

    pub(crate) fn control(goal: &str, line: u32) -> Self {
        let mut twin = Self::new(goal, line, "With the limit off the work lands");
        twin.tags.push("@control".to_owned());
        twin.then = "the integration branch has moved".to_owned();
        twin.assertions = vec![("git", "branch_moved", "must", true), ("event", "absent", "must_not", true)];
        twin
    }
}

pub(crate) fn goal(id: &str, event: &str) -> String {
    let tier = &id[1..2];
    format!(
        "id: {id}
tier: {tier}
title: A block of kind {event} never merges
statement: \"This is what I expect to happen: after {event} nothing lands.\"
scope: [run]
config: [budgets.mode]
scenario: {{given: a limit, when: I run, then: nothing lands}}
artifacts: {{state: [status is failed], events: [{event}], git: [the branch has not moved]}}
must_not:
  - {{text: The integration branch moves., assertion: git.branch_unmoved}}
witness:
  - {{text: The block was logged., assertion: event.present}}
control:
  - {{text: With the limit off the task lands., assertion: git.branch_moved}}
hook: toy-repo, mock planner, mock agent
owner: orchestrator
flake_risk: low
lanes: [mock]
ci_jobs: [unit-and-acceptance-local]
saboteurs: []
"
    )
}

const GOALS: [(&str, &str); 4] = [
    ("G0.1", "budget.block"),
    ("G0.2", "validator.block"),
    ("G0.3", "manifest.block"),
    ("G1.1", "task.rescope"),
];

/// What a gate says, and why.
pub(crate) fn verdict_of(gate: Gate, evaluation: &Evaluation) -> (Verdict, String) {
    let verdict = evaluation.verdicts.iter().find(|verdict| verdict.gate == gate).unwrap();
    (verdict.verdict, verdict.reasons.join("\n"))
}

impl World {
    /// Nothing in it is a lie.
    pub(crate) fn honest() -> Self {
        static HONEST: LazyLock<World> = LazyLock::new(World::all_honest);
        HONEST.clone()
    }

    fn all_honest() -> Self {
        let fixtures: Vec<Fixture> = GOALS
            .iter()
            .flat_map(|(id, _)| [Fixture::new(id, 5, "A block keeps work away"), Fixture::control(id, 12)])
            .collect();
        let mut world = Self {
            goals: GOALS.iter().map(|(id, event)| goal(id, event)).collect(),
            backlog: "- {id: G1.2, tier: 1, title: t, ticket: stage 2, reason: r, owner: o}\n".to_owned(),
            links: String::new(),
            denominator: String::new(),
            locked: LockHistory::default(),
            quarantined: Vec::new(),
            quarantine: String::new(),
            features: fixtures.clone(),
            ran: fixtures,
            unused: Unused::default(),
            run: Run {
                tree: Some(TREE.to_owned()),
                dirty: false,
                source_digest: Some("s1"),
                binary_digest: "d1".to_owned(),
                binary_version: json!({"name": "mycelium", "version": "0.1.0", "features": []}),
                partial: Vec::new(),
                success: true,
            },
            history: Vec::new(),
            subject: Subject {
                tree: Some(TREE.to_owned()),
                dirty: false,
                binary_digest: Some("d1".to_owned()),
                source_digest: Some("s1".to_owned()),
            },
            sabotage: None,
            baselines: String::new(),
            measured: Vec::new(),
            bench: None,
            mutation: None,
            today: "2026-01-31",
            profile: ProfileName::Local,
            edit: |_| {},
        };
        world.review_all();
        world
    }

    /// Records that somebody looked at every goal with its scenarios as they are now.
    pub(crate) fn review_all(&mut self) {
        let (registry, catalogue) = (self.registry(), self.catalogue());
        for goal in &registry.goals {
            let links = Source::new("links.yaml", self.links.as_str());
            if let Ok(text) = review(&links, goal, &catalogue, "2026-01-01".parse().unwrap(), "reviewer") {
                self.links = text;
            }
            let denominator = Source::new("denominator.yaml", self.denominator.as_str());
            self.denominator = lock(&denominator, goal, &catalogue).unwrap();
        }
    }

    /// What CI asks for beyond a developer's machine and this version measures: a goal about resuming, and a look at
    /// every artifact. Goal G1.1 and its scenarios, the last two, are about resuming.
    pub(crate) fn of_ci() -> Self {
        let mut world = Self::honest();
        world.profile = ProfileName::Ci;
        world.goals[3] = world.goals[3].replace("scope: [run]", "scope: [run, resume]").replace(
            "witness:",
            "  - {text: Work is done twice., assertion: state.attempts_at_most}\nwitness:",
        );
        for index in 0..world.ran.len() {
            world.scenario(index, |scenario| {
                scenario.assertions.push(("fs", "artifacts_valid", "must_not", true));
                if scenario.tags.contains(&"@G1.1".to_owned()) {
                    scenario.when = "I run \"mycelium resume\"";
                    scenario.assertions.push(("state", "attempts_at_most", "must_not", true));
                }
            });
        }
        world.review_again();
        world
    }

    /// Records a review of everything as it is now, whatever was reviewed before.
    pub(crate) fn review_again(&mut self) {
        self.links.clear();
        self.denominator.clear();
        self.review_all();
    }

    /// The entry of a goal's first scenario in quarantine, as it reads now.
    pub(crate) fn quarantine_entry(&self, goal: &str, expires: &str) -> String {
        let catalogue = self.catalogue();
        let spec = catalogue.of_goal(goal.parse().unwrap())[0];
        let (name, fingerprint) = (&spec.name, spec.fingerprint());
        format!(
            "- {{goal: {goal}, scenario: {name}, fingerprint: {fingerprint}, issue: https://issues/1, hypothesis: h, owner: o, \
             evidence: seed 7, first_seen: 2026-01-24, quarantined_at: 2026-01-25, expires: {expires}}}\n"
        )
    }

    /// Changes a scenario of the run and of the feature files alike.
    pub(crate) fn scenario(&mut self, index: usize, change: impl Fn(&mut Fixture)) {
        change(&mut self.features[index]);
        change(&mut self.ran[index]);
    }

    pub(crate) fn registry(&self) -> Registry {
        Registry::parse(&self.files()).unwrap()
    }

    pub(crate) fn files(&self) -> Files {
        let goals = self.goals.iter().map(|text| {
            let id = text.lines().next().unwrap().trim_start_matches("id: ");
            Source::new(format!("traceability/goals/{id}.yaml"), text.as_str())
        });
        Files {
            goals: goals.collect(),
            backlog: Source::new("backlog.yaml", self.backlog.as_str()),
            links: Source::new("links.yaml", self.links.as_str()),
            denominator: Source::new("denominator.yaml", self.denominator.as_str()),
            gates: Source::new("gates.yaml", include_str!("../../gates.yaml")),
            quarantine: Source::new("quarantine.yaml", self.quarantine.as_str()),
            baselines: Source::new("bench.yaml", self.baselines.as_str()),
        }
    }

    pub(crate) fn catalogue(&self) -> Catalogue {
        let documents: Vec<GherkinDocument> =
            self.features.iter().map(|f| serde_json::from_value(document(f)).unwrap()).collect();
        let pickles: Vec<Pickle> =
            self.features.iter().map(|f| serde_json::from_value(pickle(f)).unwrap()).collect();
        Catalogue::new(&documents, &pickles).unwrap()
    }

    pub(crate) fn messages(&self) -> String {
        let mut messages = stream(&self.ran, &self.run);
        (self.edit)(&mut messages);
        let lines: Vec<String> = messages.iter().map(ToString::to_string).collect();
        lines.join("\n") + "\n"
    }

    pub(crate) fn judge(&self) -> Result<(Matrix, Evaluation), Vec<ReadProblem>> {
        let results = Results::read(&self.messages())?;
        Ok(self.judge_results(Some(&results)))
    }

    pub(crate) fn judge_results(&self, results: Option<&Results>) -> (Matrix, Evaluation) {
        let (registry, catalogue) = (self.registry(), self.catalogue());
        let quarantined: Vec<_> = self.quarantined.iter().flat_map(entries_of).collect();
        let matrix = build(&Inputs {
            registry: &registry,
            profile: registry.rules.profile(self.profile),
            locked: &self.locked,
            quarantined: &quarantined,
            measured: &self.measured,
            catalogue: &catalogue,
            unused: &self.unused,
            results,
            history: &History { executions: self.history.clone(), torn: 0 },
            sabotage: self.sabotage.as_ref(),
            bench: self.bench.as_ref(),
            mutation: self.mutation.as_ref(),
            subject: &self.subject,
            today: self.today.parse().unwrap(),
        });
        let evaluation = evaluate(&matrix, &registry.rules, self.profile);
        (matrix, evaluation)
    }
}

fn id(fixture: &Fixture, what: &str) -> String {
    format!("{what}:{}:{}", fixture.uri, fixture.line)
}

fn steps(fixture: &Fixture) -> [(&'static str, &'static str, String); 3] {
    [
        ("Given ", "Context", "the repository \"toy-repo\"".to_owned()),
        ("When ", "Action", fixture.when.to_owned()),
        ("Then ", "Outcome", fixture.then.clone()),
    ]
}

pub(crate) fn document(fixture: &Fixture) -> Value {
    let steps: Vec<Value> = steps(fixture)
        .into_iter()
        .enumerate()
        .map(|(n, (keyword, kind, text))| {
            json!({"location": {"line": 6}, "keyword": keyword, "keywordType": kind, "text": text,
                   "id": id(fixture, &format!("node{n}"))})
        })
        .collect();
    let scenario = json!({"location": {"line": fixture.line}, "tags": [], "keyword": "Scenario",
        "name": fixture.name, "description": "", "steps": steps, "examples": [], "id": id(fixture, "scenario")});
    json!({"uri": fixture.uri, "comments": [], "feature": {"location": {"line": 1}, "tags": [], "language": "en",
        "keyword": "Feature", "name": "f", "description": "", "children": [{"scenario": scenario}]}})
}

pub(crate) fn pickle(fixture: &Fixture) -> Value {
    let tags: Vec<Value> = fixture.tags.iter().map(|tag| json!({"name": tag, "astNodeId": "t"})).collect();
    let mut steps: Vec<Value> = steps(fixture)
        .into_iter()
        .enumerate()
        .map(|(n, (_, kind, text))| {
            json!({"id": id(fixture, &format!("step{n}")), "astNodeIds": [id(fixture, &format!("node{n}"))],
                   "type": kind, "text": text})
        })
        .collect();
    if let (Some(content), Some(last)) = (fixture.doc_string, steps.last_mut()) {
        last["argument"] = json!({"docString": {"content": content}});
    }
    json!({"id": id(fixture, "pickle"), "uri": fixture.uri, "location": {"line": fixture.line},
        "name": fixture.name, "language": "en", "astNodeIds": [id(fixture, "scenario")], "tags": tags, "steps": steps})
}

fn time() -> Value {
    json!({"seconds": 1, "nanos": 0})
}

fn attachment(media_type: &str, body: &Value, mut place: Value) -> Value {
    place["mediaType"] = json!(format!("application/vnd.mycelium.{media_type}+json"));
    place["contentEncoding"] = json!("IDENTITY");
    place["body"] = json!(body.to_string());
    json!({ "attachment": place })
}

fn stream(fixtures: &[Fixture], run: &Run) -> Vec<Value> {
    let product = json!({"name": "x"});
    let mut messages = vec![json!({"meta": {"protocolVersion": "33.0.4", "implementation": product,
        "runtime": product, "os": product, "cpu": product}})];
    for fixture in fixtures {
        messages.push(json!({"gherkinDocument": document(fixture)}));
        messages.push(json!({"pickle": pickle(fixture)}));
    }
    messages.push(json!({"testRunStarted": {"id": "run", "timestamp": time()}}));
    let planned: Vec<Value> =
        fixtures.iter().map(|f| json!({"pickle_id": id(f, "pickle"), "lane": "mock"})).collect();
    let info = json!({"tree": run.tree, "dirty": run.dirty, "source_digest": run.source_digest,
        "binary_digest": run.binary_digest,
        "binary_version": run.binary_version, "seed": 7, "partial": run.partial, "lanes": ["mock"], "planned": planned});
    messages.push(attachment("run", &info, json!({"testRunStartedId": "run"})));
    for fixture in fixtures {
        let steps: Vec<Value> = (0..3)
            .map(|n| json!({"id": id(fixture, &format!("test{n}")), "pickleStepId": id(fixture, &format!("step{n}")),
                "stepDefinitionIds": ["d"]}))
            .collect();
        messages.push(json!({"testCase": {"id": id(fixture, "case"), "pickleId": id(fixture, "pickle"), "testSteps": steps}}));
    }
    for fixture in fixtures {
        for (number, status) in fixture.attempts.iter().enumerate() {
            attempt(fixture, number, status, &mut messages);
        }
    }
    messages.push(
        json!({"testRunFinished": {"success": run.success, "timestamp": time(), "testRunStartedId": "run"}}),
    );
    messages
}

fn attempt(fixture: &Fixture, number: usize, status: &str, messages: &mut Vec<Value>) {
    let started = id(fixture, &format!("attempt{number}"));
    messages.push(
        json!({"testCaseStarted": {"id": started, "testCaseId": id(fixture, "case"), "attempt": number,
        "timestamp": time()}}),
    );
    messages.push(attachment("scenario", &json!({"lane": "mock"}), json!({"testCaseStartedId": started})));
    for (n, status) in ["PASSED", "PASSED", status].into_iter().enumerate() {
        let step = id(fixture, &format!("test{n}"));
        if n == 2 {
            for (kind, check, polarity, held) in &fixture.assertions {
                let subject = if *kind == "event" { fixture.event } else { "refs/heads/main" };
                let body = json!({"kind": kind, "check": check, "polarity": polarity, "subject": subject,
                    "artifact": "git", "expected": "e", "actual_digest": "a", "held": held});
                let place = json!({"testCaseStartedId": started, "testStepId": step});
                messages.push(attachment("assertion", &body, place));
            }
            let body = json!({"name": "state.json", "sha256": "ab".repeat(32), "bytes": 12});
            messages.push(attachment(
                "evidence",
                &body,
                json!({"testCaseStartedId": started, "testStepId": step}),
            ));
        }
        let result = json!({"status": status, "duration": {"seconds": 0, "nanos": 1_000_000},
            "message": if status == "FAILED" { Some("expected <main> & found <other>") } else { None }});
        messages.push(json!({"testStepFinished": {"testCaseStartedId": started, "testStepId": step,
            "testStepResult": result, "timestamp": time()}}));
    }
    let last = number + 1 == fixture.attempts.len();
    messages.push(json!({"testCaseFinished": {"testCaseStartedId": started, "timestamp": time(), "willBeRetried": !last}}));
}
