//! The flags.

use std::path::PathBuf;
use std::str::FromStr;

use anyhow::{Context, anyhow, bail};
use clap::{Parser, ValueEnum};
use tw_core::number::whole;
use tw_core::tool::{Common, Status, Tool};

use crate::encoder::{AudioCodec, Speed, VideoCodec};
use crate::graph::picture::Gap;
use crate::layout::compositions::request::Request;
use crate::layout::{Layout, Size};
use crate::still;
use crate::time::{Millis, Rate, parse_chunk, parse_time};

/// Compose the recordings of Twilio Video rooms, each room into one file in sync
///
/// Reads records as they come from tw-offsets, of one room or of many, and says
/// for each room how ffmpeg makes the file: inputs, filter graph, arguments. With
/// --run it is made at once, checked, and only then given its name.
///
/// Every participant has a cell, which shows the background before and after; it is
/// taken up again after a rejoin, or by who comes when another has gone. Recordings whose
/// picture changes its size, stops for a while, or whose sound has holes stay in sync.
#[derive(Debug, Clone, Parser)]
#[command(name = "tw-ffcmd", version, max_term_width = 100, after_help = SHORT_EXAMPLES, after_long_help = EXAMPLES)]
pub struct Cli {
    /// Files of records; none, or -, for stdin
    #[arg(value_name = "FILE")]
    pub files: Vec<PathBuf>,

    /// Where the result goes; its ending picks the format: webm, mp4 or mkv
    ///
    /// By default {room_sid}.webm; {room_sid} stands for the room's SID.
    #[arg(short, long, value_name = "TEMPLATE")]
    pub output: Option<String>,

    /// Compose now; without it, only say how
    #[arg(long)]
    pub run: bool,

    /// What to print
    ///
    /// Commands are for ffmpeg 6 and later: with older ones, webm and mkv have their sound
    /// 7 ms early, which --run makes up for.
    #[arg(long, value_name = "FORM", default_value = "json")]
    pub emit: Emit,

    /// Write over a file that is there already
    #[arg(short = 'y', long)]
    pub overwrite: bool,

    /// Compose a room also when some of its recordings are missing, or can't be decoded
    #[arg(long)]
    pub allow_incomplete: bool,

    /// How many ffmpegs run side by side with --run; by default one per core
    #[arg(short, long, value_name = "N", value_parser = whole(1..=1024_u16))]
    pub jobs: Option<u16>,

    /// Cut the picture into chunks of so many seconds, composed by themselves and joined
    ///
    /// With --run, parts that are done survive a kill, and the next run makes only
    /// what is missing; where there are several cores, longer rooms are cut by
    /// themselves, if their key frames allow it. 0 turns that off. The frames are those of one run.
    #[arg(long, value_name = "SECONDS", value_parser = parse_chunk)]
    pub chunk: Option<Millis>,

    /// With --run: end an ffmpeg that makes no progress for so many seconds
    ///
    /// One that is at work, on its way to a window late in a recording, say, is given ten
    /// times as long (on Linux; elsewhere that can't be told).
    #[arg(long, value_name = "SECONDS", default_value_t = 120, value_parser = whole(1..=u64::MAX))]
    pub stall: u64,

    /// The picture's size; by default 1024x768
    #[arg(long, value_name = "WxH", allow_hyphen_values = true, help_heading = "Picture")]
    pub size: Option<Size>,

    /// Frames per second: 30, 29.97, 30000/1001
    #[arg(long, value_name = "RATE", default_value = "30", help_heading = "Picture")]
    pub fps: Rate,

    /// grid, row, column, focus=NAME-OR-SID, or @FILE: a Compositions layout
    ///
    /// focus shows one large and the others in a strip below. A file holds a
    /// VideoLayout object (regions) or a whole Compositions request, as posted, as the
    /// resource has it, or as Twilio's libraries take it. A request's Resolution, Format, Trim and AudioSources
    /// count too, with Twilio's defaults, unless a flag says otherwise.
    #[arg(long, value_name = "NAME|@FILE", default_value = "grid", help_heading = "Picture")]
    pub layout: LayoutFlag,

    /// Who is heard: SIDs, track names, or names with a * at one end; by default all
    ///
    /// May be given several times. A name with a comma in it is written as far as the comma,
    /// and a *.
    #[arg(long, value_name = "SOURCE,…", value_delimiter = ',', help_heading = "Sound")]
    pub audio_sources: Vec<String>,

    /// Who isn't heard
    #[arg(long, value_name = "SOURCE,…", value_delimiter = ',', help_heading = "Sound")]
    pub audio_sources_excluded: Vec<String>,

    /// The colour around and between: a name, or #RRGGBB
    #[arg(long, value_name = "COLOUR", default_value = "black", value_parser = colour, help_heading = "Picture")]
    pub background: String,

    /// Pixels left free between two cells; of an odd number, one less
    #[arg(long, value_name = "PIXELS", default_value_t = 0, value_parser = whole(0..=1024_u32), help_heading = "Picture")]
    pub cell_gap: u32,

