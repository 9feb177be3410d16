//! ffprobe's answer, read line by line: packets first, then streams, then the
//! container (`-of compact`, whose lines are `section|key=value|…`).

use std::collections::BTreeMap;
use std::io::{self, BufRead};

use tw_core::compact::values;
use tw_core::time::Micros;

use crate::track::Track;

/// What ffprobe is asked for.
pub const ENTRIES: &str = "format=start_time:format_tags=creation_time\
    :stream=index,codec_type,codec_name,width,height,sample_aspect_ratio,sample_rate,channels\
    :packet=stream_index,pts_time,pos,flags";

/// A stream as the container describes it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Description {
    /// ffprobe's own names and values; what is `N/A` or `unknown` is left out.
    values: BTreeMap<String, String>,
}

impl Description {
    /// A value as ffprobe wrote it.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.values.get(key).map(String::as_str)
    }

    /// A value that is a number.
    pub fn number(&self, key: &str) -> Option<u64> {
        self.get(key)?.parse().ok()
    }
}

/// All that ffprobe said about a file.
#[derive(Debug, Default)]
pub struct Report {
    /// The container's start time; `None` when it is `N/A`.
    pub start_time: Option<Micros>,
    /// The container's tag.
    pub creation_time: Option<String>,
    /// The streams in the container's order.
    pub streams: Vec<Description>,
    /// What the packets said, by the index of their stream.
    pub tracks: BTreeMap<u64, Track>,
    /// Whether it came to its end, which is what it says of the container.
    pub is_complete: bool,
}

impl Report {
    /// Reads to the end. A distance of more than `gap` between packets is noted.
    ///
    /// # Errors
    /// Those of the reader. Lines that make no sense are passed over.
    pub fn read(mut reader: impl BufRead, gap: Micros) -> io::Result<Self> {
        let mut report = Self::default();
        let mut line = Vec::new();
        while reader.read_until(b'\n', &mut line)? > 0 {
            report.line(String::from_utf8_lossy(&line).trim_end(), gap);
            line.clear();
        }
        for track in report.tracks.values_mut() {
            track.finish(gap);
        }
        Ok(report)
    }

    fn line(&mut self, line: &str, gap: Micros) {
        let Some((section, rest)) = line.split_once('|') else { return };
        match section {
            "packet" => {
                let (mut index, mut pts, mut place, mut is_key) = (None, None, None, false);
                for (key, value) in values(rest) {
                    match key {
                        "stream_index" => index = value.parse().ok(),
                        "pts_time" => pts = Micros::parse(&value),
                        "pos" => place = value.parse().ok(),
                        "flags" => is_key = value.starts_with('K'),
                        _ => {}
                    }
                }
                if let Some(index) = index {
                    let track = self.tracks.entry(index).or_default();
                    track.add(pts, is_key, gap);
                    if is_key {
                        track.key_frames.add(pts, place);
                    }
                }
            }
            "stream" => {
                let known = values(rest)
                    .filter(|(_, value)| !matches!(value.as_ref(), "N/A" | "unknown"))
                    .map(|(key, value)| (key.to_owned(), value.into_owned()));
                self.streams.push(Description { values: known.collect() });
            }
            "format" => {
                self.is_complete = true;
                for (key, value) in values(rest) {
                    match key {
                        "start_time" => self.start_time = Micros::parse(&value),
                        "tag:creation_time" => self.creation_time = Some(value.into_owned()),
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }

    /// How many packets there are in all.
    pub fn packets(&self) -> u64 {
        self.tracks.values().map(Track::packets).sum()
    }

    /// The least and the greatest timestamp of all packets.
    pub fn span(&self) -> Option<(Micros, Micros)> {
        self.tracks
            .values()
            .filter_map(Track::span)
            .reduce(|(first, last), (start, end)| (first.min(start), last.max(end)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ANSWER: &str = "\
packet|stream_index=1|pts_time=-0.007000
packet|stream_index=0|pts_time=0.014000
packet|stream_index=1|pts_time=0.013000|side_data|

packet|stream_index=0|pts_time=N/A

stream|index=0|codec_name=vp8|codec_type=video|width=64|height=48|sample_aspect_ratio=N/A
stream|index=1|codec_name=opus|codec_type=audio|sample_rate=48000|channels=1
format|start_time=-0.007000|tag:creation_time=a\\|b\\\\=c\\n
";

    fn read(text: &str) -> Report {
        Report::read(text.as_bytes(), Micros(1_000_000)).unwrap()
    }

    #[test]
    fn packets_streams_and_the_container() {
        let report = read(ANSWER);
        assert_eq!(report.start_time, Some(Micros(-7000)));
        assert_eq!(report.creation_time.as_deref(), Some("a|b\\=c\n"));
        assert_eq!(report.packets(), 4);
        assert_eq!(report.tracks[&0].packets(), 2);
        assert_eq!(report.span(), Some((Micros(-7000), Micros(14_000))));
        assert_eq!(report.streams[0].number("width"), Some(64));
        assert_eq!(report.streams[0].get("sample_aspect_ratio"), None);
        assert_eq!(report.streams[1].get("codec_name"), Some("opus"));
    }

    #[test]
    fn a_container_without_a_start_time() {
        let report = read("packet|stream_index=0|pts_time=2.000000\nformat|start_time=N/A\n");
        assert_eq!((report.start_time, report.creation_time), (None, None));
    }

    proptest! {
        #[test]
        fn no_answer_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = Report::read(bytes.as_slice(), Micros(1));
        }

        #[test]
        fn an_answer_cut_anywhere_is_read(cut in 0..ANSWER.len(), junk in "[|=\\\\a-z\n.0-9-]{0,20}") {
            let text = format!("{}{junk}{}", &ANSWER[..cut], &ANSWER[cut..]);
            prop_assert!(read(&text).packets() <= 8);
        }
    }
}
