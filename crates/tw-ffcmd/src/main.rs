//! Composes the recordings of a Twilio Video room into one file in sync, with ffmpeg.

use std::process::ExitCode;

fn main() -> ExitCode {
    tw_core::tool::main::<tw_ffcmd::Cli>()
}
