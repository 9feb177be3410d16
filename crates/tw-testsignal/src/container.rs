//! How packets become a file: tidy, streamed, or broken off.

use std::ops::Range;
use std::path::Path;

use anyhow::{Context, Result};

use crate::matroska::{self, Form, Packet, Track};

/// Where a file ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ending {
    /// After its last packet.
    #[default]
    Whole,
    /// In the middle of the data of that packet (counted from 0): the writer died.
    InPacket(usize),
    /// After the headers: nobody ever sent a packet. ffprobe 5.1 can't open such
    /// a file (`End of file`), nor what GStreamer 1.22 leaves in that case.
    NoPacket,
    /// After the head of a cluster, before its first block: ffprobe opens the
    /// file and finds no start time.
    EmptyCluster,
}

/// Leaves the packets in those places (counted from 0) as long as they are, and nothing in
/// them that a decoder takes: VP8 with a first partition longer than the packet (RFC 6386,
/// section 9.1), H.264 with a unit that is. Of sound, no packet would be left: ffmpeg's
/// reader passes over Opus whose length it can't tell, and takes any other.
pub(crate) fn damage(packets: &mut [Packet], places: &Range<usize>) {
    for packet in packets.iter_mut().take(places.end).skip(places.start) {
        packet.data.fill(0xFF);
    }
}

/// Writes the file and gives the number of packets that are whole in it.
pub(crate) fn write(
    path: &Path,
    track: &Track,
    packets: &[Packet],
    form: Form,
    ending: Ending,
) -> Result<usize> {
    let packets = if ending == Ending::NoPacket { &[] } else { packets };
    let mut file = matroska::write(track, packets, form);
    let whole = match ending {
        Ending::InPacket(cut) if cut < packets.len() => {
            file.bytes.truncate(file.block_ends[cut] - packets[cut].data.len().div_ceil(2));
            cut
        }
        Ending::EmptyCluster => {
            // Id, size, track, time and flags stand before a block's data.
            let block = packets.first().map_or(0, |packet| packet.data.len() + 13);
            file.bytes.truncate(file.block_ends.first().map_or(0, |end| end - block));
            0
        }
        _ => packets.len(),
    };
    std::fs::write(path, &file.bytes).with_context(|| format!("can't write {}", path.display()))?;
    Ok(whole)
}
