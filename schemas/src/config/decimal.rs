//! Decimal numbers as people write them, in whole units of their last place: nothing passes through floating point.

/// Why a text is no such number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NotExact {
    /// Not plain digits with at most one point between them.
    NotDecimal,
    /// More digits behind the point than there are places.
    TooFine,
    /// More before the point than a number can hold.
    TooLarge,
}

/// What stands before the point, and what stands behind it in units of the last of so many places.
pub(super) fn parse(text: &str, places: usize) -> Result<(u64, u64), NotExact> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(decimals) || text.ends_with('.') {
        return Err(NotExact::NotDecimal);
    }
    if decimals.len() > places {
        return Err(NotExact::TooFine);
    }
    let whole = whole.parse().map_err(|_| NotExact::TooLarge)?;
    let rest = format!("{decimals:0<places$}").parse().map_err(|_| NotExact::TooFine)?;
    Ok((whole, rest))
}
