//! Programs of a few lines of shell that take another one's place in a test.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

/// Writes a program, `text` in the shell's language, to `path`.
///
/// By another process: while this one writes it, a test beside this one may start a
/// program, which inherits what is open until it has become that program, and a file that
/// is open for writing can't be run (execve(2), `ETXTBSY`). Another name for the time
/// doesn't help: it is the same file.
///
/// # Errors
/// When there is no shell, or the file can't be written.
pub fn stand_in(path: &Path, text: &str) -> Result<()> {
    let mut shell = Command::new("sh")
        .args(["-euc", "cat >\"$0.new\"; chmod 700 \"$0.new\"; mv \"$0.new\" \"$0\""])
        .arg(path)
        .stdin(Stdio::piped())
        .spawn()
        .context("cannot start sh")?;
    let mut input = shell.stdin.take().context("sh has no stdin")?;
    write!(input, "#!/bin/sh\n{text}\n")?;
    drop(input);
    ensure!(shell.wait()?.success(), "sh can't write {}", path.display());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_runs() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("program");
        stand_in(&path, "echo \"$1\"; exit 3").unwrap();
        let output = Command::new(&path).arg("it's me").output().unwrap();
        assert_eq!((output.stdout.as_slice(), output.status.code()), (&b"it's me\n"[..], Some(3)));
    }
}
