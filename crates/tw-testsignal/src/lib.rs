//! Recordings that carry their own time, and measuring where it went in a
//! composition.
//!
//! ```no_run
//! use tw_testsignal::{Audio, Cell, Composition, Rect, Room, Tolerance, Video, measure};
//!
//! # fn main() -> anyhow::Result<()> {
//! let folder = std::path::Path::new("media");
//! let mut room = Room::new(1);
//! let alice = room.add("alice", 5_000, Video::new(1, 24.0).write(folder.join("alice.mkv"))?);
//! room.add("alice", 5_000, Audio::new(1).write(folder.join("alice.mka"))?);
//! let bob = room.add("bob", 5_700, Video::new(2, 15.0).write(folder.join("bob.mkv"))?);
//!
//! let records = room.json_lines(); // … goes into the composer, which writes:
//! let composition = Composition::new(folder.join("room.webm"), 30.0)
//!     .size(640, 240)
//!     .frames(140)
//!     .cell(Cell::new(Rect { x: 0, y: 0, width: 320, height: 240 }, [alice]))
//!     .cell(Cell::new(Rect { x: 320, y: 0, width: 320, height: 240 }, [bob]));
//! let report = measure(&room, &composition, &Tolerance::default())?;
//! eprintln!("{report}");
//! assert!(report.violations.is_empty());
//! # Ok(())
//! # }
//! ```
//!
//! A number (0 to 63) tells recordings apart: it is in every frame's code, and
//! is the pitch of a voice. Two pictures that may be in the room at the same
//! time need different numbers, also if they are one participant's camera and
//! screen.

pub mod annexb;
pub mod audio;
pub mod code;
pub mod container;
mod ebml;
pub mod ffmpeg;
pub mod gstreamer;
pub mod ivf;
pub mod matroska;
pub mod measure;
pub mod ogg;
pub mod recording;
pub mod room;
mod stand_in;
pub mod tone;
pub mod video;

pub use audio::Audio;
pub use container::Ending;
pub use matroska::Form;
pub use measure::composition::{Cell, Composition, Gaps, Rect, Tolerance};
pub use measure::expected::Wrong;
pub use measure::measure;
pub use measure::report::Report;
pub use recording::{Content, Frame, Recording, Span};
pub use room::{Room, TrackId};
pub use stand_in::stand_in;
pub use video::Video;
