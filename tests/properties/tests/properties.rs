//! The properties, on stable and in a moment: with every file of the corpus, and
//! with changes of them by chance. For hours, see `just fuzz`.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::TestRunner;
use tw_properties::ALL;

/// What breaks readers, put where it fits least.
const PIECES: [&[u8]; 24] = [
    b"\"",
    b"\\",
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b"|",
    b"=",
    b"'",
    b";",
    b"\n",
    b"\r\n",
    b"\0",
    b"\xff",
    b"-",
    b"../",
    b"null",
    b"9223372036854775808",
    b"1.5",
    b"N/A",
    b"\xef\xbb\xbf",
    b"/",
];

/// A change of some bytes: so many are taken out, and a piece, or any byte, put in.
type Change = (Index, usize, Option<usize>, u8);

fn changed(text: &[u8], changes: &[Change]) -> Vec<u8> {
    let mut text = text.to_vec();
    for (place, taken, piece, byte) in changes {
        let from = place.index(text.len() + 1);
        let to = (from + taken).min(text.len());
        let put = piece.map_or(std::slice::from_ref(byte), |piece| PIECES[piece]);
        text.splice(from..to, put.iter().copied());
    }
    text
}

fn corpus(name: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(name);
    let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|path| fs::read(path).unwrap()).collect()
}

fn holds(name: &str) {
    let (_, property) = ALL.into_iter().find(|(other, _)| *other == name).unwrap();
    let corpus = corpus(name);
    assert!(corpus.len() > 5, "a corpus of {} files", corpus.len());
    corpus.iter().for_each(|text| property(text));
    let change = (any::<Index>(), 0..9_usize, proptest::option::of(0..PIECES.len()), any::<u8>());
    let strategy = (0..corpus.len(), proptest::collection::vec(change, 1..6));
    let config = ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() };
    TestRunner::new(config)
        .run(&strategy, |(file, changes)| {
            property(&changed(&corpus[file], &changes));
            Ok(())
        })
        .unwrap();
}

macro_rules! properties {
    ($($name:ident),*) => {
        $(#[test]
        fn $name() {
            holds(stringify!($name));
        })*

        #[test]
        fn all_properties_are_tested_and_fuzzed() {
            let here = BTreeSet::from([$(stringify!($name).to_owned()),*]);
            let known = BTreeSet::from(ALL.map(|(name, _)| name.to_owned()));
            let targets = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/fuzz_targets");
            let fuzzed = fs::read_dir(targets).unwrap().map(|entry| {
                entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned()
            });
            assert_eq!(here, known);
            assert_eq!(fuzzed.collect::<BTreeSet<String>>(), known);
        }
    };
}

properties!(
    api_page,
    csv_table,
    ffprobe_report,
    file_name,
    flags,
    graph,
    key_frame,
    layout_file,
    lines,
    record_splice
);
