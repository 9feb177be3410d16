//! From a room, its placements and the encoder's options to ffmpeg's arguments.

use std::path::Path;

use crate::encoder::{Encoders, Encoding};
use crate::graph::{self, Chain, picture, sound};
use crate::layout::Placement;
use crate::room::{Kind, Room};
use crate::timeline::Timeline;

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
}

/// ffmpeg's input files and the graph that reads them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Tracks in the order of ffmpeg's inputs.
    pub tracks: Vec<usize>,
    /// `-filter_complex`.
    pub filter_complex: String,
    /// Whether there is a picture.
    pub has_picture: bool,
    /// Whether there is sound.
    pub has_sound: bool,
}

impl Composition<'_> {
    /// Inputs and graph of the whole output.
    pub fn plan(&self) -> Plan {
        let tracks = self.tracks();
        let input_of = |track: usize| tracks.iter().position(|&t| t == track).unwrap_or_default();
        let mut chains: Vec<Chain> = Vec::new();
        if let Some(look) = self.look {
            let all = self.timeline.all();
            chains.extend(picture::chains(self.room, self.placements, self.timeline, all, look, input_of));
        }
        let sound = sound::chains(self.room, self.heard, self.timeline, input_of);
        let has_sound = !sound.is_empty();
        chains.extend(sound);
        Plan { filter_complex: graph::join(&chains), has_picture: self.look.is_some(), has_sound, tracks }
    }

    /// The tracks that are seen or heard in the output, in the room's order.
    fn tracks(&self) -> Vec<usize> {
        (0..self.room.tracks.len())
            .filter(|&i| match self.room.tracks[i].kind {
                Kind::Audio => self.heard.contains(&i),
                Kind::Video => {
                    self.look.is_some()
                        && self
                            .placements
                            .iter()
                            .any(|p| p.track == i && self.timeline.frames_of(p.span).is_some())
                }
            })
            .filter(|&i| self.timeline.shows(&self.room.tracks[i]))
            .collect()
    }
}

/// Whether a file that is there already is written over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Overwrite {
    /// `-y`
    Yes,
    /// `-n`
    No,
}

impl Plan {
    /// The whole command; its last word is the output.
    pub fn argv(
        &self,
        program: &str,
        composition: &Composition<'_>,
        encoding: &Encoding,
        encoders: &Encoders,
        overwrite: Overwrite,
        output: &Path,
    ) -> Vec<String> {
        let mut argv = vec![program.to_owned()];
        let mut add = |words: &[&str]| argv.extend(words.iter().map(|&word| word.to_owned()));
        add(&["-hide_banner", "-nostdin"]);
        add(&[if overwrite == Overwrite::Yes { "-y" } else { "-n" }]);
        // Timestamps as they stand in the files: the graph moves them, nobody else.
        add(&["-copyts"]);
        for &track in &self.tracks {
            // A change of size in mid-stream must not rebuild the graph: everybody's sound would drop out.
            add(&["-reinit_filter", "0"]);
            // Recordings come from strangers: a Matroska file and nothing else, read from a file and nowhere else.
            add(&["-protocol_whitelist", "file", "-f", "matroska", "-i"]);
            add(&[&file_argument(&composition.room.tracks[track].path)]);
        }
        add(&["-filter_complex", &self.filter_complex]);
        if self.has_picture {
            add(&["-map", &format!("[{}]", picture::PAD)]);
        }
        if self.has_sound {
            add(&["-map", &format!("[{}]", sound::PAD)]);
        }
        if self.has_picture {
            argv.extend(encoding.video_args(composition.timeline.rate, encoders));
        }
        if self.has_sound {
            argv.extend(encoding.audio_args(encoders));
        }
        argv.extend(encoding.container_args());
        argv.push(file_argument(output));
        argv
    }
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
}
