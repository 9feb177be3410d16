//! `docs/reliability.md` against the tests.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Files of which every test is about a fault, and so stands in the table.
const OF_FAULTS: [&str; 15] = [
    "crates/tw-fetch/tests/disk.rs",
    "crates/tw-fetch/tests/encrypted.rs",
    "crates/tw-fetch/tests/external.rs",
    "crates/tw-fetch/tests/input.rs",
    "crates/tw-fetch/tests/network.rs",
    "crates/tw-list/tests/pages.rs",
    "tests/properties/tests/properties.rs",
    "tests/tests/reliability/disk.rs",
    "tests/tests/reliability/input.rs",
    "tests/tests/reliability/kills.rs",
    "tests/tests/reliability/large.rs",
    "tests/tests/reliability/pipeline.rs",
    "tests/tests/reliability/programs.rs",
    "tests/tests/reliability/security.rs",
    "tests/tests/reliability/table.rs",
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The names of a file's tests.
fn tests_of(path: &Path) -> BTreeSet<String> {
    let text = fs::read_to_string(path).unwrap();
    let mut lines = text.lines().map(str::trim);
    let mut names = BTreeSet::new();
    while lines.any(|line| line == "#[test]") {
        let signature = lines.find_map(|line| line.strip_prefix("fn ")).unwrap();
        names.insert(signature.split('(').next().unwrap().to_owned());
    }
    // Made by a macro, one for each name that it is given.
    if let Some((_, list)) = text.split_once("\nproperties!(") {
        names.extend(list.split(')').next().unwrap().split(',').map(|name| name.trim().to_owned()));
    }
    names
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.is_dir() && name != "target" && name != "fuzz" {
            sources(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn the_table_of_faults_names_the_tests_that_there_are() {
    let text = fs::read_to_string(root().join("docs/reliability.md")).unwrap();
    let named: BTreeSet<String> = text
        .lines()
        .filter(|line| line.starts_with('|'))
        .filter_map(|line| line.trim_end().strip_suffix('|')?.rsplit_once('|'))
        .flat_map(|(_, cell)| cell.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>())
        .collect();
    let mut files = Vec::new();
    sources(&root().join("crates"), &mut files);
    sources(&root().join("tests"), &mut files);
    let all: BTreeSet<String> = files.iter().flat_map(|path| tests_of(path)).collect();
    let gone: Vec<_> = named.difference(&all).collect();
    assert!(gone.is_empty(), "docs/reliability.md names tests that there aren't: {gone:?}");
    let of_faults: BTreeSet<String> =
        OF_FAULTS.iter().flat_map(|path| tests_of(&root().join(path))).collect();
    let missing: Vec<_> = of_faults.difference(&named).collect();
    assert!(missing.is_empty(), "docs/reliability.md doesn't name {missing:?}");
}
