//! What the cross-tool tests share.
//!
//! - [`environment`] runs the real tools, and nothing of the user's gets in;
//! - [`sync`] is the list of rooms that have to be in sync, with what is
//!   expected of each: the tests check them, and `tw-sync` prints the table.

pub mod environment;
pub mod sync;
