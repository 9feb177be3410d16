//! The flags.

use std::path::PathBuf;

use clap::{Parser, ValueEnum};
use tw_core::tool::Common;

/// What comes in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum From {
    /// One JSON object per line
    Jsonl,
    /// Columns track_name,offset,start_time, named on the first line
    Csv,
}

/// What goes out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum To {
    /// The records, with three more fields
    Jsonl,
    /// The tutorial's columns
    Csv,
    /// The tutorial's table, for people
    Table,
    /// A picture of the room's timeline
    Svg,
    /// The same, drawn in the terminal
    Term,
}

/// Compute when each recording of a room begins on the room's timeline
///
/// Reads records (one JSON object per line) with `offset`, which Twilio gives,
/// and `start_time_ms`, which tw-probe adds. To each it adds `addition_ms`
/// (offset + start_time_ms), `reference_ms` (the least addition of the room) and
/// `relative_offset_ms` (addition_ms - reference_ms: when the recording begins).
/// Rooms are told apart by grouping_sids.room_sid; records without one form one
/// group.
#[derive(Debug, Clone, Parser)]
#[command(
    name = "tw-offsets",
    version,
    verbatim_doc_comment,
    after_help = SHORT_EXAMPLES,
    after_long_help = EXAMPLES,
    max_term_width = 100
)]
pub struct Cli {
    /// Files of records; `-` or none: stdin
    #[arg(value_name = "FILE")]
    pub inputs: Vec<PathBuf>,

    /// What comes in
    #[arg(long, value_name = "FORMAT", default_value = "jsonl")]
    pub from: From,

    /// What goes out
    #[arg(long, value_name = "FORMAT", default_value = "jsonl")]
    pub to: To,

    /// Take the rooms to come one after the other, and write each as soon as it has ended
    ///
    /// Memory is then that of one room, however many there are. Records of a room that comes back after
    /// another one are marked. From jsonl to jsonl only.
    #[arg(long)]
    pub grouped: bool,

    /// What all the tools have.
    #[command(flatten)]
    pub common: Common,
}

const SHORT_EXAMPLES: &str = "\
Examples:
  tw-offsets < probed.jsonl > offsets.jsonl
  tw-offsets --to table probed.jsonl
  tw-offsets --to svg probed.jsonl > room.svg";

const EXAMPLES: &str = "\
All numbers are whole milliseconds. A record that lacks one of the two, or
holds something else there, goes on with an \"error\" field and doesn't count
for the reference; the status is then 1. Records of type \"data\" have no
start time: they are handed on as they are, and so are records that an earlier
tool has marked.

CSV: columns are found by their names, in any order. A column room_sid tells
rooms apart; others are kept. Out come
track_name,offset,start_time,addition,reference_value,relative_offset; of
several rooms, room_sid too.

The pictures (--to svg, --to term) have a lane per participant, found by
participant_identity, else by grouping_sids.participant_sid, else by the
track's name. Bars end at end_time_ms, and show the gaps and the changes of
size that tw-probe has found. Before a bar stand its offset (the recording's
clock hasn't begun) and its start_time (it has, but nothing was recorded yet).

Examples:
  tw-probe < fetched.jsonl | tw-offsets | tw-ffcmd -o room.webm --run
  tw-offsets --to table probed.jsonl
  tw-probe < fetched.jsonl | tw-offsets --to svg > room.svg
  tw-offsets --from csv --to csv offsets.csv > with-relative-offsets.csv
  tw-offsets < probed.jsonl | jq -s 'max_by(.relative_offset_ms) | .sid'

Exit status: 0 all done, 1 some record failed, 2 wrong usage,
129, 130 or 143 interrupted.";
