//! What is measured where a camera is off, and where somebody comes back.

#![allow(clippy::unwrap_used, clippy::print_stderr)]

use tw_testsignal::{Cell, Composition, Gaps, Rect, Report, Room, Tolerance, Video, Wrong, ffmpeg, measure};

const CELL: Rect = Rect { x: 40, y: 20, width: 120, height: 80 };

/// Alice has her camera on for a second, off for one and on for another; half a
/// second after she has left she is back with a new track. From `start_s` on,
/// what is told by `black`, an expression of ffmpeg's in seconds `t`, is black.
fn report(gaps: Gaps, black: &str, start_s: f64) -> Report {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let first = Video::new(1, 20.0).start_ms(100).lasting_ms(3000).without(1000..2000);
    let first = first.write(at("first.mkv")).unwrap();
    // Portrait, on a clock that begins at the same time as that of the first.
    let second = Video::new(1, 20.0).start_ms(100).lasting_ms(1000).size(90, 160);
    let second = second.write(at("second.mkv")).unwrap();
    let inputs = [first.path.clone(), second.path.clone()];
    let mut room = Room::new(2);
    let tracks = [room.add("alice", 0, first), room.add("alice", 3500, second)];

    let scale = "scale=120:80:force_original_aspect_ratio=decrease,setsar=1";
    let over = "overlay=x=40+(120-w)/2:y=20+(80-h)/2:eof_action=pass";
    let graph = format!(
        "color=c=black:s=200x120:r=30:d=4.6[c];\
         [0:v]setpts=PTS-STARTPTS,{scale}[a];[1:v]setpts=PTS-STARTPTS+3.5/TB,{scale}[b];\
         [c][a]{over}[d];[d][b]{over},drawbox=color=black:t=fill:enable='{black}',\
         trim=start={start_s},setpts=PTS-STARTPTS"
    );
    let paths = inputs.map(|path| path.to_str().unwrap().to_owned());
    let output = at("out.mkv");
    let mut arguments = vec!["-i", &paths[0], "-i", &paths[1], "-filter_complex", &graph];
    arguments.extend(["-pix_fmt", "yuv420p", "-c:v", "libx264", "-preset", "ultrafast"]);
    arguments.extend(["-y", output.to_str().unwrap()]);
    ffmpeg::pipe(&arguments, |_| Ok(())).unwrap();

    let composition = Composition::new(output, 30.0)
        .size(200, 120)
        .frames(138 - (30.0 * start_s) as usize)
        .start_ms(1000.0 * start_s)
        .gaps(gaps)
        .silent()
        .cell(Cell::new(CELL, tracks));
    let report = measure(&room, &composition, &Tolerance::default()).unwrap();
    eprintln!("{report}");
    report
}

const BLACK: Gaps = Gaps::Black { longer_than_ms: 500.0 };

#[test]
fn the_last_frame_stays_unless_black_is_wanted() {
    assert_eq!(report(Gaps::LastFrame, "0", 0.0).violations, [""; 0]);
    let stays = report(BLACK, "0", 0.0);
    assert!((26..=29).contains(&stays.cells[0].wrong[&Wrong::Off].len()));

    let off = "between(t,1.0,1.99)";
    assert_eq!(report(BLACK, off, 0.0).violations, [""; 0]);
    let hole = report(Gaps::LastFrame, off, 0.0);
    assert!((27..=31).contains(&hole.cells[0].count(Wrong::Hole)));
    // Black for longer than the gap.
    assert!(report(BLACK, "between(t,0.8,1.99)", 0.0).cells[0].count(Wrong::Hole) > 2);
}

#[test]
fn a_window_is_measured_from_its_start() {
    let window = report(Gaps::LastFrame, "0", 0.5);
    assert_eq!(window.violations, [""; 0]);
    assert_eq!(window.frames, 123);
}
