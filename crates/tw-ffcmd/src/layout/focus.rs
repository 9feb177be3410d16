//! One participant large, the others in a strip below.

use tw_core::failure::{ErrorKind, Failure};

use super::cells::grid;
use super::seats::{Seat, cells_for, follows, seats};
use super::{Canvas, Placement, Rect};
use crate::room::{Kind, Room, Track};

/// The strip takes a fifth of the canvas' height.
const STRIP: u32 = 5;

/// Places everybody, `who` on top.
///
/// # Errors
/// When nobody is called so, or the others don't fit below.
pub fn place(room: &Room, canvas: Canvas, who: &str) -> Result<Vec<Placement>, Failure> {
    // Who comes again may be another participant to Twilio, and so has another seat. A second
    // picture at the same time, a screen beside the camera, joins the others.
    let mut large: Vec<Seat> = Vec::new();
    let (mut small, called): (Vec<Seat>, Vec<Seat>) = seats(room)
        .into_iter()
        .partition(|seat| !seat.tracks.iter().any(|&track| is_called(&room.tracks[track], who)));
    for seat in called {
        let is_free =
            large.iter().all(|other| !other.span.overlaps(seat.span) || follows(seat.span, other.span));
        if is_free { large.push(seat) } else { small.push(seat) }
    }
    if large.is_empty() {
        return Err(nobody(room, who));
    }
    small.sort_by_key(|seat| seat.span.from);

    let (width, height) = (canvas.size.width, canvas.size.height);
    let strip_height = if small.is_empty() { 0 } else { (height / STRIP) & !1 };
    let spacing = if small.is_empty() { 0 } else { canvas.spacing };
    let rest = height.saturating_sub(strip_height).saturating_sub(spacing);
    let stage = grid(Rect { x: 0, y: 0, width, height: rest }, 1, 1, 0)?[0];
    let strip = Rect { x: 0, y: height - strip_height, width, height: strip_height };

    let (cell_of, count) = cells_for(&small);
    let cells = if count == 0 { Vec::new() } else { grid(strip, count, 1, canvas.spacing)? };
    let placed = |track: usize, cell: Rect| Placement { track, cell, span: room.tracks[track].span, z: 0 };
    let on_stage = large.iter().flat_map(|seat| &seat.tracks).map(|&track| placed(track, stage));
    let in_strip = small
        .iter()
        .zip(&cell_of)
        .flat_map(|(seat, &cell)| seat.tracks.iter().map(move |&track| (track, cell)))
        .map(|(track, cell)| placed(track, cells[cell]));
    Ok(on_stage.chain(in_strip).collect())
}

fn is_called(track: &Track, who: &str) -> bool {
    [&track.identity, &track.participant_sid, &track.name, &track.source_sid, &track.sid]
        .into_iter()
        .flatten()
        .any(|name| name == who)
        || track.caption() == who
}

fn nobody(room: &Room, who: &str) -> Failure {
    let mut names: Vec<String> =
        room.tracks.iter().filter(|t| t.kind == Kind::Video).map(Track::caption).collect();
    names.sort();
    names.dedup();
    let shown = if names.is_empty() { "nobody".into() } else { names.join(", ") };
    Failure::new(
        ErrorKind::Field,
        format!("--layout focus={who}: nobody is called that; there is a picture of {shown}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::{Layout, Size};
    use crate::room::tests_support::track_of;

    const CANVAS: Canvas = Canvas { size: Size { width: 1000, height: 500 }, spacing: 2 };

    fn room() -> Room {
        Room {
            sid: None,
            tracks: ["alice", "bob", "carol"].iter().map(|who| track_of(who, 0, 1000)).collect(),
        }
    }

    #[test]
    fn one_large_the_others_below() {
        let placements = Layout::Focus("bob".into()).place(&room(), CANVAS).unwrap();
        assert_eq!(
            (placements[0].track, placements[0].cell),
            (1, Rect { x: 0, y: 0, width: 1000, height: 398 })
        );
        assert_eq!(placements[1].cell, Rect { x: 0, y: 400, width: 498, height: 100 });
        assert_eq!(placements[2].cell, Rect { x: 500, y: 400, width: 500, height: 100 });
    }

    #[test]
    fn who_comes_again_as_another_participant_is_large_again() {
        let came = |who: &str, from, to| Track { name: Some("cam".into()), ..track_of(who, from, to) };
        let tracks = vec![
            came("PA1", 0, 300),
            track_of("bob", 0, 1000),
            came("PA2", 500, 1000),
            came("PA3", 600, 900),
        ];
        let room = Room { sid: None, tracks };
        let placements = Layout::Focus("cam".into()).place(&room, CANVAS).unwrap();
        let mut seen: Vec<_> = placements.iter().map(|p| (p.track, p.cell.y, p.cell.width)).collect();
        seen.sort_unstable();
        assert_eq!(seen, [(0, 0, 1000), (1, 400, 498), (2, 0, 1000), (3, 400, 500)]);
    }

    #[test]
    fn who_comes_again_a_moment_too_early_is_large_again() {
        let tracks = vec![
            Track { identity: Some("alice".into()), ..track_of("PA1", 0, 3000) },
            track_of("bob", 0, 9000),
            Track { identity: Some("alice".into()), ..track_of("PA2", 2400, 6000) },
            // Her screen, which is there together with her camera.
            Track { identity: Some("alice".into()), ..track_of("PA2", 4000, 7000) },
        ];
        let room = Room { sid: None, tracks };
        let placements = Layout::Focus("alice".into()).place(&room, CANVAS).unwrap();
        let mut large: Vec<_> = placements.iter().filter(|p| p.cell.y == 0).map(|p| p.track).collect();
        large.sort_unstable();
        assert_eq!(large, [0, 2]);
    }

    #[test]
    fn no_room_for_the_stage() {
        for spacing in [390, 400, u32::MAX] {
            let room = Room { sid: None, tracks: room().tracks[..2].to_vec() };
            let error = Layout::Focus("bob".into()).place(&room, Canvas { spacing, ..CANVAS }).unwrap_err();
            assert!(error.message.starts_with("1x1 cells don't fit into 1000x"), "{error}");
        }
    }

    #[test]
    fn nobody_of_that_name() {
        let error = Layout::Focus("dave".into()).place(&room(), CANVAS).unwrap_err();
        assert!(error.message.ends_with("there is a picture of alice, bob, carol"), "{error}");
    }

    #[test]
    fn alone_on_the_whole_canvas() {
        let alone = Room { sid: None, tracks: vec![track_of("alice", 0, 1)] };
        let placements = Layout::Focus("alice".into()).place(&alone, CANVAS).unwrap();
        assert_eq!(placements[0].cell, Rect { x: 0, y: 0, width: 1000, height: 500 });
    }
}
