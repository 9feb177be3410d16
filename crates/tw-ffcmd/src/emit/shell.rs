//! `--emit sh`: the commands for a POSIX shell.

use std::borrow::Cow;
use std::fmt::Write as _;

use tw_core::shell::quote;

use super::script::{TO_PART, folder_of, is_whole, part_in_shell, rename, say_refused, who_is_who};
use crate::job::Job;
use crate::steps::Step;

/// Comments that say who is who, and the commands, broken into lines, for a POSIX shell.
///
/// Of several commands, each makes its file under another name first, and only if it isn't
/// there: they end at what fails, and go on there when the script is run again.
pub fn shell(job: &Job, steps: &[Step], overwrites: bool) -> String {
    let mut text = who_is_who(job);
    // That of the first part, if there are parts: it lies in the output's.
    let folder = steps.first().map(|step| folder_of(&step.output)).filter(|folder| folder != ".");
    let folder = folder.map(|folder| format!("mkdir -p -- {}\n", quote(&folder))).unwrap_or_default();
    let _ = match steps {
        [step] => writeln!(text, "{folder}{}", in_lines(&step.argv(overwrites), None)),
        // In a shell of its own: the next room is composed also when this one can't be.
        _ => {
            let steps: String = steps.iter().map(|step| in_its_time(job, step, overwrites)).collect();
            writeln!(text, "(\nset -e\n{REMOVE_AT_EXIT}\n{folder}{steps})")
        }
    };
    text
}

/// What follows each room's commands in a script of several rooms.
pub const AFTER_A_ROOM: &str = "test $? -eq 0 || failed=1";
/// The last line of such a script: its status tells whether all of them were composed.
pub const AFTER_ALL_ROOMS: &str = "exit ${failed:-0}";

/// Commands for a room that isn't composed: they say why, and fail.
pub fn refused(room: Option<&str>, why: &str) -> String {
    format!("{}; false", say_refused(room, why))
}

/// What fails or is interrupted leaves no part. dash knows of no end by a signal.
const REMOVE_AT_EXIT: &str = "part=
trap 'test -z \"$part\" || rm -f -- \"$part\"' EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM";

/// A step that makes what isn't there yet. Not `test || { … }`: there, `set -e` is off.
fn in_its_time(job: &Job, step: &Step, overwrites: bool) -> String {
    let output = step.output.to_string_lossy();
    let output = quote(&output);
    let made = format!(
        "{}\n{}\n{}\n{}\n",
        part_in_shell(step),
        in_lines(step.options(), Some(TO_PART)),
        is_whole(job, step),
        rename(&output)
    );
    if overwrites && step.output == job.output {
        return made;
    }
    // What a part's name says is what it is made of.
    format!("if test ! -e {output}; then\n{made}fi\n")
}

/// Words, quoted, and one behind them that the shell is to read.
fn in_lines(argv: &[String], last: Option<&str>) -> String {
    let mut text = String::new();
    for (i, word) in argv.iter().enumerate() {
        let graph = i > 0 && argv[i - 1] == "-filter_complex";
        let word = if graph { Cow::Owned(chains_in_lines(word)) } else { Cow::Borrowed(word.as_str()) };
        if i > 0 {
            let is_last = last.is_none() && i + 1 == argv.len();
            text.push_str(if begins_line(&word) || is_last { " \\\n  " } else { " " });
        }
        text.push_str(&quote(&word));
    }
    if let Some(last) = last {
        text.push_str(" \\\n  ");
        text.push_str(last);
    }
    text
}

/// Chains of the graph on lines of their own: ffmpeg skips the white space there,
/// but not in quotes, where a name may hold a semicolon as well.
fn chains_in_lines(graph: &str) -> String {
    let mut text = String::with_capacity(graph.len() + 64);
    let (mut quoted, mut escaped) = (false, false);
    for c in graph.chars() {
        text.push(c);
        if c == ';' && !quoted && !escaped {
            text.push('\n');
        }
        quoted ^= c == '\'' && !escaped;
        escaped = c == '\\' && !escaped && !quoted;
    }
    text
}

/// Options that are worth a line of their own.
fn begins_line(word: &str) -> bool {
    matches!(word, "-reinit_filter" | "-filter_complex" | "-map" | "-c:v" | "-c:a" | "-movflags")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_semicolon_in_a_name_ends_no_chain() {
        let graph = r"[a]drawtext=text='x;\':x=1[b];[b]drawtext=text='\'\'';y':x=1[c];[c]null";
        let lines = chains_in_lines(graph);
        assert_eq!(lines.replace(";\n", ";"), graph);
        assert_eq!(lines.lines().count(), 3, "{lines}");
        assert!(lines.contains("'x;") && lines.contains("';y'"), "{lines}");
    }
}
