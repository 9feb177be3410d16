//! What a child says: its stdout, with a limit on silence, and the end of its stderr.

use std::collections::VecDeque;
use std::io::{self, BufRead, BufReader, Read};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use crate::watchdog::Watchdog;

/// How many lines of a child's stderr are kept: the last ones say why it failed.
pub(super) const STDERR_LINES: usize = 20;
/// A longer line of stderr counts as several.
const STDERR_LINE_BYTES: u64 = 2000;
/// After a child's end its stderr is read on until it is closed, or nothing has come for so
/// long: what a script has left running may hold it open for ever.
const AFTERMATH: Duration = Duration::from_secs(2);

/// ffprobe writes each packet's line by itself. Being woken for each of them costs
/// more than reading it: after so small a read, more is left to gather for a
/// moment (630,000 packets: 0.9 s of system time without this, 0.3 s with it).
const PIECEMEAL: usize = 4096;
/// Short beside a packet's own 20 ms, and less than fills a pipe.
const GATHER: Duration = Duration::from_millis(1);

/// Nothing was said for so long.
#[derive(Debug, thiserror::Error)]
#[error("nothing was read for {0:?}")]
pub(super) struct Silence(pub(super) Duration);

/// A child's stdout, read on a thread of its own so that silence can be noticed.
#[derive(Debug)]
pub struct Stdout {
    chunks: Receiver<io::Result<Vec<u8>>>,
    current: io::Cursor<Vec<u8>>,
    pub(super) watchdog: Option<Watchdog>,
}

impl Stdout {
    pub(super) fn new(mut pipe: impl Read + Send + 'static, watchdog: Option<Watchdog>) -> Self {
        let (sender, chunks) = sync_channel(4);
        thread::spawn(move || {
            loop {
                let mut chunk = vec![0; 64 * 1024];
                let read = match pipe.read(&mut chunk) {
                    Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
                    read => read.map(|n| {
                        chunk.truncate(n);
                        chunk
                    }),
                };
                let length = read.as_ref().map_or(0, Vec::len);
                if sender.send(read).is_err() || length == 0 {
                    break;
                }
                if length < PIECEMEAL {
                    thread::sleep(GATHER);
                }
            }
        });
        Self { chunks, current: io::Cursor::default(), watchdog }
    }

    pub(super) fn closed() -> Self {
        Self::new(io::empty(), None)
    }
}

impl Read for Stdout {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let n = self.current.read(buffer)?;
            if n > 0 || buffer.is_empty() {
                return Ok(n);
            }
            let chunk = match &mut self.watchdog {
                None => self.chunks.recv().map_err(|_| RecvTimeoutError::Disconnected),
                Some(watchdog) => watchdog.receive(&self.chunks),
            };
            match chunk {
                Ok(Ok(chunk)) if chunk.is_empty() => return Ok(0),
                Ok(chunk) => {
                    self.watchdog.as_mut().map(Watchdog::renew);
                    self.current = io::Cursor::new(chunk?);
                }
                Err(RecvTimeoutError::Disconnected) => return Ok(0),
                Err(RecvTimeoutError::Timeout) => {
                    let silence = Silence(self.watchdog.as_ref().map(Watchdog::limit).unwrap_or_default());
                    return Err(io::Error::new(io::ErrorKind::TimedOut, silence));
                }
            }
        }
    }
}

/// The last lines of a child's stderr, read on a thread of its own.
#[derive(Debug)]
pub(super) struct Stderr {
    heard: Arc<Mutex<Heard>>,
    closed: Receiver<()>,
}

#[derive(Debug, Default)]
struct Heard {
    lines: u64,
    last: VecDeque<String>,
}

impl Stderr {
    pub(super) fn new(
        pipe: impl Read + Send + 'static,
        mut listener: impl FnMut(&str) + Send + 'static,
    ) -> Self {
        let heard = Arc::new(Mutex::new(Heard::default()));
        let (tell, closed) = channel();
        let kept = Arc::clone(&heard);
        thread::spawn(move || {
            each_line(pipe, |line| {
                listener(line);
                let mut heard = kept.lock().unwrap_or_else(PoisonError::into_inner);
                heard.lines += 1;
                heard.last.push_back(line.to_owned());
                if heard.last.len() > STDERR_LINES {
                    heard.last.pop_front();
                }
            });
            // Nobody asks any more.
            let _ = tell.send(());
        });
        Self { heard, closed }
    }

    /// Those of a child that has ended.
    pub(super) fn last_lines(self) -> Vec<String> {
        let heard = || self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        let mut lines = heard().lines;
        while self.closed.recv_timeout(AFTERMATH) == Err(RecvTimeoutError::Timeout) {
            if lines == heard().lines {
                break;
            }
            lines = heard().lines;
        }
        std::mem::take(&mut heard().last).into()
    }
}

/// Tells `hear` each line of a stream.
fn each_line(pipe: impl Read, mut hear: impl FnMut(&str)) {
    let mut reader = BufReader::new(pipe);
    loop {
        let mut line = Vec::new();
        match reader.by_ref().take(STDERR_LINE_BYTES).read_until(b'\n', &mut line) {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
        // ffmpeg ends its status lines with a carriage return.
        let text = String::from_utf8_lossy(&line);
        text.split(['\r', '\n']).map(str::trim_end).filter(|text| !text.is_empty()).for_each(&mut hear);
    }
}
