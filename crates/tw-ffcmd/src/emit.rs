//! The ways to say how a room is composed: records, a shell script, a list of placements.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::path::Path;

use serde::Serialize;
use tw_core::failure::Failure;
use tw_core::part::part_of;
use tw_core::process::{quote, shell_line};
use tw_core::record::json;

use crate::ffmpeg;
use crate::job::Job;
use crate::layout::Rect;
use crate::room::{Kind, Room, Span};
use crate::steps::{Action, LONGEST_ARGUMENT, Step};
use crate::time::Millis;

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
pub fn refused_in_shell(room: Option<&str>, why: &str) -> String {
    format!("{}; false", say_refused(room, why))
}

/// Rules for a room that isn't composed: what they say and that they fail doesn't keep
/// `make -k` from the others.
pub fn refused_in_make(room: Option<&str>, why: &str) -> String {
    let name = room.unwrap_or("room").replace(|c: char| !c.is_ascii_alphanumeric(), "_");
    let target = format!("not-composed-{name}");
    let recipe = make_recipe(&say_refused(room, why));
    format!("all: {target}\n.PHONY: all {target}\n{target}:\n\t@{recipe}; false")
}

fn say_refused(room: Option<&str>, why: &str) -> String {
    let said = comment(&format!("{}: {why}", room.unwrap_or(Room::NAMELESS)));
    format!("printf '%s\\n' {} >&2", quote(&said))
}

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

/// The last word of a command that writes into the part.
const TO_PART: &str = "\"file:$part\"";

/// What failed leaves no part.
const REMOVE_AT_EXIT: &str = "trap 'test -z \"$part\" || rm -f -- \"$part\"' EXIT";

/// A name for the file on its way to its own, of this shell alone: of two that are at it, each
/// makes a whole file.
fn part_in_shell(step: &Step) -> String {
    let part = part_of(&step.output).to_string_lossy().into_owned();
    let stem = part.strip_suffix("part").unwrap_or(&part);
    format!("part={}$$.part", quote(stem))
}

fn rename(output: &str) -> String {
    format!("mv -f -- \"$part\" {output}")
}

/// A test of what ffmpeg has written: up to 5.1, it may end well on a full disk. A picture has so
/// many frames, and anything has a duration only when its end was written.
fn is_whole(job: &Job, step: &Step) -> String {
    let frames = match step.action {
        Action::Picture(slice) => Some(slice.count()),
        Action::Join | Action::Whole => job.look.is_some().then_some(job.timeline.frames),
        Action::Sound | Action::Index => None,
    };
    let program = ffmpeg::probe_program();
    let program = program.to_string_lossy();
    let ffprobe = quote(&program);
    let asked = |what: &str| format!("$({ffprobe} -v error {what} -of default=nw=1:nk=1 {TO_PART})");
    let test = match frames {
        Some(frames) => {
            let counted = asked("-select_streams v:0 -count_packets -show_entries stream=nb_read_packets");
            format!("test \"{counted}\" = {frames}")
        }
        None => format!("case {} in [0-9]*) ;; *) false ;; esac", asked("-show_entries format=duration")),
    };
    let said = comment(&format!("{}: not all of it was written: is the disk full?", step.output.display()));
    format!("{test} || {{ printf '%s\\n' {} >&2; false; }}", quote(&said))
}

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
    let _ = writeln!(text, "all: {output}\n.PHONY: all");
    for step in steps {
        let target = step.output.to_string_lossy();
        let needs: Vec<String> = step.needs.iter().map(|need| make_word(&need.to_string_lossy())).collect();
        let command = shell_line(step.options().iter().map(String::as_str));
        let recipe = [
            format!("@mkdir -p -- {}", quote(&folder_of(&step.output))),
            // Written beside its place and renamed: make never takes half a file for a whole one. In
            // one line, since each has a shell of its own.
            format!(
                "{}; {command} {TO_PART} && {{ {}; }} && {} || {{ rm -f -- \"$part\"; false; }}",
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

fn folder_of(path: &Path) -> String {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    folder.unwrap_or(Path::new(".")).to_string_lossy().into_owned()
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

fn who_is_who(job: &Job) -> String {
    let mut text = String::new();
    let room = job.room.label();
    let (count, lasts) = (job.plan.inputs.len(), job.timeline.duration().seconds());
    let _ = writeln!(text, "# {}: {count} recordings, {lasts} s", comment(room));
    for (number, input) in job.plan.inputs.iter().enumerate() {
        let track = &job.room.tracks[input.track];
        let kind = match track.kind {
            Kind::Audio => "sound",
            Kind::Video => "picture",
        };
        let from = job.timeline.at(track.span.from).seconds();
        let _ = writeln!(text, "#   input {number}: {kind} of {}, from {from} s", comment(&track.caption()));
    }
    text
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

/// Names come from strangers: nothing in one may end the comment.
fn comment(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// One line of `--emit plan`.
#[derive(Serialize)]
struct Placed<'a> {
    room_sid: Option<&'a str>,
    sid: Option<&'a str>,
    r#type: Kind,
    x: Option<u32>,
    y: Option<u32>,
    width: Option<u32>,
    height: Option<u32>,
    z: Option<i32>,
    start_ms: Millis,
    end_ms: Millis,
}

/// Who is seen and heard, where and when on the output's timeline, a line each.
///
/// # Errors
/// Never in practice: strings and numbers have a JSON form.
pub fn placements(job: &Job) -> Result<Vec<String>, Failure> {
    let line = |track: usize, span: Span, cell: Option<(Rect, i32)>| {
        let (start, end) = (job.timeline.at(span.from), job.timeline.at(span.to));
        let (start_ms, end_ms) = (start.max(Millis::ZERO), end.min(job.timeline.duration()));
        (start_ms < end_ms).then(|| {
            json(&Placed {
                room_sid: job.room.sid.as_deref(),
                sid: job.room.tracks[track].sid.as_deref(),
                r#type: job.room.tracks[track].kind,
                x: cell.map(|(cell, _)| cell.x),
                y: cell.map(|(cell, _)| cell.y),
                width: cell.map(|(cell, _)| cell.width),
                height: cell.map(|(cell, _)| cell.height),
                z: cell.map(|(_, z)| z),
                start_ms,
                end_ms,
            })
        })
    };
    let seen = job.placements.iter().filter_map(|p| line(p.track, p.span, Some((p.cell, p.z))));
    let heard = job.heard.iter().filter_map(|&track| line(track, job.room.tracks[track].span, None));
    seen.filter(|_| job.look.is_some()).chain(heard).collect()
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
