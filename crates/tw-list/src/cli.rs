//! The flags.

use std::path::PathBuf;

use anyhow::bail;
use clap::{Parser, ValueEnum, ValueHint};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use tw_core::http::{HttpOptions, is_sid};
use tw_core::number::whole;
use tw_core::{Common, Status, Tool};

/// List the recordings of Twilio Video rooms as JSON lines
///
/// Each line is Twilio's own Recording resource, as the REST API gives it, written
/// as soon as its page has come. Without --room and --rooms, all the account's
/// recordings that match the filters are listed.
#[derive(Debug, Parser)]
#[command(name = "tw-list", version, after_help = SHORT_EXAMPLES, after_long_help = EXAMPLES)]
pub struct Cli {
    /// A room's SID, RM…; may be given several times
    #[arg(long, value_name = "RM…", value_parser = room)]
    pub room: Vec<String>,

    /// A file of rooms, - for stdin: on each line a SID, or a record with a sid that starts with RM
    #[arg(long, value_name = "FILE")]
    pub rooms: Option<PathBuf>,

    /// Take the recordings from the Twilio CLI's JSON instead, - for stdin; nothing is asked of Twilio
    ///
    /// What `twilio api:video:v1:recordings:list -o json` prints becomes records with
    /// the names that the API's fields have. Give the CLI --no-limit: it lists 50
    /// otherwise.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["room", "rooms", "status", "source_sid",
          "media_type", "date_created_after", "date_created_before", "limit", "participants"])]
    pub from_cli: Option<PathBuf>,

    /// Only recordings with this status; deleted ones are listed only when asked for
    #[arg(long)]
    pub status: Option<RecordingStatus>,

    /// Only recordings of this track
    #[arg(long, value_name = "MT…", value_parser = track)]
    pub source_sid: Option<String>,

    /// Only recordings of this type
    #[arg(long, value_name = "TYPE")]
    pub media_type: Option<MediaType>,

    /// Only recordings that began at this time or later: 2026-01-31, or 2026-01-31T09:00:00+01:00
    ///
    /// A date without a time means its first second, in UTC.
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub date_created_after: Option<Timestamp>,

    /// Only recordings that began before this time
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub date_created_before: Option<Timestamp>,

    /// Recordings per request
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = whole(1..=100_u64))]
    pub page_size: u64,

    /// Stop after so many recordings in all
    #[arg(long, value_name = "N", value_parser = whole(1..=u64::MAX))]
    pub limit: Option<u64>,

    /// Add participant_identity: one more request for each participant
    #[arg(long)]
    pub participants: bool,

    /// A room's SID comes with --room
    // Takes what has no flag, to say which one that would be.
    #[arg(hide = true, value_name = "ROOM", value_parser = misplaced, value_hint = ValueHint::Other)]
    pub misplaced: Option<String>,

    /// Where Twilio is, and how patient we are with it.
    #[command(flatten)]
    pub http: HttpOptions,

    /// The flags that all tools have.
    #[command(flatten)]
    pub common: Common,
}

const SHORT_EXAMPLES: &str = "\
Examples:
  tw-list --room \"$ROOM\" --participants
  tw-list --rooms rooms.txt
  tw-list --date-created-after 2026-01-01 --media-type audio";

const EXAMPLES: &str = "\
Environment:
  TWILIO_API_KEY, TWILIO_API_SECRET        an API key (SK…) and its secret; or
  TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN    the account (AC…) and its auth token
  TWILIO_BASE_URL                          instead of https://video.twilio.com

Examples:
  All recordings of a room:
    tw-list --room RM0123456789abcdef0123456789abcdef
  The rooms of a file, with the participants' names:
    tw-list --rooms rooms.txt --participants
  What was recorded in January, one line per room with its number of tracks:
    tw-list --date-created-after 2026-01-01 --date-created-before 2026-02-01 |
      jq -r .grouping_sids.room_sid | sort | uniq -c
  Rooms whose list broke off, once more:
    jq -c 'select(.error) | del(.error)' list.jsonl | tw-list --rooms -
  From what the Twilio CLI has listed:
    twilio api:video:v1:recordings:list --no-limit -o json | tw-list --from-cli -
  A room as one file:
    tw-list --room \"$ROOM\" | tw-fetch --dir media | tw-probe | tw-offsets |
      tw-ffcmd -o room.webm --run

