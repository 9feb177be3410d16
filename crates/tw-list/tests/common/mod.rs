//! tw-list against a loopback Twilio.
#![allow(dead_code, reason = "each test file uses some of it")]

use assert_cmd::Command;
use assert_cmd::assert::Assert;
use serde_json::Value;
use tw_loopback::{Fault, Twilio};

/// tw-list without a Twilio, and without credentials.
pub fn bare() -> Command {
    let mut command = Command::cargo_bin("tw-list").unwrap();
    command.env_clear();
    command
}

/// tw-list for this Twilio.
pub fn list(twilio: &Twilio) -> Command {
    list_within(twilio, "20")
}

/// tw-list that waits no longer than so many seconds: for faults that keep it waiting.
pub fn list_within(twilio: &Twilio, timeout: &str) -> Command {
    let mut command = bare();
    command.envs(twilio.env()).args(["--retry-delay", "1", "--timeout", timeout]);
    command
}

/// The longest wait for a fault: short only where it would be waited out, since a
/// busy machine may be silent for a while as well.
pub fn patience(fault: &Fault) -> &'static str {
    if matches!(fault, Fault::Silence | Fault::StallInBody(_)) { "0.5" } else { "20" }
}

/// The whole of stdout.
pub fn text(assert: &Assert) -> String {
    String::from_utf8(assert.get_output().stdout.clone()).unwrap()
}

/// The lines of stdout, each a JSON object.
pub fn lines(assert: &Assert) -> Vec<Value> {
    text(assert).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}
