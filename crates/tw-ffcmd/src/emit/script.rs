//! What scripts and Makefiles have in common: a shell reads it.

use std::fmt::Write as _;
use std::path::Path;

use tw_core::part::part_of;
use tw_core::shell::quote;

use crate::ffmpeg;
use crate::job::Job;
use crate::room::{Kind, Room};
use crate::steps::{Action, Step};

/// A comment for the room, and one for each input.
pub(super) fn who_is_who(job: &Job) -> String {
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

/// Names come from strangers: nothing in one may end the comment.
fn comment(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// Says why a room isn't composed.
pub(super) fn say_refused(room: Option<&str>, why: &str) -> String {
    let said = comment(&format!("{}: {why}", room.unwrap_or(Room::NAMELESS)));
    format!("printf '%s\\n' {} >&2", quote(&said))
}

/// A step's folder; `.` where its output has none.
pub(super) fn folder_of(path: &Path) -> String {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    folder.unwrap_or(Path::new(".")).to_string_lossy().into_owned()
}

/// The last word of a command that writes into the part.
pub(super) const TO_PART: &str = "\"file:$part\"";

/// A name for the file on its way to its own, of this shell alone: of two that are at it, each
/// makes a whole file.
pub(super) fn part_in_shell(step: &Step) -> String {
    let part = part_of(&step.output).to_string_lossy().into_owned();
    let stem = part.strip_suffix("part").unwrap_or(&part);
    format!("part={}$$.part", quote(stem))
}

/// Gives the part its name.
pub(super) fn rename(output: &str) -> String {
    format!("mv -f -- \"$part\" {output}")
}

/// A test of what ffmpeg has written: up to 5.1, it may end well on a full disk. A picture has so
/// many frames, and anything has a duration only when its end was written.
pub(super) fn is_whole(job: &Job, step: &Step) -> String {
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
    let what = frames
        .map_or_else(|| "all of it".into(), |frames| format!("the {frames} frames that it should have"));
    let said = comment(&format!("{}: ffmpeg didn't write {what}: is the disk full?", step.output.display()));
    format!("{test} || {{ printf '%s\\n' {} >&2; false; }}", quote(&said))
}
