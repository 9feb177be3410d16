//! A job: how one room becomes one file.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::value::RawValue;
use tw_core::failure::{ErrorKind, Failure};
use tw_core::record::Record;

use crate::command::{Composition, Plan, Threading};
use crate::cutting::Cutting;
use crate::encoder::Encoding;
use crate::ffmpeg::AtHand;
use crate::font;
use crate::graph::label::{Label, Namer};
use crate::graph::picture::Look;
use crate::layout::Placement;
use crate::room::Room;
use crate::rooms::Gathered;
use crate::settings::Settings;
use crate::steps::{self, Action, Step};
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
    /// What is written over the picture.
    pub labels: Vec<Label>,
    /// The encoder's options.
    pub encoding: Encoding,
    /// The file to make.
    pub output: PathBuf,
    /// Inputs and graph of the whole.
    pub plan: Plan,
}

impl Job {
    /// Works out a room.
    ///
    /// # Errors
    /// When nothing in it can be shown, or the layout can't be filled.
    pub fn new(settings: &Settings, gathered: &Gathered, output: PathBuf) -> Result<Self, Failure> {
        let mut room = gathered.room.clone();
        let (placements, heard) = settings.arrange(&mut room)?;
        if room.tracks.is_empty() {
            return Err(Failure::new(ErrorKind::Media, "no recording in it can be seen or heard"));
        }
        let (start, end) = settings.window;
        let mut job = Self {
            placements,
            heard,
            timeline: Timeline::new(settings.rate, &room, start, end)?,
            room,
            look: settings.look.clone(),
            labels: Vec::new(),
            encoding: settings.encoding.clone(),
            output,
            plan: Plan::default(),
        };
        if let Some(look) = settings.look.as_ref().filter(|_| settings.labels) {
            job.labels = labels(&Namer {
                room: &job.room,
                placements: &job.placements,
                gap: look.gap,
                timeline: &job.timeline,
            })?;
        }
        job.plan = job.composition().whole();
        if !job.plan.has_picture && !job.plan.has_sound {
            return Err(Failure::new(ErrorKind::Media, "nobody is heard in it"));
        }
        Ok(job)
    }

    /// The same for recordings of these tracks that may begin with anything.
    #[must_use]
    pub fn wary_of(&self, tracks: &BTreeSet<usize>) -> Self {
        let mut job = self.clone();
        for &track in tracks {
            job.room.tracks[track].begins_with_key_frame = false;
        }
        job.plan = job.composition().whole();
        job
    }

    /// What is composed.
    pub fn composition(&self) -> Composition<'_> {
        Composition {
            room: &self.room,
            placements: &self.placements,
            heard: &self.heard,
            timeline: &self.timeline,
            look: self.look.as_ref(),
            labels: &self.labels,
        }
    }

    /// How much of the output's time a step makes, in ms: what progress is counted in.
    pub fn duration_of(&self, action: Action) -> u64 {
        let ms = match action {
            Action::Picture(slice) => self.timeline.rate.time_of(slice.count()).0,
            Action::Whole => self.timeline.duration().0,
            Action::Sound if self.look.is_none() => self.timeline.duration().0,
            Action::Sound | Action::Index | Action::Join => 0,
        };
        ms.unsigned_abs()
    }

    /// The steps that make the output; the last one writes it.
    ///
    /// # Errors
    /// When there would be too many chunks, or a graph of more recordings than an argument can hold.
    pub fn steps(
        &self,
        at_hand: &AtHand,
        cutting: Cutting,
        threading: Threading,
    ) -> Result<Vec<Step>, Failure> {
        let steps = if cutting == Cutting::Whole || self.look.is_none() {
            vec![steps::whole(self, at_hand, threading)]
        } else {
            steps::chunked(self, at_hand, cutting)?
        };
        steps.iter().try_for_each(Step::can_be_run)?;
        Ok(steps)
    }

    /// The paths of the inputs, in ffmpeg's order.
    pub fn inputs(&self) -> Vec<String> {
        self.plan.inputs.iter().map(|input| input.path.to_string_lossy().into_owned()).collect()
    }

    /// The record of one of several steps.
    ///
    /// # Errors
    /// Never in practice: strings and numbers have a JSON form.
    pub fn step_record(&self, step: &Step, overwrites: bool) -> Result<Record, Failure> {
        #[derive(Serialize)]
        struct Fields<'a> {
            room_sid: Option<&'a str>,
            output: &'a Path,
            needs: &'a [PathBuf],
            duration_ms: u64,
            argv: Vec<String>,
        }
        Record::from_value(&Fields {
            room_sid: self.room.sid.as_deref(),
            output: &step.output,
            needs: &step.needs,
            duration_ms: self.duration_of(step.action),
            argv: step.argv(overwrites),
        })
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
            fps: Option<Box<RawValue>>,
            inputs: Vec<String>,
            argv: &'a [String],
            filter_complex: &'a str,
        }
        let rate = self.timeline.rate.as_f64();
        // 30, not 30.0.
        let fps = self.look.is_some().then(|| RawValue::from_string(rate.to_string()));
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

/// A label for each cell and each name in it.
fn labels(namer: &Namer<'_>) -> Result<Vec<Label>, Failure> {
    let mut labels: Vec<Label> = Vec::new();
    for placement in namer.placements {
        let (text, spans) = (namer.text(placement), namer.spans(placement));
        match labels.iter_mut().find(|label| label.cell == placement.cell && label.text == text) {
            Some(label) => label.spans.extend(spans),
            None => labels.push(Label { cell: placement.cell, spans, font: font::find(&text)?, text }),
        }
    }
    Ok(labels)
}

/// The record of a room that isn't composed; it is marked by whoever writes it.
pub fn refused(room: &Room) -> Record {
    let sid =
        room.sid.as_deref().map_or_else(|| "null".into(), |sid| serde_json::Value::from(sid).to_string());
    let mut record = Record::empty();
    record.set(&[("room_sid", Some(sid))]);
    record
}
