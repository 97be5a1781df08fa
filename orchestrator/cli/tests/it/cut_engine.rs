//! Connections to a container engine that end before what they tell of. The engine is made up: it runs nothing, plays one
//! container after the other, and ends what it tells as each test wants it.

use std::{
    io::{BufRead, BufReader, Read, Write},
    os::unix::net::{UnixListener, UnixStream},
    sync::{Arc, Condvar, Mutex},
    thread,
};

use serde_json::json;

use crate::{
    place::{Done, Place, program},
    plans::ONE,
};

/// What an engine's container does, and how the engine tells of it.
#[derive(Debug, Clone, Copy)]
struct Part {
    /// What is told to whoever is attached, before that connection ends.
    attached: &'static str,
    /// What is printed later.
    later: &'static str,
    /// How it ends.
    code: i32,
    /// When it does.
    ends: Ends,
    /// Whether the log has forgotten its beginning.
    forgot: bool,
    /// Whether the engine noted that memory ran out.
    out_of_memory: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ends {
    /// Once somebody followed its log to its end.
    Followed,
    /// At once.
    AtOnce,
    /// It does not; whoever waits is told nothing.
    Never,
    /// At once; whoever is attached or waits is told nothing more, and not that there is nothing more.
    Unheard,
}

const PART: Part = Part {
    attached: "{\"type\":\"turn.completed\",\"usage\":{\"input_tokens\":10,\"output_tokens\":1}}\nhalf a l",
    later: "ine\n{\"type\":\"turn.completed\",\"usage\":{\"input_tokens\":20,\"output_tokens\":2}}\n",
    code: 3,
    ends: Ends::Followed,
    forgot: false,
    out_of_memory: false,
};

/// What a container prints whose log has forgotten what was before.
const AFTER: &str = "what came after\n";

#[derive(Debug, Default)]
struct State {
    /// The word that the container says first, once it was told.
    word: String,
    ended: bool,
}

/// The engine: what it plays, and how far that is.
#[derive(Debug, Clone)]
struct Engine {
    part: Part,
    state: Arc<(Mutex<State>, Condvar)>,
}

impl Engine {
    /// A place whose engine plays this part.
    fn place(part: Part) -> Place {
        Self::begin(part).0
    }

