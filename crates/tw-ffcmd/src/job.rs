//! A job: how one room becomes one file, as a record and as a command.

use std::path::PathBuf;

use serde::Serialize;
use tw_core::failure::{ErrorKind, Failure};
use tw_core::record::Record;

use crate::cli::Cli;
use crate::command::{Composition, Overwrite, Plan};
use crate::encoder::{Container, Encoders, Encoding};
use crate::ffmpeg;
use crate::graph::picture::Look;
use crate::layout::{Canvas, Placement};
use crate::room::{Gathered, Kind, Room};
use crate::time::Millis;
use crate::timeline::Timeline;

/// How one room becomes one file.
#[derive(Debug, Clone)]
pub struct Job {
    /// The room and its tracks.
    pub room: Room,
    /// Who is seen where.
    pub placements: Vec<Placement>,
    /// Which tracks are heard.
    pub heard: Vec<usize>,
    /// The output's frames.
    pub timeline: Timeline,
    /// Size, background, gaps; `None` for sound alone.
    pub look: Option<Look>,
    /// The encoder's options.
    pub encoding: Encoding,
    /// The file to make.
    pub output: PathBuf,
    /// Inputs and graph.
    pub plan: Plan,
}

impl Job {
    /// Works out a room.
    ///
    /// # Errors
    /// When nothing in it can be shown, or the layout can't be filled.
    pub fn new(cli: &Cli, gathered: &Gathered, output: PathBuf) -> Result<Self, Failure> {
        let room = gathered.room.clone();
        if room.tracks.is_empty() {
            return Err(Failure::new(ErrorKind::Media, "no recording in it can be seen or heard"));
        }
        let timeline = Timeline::new(cli.fps, &room, cli.start, cli.end)?;
        let canvas = Canvas { size: cli.size, spacing: cli.cell_gap & !1 };
        let placements = cli.layout.place(&room, canvas)?;
        let heard: Vec<usize> =
            (0..room.tracks.len()).filter(|&i| room.tracks[i].kind == Kind::Audio).collect();
        let look = (!cli.audio_only).then(|| Look {
            size: cli.size,
            background: cli.background.clone(),
            gap: cli.gap,
        });
        let composition = Composition {
            room: &room,
            placements: &placements,
            heard: &heard,
            timeline: &timeline,
            look: look.as_ref(),
        };
        let plan = composition.plan();
        if !plan.has_picture && !plan.has_sound {
            return Err(Failure::new(ErrorKind::Media, "nobody is heard in it"));
        }
        let encoding = encoding(cli, &cli.output).map_err(Failure::field)?;
        Ok(Self { room, placements, heard, timeline, look, encoding, output, plan })
    }

    /// ffmpeg's arguments, the program first, the output last.
    pub fn argv(&self, encoders: &Encoders, overwrite: Overwrite, output: &std::path::Path) -> Vec<String> {
        let composition = Composition {
            room: &self.room,
            placements: &self.placements,
            heard: &self.heard,
            timeline: &self.timeline,
            look: self.look.as_ref(),
        };
        let program = ffmpeg::program().to_string_lossy().into_owned();
        self.plan.argv(&program, &composition, &self.encoding, encoders, overwrite, output)
    }

    /// The paths of the inputs, in ffmpeg's order.
    pub fn inputs(&self) -> Vec<String> {
        self.plan.tracks.iter().map(|&t| self.room.tracks[t].path.to_string_lossy().into_owned()).collect()
    }

    /// The job's record.
    ///
    /// # Errors
    /// Never in practice: strings and numbers have a JSON form.
    pub fn record(&self, argv: &[String]) -> Result<Record, Failure> {
        #[derive(Serialize)]
        struct Fields<'a> {
            room_sid: Option<&'a str>,
            output: String,
            duration_ms: Millis,
            width: Option<u32>,
            height: Option<u32>,
            fps: Option<Box<serde_json::value::RawValue>>,
            inputs: Vec<String>,
            argv: &'a [String],
            filter_complex: &'a str,
        }
        let rate = self.timeline.rate.as_f64();
        let fps = self.look.is_some().then(|| rate.to_string()).map(serde_json::value::RawValue::from_string);
        Record::from_value(&Fields {
            room_sid: self.room.sid.as_deref(),
            output: self.output.to_string_lossy().into_owned(),
            duration_ms: self.timeline.duration(),
            width: self.look.as_ref().map(|look| look.size.width),
            height: self.look.as_ref().map(|look| look.size.height),
            fps: fps.transpose().map_err(|e| Failure::field(e.to_string()))?,
            inputs: self.inputs(),
            argv,
            filter_complex: &self.plan.filter_complex,
        })
    }
}

/// The encoder's options from the flags.
///
/// # Errors
/// A line about the format or the codecs.
pub fn encoding(cli: &Cli, output: &str) -> Result<Encoding, String> {
    Encoding::new(Container::of(output)?, cli.video_codec, cli.audio_codec, cli.crf, cli.speed)
}

/// The record of a room that isn't composed; it is marked by whoever writes it.
pub fn refused(room: &Room) -> Record {
    let mut record = Record::empty();
    let sid = room
        .sid
        .as_ref()
        .map_or_else(|| "null".into(), |sid| serde_json::Value::from(sid.as_str()).to_string());
    record.set(&[("room_sid", Some(sid))]);
    record
}
