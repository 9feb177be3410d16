//! The user's own program that fetches from the user's own bucket: `--external`.
//!
//! It is run without a shell. The command is split into words once, by the quoting
//! rules of a POSIX shell; what stands in braces is then filled in within its word,
//! whatever it holds.

use std::io::{self, Read};
use std::path::Path;
use std::str::FromStr;

use anyhow::anyhow;
use tw_core::process::{self, Child, ProcessError};
use tw_core::{ErrorKind, Failure, Record};

use crate::object::Object;
use crate::template::{self, Piece};

/// So much of the program's stdout is kept: metadata of an object has at most 2 kB.
const STDOUT_BYTES: u64 = 64 << 10;
/// So many of the last lines of its stderr are said when it fails.
const STDERR_LINES: usize = 3;
/// A message is cut after so many characters.
const LONGEST_MESSAGE: usize = 400;

/// The command, read from `--external`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct External {
    program: String,
    words: Vec<Vec<Piece>>,
}

impl FromStr for External {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let words = shlex::split(text).ok_or("a quote that isn't closed")?;
        let (program, words) = words.split_first().ok_or("no command")?;
        if program.is_empty() || program.contains(['{', '}']) {
            return Err("the first word is the program, and is not made of fields".into());
        }
        let words = words.iter().map(|word| template::pieces(word)).collect::<Result<Vec<_>, _>>()?;
        if !words.iter().flatten().any(|piece| *piece == Piece::Field("path".into())) {
            return Err("no {path}, the file that the program has to write".into());
        }
        Ok(Self { program: program.clone(), words })
    }
}

impl External {
    /// Makes sure that the program is there.
    ///
    /// # Errors
    /// When it isn't: wrong set-up.
    pub(crate) fn require(&self) -> anyhow::Result<()> {
        process::require(&self.program).map_err(|_| anyhow!("--external: {} not found", self.program))
    }

    /// Runs the program for one object, which it has to write to `path`. Gives what
    /// it wrote to stdout: the object's metadata, perhaps. It takes the time it takes.
    ///
    /// # Errors
    /// When it can't be run, or ends with another status than 0.
    pub(crate) fn run(&self, record: &Record, object: &Object, path: &Path) -> Result<String, Failure> {
        let mut command = process::command(&self.program);
        command.args(self.arguments(record, object, path)?);
        self.output(command).map_err(|message| {
            let mut message = format!("--external: {}: {message}", self.program);
            if let Some((end, _)) = message.char_indices().nth(LONGEST_MESSAGE) {
                message.truncate(end);
                message.push('…');
            }
            Failure::new(ErrorKind::External, message)
        })
    }

    fn output(&self, command: std::process::Command) -> Result<String, String> {
        let mut child = Child::spawn(command, None).map_err(|error| match error {
            ProcessError::NotFound(_) => "not found".into(),
            error => error.to_string(),
        })?;
        let mut stdout = child.stdout();
        let mut said = Vec::new();
        let read = stdout.by_ref().take(STDOUT_BYTES).read_to_end(&mut said);
        read.and_then(|_| io::copy(&mut stdout, &mut io::sink())).map_err(|e| e.to_string())?;
        let finished = child.wait().map_err(|e| e.to_string())?;
        if finished.status.success() {
            return Ok(String::from_utf8_lossy(&said).into_owned());
        }
        let last = &finished.stderr[finished.stderr.len().saturating_sub(STDERR_LINES)..];
        let last: Vec<&str> = last.iter().map(|line| line.trim()).collect();
        Err(if last.is_empty() {
            format!("{}, without a word", finished.describe())
        } else {
            format!("{}: {}", finished.describe(), last.join("; "))
        })
    }

    /// The words after the program's name, filled in.
    fn arguments(&self, record: &Record, object: &Object, path: &Path) -> Result<Vec<String>, Failure> {
        self.words.iter().map(|pieces| word(pieces, record, object, path)).collect()
    }
}

/// One word, filled in.
fn word(pieces: &[Piece], record: &Record, object: &Object, path: &Path) -> Result<String, Failure> {
    let mut word = String::new();
    for piece in pieces {
        let name = match piece {
            Piece::Text(text) => {
                word.push_str(text);
                continue;
            }
            Piece::Field(name) => name,
        };
        let value = match name.as_str() {
            "url" => object.url.clone(),
            "bucket" => object.bucket.clone(),
            "key" => object.key.clone(),
            // The folder's name may begin with -.
            "path" if path.is_relative() => Path::new(".").join(path).display().to_string(),
            "path" => path.display().to_string(),
            field => template::value(record, field, "the command", "--external")?,
        };
        // What comes from a record is never an option, nor two words for anybody.
        if value.contains(char::is_control) || (word.is_empty() && value.starts_with('-')) {
            let message = format!("{name} is {value:?}, which can't stand in --external's command");
            return Err(Failure::new(ErrorKind::Refused, message));
        }
        word.push_str(&value);
    }
    Ok(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(command: &str, record: &str) -> Result<Vec<String>, Failure> {
        let object = Object::parse("https://mine.s3.eu-west-1.amazonaws.com/video/RT1.mka").unwrap();
        let record = Record::parse(record).unwrap();
        command.parse::<External>().unwrap().arguments(&record, &object, Path::new("-d/x y"))
    }

    #[test]
    fn fields_stay_in_their_words() {
        assert_eq!(
            arguments(
                "aws s3 cp 's3://{bucket}/{key}' {path} --x='{track_name} b'",
                r#"{"track_name":"a $(b) 'c'"}"#
            )
            .unwrap(),
            ["s3", "cp", "s3://mine/video/RT1.mka", "./-d/x y", "--x=a $(b) 'c' b"]
        );
        assert_eq!(
            arguments("curl -o {path} {url}", "{}").unwrap()[2],
            "https://mine.s3.eu-west-1.amazonaws.com/video/RT1.mka"
        );
    }

    #[test]
    fn a_value_is_no_option() {
        for record in
            [r#"{"track_name":"-K/etc/x"}"#, r#"{"track_name":"a\nb"}"#, r#"{"track_name":"a\u0000"}"#]
        {
            assert_eq!(arguments("x {path} {track_name}", record).unwrap_err().kind, ErrorKind::Refused);
        }
        assert_eq!(arguments("x {path} -n{track_name}", r#"{"track_name":"-K"}"#).unwrap()[1], "-n-K");
        let failure = arguments("x {path} {track_name}", "{}").unwrap_err();
        assert_eq!(failure.kind, ErrorKind::Field);
        assert_eq!(failure.message, "no track_name for the command (--external)");
    }

    #[test]
    fn a_command_that_cannot_be_is_refused() {
        for text in [
            "",
            "  ",
            "curl",
            "curl {url}",
            "{path}",
            "curl {path",
            "curl '{path}",
            "'' {path}",
            "a {} {path}",
        ] {
            assert!(text.parse::<External>().is_err(), "{text:?}");
        }
    }
}
