//! Every command of `docs/encrypted-and-external.md` that can be run is run.

#![allow(clippy::unwrap_used)]

use std::fs;

use tw_tests::document::{blocks, script};
use tw_tests::environment::Environment;

const PAGE: &str = include_str!("../../docs/encrypted-and-external.md");

#[test]
fn every_command_runs() {
    let environment = Environment::new().unwrap();
    let output = environment.with_twilio(&script("encrypted-and-external.md", &blocks(PAGE))).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    for fetched in ["fetched.jsonl", "decrypted.jsonl"] {
        let records = fs::read_to_string(environment.folder().join(fetched)).unwrap();
        assert_eq!(records.lines().count(), 4, "{fetched}");
        assert!(records.lines().all(|record| record.contains("\"bytes\":")), "{records}");
    }
}
