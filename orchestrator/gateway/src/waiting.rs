//! How long a provider asks to wait before the next request.

use std::time::{Duration, SystemTime};

use reqwest::header::{DATE, HeaderMap, HeaderValue, RETRY_AFTER};

/// Of OpenAI and those who speak alike, in milliseconds; it goes before the whole seconds beside it.
const RETRY_AFTER_MS: &str = "retry-after-ms";

/// The time that an answer names; none where it names none that can be read.
pub(crate) fn asked(headers: &HeaderMap) -> Option<Duration> {
    let text = |name: &str| headers.get(name)?.to_str().ok().map(str::trim);
    let exact = text(RETRY_AFTER_MS).and_then(|text| text.parse().ok());
    exact.map(Duration::from_millis).or_else(|| {
        // A date is one of the provider's clock, which may differ from ours.
        let now = text(DATE.as_str()).and_then(date).unwrap_or_else(SystemTime::now);
        seconds_or_date(text(RETRY_AFTER.as_str())?, now)
    })
}

/// Tells a date in seconds, which mean the same whenever the answer is given again.
pub(crate) fn tell_in_seconds(headers: &mut HeaderMap) {
    let is_date = headers.get(RETRY_AFTER).and_then(|value| date(value.to_str().ok()?.trim())).is_some();
    if let Some(wait) = asked(headers).filter(|_| is_date) {
        headers.insert(RETRY_AFTER, HeaderValue::from(rounded_up(wait)));
    }
}

fn rounded_up(wait: Duration) -> u64 {
    wait.as_secs().saturating_add(u64::from(wait.subsec_nanos() > 0))
}

/// RFC 9110, 10.2.3.
fn seconds_or_date(text: &str, now: SystemTime) -> Option<Duration> {
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        // More than a number can hold is long enough.
        return Some(Duration::from_secs(text.parse().unwrap_or(u64::MAX)));
    }
    Some(date(text)?.duration_since(now).unwrap_or_default())
}

fn date(text: &str) -> Option<SystemTime> {
    httpdate::parse_http_date(text).ok()
}

/// A wait in words, rounded up.
pub(crate) fn spoken(wait: Duration) -> String {
    let seconds = rounded_up(wait);
    if seconds < 120 { format!("{seconds} s") } else { format!("{} min", seconds.div_ceil(60)) }
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderName;

    use super::*;

    fn of(headers: &[(&str, &str)]) -> Option<Duration> {
        let headers = headers
            .iter()
            .map(|(name, value)| (HeaderName::from_bytes(name.as_bytes()).unwrap(), value.parse().unwrap()));
        asked(&headers.collect())
    }

    #[test]
    fn a_wait_is_told_in_seconds_as_a_date_or_in_milliseconds() {
        let now = ("date", "Sun, 06 Nov 1994 08:49:37 GMT");
        for (name, value, wait) in [
            ("retry-after", "0", 0),
            ("retry-after", " 20 ", 20_000),
            ("retry-after", "Sun, 06 Nov 1994 08:50:07 GMT", 30_000),
            // The forms that are obsolete are to be read, too.
            ("retry-after", "Sunday, 06-Nov-94 08:50:07 GMT", 30_000),
            ("retry-after", "Sun Nov  6 08:50:07 1994", 30_000),
            ("retry-after", "Sun, 06 Nov 1994 08:49:36 GMT", 0),
            ("retry-after-ms", "250", 250),
        ] {
            assert_eq!(of(&[now, (name, value)]), Some(Duration::from_millis(wait)), "{name}: {value}");
        }
        assert_eq!(of(&[("retry-after-ms", "250"), ("retry-after", "1")]), Some(Duration::from_millis(250)));
        assert_eq!(of(&[("retry-after-ms", "soon"), ("retry-after", "1")]), Some(Duration::from_secs(1)));
        let endless = of(&[("retry-after", "99999999999999999999999")]);
        assert_eq!(endless, Some(Duration::from_secs(u64::MAX)));
    }

    #[test]
    fn a_date_is_handed_on_in_seconds_and_nothing_else_is_changed() {
        for (value, told) in [
            ("Sun, 06 Nov 1994 08:50:07 GMT", "30"),
            ("Sun, 06 Nov 1994 08:49:36 GMT", "0"),
            ("20", "20"),
            ("soon", "soon"),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(DATE, HeaderValue::from_static("Sun, 06 Nov 1994 08:49:37 GMT"));
            headers.insert(RETRY_AFTER, HeaderValue::from_static(value));
            tell_in_seconds(&mut headers);
            assert_eq!(headers[RETRY_AFTER], told);
        }
        let mut none = HeaderMap::new();
        tell_in_seconds(&mut none);
        assert!(none.is_empty());
    }

    #[test]
    fn a_date_without_the_providers_clock_is_one_of_ours() {
        let at = SystemTime::now() + Duration::from_secs(3600);
        let wait = of(&[("retry-after", &httpdate::fmt_http_date(at))]).unwrap();
        assert!((3000..=3600).contains(&wait.as_secs()), "{wait:?}");
    }

    #[test]
    fn what_is_no_time_is_none() {
        for value in ["", "-1", "1.5.2", "soon", "Sun, 99 Nov 1994 08:49:37 GMT"] {
            assert_eq!(of(&[("retry-after", value)]), None, "{value}");
        }
        assert_eq!(of(&[]), None);
    }

    #[test]
    fn a_wait_is_spoken_of_in_what_people_count_in() {
        let spoken = [60_001, 119_000, 120_000, 3_600_000].map(|ms| spoken(Duration::from_millis(ms)));
        assert_eq!(spoken, ["61 s", "119 s", "2 min", "60 min"]);
        assert_eq!(super::spoken(Duration::MAX), "307445734561825861 min");
    }
}
