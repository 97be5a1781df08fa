//! Which symbolic links may be taken from a workspace into a commit.

use mycelium_schemas::path::is_git_dir_name;

/// Files that git reads by name: as links they would be followed on one machine and refused on another, so git's own
/// fsck rejects or warns of them.
const READ_BY_GIT: [&str; 4] = [".gitmodules", ".gitattributes", ".gitignore", ".mailmap"];

/// Why a link at `path` with that target must not be taken, if so.
///
/// `..` is allowed at the beginning alone, where it climbs the real folders above the link. After a name it could
/// climb from wherever another link leads.
pub(super) fn refusal(path: &[u8], target: &[u8]) -> Option<&'static str> {
    let mut components = path.split(|byte| *byte == b'/');
    let name = String::from_utf8_lossy(components.next_back().unwrap_or_default()).to_lowercase();
    if READ_BY_GIT.contains(&name.as_str()) {
        return Some("is a link in place of a file that git reads");
    }
    if target.starts_with(b"/") {
        return Some("is a link to an absolute path");
    }
    let mut climbs_left = components.count();
    let mut named = false;
    for component in target.split(|byte| *byte == b'/') {
        match component {
            b"" | b"." => {}
            b".." if named => return Some("is a link with '..' behind a name"),
            b".." if climbs_left == 0 => return Some("is a link that leaves the folder"),
            b".." => climbs_left -= 1,
            name if is_git_dir_name(&String::from_utf8_lossy(name)) => {
                return Some("is a link into git's own folder");
            }
            _ => named = true,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::refusal;

    #[test]
    fn a_link_stays_inside_or_is_refused() {
        for (path, target) in [
            ("l", "a"),
            ("l", "./a/b"),
            ("a/b/l", "../../c"),
            ("a/l", ".."),
            ("d/l", "../x/y"),
            ("l", "no/file"),
        ] {
            assert_eq!(refusal(path.as_bytes(), target.as_bytes()), None, "{path} -> {target}");
        }
        for (path, target) in [
            ("l", "/etc/passwd"),
            ("l", ".."),
            ("a/l", "../../x"),
            ("a/l", "b/../../x"),
            ("x/y/l", "../../deep/../.."),
            ("l", ".git/config"),
            ("l", "a/.GIT/hooks"),
            (".gitmodules", "a"),
            ("sub/.GitAttributes", "a"),
        ] {
            assert!(refusal(path.as_bytes(), target.as_bytes()).is_some(), "{path} -> {target}");
        }
    }
}
