//! The ways to say how a room is composed: a shell script, a Makefile, a list of placements. Records
//! are the job's own affair.

mod make;
mod plan;
mod script;
mod shell;

pub use make::{make, refused as refused_in_make};
pub use plan::placements;
pub use shell::{AFTER_A_ROOM, AFTER_ALL_ROOMS, refused as refused_in_shell, shell};
