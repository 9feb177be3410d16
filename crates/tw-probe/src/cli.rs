//! The flags.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;
use tw_core::number::whole;
use tw_core::tool::Common;

/// Read the start, the end and the streams of recordings with ffprobe
///
/// Reads records (one JSON object per line) with a `path`, as tw-fetch writes them, and adds
/// start_time_ms, end_time_ms, duration_ms, creation_time and streams. Nothing is decoded; each file is
/// read once.
#[derive(Debug, Clone, Parser)]
#[command(name = "tw-probe", version, after_help = SHORT_EXAMPLES, after_long_help = EXAMPLES, max_term_width = 100)]
pub struct Cli {
    /// Files of records; `-` or none: stdin. With --files, the recordings themselves
    #[arg(value_name = "FILE")]
    pub inputs: Vec<PathBuf>,

    /// Take FILE... as recordings, and make a record for each
    #[arg(long, requires = "inputs")]
    pub files: bool,

    /// A span without a packet that is longer than so many milliseconds is listed as a gap
    ///
    /// Each stream has `gaps`: [{"start_ms", "end_ms"}], from a packet to the next one, on the recording's
    /// own clock. The default, a second, passes over what is usual (a silent microphone still sends every
    /// 400 ms, a screen that is shared may send a frame a second) and finds cameras that were off and
    /// networks that were away. tw-ffcmd takes long silences and --gap background from there.
    #[arg(long, value_name = "MS", default_value_t = 1000, value_parser = whole(0..=u32::MAX))]
    pub gaps: u32,

    /// How many files are read side by side; default: one per core
    #[arg(short, long, value_name = "N", value_parser = whole(1..=1024_u16))]
    pub jobs: Option<u16>,

    /// End an ffprobe from which nothing has come for so long
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    #[arg(value_parser = whole(1..=86_400_u64))]
    pub stall: u64,

    /// What all the tools have.
    #[command(flatten)]
    pub common: Common,
}

impl Cli {
    /// How many ffprobes may run at once.
    pub fn jobs(&self) -> usize {
        let cores = || std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        self.jobs.map_or_else(cores, usize::from)
    }

    /// How long an ffprobe may be silent.
    pub fn silence(&self) -> Duration {
        Duration::from_secs(self.stall)
    }
}

const SHORT_EXAMPLES: &str = "\
Examples:
  tw-probe < fetched.jsonl > probed.jsonl
  tw-probe --files media/*.mk?";

const EXAMPLES: &str = "\
What is added, here to the video of the tutorial:
  \"start_time_ms\":1564,\"end_time_ms\":142242,\"duration_ms\":140678,
  \"creation_time\":\"2017-06-30T09:03:44.000000Z\",
  \"streams\":[{\"index\":0,\"codec_type\":\"video\",\"codec_name\":\"vp8\",\"width\":640,\"height\":480,
    \"sample_aspect_ratio\":\"1:1\",\"sizes\":[{\"at_ms\":1564,\"width\":640,\"height\":480}],
    \"packets\":3376,\"start_time_ms\":1564,\"end_time_ms\":142242,
    \"frame_interval_ms\":33,\"frame_interval_max_ms\":34,\"key_frame_interval_max_ms\":140678,
    \"seekable\":false,\"gaps\":[]}]

  start_time_ms   the container's start time, in whole milliseconds
  end_time_ms     the timestamp of the last packet
  duration_ms     end_time_ms - start_time_ms
  creation_time   the container's tag; null when it has none

A record whose file is missing or is no Matroska file goes on with an \"error\"
field, and the status is 1. In a file without a packet nothing was recorded:
its times are null, and a composition does without it. Of a file that breaks
off, what is whole counts; a warning says so. Records of type \"data\" hold no
sound or picture: they are handed on as they are.

Examples:
  tw-fetch --dir media < list.jsonl | tw-probe | tw-offsets
  tw-probe --files media/*.mk? | jq -r '[.path, .start_time_ms, .duration_ms] | @tsv'
  tw-probe --gaps 250 < fetched.jsonl | jq -c '{sid, gaps: [.streams[].gaps[]]}'

Environment:
  TW_FFPROBE   the ffprobe to use (4.4 or newer); default: ffprobe on PATH

Exit status: 0 all done, 1 some record failed, 2 wrong usage or no ffprobe,
129, 130 or 143 interrupted.";
