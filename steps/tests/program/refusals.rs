//! What is refused before anything runs, by name, with the exit code that says whose fault it is.

use std::{fs, os::unix::fs::symlink, path::Path, process::Command};

use crate::checkout::{Answer, Checkout};

const BACKLOG: &str =
    "- {id: G2.8, tier: 2, title: A later promise, ticket: somewhere, reason: not yet, owner: somebody}\n";

#[test]
fn what_there_is_not_is_refused_by_name() {
    let answer = Checkout::new().accept("frobnicate");
    assert_eq!(answer.code, Some(2));
    assert!(answer.err.contains("no command \"frobnicate\"; see accept --help"), "{}", answer.err);
    let answer = Checkout::new().accept("rnu");
    assert!(answer.err.contains("did you mean accept run?"), "{}", answer.err);
}

#[test]
fn bad_arguments_are_refused() {
    let checkout = Checkout::new();
    for arguments in [
        "run --tags tier0",
        "run --name (",
        "run --jobs 0",
        "run --repeat 0",
        "run --shard -1/2",
        "run --world moon",
        "run --seed x",
        "run missing.feature",
        "run traceability/gates.yaml",
        "gate --profile best",
        "review G9",
        "review G0.1",
    ] {
        assert_eq!(checkout.accept(arguments).code, Some(2), "{arguments}");
    }
    for (arguments, help) in [("run --jobs -1", "a whole number from 1"), ("run --shard -1/2", "write I/N")] {
        let answer = checkout.accept(arguments);
        assert!(answer.err.contains(help), "{arguments}: {}", answer.err);
    }
}

/// Whoever wrote one believes that its goals are declared, or its scenarios run.
#[test]
fn a_file_that_only_looks_like_one_that_is_read_is_refused() {
    let goal = "traceability/goals/G1.3.yaml";
    for (name, is_refused) in [
        ("traceability/goals/more.yml", true),
        ("traceability/goals/more.YAML", true),
        ("traceability/goals/below/more.yaml", true),
        ("traceability/goals/README.md", false),
    ] {
        let checkout = Checkout::new();
        checkout.write(name, &fs::read_to_string(checkout.path(goal)).unwrap().replace("G1.", "G2."));
        let answer = checkout.accept("lint");
        assert_eq!(answer.code, Some(if is_refused { 2 } else { 0 }), "{name}: {}", answer.err);
        let names_it =
            answer.err.contains(name.trim_end_matches("/more.yaml")) && answer.err.contains("passed over");
        assert_eq!(names_it, is_refused, "{name}: {}", answer.err);
    }
    let checkout = Checkout::new();
    checkout.write("features/tier1/G1.4-more.Feature", crate::checkout::FEATURE);
    let answer = checkout.accept("lint");
    assert_eq!(answer.code, Some(2), "{}", answer.err);
    assert!(answer.err.contains("G1.4-more.Feature") && answer.err.contains("rename it"), "{}", answer.err);
}

/// A slip of the pen: once it was reviewed, it would be locked, and nothing could ever prove it.
#[test]
fn a_goal_that_asks_for_what_no_step_asserts_is_refused() {
    let goal = "traceability/goals/G1.3.yaml";
    let checkout = Checkout::new();
    checkout.program("exit 0");
    let text = fs::read_to_string(checkout.path(goal)).unwrap();
    for (meant, near) in
        [("fs.no_rnu", "did you mean `fs.no_run`?"), ("model.nonsense", "there are model.asked, ")]
    {
        checkout.write(goal, &text.replace("fs.absent", meant));
        for command in ["lint", "run --bin program"] {
            let answer = checkout.accept(&format!("{command} --json"));
            assert_eq!(answer.code, Some(2), "{command}: {}", answer.err);
            assert_eq!(answer.causes(), ["unknown-assertion"]);
            let told =
                format!("{goal}:10:42: no step makes the assertion {meant}, so nothing can prove G1.3");
            assert!(answer.err.contains(&told) && answer.err.contains(near), "{}", answer.err);
        }
        let answer = checkout.accept("review G1.3 --by reviewer");
        assert_eq!(answer.code, Some(2), "{}", answer.err);
        assert!(answer.err.contains(meant) && answer.err.contains(near), "{}", answer.err);
    }
    assert!(!checkout.path("traceability/denominator.yaml").exists());
}

