//! Runs: their exit codes, and what stands in the output folder afterwards.

use std::{
    fs,
    io::Read,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    thread,
};

use mycelium_fixtures::pipe::read_while_alive;
use rustix::process::{Pid, Signal, kill_process};

use crate::checkout::{Answer, Checkout};

/// What the program does where the feature holds: no run exists.
const HONEST: &str = "exit 0";

fn messages(checkout: &Checkout) -> String {
    fs::read_to_string(checkout.path("out/messages.ndjson")).unwrap()
}

#[test]
fn a_run_that_passes_writes_everything_and_exits_0() {
    let checkout = Checkout::new();
    checkout.program(HONEST);
    let answer = checkout.accept("run --bin program --out out --json --seed 7");
    assert_eq!(answer.code, Some(0), "{}", answer.err);
    let json = answer.json();
    assert_eq!((&json["passed"], &json["seed"]), (&true.into(), &7.into()));
    for name in ["messages.ndjson", "matrix.json", "report.html", "junit.xml", "summary.md", "matrix.csv"] {
        assert!(checkout.path("out").join(name).is_file(), "{name} is missing");
    }
    // The results are about the program that ran, and no other; nobody has reviewed the goal.
    let gate = checkout.accept("gate --out out --bin program --json");
    let reasons = gate.json()["verdicts"].to_string();
    assert!(reasons.contains("reviewed"), "{reasons}");
}

#[test]
fn a_report_can_annotate_a_pull_request_at_the_lines_of_features() {
    let checkout = Checkout::new();
    checkout.program("exit 1");
    assert_eq!(checkout.accept("run --bin program --out out --seed 7").code, Some(1));
    let answer = checkout.accept("report --bin program --out out --format github");
    assert_eq!(answer.code, Some(0), "{}", answer.err);
    let place = "features/tier1/G1.3-a-run-executes.feature";
    let first = format!("::error file={place},line=4,title=accept%3A G1.3::it says so (mock): failed at ");
    assert!(answer.out.starts_with(&first), "{}", answer.out);
    assert!(answer.out.lines().all(|line| line.starts_with("::error ")), "{}", answer.out);
    let page = fs::read_to_string(checkout.path("out/report.html")).unwrap();
    assert!(page.contains(&format!("<code class=\"command\">cargo accept run {place}:4 --seed 7</code>")));
    // Under another profile other gates are red.
    let under = |profile: &str| {
        let answer =
            checkout.accept(&format!("report --bin program --out out --format github --profile {profile}"));
        answer.out.lines().filter(|line| line.contains("title=accept gate")).count()
    };
    assert!(under("ci") > under("local"));
}

#[test]
fn a_report_is_shown_by_what_the_desktop_shows_pages_with() {
    let checkout = Checkout::new();
    checkout.program(HONEST);
    assert_eq!(checkout.accept("run --bin program --out out").code, Some(0));
    let report = |path: &Path| {
        let mut command = checkout.command("report --bin program --out out --open");
        Answer::new(&command.env("PATH", path).output().unwrap())
    };
    let desktop = checkout.path("desktop");
    checkout.write("desktop/xdg-open", &format!("#!/bin/sh\necho \"$1\" >{}/shown\n", desktop.display()));
    fs::set_permissions(desktop.join("xdg-open"), fs::Permissions::from_mode(0o755)).unwrap();
    let answer = report(&desktop);
    assert_eq!(answer.code, Some(0), "{}", answer.err);
    let page = checkout.path("out/report.html");
    assert_eq!(fs::read_to_string(desktop.join("shown")).unwrap().trim_end(), page.to_str().unwrap());
    // Nothing here shows pages: it is written all the same, and said where.
    fs::remove_file(&page).unwrap();
    let answer = report(&checkout.path("nothing"));
    assert_eq!(answer.code, Some(2), "{}", answer.err);
    assert!(answer.err.contains(&format!("no program here shows {}; open it yourself", page.display())));
    assert!(page.is_file());
}

