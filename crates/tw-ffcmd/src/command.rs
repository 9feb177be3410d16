//! From a room, its placements and the encoder's options to ffmpeg's arguments.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use crate::encoder::Encoding;
use crate::ffmpeg::AtHand;
use crate::graph::label::{self, Label};
use crate::graph::picture::{Scene, Share};
use crate::graph::{self, Chain, picture, sound};
use crate::layout::{Placement, Rect, Size};
use crate::room::{Kind, Room};
use crate::time::{Millis, Rate};
use crate::timeline::{Frames, Timeline};
use crate::undecodable;

/// How long before the place asked for a sound is read from: Opus needs 80 ms to
/// settle (RFC 6716, section 4.5.1; RFC 7845, section 4.6), packets are cut anywhere.
const SOUND_PREROLL: Millis = Millis(1000);

/// What of the room is composed.
#[derive(Debug, Clone, Copy)]
pub struct Composition<'a> {
    /// Its tracks.
    pub room: &'a Room,
    /// Who is seen where; empty for a picture of the background alone.
    pub placements: &'a [Placement],
    /// Which tracks are heard.
    pub heard: &'a [usize],
    /// The output's frames.
    pub timeline: &'a Timeline,
    /// Size, background, gaps; `None` for sound alone.
    pub look: Option<&'a picture::Look>,
    /// What is written over the picture.
    pub labels: &'a [Label],
}

/// One of ffmpeg's input files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Input {
    /// Which of the room's tracks.
    pub track: usize,
    /// What is in it.
    pub kind: Kind,
    /// Where it is read.
    pub path: PathBuf,
    /// Reading begins here, counted from the file's own start; `None` for the start.
    pub seek: Option<Millis>,
}

/// Whether an ffmpeg has the machine for itself.
///
/// Where others run beside it, more threads would only wait for each other: libvpx's
/// wait by spinning (35 s of CPU became 116 s on two busy cores); those of decoders
/// and filters made 5.1 s into 6.6 s for 16 people. Those of filters are never worth it
/// (docs/encoders.md, "Threads").
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Threading {
    /// As many threads as are of use.
    #[default]
    Alone,
    /// Those that draw and encode, and others that decode ahead of them: two cores.
    Decoders,
    /// One thread for each of its parts.
    Others,
}

impl Threading {
    /// That of a room's only ffmpeg, on so many of the run's cores.
    pub fn of(cores: usize, all: usize) -> Self {
        match cores {
            _ if cores < all => Self::Others,
            2 => Self::Decoders,
            _ => Self::Alone,
        }
    }
}

/// ffmpeg's input files and the graph that reads them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Plan {
    /// In ffmpeg's order.
    pub inputs: Vec<Input>,
    /// `-filter_complex`.
    pub filter_complex: String,
    /// Whether there is a picture.
    pub has_picture: bool,
    /// Whether there is sound.
    pub has_sound: bool,
    /// Whether it has the machine for itself.
    pub threading: Threading,
    /// Whether the sound is given to the muxer later than it is ([`AtHand::delays_sound`]).
    pub delays_sound: bool,
    /// What other ffmpegs make of it, each through a pipe of its own: inputs after the files.
    pub fed: Vec<Fed>,
}

/// What another ffmpeg makes, from the first frame or sample on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fed {
    /// Raw pictures.
    Pictures {
        /// Of each of them.
        size: Size,
        /// The output's.
        rate: Rate,
    },
    /// The sound of the whole, encoded.
    Sound,
}

/// What both ends of a pipe for pictures are told: as they lie in memory, with nothing around.
const RAW: [&str; 4] = ["-pix_fmt", "yuv420p", "-f", "rawvideo"];
/// What both ends of one for sound are told: the container of parts.
const ENCODED: [&str; 2] = ["-f", "matroska"];
/// Up to 5.1, ffmpeg reads each of several files by a thread of its own, eight packets ahead, and
/// hands over packet by packet: a fifth of the CPU time of nine people's sound, a twentieth of
/// that of their pictures. Without a queue it reads when it wants a packet. Later versions have
/// their threads in any case, and take this for their usual queue.
const READ_WHEN_WANTED: [&str; 2] = ["-thread_queue_size", "0"];
/// How finished sound is read for a muxer that has it early.
pub const DELAYED: [&str; 2] = ["-itsoffset", sound::OPUS_DELAY];
/// Where a command writes what another one reads.
const STDOUT: &str = "pipe:1";

/// The file descriptor from which the reader takes what the first of its feeders writes; the
/// others' follow. Those before it are stdin, stdout and stderr.
pub const FIRST_PIPE: i32 = 3;