/// No commit would hold what the results are about.
#[test]
fn a_folder_behind_a_link_is_refused() {
    for name in ["features", "traceability"] {
        let checkout = Checkout::new();
        checkout.program("exit 0");
        fs::rename(checkout.path(name), checkout.path("elsewhere")).unwrap();
        symlink("elsewhere", checkout.path(name)).unwrap();
        for command in ["run --bin program", "gate", "lint"] {
            let answer = checkout.accept(command);
            assert_eq!(answer.code, Some(2), "{name}, {command}: {}", answer.err);
            assert!(answer.err.contains(&format!("{name} is a link")), "{name}: {}", answer.err);
        }
    }
}

fn git(folder: &Path, arguments: &[&str]) {
    let mut git = Command::new("git");
    git.args(arguments).current_dir(folder).env("GIT_CONFIG_GLOBAL", "/dev/null");
    let said = git.output().unwrap();
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
}

/// What the command tells to do, done.
fn follow(answer: &Answer, folder: &Path, begins: &str, home: &Path) {
    let line = answer.err.lines().find_map(|line| Some(&line[line.find(begins)?..])).unwrap();
    let status = Command::new("sh").args(["-c", line]).current_dir(folder).env("HOME", home).status();
    assert!(status.unwrap().success(), "{line}");
}

#[test]
fn a_partial_clone_is_refused_before_anything_runs_and_with_a_way_out() {
    let checkout = Checkout::new();
    for lanes in ["[mock]", "[mock, docker]"] {
        let goal = fs::read_to_string(checkout.path("traceability/goals/G1.3.yaml")).unwrap();
        checkout.write("traceability/goals/G1.3.yaml", &goal.replace("[mock]", lanes));
        assert_eq!(checkout.accept("review G1.3 --by reviewer").code, Some(0));
        checkout.commit();
    }
    checkout.program("exit 0");
    git(&checkout.path(""), &["config", "uploadpack.allowFilter", "true"]);
    let there = tempfile::tempdir().unwrap();
    let url = format!("file://{}", checkout.path("").display());
    git(there.path(), &["clone", "--quiet", "--filter=blob:none", &url, "clone"]);
    let clone = there.path().join("clone");
    let program = checkout.path("program").display().to_string();
    let accept = |arguments: &str| {
        Answer::new(&checkout.command(arguments).arg(&program).current_dir(&clone).output().unwrap())
    };
    let answer = accept("run --bin");
    assert_eq!(answer.code, Some(2), "{}", answer.err);
    assert!(answer.err.contains("as in a partial clone") && !answer.err.contains(" ran"), "{}", answer.err);
    assert!(!clone.join("target").exists(), "something was written");
    follow(&answer, &clone, "git fetch", there.path());
    let answer = accept("run --bin");
    assert_eq!(answer.code, Some(0), "{}", answer.err);
}

/// Only root can give files away, so that others cannot try this.
#[test]
fn a_checkout_of_somebody_else_is_refused_with_the_command_that_trusts_it() {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let checkout = Checkout::new();
    checkout.program("exit 0");
    checkout.commit();
    let home = tempfile::tempdir().unwrap();
    let status = Command::new("chown").args(["-R", "65534"]).arg(checkout.path("")).status();
    assert!(status.unwrap().success());
    let accept = |arguments: &str| {
        Answer::new(&checkout.command(arguments).env("HOME", home.path()).output().unwrap())
    };
    for command in ["run --bin program", "matrix", "impact --since HEAD"] {
        let answer = accept(command);
        assert_eq!(answer.code, Some(2), "{command}: {}", answer.err);
        assert!(answer.err.contains("somebody else's"), "{command}: {}", answer.err);
    }
    let answer = accept("run --bin program");
    follow(&answer, home.path(), "git config", home.path());
    let answer = accept("run --bin program");
    assert_eq!(answer.code, Some(0), "{}", answer.err);
}

#[test]
fn a_run_that_is_refused_by_a_broken_goal_leaves_no_page_of_an_earlier_one() {
    let checkout = Checkout::new();
    checkout.program("exit 0");
    let run = || checkout.accept("run --bin program --out out").code;
    assert_eq!(run(), Some(0));
    assert!(checkout.path("out/report.html").exists());
    checkout.write("traceability/goals/G1.4.yaml", "no goal\n");
    assert_eq!(run(), Some(2));
    for name in ["report.html", "summary.md", "messages.ndjson"] {
        assert!(!checkout.path("out").join(name).exists(), "{name} is still there");
    }
}

