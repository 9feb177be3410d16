//! Reads the start, the end and the streams of recordings with ffprobe.
//!
//! [`ffprobe`] runs it on one file, [`report`] reads its answer as it comes,
//! [`track`] gathers what a stream's packets say ([`interval`] is how far they are apart),
//! [`index`] looks for Cues, [`sizes`] for the sizes that key frames say ([`vp8`],
//! [`h264`] with its [`sps`] and the track's [`codec_private`]), [`damage`] at what holds no
//! packet, all through the elements of [`matroska`], and [`fields`] is what the record gets.

pub mod cli;
pub mod codec_private;
pub mod damage;
pub mod ffprobe;
pub mod fields;
pub mod h264;
pub mod index;
pub mod interval;
pub mod matroska;
pub mod report;
pub mod sizes;
pub mod sps;
pub mod track;
pub mod vp8;

use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tw_core::input::{self, Line, Place};
use tw_core::progress::Progress;
use tw_core::time::Micros;
use tw_core::tool::{Common, Status, Tool};
use tw_core::{ErrorKind, Failure, Record, filter, media, messages};

pub use cli::Cli;
use ffprobe::Ffprobe;
use fields::Reading;
use track::Track;

impl Tool for Cli {
    const NAME: &'static str = "tw-probe";

    fn common(&self) -> &Common {
        &self.common
    }

    fn run(self) -> anyhow::Result<Status> {
        let gap = Micros(i64::from(self.gaps) * 1000);
        let ffprobe = Arc::new(Ffprobe::find(self.silence(), gap)?);
        let data = Arc::new(AtomicU64::new(0));
        let progress = Arc::new(Progress::pieces("files"));
        let serve = {
            let (ffprobe, data) = (Arc::clone(&ffprobe), Arc::clone(&data));
            move |record: &mut Record| {
                if is_data(record) {
                    data.fetch_add(1, Ordering::Relaxed);
                    return Ok(());
                }
                probe(&ffprobe, record)
            }
        };
        let lines: Box<dyn Iterator<Item = anyhow::Result<Line>> + Send> = if self.files {
            Box::new(self.inputs.clone().into_iter().map(|path| Ok(line_of(&path))))
        } else {
            Box::new(input::lines(&self.inputs))
        };
        let status = filter::run_lines(lines, self.jobs(), &self.common, &progress, serve)?;
        if let Some(old) = ffprobe.too_old() {
            anyhow::bail!("{old}");
        }
        match data.load(Ordering::Relaxed) {
            0 => {}
            1 => messages::warn("1 record of type data handed on as it was: it holds no sound or picture"),
            n => messages::warn(format_args!(
                "{n} records of type data handed on as they were: they hold no sound or picture"
            )),
        }
        Ok(status)
    }
}

/// ffprobe's word for a file of which all is right that is there (versions 5.1 and 9.0).
const CUT_OFF: &str = "File ended prematurely";

/// Adds what ffprobe says about the record's file.
fn probe(ffprobe: &Ffprobe, record: &mut Record) -> Result<(), Failure> {
    let path: String = record.require("path", "run tw-fetch first")?;
    if path.is_empty() {
        return Err(Failure::field("path is empty: run tw-fetch first"));
    }
    messages::verbose(format_args!("reading {path}"));
    if let Some(it) = media::breaks_off(Path::new(&path), record.get("bytes").ok().flatten()) {
        return Err(Failure::new(ErrorKind::Media, format!("{path} {it}: fetch it again")));
    }
    let mut answer = ffprobe.read(&path)?;
    sizes::find(&mut answer.report, Path::new(&path));
    let reading = Reading {
        seekable: index::has_cues(Path::new(&path)),
        is_damaged: answer.complaint.as_ref().is_some_and(|what| what != CUT_OFF),
    };
    let fields = fields::of(&answer.report, reading)?;
    if answer.report.packets() == 0 {
        if let Some(from) = damage::from(Path::new(&path)) {
            let what = format!("{path} holds no packet, but garbage from byte {from} on");
            return Err(Failure::new(ErrorKind::Media, format!("{what}: take it away and fetch it again")));
        }
        messages::warn(format_args!("{}: no packet in it: nothing was recorded", record.label()));
    }
    if answer.report.tracks.values().any(Track::lacks_key_frame) {
        messages::warn(format_args!(
            "{}: no key frame in it: hardly anything of it will be seen",
            record.label()
        ));
    }
    if let Some(complaint) = answer.complaint {
        let (label, packets) = (record.label(), answer.report.packets());
        messages::warn(format_args!("{label}: {complaint}; the {packets} packets that can be read count"));
    }
    record.set(&fields);
    Ok(())
}

/// Twilio records a participant's data track too; ffprobe has no times for it.
fn is_data(record: &Record) -> bool {
    record.text_of("type").as_deref() == Some("data")
}

/// The line that a file's record would stand on. JSON has no way to write a
/// name that isn't UTF-8; as it is, the reader of lines says so.
fn line_of(path: &Path) -> Line {
    let bytes = match path.to_str() {
        Some(name) => serde_json::json!({ "path": name }).to_string().into_bytes(),
        None => path.as_os_str().as_bytes().to_vec(),
    };
    Line { place: Place { source: path.display().to_string(), line: 1 }, bytes }
}
