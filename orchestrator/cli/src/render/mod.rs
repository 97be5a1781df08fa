//! Values as people read them. Text in, text out: nothing here prints.

pub(crate) mod clean;
pub(crate) mod diff;
pub(crate) mod doctor;
pub(crate) mod error;
pub(crate) mod logs;
pub(crate) mod plan;
pub(crate) mod problem;
pub(crate) mod progress;
pub(crate) mod review;
pub(crate) mod state;

use jiff::Timestamp;
use mycelium_schemas::id::TaskId;

/// Each text on a line of its own.
pub(crate) fn lines(texts: impl IntoIterator<Item = impl AsRef<str>>) -> String {
    texts.into_iter().fold(String::new(), |lines, text| lines + text.as_ref() + "\n")
}

/// Tasks in one line.
pub(crate) fn ids<'a>(tasks: impl IntoIterator<Item = &'a TaskId>) -> String {
    tasks.into_iter().map(TaskId::as_str).collect::<Vec<_>>().join(", ")
}

/// When, to the millisecond.
pub(crate) fn stamp(ts: Timestamp) -> String {
    format!("{ts:.3}")
}

/// A length of time as people read it.
pub(crate) fn duration(milliseconds: u64) -> String {
    let seconds = milliseconds / 1000;
    match seconds {
        0..60 => format!("{seconds}.{:03} s", milliseconds % 1000),
        60..3600 => format!("{}m{:02}s", seconds / 60, seconds % 60),
        _ => format!("{}h{:02}m{:02}s", seconds / 3600, seconds / 60 % 60, seconds % 60),
    }
}

/// A number of bytes as people read it.
pub(crate) fn bytes(count: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    if count < 1024 {
        return format!("{count} B");
    }
    let (mut tenths, mut unit) = (count.saturating_mul(10) / 1024, 0);
    while tenths >= 10240 && unit + 1 < UNITS.len() {
        tenths /= 1024;
        unit += 1;
    }
    format!("{}.{} {}", tenths / 10, tenths % 10, UNITS[unit])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_lengths_are_short() {
        let durations: Vec<_> = [0, 1_234, 59_999, 60_000, 3_600_000, 90_061_000].map(duration).into();
        assert_eq!(durations, ["0.000 s", "1.234 s", "59.999 s", "1m00s", "1h00m00s", "25h01m01s"]);
        let sizes: Vec<_> = [0, 1023, 1024, 1536, 1_048_576, 5_000_000_000].map(bytes).into();
        assert_eq!(sizes, ["0 B", "1023 B", "1.0 KiB", "1.5 KiB", "1.0 MiB", "4.6 GiB"]);
        assert!(bytes(u64::MAX).ends_with("TiB"));
    }
}
