//! What a cell may show at a time, by the truth of the room.

use super::composition::{Cell, Composition, Gaps, Tolerance};
use super::reader::{Seen, Shape};
use crate::code::Code;
use crate::recording::Content;
use crate::room::{Room, TrackId};

/// A frame's place on the timeline.
#[derive(Clone, Copy, Debug)]
struct Place {
    /// Its timestamp in its file, which its code shows.
    own_ms: i64,
    /// When it is to be seen, in milliseconds of the timeline.
    at_ms: f64,
    /// How long until the next one, or its normal time if it is the last.
    lasts_ms: f64,
}

/// A video in a cell.
struct Shown {
    number: u8,
    normal_ms: f64,
    places: Vec<Place>,
}

/// The truth about one cell.
pub struct Expected {
    /// The tracks' names.
    pub name: String,
    shown: Vec<Shown>,
    frame_ms: f64,
    slack_ms: f64,
    gaps: Gaps,
}

/// A verdict on what a cell shows in one output frame.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    /// Output time - place of the frame shown, in milliseconds; `None` where no
    /// frame of the cell's tracks is shown.
    pub error_ms: Option<f64>,
    /// What is wrong, and in words; `None` if nothing is.
    pub wrong: Option<(Wrong, String)>,
}

/// In which way a cell can be wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Wrong {
    /// Background where there should be a picture.
    Hole,
    /// A picture that isn't one of the cell's.
    Stranger,
    /// The cell's own picture, too early or too late.
    Off,
    /// A picture without a code: a blend, or one in the wrong place.
    Unreadable,
}

impl Expected {
    /// The truth about a cell.
    #[must_use]
    pub fn new(room: &Room, cell: &Cell, composition: &Composition, tolerance: &Tolerance) -> Self {
        let names: Vec<&str> = cell.tracks.iter().map(|&id| room.track(id).name.as_str()).collect();
        Self {
            name: names.join(", "),
            shown: cell.tracks.iter().filter_map(|&id| shown(room, id)).collect(),
            frame_ms: composition.frame_ms(),
            slack_ms: tolerance.picture_ms,
            gaps: composition.gaps,
        }
    }

    /// Judges what is seen at a time of the timeline.
    #[must_use]
    pub fn judge(&self, at_ms: f64, seen: Seen) -> Verdict {
        match seen {
            Seen::Background => self.judge_background(at_ms),
            Seen::Unreadable => Verdict {
                error_ms: None,
                wrong: Some((
                    Wrong::Unreadable,
                    format!("a picture without a code, expected {}", self.wanted(at_ms)),
                )),
            },
            Seen::Code(code) => self.judge_picture(at_ms, code),
        }
    }

    fn judge_picture(&self, at_ms: f64, code: Code) -> Verdict {
        let own_ms = i64::from(code.time_ms);
        let error = |place: &Place| at_ms - place.at_ms;
        // A number may come back in a later recording with the same time on its clock.
        let found = self
            .shown
            .iter()
            .filter(|shown| shown.number == code.number)
            .filter_map(|shown| Some((shown, shown.place(own_ms)?)))
            .min_by(|(_, a), (_, b)| error(a).abs().total_cmp(&error(b).abs()));
        let Some((shown, place)) = found else {
            let number = code.number;
            let expected = self.wanted(at_ms);
            let words =
                format!("the wrong picture (number {number} at its {own_ms} ms), expected {expected}");
            return Verdict { error_ms: None, wrong: Some((Wrong::Stranger, words)) };
        };
        let error_ms = error(place);
        let words = self.judge_error(at_ms, error_ms, shown, *place);
        Verdict { error_ms: Some(error_ms), wrong: words.map(|words| (Wrong::Off, words)) }
    }

