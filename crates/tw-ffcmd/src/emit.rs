//! The ways to say how a room is composed: records, a shell script, a list of placements.

use std::fmt::Write as _;

use serde::Serialize;
use tw_core::failure::Failure;
use tw_core::process::quote;
use tw_core::record::json;

use crate::job::Job;
use crate::layout::Rect;
use crate::room::{Kind, Span};
use crate::time::Millis;

/// A comment that says who is who, and the command, broken into lines, for a
/// POSIX shell.
pub fn shell(job: &Job, argv: &[String]) -> String {
    let mut text = String::new();
    let room = job.room.sid.as_deref().unwrap_or("a room without a SID");
    let _ = writeln!(
        text,
        "# {}: {} recordings, {} s",
        comment(room),
        job.plan.tracks.len(),
        job.timeline.duration().seconds()
    );
    for (input, &track) in job.plan.tracks.iter().enumerate() {
        let track = &job.room.tracks[track];
        let kind = match track.kind {
            Kind::Audio => "sound",
            Kind::Video => "picture",
        };
        let from = job.timeline.at(track.span.from).seconds();
        let _ = writeln!(text, "#   input {input}: {kind} of {}, from {from} s", comment(&track.caption()));
    }
    let mut line_length = 0;
    for (i, word) in argv.iter().enumerate() {
        // Chains of the graph on lines of their own: ffmpeg skips the white space.
        let word = if *word == job.plan.filter_complex { word.replace(';', ";\n") } else { word.clone() };
        let word = quote(&word);
        let breaks = i > 0 && (begins_line(&argv[i]) || i + 1 == argv.len()) && line_length > 0;
        if breaks {
            text.push_str(" \\\n  ");
            line_length = 2;
        } else if i > 0 {
            text.push(' ');
        }
        text.push_str(&word);
        line_length += word.len() + 1;
    }
    text.push('\n');
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
