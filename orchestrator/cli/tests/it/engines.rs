//! What is wrong with a container engine is said before a run begins, each with its own mend. The engines are made up: they
//! answer as a real one does that is too old, or cannot pull.

use std::{
    io::{BufRead, BufReader, Read, Write},
    os::unix::net::{UnixListener, UnixStream},
    path::PathBuf,
    process::Child,
    thread,
};

use rustix::process::{Pid, Signal, kill_process};

use crate::{held::start, place::Place, plans::ONE};

/// Answers to requests whose line contains a text: status and body. The last one goes for all others.
type Answers = &'static [(&'static str, u16, &'static str)];

const VERSION: (&str, u16, &str) =
    ("/version", 200, r#"{"ApiVersion":"1.41","Version":"20.10.24","Arch":"amd64"}"#);
const NO_IMAGE: (&str, u16, &str) = ("/json", 404, r#"{"message":"No such image: nothing:latest"}"#);

/// A place at whose engine's socket a test listens.
fn listening(docker: &str) -> (Place, UnixListener) {
    let mut place = Place::with_plan(&format!("docker: {docker}\n"), ONE);
    let socket = socket(&place);
    let listener = UnixListener::bind(&socket).unwrap();
    place.sandbox.set("DOCKER_HOST", format!("unix://{}", socket.display()));
    (place, listener)
}

/// A place whose engine gives these answers. It is there as long as the test.
fn place(docker: &str, answers: Answers) -> Place {
    let (place, listener) = listening(docker);
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = BufReader::new(stream.unwrap());
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") && stream.read_until(b'\n', &mut head).unwrap() > 0 {}
            let head = String::from_utf8(head).unwrap();
            let line = head.lines().next().unwrap_or_default();
            let (_, status, body) =
                answers.iter().find(|(part, ..)| line.contains(part)).unwrap_or(&answers[0]);
            let stream = stream.get_mut();
            if line.contains("/attach") {
                // What the container prints, as it is.
                write!(stream, "HTTP/1.1 101 -\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n{body}")
                    .unwrap();
                continue;
            }
            write!(stream, "HTTP/1.1 {status} -\r\nContent-Type: application/json\r\nConnection: close\r\n")
                .unwrap();
            write!(stream, "Content-Length: {}\r\n\r\n{body}", body.len()).unwrap();
            // Read to its end: what was not read of a request would cut the answer off.
            let _closed = stream.read(&mut [0]);
        }
    });
    place
}

/// What a run says that does not begin.
#[track_caller]
fn refuses(place: &mut Place, code: i32, said: &[&str]) {
    place.run(&["run", "--world", "docker"]).exits(code).complains(said);
    assert!(place.run(&["status"]).exits(0).stdout.contains("no runs yet"));
}