    /// What a cell shows while its camera sends nothing
    #[arg(long, value_name = "WHAT", default_value = "hold", help_heading = "Picture")]
    pub gap: Gap,

    /// Write everybody's name into their cell
    ///
    /// The participant's identity (tw-list --participants), else the track's name. The
    /// font is the file that TW_FONT names, else fontconfig's choice for the letters.
    #[arg(long, help_heading = "Picture")]
    pub labels: bool,

    /// Sound alone
    #[arg(long, help_heading = "Picture")]
    pub audio_only: bool,

    /// Cut out every span in which nobody is seen or heard
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = yes_or_no, help_heading = "Window")]
    pub trim: Option<bool>,

    /// Only make a PNG of one frame of the composition, to see what it will be like
    ///
    /// A file of that name is written over. Each recording is decoded from its last
    /// key frame before that time: a second's work, unless that is minutes earlier.
    #[arg(long, value_name = "FILE.png", value_parser = still::png, conflicts_with_all = ["run", "emit", "chunk", "audio_only"], help_heading = "Stills")]
    pub preview: Option<String>,

    /// When, as for --start; by default the middle
    #[arg(long, value_name = "TIME", value_parser = parse_time, allow_hyphen_values = true, requires = "preview", conflicts_with = "contact_sheet", help_heading = "Stills")]
    pub at: Option<Millis>,

    /// Only make a PNG of twelve frames, from the beginning to the end
    #[arg(long, value_name = "FILE.png", value_parser = still::png, conflicts_with_all = ["run", "emit", "chunk", "audio_only", "preview"], help_heading = "Stills")]
    pub contact_sheet: Option<String>,

    /// Begin here on the room's timeline: 90, 1:30, 00:01:30.5; with --trim, on what is left of it
    #[arg(long, value_name = "TIME", value_parser = parse_time, allow_hyphen_values = true, help_heading = "Window")]
    pub start: Option<Millis>,

    /// End here
    #[arg(long, value_name = "TIME", value_parser = parse_time, allow_hyphen_values = true, help_heading = "Window")]
    pub end: Option<Millis>,

    /// The picture's codec; by default vp8 in webm and mkv, h264 in mp4
    #[arg(long, value_name = "CODEC", help_heading = "Encoding")]
    pub video_codec: Option<VideoCodec>,

    /// The sound's codec; by default opus in webm and mkv, aac in mp4
    #[arg(long, value_name = "CODEC", help_heading = "Encoding")]
    pub audio_codec: Option<AudioCodec>,

    /// Constant quality on the codec's own scale: less is better and larger
    ///
    /// From 4 to 63 for vp8, 0 to 63 for vp9 and av1, 0 to 51 for h264 and hevc.
    #[arg(long, value_name = "N", value_parser = whole(0..=63_u8), help_heading = "Encoding")]
    pub crf: Option<u8>,

    /// How much time the encoder, and making pictures smaller, may take
    #[arg(long, value_name = "SPEED", default_value = "balanced", help_heading = "Encoding")]
    pub speed: Speed,

    /// Options for ffmpeg's encoders, after all of ours: a last resort, and unchecked
    ///
    /// Quoted as in a shell: --encoder-args '-b:v 2M -metadata title="A room"'.
    #[arg(long, value_name = "WORDS", value_parser = ShellWords::parse, allow_hyphen_values = true, default_value = "", hide_default_value = true, help_heading = "Encoding")]
    pub encoder_args: ShellWords,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub common: Common,
}

/// A layout by its name, or a file that holds one.
#[derive(Debug, Clone)]
pub enum LayoutFlag {
    /// grid, row, column, focus.
    Named(Layout),
    /// `@FILE`
    File(LayoutFile),
}

/// A file that holds a Compositions layout.
#[derive(Debug, Clone)]
pub struct LayoutFile(PathBuf);

impl LayoutFile {
    /// Reads it.
    ///
    /// # Errors
    /// When it can't be read, or all that is wrong with it.
    pub fn request(&self) -> anyhow::Result<Request> {
        let path = self.0.display();
        let text =
            std::fs::read_to_string(&self.0).with_context(|| format!("cannot read the layout {path}"))?;
        Request::parse(&text).map_err(|faults| self.wrong(&faults))
    }

    /// All that is wrong with it as one error, a line each.
    pub fn wrong(&self, faults: &[String]) -> anyhow::Error {
        anyhow!("the layout {} is wrong:\n{}", self.0.display(), faults.join("\n"))
    }
}

impl FromStr for LayoutFlag {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.strip_prefix('@') {
            Some("") => Err("'@' needs the name of a file".into()),
            Some(path) => Ok(Self::File(LayoutFile(path.into()))),
            None => text.parse().map(Self::Named),
        }
    }
}

impl Cli {
    /// `--trim true` would read a file called true.
    fn check_trim(&self) -> anyhow::Result<()> {
        let word = self.files.iter().find(|file| matches!(file.to_str(), Some("true" | "false")));
        match word.filter(|file| self.trim.is_some() && !file.exists()) {
            Some(word) => {
                bail!("there is no file {0}: to say it of --trim, write --trim={0}", word.display())
            }
            None => Ok(()),
        }
    }

