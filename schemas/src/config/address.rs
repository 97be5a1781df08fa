//! The address of a provider, as people write it.

/// The interfaces behind an address, which are no part of it.
const INTERFACES: [&str; 3] = ["/chat/completions", "/responses", "/messages"];

/// An address without the version of its interface and without a slash at the end; or what is wrong with it, to be said
/// behind its name.
pub(super) fn read(text: &str) -> Result<&str, &'static str> {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let rest = rest.ok_or("is no address of http or https")?;
    if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err("holds a blank or another character that no address can hold");
    }
    if rest.contains(['?', '#']) {
        return Err("holds a query, behind which no request can go on");
    }
    let authority = rest.split('/').next().unwrap_or_default();
    if authority.contains('@') {
        return Err("holds a user, where a key has a variable of its own");
    }
    // The colons of an IPv6 address stand in brackets.
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (authority, None),
    };
    if host.is_empty() || port.is_some_and(|port| port.parse::<u16>().is_err()) {
        return Err("names no host, or no port that there can be");
    }
    let path_begins = text.len() - rest.len() + authority.len();
    let path = text.get(path_begins..).unwrap_or_default().trim_end_matches('/');
    if INTERFACES.iter().any(|interface| path.ends_with(interface)) {
        return Err("names an interface, which every request does by itself");
    }
    let path = path.strip_suffix("/v1").unwrap_or(path).trim_end_matches('/');
    Ok(text.get(..path_begins + path.len()).unwrap_or(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_taken_with_its_version_and_without() {
        for (written, address) in [
            ("http://models:1", "http://models:1"),
            ("http://models:1/", "http://models:1"),
            ("http://models:1/v1", "http://models:1"),
            ("http://models:1/v1/", "http://models:1"),
            ("https://openrouter.ai/api/v1", "https://openrouter.ai/api"),
            ("https://openrouter.ai/api//v1//", "https://openrouter.ai/api"),
            ("https://models.example/dev1", "https://models.example/dev1"),
            ("https://v1", "https://v1"),
            ("http://[::1]:8080/v1", "http://[::1]:8080"),
            ("http://[::1]", "http://[::1]"),
        ] {
            assert_eq!(read(written), Ok(address), "{written}");
        }
    }

    #[test]
    fn what_is_none_is_told_by_what_is_wrong_with_it() {
        for (written, wrong) in [
            ("models:8080/v1", "is no address of http or https"),
            ("ftp://models", "is no address of http or https"),
            ("", "is no address of http or https"),
            ("http://", "names no host"),
            ("http:///v1", "names no host"),
            ("http://:8080", "names no host"),
            ("http://models:port/v1", "no port"),
            ("http://models:99999", "no port"),
            ("http://models/v1?key=sk-hunter2", "holds a query"),
            ("http://models/#top", "holds a query"),
            ("http://me:sk-hunter2@models/v1", "holds a user"),
            ("http://models /v1", "holds a blank"),
            ("http://models/v1/chat/completions", "names an interface"),
            ("http://models/v1/messages/", "names an interface"),
        ] {
            assert!(read(written).unwrap_err().contains(wrong), "{written}: {:?}", read(written));
        }
    }
}
