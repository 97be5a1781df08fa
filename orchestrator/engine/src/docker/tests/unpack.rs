use std::os::unix::fs::MetadataExt as _;

use super::*;

const ROOM: Limits = Limits { bytes: 1000, entries: 20, names: 200 };

/// An entry: its kind, its path, where it leads, what it holds.
type Given<'a> = (EntryType, &'a [u8], &'a [u8], &'a [u8]);

const FOLDER: EntryType = EntryType::Directory;
const FILE: EntryType = EntryType::Regular;
const LINK: EntryType = EntryType::Symlink;

/// An archive as a container may have it written: the names as they are.
fn archive(entries: &[Given<'_>]) -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    for (kind, path, to, content) in entries {
        let mut header = tar::Header::new_old();
        header.set_entry_type(*kind);
        header.set_mode(0o4755);
        header.set_size(content.len() as u64);
        header.as_old_mut().name[..path.len()].copy_from_slice(path);
        header.as_old_mut().linkname[..to.len()].copy_from_slice(to);
        header.set_cksum();
        archive.append(&header, *content).unwrap();
    }
    archive.into_inner().unwrap()
}

/// Unpacks into a folder of a folder; what lies in the outer one, and what became of it.
fn unpacked(entries: &[Given<'_>]) -> (tempfile::TempDir, Result<(), Unpack>) {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("precious"), "precious").unwrap();
    let into = folder.path().join("into");
    fs::create_dir(&into).unwrap();
    let done = unpack(archive(entries).as_slice(), "workspace", &into, ROOM);
    assert_eq!(fs::read(folder.path().join("precious")).unwrap(), b"precious");
    let mut outside: Vec<_> =
        fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    outside.sort();
    assert_eq!(outside, ["into", "precious"]);
    (folder, done)
}

#[test]
fn nothing_gets_out_of_the_folder() {
    let root: Given<'_> = (FOLDER, b"workspace/", b"", b"");
    let cases: &[(&str, &[Given<'_>], &str)] = &[
        ("up", &[root, (FILE, b"workspace/../precious", b"", b"x")], "leads out"),
        ("up from the root", &[(FILE, b"../precious", b"", b"x")], "not in the workspace"),
        ("absolute", &[(FILE, b"/tmp/mycelium-unpack", b"", b"x")], "not in the workspace"),
        ("absolute, and in it", &[(FILE, b"/workspace/a", b"", b"x")], "not in the workspace"),
        ("beside it", &[(FILE, b"workspaces/a", b"", b"x")], "not in the workspace"),
        (
            "through a link",
            &[root, (LINK, b"workspace/a", b"..", b""), (FILE, b"workspace/a/precious", b"", b"x")],
            "in no folder",
        ),
        (
            "onto a link",
            &[root, (LINK, b"workspace/a", b"../precious", b""), (FILE, b"workspace/a", b"", b"x")],
            "twice",
        ),
        (
            "a folder in the place of a link",
            &[root, (LINK, b"workspace/a", b"..", b""), (FOLDER, b"workspace/a", b"", b"")],
            "twice",
        ),
        (
            "another name of a file outside",
            &[root, (EntryType::Link, b"workspace/a", b"../precious", b"")],
            "not in",
        ),
        (
            "another name of one above",
            &[root, (EntryType::Link, b"workspace/a", b"workspace/../precious", b"")],
            "leads out",
        ),
        (
            "another name of a link",
            &[
                root,
                (LINK, b"workspace/a", b"../precious", b""),
                (EntryType::Link, b"workspace/b", b"workspace/a", b""),
            ],
            "not a file",
        ),
        ("a device", &[root, (EntryType::Char, b"workspace/null", b"", b"")], "neither"),
        ("a block device", &[root, (EntryType::Block, b"workspace/disk", b"", b"")], "neither"),
        ("a file with holes", &[root, (EntryType::GNUSparse, b"workspace/a", b"", b"")], ""),
        ("in no folder", &[root, (FILE, b"workspace/a/b", b"", b"x")], "in no folder"),
        (
            "in a file",
            &[root, (FILE, b"workspace/a", b"", b""), (FILE, b"workspace/a/b", b"", b"x")],
            "in no folder",
        ),
        ("twice", &[root, (FILE, b"workspace/a", b"", b"x"), (FILE, b"workspace/a", b"", b"y")], "twice"),
        ("a link to nothing", &[root, (LINK, b"workspace/a", b"", b"")], "to nothing"),
        (
            "too much",
            &[root, (FILE, b"workspace/a", b"", &[0; 600]), (FILE, b"workspace/b", b"", &[0; 401])],
            "bytes",
        ),
    ];
    for (what, entries, expected) in cases {
        let (_folder, done) = unpacked(entries);
        let error = done.expect_err(what).to_string();
        assert!(error.contains(expected), "{what}: {error}");
    }
}

#[test]
fn neither_names_nor_files_come_without_end() {
    let name = |number: usize| format!("workspace/{number}").into_bytes();
    let names: Vec<_> = (0..21).map(name).collect();
    let many: Vec<Given<'_>> = names.iter().map(|name| (FILE, name.as_slice(), &b""[..], &b""[..])).collect();
    assert!(unpacked(&many).1.unwrap_err().to_string().contains("files"));
    assert!(unpacked(&many[1..]).1.is_ok());
    let long: Vec<_> =
        (0..3).map(|number| format!("workspace/{number}{}", "n".repeat(80)).into_bytes()).collect();
    let long: Vec<Given<'_>> = long.iter().map(|name| (FILE, name.as_slice(), &b""[..], &b""[..])).collect();
    assert!(unpacked(&long).1.unwrap_err().to_string().contains("names"));
}

#[test]
fn files_links_and_folders_come_as_they_were_without_special_rights() {
    let (folder, done) = unpacked(&[
        (FOLDER, b"workspace/", b"", b""),
        (FOLDER, b"workspace/sub/", b"", b""),
        (FILE, b"workspace/sub/a", b"", b"text"),
        (EntryType::Link, b"workspace/b", b"workspace/sub/a", b""),
        (LINK, b"workspace/c", b"/etc/passwd", b""),
        (EntryType::Fifo, b"workspace/d", b"", b""),
    ]);
    done.unwrap();
    let into = folder.path().join("into");
    assert_eq!(fs::read(into.join("b")).unwrap(), b"text");
    assert_eq!(into.join("sub/a").metadata().unwrap().nlink(), 2);
    assert_eq!(into.join("sub/a").metadata().unwrap().mode() & 0o7777, 0o755);
    assert_eq!(into.join("sub").metadata().unwrap().mode() & 0o7777, 0o755);
    assert_eq!(fs::read_link(into.join("c")).unwrap(), Path::new("/etc/passwd"));
}

#[test]
fn an_archive_that_ends_in_the_middle_is_told_from_one_that_is_at_fault() {
    let whole = archive(&[(FOLDER, b"workspace/", b"", b""), (FILE, b"workspace/a", b"", &[1; 900])]);
    let folder = tempfile::tempdir().unwrap();
    let done = unpack(&whole[..1200], "workspace", folder.path(), ROOM);
    assert!(matches!(done, Err(Unpack::Read(_))), "{done:?}");
}
