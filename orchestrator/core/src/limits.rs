//! Bounds: nothing loops for ever and nothing grows without limit (design 3.4).

/// Manifest widenings of one task before it waits for a human.
pub const RESCOPES_MAX: u32 = 3;

/// Times that a batch's candidate is rebuilt because somebody else moved the branch.
pub const HEAD_MOVES_MAX: u32 = 5;
