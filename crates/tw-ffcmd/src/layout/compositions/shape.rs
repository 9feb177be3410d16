//! How many rows and columns a region's grid has. It stays the same for the
//! whole output.

use super::reuse::Reuse;
use crate::room::Span;

/// How many cells a region's sources need: as many as run at the same time, or
/// one for each where cells aren't used again.
pub fn needed(spans: &[Span], reuse: Reuse) -> usize {
    if reuse == Reuse::None {
        return spans.len();
    }
    let at_once =
        |span: &Span| spans.iter().filter(|other| other.from <= span.from && span.from < other.to).count();
    spans.iter().map(at_once).max().unwrap_or(0)
}

/// Rows and columns for n cells within the limits, as square as they allow.
pub fn rows_and_columns(n: usize, max_rows: Option<usize>, max_columns: Option<usize>) -> (usize, usize) {
    let n = n.max(1);
    let (unlimited_columns, unlimited_rows) = super::cells::columns_and_rows(n);
    match (max_rows, max_columns) {
        (None, None) => (unlimited_rows, unlimited_columns),
        (None, Some(limit)) => {
            let columns = unlimited_columns.min(limit);
            (n.div_ceil(columns), columns)
        }
        (Some(limit), None) => {
            let rows = unlimited_rows.min(limit);
            (rows, n.div_ceil(rows))
        }
        (Some(row_limit), Some(column_limit)) => {
            let rows = unlimited_rows.min(row_limit);
            let columns = n.div_ceil(rows).min(column_limit);
            let rows = if rows * columns < n { n.div_ceil(columns).min(row_limit) } else { rows };
            (rows, columns)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Millis;

    #[test]
    fn documented_shapes() {
        for (n, max_rows, max_columns, shape) in [
            (5, None, None, (2, 3)),
            (10, None, None, (3, 4)),
            (17, None, None, (4, 5)),
            (3, Some(1), None, (1, 3)),
            (3, None, Some(1), (3, 1)),
            (5, Some(2), None, (2, 3)),
            (5, None, Some(2), (3, 2)),
            (7, Some(2), None, (2, 4)),
            (9, None, Some(2), (5, 2)),
            (12, Some(2), None, (2, 6)),
            (2, Some(2), Some(2), (1, 2)),
            (5, Some(2), Some(2), (2, 2)),
            (9, Some(1), Some(7), (1, 7)),
            (9, Some(2), Some(7), (2, 5)),
            (9, Some(3), Some(7), (3, 3)),
        ] {
            assert_eq!(rows_and_columns(n, max_rows, max_columns), shape, "{n} {max_rows:?} {max_columns:?}");
        }
    }

    #[test]
    fn who_never_meets_needs_one_cell() {
        let span = |from, to| Span { from: Millis(from), to: Millis(to) };
        let spans = [span(0, 10), span(10, 20), span(15, 30)];
        assert_eq!(needed(&spans, Reuse::ShowOldest), 2);
        assert_eq!(needed(&spans, Reuse::None), 3);
        assert_eq!(needed(&[], Reuse::ShowNewest), 0);
    }
}
