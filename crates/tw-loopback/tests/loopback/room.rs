//! The rooms to try the tools on: what is in their files, and when.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use tw_loopback::Room;

/// Where the rooms are, made once and kept between runs, as a user's are.
pub fn media() -> &'static Path {
    static MADE: OnceLock<PathBuf> = OnceLock::new();
    MADE.get_or_init(|| {
        let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("media");
        for room in [Room::tutorial()].iter().chain(&Room::small()) {
            room.make(&dir).unwrap();
        }
        dir
    })
}

/// The tutorial's file of `person`, with this ending. Those of an older way of
/// making them may lie beside it.
fn file(person: &str, ending: &str) -> PathBuf {
    media();
    Room::tutorial()
        .make(media())
        .unwrap()
        .iter()
        .filter_map(|recording| recording.path().map(Path::to_path_buf))
        .find(|path| {
            let name = path.file_name().unwrap().to_str().unwrap();
            name.starts_with(person) && name.ends_with(ending)
        })
        .unwrap()
}

fn output(program: &str, arguments: &[&str], path: &Path, more: &[&str]) -> Vec<u8> {
    let done =
        Command::new(program).args(["-v", "error"]).args(arguments).arg(path).args(more).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    done.stdout
}

#[test]
fn start_times_are_the_tutorials() {
    for (person, ending, start, created) in [
        ("alice", "mka", "1.564000", "2026-01-15T09:00:00.000000Z"),
        ("alice", "mkv", "1.584000", "2026-01-15T09:00:00.000000Z"),
        ("bob", "mka", "20.789000", "2026-01-15T09:00:19.000000Z"),
        ("bob", "mkv", "20.814000", "2026-01-15T09:00:19.000000Z"),
    ] {
        let show = ["-of", "csv=p=0", "-show_entries", "format=start_time:format_tags=creation_time"];
        let shown = output("ffprobe", &show, &file(person, ending), &[]);
        let shown = String::from_utf8(shown).unwrap();
        assert_eq!(shown.trim(), format!("{start},{created}"), "{person}.{ending}");
    }
}

#[test]
fn beeps_are_on_the_rooms_whole_seconds() {
    // The place on the room's timeline, and the first whole second with a beep.
    for (person, joined, first) in [("alice", 0.0, 1), ("bob", 19.226, 20)] {
        let raw = ["-f", "f32le", "-ac", "1", "-ar", "48000", "-"];
        let bytes = output("ffmpeg", &["-i"], &file(person, "mka"), &raw);
        let mut beeps = Vec::new();
        let mut last_loud = None;
        for (n, sample) in bytes.chunks_exact(4).enumerate() {
            let value = f32::from_le_bytes(sample.try_into().unwrap());
            if value.abs() > 0.05 {
                if last_loud.is_none_or(|last| n - last > 4800) {
                    beeps.push(joined + n as f64 / 48_000.0);
                }
                last_loud = Some(n);
            }
        }
        assert_eq!(beeps.len(), 40 - first, "{person}: {beeps:?}");
        for (n, beep) in beeps.iter().enumerate() {
            let expected = (first + n) as f64;
            assert!((beep - expected).abs() < 0.002, "{person}: {beep} for {expected}");
        }
    }
}

#[test]
fn bars_flash_on_the_rooms_whole_seconds() {
    for (person, joined_ms, frames) in [("alice", 20, 1200), ("bob", 19_251, 623)] {
        let bar = ["-vf", "crop=16:16:300:452,scale=1:1,format=gray", "-f", "rawvideo", "-"];
        let grey = output("ffmpeg", &["-i"], &file(person, "mkv"), &bar);
        assert_eq!(grey.len(), frames, "{person}");
        for (n, grey) in grey.iter().enumerate() {
            // 100 ms of each second, in thousandths of a frame's third of a second.
            let past = (joined_ms * 3 + n as i64 * 100) % 3000;
            assert_eq!(*grey > 160, past < 300, "{person}: frame {n} is {grey}");
        }
    }
}

#[test]
fn what_is_made_is_not_made_again() {
    let path = file("alice", "mka");
    assert_eq!(path.parent().unwrap(), media().join("tutorial"));
    let before = path.metadata().unwrap().modified().unwrap();
    assert_eq!(file("alice", "mka").metadata().unwrap().modified().unwrap(), before);
}
