//! Running ffmpeg, ffprobe and other people's programs.
//!
//! A child gets no stdin, none of Twilio's credentials, and dies with us. Its
//! stdout is read as it comes, and its end waited for, with a limit on silence; of its
//! stderr the end is kept, however much it says.

mod streams;

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::io::{self, PipeReader, PipeWriter, Read};
use std::os::fd::RawFd;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use command_fds::{CommandFdExt, FdMapping};
use rustix::fs::Access;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, waitid};

use crate::watchdog::Watchdog;
pub use streams::Stdout;
use streams::{Silence, Stderr};

/// A child process that could not be run to its end.
#[derive(Debug, thiserror::Error)]
pub enum ProcessError {
    /// There is no such program.
    #[error("{0} not found: install ffmpeg, or name the programs with TW_FFMPEG and TW_FFPROBE")]
    NotFound(String),
    /// The system refused to start it.
    #[error("cannot start {0}: {1}")]
    Spawn(String, #[source] io::Error),
    /// Nothing came from it for so long that it was ended.
    #[error("{0} gave no sign of life for {1:?} and was ended")]
    Stalled(String, Duration),
    /// Its output could not be read.
    #[error("cannot read from {0}: {1}")]
    Read(String, #[source] io::Error),
}

/// How a child ended.
#[derive(Debug)]
pub struct Finished {
    /// Its status.
    pub status: ExitStatus,
    /// The last lines of its stderr.
    pub stderr: Vec<String>,
}

impl Finished {
    /// How it ended, in words: `exit status 1`, `killed by signal 9`.
    pub fn describe(&self) -> String {
        match (self.status.code(), self.status.signal()) {
            (Some(code), _) => format!("exit status {code}"),
            (None, Some(signal)) => format!("killed by signal {signal}"),
            (None, None) => "ended".into(),
        }
    }
}

/// The program that a variable names, else `default` on PATH.
pub fn program(variable: &str, default: &str) -> std::ffi::OsString {
    std::env::var_os(variable).filter(|value| !value.is_empty()).unwrap_or_else(|| default.into())
}

/// Makes sure that a program is there, without starting it: a name with a slash
/// is a path, any other is looked for on PATH, as the system does it.
///
/// # Errors
/// [`ProcessError::NotFound`].
pub fn require(program: impl AsRef<Path>) -> Result<(), ProcessError> {
    let program = program.as_ref();
    let runnable = |path: &Path| path.is_file() && rustix::fs::access(path, Access::EXEC_OK).is_ok();
    let found = if program.as_os_str().as_encoded_bytes().contains(&b'/') {
        runnable(program)
    } else {
        let path = std::env::var_os("PATH").unwrap_or_default();
        std::env::split_paths(&path).any(|folder| runnable(&folder.join(program)))
    };
    if found { Ok(()) } else { Err(ProcessError::NotFound(program.display().to_string())) }
}

/// A program and its arguments, prepared as every child of ours is.
pub fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command.stdin(Stdio::null());
    for secret in SECRETS {
        command.env_remove(secret);
    }
    die_with_parent(&mut command);
    command
}

/// Lets a command read from `pipes`, the first of them as file descriptor `first`, the others
/// as those after it.
///
/// # Errors
/// [`ProcessError::Spawn`]: never in practice, since no two of them get the same number.
pub fn inherit(command: &mut Command, first: RawFd, pipes: Vec<PipeReader>) -> Result<(), ProcessError> {
    let mappings = (first..).zip(pipes);
    let mappings = mappings.map(|(child_fd, pipe)| FdMapping { parent_fd: pipe.into(), child_fd });
    let done = command.fd_mappings(mappings.collect()).map(drop);
    done.map_err(|e| {
        ProcessError::Spawn(command.get_program().to_string_lossy().into_owned(), io::Error::other(e))
    })
}

/// The variables that a child never sees.
pub const SECRETS: [&str; 4] =
    ["TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN", "TWILIO_API_KEY", "TWILIO_API_SECRET"];

/// SIGKILL can't be handled, so that the kernel has to end the child for us.
#[cfg(target_os = "linux")]
#[allow(unsafe_code)]
fn die_with_parent(command: &mut Command) {
    let parent = rustix::process::getpid();
    // SAFETY: prctl and getppid are plain system calls: async-signal-safe, no allocation, no locks.
    unsafe {
        command.pre_exec(move || {
            rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
            // Killed before that call, we'd have sent no signal.
            match rustix::process::getppid() {
                Some(now) if now == parent => Ok(()),
                _ => Err(rustix::io::Errno::SRCH.into()),
            }
        });
    }
    // A terminal's Ctrl-C goes to the whole foreground group: the child would see
    // it too and write its own words over ours. We end it ourselves.
    command.process_group(0);
}

#[cfg(not(target_os = "linux"))]
fn die_with_parent(command: &mut Command) {
    command.process_group(0);
}

/// A running child.
#[derive(Debug)]
pub struct Child {
    name: String,
    child: std::process::Child,
    stdout: Option<Stdout>,
    stderr: Option<Stderr>,
    /// How long it may be silent.
    silence: Option<Duration>,
    /// It has been waited for: its number may be another's by now.
    ended: bool,
}

/// The children that run, by the process ID, for [`kill_all`].
static RUNNING: Mutex<BTreeSet<u32>> = Mutex::new(BTreeSet::new());

/// Ends every child that runs. As long as the guard lives, none is started, and
/// nobody learns that one was ended: a thread that waits for it stays where it is.
pub fn kill_all() -> impl Sized {
    let running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
    running.iter().for_each(|&id| kill_group(id));
    running
}

/// Ends a child by its process ID, if it is still running.
pub fn kill(id: u32) {
    let running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
    if running.contains(&id) {
        kill_group(id);
    }
}

fn kill_group(id: u32) {
    if let Some(pid) = i32::try_from(id).ok().and_then(Pid::from_raw) {
        let _ = rustix::process::kill_process_group(pid, Signal::KILL);
    }
}

impl Child {
    /// Starts a command made by [`command`]. With `silence`, reading its stdout
    /// fails when nothing comes for so long.
    ///
    /// # Errors
    /// [`ProcessError::NotFound`] or [`ProcessError::Spawn`].
    pub fn spawn(command: Command, silence: Option<Duration>) -> Result<Self, ProcessError> {
        Self::spawn_heard(command, silence, |_| {})
    }

