//! What the cross-tool tests share.

pub mod environment;
