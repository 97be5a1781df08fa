//! The program as a black box: it is started as a user starts it, in a place where nothing of the machine shows.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod answers;
mod cassettes;
mod clean;
mod colleagues;
mod cut_engine;
mod damage;
mod demo;
mod doctor;
mod engines;
mod held;
mod interrupted;
mod judges;
mod lists;
mod logs;
mod machine;
mod mock_agent;
mod place;
mod planner;
mod plans;
mod project;
mod removal;
mod review;
mod rewind;
mod run;
mod secrets;
mod signals;
mod stuck;
mod superseded;
mod terminal;
mod usage;
mod watch;
