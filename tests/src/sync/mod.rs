//! Rooms that have to be in sync, whatever their recordings are like.

pub mod cases;
pub mod long;
pub mod memory;
pub mod random;
pub mod run;
pub mod scene;
pub mod sheet;
pub mod table;

use anyhow::Result;

pub use scene::Scene;

/// A room to be composed and measured.
#[derive(Clone, Copy)]
pub struct Case {
    /// What it is called, as an identifier.
    pub name: &'static str,
    /// What is the matter with its recordings.
    pub about: &'static str,
    /// Makes the recordings, and says what is to come of them.
    pub make: fn(&mut Scene) -> Result<()>,
}
