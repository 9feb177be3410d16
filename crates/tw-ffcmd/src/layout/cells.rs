//! Grids, rows and columns: equal cells, one for each seat.

use tw_core::failure::Failure;

use super::seats::{cells_for, seats};
use super::{Canvas, Placement, Rect};
use crate::room::Room;

/// A cell narrower or lower than this can't show anything.
const LEAST_SIDE: u32 = 16;

/// Columns and rows of a grid of n cells: ⌈√n⌉ columns, and as many rows as they
/// need (Twilio's Compositions, "Specifying Video Layouts").
pub fn columns_and_rows(n: usize) -> (usize, usize) {
    let columns = (1..).find(|c| c * c >= n).unwrap_or(1);
    (columns, n.div_ceil(columns).max(1))
}

/// The cells of a grid, left to right, top to bottom, within `area`. Borders lie
/// on even pixels, so that cells may differ by two.
///
/// # Errors
/// When they would be too small to show anything.
pub fn grid(area: Rect, columns: usize, rows: usize, spacing: u32) -> Result<Vec<Rect>, Failure> {
    let xs = divide(area.x, area.width, columns, spacing);
    let ys = divide(area.y, area.height, rows, spacing);
    // Without a single pixel there are no sides at all.
    let fit = |sides: &[(u32, u32)]| !sides.is_empty() && sides.iter().all(|&(_, side)| side >= LEAST_SIDE);
    if !fit(&xs) || !fit(&ys) {
        return Err(Failure::field(format!(
            "{columns}x{rows} cells don't fit into {}x{} pixels: make --size larger, or --cell-gap smaller",
            area.width, area.height
        )));
    }
    Ok(ys
        .iter()
        .flat_map(|&(y, height)| xs.iter().map(move |&(x, width)| Rect { x, y, width, height }))
        .collect())
}

/// Where each of `parts` begins and how long it is.
fn divide(start: u32, length: u32, parts: usize, spacing: u32) -> Vec<(u32, u32)> {
    let parts = u32::try_from(parts).unwrap_or(u32::MAX).max(1);
    let free = length.saturating_sub(spacing.saturating_mul(parts - 1));
    // In 64 bits: a side times a number of parts.
    let border =
        |i: u32| u32::try_from(u64::from(free) * u64::from(i) / u64::from(parts)).unwrap_or(free) & !1;
    (0..parts.min(length)).map(|i| (start + border(i) + i * spacing, border(i + 1) - border(i))).collect()
}

/// Each seat in its cell; `shape` gives columns and rows for a number of cells.
///
/// # Errors
/// When there are more cells than fit.
pub fn place(
    room: &Room,
    canvas: Canvas,
    shape: impl Fn(usize) -> (usize, usize),
) -> Result<Vec<Placement>, Failure> {
    let seats = seats(room);
    let (cell_of, count) = cells_for(&seats);
    if count == 0 {
        return Ok(Vec::new());
    }
    let area = Rect { x: 0, y: 0, width: canvas.size.width, height: canvas.size.height };
    let (columns, rows) = shape(count);
    let cells = grid(area, columns, rows, canvas.spacing)?;
    Ok(seats
        .iter()
        .zip(&cell_of)
        .flat_map(|(seat, &cell)| seat.tracks.iter().map(move |&track| (track, cell)))
        .map(|(track, cell)| Placement { track, cell: cells[cell], span: room.tracks[track].span, z: 0 })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::{Layout, Size};
    use crate::room::tests_support::track_of;
    use proptest::prelude::*;

    const CANVAS: Canvas = Canvas { size: Size { width: 1024, height: 768 }, spacing: 0 };

    fn together(n: usize) -> Room {
        Room { sid: None, tracks: (0..n).map(|i| track_of(&format!("p{i}"), 0, 1000)).collect() }
    }

    #[test]
    fn documented_grids() {
        for (n, shape) in
            [(1, (1, 1)), (2, (2, 1)), (3, (2, 2)), (5, (3, 2)), (9, (3, 3)), (10, (4, 3)), (17, (5, 4))]
        {
            assert_eq!(columns_and_rows(n), shape, "{n}");
        }
    }

    #[test]
    fn two_people_side_by_side() {
        let placements = Layout::Grid.place(&together(2), CANVAS).unwrap();
        let cells: Vec<Rect> = placements.iter().map(|p| p.cell).collect();
        assert_eq!(cells[0], Rect { x: 0, y: 0, width: 512, height: 768 });
        assert_eq!(cells[1], Rect { x: 512, y: 0, width: 512, height: 768 });
    }

    #[test]
    fn rows_and_columns_with_space_between() {
        let canvas = Canvas { spacing: 4, ..CANVAS };
        let row = Layout::Row.place(&together(3), canvas).unwrap();
        assert_eq!(row[2].cell, Rect { x: 684, y: 0, width: 340, height: 768 });
        let column = Layout::Column.place(&together(2), canvas).unwrap();
        assert_eq!(column[1].cell, Rect { x: 0, y: 386, width: 1024, height: 382 });
    }

    #[test]
    fn too_many_for_the_canvas_is_said() {
        let error = Layout::Row.place(&together(200), CANVAS).unwrap_err();
        assert!(error.message.contains("make --size larger"), "{error}");
    }

    proptest! {
        #[test]
        fn cells_are_even_inside_and_apart(
            n in 1usize..40, width in 200u32..2000, height in 200u32..2000, spacing in 0u32..10
        ) {
            let area = Rect { x: 0, y: 0, width: width * 2, height: height * 2 };
            let spacing = spacing * 2;
            let (columns, rows) = columns_and_rows(n);
            let cells = grid(area, columns, rows, spacing).unwrap();
            prop_assert!(cells.len() >= n);
            for (i, a) in cells.iter().enumerate() {
                prop_assert!([a.x, a.y, a.width, a.height].iter().all(|v| v % 2 == 0));
                prop_assert!(a.x + a.width <= area.width && a.y + a.height <= area.height);
                for b in &cells[..i] {
                    let apart = |p: u32, l: u32, q: u32, m: u32| p + l + spacing <= q || q + m + spacing <= p;
                    prop_assert!(apart(a.x, a.width, b.x, b.width) || apart(a.y, a.height, b.y, b.height));
                }
            }
        }
    }
}
