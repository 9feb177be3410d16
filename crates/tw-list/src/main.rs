//! Lists the recordings of Twilio Video rooms as JSON lines.

use std::process::ExitCode;

fn main() -> ExitCode {
    tw_core::tool::main::<tw_list::Cli>()
}