A room that can't be listed to its end comes out as a record with \"error\", and
the status is 1: 0 all done, 1 some record failed, 2 wrong usage or set-up,
129, 130 or 143 interrupted.";

/// `Status` of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum RecordingStatus {
    /// Not all there yet
    Processing,
    /// Ready to be fetched
    Completed,
    /// Deleted from Twilio
    Deleted,
    /// Twilio could not record it
    Failed,
}

/// `MediaType` of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum MediaType {
    /// Sound
    Audio,
    /// Picture
    Video,
    /// Data tracks
    Data,
}

impl Cli {
    /// The filters as the API's query parameters, whose names are case-sensitive.
    pub(crate) fn query(&self) -> Vec<(&'static str, String)> {
        let word = |value: clap::builder::PossibleValue| value.get_name().to_owned();
        // With --limit 3, a page of 100 would be asked for in vain.
        let page_size = self.limit.map_or(self.page_size, |limit| limit.min(self.page_size));
        [
            ("Status", self.status.and_then(|status| status.to_possible_value()).map(word)),
            ("SourceSid", self.source_sid.clone()),
            ("MediaType", self.media_type.and_then(|media| media.to_possible_value()).map(word)),
            ("DateCreatedAfter", self.date_created_after.map(written)),
            ("DateCreatedBefore", self.date_created_before.map(written)),
            ("PageSize", Some(page_size.to_string())),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
        .collect()
    }
}

impl Tool for Cli {
    const NAME: &'static str = "tw-list";

    fn common(&self) -> &Common {
        &self.common
    }

    fn run(self) -> anyhow::Result<Status> {
        if let (Some(after), Some(before)) = (self.date_created_after, self.date_created_before)
            && after >= before
        {
            bail!("--date-created-after is not before --date-created-before: nothing could match");
        }
        match &self.from_cli {
            Some(file) => crate::from_cli::run(file, &self.common),
            None => crate::run(&self),
        }
    }
}

fn room(text: &str) -> Result<String, String> {
    if is_sid("RM", text) {
        return Ok(text.to_owned());
    }
    Err(crate::rooms::no_sid(text).into())
}

/// Refuses what has no flag before it.
fn misplaced(_: &str) -> Result<String, String> {
    Err("a room's SID comes with --room, a file of them with --rooms".into())
}

fn track(text: &str) -> Result<String, String> {
    if is_sid("MT", text) {
        return Ok(text.to_owned());
    }
    Err("a track's SID is MT and 32 hexadecimal digits".into())
}

/// RFC 3339, or a date alone: its beginning in UTC.
fn time(text: &str) -> Result<Timestamp, String> {
    text.parse::<Timestamp>()
        .or_else(|_| {
            Date::strptime("%Y-%m-%d", text).and_then(|date| Ok(date.to_zoned(TimeZone::UTC)?.timestamp()))
        })
        .map_err(|_| "want a date (2026-01-31) or a time with its zone (2026-01-31T09:00:00Z)".into())
}

/// As the API wants it: whole seconds, UTC.
fn written(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_flags_are_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_time_is_a_date_or_rfc_3339() {
        let at = |text| time(text).map(written);
        assert_eq!(at("2026-01-31").as_deref(), Ok("2026-01-31T00:00:00Z"));
        assert_eq!(at("2026-01-31T09:00:00+01:00").as_deref(), Ok("2026-01-31T08:00:00Z"));
        assert_eq!(at("2026-01-31T09:00:00.75Z").as_deref(), Ok("2026-01-31T09:00:00Z"));
        for text in ["", "yesterday", "2026-02-30", "31.1.2026", "2026-01-31T09:00:00", "2026-01"] {
            assert!(time(text).is_err(), "{text}");
        }
    }

    #[test]
    fn filters_become_the_apis_parameters() {
        let cli = Cli::parse_from([
            "tw-list",
            "--status=completed",
            "--media-type=audio",
            "--date-created-after=2026-01-01",
            "--page-size=7",
            "--limit=3",
        ]);
        assert_eq!(
            cli.query(),
            [
                ("Status", "completed".to_owned()),
                ("MediaType", "audio".to_owned()),
                ("DateCreatedAfter", "2026-01-01T00:00:00Z".to_owned()),
                ("PageSize", "3".to_owned()),
            ]
        );
    }
}
