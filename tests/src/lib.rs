//! What the cross-tool tests share.
