//! What the cross-tool tests share.
//!
//! - [`environment`] runs the real tools, and nothing of the user's gets in.

pub mod environment;
