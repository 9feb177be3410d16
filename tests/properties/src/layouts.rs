//! Files that hold a Compositions layout.

use serde_json::json;
use tw_core::Record;
use tw_core::input::Place;
use tw_ffcmd::layout::Size;
use tw_ffcmd::layout::compositions::request::Request;
use tw_ffcmd::room::Room;
use tw_ffcmd::rooms::Rooms;

/// A layout is either refused, with a reason for each fault, or places pictures
/// on the canvas alone, when their tracks run.
pub fn layout_file(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    let canvas = Size { width: 640, height: 480 };
    let regions = match Request::parse(text).and_then(|request| request.regions(canvas)) {
        Ok(regions) => regions,
        Err(faults) => {
            assert!(!faults.is_empty() && faults.iter().all(|fault| !fault.is_empty()));
            return;
        }
    };
    let room = room();
    let Ok(placements) = regions.place(&room) else { return };
    for placement in placements {
        let cell = placement.cell;
        assert!(cell.width > 0 && cell.height > 0, "{cell:?}");
        assert!(cell.x + cell.width <= canvas.width && cell.y + cell.height <= canvas.height, "{cell:?}");
        let span = room.tracks[placement.track].span;
        assert!(span.from <= placement.span.from && placement.span.to <= span.to, "{placement:?}");
    }
}

/// Three people, one after the other and side by side.
fn room() -> Room {
    let mut rooms = Rooms::default();
    for (name, from, to) in [("alice", 0, 9000), ("bob", 2000, 5000), ("carol", 6000, 8000)] {
        let record = Record::from_value(&json!({
            "sid": name, "track_name": name, "participant_identity": name, "type": "video", "path": name,
            "start_time_ms": 0, "end_time_ms": to - from, "relative_offset_ms": from,
        }));
        rooms.take(&record.expect("JSON"), &Place::default()).expect("whole");
    }
    rooms.sorted().rooms.swap_remove(0).room
}
