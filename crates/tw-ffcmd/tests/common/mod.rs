//! What the tests of chunks share: rooms of test signals, ffmpeg's argument
//! lists as tw-ffcmd prints them, and an ffmpeg that can be watched.

#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use tw_testsignal::Room;

/// A folder with a room's records in it.
pub struct Bench {
    folder: tempfile::TempDir,
}

impl Bench {
    /// A new folder.
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    /// A path in it.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes the records down for tw-ffcmd.
    pub fn room(&self, room: &Room) {
        fs::write(self.path("room.jsonl"), room.json_lines()).unwrap();
    }

    /// tw-ffcmd on the room's records, not run yet.
    pub fn tool(&self, args: &[&str]) -> Command {
        let mut tool = Command::new(env!("CARGO_BIN_EXE_tw-ffcmd"));
        tool.current_dir(self.folder.path()).args(["-q", "room.jsonl"]).args(args);
        tool
    }

    /// The argument lists that tw-ffcmd prints.
    pub fn argvs(&self, args: &[&str]) -> Vec<Vec<String>> {
        let printed = done(&mut self.tool(args));
        let lines = String::from_utf8(printed.stdout).unwrap();
        let argv = |line: &str| {
            let job: Value = serde_json::from_str(line).unwrap();
            let words = job["argv"].as_array().unwrap().iter();
            words.map(|word| word.as_str().unwrap().to_owned()).collect()
        };
        lines.lines().map(argv).collect()
    }

    /// Runs an argument list in this folder.
    pub fn run(&self, argv: &[String]) -> Output {
        done(Command::new(&argv[0]).args(&argv[1..]).current_dir(self.folder.path()))
    }

    /// The hash of every frame that a file decodes to.
    pub fn frames_of(&self, file: &str) -> Vec<String> {
        let words = ["ffmpeg", "-v", "error", "-i", file, "-map", "0:v", "-f", "framemd5", "-"];
        hashes(&self.run(&words.map(str::to_owned)).stdout)
    }

    /// An ffmpeg that notes every file it makes and, once, kills whoever asked for
    /// it instead of making the second part of the picture.
    pub fn deadly_ffmpeg(&self) -> Ffmpeg {
        let (log, armed, program) = (self.path("made.log"), self.path("armed"), self.path("ffmpeg"));
        let script = format!(
            r#"for last; do :; done
case $last in
*picture-*)
    echo begun >>'{log}.pictures'
    if [ -e '{armed}' ] && [ "$(wc -l <'{log}.pictures')" = 2 ]; then
        rm '{armed}'
        kill -9 $PPID
        exit 1
    fi ;;
esac
ffmpeg "$@" || exit
case $last in *.mkv* | *.webm* | *.mp4*) echo "$last" >>'{log}' ;; esac
"#,
            log = log.display(),
            armed = armed.display(),
        );
        tw_testsignal::stand_in(&program, &script).unwrap();
        fs::write(&armed, "").unwrap();
        Ffmpeg { program, log }
    }

    /// The parts of an output that are there and whole.
    pub fn parts_of(&self, output: &str) -> Vec<String> {
        let folder = fs::read_dir(self.path(&format!(".{output}.parts"))).unwrap();
        let names = folder.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut whole: Vec<String> = names.filter(|name| !name.starts_with('.')).collect();
        whole.sort();
        whole
    }
}

/// A program in ffmpeg's place, and what it has made.
pub struct Ffmpeg {
    pub program: PathBuf,
    log: PathBuf,
}

impl Ffmpeg {
    /// The names of the files made since the last call, without the marks of a
    /// file that is still being written; sorted.
    pub fn made(&self) -> Vec<String> {
        let text = fs::read_to_string(&self.log).unwrap_or_default();
        let _ = fs::remove_file(&self.log);
        let mut names: Vec<String> = text.lines().map(final_name).collect();
        names.sort();
        names
    }
}

fn final_name(path: &str) -> String {
    let path = path.trim_start_matches("file:");
    let name = Path::new(path).file_name().unwrap().to_string_lossy().into_owned();
    // Scripts put the number of their process in front.
    let name = name.trim_start_matches('.').trim_end_matches(".part");
    let name = name.trim_end_matches(|c: char| c.is_ascii_digit() && !name.ends_with("mp4"));
    name.trim_end_matches('.').to_owned()
}

/// Runs a command that has to succeed.
pub fn done(command: &mut Command) -> Output {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    output
}

/// The last column of a `framemd5` listing.
pub fn hashes(listing: &[u8]) -> Vec<String> {
    let lines = std::str::from_utf8(listing).unwrap().lines().filter(|line| !line.starts_with('#'));
    lines.map(|line| line.rsplit(',').next().unwrap().trim().to_owned()).collect()
}
