//! The model gateway (design 3.4): agents reach their model through it and hold no key. It passes requests on by
//! streaming, counts what every response used, and stops an agent with one answer when its budget is used up.

pub mod account;
mod ask;
mod asked;
pub mod cassette;
mod counter;
mod gateway;
mod key;
pub mod ledger;
mod masked;
pub mod meter;
mod passing;
pub mod protocol;
pub mod refusal;
mod server;
mod signs;
mod upstream;
mod waiting;

pub use ask::{AskError, Form, Question};
pub use counter::{Notice, Prices};
pub use gateway::{Gateway, GatewayError, Lease, Settings};
pub use key::{BadKey, Key};
pub use server::Client;
pub use signs::Signs;
pub use upstream::Upstream;