    /// How many ffmpegs may run at once.
    pub fn jobs(&self) -> usize {
        let cores = || std::thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get);
        self.jobs.map_or_else(cores, usize::from)
    }
}

/// Words that were quoted for a POSIX shell.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ShellWords(pub Vec<String>);

impl ShellWords {
    fn parse(text: &str) -> Result<Self, String> {
        shlex::split(text).map(Self).ok_or_else(|| "a quote is not closed".to_owned())
    }
}

/// What is printed on stdout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Emit {
    /// A job record for each room
    Json,
    /// The commands, quoted for a POSIX shell
    Sh,
    /// A Makefile of the parts and their joining
    Make,
    /// Who is seen and heard, where and when: a record for each placement
    Plan,
}

impl Tool for Cli {
    const NAME: &'static str = "tw-ffcmd";

    fn common(&self) -> &Common {
        &self.common
    }

    fn run(self) -> anyhow::Result<Status> {
        self.check_trim()?;
        crate::run(&self)
    }
}

/// A parser of ours: clap's own has completions offer both words where a file is to follow.
fn yes_or_no(text: &str) -> Result<bool, String> {
    text.parse().map_err(|_| "should be true or false".into())
}

/// A flag's value as it is typed.
pub fn flag_name(value: &impl ValueEnum) -> String {
    value.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
}

/// A colour as ffmpeg reads it, `0xrrggbb`.
///
/// # Errors
/// A line that says how colours are written.
pub fn colour(text: &str) -> Result<String, String> {
    let css = text.strip_prefix("0x").map_or_else(|| text.to_owned(), |hex| format!("#{hex}"));
    match csscolorparser::parse(&css).map(|colour| colour.to_rgba8()) {
        Ok([red, green, blue, u8::MAX]) => Ok(format!("0x{red:02x}{green:02x}{blue:02x}")),
        Ok(_) => Err("the background can't be seen through: write a name like black, or #RRGGBB".into()),
        Err(_) => Err(format!("'{text}' is no colour: write a name like black, or #RRGGBB")),
    }
}

const SHORT_EXAMPLES: &str = "\
Examples:
  tw-ffcmd -o room.webm --run offsets.jsonl
  tw-ffcmd --emit sh -o room.mp4 offsets.jsonl
  tw-ffcmd --preview room.png --at 1:30 --labels offsets.jsonl";

const EXAMPLES: &str = "\
Examples:
  From a room to one file:
    tw-list --room \"$ROOM\" | tw-fetch --dir media | tw-probe | tw-offsets |
      tw-ffcmd -o room.webm --run
  The command alone, to read or to change:
    tw-ffcmd --emit sh -o room.mp4 offsets.jsonl
  Many rooms, each into a file of its own:
    tw-ffcmd -o 'out/{room_sid}.mp4' --run --jobs 2 offsets.jsonl
  A layout of Twilio's Compositions, as it is in your code:
    tw-ffcmd --layout @request.json --run offsets.jsonl
  Ten seconds of it, one speaker large:
    tw-ffcmd --start 1:30 --end 1:40 --layout focus=alice -o clip.webm --run offsets.jsonl
  Is everybody where they should be? A picture, in a second:
    tw-ffcmd --preview room.png --at 1:30 --labels offsets.jsonl

Exit status: 0 all done, 1 a room or a record failed, 2 wrong usage or no ffmpeg,
129, 130 or 143 interrupted.
TW_FFMPEG and TW_FFPROBE name the programs, TW_FONT the font of --labels.";

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn flags_are_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_word_for_trim_is_not_taken_for_a_file() {
        let check = |words: &[&str]| {
            Cli::parse_from([&["tw-ffcmd"], words].concat()).check_trim().map_err(|e| e.to_string())
        };
        assert_eq!(
            check(&["--trim", "true"]),
            Err("there is no file true: to say it of --trim, write --trim=true".into())
        );
        assert_eq!(check(&["--trim=false", "a.jsonl"]), Ok(()));
        assert_eq!(check(&["true"]), Ok(()));
    }

    #[test]
    fn words_are_quoted_as_in_a_shell() {
        let words = |text| ShellWords::parse(text).map(|words| words.0);
        assert_eq!(
            words("-b:v 2M  -metadata 'title=A room'").unwrap(),
            ["-b:v", "2M", "-metadata", "title=A room"]
        );
        assert_eq!(words("").unwrap(), [""; 0]);
        assert!(words("-metadata 'title").is_err());
    }

    #[test]
    fn colours_by_name_and_number() {
        for (text, read) in
            [("#00ff7F", "0x00ff7f"), ("0x00FF7F", "0x00ff7f"), ("Navy", "0x000080"), ("black", "0x000000")]
        {
            assert_eq!(colour(text), Ok(read.into()));
        }
        for text in [
            "",
            "blak",
            "random",
            "transparent",
            "black:s=1x1",
            "black,drawtext",
            "#12345",
            "#12345g",
            "0x1234567",
            "a b",
        ] {
            assert!(colour(text).is_err(), "{text}");
        }
    }
}
