//! Media files, as tw-fetch leaves them.

use std::path::Path;

/// Says it when less of a file is there than tw-fetch has `fetched`, in bytes: a copy that has
/// broken off may look as if nothing, or less, had been recorded. Of one that isn't there at all
/// nothing: that is for whoever reads it to explain.
pub fn breaks_off(path: &Path, fetched: Option<u64>) -> Option<String> {
    let there = std::fs::metadata(path).ok()?.len();
    let fetched = fetched.filter(|&fetched| there < fetched)?;
    Some(format!("has {there} bytes of {fetched}"))
}
