//! Who is in which cell, and when.
//!
//! Sources take cells by their start, left to right, top to bottom. A cell is
//! fresh until it is first taken, used while its source runs, and idle after that.

use std::collections::VecDeque;

use crate::room::Span;
use crate::time::Millis;

/// Whether a cell is used again, and what happens when all are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Reuse {
    /// Never again.
    None,
    /// When it is idle; who comes while all are used waits.
    #[default]
    ShowOldest,
    /// When it is idle; who comes while all are used covers the one that ends first.
    ShowNewest,
}

/// One source in one cell for some time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shown {
    /// The source, by its place among the spans.
    pub source: usize,
    /// The cell, by its place among those that may be used.
    pub cell: usize,
    /// From when to when.
    pub span: Span,
}

/// Until when each cell is used; `None` for a fresh one.
type Cells = Vec<Option<Millis>>;

/// Places sources in `count` cells. In the order in which they appear, so that
/// of two in one cell the later lies on top.
pub fn schedule(spans: &[Span], count: usize, reuse: Reuse) -> Vec<Shown> {
    let mut order: Vec<usize> = (0..spans.len()).collect();
    order.sort_by_key(|&source| spans[source].from);
    let mut cells: Cells = vec![None; count];
    let mut waiting: VecDeque<usize> = VecDeque::new();
    let mut shown: Vec<Shown> = Vec::new();
    for source in order {
        let now = spans[source].from;
        admit(&mut waiting, &mut cells, spans, now, &mut shown);
        let free = cells.iter().position(|until| match reuse {
            Reuse::None => until.is_none(),
            Reuse::ShowOldest | Reuse::ShowNewest => until.is_none_or(|until| until <= now),
        });
        match (free, reuse) {
            (Some(cell), _) => take(&mut cells, cell, source, spans[source], &mut shown),
            (None, Reuse::None) => {}
            (None, Reuse::ShowOldest) => waiting.push_back(source),
            (None, Reuse::ShowNewest) => {
                if let Some(cell) = (0..count).min_by_key(|&cell| cells[cell]) {
                    take(&mut cells, cell, source, spans[source], &mut shown);
                }
            }
        }
    }
    admit(&mut waiting, &mut cells, spans, Millis(i64::MAX), &mut shown);
    shown
}

/// Lets those who wait into the cells that become idle until `now`, the first
/// who came first.
fn admit(
    waiting: &mut VecDeque<usize>,
    cells: &mut Cells,
    spans: &[Span],
    now: Millis,
    shown: &mut Vec<Shown>,
) {
    while !waiting.is_empty() {
        let idle = (0..cells.len()).filter_map(|cell| Some((cells[cell]?, cell))).min();
        let Some((from, cell)) = idle.filter(|(from, _)| *from <= now) else { return };
        // Who has left meanwhile is never seen.
        waiting.retain(|&source| spans[source].to > from);
        let Some(source) = waiting.pop_front() else { return };
        take(cells, cell, source, Span { from, to: spans[source].to }, shown);
    }
}

fn take(cells: &mut Cells, cell: usize, source: usize, span: Span, shown: &mut Vec<Shown>) {
    cells[cell] = cells[cell].max(Some(span.to));
    shown.push(Shown { source, cell, span });
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn span(from: i64, to: i64) -> Span {
        Span { from: Millis(from), to: Millis(to) }
    }

    /// Five tracks, as in the documentation: three come, one leaves, two more come.
    fn five() -> [Span; 5] {
        [span(0, 40), span(10, 100), span(20, 60), span(50, 90), span(70, 120)]
    }

    fn places(count: usize, reuse: Reuse) -> Vec<(usize, usize, i64, i64)> {
        schedule(&five(), count, reuse)
            .iter()
            .map(|s| (s.source, s.cell, s.span.from.0, s.span.to.0))
            .collect()
    }

    #[test]
    fn who_is_seen_in_a_single_cell() {
        assert_eq!(places(1, Reuse::None), [(0, 0, 0, 40)]);
        // The second has waited longest when the first ends.
        assert_eq!(places(1, Reuse::ShowOldest), [(0, 0, 0, 40), (1, 0, 40, 100), (4, 0, 100, 120)]);
        assert_eq!(
            places(1, Reuse::ShowNewest),
            [(0, 0, 0, 40), (1, 0, 10, 100), (2, 0, 20, 60), (3, 0, 50, 90), (4, 0, 70, 120)]
        );
    }

    #[test]
    fn who_is_seen_in_two_cells() {
        assert_eq!(places(2, Reuse::None), [(0, 0, 0, 40), (1, 1, 10, 100)]);
        assert_eq!(
            places(2, Reuse::ShowOldest),
            [(0, 0, 0, 40), (1, 1, 10, 100), (2, 0, 40, 60), (3, 0, 60, 90), (4, 0, 90, 120)]
        );
        // The third covers the one that ends first; the fifth the one that ends at 90.
        assert_eq!(
            places(2, Reuse::ShowNewest),
            [(0, 0, 0, 40), (1, 1, 10, 100), (2, 0, 20, 60), (3, 0, 50, 90), (4, 0, 70, 120)]
        );
    }

    #[test]
    fn who_leaves_while_waiting_is_never_seen() {
        let shown = schedule(&[span(0, 50), span(10, 20)], 1, Reuse::ShowOldest);
        assert_eq!(shown.len(), 1);
    }

    #[test]
    fn a_cell_is_idle_at_the_moment_its_source_ends() {
        let shown = schedule(&[span(0, 50), span(50, 60)], 2, Reuse::ShowOldest);
        assert_eq!(shown[1].cell, 0);
    }

    proptest! {
        #[test]
        fn nobody_is_in_two_cells_and_no_cell_shows_two(
            starts in proptest::collection::vec((0i64..100, 1i64..50), 0..12), count in 0usize..5,
        ) {
            let spans: Vec<Span> = starts.iter().map(|&(from, length)| span(from, from + length)).collect();
            for reuse in [Reuse::None, Reuse::ShowOldest, Reuse::ShowNewest] {
                let shown = schedule(&spans, count, reuse);
                for (i, a) in shown.iter().enumerate() {
                    prop_assert!(a.cell < count && a.span.from >= spans[a.source].from && a.span.to == spans[a.source].to);
                    for b in &shown[..i] {
                        prop_assert!(a.source != b.source);
                        if reuse != Reuse::ShowNewest && a.cell == b.cell {
                            prop_assert!(!a.span.overlaps(b.span));
                        }
                    }
                }
            }
        }
    }
}
