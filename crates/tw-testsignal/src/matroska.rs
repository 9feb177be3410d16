//! A writer of small Matroska files (RFC 9559) with one track, which leaves
//! every timestamp, and what the file says of itself, to the caller.

use crate::ebml::{element, float, header, integer, text, unknown_size};

/// Nanoseconds of one timestamp unit: Matroska's usual millisecond.
const SCALE_NS: u64 = 1_000_000;
/// A new cluster begins after that many milliseconds (a block's own time is 16
/// bits of milliseconds from its cluster's).
const CLUSTER_MS: i64 = 5_000;

/// What the one track of a file is.
#[derive(Clone, Debug)]
pub struct Track {
    /// Matroska's name of the codec, such as `V_VP8`.
    pub codec_id: &'static str,
    /// What a decoder has to know before the first packet.
    pub codec_private: Vec<u8>,
    /// How much earlier than its block's timestamp a packet plays, in nanoseconds.
    pub codec_delay_ns: u64,
    /// Picture or sound.
    pub kind: Kind,
}

/// The part of a track's description that depends on its kind.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// Size in pixels, and the size to show it at where it differs.
    Video {
        /// Stored width in pixels.
        width: u32,
        /// Stored height in pixels.
        height: u32,
        /// Width and height to show, if the pixels aren't square.
        display: Option<(u32, u32)>,
    },
    /// Sound.
    Audio {
        /// Samples a second.
        rate: u32,
        /// Number of channels.
        channels: u32,
    },
}

/// A packet and its place in the file.
#[derive(Clone, Debug)]
pub struct Packet {
    /// The block's timestamp in milliseconds, 0 or more.
    pub time_ms: i64,
    /// Whether decoding can begin here.
    pub key: bool,
    /// What the encoder gave.
    pub data: Vec<u8>,
}

/// What a file says of itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Form {
    /// As a muxer leaves it that may go back in the file: sizes, `Duration`,
    /// `SeekHead` and `Cues`.
    #[default]
    Tidy,
    /// As GStreamer's `matroskamux streamable=true` leaves it: `Segment` and
    /// `Cluster`s of unknown size, no `Duration`, `SeekHead` or `Cues` (read
    /// from a file by version 1.22).
    Streamed,
}

/// A written file.
pub struct File {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Where each packet's block ends, in bytes from the file's start.
    pub block_ends: Vec<usize>,
}

/// Writes a file. Packets stand in the order and at the times given.
#[must_use]
pub fn write(track: &Track, packets: &[Packet], form: Form) -> File {
    let clusters = Clusters::of(packets, form);
    let last_ms = packets.iter().map(|packet| packet.time_ms).max();
    let mut head = info(last_ms.filter(|_| form == Form::Tidy));
    let tracks_at = head.len();
    head.extend(element(0x1654_AE6B, &track_entry(track)));
    // Nothing to seek to in a file without packets.
    let is_indexed = form == Form::Tidy && !packets.is_empty();
    if is_indexed {
        let length = seek_head(0, 0, 0).len();
        let cues_at = length + head.len() + clusters.bytes.len();
        let seek_head = seek_head(length, length + tracks_at, cues_at);
        head.splice(0..0, seek_head);
    }
    let cues = if is_indexed { clusters.cues(head.len()) } else { Vec::new() };

    let mut bytes = ebml_header();
    match form {
        Form::Tidy => {
            let length = head.len() + clusters.bytes.len() + cues.len();
            bytes.extend(header(0x1853_8067, length));
        }
        Form::Streamed => bytes.extend(unknown_size(0x1853_8067)),
    }
    bytes.extend(head);
    let first = bytes.len();
    bytes.extend(clusters.bytes);
    bytes.extend(cues);
    let block_ends = clusters.block_ends.iter().map(|end| first + end).collect();
    File { bytes, block_ends }
}

/// All clusters, one after the other.
struct Clusters {
    bytes: Vec<u8>,
    /// Where each block ends in the bytes.
    block_ends: Vec<usize>,
    /// Time and place of each cluster that begins with a key frame.
    keys: Vec<(i64, usize)>,
}

impl Clusters {
    fn of(packets: &[Packet], form: Form) -> Self {
        let mut clusters = Self { bytes: Vec::new(), block_ends: Vec::new(), keys: Vec::new() };
        for group in split(packets) {
            let (body, ends) = cluster(group);
            if group[0].key {
                clusters.keys.push((group[0].time_ms, clusters.bytes.len()));
            }
            clusters.bytes.extend(match form {
                Form::Tidy => header(0x1F43_B675, body.len()),
                Form::Streamed => unknown_size(0x1F43_B675),
            });
            let start = clusters.bytes.len();
            clusters.block_ends.extend(ends.iter().map(|end| start + end));
            clusters.bytes.extend(body);
        }
        clusters
    }

