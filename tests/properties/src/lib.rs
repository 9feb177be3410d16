//! What must hold of every reader, and of everything that is quoted, whatever
//! comes in.
//!
//! A property is a function of bytes that panics where it does not hold. The
//! fuzz targets (`tests/fuzz`) call it with bytes of the fuzzer's choice for
//! hours; `cargo test` calls it with the corpus and with changes of it for a
//! second.
#![allow(clippy::panic, clippy::unwrap_used, clippy::expect_used, reason = "panicking is how they speak")]

mod flags;
mod graph;
mod key_frames;
mod layouts;
mod lines;
mod names;
mod pages;
mod records;
mod reports;
mod tables;

pub use flags::flags;
pub use graph::graph;
pub use key_frames::key_frame;
pub use layouts::layout_file;
pub use lines::lines;
pub use names::file_name;
pub use pages::api_page;
pub use records::record_splice;
pub use reports::ffprobe_report;
pub use tables::csv_table;

/// A property.
pub type Property = fn(&[u8]);

/// All of them; the name is that of the fuzz target and of the corpus' folder.
pub const ALL: [(&str, Property); 10] = [
    ("api_page", api_page),
    ("csv_table", csv_table),
    ("ffprobe_report", ffprobe_report),
    ("file_name", file_name),
    ("flags", flags),
    ("graph", graph),
    ("key_frame", key_frame),
    ("layout_file", layout_file),
    ("lines", lines),
    ("record_splice", record_splice),
];
