//! The flags.

use std::path::PathBuf;

use clap::{Parser, ValueHint};
use tw_core::http::HttpOptions;
use tw_core::number::whole;
use tw_core::{Common, Status, Tool};

use crate::external::External;
use crate::template::Template;

/// Download the media of Twilio Video recordings
///
/// Reads recordings (from tw-list) or plain RT… SIDs, one per line, downloads
/// their media several at a time, and writes each record with the fields path and
/// bytes, in the order of the input. A file has its name only when it is whole:
/// until then it is .NAME.part beside it, from which the next run goes on. What is
/// there and whole already is not downloaded again.
#[derive(Debug, Parser)]
#[command(name = "tw-fetch", version, after_help = SHORT_EXAMPLES, after_long_help = EXAMPLES)]
pub struct Cli {
    /// Files of records or SIDs; none, or -, for stdin
    #[arg(value_name = "FILE")]
    pub files: Vec<PathBuf>,

    /// The folder for the media; made if it isn't there
    #[arg(long, value_name = "DIR", default_value = ".", value_hint = ValueHint::DirPath)]
    pub dir: PathBuf,

    /// How files are called: any field of the record in braces, room_sid and participant_sid too
    ///
    /// A / makes folders in --dir. What a field holds never leads out of its place
    /// in the name: a slash or a control character in it becomes _.
    #[arg(long, value_name = "TEMPLATE", default_value = "{sid}.{container_format}")]
    pub name: Template,

    /// How many downloads run side by side
    #[arg(short, long, value_name = "N", default_value_t = 4, value_parser = whole(1..=256_u16))]
    pub jobs: u16,

    /// Your RSA private key, in PEM, for encrypted recordings; repeatable
    ///
    /// Media with an encryption_key is decrypted as it comes, and nothing of it is
    /// stored encrypted. PKCS#1 and PKCS#8 will do, without a passphrase; so will a
    /// pipe. With several keys, for an account that has changed its key, the one
    /// that fits is taken.
    #[arg(long, value_name = "FILE", help_heading = "Encrypted recordings and your own bucket")]
    pub private_key: Vec<PathBuf>,

    /// Your command that fetches what is in a bucket of your own
    ///
    /// For recordings with a media_external_location. It is split into words as a
    /// shell would, but no shell runs it. {path} in it is the file to be written,
    /// {url} the media_external_location, {bucket} and {key} what it names, and any
    /// field of the record can stand there too. Whether the file is whole is checked
    /// as for all others. The command has all the time it wants.
    #[arg(long, value_name = "COMMAND", help_heading = "Encrypted recordings and your own bucket")]
    pub external: Option<External>,

    /// Where Twilio is, and how patient we are with it.
    #[command(flatten)]
    pub http: HttpOptions,

    /// The flags that all tools have.
    #[command(flatten)]
    pub common: Common,
}

const SHORT_EXAMPLES: &str = "\
Examples:
  tw-list --room \"$ROOM\" | tw-fetch --dir media > fetched.jsonl
  echo RT0123456789abcdef0123456789abcdef | tw-fetch
  tw-fetch --dir media --name '{room_sid}/{sid}.{container_format}' list.jsonl";

const EXAMPLES: &str = "\
Environment:
  TWILIO_API_KEY, TWILIO_API_SECRET        an API key (SK…) and its secret; or
  TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN    the account (AC…) and its auth token
  TWILIO_BASE_URL                          instead of https://video.twilio.com

Examples:
  All of a room:
    tw-list --room \"$ROOM\" | tw-fetch --dir media > media.jsonl
  One recording by its SID:
    echo RT0123456789abcdef0123456789abcdef | tw-fetch
  A folder for each room, files called after track and SID:
    tw-fetch --dir media --name '{room_sid}/{track_name}-{sid}.{container_format}' list.jsonl
  What failed, once more:
    jq -c 'select(.error) | del(.error)' media.jsonl | tw-fetch --dir media
  Encrypted recordings, with a key that has a passphrase (bash):
    tw-fetch --private-key <(openssl pkey -in key.pem) list.jsonl
  From a bucket of your own:
    tw-fetch --external 'aws s3 cp s3://{bucket}/{key} {path}' list.jsonl
    tw-fetch --external 'rclone copyto remote:{bucket}/{key} {path}' list.jsonl
  From there, and encrypted: the program has to print the object's metadata.
    tw-fetch --private-key key.pem --external \\
      'aws s3api get-object --bucket {bucket} --key {key} {path}' list.jsonl

What is there already: a file of just the record's size is whole. If the name holds
{sid}, so is any Matroska for a record without a size (Twilio gives null or 0 at times),
and a file of another size is replaced once the new one is whole. Else
the record fails, since the file may be another recording's.
Twilio's size of an encrypted recording may be that before or after encryption.

A record whose media can't be had comes out with \"error\", and the status is 1:
0 all done, 1 some record failed, 2 wrong usage or set-up, 129, 130 or 143 interrupted.";

impl Tool for Cli {
    const NAME: &'static str = "tw-fetch";

    fn common(&self) -> &Common {
        &self.common
    }

    fn run(self) -> anyhow::Result<Status> {
        crate::run(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_flags_are_sound() {
        Cli::command().debug_assert();
    }
}
