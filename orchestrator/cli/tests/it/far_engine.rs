//! Workspaces that are carried to an engine on another machine and back, while their containers go away. The engine is made
//! up: it runs nothing, and gives back what it was sent.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

use serde_json::json;

use crate::place::Place;

/// One task, with a check of its own.
const CHECKED: &str = r#"{"tasks": [{"id": "001", "name": "One", "files": {"writes": ["src/one.js"]},
    "verify": {"doctor": "test -f src/one.js"}, "spec": "One."}]}"#;
/// A block of an archive.
const BLOCK: usize = 512;

/// A file in an archive.
fn entry(name: &str, content: &[u8]) -> Vec<u8> {
    let mut header = vec![0; BLOCK];
    let size = format!("{:011o}", content.len());
    let fields = [(0, name), (100, "0000644"), (108, "0000000"), (116, "0000000"), (124, &size)];
    for (at, text) in
        fields.into_iter().chain([(136, "00000000000"), (148, "        "), (156, "0"), (257, "ustar")])
    {
        header[at..at + text.len()].copy_from_slice(text.as_bytes());
    }
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    header.extend_from_slice(content);
    header.resize(header.len().next_multiple_of(BLOCK), 0);
    header
}

/// An archive with one more file.
fn with_file(archive: &[u8], name: &str) -> Vec<u8> {
    let used =
        archive.iter().rposition(|byte| *byte != 0).map_or(0, |last| (last + 1).next_multiple_of(BLOCK));
    [&archive[..used], &entry(name, b"one\n"), &[0; 2 * BLOCK]].concat()
}

/// What the engine was sent of workspaces, by the containers that they are in.
type Sent = Arc<Mutex<BTreeMap<String, Vec<u8>>>>;

/// The container of this one is removed by somebody while it is at work.
const REMOVED: &str = "verify-1";

fn serve(stream: &TcpStream, sent: &Sent) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") && reader.read_until(b'\n', &mut head)? > 0 {}
    let head = String::from_utf8_lossy(&head).to_lowercase();
    let body = body(&head, &mut reader)?;
    let asked = head.lines().next().unwrap_or_default();
    let is = |part: &str| asked.contains(part);
    let id =
        asked.split("/containers/").nth(1).and_then(|rest| rest.split(['/', '?']).next()).unwrap_or_default();
    let json = |status, value: serde_json::Value| answer(stream, status, value.to_string().as_bytes());
    let gone = || json(404, json!({"message": "No such container"}));
    match () {
        () if is("/version") => {
            json(200, json!({"ApiVersion": "1.41", "Version": "20.10.24", "Arch": "amd64"}))
        }
        () if is("/images/") => json(200, json!({"Id": "sha256:aa", "Architecture": "amd64", "Os": "linux"})),
        () if is("/containers/create") => {
            let mut sent = sent.lock().unwrap();
            let purpose =
                asked.split("name=mycelium-").nth(1).and_then(|name| name.split('-').next()).unwrap();
            let number = 1 + sent.keys().filter(|id| id.starts_with(purpose)).count();
            let id = format!("{purpose}-{number}");
            sent.insert(id.clone(), Vec::new());
            json(201, json!({"Id": id, "Warnings": []}))
        }
        () if is("put ") && body.windows(10).any(|part| part == b"workspace/") => {
            sent.lock().unwrap().insert(id.to_owned(), body);
            json(200, json!({}))
        }
        () if is("/attach") => {
            let mut told = String::new();
            let mut stream = stream;
            write!(stream, "HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n")?;
            let says = if id.starts_with("look") {
                "looked"
            } else {
                reader.read_line(&mut told)?;
                told.split('\'').nth(1).unwrap()
            };
            let length = u32::try_from(says.len() + 1).unwrap().to_be_bytes();
            stream.write_all(&[&[1, 0, 0, 0], length.as_slice(), says.as_bytes(), b"\n"].concat())?;
            stream.shutdown(Shutdown::Write)
        }
        () if is("/logs") => gone(),
        () if id == REMOVED && !is("/start") && !is("put ") => gone(),
        () if is("/wait") => json(200, json!({"StatusCode": 0})),
        () if is("get ") && is("/archive") => {
            let archive = sent.lock().unwrap().get(id).cloned().unwrap_or_default();
            let made =
                if id.starts_with("agent") { with_file(&archive, "workspace/src/one.js") } else { archive };
            answer(stream, 200, &made)
        }
        () if is("/containers/json") => json(200, json!([])),
        () if is("/json") => {
            json(200, json!({"Id": id, "State": {"Status": "exited", "Running": false, "ExitCode": 0}}))
        }
        () => json(204, json!({})),
    }
}

/// What comes with a request.
fn body(head: &str, reader: &mut BufReader<TcpStream>) -> std::io::Result<Vec<u8>> {
    let mut body = Vec::new();
    if !head.contains("transfer-encoding: chunked") {
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        body.resize(length.map_or(0, |length| length.trim().parse().unwrap()), 0);
        reader.read_exact(&mut body)?;
        return Ok(body);
    }
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let length = usize::from_str_radix(line.trim(), 16).unwrap();
        let mut chunk = vec![0; length + 2];
        reader.read_exact(&mut chunk)?;
        chunk.truncate(length);
        body.extend(chunk);
        if length == 0 {
            return Ok(body);
        }
    }
}

fn answer(mut stream: &TcpStream, status: u16, body: &[u8]) -> std::io::Result<()> {
    let length = if status == 204 { String::new() } else { format!("Content-Length: {}\r\n", body.len()) };
    write!(
        stream,
        "HTTP/1.1 {status} -\r\nContent-Type: application/json\r\nConnection: close\r\n{length}\r\n"
    )?;
    if status == 204 { Ok(()) } else { stream.write_all(body) }
}

#[test]
fn a_check_that_is_run_again_has_the_files_that_it_is_to_check() {
    let config = "docker: {image: made-up}\nmax_retries: 0\nworker: {agent: command, command: 'true'}\n";
    let mut place = Place::with_plan(config, CHECKED);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    place.sandbox.set("DOCKER_HOST", format!("tcp://{}", listener.local_addr().unwrap()));
    let sent = Sent::default();
    let held = Arc::clone(&sent);
    thread::spawn(move || {
        for stream in listener.incoming() {
            let held = Arc::clone(&held);
            // Whoever hangs up is not told.
            thread::spawn(move || serve(&stream?, &held));
        }
    });
    place.run(&["run", "--world", "docker", "--run-id", "r1"]).exits(0).complains(&["ended from outside"]);
    place.landed_once("001");
    let sent = sent.lock().unwrap();
    for id in [REMOVED, "verify-2"] {
        let holds = sent[id].windows(20).any(|part| part == b"workspace/src/one.js");
        assert!(holds, "{id} was sent {} bytes without the work", sent[id].len());
    }
}