#[test]
fn a_line_outside_of_every_scenario_is_refused_with_the_nearest_one() {
    let checkout = Checkout::new();
    checkout.program("exit 0");
    let file = "features/tier1/G1.3-a-run-executes.feature";
    checkout.write(file, &format!("# A comment.\n{}\n\n", crate::checkout::FEATURE));
    for command in ["list", "run --bin program"] {
        for line in [0, 1, 10, 9999] {
            let answer = checkout.accept(&format!("{command} {file}:{line}"));
            assert_eq!(answer.code, Some(2), "{command} {line}: {}", answer.err);
            let nearest =
                format!("{file}:{line} is outside of every scenario; the nearest is {file}:5 \"it says so\"");
            assert!(answer.err.contains(&nearest), "{}", answer.err);
        }
        let answer = checkout.accept(&format!("{command} features:5"));
        assert_eq!(answer.code, Some(2), "{}", answer.err);
        assert!(answer.err.contains("features is a folder"), "{}", answer.err);
        for line in [2, 5, 9] {
            assert_eq!(
                checkout.accept(&format!("{command} {file}:{line}")).code,
                Some(0),
                "{command} {line}"
            );
        }
    }
}

#[test]
fn a_run_refuses_features_with_problems_at_their_places() {
    let checkout = Checkout::new();
    for (from, to, code, cause, place) in [
        ("When I run", "Wen I run", 2, "syntax", ":6:5"),
        ("@G1.3", "@G1.3 @G1.4", 2, "unknown-goal", ":1:7"),
        ("Given the repository", "Given the repositry", 1, "undefined-step", ":5:5"),
        ("    And no run was created\n", "", 1, "no-negative-assertion", ":4:3"),
    ] {
        checkout.change(from, to);
        for command in ["lint", "run"] {
            let answer = checkout.accept(&format!("{command} --json"));
            assert_eq!(answer.code, Some(code), "{cause}: {}", answer.err);
            assert!(answer.causes().contains(&cause.to_owned()), "{:?}", answer.causes());
            let file = "features/tier1/G1.3-a-run-executes.feature";
            assert!(answer.err.contains(&format!("{file}{place}")), "{}", answer.err);
        }
    }
    checkout.change("Given the repository", "Given the repositry");
    assert!(checkout.accept("lint").err.contains("did you mean `Given the repository {fixture}`"));
    assert!(!checkout.path("target").exists(), "something was written");
}

#[test]
fn only_the_given_features_are_linted_and_run() {
    let checkout = Checkout::new();
    checkout.write("features/tier1/G1.3-broken.feature", "no feature\n");
    assert_eq!(checkout.accept("lint").code, Some(2));
    assert_eq!(checkout.accept("lint features/tier1/G1.3-a-run-executes.feature").code, Some(0));
}

#[test]
fn a_program_that_is_not_mycelium_is_not_tested() {
    let checkout = Checkout::new();
    checkout.program("exit 0");
    let answer = checkout.accept("run --bin missing");
    assert_eq!(answer.code, Some(2));
    checkout.write("program", "#!/bin/sh\necho hello\n");
    let answer = checkout.accept("run --bin program");
    assert_eq!(answer.code, Some(2));
    assert!(answer.err.contains("is it mycelium?"), "{}", answer.err);
}

#[test]
fn gates_without_results_and_over_broken_results_are_bad_input() {
    let checkout = Checkout::new();
    let answer = checkout.accept("gate");
    assert_eq!(answer.code, Some(2));
    assert!(answer.err.contains("run accept run first"), "{}", answer.err);
    checkout.write("target/acceptance/messages.ndjson", "{\"meta\":");
    assert_eq!(checkout.accept("gate").code, Some(2));
}

#[test]
fn outside_a_checkout_only_the_steps_are_known() {
    let checkout = Checkout::new();
    fs::remove_dir_all(checkout.path("traceability")).unwrap();
    assert_eq!(checkout.accept("lint").code, Some(2));
    let steps = checkout.accept("steps");
    assert_eq!(steps.code, Some(0));
    assert!(steps.out.contains("Given the repository {fixture}"));
    assert_eq!(checkout.accept("steps nobody-says-this").code, Some(1));
}

