//! What steps show.

use cucumber::{World, when};
use mycelium_accept::context::Shown;

use crate::{
    run::Sample,
    samples::{file_beside, show},
};

/// The sample's world.
#[derive(Debug, Default, World)]
pub(crate) struct Attachments;

impl Sample for Attachments {
    const FILE: &str = file!();
}

/// A step of the sample.
#[when(expr = "the string {string} is attached as {string}")]
fn attached(_: &mut Attachments, text: String, media_type: String) {
    show(Shown::text(&media_type, text));
}

/// A step of the sample.
#[when(expr = "the string {string} is logged")]
fn logged(_: &mut Attachments, text: String) {
    show(Shown::log(text));
}

/// A step of the sample.
#[when(expr = "text with ANSI escapes is logged")]
fn colours_logged(_: &mut Attachments) {
    let colours = [(31, 'r'), (91, 'a'), (33, 'i'), (32, 'n'), (34, 'b'), (95, 'o'), (35, 'w')];
    let word = colours.map(|(colour, letter)| format!("\x1b[{colour}m{letter}\x1b[0m")).concat();
    show(Shown::log(format!("This displays a {word}")));
}

/// A step of the sample.
#[when(expr = "the following string is attached as {string}:")]
fn doc_string_attached(_: &mut Attachments, media_type: String, step: &cucumber::gherkin::Step) {
    show(Shown::text(&media_type, step.docstring.clone().unwrap_or_default()));
}

/// A step of the sample.
#[when(expr = "an array with {int} bytes is attached as {string}")]
fn bytes_attached(_: &mut Attachments, size: u8, media_type: String) {
    show(Shown::bytes(&media_type, (0..size).collect::<Vec<u8>>()));
}

/// A step of the sample.
#[when(expr = "a PDF document is attached and renamed")]
fn document_attached(_: &mut Attachments) {
    show(Shown::bytes("application/pdf", file_beside("document.pdf")).named("renamed.pdf"));
}

/// A step of the sample.
#[when(expr = "a link to {string} is attached")]
fn link_attached(_: &mut Attachments, uri: String) {
    show(Shown::link(uri));
}

/// A step of the sample.
#[when(expr = "the string {string} is attached as {string} before a failure")]
fn attached_and_fails(_: &mut Attachments, text: String, media_type: String) {
    show(Shown::text(&media_type, text));
    panic!("whoops");
}
