//! The workflows of CI: each step is a command that anybody can run, docs/ci.md tells of each, and whatever a goal says
//! runs it is there.

#![expect(clippy::unwrap_used, reason = "a workflow that cannot be read has failed")]

use std::{collections::BTreeSet, fs, path::Path};

use serde_json::Value;

/// What moves files between machines or tells GitHub something; such a step has a name that says so.
const PLUMBING: [&str; 4] = [
    "tar ",
    "cat target/acceptance/summary.md >> ",
    "cat target/acceptance-chaos/summary.md >> ",
    "echo \"MYCELIUM_CONFORMANCE_DIR=",
];
/// What every other step begins with.
const COMMANDS: [&str; 3] = ["cargo ", ".ci/", "target/debug/accept "];

/// How a step runs as root.
const AS_ROOT: &str = ".ci/as-root ";

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// Every workflow by the name of its file.
fn workflows() -> Vec<(String, Value)> {
    let folder = fs::read_dir(root().join(".github/workflows")).unwrap();
    let mut workflows: Vec<(String, Value)> = folder
        .map(|entry| {
            let path = entry.unwrap().path();
            let text = fs::read_to_string(&path).unwrap();
            let workflow =
                serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            (path.file_stem().unwrap().to_str().unwrap().to_owned(), workflow)
        })
        .collect();
    workflows.sort_by(|one, other| one.0.cmp(&other.0));
    workflows
}

/// Every step of every job of a workflow.
fn steps(workflow: &Value) -> Vec<&Value> {
    let jobs = workflow["jobs"].as_object().unwrap();
    jobs.values().flat_map(|job| job["steps"].as_array().unwrap()).collect()
}

/// Every job, by its workflow's name and its own.
fn jobs() -> Vec<(String, Value)> {
    let mut all = Vec::new();
    for (workflow, content) in workflows() {
        let jobs = content["jobs"].as_object().unwrap();
        all.extend(jobs.iter().map(|(job, body)| (format!("{workflow}: {job}"), body.clone())));
    }
    all
}

/// What a job does that anybody could do: each command, with its step.
fn commands(job: &Value) -> Vec<(&str, &Value)> {
    let steps = job["steps"].as_array().unwrap().iter().filter(|step| step["name"].is_null());
    steps.filter_map(|step| Some((step["run"].as_str()?, step))).collect()
}

/// Whether a job judges.
fn judges(job: &Value) -> bool {
    commands(job).iter().any(|(run, _)| run.contains("accept gate"))
}

#[test]
fn the_workflows_are_those_that_the_plan_names() {
    let names: Vec<String> = workflows().into_iter().map(|(name, _)| name).collect();
    let planned =
        ["chaos-nightly", "docker-e2e", "lint-typecheck", "perf-nightly", "unit-and-acceptance-local"];
    assert_eq!(names, planned);
    for (name, workflow) in workflows() {
        assert_eq!(workflow["name"], name);
        assert_eq!(workflow["permissions"], serde_json::json!({"contents": "read"}), "{name}");
    }
    for (name, job) in jobs() {
        assert!(job["timeout-minutes"].is_u64(), "{name} may run for ever");
    }
}

#[test]
fn each_step_is_one_command_that_the_page_of_ci_tells_of() {
    let page = fs::read_to_string(root().join("docs/ci.md")).unwrap();
    for (name, workflow) in workflows() {
        assert!(page.contains(&format!("| `{name}` |")), "docs/ci.md does not tell of {name}");
        for step in steps(&workflow) {
            let Some(command) = step["run"].as_str() else {
                assert!(step["uses"].as_str().unwrap().contains("@v"), "{name}: {step}");
                continue;
            };
            assert!(!command.contains('\n') && !command.contains("&&"), "{name}: not one command: {command}");
            if step["name"].is_string() || PLUMBING.iter().any(|start| command.starts_with(start)) {
                let known = PLUMBING.iter().any(|start| command.starts_with(start));
                assert!(known && step["name"].is_string(), "{name}: {step}");
                continue;
            }
            assert!(COMMANDS.iter().any(|start| command.starts_with(start)), "{name}: {command}");
            assert!(
                page.contains(&format!("| `{}` |", told(command))),
                "docs/ci.md does not tell of {command}"
            );
        }
    }
}

#[test]
fn a_job_that_judges_has_the_whole_history() {
    let mut asked = 0;
    for (name, job) in jobs().iter().filter(|(_, job)| judges(job)) {
        asked += 1;
        let mut steps = job["steps"].as_array().unwrap().iter();
        let checkout =
            steps.find(|step| step["uses"].as_str().is_some_and(|uses| uses.contains("checkout@")));
        assert_eq!(checkout.unwrap()["with"]["fetch-depth"], 0, "{name}");
    }
    assert_eq!(asked, 4);
}

/// A job that is not named in `needs` has no result there, and whatever is asked of it is not true.
#[test]
fn a_job_waits_for_whom_it_asks_about() {
    let mut asked = 0;
    for (name, job) in jobs() {
        let needs: Vec<&str> = match &job["needs"] {
            Value::Array(needs) => needs.iter().map(|need| need.as_str().unwrap()).collect(),
            need => need.as_str().into_iter().collect(),
        };
        for words in job.to_string().split("needs.").skip(1) {
            let other = words.split('.').next().unwrap();
            asked += 1;
            assert!(needs.contains(&other), "{name} asks about {other} and does not need it");
        }
    }
    assert_eq!(asked, 1);
}

