//! stderr as a terminal to draw progress on: one line, which survives a resize.
//!
//! A terminal that becomes narrower wraps what is on it (tmux, and whatever is built
//! on VTE) or cuts it off (xterm), and nobody is told which. indicatif moves up by the
//! rows that it takes a line for: each resize left some of it over. But the cursor
//! keeps to the character it stands on. So it waits at the line's beginning, and the
//! next drawing erases from there on whatever became of the line (seen in tmux 3.3,
//! on its wrapping screen and on the alternate one, which cuts off). Out of reach is
//! what wrapping has pushed out at the screen's top: the first half of a line that
//! stood there stays in the lines to scroll back to.

use std::ffi::OsStr;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Write, stderr};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::sync::{Mutex, PoisonError};

use indicatif::TermLike;

/// The longest line that is drawn, in columns: a longer bar says no more.
const COLUMNS: u16 = 72;

/// Nothing from here on (ECMA-48: ED). In the top left corner, tmux takes it for a
/// new screen, and keeps the old one to scroll back to; so it is said behind something.
const ERASE: &str = "\x1b[J";

/// Nothing from the line's beginning on.
pub(crate) const CLEAR_LINE: &str = "\r \x1b[J\r";

/// Whether what goes beyond the last column begins a new line (DECAWM). A terminal
/// may have become narrower since it was measured.
const DONT_WRAP: &str = "\x1b[?7l";
const WRAP: &str = "\x1b[?7h";

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

/// One line of stderr, at most [`COLUMNS`] wide.
#[derive(Debug, Default)]
pub(crate) struct OneLine {
    /// What is drawn at the next flush, at once: other tools write here too.
    drawing: Mutex<String>,
}

impl OneLine {
    fn add(&self, text: &str) {
        self.drawing.lock().unwrap_or_else(PoisonError::into_inner).push_str(text);
    }
}

/// A line as the terminal gets it. indicatif fills lines with blanks, and leaves `[]`
/// of a bar for which there is no room.
fn drawn(line: &str, columns: u16) -> String {
    let line = line.trim_end();
    let line = line.strip_prefix("[]").map_or(line, str::trim_start);
    let shown: String = line.chars().take(columns.into()).collect();
    if shown.is_empty() {
        return CLEAR_LINE.to_owned();
    }
    format!("\r{DONT_WRAP}{shown}{ERASE}\r{WRAP}")
}

impl TermLike for OneLine {
    fn width(&self) -> u16 {
        let columns = rustix::termios::tcgetwinsize(stderr()).map_or(0, |size| size.ws_col);
        // A terminal that doesn't know says 0. The last column is left to the cursor.
        if columns == 0 { COLUMNS } else { (columns - 1).clamp(1, COLUMNS) }
    }

    // There is no other line, and the cursor waits at this one's beginning.
    fn move_cursor_up(&self, _: usize) -> io::Result<()> {
        Ok(())
    }

    fn move_cursor_down(&self, _: usize) -> io::Result<()> {
        Ok(())
    }

    fn move_cursor_right(&self, _: usize) -> io::Result<()> {
        Ok(())
    }

    fn move_cursor_left(&self, _: usize) -> io::Result<()> {
        Ok(())
    }

    fn write_line(&self, line: &str) -> io::Result<()> {
        self.write_str(line)
    }

    fn write_str(&self, text: &str) -> io::Result<()> {
        self.add(text);
        Ok(())
    }

    fn clear_line(&self) -> io::Result<()> {
        Ok(())
    }

    fn flush(&self) -> io::Result<()> {
        let mut drawing = self.drawing.lock().unwrap_or_else(PoisonError::into_inner);
        let text = drawn(&drawing, self.width());
        drawing.clear();
        let mut stderr = stderr().lock();
        stderr.write_all(text.as_bytes())?;
        stderr.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_never_wider_than_the_terminal() {
        assert_eq!(drawn("[==>  ] 3 of 9 files   ", 40), "\r\x1b[?7l[==>  ] 3 of 9 files\x1b[J\r\x1b[?7h");
        assert_eq!(drawn("[] 3 of 9 files", 6), "\r\x1b[?7l3 of 9\x1b[J\r\x1b[?7h");
        assert_eq!(drawn("  ", 40), "\r \x1b[J\r");
    }
}
