//! A terminal that a program is started on, and what stands on its screen.

use std::{
    fs::File,
    io::Read,
    os::unix::fs::OpenOptionsExt,
    path::Path,
    process::{Child, Command, Stdio},
};

use rustix::{
    fs::OFlags,
    process::{Pid, Signal, kill_process},
    pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
    termios::{Winsize, tcsetwinsize},
};

use crate::held::open_when_read;

const ROWS: u16 = 40;
const COLUMNS: u16 = 120;

/// The terminal with the program on it.
pub(crate) struct Terminal {
    child: Child,
    master: File,
    said: Vec<u8>,
}

impl Terminal {
    /// Starts a program with standard output and error on a new terminal.
    pub(crate) fn start(command: Command) -> Self {
        Self::spawn(command, true)
    }

    /// Starts a program with standard error alone on a new terminal.
    pub(crate) fn start_for_errors(command: Command) -> Self {
        Self::spawn(command, false)
    }

    fn spawn(mut command: Command, data_too: bool) -> Self {
        // The program must not have this side, too: a terminal is gone when nobody has it.
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        tcsetwinsize(&master, Winsize { ws_row: ROWS, ws_col: COLUMNS, ws_xpixel: 0, ws_ypixel: 0 }).unwrap();
        let name = ptsname(&master, Vec::new()).unwrap().into_string().unwrap();
        // It must not become the terminal of the tests, which would end with it.
        let noctty = i32::try_from(OFlags::NOCTTY.bits()).unwrap();
        let slave = || File::options().read(true).write(true).custom_flags(noctty).open(&name).unwrap();
        command.env("TERM", "xterm").stdin(Stdio::null()).stderr(slave());
        command.stdout(if data_too { slave().into() } else { Stdio::null() });
        let child = command.spawn().unwrap();
        drop(command);
        Self { child, master: File::from(master), said: Vec::new() }
    }

    /// Reads until the program has said the text.
    #[track_caller]
    pub(crate) fn wait_for(&mut self, text: &str) {
        while !String::from_utf8_lossy(&self.said).contains(text) {
            assert!(self.read(), "{text:?} was never said: {}", String::from_utf8_lossy(&self.said));
        }
    }

    /// Sends a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// What stands on the screen when the program has ended, and its exit code.
    pub(crate) fn end(mut self) -> (String, Option<i32>) {
        while self.read() {}
        let code = self.child.wait().unwrap().code();
        (screen(&String::from_utf8_lossy(&self.said)), code)
    }

    /// Opens a pipe to write as soon as what the program started reads it.
    #[track_caller]
    pub(crate) fn open_when_read(&self, pipe: &Path) -> File {
        open_when_read(pipe, &self.child, || String::from_utf8_lossy(&self.said).into_owned())
    }

    /// Takes the terminal away; gives the program, which goes on without one.
    pub(crate) fn abandon(self) -> Child {
        drop(self.master);
        self.child
    }

    /// False where nobody has the terminal any more, which reads as an error.
    fn read(&mut self) -> bool {
        let mut chunk = [0; 4096];
        match self.master.read(&mut chunk) {
            Ok(read) => {
                self.said.extend_from_slice(&chunk[..read]);
                read > 0
            }
            Err(_) => false,
        }
    }
}

/// What a terminal without end shows of these characters: enough of one for full lines, moves up and down, and what
/// is erased.
fn screen(said: &str) -> String {
    let (mut rows, mut row, mut column) = (vec![Vec::<char>::new()], 0usize, 0);
    let mut chars = said.chars();
    while let Some(c) = chars.next() {
        match c {
            '\r' => column = 0,
            '\n' => row += 1,
            '\u{1b}' => {
                let mut count = String::new();
                // After the bracket come digits, then the letter that says what to do.
                let what = chars.by_ref().skip(1).find(|c| {
                    count.push(*c);
                    c.is_alphabetic()
                });
                let erase = count.starts_with('2');
                let count: usize = count.trim_end_matches(char::is_alphabetic).parse().unwrap_or(1);
                match what {
                    Some('A') => row = row.saturating_sub(count),
                    Some('B') => row += count,
                    Some('K') => rows[row].truncate(if erase { 0 } else { column }),
                    Some('J') => rows.truncate(row + 1),
                    _ => {}
                }
            }
            c => {
                // The line after a full one begins with the next character, not before.
                if column == usize::from(COLUMNS) {
                    (row, column) = (row + 1, 0);
                    rows.resize(rows.len().max(row + 1), Vec::new());
                }
                let line = &mut rows[row];
                line.resize(line.len().max(column + 1), ' ');
                line[column] = c;
                column += 1;
            }
        }
        if rows.len() <= row {
            rows.resize(row + 1, Vec::new());
        }
    }
    rows.iter().map(|row| row.iter().collect::<String>().trim_end().to_owned() + "\n").collect()
}
