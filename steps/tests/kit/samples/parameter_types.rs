//! A parameter type of the sample's own.

use cucumber::{World, given};

use crate::run::Sample;

/// The sample's world.
#[derive(Debug, Default, World)]
pub(crate) struct Flights;

impl Sample for Flights {
    const FILE: &str = file!();
}

/// Two airports.
#[derive(Debug, cucumber::Parameter)]
#[param(name = "flight", regex = "([A-Z]{3})-([A-Z]{3})")]
struct Flight;

impl std::str::FromStr for Flight {
    type Err = std::convert::Infallible;

    fn from_str(_: &str) -> Result<Self, Self::Err> {
        Ok(Self)
    }
}

/// A step of the sample.
#[given(expr = "{flight} has been delayed")]
fn delayed(_: &mut Flights, _flight: Flight) {}
