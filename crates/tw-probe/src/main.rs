//! Reads the start, the end and the streams of recordings with ffprobe.

use std::process::ExitCode;

fn main() -> ExitCode {
    tw_core::tool::main::<tw_probe::Cli>()
}