    /// The `Cues`, if the clusters begin that many bytes into the segment's body.
    fn cues(&self, start: usize) -> Vec<u8> {
        let point = |&(time_ms, at): &(i64, usize)| {
            let place = [integer(0xF7, 1), integer(0xF1, (start + at) as u64)].concat();
            let time = integer(0xB3, time_ms.max(0) as u64);
            element(0xBB, &[time, element(0xB7, &place)].concat())
        };
        let points: Vec<u8> = self.keys.iter().flat_map(point).collect();
        element(0x1C53_BB6B, &points)
    }
}

fn ebml_header() -> Vec<u8> {
    let body = [text(0x4282, "matroska"), integer(0x4287, 2), integer(0x4285, 2)];
    element(0x1A45_DFA3, &body.concat())
}

fn info(duration_ms: Option<i64>) -> Vec<u8> {
    let mut body = integer(0x2A_D7B1, SCALE_NS);
    body.extend(text(0x4D80, "tw-testsignal"));
    body.extend(text(0x5741, "tw-testsignal"));
    if let Some(duration_ms) = duration_ms {
        body.extend(float(0x4489, duration_ms as f64));
    }
    element(0x1549_A966, &body)
}

fn track_entry(track: &Track) -> Vec<u8> {
    let mut body = [integer(0xD7, 1), integer(0x73C5, 1), integer(0x9C, 0)].concat();
    body.extend(text(0x86, track.codec_id));
    if !track.codec_private.is_empty() {
        body.extend(element(0x63A2, &track.codec_private));
    }
    if track.codec_delay_ns > 0 {
        body.extend(integer(0x56AA, track.codec_delay_ns));
    }
    match track.kind {
        Kind::Video { width, height, display } => {
            body.extend(integer(0x83, 1));
            let mut video = integer(0xB0, width.into());
            video.extend(integer(0xBA, height.into()));
            if let Some((width, height)) = display {
                video.extend(integer(0x54B0, width.into()));
                video.extend(integer(0x54BA, height.into()));
            }
            body.extend(element(0xE0, &video));
        }
        Kind::Audio { rate, channels } => {
            body.extend(integer(0x83, 2));
            let mut audio = float(0xB5, rate.into());
            audio.extend(integer(0x9F, channels.into()));
            body.extend(element(0xE1, &audio));
        }
    }
    element(0xAE, &body)
}

/// Groups of packets that go into one cluster each: a group ends before a key
/// picture, after [`CLUSTER_MS`], and wherever time goes back.
fn split(packets: &[Packet]) -> Vec<&[Packet]> {
    let mut groups = Vec::new();
    let mut start = 0;
    let all_key = packets.iter().all(|packet| packet.key);
    for i in 1..=packets.len() {
        let ends = packets.get(i).is_none_or(|packet| {
            let into = packet.time_ms - packets[start].time_ms;
            (packet.key && !all_key) || !(0..CLUSTER_MS).contains(&into)
        });
        if ends {
            groups.push(&packets[start..i]);
            start = i;
        }
    }
    groups
}

/// The body of a cluster, and where in it each block ends.
fn cluster(packets: &[Packet]) -> (Vec<u8>, Vec<usize>) {
    let time_ms = packets[0].time_ms;
    let mut body = integer(0xE7, time_ms.max(0) as u64);
    let mut ends = Vec::new();
    for packet in packets {
        // Track 1, the time from the cluster's, and the flag of a key frame.
        let mut block = vec![0x81];
        block.extend(((packet.time_ms - time_ms) as i16).to_be_bytes());
        block.push(if packet.key { 0x80 } else { 0 });
        block.extend(&packet.data);
        body.extend(element(0xA3, &block));
        ends.push(body.len());
    }
    (body, ends)
}

/// Positions are from the start of the segment's body. Its own length doesn't
/// depend on them.
fn seek_head(info: usize, tracks: usize, cues: usize) -> Vec<u8> {
    let places = [(0x1549_A966u32, info), (0x1654_AE6B, tracks), (0x1C53_BB6B, cues)];
    let body: Vec<u8> = places
        .iter()
        .flat_map(|&(id, position)| {
            let id = element(0x53AB, &id.to_be_bytes());
            let position = element(0x53AC, &(position as u64).to_be_bytes());
            element(0x4DBB, &[id, position].concat())
        })
        .collect();
    element(0x114D_9B74, &body)
}
