//! Recordings of which something can't be decoded.

use std::path::{Path, PathBuf};

use tw_testsignal::Video;

use crate::common::*;

/// A picture of 29 frames, with a key frame each second; `whole.mkv` is that.
fn picture(place: &Path) -> Video {
    let video = Video::new(1, 10.0).lasting_ms(2900).size(64, 48).key_every(10);
    video.write(place.join("whole.mkv")).unwrap();
    video
}

#[test]
fn a_recording_of_which_most_cannot_be_decoded_fails_its_room() {
    let place = place();
    let damaged = picture(place.folder()).damaged(5..29);
    damaged.write(place.folder().join("damaged.mkv")).unwrap();
    let input = records(ROOM, &[("video", "whole.mkv"), ("video", "damaged.mkv")]);
    let usual = PathBuf::from("ffmpeg");
    // As 7.1 does, which never gives up for what it can't decode.
    let patient = script(&place, "patient", "ffmpeg \"$@\" || test $? -eq 69");
    let runs = [(&usual, "0"), (&usual, "1"), (&usual, "1"), (&patient, "0")];
    for (ffmpeg, chunk) in runs {
        // The third run finds what the second has left, and comes to the same end.
        let mut command = compose(&place, &input);
        let (marked, said) = ends(command.args(["--chunk", chunk]).env("TW_FFMPEG", ffmpeg), 1);
        let (kind, message) = (&marked[0]["error"]["kind"], marked[0]["error"]["message"].as_str().unwrap());
        assert_eq!(kind, "media");
        assert!(message.contains("most of damaged.mkv (alice) can't be decoded (24 packets)"), "{message}");
        assert!(message.contains("--allow-incomplete"), "{message}");
        assert_eq!(said.lines().count(), 1, "{said}");
        assert!(!place.folder().join("out/room.webm").exists());
    }
    let (made, said) = ends(compose(&place, &input).args(["--chunk", "1", "--allow-incomplete"]), 0);
    assert_eq!(made[0]["status"], "completed");
    assert!(said.contains("composed without most of damaged.mkv (alice)"), "{said}");
    assert_eq!(names(&place.folder().join("out")), ["room.webm"]);
}

#[test]
fn a_recording_that_is_damaged_somewhere_is_composed_and_said() {
    let place = place();
    picture(place.folder()).damaged(12..14).write(place.folder().join("damaged.mkv")).unwrap();
    let input = records(ROOM, &[("video", "whole.mkv"), ("video", "damaged.mkv")]);
    for args in [["--chunk", "0"], ["--chunk", "1"]] {
        let (made, said) = ends(compose(&place, &input).args(args).arg("--overwrite"), 0);
        assert_eq!(made[0]["status"], "completed");
        let expected = format!(
            "tw-ffcmd: {ROOM}: 2 packets of damaged.mkv (alice) can't be decoded: what they hold is missing"
        );
        assert_eq!(said.trim(), expected);
        assert_eq!(names(&place.folder().join("out")), ["room.webm"]);
    }
}

#[test]
fn a_recording_that_broke_off_after_it_was_probed() {
    let place = place();
    let input = room(&place).replace(r#""path":"alice.mka""#, r#""path":"alice.mka","bytes":1000000"#);
    assert!(input.contains("1000000"));
    for chunk in ["0", "1"] {
        let (marked, said) = ends(compose(&place, &input).args(["--chunk", chunk]), 1);
        let (kind, message) = (&marked[0]["error"]["kind"], marked[0]["error"]["message"].as_str().unwrap());
        assert_eq!(kind, "media");
        assert!(message.contains("alice.mka (alice) has "), "{message}");
        assert!(message.contains(" bytes of 1000000: fetch it again"), "{message}");
        assert_eq!(said.lines().count(), 1, "{said}");
        assert!(names(&place.folder().join("out")).is_empty());
    }
    let (made, said) = ends(compose(&place, &input).arg("--allow-incomplete"), 0);
    assert_eq!(made[0]["status"], "completed");
    assert!(said.contains("alice.mka (alice) has ") && said.contains("the rest of it is missing"), "{said}");
    // What is there already is kept, also when its recordings are gone.
    let (made, _) = ends(&mut compose(&place, &input), 0);
    assert_eq!(made[0]["status"], "completed");
}
