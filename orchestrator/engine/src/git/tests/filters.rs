//! Files that git keeps through a program of the user's configuration.

use std::{collections::BTreeMap, path::PathBuf};

use super::rig::{Rig, write};
use crate::git::filters::filtered;

const ATTRIBUTES: &str = "*.bin filter=lfs\n*.txt filter=nothing\n*.raw filter\nvendor/*.bin -filter\n";

fn found(filters: &[(&str, &[&str])]) -> BTreeMap<String, Vec<String>> {
    let owned = |paths: &[&str]| paths.iter().map(|path| (*path).to_owned()).collect();
    filters.iter().map(|(name, paths)| ((*name).to_owned(), owned(paths))).collect()
}

#[test]
fn a_filter_counts_where_it_has_a_program_and_keeps_a_path_of_the_commit() {
    let rig = Rig::new();
    rig.git(&["checkout", "-q", "work"]);
    let files = [("x.bin", "x"), ("deep/y.bin", "y"), ("vendor/z.bin", "z"), ("t.txt", "t"), ("r.raw", "r")];
    rig.commit(&files, "files");
    let head =
        rig.commit(&[(".gitattributes", ATTRIBUTES), ("deep/.gitattributes", "y.bin -filter\n")], "rules");
    rig.git(&["checkout", "-q", "main"]);
    let look = |more: &[&str], others: &[PathBuf]| {
        let more: Vec<String> = more.iter().map(|path| (*path).to_owned()).collect();
        filtered(&rig.upstream(), &head, &more, others).unwrap()
    };
    assert_eq!(look(&["new.bin"], &[]), found(&[]), "without a program git keeps what is there");
    rig.git(&["config", "filter.lfs.clean", "tr a-z A-Z"]);
    assert_eq!(look(&[], &[]), found(&[("lfs", &["x.bin"])]));
    let more = ["x.bin", "not/yet/there.bin", "deep/y.bin", "new.txt"];
    assert_eq!(look(&more, &[]), found(&[("lfs", &["not/yet/there.bin", "x.bin"])]));
    let home = rig.run.join("gitconfig");
    write(&home, "[filter \"nothing\"]\n\tprocess = any\n");
    let both = found(&[("lfs", &["x.bin"]), ("nothing", &["a.txt", "b.txt", "dir/c.txt", "t.txt"])]);
    assert_eq!(look(&[], &[home.clone(), rig.run.join("none")]), both);
    assert_eq!(filtered(&rig.upstream(), &rig.head("main"), &[], &[home]).unwrap(), found(&[]));
}
