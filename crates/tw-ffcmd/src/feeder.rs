//! An ffmpeg that makes something for another one, through a pipe. Whichever of them
//! fails, the others are ended.

use std::collections::BTreeSet;
use std::io::{self, PipeReader};
use std::process::Command;
use std::thread::{self, JoinHandle};

use tw_core::failure::Failure;
use tw_core::process::{self, Child, Finished, ProcessError};

use crate::encode::failed;
use crate::steps;
use crate::undecodable::Complaints;

/// One that is at work.
#[derive(Debug)]
pub struct Feeder {
    child: Child,
    complaints: Complaints,
    tracks: Vec<usize>,
}

/// One whose reader is known.
#[derive(Debug)]
pub struct Beside {
    id: u32,
    ends: JoinHandle<Result<Finished, ProcessError>>,
    complaints: Complaints,
    tracks: Vec<usize>,
}

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
        Ok((Self { child, complaints, tracks: command.tracks.clone() }, source))
    }

    /// Ends the reader when this one fails: what comes through the pipe looks whole then,
    /// and ffmpeg would go on with the last picture, or wait for one (seen with 5.1).
    pub fn beside(self, reader: u32) -> Beside {
        let Self { child, complaints, tracks } = self;
        let id = child.id();
        let ends = thread::spawn(move || {
            let finished = child.wait();
            if !finished.as_ref().is_ok_and(|finished| finished.status.success()) {
                process::kill(reader);
            }
            finished
        });
        Beside { id, ends, complaints, tracks }
    }
}

impl Beside {
    /// How it ended, if that is why there is nothing whole; to `undecodable` go the tracks
    /// that it complained about. Its reader has ended, by itself or not.
    ///
    /// # Errors
    /// When the system can't tell how it ended.
    pub fn end(
        self,
        reader_succeeded: bool,
        undecodable: &mut BTreeSet<usize>,
    ) -> Result<Option<Finished>, ProcessError> {
        let ended_by_us = !reader_succeeded && process::kill(self.id);
        // The thread has nothing that could panic.
        let Ok(finished) = self.ends.join() else { return Ok(None) };
        let finished = finished?;
        undecodable.extend(self.complaints.among(&self.tracks));
        // One that has lost its reader says so: then that one wanted no more, or failed itself.
        let lost = finished.stderr.iter().any(|line| line.contains("Broken pipe"));
        Ok((!finished.status.success() && !ended_by_us && !lost).then_some(finished))
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