impl Composition<'_> {
    /// Inputs and graph of the whole output.
    pub fn whole(&self) -> Plan {
        let slice = self.timeline.all();
        let inputs = self.files(
            |track| self.is_heard(track) || self.look.is_some() && self.is_seen(track, slice, Share::Whole),
            slice,
        );
        let picture = self.picture_chains(slice, Share::Whole, &inputs);
        let sound = self.sound_chains(&inputs);
        plan(inputs, picture, sound)
    }

    /// Inputs and graph of the picture of some of its frames.
    pub fn picture(&self, slice: Frames) -> Plan {
        self.share(slice, Share::Whole)
    }

    /// The same by two ffmpegs: one draws `strip`, cells that no other one overlaps, the
    /// other all else, with what the first one has drawn.
    pub fn picture_in_two(&self, slice: Frames, strip: &[Rect]) -> (Plan, Plan) {
        let feeder = self.share(slice, Share::Strip(strip));
        let inputs = self.inputs(slice, Share::Rest(strip, 0));
        let number = inputs.len();
        let picture = self.picture_chains(slice, Share::Rest(strip, number), &inputs);
        let fed = Fed::Pictures { size: picture::strip_size(strip), rate: self.timeline.rate };
        (feeder, Plan { fed: vec![fed], ..plan(inputs, picture, Vec::new()) })
    }

    /// The cells that could be drawn by another ffmpeg, and for how many frames somebody
    /// is seen in each.
    pub fn cells(&self, slice: Frames) -> Vec<(Rect, i64)> {
        self.scene(slice).map_or_else(Vec::new, |scene| scene.cells())
    }

    fn share(&self, slice: Frames, share: Share<'_>) -> Plan {
        let inputs = self.inputs(slice, share);
        let picture = self.picture_chains(slice, share, &inputs);
        plan(inputs, picture, Vec::new())
    }

    /// Inputs and graph of the sound.
    pub fn sound(&self) -> Plan {
        let inputs = self.files(|track| self.is_heard(track), self.timeline.all());
        let sound = self.sound_chains(&inputs);
        plan(inputs, Vec::new(), sound)
    }

    fn scene(&self, slice: Frames) -> Option<Scene<'_>> {
        let Self { room, placements, timeline, .. } = *self;
        Some(Scene { room, placements, timeline, slice, look: self.look? })
    }

    fn picture_chains(&self, slice: Frames, share: Share<'_>, inputs: &[Input]) -> Vec<Chain> {
        let Some(scene) = self.scene(slice) else { return Vec::new() };
        let chains = scene.chains(share, |track| number(inputs, track));
        match share {
            Share::Strip(_) => chains,
            Share::Whole | Share::Rest(..) => label::over(chains, self.labels, self.timeline, slice),
        }
    }

    fn sound_chains(&self, inputs: &[Input]) -> Vec<Chain> {
        sound::chains(self.room, self.heard, self.timeline, |track| number(inputs, track))
    }

    /// The files of a share's picture.
    fn inputs(&self, slice: Frames, share: Share<'_>) -> Vec<Input> {
        self.files(|track| self.is_seen(track, slice, share), slice)
    }

    /// The files of some of the tracks, in the room's order.
    fn files(&self, wanted: impl Fn(usize) -> bool, slice: Frames) -> Vec<Input> {
        (0..self.room.tracks.len())
            .filter(|&track| wanted(track))
            .map(|track| Input {
                track,
                kind: self.room.tracks[track].kind,
                path: self.room.tracks[track].path.clone(),
                seek: self.seek(track, slice).filter(|_| self.room.tracks[track].can_be_sought_in()),
            })
            .collect()
    }

    fn is_heard(&self, track: usize) -> bool {
        self.room.tracks[track].kind == Kind::Audio
            && self.heard.contains(&track)
            && self.timeline.shows(&self.room.tracks[track])
    }

    fn is_seen(&self, track: usize, slice: Frames, share: Share<'_>) -> bool {
        self.placements
            .iter()
            .filter(|p| p.track == track && share.draws(p.cell))
            .any(|p| self.timeline.frames_of(p.span).and_then(|frames| frames.and(slice)).is_some())
    }

    /// How far into a track's file reading may begin for `slice`, if not at its start.
    pub fn seek(&self, track: usize, slice: Frames) -> Option<Millis> {
        let track = &self.room.tracks[track];
        if track.is_read_from_its_start() {
            return None;
        }
        let begins = self.timeline.rate.time_of(slice.first) + self.timeline.start;
        let into = match track.kind {
            // The frame that is shown first may lie half an output frame before.
            Kind::Video => begins - self.timeline.rate.time_of(1) - track.span.from,
            Kind::Audio => begins - SOUND_PREROLL - track.span.from,
        };
        (into > Millis::ZERO).then_some(into)
    }
}

