//! Writes man pages and completions: `tw-manual FOLDER`.

use std::process::ExitCode;

fn main() -> ExitCode {
    tw_manual::main()
}
