//! One renderer a format. All read the same matrix and the same evaluation, so that their totals agree; none reads or
//! writes a file, looks at a clock or feeds a gate.
//!
//! | function | for whom |
//! | --- | --- |
//! | [`terminal`] | whoever ran `accept` |
//! | [`html`] | product owners and auditors: one file, offline |
//! | [`summary`] | a pull request's page |
//! | [`markdown`] | the repository: what is claimed and linked, no results |
//! | [`goals`] | the repository: every claim in full |
//! | [`csv`], [`json`] | spreadsheets and scripts |
//! | [`junit`] | every CI system |
//! | [`github`] | the lines of a pull request |

mod csv;
mod failure;
mod github;
mod goals;
mod html;
mod json;
mod junit;
mod markdown;
mod report;
mod summary;
mod terminal;
mod text;

pub use csv::csv;
pub use failure::shell_word;
pub use github::github;
pub use goals::goals;
pub use html::html;
pub use json::json;
pub use junit::junit;
pub use markdown::markdown;
pub use report::Report;
pub use summary::summary;
pub use terminal::terminal;

/// A report that could not be written down.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    /// The page's template failed.
    #[error("the HTML page could not be written")]
    Html(#[from] askama::Error),
    /// The matrix could not be written as JSON.
    #[error("the JSON document could not be written")]
    Json(#[from] serde_json::Error),
    /// The results could not be written as JUnit XML.
    #[error("the JUnit document could not be written")]
    Junit(#[from] quick_junit::SerializeError),
}
