//! Runs a command against a Twilio on this machine.

use std::process::ExitCode;

fn main() -> ExitCode {
    tw_loopback::program()
}
