//! A place in which the tools are run as users run them, and nothing of the
//! user's own gets in.

use std::io::{Seek, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use anyhow::{Context, Result};
use tempfile::TempDir;

/// What the tools may know of the environment in which the tests run.
const LET_IN: [&str; 3] = ["PATH", "TW_FFMPEG", "TW_FFPROBE"];

/// A folder of its own, which goes away with it, and the tools that were built.
#[derive(Debug)]
pub struct Environment {
    folder: TempDir,
}

impl Environment {
    /// # Errors
    /// If the folder can't be made.
    pub fn new() -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("tw-test").tempdir().context("no temporary folder")?;
        Ok(Self { folder })
    }

    /// The folder; the tools work in it.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Leaves the folder where it is, to be looked at.
    #[must_use]
    pub fn keep(self) -> PathBuf {
        self.folder.keep()
    }

    /// A tool, ready to be run in the folder.
    ///
    /// # Errors
    /// If it has not been built.
    pub fn tool(&self, name: &str) -> Result<Command> {
        let mut command = Command::new(binary(name)?);
        command.current_dir(self.folder()).env_clear().env("HOME", self.folder()).env("LC_ALL", "C.UTF-8");
        for name in LET_IN {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        Ok(command)
    }

    /// Runs a tool with that text on its stdin, to its end.
    ///
    /// # Errors
    /// If it can't be started. How it ended is in the result.
    pub fn filter(&self, tool: &str, arguments: &[String], text: &[u8]) -> Result<Output> {
        // From a file, so that a tool that doesn't read its stdin can't make us wait.
        let mut stdin = tempfile::tempfile()?;
        stdin.write_all(text)?;
        stdin.rewind()?;
        let mut command = self.tool(tool)?;
        command.args(arguments).stdin(Stdio::from(stdin));
        command.output().with_context(|| format!("can't start {tool}"))
    }
}

impl Environment {
    /// A script for bash, run beside a Twilio on loopback that serves the made-up
    /// rooms, with the tools on PATH.
    ///
    /// # Errors
    /// If it can't be started. How it ended is in the result.
    pub fn with_twilio(&self, script: &str) -> Result<Output> {
        let loopback = binary("tw-loopback")?;
        let tools = loopback.parent().context("no folder")?;
        let path = std::env::var_os("PATH").unwrap_or_default();
        let path =
            std::env::join_paths(std::iter::once(tools.to_owned()).chain(std::env::split_paths(&path)))?;
        let mut command = self.tool("tw-loopback")?;
        // The rooms are made once for all tests.
        command.arg("--media").arg(tools.join("loopback-media"));
        command.args(["--", "bash", "-c", script]).env("PATH", path).stdin(Stdio::null());
        command.output().context("can't start tw-loopback")
    }
}

/// Where cargo has put a program of this workspace: beside our own, or above it
/// where that is a test in `deps`.
fn binary(name: &str) -> Result<PathBuf> {
    let own = std::env::current_exe()?;
    let file = format!("{name}{}", std::env::consts::EXE_SUFFIX);
    own.ancestors()
        .skip(1)
        .take(2)
        .map(|folder| folder.join(&file))
        .find(|path| path.is_file())
        .with_context(|| format!("{name} is not built: run cargo build --workspace --bins"))
}
