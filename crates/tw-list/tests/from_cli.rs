//! Recordings that the Twilio CLI has listed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use assert_cmd::Command;
use predicates::prelude::PredicateBooleanExt;
use predicates::str::contains;

fn from_cli(printed: &str) -> assert_cmd::assert::Assert {
    let mut command = Command::cargo_bin("tw-list").unwrap();
    // No credentials: nothing is asked of Twilio.
    command.env_clear().args(["--from-cli", "-"]).write_stdin(printed).assert()
}

#[test]
fn its_json_becomes_records() {
    let printed = r#"[
  {
    "dateCreated": "2026-01-15T09:00:00.000Z",
    "groupingSids": {
      "room_sid": "RM178975dc1e055bfb24d697b5ef0d3c8a"
    },
    "offset": 163481005731,
    "sid": "RT76c9c0ad4abcd5c782643d3b05a8b111",
    "trackName": "alice in wonderland"
  }
]
"#;
    from_cli(printed).success().stdout(
        "{\"date_created\":\"2026-01-15T09:00:00.000Z\",\
         \"grouping_sids\":{\"room_sid\":\"RM178975dc1e055bfb24d697b5ef0d3c8a\"},\
         \"offset\":163481005731,\"sid\":\"RT76c9c0ad4abcd5c782643d3b05a8b111\",\
         \"track_name\":\"alice in wonderland\"}\n",
    );
}

#[test]
fn what_is_no_recording_is_marked() {
    from_cli(r#"[{"sid":"RM178975dc1e055bfb24d697b5ef0d3c8a","uniqueName":"standup"}]"#)
        .code(1)
        .stdout(contains(r#""kind":"input""#))
        .stderr(contains("recording 1").and(contains("recordings:list")));
}

#[test]
fn a_table_is_wrong_usage() {
    from_cli("SID                                 Status\nRT1  completed\n")
        .code(2)
        .stdout("")
        .stderr(contains("-o json"));
}

#[test]
fn filters_are_the_clis_business() {
    let mut command = Command::cargo_bin("tw-list").unwrap();
    command.args(["--from-cli", "-", "--status", "completed"]).assert().code(2);
}
