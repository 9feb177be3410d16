//! What a result was made from, as a short text in the file itself: a run that finds
//! a file of the right length must not take it for its own when somebody is missing
//! from it, because the run before got only some of the recordings, or when it was
//! arranged or encoded otherwise.

use crate::cli::flag_name;
use crate::encoder::Encoding;
use crate::job::Job;
use crate::layout::Rect;
use crate::room::Span;
use crate::steps::fnv1a;

/// What such a text begins with.
const OURS: &str = "tw-ffcmd ";

/// The text for a job: who is seen where, who is heard, when, on what, and how it is encoded.
/// Paths don't count, so that a folder may be moved; nor do the settings that a version of this
/// program has for a speed, so that the next one keeps what there is.
pub fn of(job: &Job) -> String {
    let name = |track: usize| {
        let track = &job.room.tracks[track];
        let file = || track.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        track.sid.clone().unwrap_or_else(file)
    };
    let time = |span: Span| format!("{}-{}", span.from.0, span.to.0);
    let place = |cell: Rect| format!("{}x{}+{}+{}", cell.width, cell.height, cell.x, cell.y);
    let seen = job.placements.iter().map(|placement| {
        let (cell, z) = (place(placement.cell), placement.z);
        format!("{} seen {} {cell} {z}", name(placement.track), time(placement.span))
    });
    let heard =
        job.heard.iter().map(|&track| format!("{} heard {}", name(track), time(job.room.tracks[track].span)));
    let mut lines: Vec<String> = seen.chain(heard).collect();
    // In whatever order the records came.
    lines.sort();
    if let Some(look) = &job.look {
        lines.push(format!("{} {}", look.background, flag_name(&look.gap)));
    }
    lines.extend(job.labels.iter().map(|label| format!("label {} {}", place(label.cell), label.text)));
    let Encoding { video, audio, crf, speed, extra, .. } = &job.encoding;
    lines.push(format!("{} {} {}", flag_name(video), flag_name(audio), flag_name(speed)));
    lines.extend(crf.map(|crf| format!("crf {crf}")));
    lines.extend(extra.iter().map(|word| format!("extra {word}")));
    lines.push(format!("{}+{} {}", job.timeline.start.0, job.timeline.frames, job.timeline.rate));
    let hash = fnv1a(lines.iter().flat_map(|line| line.bytes().chain([b'\n'])));
    format!("{OURS}{hash:016x}")
}

/// The command with that text among the output's tags: every container of ours has a
/// place for a comment. One that the user gives stays.
pub fn tagged(mut argv: Vec<String>, job: &Job) -> Vec<String> {
    if !argv.iter().any(|word| word.starts_with("comment=")) {
        let output = argv.len().saturating_sub(1);
        argv.splice(output..output, ["-metadata".into(), format!("comment={}", of(job))]);
    }
    argv
}

/// Whether a file's comment is another job's. A comment of somebody else's says nothing.
pub fn is_anothers(comment: &str, job: &Job) -> bool {
    comment.starts_with(OURS) && comment != of(job)
}
