//! The loopback Twilio, seen from outside.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod api;
mod client;
mod faults;
mod program;
mod room;
mod storage;