#[test]
fn evidence_that_is_gone_or_altered_is_bad_input_by_name() {
    let checkout = Checkout::new();
    checkout.program(HONEST);
    assert_eq!(checkout.accept("run --bin program --out out").code, Some(0));
    let answer = checkout.accept("gate --out out --bin program");
    assert!(!answer.err.contains("evidence"), "{}", answer.err);
    let kept: Vec<_> =
        fs::read_dir(checkout.path("out/evidence")).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(!kept.is_empty(), "the run kept no evidence");
    for file in kept {
        let name = file.file_name().unwrap().to_str().unwrap();
        let content = fs::read(&file).unwrap();
        fs::remove_file(&file).unwrap();
        let gone = checkout.accept("gate --out out --bin program");
        assert_eq!(gone.code, Some(2), "{}", gone.err);
        assert!(gone.err.contains(name), "{}", gone.err);
        fs::write(&file, [content.as_slice(), b"x"].concat()).unwrap();
        let altered = checkout.accept("gate --out out --bin program");
        assert_eq!(altered.code, Some(2), "{}", altered.err);
        assert!(altered.err.contains(name) && altered.err.contains("was changed"), "{}", altered.err);
        fs::write(&file, content).unwrap();
    }
}

#[test]
fn evidence_cannot_be_looked_for_outside_of_its_folder() {
    let checkout = Checkout::new();
    checkout.program(HONEST);
    assert_eq!(checkout.accept("run --bin program --out out").code, Some(0));
    let kept = fs::read_dir(checkout.path("out/evidence")).unwrap().next().unwrap().unwrap();
    let digest = kept.file_name().into_string().unwrap();
    checkout.write("out/messages.ndjson", &messages(&checkout).replace(&digest, "../messages.ndjson"));
    let answer = checkout.accept("gate --out out --bin program");
    assert_eq!(answer.code, Some(2));
    assert!(answer.err.contains("is not a SHA-256"), "{}", answer.err);
}

#[test]
fn a_run_that_fails_exits_1_and_shows_what_is_needed_to_mend_it() {
    let checkout = Checkout::new();
    checkout.program("echo \"lost: $HOME/a-file of $HOME\" >&2; exit 9");
    let answer = checkout.accept("run --bin program --out out --json --seed 7");
    assert_eq!(answer.code, Some(1));
    assert_eq!(answer.causes(), ["scenarios_failed"]);
    for part in [
        "features/tier1/G1.3-a-run-executes.feature:7",
        "Then the exit code is 0",
        "steps/src/",
        "out/kept/features/tier1/G1.3-a-run-executes.feature/4",
        "cargo accept run features/tier1/G1.3-a-run-executes.feature:4 --seed 7",
    ] {
        assert!(answer.err.contains(part), "no {part:?} in {}", answer.err);
    }
    assert!(checkout.path("out/kept/features/tier1/G1.3-a-run-executes.feature/4").is_dir());
    let junit = fs::read_to_string(checkout.path("out/junit.xml")).unwrap();
    assert!(junit.contains("\n  at steps/src/then/"), "the report does not say where: {junit}");
    // The folder of the scenario is gone: what is said of files is said from there.
    for told in [&answer.err, &answer.out, &junit] {
        assert!(told.contains("lost: home/a-file of home"), "{told}");
        assert!(!told.contains("/scenario-"), "{told}");
    }
}

#[test]
fn a_selection_of_nothing_exits_1_and_replaces_the_results_before() {
    let checkout = Checkout::new();
    checkout.program(HONEST);
    assert_eq!(checkout.accept("run --bin program --out out").code, Some(0));
    let answer = checkout.accept("run --bin program --out out --tags @nope --json");
    assert_eq!(answer.code, Some(1));
    assert_eq!(answer.causes(), ["nothing_selected"]);
    assert!(!messages(&checkout).contains("testCaseStarted"));
}

#[test]
fn a_run_refused_by_the_lint_leaves_no_results_of_a_run_before() {
    let checkout = Checkout::new();
    checkout.program(HONEST);
    assert_eq!(checkout.accept("run --bin program --out out").code, Some(0));
    checkout.change("Given the repository", "Given the repositry");
    assert_eq!(checkout.accept("run --bin program --out out").code, Some(1));
    for name in ["messages.ndjson", "matrix.json", "report.html", "junit.xml"] {
        assert!(!checkout.path("out").join(name).exists(), "{name} is still there");
    }
}

