//! How much memory a process and its children hold at most, seen from outside:
//! Linux' `/proc`, several times a second.

use std::fs;
use std::process::Child;
use std::time::Duration;

use anyhow::Result;

/// ffmpeg's buffers fill over seconds.
const EVERY: Duration = Duration::from_millis(100);
/// Bytes in a page (Linux on x86-64 and on most of arm64).
const PAGE: u64 = 4096;

/// Waits for a child and gives its peak: the greatest sum, in bytes, of what it
/// and its children had in memory at the same time.
///
/// # Errors
/// If it can't be waited for.
pub fn peak_until_end(child: &mut Child) -> Result<u64> {
    let mut peak = 0;
    while child.try_wait()?.is_none() {
        peak = peak.max(resident(child.id()));
        std::thread::sleep(EVERY);
    }
    Ok(peak)
}

/// What a process and its children have in memory now; what has just ended counts nothing.
fn resident(pid: u32) -> u64 {
    let read = |name: &str| fs::read_to_string(format!("/proc/{pid}/{name}")).unwrap_or_default();
    let own: u64 =
        read("statm").split_whitespace().nth(1).and_then(|pages| pages.parse().ok()).unwrap_or_default();
    let Ok(threads) = fs::read_dir(format!("/proc/{pid}/task")) else { return own * PAGE };
    let children =
        threads.flatten().filter_map(|thread| fs::read_to_string(thread.path().join("children")).ok());
    let children: u64 = children
        .flat_map(|list| list.split_whitespace().filter_map(|child| child.parse().ok()).collect::<Vec<u32>>())
        .map(resident)
        .sum();
    own * PAGE + children
}
