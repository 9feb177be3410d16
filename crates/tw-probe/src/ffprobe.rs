//! Running ffprobe on one file, as what it must be and with nothing in reach but it.

use std::ffi::OsString;
use std::fs;
use std::io::{self, BufReader, Read};
use std::sync::OnceLock;
use std::time::Duration;

use tw_core::process::{self, Child, Finished, ProcessError};
use tw_core::time::Micros;
use tw_core::{ErrorKind, Failure, version};

use crate::report::{ENTRIES, Report};

/// How long `ffprobe -version` may take.
const VERSION_SILENCE: Duration = Duration::from_secs(10);

/// The program, and how it is to be used.
#[derive(Debug)]
pub struct Ffprobe {
    program: OsString,
    silence: Duration,
    /// A greater distance between packets is noted as a gap.
    gap: Micros,
    /// Set by the first failure: what is wrong with the program itself, if anything is.
    too_old: OnceLock<Option<String>>,
}

/// What came of one file.
#[derive(Debug)]
pub struct Answer {
    /// What ffprobe said.
    pub report: Report,
    /// What it found wrong with the container and went on: `File ended prematurely`.
    pub complaint: Option<String>,
}

impl Ffprobe {
    /// The program that `TW_FFPROBE` names, else `ffprobe` on PATH.
    ///
    /// # Errors
    /// When there is none.
    pub fn find(silence: Duration, gap: Micros) -> Result<Self, ProcessError> {
        let program = process::program("TW_FFPROBE", "ffprobe");
        process::require(&program)?;
        Ok(Self { program, silence, gap, too_old: OnceLock::new() })
    }

    /// What is wrong with the program, as far as a failure gave reason to look.
    pub fn too_old(&self) -> Option<&str> {
        self.too_old.get()?.as_deref()
    }

    /// Reads the file at `path` as Matroska.
    ///
    /// # Errors
    /// When it isn't there, is no Matroska file, or ffprobe fails or hangs.
    pub fn read(&self, path: &str) -> Result<Answer, Failure> {
        check_file(path)?;
        if let Some(old) = self.too_old() {
            return Err(Failure::new(ErrorKind::Ffmpeg, old));
        }
        let (report, finished) =
            self.run(path).map_err(|e| Failure::new(ErrorKind::Ffmpeg, e.to_string()))?;
        let complaint = finished.stderr.iter().rev().find_map(|line| of_container(line)).map(str::to_owned);
        if finished.status.success() && report.is_complete {
            return Ok(Answer { report, complaint });
        }
        if let Some(old) = self.too_old.get_or_init(|| self.outdated()) {
            return Err(Failure::new(ErrorKind::Ffmpeg, old));
        }
        if finished.status.success() {
            let program = self.program.display();
            let what = format!("{program} said nothing about {path}: is it ffprobe? (TW_FFPROBE)");
            return Err(Failure::new(ErrorKind::Ffmpeg, what));
        }
        if breaks_off_at_once(&finished, path) {
            check_readable(path)?;
            return Ok(Answer { report: Report::default(), complaint: None });
        }
        Err(why(&finished, path))
    }

    fn run(&self, path: &str) -> Result<(Report, Finished), ProcessError> {
        let mut command = process::command(&self.program);
        command.args(["-hide_banner", "-v", "error"]);
        // Recordings are strangers' media: a playlist or a script that poses as
        // one must not lead to other files or hosts.
        command.args(["-protocol_whitelist", "file", "-f", "matroska"]);
        command.args(["-show_entries", ENTRIES, "-of", "compact"]);
        // With its protocol, a name is a name, whatever it begins with or holds.
        command.args(["-i", &format!("file:{path}")]);
        let mut child = Child::spawn(command, Some(self.silence))?;
        let stdout = BufReader::with_capacity(64 * 1024, child.stdout());
        let report = Report::read(stdout, self.gap).map_err(|e| child.read_error(e))?;
        Ok((report, child.wait()?))
    }

