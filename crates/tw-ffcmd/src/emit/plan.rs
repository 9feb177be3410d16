//! `--emit plan`: the placements.

use serde::Serialize;
use tw_core::failure::Failure;
use tw_core::record::json;

use crate::job::Job;
use crate::layout::Rect;
use crate::room::{Kind, Span};
use crate::time::Millis;

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
