//! Computes when each recording of a Twilio Video room begins on the room's timeline.

use std::process::ExitCode;

fn main() -> ExitCode {
    tw_core::tool::main::<tw_offsets::Cli>()
}