    /// The same; `listener` is told each line of its stderr, cut to a length that can be shown.
    ///
    /// # Errors
    /// As for [`Child::spawn`].
    pub fn spawn_heard(
        command: Command,
        silence: Option<Duration>,
        listener: impl FnMut(&str) + Send + 'static,
    ) -> Result<Self, ProcessError> {
        Self::spawn_into(command, Stdio::piped(), silence, listener)
    }

    /// The same, for a command whose stdout another one [reads](inherit).
    ///
    /// # Errors
    /// As for [`Child::spawn`].
    pub fn spawn_feeding(
        command: Command,
        pipe: PipeWriter,
        listener: impl FnMut(&str) + Send + 'static,
    ) -> Result<Self, ProcessError> {
        Self::spawn_into(command, pipe.into(), None, listener)
    }

    fn spawn_into(
        mut command: Command,
        stdout: Stdio,
        silence: Option<Duration>,
        listener: impl FnMut(&str) + Send + 'static,
    ) -> Result<Self, ProcessError> {
        let name = command.get_program().to_string_lossy().into_owned();
        command.stdout(stdout).stderr(Stdio::piped());
        // Locked over both, so that no child is started that nobody would end.
        let mut running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
        let mut child = command.spawn().map_err(|e| match e.kind() {
            io::ErrorKind::NotFound => ProcessError::NotFound(name.clone()),
            _ => ProcessError::Spawn(name.clone(), e),
        })?;
        running.insert(child.id());
        drop(running);
        let watchdog = silence.map(|limit| Watchdog::new(limit, vec![child.id()]));
        let stdout = child.stdout.take().map(|pipe| Stdout::new(pipe, watchdog));
        let stderr = child.stderr.take().map(|pipe| Stderr::new(pipe, listener));
        Ok(Self { name, child, stdout, stderr, silence, ended: false })
    }