/// A report is of a folder that a step before it writes: several runs in one (`--repeat`) leave none there.
#[test]
fn what_is_reported_was_run() {
    let mut reported = 0;
    for (name, job) in jobs() {
        let mut written = BTreeSet::new();
        for (command, _) in commands(&job) {
            let out = command.split(" --out ").nth(1).and_then(|rest| rest.split(' ').next());
            let out = out.unwrap_or("target/acceptance");
            let writes = command.contains("accept merge") || command.contains("accept run");
            if command.contains("accept report") {
                reported += 1;
                assert!(written.contains(out), "{name}: nothing writes {out}");
            } else if command.ends_with(".ci/chaos") {
                written.insert("target/acceptance-chaos");
            } else if writes && !command.contains("--repeat") {
                written.insert(out);
            }
        }
    }
    assert_eq!(reported, 5);
}

/// Engines of containers want root, and what root wrote nobody else can go on with.
#[test]
fn a_job_with_an_engine_runs_as_root() {
    const ENGINES: [&str; 4] = [".ci/engine", ".ci/docker", ".ci/chaos", ".ci/container-figures"];
    let mut asked = 0;
    for (name, job) in jobs() {
        let commands = commands(&job);
        if commands.iter().any(|(command, _)| ENGINES.iter().any(|engine| command.contains(engine))) {
            asked += 1;
            let other = commands.iter().find(|(command, _)| !command.starts_with(AS_ROOT));
            assert_eq!(other, None, "{name}");
        }
    }
    assert_eq!(asked, 6);
}

/// The kept folders of scenarios hold `.git` and `.mycelium`.
#[test]
fn what_is_kept_of_runs_is_kept_with_its_hidden_files() {
    let mut kept = 0;
    for (name, workflow) in workflows() {
        for step in steps(&workflow) {
            let with = &step["with"];
            let is_upload = step["uses"].as_str().is_some_and(|uses| uses.contains("upload-artifact@"));
            if is_upload && with["path"].as_str().unwrap().contains("target/acceptance") {
                kept += 1;
                assert_eq!(with["include-hidden-files"], true, "{name}: {with}");
            }
        }
    }
    assert_eq!(kept, 8);
}

/// Each command of a job that runs whatever became of those before it.
fn always(job: &Value) -> impl Iterator<Item = &str> {
    let steps = job["steps"].as_array().unwrap().iter();
    steps.filter(|step| step["if"] == "always()").filter_map(|step| step["run"].as_str())
}

#[test]
fn who_judges_says_it_on_the_page_and_at_the_lines() {
    for (name, workflow) in workflows() {
        let (mut annotated, mut summed_up) = (false, false);
        for (job, body) in workflow["jobs"].as_object().unwrap() {
            let annotates = always(body).any(|run| run.ends_with("--format github"));
            let sums_up = always(body).any(|run| run.ends_with("/summary.md >> \"$GITHUB_STEP_SUMMARY\""));
            assert!(!judges(body) || annotates && sums_up, "{name}: {job} tells nobody what it found");
            annotated |= annotates;
            summed_up |= sums_up;
        }
        assert!(name == "lint-typecheck" || annotated && summed_up, "{name} tells nobody what it found");
    }
}

/// What failed is what the page is there for: no step that fails keeps a later one from running the other lane, from making
/// one run of both, or from judging it.
#[test]
fn who_judges_does_so_whatever_failed_before() {
    const PARTS: [&str; 4] = ["accept run", ".ci/docker", "accept merge", "accept gate"];
    let mut asked = 0;
    for (name, job) in jobs().iter().filter(|(_, job)| judges(job)) {
        let commands = commands(job);
        // Where parts of a run cannot be made one there is nothing to judge.
        let before = |(run, _): &&(&str, &Value)| run.contains("accept merge");
        let first = commands.iter().take_while(before).count() + 1;
        let parts = commands.iter().skip(first).filter(|(run, _)| PARTS.iter().any(|p| run.contains(p)));
        for (run, step) in parts {
            asked += 1;
            assert_eq!(step["if"], "always()", "{name}: {run}");
        }
    }
    assert_eq!(asked, 10);
}

#[test]
fn a_workflow_judges_by_each_profile() {
    let mut profiles = BTreeSet::new();
    for (_, workflow) in workflows() {
        let gates = steps(&workflow).into_iter().filter_map(|step| step["run"].as_str());
        for gate in gates.filter(|run| run.contains("accept gate")) {
            profiles.insert(gate.split("--profile ").nth(1).unwrap_or("local").to_owned());
        }
    }
    let rules: Value =
        serde_saphyr::from_str(&fs::read_to_string(root().join("traceability/gates.yaml")).unwrap()).unwrap();
    let named: BTreeSet<String> = rules["profiles"].as_object().unwrap().keys().cloned().collect();
    assert_eq!(profiles, named);
}

/// A command as the page tells it: whoever runs it, parts have a number, and the folders of all parts are not repeated.
fn told(command: &str) -> String {
    let parts = "target/parts/acceptance-1 target/parts/acceptance-2 target/parts/acceptance-3 \
                 target/parts/acceptance-4";
    let command = command.strip_prefix(AS_ROOT).unwrap_or(command);
    command.replace("${{ matrix.part }}", "I").replace(parts, "target/parts/…")
}

#[test]
fn every_job_that_a_goal_names_is_a_workflow() {
    let known: BTreeSet<String> = workflows().into_iter().map(|(name, _)| name).collect();
    for entry in fs::read_dir(root().join("traceability/goals")).unwrap() {
        let path = entry.unwrap().path();
        let goal: Value = serde_saphyr::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        for job in goal["ci_jobs"].as_array().unwrap() {
            assert!(known.contains(job.as_str().unwrap()), "{}: there is no {job}", path.display());
        }
    }
}