#[test]
fn the_committed_matrix_is_checked_against_what_is_there() {
    let checkout = Checkout::new();
    assert_eq!(checkout.accept("matrix --check").code, Some(1));
    assert!(!checkout.path("docs").exists(), "a check wrote something");
    assert_eq!(checkout.accept("matrix").code, Some(0));
    assert_eq!(checkout.accept("matrix --check").code, Some(0));
    checkout.change("it says so", "it says more");
    let stale = checkout.accept("matrix --check");
    assert_eq!(stale.code, Some(1));
    assert!(stale.err.contains("docs/traceability-matrix.md is not up to date"), "{}", stale.err);
    assert!(stale.err.contains("docs/acceptance-goals.md is up to date"), "{}", stale.err);
    checkout.change("it says so", "it says so");
    checkout.write("traceability/backlog.yaml", BACKLOG);
    let stale = checkout.accept("matrix --check");
    assert_eq!(stale.code, Some(1));
    assert!(stale.err.contains("docs/acceptance-goals.md is not up to date"), "{}", stale.err);
    checkout.accept("matrix");
    let page = fs::read_to_string(checkout.path("docs/acceptance-goals.md")).unwrap();
    assert!(
        page.contains("### G1.3 A run executes") && page.contains("| G2.8 | A later promise |"),
        "{page}"
    );
}

#[test]
fn a_review_is_recorded_once_for_goal_and_scenarios() {
    let checkout = Checkout::new();
    let answer = checkout.accept("review G1.3 --by reviewer");
    assert_eq!(answer.code, Some(0), "{}", answer.err);
    assert!(
        answer.err.contains("features/tier1/G1.3-a-run-executes.feature:4  it says so"),
        "{}",
        answer.err
    );
    let links = fs::read_to_string(checkout.path("traceability/links.yaml")).unwrap();
    assert!(links.contains("- goal: G1.3") && links.contains("reviewer"), "{links}");
    let locked = || fs::read_to_string(checkout.path("traceability/denominator.yaml")).unwrap();
    let before = locked();
    assert!(
        before.contains("- goal: G1.3")
            && before.contains("[lane mock, must_not fs.absent, scenario mock, scope run]"),
        "{before}"
    );
    assert_eq!(checkout.accept("review G1.3 --by reviewer").code, Some(0));
    assert_eq!(fs::read_to_string(checkout.path("traceability/links.yaml")).unwrap(), links);
    assert_eq!(locked(), before);
}

#[test]
fn a_review_names_who_made_it() {
    let checkout = Checkout::new();
    for by in ["", " ", "\t \u{a0}", "\u{200b}"] {
        let output = checkout.command("review G1.3").args(["--by", by]).output().unwrap();
        let answer = Answer::new(&output);
        assert_eq!(answer.code, Some(2), "{by:?}: {}", answer.err);
        assert!(answer.err.contains("--by"), "{by:?}: {}", answer.err);
    }
    assert!(!checkout.path("traceability/links.yaml").exists());
}

#[test]
fn reviews_at_one_time_lose_none_of_each_other() {
    let checkout = Checkout::new();
    let goals = ["G1.3", "G1.4", "G1.5", "G1.6", "G1.7", "G1.8"];
    for file in ["traceability/goals/G1.3.yaml", "features/tier1/G1.3-a-run-executes.feature"] {
        let text = fs::read_to_string(checkout.path(file)).unwrap();
        for goal in goals {
            checkout.write(&file.replace("G1.3", goal), &text.replace("G1.3", goal));
        }
    }
    let review = |goal: &str| checkout.command(&format!("review {goal} --by reviewer")).spawn().unwrap();
    for mut review in goals.map(review) {
        assert!(review.wait().unwrap().success());
    }
    for file in ["traceability/links.yaml", "traceability/denominator.yaml"] {
        let text = fs::read_to_string(checkout.path(file)).unwrap();
        for goal in goals {
            assert!(text.contains(&format!("- goal: {goal}\n")), "{file} lost {goal}:\n{text}");
        }
    }
}

#[test]
fn scenarios_are_listed_with_their_places() {
    let checkout = Checkout::new();
    let answer = checkout.accept("list --tags @G1.3");
    assert_eq!(answer.code, Some(0));
    assert!(
        answer.out.starts_with("features/tier1/G1.3-a-run-executes.feature:4  it says so  @G1.3"),
        "{}",
        answer.out
    );
    assert_eq!(checkout.accept("list --tags @nope").code, Some(1));
}

