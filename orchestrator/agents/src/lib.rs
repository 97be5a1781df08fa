//! Coding agents behind one contract (design 3.4): what each is started with ([`invocation`]), how the events on its
//! standard output are read ([`reader`]), and what became of its attempt ([`outcome`]). Pure: no process, no file, no
//! clock. Nothing that an agent says is believed alone: terminal event, exit status and diff decide together.

pub mod agent;
mod claude;
mod codex;
pub mod invocation;
pub mod outcome;
pub mod reader;
pub mod tokens;
pub mod version;
