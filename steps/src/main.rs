//! `accept`: runs the features and judges what they prove.

fn main() {}