#[test]
fn every_problem_of_goals_and_backlog_is_told_at_once_at_its_line() {
    let checkout = Checkout::new();
    let goal = fs::read_to_string(checkout.path("traceability/goals/G1.3.yaml")).unwrap();
    checkout.write("traceability/goals/G1.3.yaml", &goal.replace("scope: [run]", "scope: [rn]"));
    checkout.write("traceability/goals/G1.4.yaml", &goal.replace("owner: orchestrator\n", ""));
    checkout.write("traceability/backlog.yaml", &BACKLOG.replace("tier: 2", "tier: 1"));
    for command in ["matrix --check", "gate", "impact --since HEAD", "review G1.3 --by reviewer"] {
        let answer = checkout.accept(command);
        assert_eq!(answer.code, Some(2), "{command}: {}", answer.err);
        for problem in [
            "traceability/goals/G1.3.yaml:5:9: `scope[0]` cannot be \"rn\"",
            "traceability/goals/G1.4.yaml:1:1: the required key `owner` is missing",
            "traceability/goals/G1.4.yaml:1:5: the goal G1.3 stands in a file named \"G1.4.yaml\"",
            "traceability/backlog.yaml:1:20: the id G2.8 names tier 2, but `tier` is 1",
        ] {
            assert!(answer.err.contains(problem), "{command}: {problem} is not in {}", answer.err);
        }
    }
}

#[test]
fn a_path_that_holds_no_feature_is_refused_by_name() {
    let checkout = Checkout::new();
    checkout.program("exit 0");
    fs::create_dir_all(checkout.path("empty/below")).unwrap();
    fs::create_dir(checkout.path("folder.feature")).unwrap();
    for target in ["empty", "folder.feature", "features/tier1/G1.3-a-run-executes.feature empty"] {
        for command in
            ["lint", "lint --format sarif", "fmt --check", "list", "run --bin program", "flake --bin program"]
        {
            let answer = checkout.accept(&format!("{command} {target}"));
            assert_eq!(answer.code, Some(2), "{command} {target}: {}{}", answer.out, answer.err);
            assert!(answer.err.contains("holds no .feature file"), "{command} {target}: {}", answer.err);
        }
    }
    fs::remove_dir_all(checkout.path("features")).unwrap();
    fs::create_dir(checkout.path("features")).unwrap();
    for command in ["lint", "fmt --check", "run --bin program"] {
        let answer = checkout.accept(command);
        assert_eq!(answer.code, Some(2), "{command}: {}", answer.err);
        assert!(answer.err.contains("features holds no .feature file"), "{command}: {}", answer.err);
    }
}

#[test]
fn a_pipe_that_is_named_like_a_feature_is_told_and_not_waited_for() {
    let checkout = Checkout::new();
    let pipe = checkout.path("features/pipe.feature");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    for command in ["lint", "lint features/pipe.feature", "fmt --check features/pipe.feature", "run"] {
        let answer = checkout.accept(command);
        assert_eq!(answer.code, Some(2), "{command}: {}", answer.err);
        let told = "features/pipe.feature:1:1: this cannot be read: it is no file";
        assert!(answer.err.contains(told), "{command}: {}", answer.err);
    }
}

#[test]
fn arguments_that_cannot_be_meant_are_refused_with_what_can() {
    let checkout = Checkout::new();
    checkout.program("exit 0");
    checkout.write("file", "x");
    for (arguments, told) in [
        ("run --bin program --seed -1", "a seed is a whole number from 0, for example 7"),
        ("run --bin program --seed abc", "a seed is a whole number from 0, for example 7"),
        ("flake --bin program --seed -1", "a seed is a whole number from 0, for example 7"),
        ("run --bin program --tags tier0", "tags are written with @, as in @tier0"),
        ("run --bin program --out file", "file is no folder"),
        ("run --bin program --out /dev/null/x", "/dev/null is no folder"),
        ("run --bin /bin/true", "/bin/true does not answer"),
    ] {
        let answer = checkout.accept(arguments);
        assert_eq!(answer.code, Some(2), "{arguments}: {}", answer.err);
        assert!(answer.err.contains(told), "{arguments}: {}", answer.err);
        assert!(!answer.err.contains("'-- -1'"), "{arguments}: {}", answer.err);
    }
    assert_eq!(fs::read_to_string(checkout.path("file")).unwrap(), "x");
}

#[test]
fn two_files_whose_names_are_no_text_do_not_become_one() {
    use std::{ffi::OsStr, os::unix::ffi::OsStrExt};
    let checkout = Checkout::new();
    for name in [b"a\xfe.feature", b"a\xff.feature"] {
        let path = checkout.path("features/tier1").join(OsStr::from_bytes(name));
        fs::write(path, crate::checkout::FEATURE).unwrap();
    }
    let answer = checkout.accept("lint");
    assert_eq!(answer.code, Some(2), "{}", answer.err);
    assert_eq!(answer.err.matches("its name is no UTF-8 text; rename it").count(), 2, "{}", answer.err);
}