    /// Says so when the program is older than what we need.
    fn outdated(&self) -> Option<String> {
        let mut command = process::command(&self.program);
        command.arg("-version");
        let (finished, out) = process::output(command, VERSION_SILENCE).ok()?;
        let text = String::from_utf8_lossy(&out);
        let (program, (major, minor)) = (self.program.display(), version::OLDEST);
        match version::of(&text) {
            Some(version) if version::is_too_old(version) => Some(format!(
                "{program} is version {version}, but {major}.{minor} or newer is needed: update ffmpeg, or set TW_FFPROBE"
            )),
            // One that can't even say that has other reasons, and says them of each file.
            None if finished.status.success() => {
                Some(format!("{program} doesn't answer like ffprobe: install ffmpeg, or set TW_FFPROBE"))
            }
            _ => None,
        }
    }
}

/// What can be told without ffprobe, in clearer words than its own.
fn check_file(path: &str) -> Result<(), Failure> {
    let failed = |e| Failure::io(format_args!("cannot read {path}"), &e);
    let metadata = fs::metadata(path).map_err(failed)?;
    if !metadata.is_file() {
        let what = if metadata.is_dir() { "a folder" } else { "no regular file" };
        return Err(Failure::new(ErrorKind::Io, format!("cannot read {path}: it is {what}")));
    }
    if metadata.len() == 0 {
        return Err(Failure::new(ErrorKind::Media, format!("{path} is empty: fetch it again")));
    }
    fs::File::open(path).map(drop).map_err(failed)
}

/// A disk or a network that can't give the file's bytes looks to ffprobe like a file that ends.
fn check_readable(path: &str) -> Result<(), Failure> {
    let read = fs::File::open(path).and_then(|file| io::copy(&mut file.take(1 << 20), &mut io::sink()));
    read.map(drop).map_err(|e| Failure::io(format_args!("cannot read {path}"), &e))
}

/// A container that ends before its first cluster: a recorder that never got a packet.
fn breaks_off_at_once(finished: &Finished, path: &str) -> bool {
    matches!(of_file(finished, path), Some("End of file" | "Input/output error"))
}

/// What the last line says of the file, if it does. Of a name with line breaks, the end is in it.
fn of_file<'a>(finished: &'a Finished, path: &str) -> Option<&'a str> {
    let last = without_address(finished.stderr.last()?);
    let name = format!("file:{path}: ");
    last.strip_prefix(name.rsplit('\n').next()?)
}

/// Why ffprobe ended as it did. Its last line is about the file when that could
/// not be opened as what it should be; the lines before it speak of single bytes.
fn why(finished: &Finished, path: &str) -> Failure {
    let media = |message: String| Failure::new(ErrorKind::Media, message);
    match of_file(finished, path) {
        Some("Invalid data found when processing input") => {
            media(format!("{path} is not a Matroska file: take it away and fetch it again"))
        }
        Some(reason) => media(format!("{path} cannot be read as Matroska: {reason}")),
        None => {
            let said =
                finished.stderr.iter().map(|line| without_address(line)).collect::<Vec<_>>().join("; ");
            let said = if said.is_empty() { said } else { format!(": {said}") };
            Failure::new(ErrorKind::Ffmpeg, format!("ffprobe failed: {}{said}", finished.describe()))
        }
    }
}

/// The text of a line that is about the container. Those about a codec are left
/// out: that a recording begins without a key frame, say, is usual and no matter
/// of ours.
fn of_container(line: &str) -> Option<&str> {
    line.starts_with("[matroska").then(|| without_address(line))
}

/// A line without the `[matroska,webm @ 0x55…] ` before it.
fn without_address(line: &str) -> &str {
    match line.strip_prefix('[').and_then(|rest| rest.split_once("] ")) {
        Some((context, text)) if context.contains(" @ 0x") => text,
        _ => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_left_out_of_messages() {
        assert_eq!(
            without_address("[matroska,webm @ 0x55be7f3a0980] File ended prematurely"),
            "File ended prematurely"
        );
        assert_eq!(without_address("[x] y"), "[x] y");
    }

    #[test]
    fn only_what_is_wrong_with_the_container_is_told() {
        assert_eq!(
            of_container("[matroska,webm @ 0x55be] File ended prematurely"),
            Some("File ended prematurely")
        );
        assert_eq!(of_container("[vp8 @ 0x55be] Discarding interframe without a prior keyframe!"), None);
    }
}
