//! What the cross-tool tests share.
//!
//! - [`demo`] reads the signs in the made-up room of tw-loopback;
//! - [`document`] finds the commands in a document, so that they can be run;
//! - [`environment`] runs the real tools, and nothing of the user's gets in;
//! - [`sync`] is the list of rooms that have to be in sync, with what is
//!   expected of each: the tests check them, and `tw-sync` prints the table.

pub mod demo;
pub mod document;
pub mod environment;
pub mod sync;
