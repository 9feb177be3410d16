//! `--emit make`: a Makefile of the parts and their joining.

use std::fmt::Write as _;

use tw_core::failure::Failure;
use tw_core::shell::{self, quote};

use super::script::{TO_PART, folder_of, is_whole, part_in_shell, rename, say_refused, who_is_who};
use crate::job::Job;
use crate::steps::{LONGEST_ARGUMENT, Step};

/// make's own rules make a file from another one of a like name: of a recording they would think that
/// `alice.mkv.sh` beside it is what it is made from, and write over it.
const NO_RULES_BUT_OURS: &str = "MAKEFLAGS += --no-builtin-rules";
/// What fails or is interrupted leaves no part.
const REMOVE_AT_EXIT: &str = "trap 'rm -f -- \"$part\"' EXIT; trap 'exit 1' HUP INT TERM";

/// A Makefile: a rule for each file, which is there only when it is whole.
///
/// # Errors
/// When a path holds a character that a Makefile has no way to write.
pub fn make(job: &Job, steps: &[Step]) -> Result<String, Failure> {
    for step in steps {
        writable(step)?;
    }
    let mut text = who_is_who(job);
    let output = make_word(&job.output.to_string_lossy());
    let _ = writeln!(text, "{NO_RULES_BUT_OURS}\nall: {output}\n.PHONY: all");
    for step in steps {
        let target = step.output.to_string_lossy();
        let parts = step.needs.iter().map(|need| make_word(&need.to_string_lossy()));
        let needs: Vec<String> = parts.chain(recordings(job, step)).collect();
        let command = shell::line(step.options().iter().map(String::as_str));
        let recipe = [
            format!("@mkdir -p -- {}", quote(&folder_of(&step.output))),
            // Written beside its place and renamed: make never takes half a file for a whole one. In
            // one line, since each has a shell of its own.
            format!(
                "{}; {REMOVE_AT_EXIT}; {command} {TO_PART} && {{ {}; }} && {}",
                part_in_shell(step),
                is_whole(job, step),
                rename(&quote(&target))
            ),
        ];
        let _ = writeln!(text, "{}: {}", make_word(&target), needs.join(" "));
        for line in recipe {
            // make hands a line to its shell as one argument.
            if line.len() >= LONGEST_ARGUMENT {
                return Err(Failure::field(format!(
                    "a command for {} recordings is longer than a line of a Makefile may be (128 KiB): \
                     use --emit sh, or compose it in windows (--start, --end)",
                    step.command.tracks.len()
                )));
            }
            let _ = writeln!(text, "\t{}", make_recipe(&line));
        }
    }
    Ok(text)
}

/// Rules for a room that isn't composed: what they say and that they fail doesn't keep
/// `make -k` from the others.
pub fn refused(room: Option<&str>, why: &str) -> String {
    let name = room.unwrap_or("room").replace(|c: char| !c.is_ascii_alphanumeric(), "_");
    let target = format!("not-composed-{name}");
    let recipe = make_recipe(&say_refused(room, why));
    format!("all: {target}\n.PHONY: all {target}\n{target}:\n\t@{recipe}; false")
}

/// Whether a step can be a rule: some characters have a meaning there that no escape takes
/// from them (GNU Make 4.3).
fn writable(step: &Step) -> Result<(), Failure> {
    let output = step.output.to_string_lossy();
    let unwritable = output.chars().find(|c| "%=;|*?[]\\\t".contains(*c));
    let unwritable = unwritable.or(output.starts_with('~').then_some('~'));
    let line_break = step.command.argv.iter().any(|word| word.contains('\n')).then_some('\n');
    let what = match unwritable.or(line_break) {
        None => return Ok(()),
        Some('\n') => "a line break".to_owned(),
        Some(c) => format!("{c:?}"),
    };
    Err(Failure::field(format!(
        "a path with {what} in it can't stand in a Makefile (for {output}): use another name, or --emit json"
    )))
}

/// The recordings that a step reads: what was made of one that has been replaced since is made again.
/// One that is gone is no reason to, and one whose name make would split or read is left out.
fn recordings(job: &Job, step: &Step) -> Option<String> {
    let is_plain = |path: &str| path.chars().all(|c| c.is_alphanumeric() || "/._-+@,".contains(c));
    let read = job.inputs().into_iter().filter(|path| is_plain(path) && step.command.argv.contains(path));
    let read: Vec<String> = read.collect();
    (!read.is_empty()).then(|| format!("$(wildcard {})", read.join(" ")))
}

/// A file name in a rule: what make would read is escaped.
fn make_word(name: &str) -> String {
    let mut word = String::new();
    for c in name.chars() {
        match c {
            '$' => word.push_str("$$"),
            ' ' | '#' | ':' => {
                word.push('\\');
                word.push(c);
            }
            c => word.push(c),
        }
    }
    word
}

/// A shell command in a recipe: make reads `$`.
fn make_recipe(command: &str) -> String {
    command.replace('$', "$$")
}
