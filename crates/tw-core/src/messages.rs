//! Messages for people, on stderr: one writer, which knows the tool's name, how
//! much the user wants to hear, and the progress bars that must not be smeared.

use std::fmt;
use std::io::{IsTerminal, Write};
use std::sync::OnceLock;

use indicatif::{MultiProgress, ProgressDrawTarget};

use crate::terminal::{self, CLEAR_LINE, OneLine};
use crate::text;

/// How much the user wants to hear.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Verbosity {
    /// `--quiet`: errors only.
    Quiet,
    /// Errors, warnings and a line about what was left out.
    #[default]
    Normal,
    /// `--verbose`: also what is done, step by step.
    Verbose,
}

struct Messages {
    tool: &'static str,
    verbosity: Verbosity,
}

static MESSAGES: OnceLock<Messages> = OnceLock::new();
static BARS: OnceLock<MultiProgress> = OnceLock::new();

/// Says who speaks and how much; the first call counts.
pub fn init(tool: &'static str, verbosity: Verbosity) {
    let _ = MESSAGES.set(Messages { tool, verbosity });
}

/// The name of the running tool, as it stands in messages and in `error.tool`.
pub fn tool() -> &'static str {
    MESSAGES.get().map_or("tw", |messages| messages.tool)
}

/// Where all progress bars of the process hang, so that a message can be
/// printed above them.
pub fn bars() -> &'static MultiProgress {
    BARS.get_or_init(|| {
        MultiProgress::with_draw_target(if std::io::stderr().is_terminal() {
            ProgressDrawTarget::term_like(Box::<OneLine>::default())
        } else {
            ProgressDrawTarget::hidden()
        })
    })
}

/// Takes the progress bars away for good: the process ends.
pub fn no_more_bars() {
    let _ = bars().clear();
    bars().set_draw_target(ProgressDrawTarget::hidden());
}

/// Something failed: shown always.
pub fn error(message: impl fmt::Display) {
    print(Verbosity::Quiet, &message);
}

/// Something is odd, or was left out.
pub fn warn(message: impl fmt::Display) {
    print(Verbosity::Normal, &message);
}

/// What the user has asked for in a log, and no error: shown always.
pub fn line(message: impl fmt::Display) {
    print(Verbosity::Quiet, &message);
}

/// What is being done.
pub fn verbose(message: impl fmt::Display) {
    print(Verbosity::Verbose, &message);
}

fn print(from: Verbosity, message: &dyn fmt::Display) {
    let verbosity = MESSAGES.get().map_or(Verbosity::Normal, |messages| messages.verbosity);
    if verbosity >= from {
        // Another tool's bar gives way, and is drawn anew below.
        let on_bar = std::io::stderr().is_terminal() && terminal::is_anothers();
        let begin = if on_bar { CLEAR_LINE } else { "" };
        let line = format!("{begin}{}: {}\n", tool(), printable(&message.to_string()));
        // Nobody is left to be told when stderr is gone.
        bars().suspend(|| {
            let _ = std::io::stderr().lock().write_all(line.as_bytes());
        });
    }
}

/// The message without what a terminal would obey: names of tracks and people
/// come from strangers. Line breaks stay, indented.
fn printable(message: &str) -> String {
    let mut shown = String::with_capacity(message.len());
    for c in message.trim_end().chars() {
        match c {
            '\n' => shown.push_str("\n  "),
            '\t' => shown.push(c),
            c if text::is_obeyed(c) => shown.extend(c.escape_default()),
            c => shown.push(c),
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_steer_the_terminal() {
        assert_eq!(printable("bob\u{1b}[2J\r"), "bob\\u{1b}[2J");
        assert_eq!(printable("bob\u{202e}!"), "bob\\u{202e}!");
        assert_eq!(printable("one\ntwo\n"), "one\n  two");
    }
}
