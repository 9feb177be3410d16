//! An ffmpeg that makes something for another one, through a pipe. Whichever of them
//! fails, the others are ended.

use std::collections::BTreeSet;
use std::io::{self, PipeReader};
use std::os::unix::process::ExitStatusExt;
use std::process::Command;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use rustix::process::Signal;
use tw_core::failure::Failure;
use tw_core::process::{self, Child, Finished, ProcessError};

use crate::encode::failed;
use crate::steps;
use crate::undecodable::Complaints;

/// One that is at work.
#[derive(Debug)]
pub struct Feeder {
    child: Child,
    name: String,
    complaints: Complaints,
    tracks: Vec<usize>,
}

/// One whose reader is known.
#[derive(Debug)]
pub struct Beside {
    id: u32,
    name: String,
    ended: Receiver<Result<Finished, ProcessError>>,
    complaints: Complaints,
    tracks: Vec<usize>,
}

/// How long a feeder whose reader has failed may take to end by itself. If it was the first to
/// fail, its own words are the better ones.
const LAST_WORDS: Duration = Duration::from_millis(500);

impl Feeder {
    /// Starts `ffmpeg` as `command` says; gives it and what its reader, which is yet to be
    /// started, reads from.
    ///
    /// # Errors
    /// When there is no pipe, or it can't be started.
    pub fn begin(mut ffmpeg: Command, command: &steps::Command) -> Result<(Self, PipeReader), Failure> {
        let (source, sink) = io::pipe().map_err(|e| Failure::io("cannot make a pipe", &e))?;
        widen(&source);
        ffmpeg.args(["-loglevel", "warning", "-nostats"]).args(&command.argv[1..]);
        let complaints = Complaints::default();
        let child = Child::spawn_feeding(ffmpeg, sink, complaints.listener()).map_err(failed)?;
        let name = command.argv[0].clone();
        Ok((Self { child, name, complaints, tracks: command.tracks.clone() }, source))
    }

    /// Its process ID.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Ends the reader when this one fails: what comes through the pipe looks whole then,
    /// and ffmpeg would go on with the last picture, or wait for one (seen with 5.1).
    pub fn beside(self, reader: u32) -> Beside {
        let Self { child, name, complaints, tracks } = self;
        let id = child.id();
        let (tell, ended) = channel();
        thread::spawn(move || {
            let finished = child.wait();
            if !finished.as_ref().is_ok_and(|finished| finished.status.success()) {
                process::kill(reader);
            }
            // Nobody asks any more.
            let _ = tell.send(finished);
        });
        Beside { id, name, ended, complaints, tracks }
    }
}

impl Beside {
    /// How it ended, if that is why there is nothing whole; to `undecodable` go the tracks
    /// that it complained about. Its reader has ended, by itself or not.
    ///
    /// # Errors
    /// When it doesn't end within `stall`, or the system can't tell how it ended.
    pub fn end(
        self,
        reader_succeeded: bool,
        stall: Duration,
        undecodable: &mut BTreeSet<usize>,
    ) -> Result<Option<Finished>, ProcessError> {
        let patience = if reader_succeeded { stall } else { LAST_WORDS };
        let finished = match self.ended.recv_timeout(patience) {
            Ok(finished) => finished?,
            Err(RecvTimeoutError::Timeout) => {
                process::kill(self.id);
                let stalled = reader_succeeded.then_some(ProcessError::Stalled(self.name, stall));
                return stalled.map_or(Ok(None), Err);
            }
            // The thread has nothing that could panic.
            Err(RecvTimeoutError::Disconnected) => return Ok(None),
        };
        undecodable.extend(self.complaints.among(&self.tracks));
        // One that has lost its reader says so: then that one wanted no more, or failed itself.
        let lost = finished.status.signal() == Some(Signal::PIPE.as_raw())
            || finished.stderr.iter().any(|line| line.contains("Broken pipe"));
        Ok((!finished.status.success() && !lost).then_some(finished))
    }
}

/// About a picture's size, and as much as Linux gives to anybody (pipe(7)), so that each end
/// is woken once for a picture and not for every 64 KiB: a tenth of the time with 4 people.
#[cfg(target_os = "linux")]
fn widen(pipe: &PipeReader) {
    // Too much for this system's limit: then it stays as it is.
    let _ = rustix::pipe::fcntl_setpipe_size(pipe, 1 << 20);
}

#[cfg(not(target_os = "linux"))]
fn widen(_: &PipeReader) {}