    /// The work of other children counts as a sign of life of this one: it waits for them.
    pub fn waits_for(&mut self, others: impl IntoIterator<Item = u32>) {
        if let Some(watchdog) = self.stdout.as_mut().and_then(|stdout| stdout.watchdog.as_mut()) {
            watchdog.counts(others);
        }
    }

    /// Its process ID, for [`kill`].
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Its stdout, once.
    pub fn stdout(&mut self) -> Stdout {
        self.stdout.take().unwrap_or_else(Stdout::closed)
    }

    /// Waits for its end.
    ///
    /// # Errors
    /// When it doesn't end, or the system can't tell how it ended.
    pub fn wait(mut self) -> Result<Finished, ProcessError> {
        // A child that nobody reads from would wait for ever.
        if let Some(mut stdout) = self.stdout.take() {
            io::copy(&mut stdout, &mut io::sink()).map_err(|e| self.read_error(e))?;
        }
        self.has_ended_in_time()?;
        self.leave();
        let status = self.child.wait().map_err(|e| ProcessError::Read(self.name.clone(), e))?;
        self.ended = true;
        let stderr = self.stderr.take().map(Stderr::last_lines).unwrap_or_default();
        Ok(Finished { status, stderr })
    }

    /// One that has closed its stdout may go on all the same.
    fn has_ended_in_time(&self) -> Result<(), ProcessError> {
        let Some(limit) = self.silence else { return Ok(()) };
        let (tell, ended) = channel();
        let id = self.id();
        thread::spawn(move || {
            await_end(id);
            // Nobody asks any more.
            let _ = tell.send(());
        });
        match Watchdog::new(limit, vec![id]).receive(&ended) {
            Err(RecvTimeoutError::Timeout) => Err(ProcessError::Stalled(self.name.clone(), limit)),
            _ => Ok(()),
        }
    }

    /// Waits until it has ended. Then nobody shall end it any more.
    fn leave(&self) {
        await_end(self.id());
        RUNNING.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.id());
    }

    /// What an error from reading [`Child::stdout`] means.
    pub fn read_error(&self, error: io::Error) -> ProcessError {
        match error.get_ref().and_then(|inner| inner.downcast_ref::<Silence>()) {
            Some(Silence(limit)) => ProcessError::Stalled(self.name.clone(), *limit),
            None => ProcessError::Read(self.name.clone(), error),
        }
    }
}

/// Waits until a child has ended, but not for its status: as long as nobody has that, its
/// number is no other's.
fn await_end(id: u32) {
    if let Some(pid) = i32::try_from(id).ok().and_then(Pid::from_raw) {
        let _ = waitid(WaitId::Pid(pid), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT);
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        if !self.ended {
            // The whole group: what a wrapper script has started may outlive it.
            kill_group(self.id());
            self.leave();
            let _ = self.child.wait();
        }
    }
}

/// Runs a command to its end and gives its whole stdout: for short answers.
///
/// # Errors
/// When it can't be started or stays silent for `silence`.
pub fn output(command: Command, silence: Duration) -> Result<(Finished, Vec<u8>), ProcessError> {
    let mut child = Child::spawn(command, Some(silence))?;
    let mut bytes = Vec::new();
    child.stdout().read_to_end(&mut bytes).map_err(|e| child.read_error(e))?;
    Ok((child.wait()?, bytes))
}

#[cfg(test)]
mod tests {
    use super::streams::STDERR_LINES;
    use super::*;
    use std::sync::Arc;

