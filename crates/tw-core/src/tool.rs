//! The frame around every tool: flags that all have, messages, signals, and the
//! one place that decides the exit status.

use std::process::ExitCode;

use clap::{Args, Parser};

use crate::messages::{self, Verbosity};
use crate::output::OutputError;
use crate::{progress, signals};

/// All records were served.
pub const DONE: u8 = 0;
/// At least one record failed; it is marked.
pub const RECORDS_FAILED: u8 = 1;
/// Wrong flags, no credentials, no ffmpeg: nothing could be done, or nothing that needs them.
pub const USAGE: u8 = 2;

/// Flags that every tool has.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Common options")]
pub struct Common {
    /// Say nothing but errors
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,

    /// Say what is being done
    #[arg(short, long, global = true)]
    pub verbose: bool,

    /// Show progress on stderr: on a terminal, always, or never
    #[arg(long, value_name = "WHEN", default_value = "auto", global = true)]
    pub progress: progress::When,

    /// Stop at the first record that fails
    #[arg(long, global = true)]
    pub fail_fast: bool,
}

/// How a tool's work went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
#[must_use]
pub enum Status {
    /// All records were served.
    #[default]
    Done,
    /// At least one was not.
    RecordsFailed,
    /// At least one was not, since the set-up is wrong; that has been said.
    WrongSetUp,
}

impl Status {
    /// Failed, if this or the other failed; a wrong set-up outweighs a record.
    pub fn and(self, other: Self) -> Self {
        self.max(other)
    }
}

/// One of the tools: its flags, which know how to run.
pub trait Tool: Parser {
    /// Its name, as typed.
    const NAME: &'static str;

    /// The flags that all tools have.
    fn common(&self) -> &Common;

    /// Does the work.
    ///
    /// # Errors
    /// For what stops the whole run: wrong usage or set-up, stdout gone. What is
    /// wrong with one record is written into the record.
    fn run(self) -> anyhow::Result<Status>;
}

/// The `main` of every tool.
pub fn main<T: Tool>() -> ExitCode {
    let tool = T::parse();
    let common = tool.common();
    messages::init(
        T::NAME,
        match (common.quiet, common.verbose) {
            (true, _) => Verbosity::Quiet,
            (_, true) => Verbosity::Verbose,
            _ => Verbosity::Normal,
        },
    );
    progress::init(if common.quiet { progress::When::Never } else { common.progress });
    let status = signals::install().map_err(anyhow::Error::from).and_then(|()| tool.run());
    let status = match status {
        Ok(Status::Done) => DONE,
        Ok(Status::RecordsFailed) => RECORDS_FAILED,
        Ok(Status::WrongSetUp) => USAGE,
        Err(error) => status_of(&error),
    };
    // Not by returning: threads that wait for input or for a child must not hold us.
    signals::leave(status.into())
}

fn status_of(error: &anyhow::Error) -> u8 {
    match error.downcast_ref::<OutputError>() {
        Some(OutputError::Closed) => DONE,
        Some(OutputError::Failed(_)) => {
            messages::error(error);
            RECORDS_FAILED
        }
        None => {
            messages::error(format_args!("{error:#}"));
            USAGE
        }
    }
}
