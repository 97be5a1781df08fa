//! In a container that has no network: listens on its loopback address and hands every connection on to the gateway's
//! socket, for as long as the agent runs that it starts.

use std::{
    io,
    net::Ipv4Addr,
    os::unix::process::ExitStatusExt,
    path::{Path, PathBuf},
};

use rustix::process::{Pid, Signal, kill_process};
use tokio::{
    net::{TcpListener, TcpStream, UnixStream},
    process::Command,
    signal::unix::{SignalKind, signal},
    task::JoinSet,
};

/// Runs a program beside the relay, hands signals on to it, and gives its exit code: 128 and the signal, where one ended
/// it.
pub fn run(socket: &Path, port: u16, program: &str, args: &[String]) -> io::Result<i32> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        // Before the agent: it may ask at once.
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        tokio::select! {
            code = work(program, args) => code,
            never = serve(listener, socket.to_owned()) => match never {},
        }
    })
}

async fn work(program: &str, args: &[String]) -> io::Result<i32> {
    let mut interrupts = signal(SignalKind::interrupt())?;
    let mut terminations = signal(SignalKind::terminate())?;
    let mut hangups = signal(SignalKind::hangup())?;
    let mut child = Command::new(program).args(args).spawn()?;
    let pid = child.id().and_then(|pid| i32::try_from(pid).ok()).and_then(Pid::from_raw);
    loop {
        let sent = tokio::select! {
            status = child.wait() => {
                let status = status?;
                return Ok(status.code().or(status.signal().map(|signal| 128 + signal)).unwrap_or(1));
            }
            _ = interrupts.recv() => Signal::INT,
            _ = terminations.recv() => Signal::TERM,
            _ = hangups.recv() => Signal::HUP,
        };
        // An error means that it has ended.
        let _gone = pid.map(|pid| kill_process(pid, sent));
    }
}

async fn serve(listener: TcpListener, socket: PathBuf) -> std::convert::Infallible {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                // Too many open files: some will be closed, and whoever asked asks again.
                if let Ok((stream, _)) = accepted {
                    connections.spawn(hand_on(stream, socket.clone()));
                }
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

/// Both ways, until one side has ended. A gateway that is away is a connection that is closed.
async fn hand_on(mut stream: TcpStream, socket: PathBuf) {
    if let Ok(mut gateway) = UnixStream::connect(&socket).await {
        let _ended = tokio::io::copy_bidirectional(&mut stream, &mut gateway).await;
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io::{Read, Write},
        os::unix::net::UnixListener,
    };

    use super::*;

    #[test]
    fn what_an_agent_asks_comes_to_the_socket_and_back_and_its_end_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("s");
        let gateway = UnixListener::bind(&socket).unwrap();
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let answering = std::thread::spawn(move || {
            let (mut stream, _) = gateway.accept().unwrap();
            let mut asked = [0; 5];
            stream.read_exact(&mut asked).unwrap();
            stream.write_all(b"there").unwrap();
            asked
        });
        let asks = format!(
            "exec 3<>/dev/tcp/127.0.0.1/{port} && printf hello >&3 && IFS= read -r -n 5 said <&3 && \
             [ \"$said\" = there ] && exit 7"
        );
        let code = run(&socket, port, "bash", &["-c".to_owned(), asks]).unwrap();
        // First: where nothing came to the socket, whoever waits there does so for ever.
        assert_eq!(code, 7);
        assert_eq!(&answering.join().unwrap(), b"hello");
        let killed = run(&socket, port, "sh", &["-c".to_owned(), "kill -9 $$".to_owned()]).unwrap();
        assert_eq!(killed, 137);
        // Nothing listens at the socket any more: whoever asks is told so, and waits for nobody.
        std::fs::remove_file(&socket).unwrap();
        let asks = format!("exec 3<>/dev/tcp/127.0.0.1/{port}; IFS= read -r said <&3 || exit 8");
        assert_eq!(run(&socket, port, "bash", &["-c".to_owned(), asks]).unwrap(), 8);
    }
}