fn number(inputs: &[Input], track: usize) -> usize {
    inputs.iter().position(|input| input.track == track).unwrap_or_default()
}

fn plan(inputs: Vec<Input>, picture: Vec<Chain>, sound: Vec<Chain>) -> Plan {
    let (has_picture, has_sound) = (!picture.is_empty(), !sound.is_empty());
    let chains = [picture, sound].concat();
    Plan { inputs, filter_complex: graph::join(&chains), has_picture, has_sound, ..Plan::default() }
}

/// ffmpeg's word for that a file that is there already is written over.
pub const OVERWRITE: &str = "-y";
/// The opposite.
pub const KEEP: &str = "-n";

/// Arguments, word by word.
#[derive(Debug, Clone, Default)]
pub struct Words(Vec<String>);

impl From<Vec<String>> for Words {
    fn from(words: Vec<String>) -> Self {
        Self(words)
    }
}

impl Words {
    /// ffmpeg and what every run of it is told.
    pub fn ffmpeg(program: &str) -> Self {
        let words = Self(vec![program.to_owned()]);
        // Timestamps as they stand in the files: the graph moves them, nobody else.
        words.and(["-hide_banner", "-nostdin", OVERWRITE, "-copyts"])
    }

    /// Some more words.
    #[must_use]
    pub fn and<S: Into<String>>(mut self, words: impl IntoIterator<Item = S>) -> Self {
        self.0.extend(words.into_iter().map(Into::into));
        self
    }

    /// A recording to read. Recordings come from strangers: a Matroska file and
    /// nothing else, read from a file and nowhere else.
    #[must_use]
    pub fn recording(self, path: &Path) -> Self {
        self.and(["-protocol_whitelist", "file", "-f", "matroska", "-i"]).and([file_argument(path)])
    }

    /// A file.
    #[must_use]
    pub fn file(self, path: &Path) -> Self {
        self.and([file_argument(path)])
    }

    /// The last word: what is written.
    pub fn output(self, path: &Path) -> Vec<String> {
        self.and([file_argument(path)]).0
    }
}

impl Plan {
    /// The tracks of its inputs, in ffmpeg's order.
    pub fn tracks(&self) -> Vec<usize> {
        self.inputs.iter().map(|input| input.track).collect()
    }

    /// The inputs, as they are read.
    pub fn read(&self, mut words: Words) -> Words {
        words = words.and(undecodable::GO_ON).and(["-filter_complex_threads", "1"]);
        let threads = match self.threading {
            Threading::Alone | Threading::Decoders => "2",
            Threading::Others => "1",
        };
        for input in &self.inputs {
            if input.kind == Kind::Video {
                words = words.and(["-threads", threads]);
            }
            // A change of size in mid-stream must not rebuild the graph: everybody's sound would drop out.
            words = words.and(["-reinit_filter", "0"]).and(READ_WHEN_WANTED);
            if let Some(seek) = input.seek {
                // To the key frame before it, and everything from there: the graph knows what to show.
                words = words.and(["-noaccurate_seek", "-ss"]).and([seek.seconds().to_string()]);
            }
            words = words.recording(&input.path);
        }
        for (pipe, fed) in (FIRST_PIPE..).zip(&self.fed) {
            words = words.and(["-protocol_whitelist", "pipe"]);
            words = match fed {
                Fed::Pictures { size, rate } => words
                    .and(RAW)
                    .and(["-video_size", &size.to_string()])
                    .and(["-framerate", &rate.to_string()]),
                Fed::Sound if self.delays_sound => words.and(DELAYED).and(ENCODED),
                Fed::Sound => words.and(ENCODED),
            };
            words = words.and(["-i".to_owned(), format!("pipe:{pipe}")]);
        }
        words
    }

    /// The command that writes the picture raw to stdout, for another ffmpeg.
    pub fn feeding_pictures(&self, words: Words, rate: Rate) -> Vec<String> {
        let words = self.read(words).and(["-filter_complex", &self.filter_complex]);
        with_picture(words, rate).and(["-c:v", "rawvideo"]).and(RAW).and([STDOUT]).0
    }

    /// The command that writes the sound to stdout, for another ffmpeg.
    pub fn feeding_sound(&self, words: Words, encoding: &Encoding, at_hand: &AtHand) -> Vec<String> {
        let (graph, sound) = self.muxed();
        let words = self.read(words).and(["-filter_complex", &graph]);
        let words = words.and(["-map".to_owned(), format!("[{sound}]")]);
        words.and(encoding.audio_args(at_hand)).and(ENCODED).and([STDOUT]).0
    }

