//! A room on its way to be composed: recordings, records, flags, and what is
//! expected of the result.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Result;
use serde_json::Value;
use tw_testsignal::recording::Content;
use tw_testsignal::{Audio, Cell, Composition, Recording, Rect, Room, Tolerance, TrackId, Video};

/// The canvas of most cases: small, since only squares of the code have to be told apart.
pub const CANVAS: Rect = Rect { x: 0, y: 0, width: 320, height: 240 };
/// How long a packet of sound lasts, in milliseconds.
const PACKET_MS: f64 = 20.0;

/// A room, and what is to come of it.
#[derive(Debug)]
pub struct Scene {
    folder: PathBuf,
    /// The recordings and the truth about them.
    pub room: Room,
    /// What the composed file should be.
    pub composition: Composition,
    /// How far it may be from that.
    pub tolerance: Tolerance,
    /// tw-ffcmd's flags beside those that every case has.
    pub flags: Vec<String>,
    /// What tw-probe and tw-ffcmd have to say, each once.
    pub told: Vec<&'static str>,
    identities: BTreeMap<TrackId, String>,
    others: Vec<Value>,
}

impl Scene {
    /// An empty room whose files go into that folder. `number` tells rooms apart.
    #[must_use]
    pub fn new(folder: &Path, number: u32) -> Self {
        let room = Room::new(number);
        let composition = Composition::new(folder.join(format!("{}.webm", room.sid())), 30.0);
        Self {
            folder: folder.to_path_buf(),
            room,
            composition: composition.size(CANVAS.width, CANVAS.height),
            tolerance: Tolerance::default(),
            flags: Vec::new(),
            told: Vec::new(),
            identities: BTreeMap::new(),
            others: Vec::new(),
        }
    }

    /// A path for the next recording.
    #[must_use]
    pub fn next_path(&self, ending: &str) -> PathBuf {
        let (sid, n) = (self.room.sid(), self.room.tracks().count());
        self.folder.join(format!("{sid}-{n}.{ending}"))
    }

    /// A path in the case's folder.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Makes a video and puts it into the room.
    ///
    /// # Errors
    /// If it can't be made.
    pub fn video(&mut self, who: &str, offset_ms: i64, video: &Video) -> Result<TrackId> {
        let recording = video.write(self.next_path("mkv"))?;
        Ok(self.room.add(who, offset_ms, recording))
    }

    /// Makes a voice and puts it into the room.
    ///
    /// # Errors
    /// If it can't be made.
    pub fn audio(&mut self, who: &str, offset_ms: i64, audio: &Audio) -> Result<TrackId> {
        let recording = audio.write(self.next_path("mka"))?;
        Ok(self.room.add(who, offset_ms, recording))
    }

    /// Somebody with tidy recordings, who must not suffer from what the others'
    /// are like: a picture of 4 s from `offset_ms` on, and a voice. Number 2.
    ///
    /// # Errors
    /// If they can't be made.
    pub fn bob(&mut self, offset_ms: i64) -> Result<TrackId> {
        self.audio("bob", offset_ms, &Audio::new(2).start_ms(13))?;
        self.video("bob", offset_ms, &Video::new(2, 30.0).start_ms(40))
    }

    /// The participant's name, in the record of a track.
    pub fn identify(&mut self, track: TrackId, identity: &str) {
        self.identities.insert(track, identity.to_owned());
    }

    /// A record of something that is neither seen nor heard.
    pub fn add_record(&mut self, record: Value) {
        self.others.push(record);
    }

    /// A flag for tw-ffcmd.
    pub fn flag(&mut self, flag: &str) {
        self.flags.push(flag.to_owned());
    }

    /// A change of what is expected.
    pub fn expect(&mut self, change: impl FnOnce(Composition) -> Composition) {
        self.composition = change(self.composition.clone());
    }

    /// Frames a second of the output.
    pub fn fps(&mut self, flag: &str, fps: f64) {
        self.flags.push(format!("--fps={flag}"));
        self.composition.fps = fps;
    }

    /// Equal cells that fill the canvas, left to right, top to bottom; `spacing`
    /// pixels between two. Edges lie on even pixels.
    pub fn cells<T>(&mut self, columns: u32, rows: u32, spacing: u32, tracks: T)
    where
        T: IntoIterator,
        T::Item: IntoIterator<Item = TrackId>,
    {
        let (width, height) = self.composition.size.unwrap_or((CANVAS.width, CANVAS.height));
        let side = |length: u32, parts: u32, i: u32| {
            let free = length - spacing * (parts - 1);
            let (from, to) = ((free * i / parts) & !1, (free * (i + 1) / parts) & !1);
            (from + i * spacing, to - from)
        };
        for (i, tracks) in (0..).zip(tracks) {
            let (x, width) = side(width, columns, i % columns);
            let (y, height) = side(height, rows, i / columns);
            self.composition.cells.push(Cell::new(Rect { x, y, width, height }, tracks));
        }
    }

    /// The cells of the default layout: ⌈√n⌉ columns.
    pub fn grid<T>(&mut self, tracks: T)
    where
        T: IntoIterator<IntoIter: ExactSizeIterator>,
        T::Item: IntoIterator<Item = TrackId>,
    {
        let tracks = tracks.into_iter();
        let n = u32::try_from(tracks.len()).unwrap_or(u32::MAX);
        let columns = (1..).find(|c| c * c >= n).unwrap_or(1);
        self.cells(columns, n.div_ceil(columns), 0, tracks);
    }

    /// What is expected, with the number of frames that the room's length makes
    /// where the case doesn't name one.
    #[must_use]
    pub fn expected(&self) -> Composition {
        let mut expected = self.composition.clone();
        expected.frames.get_or_insert_with(|| (self.end_ms() * expected.fps / 1000.0 - 1e-6).ceil() as usize);
        expected
    }

    /// When the last recording has ended: its last packet had its normal time.
    fn end_ms(&self) -> f64 {
        let ends = self.room.tracks().filter_map(|(id, track)| {
            let lasts_ms = match &track.recording.content {
                Content::Video { interval_ms, .. } => interval_ms.round(),
                Content::Audio { .. } => PACKET_MS,
            };
            Some(self.room.place_ms(id, track.recording.span?.end_ms as f64) + lasts_ms)
        });
        ends.fold(0.0, f64::max)
    }

    /// The records as tw-fetch leaves them, one a line.
    #[must_use]
    pub fn fetched(&self) -> String {
        let tracks = self.room.tracks().map(|(id, track)| {
            let mut record = self.room.record(id);
            if let Value::Object(fields) = &mut record {
                fields.retain(|name, _| !ADDED_LATER.contains(&name.as_str()));
                fields.insert("path".into(), self.relative(&track.recording).into());
                if let Some(identity) = self.identities.get(&id) {
                    fields.insert("participant_identity".into(), identity.as_str().into());
                }
            }
            record
        });
        tracks.chain(self.others.iter().cloned()).map(|record| format!("{record}\n")).collect()
    }

    /// The tools run in the case's folder.
    fn relative(&self, recording: &Recording) -> String {
        let path = recording.path.strip_prefix(&self.folder).unwrap_or(&recording.path);
        path.to_string_lossy().into_owned()
    }
}

/// What tw-probe and tw-offsets add.
const ADDED_LATER: [&str; 7] = [
    "start_time_ms",
    "end_time_ms",
    "duration_ms",
    "streams",
    "addition_ms",
    "reference_ms",
    "relative_offset_ms",
];
