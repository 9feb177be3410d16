//! The program: serve, run the command, end as it ends.

use std::ffi::OsString;
use std::io::{self, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use anyhow::Context;
use clap::Parser;
use rustix::process::{Pid, Signal, kill_process};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::cli::Cli;
use crate::recording::many;
use crate::room::Room;
use crate::server::Twilio;
use crate::sid::room_sid;

/// Wrong usage or set-up.
const SETUP: u8 = 2;

/// Reads the flags, runs, says what went wrong.
#[must_use]
pub fn main() -> ExitCode {
    match run(&Cli::parse()) {
        Ok(status) => ExitCode::from(status),
        Err(error) => {
            // Where stderr is gone too, only the status is left to tell.
            let _ = writeln!(io::stderr(), "tw-loopback: {error:#}");
            ExitCode::from(SETUP)
        }
    }
}

fn run(cli: &Cli) -> anyhow::Result<u8> {
    // Before anything starts, so that no signal finds us without an ear.
    let signals = Signals::new([SIGINT, SIGTERM])?;
    let media = match &cli.media {
        Some(dir) => dir.clone(),
        None => cache_folder()?,
    };
    let tutorial = Room::tutorial();
    let small = Room::small();
    let mut server = Twilio::builder().recordings(tutorial.make(&media)?);
    for room in &small {
        server = server.recordings(room.make(&media)?);
    }
    let big = room_sid("big");
    if cli.recordings > 0 {
        let mut recordings = many(&big, cli.recordings);
        if let Some(file) = &cli.recording_media {
            let bytes = file.metadata().with_context(|| format!("cannot read {}", file.display()))?.len();
            recordings = recordings.into_iter().map(|recording| recording.file(file).size(bytes)).collect();
        }
        server = server.recordings(recordings);
    }
    let twilio = server.start().context("cannot listen on 127.0.0.1")?;

    let mut environment: Vec<(&str, String)> =
        twilio.env().map(|(name, value)| (name, value.to_owned())).to_vec();
    environment.push(("ROOM", tutorial.sid()));
    environment.push(("ROOMS", small.map(|room| room.sid()).join(" ")));
    if cli.recordings > 0 {
        environment.push(("BIG_ROOM", big));
    }
    match cli.command.split_first() {
        Some((program, arguments)) => wait_for(program, arguments, &environment, signals),
        None => serve(cli.json, &environment, signals),
    }
}

/// `$XDG_CACHE_HOME/tw-loopback`, or what the XDG Base Directory Specification
/// says in its place.
fn cache_folder() -> anyhow::Result<PathBuf> {
    let folder = |name| std::env::var_os(name).filter(|value| !value.is_empty());
    let cache = folder("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .or_else(|| folder("HOME").map(|home| PathBuf::from(home).join(".cache")))
        .context("neither XDG_CACHE_HOME nor HOME is set: say --media DIR")?;
    Ok(cache.join("tw-loopback"))
}

fn wait_for(
    program: &OsString,
    arguments: &[OsString],
    environment: &[(&str, String)],
    mut signals: Signals,
) -> anyhow::Result<u8> {
    let mut child = Command::new(program)
        .args(arguments)
        .envs(environment.iter().map(|(name, value)| (name, value)))
        .spawn()
        .with_context(|| format!("cannot run {}", program.display()))?;
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    let listening = signals.handle();
    let status = std::thread::scope(|threads| {
        threads.spawn(move || {
            for signal in signals.forever() {
                // A terminal sends Ctrl-C to the command as well; we only outlive it.
                if let (SIGTERM, Some(pid)) = (signal, pid) {
                    // Ended in the meantime, it needs no signal.
                    let _ = kill_process(pid, Signal::TERM);
                }
            }
        });
        let status = child.wait();
        listening.close();
        status
    })?;
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal));
    Ok(code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1))
}

fn serve(json: bool, environment: &[(&str, String)], mut signals: Signals) -> anyhow::Result<u8> {
    let mut text = String::new();
    if json {
        let object: serde_json::Map<String, serde_json::Value> =
            environment.iter().map(|(name, value)| ((*name).to_owned(), value.as_str().into())).collect();
        text.push_str(&serde_json::Value::Object(object).to_string());
        text.push('\n');
    } else {
        for (name, value) in environment {
            let value = shlex::try_quote(value)?;
            text.push_str(&format!("export {name}={value}\n"));
        }
    }
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()).context("cannot write to stdout")?;
    // Asked to end, it has done all that was asked of it.
    signals.forever().next();
    Ok(0)
}
