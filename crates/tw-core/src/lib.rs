//! What two of the tw tools need, and nothing else.
//!
//! A tool is a filter: [`input`] turns files or stdin into lines, [`record`]
//! turns a line into a [`Record`] whose own bytes are kept, the tool adds its
//! fields or a [`Failure`], and [`output`] writes the line out. [`filter`] is
//! that loop, several records side by side and in order. [`tool`] is the frame
//! around it: flags, messages, signals, exit status.

pub mod compact;
mod complaint;
pub mod failure;
pub mod filter;
#[cfg(feature = "http")]
pub mod http;
pub mod input;
pub mod media;
pub mod messages;
pub mod number;
pub mod output;
pub mod parallel;
pub mod part;
pub mod process;
pub mod progress;
pub mod raw;
pub mod record;
pub mod shell;
pub mod sid;
pub mod signals;
mod terminal;
pub mod text;
pub mod time;
pub mod tool;
pub mod version;
pub mod watchdog;

pub use failure::{ErrorKind, Failure};
pub use record::Record;
pub use tool::{Common, Status, Tool};
