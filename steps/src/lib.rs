//! The world and the step definitions, and the step library that they make.

mod given;
mod runbook;
mod then;
mod when;
pub mod world;

use mycelium_accept::{
    catalogue::Catalogue,
    runner::{Library, VocabularyError},
};

use crate::world::MyceliumWorld;

/// What the steps of this crate say to a feature's author.
pub static CATALOGUE: Catalogue = {
    use mycelium_accept::catalogue::{Catalogue, Definition, Keyword, Parameter, Pattern};
    include!(concat!(env!("OUT_DIR"), "/catalogue.rs"))
};

/// The steps of this crate.
pub fn library() -> Result<Library, VocabularyError> {
    Library::load::<MyceliumWorld>(CATALOGUE)
}

#[cfg(test)]
mod tests {
    use mycelium_accept::runner::FixedEnds;

    use super::*;

    #[test]
    fn every_pattern_of_the_steps_can_be_read_and_has_its_fixed_ends() {
        let library = library().unwrap();
        let without_escapes = |text: &str| text.replace('\\', "");
        for FixedEnds { pattern, ends: (beginning, end) } in library.vocabulary().patterns().unwrap() {
            let text = without_escapes(pattern);
            assert!(text.starts_with(&format!("^{}", without_escapes(beginning))), "{pattern}");
            assert!(text.ends_with(&format!("{}$", without_escapes(end))), "{pattern}");
        }
    }
}
