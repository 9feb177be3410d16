//! tw-fetch against a loopback Twilio.
#![allow(dead_code, reason = "each test file uses some of it")]

pub mod bucket;
pub mod sealed;

use std::fs;
use std::path::{Path, PathBuf};

use assert_cmd::Command;
use assert_cmd::assert::Assert;
use serde_json::Value;
use tempfile::TempDir;
use tw_loopback::{Fault, Recording, Twilio, room_sid};

/// Media of this length, which begins as Matroska does, and of which no part is like another.
pub fn media(length: usize) -> Vec<u8> {
    let mut word = 0x2545_f491_4f6c_dd1d_u64;
    let others = std::iter::repeat_with(|| {
        word ^= word << 13;
        word ^= word >> 7;
        word ^= word << 17;
        word.to_le_bytes()[3]
    });
    [0x1a, 0x45, 0xdf, 0xa3].into_iter().chain(others).take(length).collect()
}

/// A recording of alice's sound with these bytes.
pub fn alice(bytes: &[u8]) -> Recording {
    Recording::audio(&room_sid("test"), "alice").bytes(bytes)
}

/// tw-fetch without a Twilio, and without credentials.
pub fn bare() -> Command {
    let mut command = Command::cargo_bin("tw-fetch").unwrap();
    command.env_clear();
    command
}

/// tw-fetch for this Twilio and folder.
pub fn fetch(twilio: &Twilio, dir: &Path) -> Command {
    fetch_within(twilio, dir, "20")
}

/// tw-fetch that waits no longer than so many seconds: for faults that keep it waiting.
pub fn fetch_within(twilio: &Twilio, dir: &Path, timeout: &str) -> Command {
    let mut command = bare();
    command.envs(twilio.env()).args(["--retry-delay", "1", "--timeout", timeout, "--dir"]).arg(dir);
    command
}

/// The longest wait for a fault: short only where it would be waited out, since a
/// busy machine may be silent for a while as well.
pub fn patience(fault: &Fault) -> &'static str {
    if matches!(fault, Fault::Silence | Fault::StallInBody(_)) { "0.5" } else { "20" }
}

/// The records as tw-list gives them: by asking the loopback itself.
pub fn records(twilio: &Twilio, recordings: &[Recording]) -> String {
    let sids: Vec<String> = recordings.iter().map(Recording::rt).collect();
    sids.iter().map(|sid| record(twilio, sid) + "\n").collect()
}

fn record(twilio: &Twilio, sid: &str) -> String {
    use std::io::{Read, Write};
    let address = twilio.base_url().strip_prefix("http://").unwrap();
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    // Basic authorization of the loopback's account.
    let authorization =
        "QUMwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMTAwOTpsb29wYmFjay1hdXRoLXRva2VuLW5vdC1hLXNlY3JldA==";
    write!(
        stream,
        "GET /v1/Recordings/{sid} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Basic {authorization}\r\nConnection: close\r\n\r\n"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.split_once("\r\n\r\n").unwrap().1.to_owned()
}

/// The lines of stdout, each a JSON object.
pub fn lines(assert: &Assert) -> Vec<Value> {
    let text = String::from_utf8(assert.get_output().stdout.clone()).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The one line of stdout.
pub fn line(assert: &Assert) -> Value {
    let mut lines = lines(assert);
    assert_eq!(lines.len(), 1);
    lines.remove(0)
}

/// All files below a folder, hidden ones too.
pub fn files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// An empty folder.
pub fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}
