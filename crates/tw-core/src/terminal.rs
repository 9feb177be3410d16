//! stderr as a terminal to draw progress on.
//!
//! indicatif pads what it draws with blanks up to the terminal's width. When the
//! terminal becomes narrower, such a line wraps, and only its second half is taken
//! away again: each resize left a line over. So the terminal is said to be no wider
//! than the lines need; lines wrap only below that.

use std::ffi::OsStr;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Write, stderr};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::sync::{Mutex, PoisonError};

use indicatif::TermLike;

/// The longest line that is drawn, in columns.
pub(crate) const COLUMNS: u16 = 72;

/// Back to the line's beginning, and nothing on it (ECMA-48: CR, EL).
pub(crate) const CLEAR_LINE: &str = "\r\x1b[2K";

/// The terminal, locked for this process.
static TURN: Mutex<Option<File>> = Mutex::new(None);

/// Whether it is ours to draw on. Of the tools of a pipeline, which share one
/// terminal, only one draws at a time: whoever came first, until it ends.
pub(crate) fn is_ours() -> bool {
    let mut turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    if turn.is_none() {
        // Opened anew: a lock belongs to an opening, and stderr's is shared by the pipeline.
        let Ok(terminal) = open() else { return true };
        match terminal.try_lock() {
            Ok(()) => *turn = Some(terminal),
            Err(TryLockError::WouldBlock) => return false,
            Err(TryLockError::Error(_)) => return true,
        }
    }
    true
}

/// Whether another tool of the pipeline draws on it right now.
pub(crate) fn is_anothers() -> bool {
    let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let taken = |terminal: File| matches!(terminal.try_lock(), Err(TryLockError::WouldBlock));
    turn.is_none() && open().is_ok_and(taken)
}

fn open() -> io::Result<File> {
    let name = rustix::termios::ttyname(stderr(), Vec::new())?;
    let flags = i32::try_from(rustix::fs::OFlags::NOCTTY.bits()).unwrap_or_default();
    OpenOptions::new().read(true).custom_flags(flags).open(OsStr::from_bytes(name.as_bytes()))
}

/// stderr, at most [`COLUMNS`] wide.
#[derive(Debug)]
pub(crate) struct Narrow;

impl Narrow {
    fn put(text: &str) -> io::Result<()> {
        stderr().lock().write_all(text.as_bytes())
    }

    /// Control sequences of ECMA-48: CUU, CUD, CUF, CUB.
    fn move_cursor(by: usize, direction: char) -> io::Result<()> {
        if by == 0 { Ok(()) } else { Self::put(&format!("\x1b[{by}{direction}")) }
    }
}

impl TermLike for Narrow {
    fn width(&self) -> u16 {
        let columns = rustix::termios::tcgetwinsize(stderr()).map_or(0, |size| size.ws_col);
        // A terminal that doesn't know says 0.
        if columns == 0 { COLUMNS } else { columns.min(COLUMNS) }
    }

    fn move_cursor_up(&self, n: usize) -> io::Result<()> {
        Self::move_cursor(n, 'A')
    }

    fn move_cursor_down(&self, n: usize) -> io::Result<()> {
        Self::move_cursor(n, 'B')
    }

    fn move_cursor_right(&self, n: usize) -> io::Result<()> {
        Self::move_cursor(n, 'C')
    }

    fn move_cursor_left(&self, n: usize) -> io::Result<()> {
        Self::move_cursor(n, 'D')
    }

    fn write_line(&self, line: &str) -> io::Result<()> {
        Self::put(&format!("{line}\n"))
    }

    fn write_str(&self, text: &str) -> io::Result<()> {
        Self::put(text)
    }

    fn clear_line(&self) -> io::Result<()> {
        Self::put(CLEAR_LINE)
    }

    fn flush(&self) -> io::Result<()> {
        stderr().lock().flush()
    }
}