    /// The same, with the engine.
    fn begin(part: Part) -> (Place, Self) {
        let config = "docker: {image: made-up}\nmax_retries: 0\ntimeout_minutes: 0.5\n";
        let mut place = Place::with_plan(config, ONE);
        let socket = place.sandbox.root().join("engine.sock");
        let listener = UnixListener::bind(&socket).unwrap();
        place.sandbox.set("DOCKER_HOST", format!("unix://{}", socket.display()));
        let engine = Self { part, state: Arc::default() };
        let serving = engine.clone();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let engine = serving.clone();
                // Whoever hangs up is not told.
                thread::spawn(move || engine.serve(&stream?));
            }
        });
        (place, engine)
    }

    fn serve(&self, stream: &UnixStream) -> std::io::Result<()> {
        let mut reader = BufReader::new(stream.try_clone()?);
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") && reader.read_until(b'\n', &mut head)? > 0 {}
        let head = String::from_utf8_lossy(&head).to_lowercase();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        let mut body = vec![0; length.map_or(0, |length| length.trim().parse().unwrap())];
        reader.read_exact(&mut body)?;
        let asked = head.lines().next().unwrap_or_default();
        let is = |part: &str| asked.contains(part);
        match () {
            () if is("/version") => {
                answer(stream, 200, &json!({"ApiVersion": "1.41", "Version": "20.10.24", "Arch": "amd64"}))
            }
            () if is("/images/") => {
                answer(stream, 200, &json!({"Id": "sha256:aa", "Architecture": "amd64", "Os": "linux"}))
            }
            // The container that looks for programs, which are all there.
            () if is("name=mycelium-look") => answer(stream, 201, &json!({"Id": "looks", "Warnings": []})),
            () if is("/looks/attach") => {
                upgrade(stream)?;
                frame(stream, "looked\n")?;
                stream.shutdown(std::net::Shutdown::Both)
            }
            () if is("/looks/wait") => answer(stream, 404, &json!({"message": "No such container: looks"})),
            () if is("/containers/create") => answer(stream, 201, &json!({"Id": "made-up", "Warnings": []})),
            () if is("/attach") => self.attach(stream, reader),
            () if is("/logs") => self.tell_log(stream, is("follow=true"), is("tail=1"), is("tail=0")),
            () if is("/wait") => self.tell_end(stream),
            () if is("/kill") => {
                self.end();
                answer(stream, 204, &json!({}))
            }
            () if is("/containers/json") => answer(stream, 200, &json!([])),
            () if is("/json") => self.tell_state(stream),
            // What is no number is refused, as a real one does.
            () if is("/events") && !is("since=0") => {
                answer(stream, 500, &json!({"message": "invalid syntax"}))
            }
            () if is("/events") && self.part.out_of_memory => {
                answer(stream, 200, &json!({"Type": "container", "Action": "oom", "status": "oom"}))
            }
            () => answer(stream, 204, &json!({})),
        }
    }

    /// Hears what the container is to do, tells the beginning of what it prints, and hangs up.
    fn attach(&self, stream: &UnixStream, mut reader: BufReader<UnixStream>) -> std::io::Result<()> {
        upgrade(stream)?;
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let word = line.strip_prefix("echo '").and_then(|line| line.split_once('\'')).unwrap().0.to_owned();
        frame(stream, &format!("{word}\n{}", self.part.attached))?;
        let (state, changed) = &*self.state;
        let mut state = state.lock().unwrap();
        *state = State { word, ended: matches!(self.part.ends, Ends::AtOnce | Ends::Unheard) };
        changed.notify_all();
        drop(state);
        self.fall_silent();
        stream.shutdown(std::net::Shutdown::Both)
    }

    fn tell_log(&self, mut stream: &UnixStream, follow: bool, last: bool, none: bool) -> std::io::Result<()> {
        let Part { attached, later, forgot, .. } = self.part;
        let word = self.state.0.lock().unwrap().word.clone();
        let whole =
            if forgot { format!("a word of later\n{later}") } else { format!("{word}\n{attached}{later}") };
        write!(
            stream,
            "HTTP/1.1 200 -\r\nContent-Type: application/vnd.docker.raw-stream\r\nConnection: close\r\n\r\n"
        )?;
        match (last, none) {
            (true, _) if forgot => frame(stream, AFTER)?,
            (true, _) => frame(stream, whole.trim_end().rsplit('\n').next().unwrap_or_default())?,
            (_, true) => frame(stream, AFTER)?,
            _ => frame(stream, &whole)?,
        }
        if follow && (none || !forgot) {
            self.end();
        }
        Ok(())
    }

    fn tell_end(&self, stream: &UnixStream) -> std::io::Result<()> {
        if self.part.ends == Ends::Never {
            return answer_text(stream, 200, "");
        }
        self.fall_silent();
        let (state, changed) = &*self.state;
        let _ended = changed.wait_while(state.lock().unwrap(), |state| !state.ended).unwrap();
        answer(stream, 200, &json!({"StatusCode": self.part.code}))
    }

    fn tell_state(&self, stream: &UnixStream) -> std::io::Result<()> {
        let ended = self.state.0.lock().unwrap().ended;
        let status = if ended { "exited" } else { "running" };
        let state = json!({
            "Status": status, "Running": !ended, "OOMKilled": false, "ExitCode": if ended { self.part.code } else { 0 },
            "StartedAt": "2026-01-02T03:04:05.000000000Z",
        });
        answer(stream, 200, &json!({"Id": "made-up", "State": state}))
    }

    /// Says no more for ever, where that is the part.
    fn fall_silent(&self) {
        if self.part.ends == Ends::Unheard {
            loop {
                thread::park();
            }
        }
    }

    fn end(&self) {
        let (state, changed) = &*self.state;
        state.lock().unwrap().ended = true;
        changed.notify_all();
    }
}

fn answer(stream: &UnixStream, status: u16, body: &serde_json::Value) -> std::io::Result<()> {
    answer_text(stream, status, &body.to_string())
}

fn answer_text(mut stream: &UnixStream, status: u16, body: &str) -> std::io::Result<()> {
    let length = if status == 204 { String::new() } else { format!("Content-Length: {}\r\n", body.len()) };
    write!(
        stream,
        "HTTP/1.1 {status} -\r\nContent-Type: application/json\r\nConnection: close\r\n{length}\r\n"
    )?;
    if status == 204 { Ok(()) } else { stream.write_all(body.as_bytes()) }
}

/// From here on the connection brings what a container prints.
fn upgrade(mut stream: &UnixStream) -> std::io::Result<()> {
    write!(stream, "HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n")
}

/// Standard output, as an engine wraps it.
fn frame(mut stream: &UnixStream, text: &str) -> std::io::Result<()> {
    let length = u32::try_from(text.len()).unwrap().to_be_bytes();
    stream.write_all(&[&[1, 0, 0, 0], length.as_slice(), text.as_bytes()].concat())
}

