//! The frame around every tool: flags that all have, messages, signals, and the
//! one place that decides the exit status.

use std::ffi::OsString;
use std::io::{IsTerminal, Write, stderr};
use std::process::ExitCode;

use clap::{Args, Command, Parser};

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
    let tool = match parse::<T>(std::env::args_os()) {
        Ok(tool) => tool,
        Err(error) if error.use_stderr() => {
            // In one piece: the tools of a pipeline, which may all be wrong, share one stderr. Where
            // it is gone, only the status is left to tell.
            let _ = stderr().write_all(refusal(T::NAME, &error, has_colors()).as_bytes());
            return ExitCode::from(USAGE);
        }
        // Help, or the version.
        Err(error) => error.exit(),
    };
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

/// Reads the flags, in the way that is the same for all tools.
fn parse<T: Tool>(words: impl IntoIterator<Item = OsString>) -> Result<T, clap::Error> {
    let mut command = ours(T::command());
    let mut matches = command.try_get_matches_from_mut(words)?;
    T::from_arg_matches_mut(&mut matches).map_err(|error| error.format(&mut command))
}

/// Of a flag that is given twice the last counts, so that a script's flags can be overridden;
/// lists grow. What looks like a negative number is a value, which the flag can refuse in words
/// that fit it better than those for an unknown flag.
fn ours(command: Command) -> Command {
    command.args_override_self(true).mut_args(|flag| {
        let takes_value = !flag.is_positional() && flag.get_action().takes_values();
        if takes_value { flag.allow_negative_numbers(true) } else { flag }
    })
}

/// What is wrong with the flags, and whose they are.
fn refusal(tool: &str, error: &clap::Error, colors: bool) -> String {
    let text = error.render();
    if colors { format!("{tool}: {}", text.ansi()) } else { format!("{tool}: {text}") }
}

/// Colors are for a terminal that knows them, whose user hasn't declined them (<https://no-color.org>).
fn has_colors() -> bool {
    let said = |name| std::env::var_os(name).filter(|value| !value.is_empty());
    stderr().is_terminal() && said("NO_COLOR").is_none() && said("TERM").is_some_and(|term| term != "dumb")
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

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Parser)]
    #[command(name = "tw-test")]
    struct Flags {
        file: Vec<String>,
        #[arg(long, default_value = "1")]
        count: String,
        #[arg(long)]
        each: Vec<String>,
        #[command(flatten)]
        common: Common,
    }

    impl Tool for Flags {
        const NAME: &'static str = "tw-test";

        fn common(&self) -> &Common {
            &self.common
        }

        fn run(self) -> anyhow::Result<Status> {
            Ok(Status::Done)
        }
    }

    fn read(words: &str) -> Result<Flags, clap::Error> {
        parse(std::iter::once("tw-test").chain(words.split(' ')).map(OsString::from))
    }

    #[test]
    fn of_a_flag_given_twice_the_last_counts_and_lists_grow() {
        let flags = read("-q --count 2 --each a --count=3 -q --each b --fail-fast --fail-fast").unwrap();
        assert_eq!((&*flags.count, flags.common.quiet), ("3", true));
        assert_eq!(flags.each, ["a", "b"]);
        assert!(read("-q -v").is_err());
    }

    #[test]
    fn a_negative_number_is_a_value() {
        assert_eq!(read("--count -5").unwrap().count, "-5");
        assert!(read("-5").unwrap_err().to_string().contains("unexpected argument '-5'"));
    }

    #[test]
    fn a_refusal_says_whose_it_is() {
        let error = read("--nonsense").unwrap_err();
        let said = refusal(Flags::NAME, &error, false);
        assert!(said.starts_with("tw-test: error: unexpected argument '--nonsense' found\n"), "{said}");
        assert!(!said.contains('\u{1b}') && said.contains("\nUsage: tw-test "), "{said}");
        let colored = refusal(Flags::NAME, &error, true);
        assert!(colored.starts_with("tw-test: \u{1b}["), "{colored}");
    }
}
