//! SIGINT and SIGTERM end a run early, but never without its message stream.

use std::{io, thread};

use tokio::signal::unix::{SignalKind, signal};

use super::{Interrupter, outcome::Interrupt};

/// Listens on a thread of its own until the process ends.
pub fn listen(interrupter: Interrupter) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (mut int, mut term) = {
        let _in_runtime = runtime.enter();
        (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?)
    };
    let listen = move || {
        runtime.block_on(async {
            loop {
                let interrupt = tokio::select! {
                    Some(()) = int.recv() => Interrupt::Sigint,
                    Some(()) = term.recv() => Interrupt::Sigterm,
                    else => return,
                };
                if !interrupter.interrupt(interrupt) {
                    return;
                }
            }
        });
    };
    thread::Builder::new().name("signals".to_owned()).spawn(listen)?;
    Ok(())
}
