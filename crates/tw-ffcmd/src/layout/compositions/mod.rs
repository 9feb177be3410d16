//! Twilio's Compositions layouts: named regions, each a grid of cells that are
//! filled by start time (Twilio, "Specifying Video Layouts").
//!
//! - [`request`] takes a `VideoLayout`, or a whole Compositions request;
//! - [`region`] checks a region's fields against the canvas;
//! - [`sources`] says which recordings a region means;
//! - [`shape`] gives a region's grid its rows and columns;
//! - [`reuse`] decides who is in which cell, and when.

pub mod region;
pub mod request;
pub mod reuse;
pub mod shape;
pub mod sources;

use tw_core::failure::Failure;
use tw_core::text::escaped;

use self::region::Region;
use super::{Placement, Rect, cells};
use crate::room::{Kind, Room, Track};

/// Regions that fit their canvas.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Regions(pub Vec<Region>);

impl Regions {
    /// Whether a track is seen in any of them.
    pub fn show(&self, track: &Track) -> bool {
        track.kind == Kind::Video && self.0.iter().any(|region| region.sources.mean(track))
    }

    /// Who is seen where, and when.
    ///
    /// # Errors
    /// When a region's cells are too small to show anything.
    pub fn place(&self, room: &Room) -> Result<Vec<Placement>, Failure> {
        let mut placements = Vec::new();
        for region in &self.0 {
            let tracks: Vec<usize> = (0..room.tracks.len())
                .filter(|&i| room.tracks[i].kind == Kind::Video && region.sources.mean(&room.tracks[i]))
                .collect();
            placements.extend(fill(region, room, &tracks)?);
        }
        Ok(placements)
    }
}

/// One region's placements.
fn fill(region: &Region, room: &Room, tracks: &[usize]) -> Result<Vec<Placement>, Failure> {
    if tracks.is_empty() {
        return Ok(Vec::new());
    }
    let spans: Vec<_> = tracks.iter().map(|&track| room.tracks[track].span).collect();
    let seen_at_once = shape::needed(&spans, region.reuse);
    let (rows, columns) =
        shape::rows_and_columns(seen_at_once + region.excluded.len(), region.max_rows, region.max_columns);
    // What a grid without regions can be told, --size and --cell-gap, is of no help here.
    let all = cells::grid(region.area, columns, rows, 0).map_err(|_| {
        let Rect { width, height, .. } = region.area;
        let name = escaped(&region.name);
        Failure::field(format!(
            "region {name}: {columns}x{rows} cells don't fit into {width}x{height} pixels: \
             make the region larger, or give it fewer rows and columns (max_rows, max_columns)"
        ))
    })?;
    let free: Vec<Rect> =
        (0..).zip(all).filter(|(i, _)| !region.excluded.contains(i)).map(|(_, c)| c).collect();
    let shown = reuse::schedule(&spans, free.len(), region.reuse);
    Ok(shown
        .into_iter()
        .map(|shown| Placement {
            track: tracks[shown.source],
            cell: free[shown.cell],
            span: shown.span,
            z: region.z,
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::request::Request;
    use super::*;
    use crate::layout::Size;
    use crate::room::tests_support::track_of;

    const CANVAS: Size = Size { width: 640, height: 480 };

    fn place(layout: &str, tracks: &[(&str, i64, i64)]) -> Vec<(usize, Rect, (i64, i64), i32)> {
        let named =
            |(who, a, b): &(&str, i64, i64)| Track { name: Some((*who).into()), ..track_of(who, *a, *b) };
        let room = Room { sid: None, tracks: tracks.iter().map(named).collect() };
        let regions = Request::parse(layout).unwrap().regions(CANVAS).unwrap();
        let placements = regions.place(&room).unwrap();
        placements.into_iter().map(|p| (p.track, p.cell, (p.span.from.0, p.span.to.0), p.z)).collect()
    }

    fn rect(x: u32, y: u32, width: u32, height: u32) -> Rect {
        Rect { x, y, width, height }
    }

    #[test]
    fn picture_in_picture() {
        let layout = r#"{
            "main": {"video_sources": ["screen*"], "z_pos": 1},
            "pip": {"z_pos": 2, "x_pos": 400, "y_pos": 20, "width": 160, "height": 120, "video_sources": ["alice"]}
        }"#;
        assert_eq!(
            place(layout, &[("alice", 0, 100), ("screen-1", 20, 80)]),
            [(1, rect(0, 0, 640, 480), (20, 80), 1), (0, rect(400, 20, 160, 120), (0, 100), 2)]
        );
    }

    #[test]
    fn the_chess_board() {
        let layout = r#"{"board": {"cells_excluded": [1, 3, 5, 7], "video_sources": ["*"]}}"#;
        let five: Vec<(&str, i64, i64)> = ["a", "b", "c", "d", "e"].iter().map(|who| (*who, 0, 10)).collect();
        let cells: Vec<(u32, u32)> =
            place(layout, &five).iter().map(|p| (p.1.x / 200, p.1.y / 150)).collect();
        assert_eq!(cells, [(0, 0), (2, 0), (1, 1), (0, 2), (2, 2)]);
    }

    #[test]
    fn cells_too_small_are_said_in_the_regions_own_words() {
        let layout = r#"{"a": {"width": 17, "height": 16, "video_sources": ["*"]}}"#;
        let regions = Request::parse(layout).unwrap().regions(CANVAS).unwrap();
        let room = Room { sid: None, tracks: ["x", "y"].map(|who| track_of(who, 0, 9)).to_vec() };
        let said = regions.place(&room).unwrap_err().message;
        assert!(
            said.starts_with("region a: 2x1 cells don't fit into 16x16 pixels: make the region"),
            "{said}"
        );
    }

    #[test]
    fn a_track_in_two_regions() {
        let layout = r#"{"left": {"width": 320, "video_sources": ["*"]},
                         "right": {"x_pos": 320, "video_sources": ["alice"]}}"#;
        assert_eq!(place(layout, &[("alice", 0, 9)]).len(), 2);
    }

    #[test]
    fn a_sequence_one_after_the_other() {
        let layout =
            r#"{"one": {"max_rows": 1, "max_columns": 1, "reuse": "show_oldest", "video_sources": ["*"]}}"#;
        let spans: Vec<_> = place(layout, &[("a", 0, 50), ("b", 20, 90), ("c", 30, 60)])
            .into_iter()
            .map(|p| (p.0, p.2))
            .collect();
        assert_eq!(spans, [(0, (0, 50)), (1, (50, 90))]);
    }
}
