//! Keeps standard output for what `accept` itself says. Whatever else of this process writes there — a step that prints,
//! a library, a thread that outlived its scenario, a command that inherited it — comes out on standard error, so that
//! with `--json` the document stays alone.

use std::{
    fs::File,
    io::{self, Write},
    os::fd::AsFd,
};

/// Standard output, under a number of its own.
pub(super) fn own_stdout() -> io::Result<File> {
    io::stdout().as_fd().try_clone_to_owned().map(File::from)
}

/// From now on what is printed goes to standard error; what [`own_stdout`] took before goes where it went.
pub(super) fn turn_prints_away() -> io::Result<()> {
    // What was printed so far belongs to the stream that it was printed to.
    io::stdout().flush()?;
    rustix::stdio::dup2_stdout(io::stderr())?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::{env, process::Command, thread};

    use super::*;

    /// Set in the process whose streams are looked at: those of the tests are not to be touched.
    const ALONE: &str = "MYCELIUM_ACCEPT_TEST_ALONE";

    #[test]
    fn what_steps_print_does_not_reach_standard_output() {
        if env::var_os(ALONE).is_some() {
            print_in_every_way();
            return;
        }
        let name = "cli::streams::tests::what_steps_print_does_not_reach_standard_output";
        let output = Command::new(env::current_exe().unwrap())
            .args(["--exact", name, "--nocapture"])
            .env(ALONE, "1")
            .output()
            .unwrap();
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{out}{err}");
        assert!(out.ends_with("the document\n") && !out.contains("printed"), "{out}");
        for by in ["a step", "a thread of it", "a command of it"] {
            assert!(err.contains(&format!("printed by {by}\n")), "{err}");
        }
    }

    fn print_in_every_way() {
        let mut own = own_stdout().unwrap();
        turn_prints_away().unwrap();
        println!("printed by a step");
        thread::spawn(|| println!("printed by a thread of it")).join().unwrap();
        Command::new("echo").arg("printed by a command of it").status().unwrap();
        own.write_all(b"the document\n").unwrap();
    }
}