    /// The graph as the muxer wants it, and the pad of its sound.
    fn muxed(&self) -> (Cow<'_, str>, &'static str) {
        if self.has_sound && self.delays_sound {
            (format!("{};{}", self.filter_complex, sound::delayed()).into(), sound::DELAYED_PAD)
        } else {
            (Cow::Borrowed(&self.filter_complex), sound::PAD)
        }
    }

    /// The whole command; its last word is the output.
    pub fn argv(
        &self,
        words: Words,
        timeline: &Timeline,
        encoding: &Encoding,
        at_hand: &AtHand,
        muxer: &[String],
        output: &Path,
    ) -> Vec<String> {
        let mut words = self.read(words);
        let (graph, sound) = self.muxed();
        words = words.and(["-filter_complex", &graph]);
        if self.has_picture {
            words = with_picture(words, timeline.rate);
        }
        let fed_sound = self.fed.iter().position(|&fed| fed == Fed::Sound);
        if self.has_sound {
            words = words.and(["-map".to_owned(), format!("[{sound}]")]);
        } else if let Some(number) = fed_sound {
            words = words.and(["-map".to_owned(), format!("{}:a", self.inputs.len() + number)]);
        }
        if self.has_picture {
            words = words.and(encoding.video_args(timeline.rate, at_hand, self.threading));
        }
        if self.has_sound {
            words = words.and(encoding.audio_args(at_hand));
        } else if fed_sound.is_some() {
            words = words.and(["-c:a", "copy"]);
        }
        words.and(encoding.extra.iter().cloned()).and(muxer.iter().cloned()).output(output)
    }
}

/// The graph's picture goes into the output, at its rate: that is lost behind the graph's last
/// `setpts` in versions 7.0 and 7.1 and in one of August 2025, which wrote raw pictures, and 7.0
/// mp4 too, at 25 frames a second.
fn with_picture(words: Words, rate: Rate) -> Words {
    words.and(["-map".to_owned(), format!("[{}]", picture::PAD), "-r".to_owned(), rate.to_string()])
}

/// A path as ffmpeg takes it: what could be read as an option or a protocol gets
/// `file:` in front ("FFmpeg Protocols Documentation", file).
pub fn file_argument(path: &Path) -> String {
    let text = path.to_string_lossy();
    let before_slash = text.split('/').next().unwrap_or_default();
    if text.starts_with('-') || before_slash.contains(':') {
        format!("file:{text}")
    } else {
        text.into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::source::Shrinking;
    use crate::room::tests_support::track_of;

    #[test]
    fn names_that_could_be_misread() {
        for (path, argument) in [
            ("media/RT1.mka", "media/RT1.mka"),
            ("/a b/it's.mkv", "/a b/it's.mkv"),
            ("-y.mka", "file:-y.mka"),
            ("http://x/y.mka", "file:http://x/y.mka"),
            ("a:b.mka", "file:a:b.mka"),
            ("media/a:b.mka", "media/a:b.mka"),
        ] {
            assert_eq!(file_argument(Path::new(path)), argument);
        }
    }

    #[test]
    fn whoever_takes_the_picture_is_told_its_rate() {
        let words = Words::ffmpeg("ffmpeg");
        let words = Plan::default().feeding_pictures(words, "30000/1001".parse().unwrap());
        assert!(words.join(" ").contains(" -map [picture] -r 30000/1001 "), "{words:?}");
    }

    #[test]
    fn a_slice_reads_only_what_runs_in_it_and_from_where_it_can() {
        let mut room =
            Room { sid: None, tracks: vec![track_of("alice", 0, 9000), track_of("bob", 5000, 60_000)] };
        room.tracks[1].seekable = true;
        let cell = Rect { x: 0, y: 0, width: 16, height: 16 };
        let placements: Vec<Placement> =
            (0..2).map(|track| Placement { track, cell, span: room.tracks[track].span, z: 0 }).collect();
        let timeline = Timeline::new("30".parse().unwrap(), &room, None, None).unwrap();
        let look = picture::Look {
            size: Size { width: 16, height: 16 },
            background: "black".into(),
            gap: picture::Gap::Hold,
            shrinking: Shrinking::Area,
        };
        let composition = Composition {
            room: &room,
            placements: &placements,
            heard: &[],
            timeline: &timeline,
            look: Some(&look),
            labels: &[],
        };
        let inputs = |first, end| -> Vec<(usize, Option<Millis>)> {
            let plan = composition.picture(Frames { first, end });
            plan.inputs.iter().map(|i| (i.track, i.seek)).collect()
        };
        assert_eq!(inputs(0, 150), [(0, None)]);
        assert_eq!(inputs(240, 300), [(0, None), (1, Some(Millis(2967)))]);
        assert_eq!(inputs(300, 600), [(1, Some(Millis(4967)))]);
    }
}