/// Runs, and sends a signal as soon as the program has written its process id into the pipe `started`.
struct Interrupted {
    status: ExitStatus,
    said: String,
    pid: String,
}

fn interrupt_once_started(checkout: &Checkout, signal: Signal) -> Interrupted {
    let pipe = checkout.path("started");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    interrupt_command_once_started(checkout, checkout.command("run --bin program --out out"), signal)
}

fn interrupt_command_once_started(checkout: &Checkout, mut command: Command, signal: Signal) -> Interrupted {
    let pipe = checkout.path("started");
    let mut accept = command.stderr(Stdio::piped()).spawn().unwrap();
    let pid = pid_once_started(&pipe, &accept);
    let mut stderr = accept.stderr.take().unwrap();
    let said = thread::spawn(move || {
        let mut said = String::new();
        stderr.read_to_string(&mut said).unwrap();
        said
    });
    let Some(pid) = pid else { panic!("the program never started: {}", said.join().unwrap()) };
    kill_process(Pid::from_child(&accept), signal).unwrap();
    let status = accept.wait().unwrap();
    Interrupted { status, said: said.join().unwrap(), pid }
}

/// What the program writes into the pipe; nothing where `accept` ends before it does.
fn pid_once_started(pipe: &Path, accept: &Child) -> Option<String> {
    Some(read_while_alive(pipe, accept).unwrap()?.trim().to_owned())
}

/// Writes its process id into the pipe `started` of the checkout, and waits for ever.
fn starts_and_waits(checkout: &Checkout) -> String {
    format!("echo $$ > '{}'; exec sleep 600", checkout.path("started").display())
}

/// A process that ended has no command line, whether or not somebody has collected it.
fn assert_ended(pid: &str) {
    let command_line = fs::read(format!("/proc/{pid}/cmdline"));
    assert_eq!(command_line.unwrap_or_default(), b"", "{pid} still runs");
}

#[test]
fn an_interrupted_run_completes_its_stream_and_leaves_no_process() {
    for (signal, code, name) in
        [(Signal::INT, 130, "SIGINT"), (Signal::TERM, 143, "SIGTERM"), (Signal::HUP, 129, "SIGHUP")]
    {
        let checkout = Checkout::new();
        checkout.program(&starts_and_waits(&checkout));
        let Interrupted { status, said, pid } = interrupt_once_started(&checkout, signal);
        assert_eq!(status.code(), Some(code), "{said}");
        let messages = messages(&checkout);
        assert!(messages.lines().last().unwrap().contains("testRunFinished"));
        assert!(messages.contains("\"UNKNOWN\"") && messages.contains(&format!("ended by {name}")));
        assert!(checkout.path("out/junit.xml").is_file());
        assert_ended(&pid);
    }
}

#[test]
fn a_run_that_is_interrupted_before_it_listens_exits_as_interrupted() {
    for (signal, code, name) in [(Signal::INT, 130, "SIGINT"), (Signal::TERM, 143, "SIGTERM")] {
        let checkout = Checkout::new();
        // Asked who it is, it does not answer: nothing has begun to run yet.
        checkout.bare_program(&starts_and_waits(&checkout));
        let Interrupted { status, said, pid } = interrupt_once_started(&checkout, signal);
        assert_eq!(status.code(), Some(code), "{said}");
        assert!(said.contains(&format!("ended by {name}")), "{said}");
        assert!(!checkout.path("out/messages.ndjson").exists());
        assert_ended(&pid);
    }
}

#[test]
fn a_run_that_a_signal_ends_before_it_listens_was_interrupted_whoever_heard_of_it() {
    for (signal, code) in [("INT", 130), ("TERM", 143), ("HUP", 129)] {
        let checkout = Checkout::new();
        // Its parent alone gets it, and does not listen yet.
        checkout.bare_program(&format!("kill -{signal} $PPID; exec sleep 600"));
        let answer = checkout.accept("run --bin program --out out --json");
        assert_eq!(answer.code, Some(code), "{}", answer.err);
        assert_eq!(answer.causes(), ["interrupted"]);
        assert!(answer.err.contains(&format!("ended by SIG{signal}")), "{}", answer.err);
    }
}

