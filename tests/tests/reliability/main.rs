//! Nothing lost, nobody let in: what the tools do when the disk, the processes
//! and the input are at their worst. `docs/reliability.md` is the list.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod common;
mod damaged;
mod disk;
mod input;
mod kills;
mod large;
mod pipeline;
mod programs;
mod security;
mod table;