/// Runs the plan at an engine that plays a part; gives the agent's log, the task's state and what was said.
fn played(part: Part, code: i32) -> (String, serde_json::Value, String) {
    let mut place = Engine::place(part);
    let done = place.run(&["run", "--world", "docker", "--run-id", "r1"]).exits(code);
    let log = place.project_dir().join("runs/r1/tasks/001/attempt-1/agent.log");
    let status = place.run(&["status", "--json"]).exits(0).json();
    (std::fs::read_to_string(log).unwrap(), status["tasks"]["001"].clone(), done.stderr)
}

#[test]
fn what_is_printed_after_the_connection_ended_is_fetched_once() {
    for ends in [Ends::Followed, Ends::AtOnce, Ends::Unheard] {
        let (log, task, _) = played(Part { ends, ..PART }, 1);
        assert_eq!(log, format!("{}{}", PART.attached, PART.later), "{ends:?}");
        assert_eq!((&task["usage"]["input_tokens"], &task["attempts"]), (&30.into(), &1.into()), "{task}");
    }
}

#[test]
fn what_the_engine_has_forgotten_meanwhile_is_said_to_be_lost() {
    let (log, task, _) = played(Part { forgot: true, ..PART }, 1);
    let lost = "[mycelium: output lost: the container engine keeps the last 128 MiB of what nobody reads]";
    assert_eq!(log, format!("{}\n{lost}\n{AFTER}", PART.attached));
    assert_eq!(task["usage"]["input_tokens"], 10, "what cannot be placed is not counted twice");
}

#[test]
fn a_command_that_nobody_tells_the_end_of_has_not_ended() {
    let (_, task, said) = played(Part { code: 0, ends: Ends::Never, ..PART }, 4);
    assert!(said.contains("does not answer"), "{said}");
    assert_ne!(task["status"], "landed");
}

#[test]
fn memory_that_ran_out_is_named_where_the_engine_notes_it_apart() {
    let part = Part { code: 137, ends: Ends::AtOnce, later: "", ..PART };
    let (_, task, _) = played(Part { out_of_memory: true, ..part }, 1);
    assert!(task["reasons"].to_string().contains("memory"), "{task}");
    let (_, task, _) = played(part, 1);
    assert!(!task["reasons"].to_string().contains("memory"), "{task}");
}

#[test]
fn what_this_machine_has_goes_where_the_engine_is_away() {
    let mut place = Engine::place(Part { code: 0, ends: Ends::Never, ..PART });
    place.run(&["run", "--world", "docker", "--run-id", "r1"]).exits(4);
    place.run(&["run", "--run-id", "r2"]).exits(0);
    let (of_containers, of_processes) = ("runs/r1", "runs/r2");
    let there = |place: &Place, run: &str| place.project_dir().join(run).is_dir();
    place.sandbox.set("DOCKER_HOST", "unix:///no-such-socket");
    // Its containers may be at work in their workspaces; what has none goes.
    let said = ["containers may be left: the container engine at unix:///no-such-socket does not answer"];
    let cleaned = place.run(&["clean", "--all"]).exits(4).complains(&said).complains(&["kept     run r1"]);
    assert!(there(&place, of_containers) && !there(&place, of_processes), "{cleaned:#?}");
    assert!(place.project_dir().join("workspaces/r1").is_dir());
    let listed = place.run(&["clean", "--all", "--force", "--dry-run", "--json"]).exits(4).json();
    place.assert_valid("clean", &listed);
    assert!(listed["unreached"]["reason"].as_str().unwrap().contains("does not answer"), "{listed:#}");
    assert!(there(&place, of_containers));
    place
        .run(&["clean", "--all", "--force"])
        .exits(4)
        .complains(&said)
        .complains(&["`mycelium clean` removes them"]);
    assert!(!there(&place, of_containers) && !place.project_dir().join("workspaces/r1").is_dir());
}

#[test]
fn a_command_that_this_machine_cannot_follow_to_its_end_is_ended() {
    // More than a file may have here.
    let attached = "a line\n".repeat(30_000).leak();
    let (mut place, engine) = Engine::begin(Part { attached, later: "", ..PART });
    let script = "ulimit -f 100; exec \"$0\" run --world docker --run-id r1".to_owned();
    let words = ["-c".to_owned(), script, program().display().to_string()];
    let folder = place.repository.path().to_owned();
    let done: Done = place.sandbox.run("/bin/sh".as_ref(), &words, &folder).unwrap().into();
    done.exits(4).complains(&["agent.log"]);
    assert!(engine.state.0.lock().unwrap().ended, "its container is still at work");
}
