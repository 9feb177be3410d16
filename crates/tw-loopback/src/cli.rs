//! The program's flags.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Parser;

/// Runs a command against a Twilio on this machine.
///
/// Nobody's account is used and nothing leaves this machine. The recordings are made
/// with ffmpeg at the first start (a few seconds) and kept for the next.
#[derive(Debug, Parser)]
#[command(name = "tw-loopback", version, after_help = EXAMPLES)]
pub(crate) struct Cli {
    /// Folder for the recordings that are made [default: tw-loopback in the user's cache folder]
    #[arg(long, value_name = "DIR")]
    pub(crate) media: Option<PathBuf>,

    /// Serve one more room, BIG_ROOM, of N recordings, which have no media by themselves
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) recordings: usize,

    /// The media of each of those N recordings
    #[arg(long, value_name = "FILE")]
    pub(crate) recording_media: Option<PathBuf>,

    /// Without COMMAND: print one line of JSON instead of shell exports
    #[arg(long, conflicts_with = "command")]
    pub(crate) json: bool,

    /// The command to run; its exit status becomes this one's
    #[arg(trailing_var_arg = true, value_name = "COMMAND")]
    pub(crate) command: Vec<OsString>,
}

const EXAMPLES: &str = "\
COMMAND finds in its environment:
  TWILIO_BASE_URL, TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN   for the tw tools
  ROOM      a room of 40 s: alice, and bob from 19.2 s on, as in Twilio's tutorial
  ROOMS     three rooms of 4, 5 and 6 s with one, two and three people
  BIG_ROOM  with --recordings: a room to try paging on

Without COMMAND these are printed, and served until Ctrl-C.

Examples:
  tw-loopback -- sh -c 'tw-list --room \"$ROOM\"'
  tw-loopback -- sh -c 'printf \"%s\\n\" $ROOMS | tw-list --rooms -'
  tw-loopback --recordings 250 -- sh -c 'tw-list --room \"$BIG_ROOM\" | wc -l'
  tw-loopback > env          # and in another shell:
  . ./env; tw-list --room \"$ROOM\"";
