//! An ffmpeg that draws for another one, through a pipe. Whichever of them fails, the
//! other one is ended.

use std::io::{self, PipeWriter};
use std::process::Command;
use std::thread::{self, JoinHandle};

use tw_core::failure::Failure;
use tw_core::process::{self, Child, Finished, ProcessError};

use crate::encode::failed;

/// One that is drawing.
#[derive(Debug)]
pub struct Feeder(Child);

/// One whose reader is known.
#[derive(Debug)]
pub struct Beside {
    id: u32,
    ends: JoinHandle<Result<Finished, ProcessError>>,
}

impl Feeder {
    /// Starts an ffmpeg with the arguments in `argv`, whose stderr goes to `listener`; its
    /// reader is yet to be started.
    ///
    /// # Errors
    /// When there is no pipe, or it can't be started.
    pub fn begin(
        mut ffmpeg: Command,
        argv: &[String],
        reader: &mut Command,
        listener: impl FnMut(&str) + Send + 'static,
    ) -> Result<Self, Failure> {
        let (pictures, sink) = io::pipe().map_err(|e| Failure::io("cannot make a pipe", &e))?;
        widen(&sink);
        reader.stdin(pictures);
        ffmpeg.args(["-loglevel", "warning", "-nostats"]).args(&argv[1..]);
        Child::spawn_feeding(ffmpeg, sink, listener).map(Self).map_err(failed)
    }

    /// Ends the reader when this one fails: what comes through the pipe looks whole then,
    /// and ffmpeg would go on with the last picture, or wait for one (seen with 5.1).
    pub fn beside(self, reader: u32) -> Beside {
        let id = self.0.id();
        let ends = thread::spawn(move || {
            let finished = self.0.wait();
            if !finished.as_ref().is_ok_and(|finished| finished.status.success()) {
                process::kill(reader);
            }
            finished
        });
        Beside { id, ends }
    }
}

impl Beside {
    /// How it ended, if that is why there is no whole picture. Its reader has ended, by
    /// itself or not.
    ///
    /// # Errors
    /// When the system can't tell how it ended.
    pub fn end(self, reader_succeeded: bool) -> Result<Option<Finished>, ProcessError> {
        let ended_by_us = !reader_succeeded && process::kill(self.id);
        // The thread has nothing that could panic.
        let Ok(finished) = self.ends.join() else { return Ok(None) };
        let finished = finished?;
        // One that has lost its reader says so: then that one wanted no more, or failed itself.
        let lost = finished.stderr.iter().any(|line| line.contains("Broken pipe"));
        Ok((!finished.status.success() && !ended_by_us && !lost).then_some(finished))
    }
}

/// About a picture's size, and as much as Linux gives to anybody (pipe(7)), so that each end
/// is woken once for a picture and not for every 64 KiB: a tenth of the time with 4 people.
#[cfg(target_os = "linux")]
fn widen(pipe: &PipeWriter) {
    // Too much for this system's limit: then it stays as it is.
    let _ = rustix::pipe::fcntl_setpipe_size(pipe, 1 << 20);
}

#[cfg(not(target_os = "linux"))]
fn widen(_: &PipeWriter) {}
