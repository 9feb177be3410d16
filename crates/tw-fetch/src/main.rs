//! Downloads the media of Twilio Video recordings.

use std::process::ExitCode;

fn main() -> ExitCode {
    tw_core::tool::main::<tw_fetch::Cli>()
}
