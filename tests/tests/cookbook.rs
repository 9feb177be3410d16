//! Every recipe of the cookbook is run, and what it makes is looked at.

#![allow(clippy::unwrap_used)]

use tw_tests::document::{blocks, script};
use tw_tests::environment::Environment;

const COOKBOOK: &str = include_str!("../../docs/cookbook.md");

/// What the recipes find on a machine on which it is the week of the made-up rooms,
/// and the Twilio CLI is installed.
const MACHINE: &str = r#"
mkdir bin; export PATH="$PWD/bin:$PATH"
cat > bin/date <<'END'
#!/bin/sh
echo 2026-01-14
END
cat > bin/twilio <<'END'
#!/bin/sh
tw-list --room "$ROOM" | jq -s 'map(with_entries(.key |= gsub("_(?<c>[a-z])"; .c | ascii_upcase)))'
END
chmod +x bin/*
echo "export TWILIO_AUTH_TOKEN" > twilio.env
"#;

/// Of each recipe: what has happened before, and what must hold after it.
const RECIPES: [(&str, &str, &str); 14] = [
    ("To begin with", "", "test $(wc -l < offsets.jsonl) = 16"),
    (
        "Who was in the room when",
        "",
        "grep -q \"$ROOM\tbob\t19.226\t39\" who-when.tsv; test $(wc -l < who-when.tsv) = 8
         grep -q bob timeline.txt; grep -q '<svg' timeline.svg",
    ),
    ("Minutes per participant", "", "grep -qx \"alice\t0.67\" minutes.tsv; test $(wc -l < minutes.tsv) = 8"),
    (
        "The longest gap of each room",
        "",
        "test $(wc -l < longest.jsonl) = 4
         grep -q '\"track_name\":\"bob\",\"type\":\"video\",\"relative_offset_ms\":19251' longest.jsonl
         test -f gaps.jsonl",
    ),
    (
        "Recordings that are missing",
        // A recording that is lost, and with it the only picture of somebody.
        "cp offsets.jsonl whole.jsonl
         jq -c 'if .track_name == \"carol\" and .type == \"video\" then
           .type = \"data\" | .error = {tool: \"tw-fetch\", kind: \"http\", message: \"lost\"} else . end' \
           whole.jsonl > offsets.jsonl",
        "grep -q \"carol\thttp\tlost\" missing.tsv
         test \"$(jq -r .participant_identity unseen.jsonl)\" = carol; mv whole.jsonl offsets.jsonl",
    ),
    (
        "Once more what failed",
        "jq -c 'if .track_name == \"bob\" then .status = \"processing\"
           elif .track_name == \"carol\" and .type == \"audio\" then
             .error = {tool: \"tw-fetch\", kind: \"network\", message: \"gone\"} else . end' \
           list.jsonl > l; mv l list.jsonl; rm -r media",
        "test $(wc -l < late.jsonl) = 2; test $(wc -l < complete.jsonl) = 16
         test \"$(jq -r 'select(.error) | .error.kind' complete.jsonl)\" = network",
    ),
    ("Only the last week's rooms", "", "test $(wc -l < rooms.txt) = 4"),
    ("A Makefile for a folder of rooms", "", "test $(ls rooms/*.webm | wc -l) = 3; make -q"),
    (
        "Every night, by cron",
        // Three short rooms will do, of which only the sound is new.
        r#"mkdir -p nightly; cat > bin/tw-list <<END
#!/bin/sh
[ "\$1" != --rooms ] || exec '$(command -v tw-list)' "\$@"
echo "$ROOMS" | tr ' ' '\n' | '$(command -v tw-list)' --rooms - "\$@" | jq -c 'select(.type == "audio")'
END
chmod +x bin/tw-list"#,
        "rm bin/tw-list; test $(ls nightly/*.webm | wc -l) = 3
         test $(jq -c 'select(any(.inputs[]; endswith(\".mkv\")))' nightly.jsonl | wc -l) = 3",
    ),
    (
        "CSV for a spreadsheet",
        "",
        "head -1 offsets.csv | grep -q track_name; test $(wc -l < offsets.csv) = 17
         grep -q ',\"bob\",\"video\",19.251,' rooms.csv",
    ),
    (
        "From the Twilio CLI's list",
        "",
        "test $(jq -s 'map(select(.relative_offset_ms >= 0)) | length' from-cli.jsonl) = 4",
    ),
    (
        "Look before an hour of encoding",
        "",
        "file_is_png() { head -c 4 $1 | grep -q PNG; }; file_is_png preview.png; file_is_png sheet.png",
    ),
    (
        "A clip, one speaker large",
        "",
        "test $(ffprobe -v error -show_entries format=duration -of csv=p=0 clip.mp4 | cut -c1-3) = 2.0",
    ),
    ("Files with people's names", "", "test $(ls by-name/bob-video-RT*.mkv | wc -l) = 1"),
];

/// The commands of a recipe; a cron line is run as cron runs it, by sh.
fn commands(title: &str, body: &str) -> String {
    let mut found = blocks(body);
    for block in &mut found {
        if block.language == "cron" {
            let command: Vec<&str> = block.text.trim().splitn(6, ' ').collect();
            block.language = "sh".into();
            block.text = format!("sh -eu <<'CRON'\n{}\nCRON\n", command[5]);
        }
    }
    script(title, &found)
}

#[test]
fn every_recipe_works() {
    let recipes: Vec<(&str, &str)> =
        COOKBOOK.split("\n## ").skip(1).map(|part| part.split_once('\n').unwrap()).collect();
    let titles: Vec<&str> = recipes.iter().map(|(title, _)| *title).collect();
    assert_eq!(titles, RECIPES.map(|(title, ..)| title), "a recipe without a check");
    let mut all = format!("set -eu\n{MACHINE}");
    for ((title, body), (_, before, holds)) in recipes.iter().zip(RECIPES) {
        // In the shell's quotes there.
        let title = title.replace('\'', "’");
        let commands = commands(&title, body);
        all.push_str(&format!(
            "{before}\n{commands}\ntrap 'echo \"{title}: not so\" >&2' EXIT\n{holds}\ntrap - EXIT\n"
        ));
    }
    let environment = Environment::new().unwrap();
    let output = environment.with_twilio(&all).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