    fn shell(script: &str) -> Command {
        let mut sh = command("sh");
        sh.args(["-c", script]);
        sh
    }

    #[test]
    fn stdout_and_the_end_of_stderr() {
        let (finished, out) =
            output(shell("echo out; seq 100 >&2; exit 3"), Duration::from_secs(30)).unwrap();
        assert_eq!(out, b"out\n");
        assert_eq!(finished.describe(), "exit status 3");
        assert_eq!(finished.stderr.first().map(String::as_str), Some("81"));
        assert_eq!(finished.stderr.last().map(String::as_str), Some("100"));
    }

    #[test]
    fn megabytes_on_stderr_are_no_trouble() {
        let (finished, _) = output(shell("yes | head -c 5000000 >&2"), Duration::from_secs(30)).unwrap();
        assert_eq!(finished.stderr.len(), STDERR_LINES);
    }

    #[test]
    fn a_listener_hears_every_line() {
        let heard = Arc::new(Mutex::new(0));
        let listener = {
            let heard = Arc::clone(&heard);
            move |line: &str| *heard.lock().unwrap() += line.parse::<u32>().unwrap()
        };
        Child::spawn_heard(shell("seq 100 >&2"), None, listener).unwrap().wait().unwrap();
        assert_eq!(*heard.lock().unwrap(), 5050);
    }

    #[test]
    fn silence_ends_the_child() {
        // Opening a fifo that nobody writes to waits for ever.
        let fifo = std::env::temp_dir().join(format!("tw-core-silence-{}", std::process::id()));
        let script = format!("mkfifo {0}; exec cat {0}", fifo.display());
        let error = output(shell(&script), Duration::from_millis(300)).unwrap_err();
        std::fs::remove_file(&fifo).unwrap();
        assert!(matches!(error, ProcessError::Stalled(..)), "{error}");
    }

    #[test]
    fn one_that_closes_its_stdout_and_goes_on_is_ended() {
        let fifo = std::env::temp_dir().join(format!("tw-core-closed-{}", std::process::id()));
        let script = format!("mkfifo {0}; exec >/dev/null; exec cat {0}", fifo.display());
        let error = output(shell(&script), Duration::from_millis(300)).unwrap_err();
        std::fs::remove_file(&fifo).unwrap();
        assert!(matches!(error, ProcessError::Stalled(..)), "{error}");
    }

    #[test]
    fn what_a_script_leaves_running_is_not_waited_for() {
        let fifo = std::env::temp_dir().join(format!("tw-core-left-{}", std::process::id()));
        let script = format!("mkfifo {0}; cat {0} >/dev/null & echo said >&2", fifo.display());
        let (finished, _) = output(shell(&script), Duration::from_secs(30)).unwrap();
        assert_eq!(finished.stderr, ["said"]);
        // Opened and closed: the one that waits for it ends.
        drop(std::fs::File::options().write(true).open(&fifo).unwrap());
        std::fs::remove_file(&fifo).unwrap();
    }

    #[test]
    fn a_missing_program_has_its_own_line() {
        let error = Child::spawn(command("tw-no-such-program"), None).unwrap_err();
        assert!(error.to_string().starts_with("tw-no-such-program not found: install ffmpeg"));
    }

    #[test]
    fn a_program_is_looked_for_without_being_started() {
        assert!(require("sh").is_ok());
        assert!(require("/bin/sh").is_ok());
        for missing in ["tw-no-such-program", "./sh", "/bin", "/etc/passwd"] {
            assert!(require(missing).is_err(), "{missing}");
        }
    }

    #[test]
    fn credentials_stay_here() {
        let mut env = shell("env");
        env.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        let removed: Vec<_> =
            env.get_envs().filter(|(_, v)| v.is_none()).map(|(k, _)| k.to_owned()).collect();
        for secret in SECRETS {
            assert!(removed.iter().any(|k| k == secret), "{secret}");
        }
    }
}