#[test]
fn a_build_ends_with_the_run_that_it_is_for_and_a_server_of_it_does_not() {
    let checkout = Checkout::new();
    let server = checkout.path("server");
    checkout.bare_program(&format!(
        "setsid sh -c 'echo $$ > \"{0}.new\"; mv \"{0}.new\" \"{0}\"; exec sleep 600' 2> /dev/null &\n\
         while [ ! -e '{0}' ]; do :; done\n{1}",
        server.display(),
        starts_and_waits(&checkout)
    ));
    assert!(Command::new("mkfifo").arg(checkout.path("started")).status().unwrap().success());
    let mut command = checkout.command("run --out out");
    command.env("CARGO", checkout.path("program"));
    let Interrupted { status, said, pid } = interrupt_command_once_started(&checkout, command, Signal::TERM);
    assert_eq!(status.code(), Some(143), "{said}");
    assert_ended(&pid);
    let server: i32 = fs::read_to_string(server).unwrap().trim().parse().unwrap();
    kill_process(Pid::from_raw(server).unwrap(), Signal::KILL).unwrap();
}

#[test]
fn a_run_that_dies_names_what_it_was_at() {
    let checkout = Checkout::new();
    let told = checkout.path("out/messages.ndjson.unfinished");
    checkout
        .program(&format!("while ! grep -q testCaseStarted '{}'; do :; done; kill -9 $PPID", told.display()));
    let answer = checkout.accept("run --bin program --out out --json");
    assert_eq!((answer.code, answer.causes()), (Some(3), vec!["run_died".to_owned()]), "{}", answer.err);
    let place = "features/tier1/G1.3-a-run-executes.feature:4";
    let json = answer.json();
    assert_eq!(json["scenarios"][0]["place"], place);
    assert_eq!((&json["scenarios"][0]["status"], &json["passed"]), (&"not finished".into(), &false.into()));
    assert_eq!(json["out"], checkout.path("out").canonicalize().unwrap().to_str().unwrap());
    assert!(answer.err.contains(&format!("while {place} ran: it says so")), "{}", answer.err);
    assert!(answer.err.contains(told.file_name().unwrap().to_str().unwrap()), "{}", answer.err);
}

#[test]
fn a_run_whose_process_is_killed_is_no_passed_run() {
    let checkout = Checkout::new();
    // The program's parent is the process that runs the scenarios.
    checkout.program("kill -9 $PPID");
    let answer = checkout.accept("run --bin program --out out --json");
    assert_eq!(answer.code, Some(3), "{}", answer.err);
    assert_eq!(answer.causes(), ["run_died"]);
    assert!(!checkout.path("out/messages.ndjson").exists());
}

#[test]
fn a_second_run_in_the_same_output_folder_is_refused_and_harms_nothing() {
    let checkout = Checkout::new();
    // Inside the first run, a second one in the same folder.
    let inner = format!(
        "cd '{}' && env -u MYCELIUM_ACCEPT_SCRATCH '{}' run --bin program --out out 2> inner",
        checkout.path("").display(),
        env!("CARGO_BIN_EXE_accept")
    );
    checkout.program(&format!(
        "if [ ! -e '{0}' ]; then touch '{0}'; {inner}; fi; exit 0",
        checkout.path("once").display()
    ));
    let answer = checkout.accept("run --bin program --out out");
    assert_eq!(answer.code, Some(0), "{}", answer.err);
    let said = fs::read_to_string(checkout.path("inner")).unwrap();
    assert!(said.contains("another run of accept writes to"), "{said}");
    assert!(messages(&checkout).lines().last().unwrap().contains("testRunFinished"));
}

