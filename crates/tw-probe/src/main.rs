//! Reads the start, the end and the streams of recordings with ffprobe.

fn main() {}