    fn judge_error(&self, at_ms: f64, error_ms: f64, shown: &Shown, place: Place) -> Option<String> {
        let is_last = shown.places.last().is_some_and(|last| last.own_ms == place.own_ms);
        let mut latest = place.lasts_ms + self.slack_ms;
        if is_last {
            // Black within one output frame of the end.
            latest += self.frame_ms;
        }
        if let Gaps::Black { longer_than_ms } = self.gaps
            && place.lasts_ms > longer_than_ms
        {
            latest = shown.normal_ms + self.frame_ms + self.slack_ms;
        }
        let earliest = -self.frame_ms / 2.0 - self.slack_ms;
        let allowed = (earliest..=latest).contains(&error_ms);
        (!allowed).then(|| {
            format!(
                "number {} at its {} ms, {error_ms:+.1} ms off (allowed {earliest:+.1} to {latest:+.1}), expected {}",
                shown.number,
                place.own_ms,
                self.wanted(at_ms)
            )
        })
    }

    fn judge_background(&self, at_ms: f64) -> Verdict {
        let edge = self.frame_ms + self.slack_ms;
        let missing = self.shown.iter().any(|shown| {
            let inside = shown.start_ms() + edge < at_ms && at_ms < shown.end_ms() - edge;
            inside && !shown.is_gap(at_ms, edge, self.gaps)
        });
        let wrong = missing.then(|| {
            let words = format!("background, expected {}", self.wanted(at_ms));
            (Wrong::Hole, words)
        });
        Verdict { error_ms: None, wrong }
    }

    fn wanted(&self, at_ms: f64) -> String {
        let current = self.shown.iter().find_map(|shown| {
            let place = shown.places.iter().rev().find(|place| place.at_ms <= at_ms)?;
            (at_ms < shown.end_ms()).then(|| format!("number {} at its {} ms", shown.number, place.own_ms))
        });
        current.unwrap_or_else(|| "background".to_owned())
    }
}

impl Shown {
    /// The frame with that timestamp in its file.
    fn place(&self, own_ms: i64) -> Option<&Place> {
        let found = self.places.binary_search_by_key(&own_ms, |place| place.own_ms);
        found.ok().map(|i| &self.places[i])
    }

    fn start_ms(&self) -> f64 {
        self.places.first().map_or(f64::INFINITY, |place| place.at_ms)
    }

    fn end_ms(&self) -> f64 {
        self.places.last().map_or(f64::NEG_INFINITY, |place| place.at_ms + place.lasts_ms)
    }

    /// Whether black is right at that time though the track has begun and not ended.
    fn is_gap(&self, at_ms: f64, edge: f64, gaps: Gaps) -> bool {
        let Gaps::Black { longer_than_ms } = gaps else {
            return false;
        };
        self.places.iter().any(|place| {
            let from = place.at_ms + self.normal_ms - edge;
            let to = place.at_ms + place.lasts_ms + edge;
            place.lasts_ms > longer_than_ms && (from..=to).contains(&at_ms)
        })
    }
}

fn shown(room: &Room, id: TrackId) -> Option<Shown> {
    let recording = &room.track(id).recording;
    let Content::Video { frames, interval_ms, .. } = &recording.content else {
        return None;
    };
    let at = |own_ms: i64| room.place_ms(id, own_ms as f64);
    let nexts = frames.iter().skip(1).map(|next| Some(next.time_ms)).chain([None]);
    let places = frames
        .iter()
        .zip(nexts)
        .map(|(frame, next)| Place {
            own_ms: frame.time_ms,
            at_ms: at(frame.time_ms),
            lasts_ms: next.map_or(*interval_ms, |next| (next - frame.time_ms) as f64),
        })
        .collect();
    Some(Shown { number: recording.number, normal_ms: *interval_ms, places })
}

/// All shapes of picture in a room.
#[must_use]
pub fn shapes(room: &Room) -> Vec<Shape> {
    let mut shapes: Vec<Shape> = Vec::new();
    for (_, track) in room.tracks() {
        if let Content::Video { frames, pixel_aspect, .. } = &track.recording.content {
            for frame in frames {
                let shape = Shape::new(frame.width, frame.height, *pixel_aspect);
                if !shapes.contains(&shape) {
                    shapes.push(shape);
                }
            }
        }
    }
    shapes
}