#[test]
fn a_run_that_takes_too_long_ends_by_name_with_all_that_it_writes() {
    let checkout = Checkout::new();
    checkout.program("exec sleep 600");
    let answer = checkout.accept("run --bin program --out out --json --timeout 500ms");
    assert_eq!(answer.code, Some(1), "{}", answer.err);
    assert_eq!(answer.causes(), ["run_timed_out", "scenarios_not_run"]);
    assert!(checkout.path("out/junit.xml").is_file());
    assert_eq!(checkout.accept("run --timeout soon").code, Some(2));
}

#[test]
fn what_a_killed_accept_leaves_is_complete_and_the_next_run_clears_it_away() {
    let checkout = Checkout::new();
    let temporary = checkout.path("temporary");
    fs::create_dir(&temporary).unwrap();
    checkout.program(&starts_and_waits(&checkout));
    let pipe = checkout.path("started");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let mut accept = checkout
        .command("run --bin program --out out")
        .env("TMPDIR", &temporary)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let pid = pid_once_started(&pipe, &accept);
    accept.kill().unwrap();
    accept.wait().unwrap();
    // The process that runs the scenarios has the same pipe; it is closed when that has ended, too.
    let mut said = String::new();
    accept.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    let Some(pid) = pid else { panic!("the program never started: {said}") };
    assert!(said.contains("ended by SIGTERM"), "{said}");
    assert!(messages(&checkout).lines().last().unwrap().contains("testRunFinished"));
    assert_ended(&pid);
    let left =
        || fs::read_dir(&temporary).unwrap().map(|entry| entry.unwrap().file_name()).collect::<Vec<_>>();
    assert_eq!(left().len(), 1);
    checkout.program(HONEST);
    let output = checkout.command("run --bin program --out out").env("TMPDIR", &temporary).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(left(), [""; 0]);
}

#[test]
fn what_reaches_the_standard_output_of_a_run_comes_out_on_standard_error() {
    let checkout = Checkout::new();
    // As a step that prints, or a command that inherited it.
    checkout.program("echo printed > /proc/$PPID/fd/1; exit 0");
    let answer = checkout.accept("run --bin program --out out --json");
    assert_eq!((answer.code, &answer.json()["passed"]), (Some(0), &true.into()), "{}", answer.err);
    assert!(answer.err.contains("printed\n"), "{}", answer.err);
}

#[test]
fn a_started_command_that_nobody_waits_for_fails_the_run_whether_or_not_it_ends() {
    let checkout = Checkout::new();
    checkout.change("When I run", "When I start \"mycelium log\"\n    And I run");
    for (script, causes) in [
        ("exit 0", &["unended", "scenarios_failed"][..]),
        ("exec sleep 600", &["unended", "process_left", "scenarios_failed"]),
    ] {
        checkout.program(&format!("[ \"$1\" = log ] || exit 0; {script}"));
        let answer = checkout.accept("run --bin program --out out --json");
        assert_eq!(
            (answer.code, answer.causes()),
            (Some(1), causes.iter().map(ToString::to_string).collect())
        );
        assert!(answer.err.contains("did not wait for: `mycelium log`"), "{}", answer.err);
        // Every reader sees that it failed.
        assert_eq!(answer.json()["scenarios"][0]["status"], "failed");
        let junit = fs::read_to_string(checkout.path("out/junit.xml")).unwrap();
        assert!(junit.contains("failures=\"1\"") && junit.contains("did not wait for"), "{junit}");
    }
}

#[test]
fn a_hang_up_that_accept_ignores_is_not_ignored_by_the_program() {
    let checkout = Checkout::new();
    let heard = checkout.path("heard");
    checkout.program(&format!("grep SigIgn: /proc/$$/status >'{}'; exit 0", heard.display()));
    let accept = checkout.command("run --bin program --out out");
    let mut command = Command::new("nohup");
    command.arg(accept.get_program()).args(accept.get_args()).current_dir(accept.get_current_dir().unwrap());
    for (name, value) in accept.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let ignored = fs::read_to_string(heard).unwrap();
    let mask = u64::from_str_radix(ignored.trim_start_matches("SigIgn:").trim(), 16).unwrap();
    assert_eq!(mask & 1, 0, "{ignored}");
}