#[test]
fn one_that_is_too_old_is_to_be_updated() {
    let old = &[("", 200, r#"{"ApiVersion":"1.40","Version":"19.03.15","Arch":"amd64"}"#)];
    refuses(
        &mut place("{image: nothing}", old),
        4,
        &["is too old: it speaks version 1.40", "20.10 or later"],
    );
}

#[test]
fn what_is_no_engine_is_said_to_have_answered() {
    let other = &[("", 200, r#"{"hello":"world"}"#)];
    refuses(&mut place("{image: nothing}", other), 4, &["could not tell its version"]);
}

#[test]
fn an_image_that_is_nowhere_is_to_be_built() {
    let unknown = &[
        VERSION,
        NO_IMAGE,
        ("/images/create", 404, r#"{"message":"manifest for nothing:latest not found"}"#),
    ];
    let said =
        ["there is no image nothing", "manifest for nothing:latest not found", "docker build --tag nothing"];
    refuses(&mut place("{image: nothing}", unknown), 4, &said);
}

#[test]
fn a_pull_that_is_refused_is_to_be_done_by_who_may() {
    let denied = &[
        VERSION,
        NO_IMAGE,
        (
            "/images/create",
            404,
            r#"{"message":"pull access denied for nothing, repository does not exist or may require 'docker login'"}"#,
        ),
    ];
    let said = ["could not pull it: pull access denied", "docker pull nothing"];
    refuses(&mut place("{image: nothing}", denied), 4, &said);
    // The refusal comes in the middle of an answer that began well.
    let late = &[
        VERSION,
        NO_IMAGE,
        (
            "/images/create",
            200,
            "{\"status\":\"Pulling\"}\r\n{\"errorDetail\":{\"message\":\"toomanyrequests: limit\"},\"error\":\"toomanyrequests: limit\"}\r\n",
        ),
    ];
    refuses(
        &mut place("{image: nothing}", late),
        4,
        &["could not pull it", "toomanyrequests", "docker pull"],
    );
}

#[test]
fn an_image_for_another_machine_is_to_be_built_for_this_one() {
    let foreign = &[VERSION, ("/json", 200, r#"{"Id":"sha256:aa","Architecture":"arm64","Os":"linux"}"#)];
    let said = ["is made for arm64, the container engine runs on amd64", "for that machine"];
    refuses(&mut place("{image: nothing}", foreign), 4, &said);
}

#[test]
fn a_name_that_no_image_can_have_is_to_be_corrected() {
    const SAYS: &str = r#"{"message":"no such image: Rv6:latest: invalid reference format: repository name must be lowercase"}"#;
    let refused = &[VERSION, ("/images/", 400, SAYS)];
    let said =
        ["`docker.image` is Rv6:latest, which names no image: no such image", "correct `docker.image`"];
    refuses(&mut place("{image: \"Rv6:latest\"}", refused), 2, &said);
    // Some names are refused only where they are to be pulled.
    let late = &[VERSION, NO_IMAGE, ("/images/create", 400, r#"{"message":"invalid reference format"}"#)];
    let said =
        ["`docker.image` is ../x, which names no image: invalid reference format", "correct `docker.image`"];
    refuses(&mut place("{image: ../x}", late), 2, &said);
}

#[test]
fn an_engine_that_is_too_new_is_told_from_one_that_lacks_an_image() {
    const SAYS: &str = r#"{"message":"client version 1.41 is too old. Minimum supported API version is 1.60, please upgrade"}"#;
    let new = &[VERSION, ("/images/", 400, SAYS)];
    refuses(
        &mut place("{image: nothing}", new),
        4,
        &["is too new: client version 1.41 is too old", "update mycelium"],
    );
}

#[test]
fn a_container_that_cannot_be_made_is_told_before_a_run_begins() {
    // What is printed is framed: the stream, three zeros, the length, and then it.
    const ONE_LACKS: &str = "\u{1}\0\0\0\0\0\0\u{11}/bin/bash\nlooked\n";
    const NO_SHELL: &str =
        r#"{"message":"OCI runtime create failed: exec: \"sh\": executable file not found in $PATH"}"#;
    const NO_USER: &str = r#"{"message":"unable to find user builder: no matching entries in passwd file"}"#;
    const NO_NETWORK: &str = r#"{"message":"network nonet not found"}"#;
    for (start, printed, said) in [
        ((400, NO_SHELL), "", ["the image nothing has no `sh`", "add a shell to the image"]),
        ((204, ""), "", ["the image nothing has no `sh`", "did not come to its end"]),
        ((500, NO_USER), "", ["`docker.user` is builder", "set it by numbers"]),
        ((404, NO_NETWORK), "", ["`docker.network_mode` is nonet", "docker network create"]),
        ((204, ""), ONE_LACKS, ["the image nothing has no program /bin/bash", "the doctor's first line"]),
    ] {
        let answers = vec![
            VERSION,
            ("/images/", 200, r#"{"Id":"sha256:aa","Architecture":"amd64","Os":"linux"}"#),
            ("/containers/create", 201, r#"{"Id":"c1","Warnings":[]}"#),
            ("/attach", 101, printed),
            ("/start", start.0, start.1),
            ("/containers/json", 200, "[]"),
            ("DELETE ", 204, ""),
        ];
        let mut place = place("{image: nothing, user: builder, network_mode: nonet}", answers.leak());
        refuses(&mut place, 2, &said);
        let found = place.run(&["doctor"]).exits(2).stdout;
        assert!(found.contains("FAIL  image") && said.iter().all(|said| found.contains(said)), "{found}");
    }
}

#[test]
fn an_engine_that_sees_no_folder_of_this_machine_is_to_be_reached_otherwise() {
    const SAYS: &str =
        r#"{"message":"invalid mount config for type \"bind\": bind source path does not exist: /h/w"}"#;
    let blind = &[
        VERSION,
        ("/images/", 200, r#"{"Id":"sha256:aa","Architecture":"amd64","Os":"linux"}"#),
        ("/containers/create", 400, SAYS),
    ];
    let said = ["does not see the folders of this machine", "/h/w", "ssh://user@host", "MYCELIUM_HOME"];
    refuses(&mut place("{image: nothing}", blind), 4, &said);
}

/// A command that asks an engine at whose socket a test listens.
fn asking(words: &[&str]) -> (Child, UnixListener, Place) {
    let (place, listener) = listening("{image: nothing}");
    (start(&place, words), listener, place)
}

fn socket(place: &Place) -> PathBuf {
    place.sandbox.root().join("engine.sock")
}

#[test]
fn a_signal_is_heard_while_doctor_waits_for_an_engine_that_stands_still() {
    let (mut doctor, listener, _place) = asking(&["doctor"]);
    // It asks, and nobody answers.
    let _asked = listener.accept().unwrap();
    kill_process(Pid::from_child(&doctor), Signal::INT).unwrap();
    assert_eq!(doctor.wait().unwrap().code(), Some(130));
}

#[test]
fn a_signal_before_a_run_leaves_no_container() {
    let (mut run, listener, place) = asking(&["run", "--world", "docker"]);
    let pid = Pid::from_child(&run);
    let served = thread::spawn(move || {
        // Nobody is hung up on.
        let mut held = Vec::new();
        for stream in listener.incoming() {
            let mut stream = BufReader::new(stream.unwrap());
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") && stream.read_until(b'\n', &mut head).unwrap() > 0 {}
            let head = String::from_utf8(head).unwrap();
            let line = head.lines().next().unwrap_or_default();
            let (status, body) = match line {
                _ if line.contains("/version") => (200, VERSION.2),
                _ if line.contains("/images/") => (200, r#"{"Id":"sha256:aa","Architecture":"amd64"}"#),
                _ if line.contains("/create") => {
                    // The container is made, and before that is told the signal comes.
                    kill_process(pid, Signal::TERM).unwrap();
                    (201, r#"{"Id":"c1","Warnings":[]}"#)
                }
                _ if line.starts_with("DELETE ") => return true,
                "" => return false,
                _ => (404, r#"{"message":"no"}"#),
            };
            let answer = format!(
                "HTTP/1.1 {status} -\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            );
            // Whoever has ended is not told.
            let _told = stream.get_mut().write_all(answer.as_bytes());
            held.push(stream);
        }
        false
    });
    assert_eq!(run.wait().unwrap().code(), Some(143));
    // Says nothing, which ends the engine where it still waits.
    drop(UnixStream::connect(socket(&place)));
    assert!(served.join().unwrap(), "the container was not removed");
}

#[test]
fn an_engine_far_away_is_asked_and_its_absence_is_told() {
    let mut place = Place::with_plan("docker: {image: nothing}\n", ONE);
    // Nobody listens there: the port is reserved (tcpmux), and privileged.
    place.sandbox.set("DOCKER_HOST", "tcp://127.0.0.1:1");
    refuses(&mut place, 4, &["tcp://127.0.0.1:1 does not answer", "set DOCKER_HOST"]);
    place.sandbox.set("DOCKER_HOST", "ssh://nobody@127.0.0.1:22");
    refuses(&mut place, 2, &["names a port", "SSH configuration"]);
    place.sandbox.set("DOCKER_HOST", "tcp://127.0.0.1:1");
    place.sandbox.set("DOCKER_TLS_VERIFY", "1");
    place.sandbox.set("DOCKER_CERT_PATH", place.sandbox.root().join("no-certificates"));
    refuses(&mut place, 4, &["cannot be used", "DOCKER_CERT_PATH"]);
    place.sandbox.set("DOCKER_HOST", "gopher://127.0.0.1:1");
    refuses(&mut place, 4, &["gopher://127.0.0.1:1 cannot be used", "ssh://user@host"]);
}

#[test]
fn a_user_by_name_is_refused_where_files_are_carried() {
    // The engine of this machine, by a way that could lead to another one.
    let mut place = Place::with_plan("docker: {image: nothing, user: builder}\n", ONE);
    let engine = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    place.sandbox.set("DOCKER_HOST", format!("tcp://{}", engine.local_addr().unwrap()));
    thread::spawn(move || {
        for stream in engine.incoming() {
            let mut stream = stream.unwrap();
            let _request = stream.read(&mut [0; 4096]);
            let body = VERSION.2;
            write!(stream, "HTTP/1.1 200 -\r\nContent-Type: application/json\r\nConnection: close\r\n")
                .unwrap();
            write!(stream, "Content-Length: {}\r\n\r\n{body}", body.len()).unwrap();
        }
    });
    refuses(&mut place, 2, &["`docker.user` is builder", "by numbers"]);
}

/// An engine whose image is there, and whose container that is asked for a version starts and prints so.
fn asked_for_a_version(start: (u16, &'static str), printed: &'static str) -> Answers {
    let answers = vec![
        VERSION,
        ("/images/", 200, r#"{"Id":"sha256:aa","Architecture":"amd64","Os":"linux"}"#),
        // The container that looks for programs, which are all there, and then the one that is asked.
        ("name=mycelium-look", 201, r#"{"Id":"looks","Warnings":[]}"#),
        ("/looks/attach", 101, "\u{1}\0\0\0\0\0\0\u{7}looked\n"),
        ("/looks/start", 204, ""),
        ("/containers/create", 201, r#"{"Id":"c1","Warnings":[]}"#),
        ("/start", start.0, start.1),
        ("/wait", 200, r#"{"StatusCode":0}"#),
        ("/logs", 200, printed),
        ("DELETE ", 204, ""),
    ];
    answers.leak()
}

#[test]
fn an_image_without_the_agent_or_with_an_old_one_is_refused() {
    // As the engine tells what a container printed: the stream, three zeros, the length, and then it.
    const OLD: &str = "\u{1}\0\0\0\0\0\0\u{11}codex-cli 0.99.0\n";
    const OTHER: &str = "\u{1}\0\0\0\0\0\0\u{6}hello\n";
    const LACKS: &str = r#"{"message":"OCI runtime create failed: exec: \"codex\": executable file not found in $PATH: unknown"}"#;
    for (start, printed, said) in [
        ((204, ""), OLD, ["codex of the image nothing is codex 0.99.0; tested are", "install a newer one"]),
        (
            (204, ""),
            OTHER,
            ["codex of the image nothing does not say which version of codex", "set `program`"],
        ),
        (
            (400, LACKS),
            "",
            ["the image nothing has no program codex", "npm install -g @openai/codex@0.169.0"],
        ),
    ] {
        for agent in
            ["worker: {agent: codex, model: m1}", "test_validator: {mode: block, provider: codex, model: m1}"]
        {
            let gateway = "gateway: {openai: {base_url: \"http://127.0.0.1:9\"}}";
            let config = format!("{{image: nothing}}\n{agent}\n{gateway}");
            let mut place = place(&config, asked_for_a_version(start, printed));
            refuses(&mut place, 2, &[said[0], said[1], "config.yaml:"]);
        }
    }
}
