//! Who needs a cell of his own, and for how long.
//!
//! A participant keeps one seat from his first picture to his last, also while
//! his camera is off or he has left for a moment, so that nobody jumps about. A
//! screen shared beside the camera takes a second seat. A seat that is free for
//! good is given to whoever comes next: fifty visitors who were never in the
//! room together need few cells.

use crate::room::{Kind, Room, Span};
use crate::time::Millis;

/// Who comes again may be there before the one who was cut off is taken for gone; and how long a last
/// picture lasts is an estimate.
const MOMENT: Millis = Millis(1000);

/// Tracks of one participant that don't overlap for longer than a moment: they follow each other in one cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seat {
    /// Indices of the room's tracks, by when they begin.
    pub tracks: Vec<usize>,
    /// From the first picture to the last.
    pub span: Span,
}

/// The seats that a room's pictures need, by when they are first taken.
pub fn seats(room: &Room) -> Vec<Seat> {
    let mut videos: Vec<usize> =
        (0..room.tracks.len()).filter(|&i| room.tracks[i].kind == Kind::Video).collect();
    videos.sort_by_key(|&i| room.tracks[i].span.from);
    let mut seats: Vec<(String, Seat)> = Vec::new();
    for i in videos {
        let (who, span) = (room.tracks[i].participant(), room.tracks[i].span);
        match seats.iter_mut().find(|(owner, seat)| *owner == who && follows(span, seat.span)) {
            Some((_, seat)) => {
                seat.tracks.push(i);
                seat.span.to = span.to;
            }
            None => seats.push((who, Seat { tracks: vec![i], span })),
        }
    }
    seats.into_iter().map(|(_, seat)| seat).collect()
}

/// Whether one span goes on where another one ends, but for a moment in which both last.
pub fn follows(next: Span, last: Span) -> bool {
    last.to <= next.from || last.to - next.from <= MOMENT && last.to < next.to
}

/// Which cell each seat gets: the first that is free when it is first taken.
/// So there are as many cells as seats are ever taken at once.
pub fn cells_for(seats: &[Seat]) -> (Vec<usize>, usize) {
    let mut free_from: Vec<Millis> = Vec::new();
    let cells = seats
        .iter()
        .map(|seat| match free_from.iter().position(|&free| free <= seat.span.from) {
            Some(cell) => {
                free_from[cell] = seat.span.to;
                cell
            }
            None => {
                free_from.push(seat.span.to);
                free_from.len() - 1
            }
        })
        .collect();
    (cells, free_from.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::room::tests_support::track_of;

    fn room(tracks: &[(&str, i64, i64)]) -> Room {
        Room { sid: None, tracks: tracks.iter().map(|(who, from, to)| track_of(who, *from, *to)).collect() }
    }

    fn plan(tracks: &[(&str, i64, i64)]) -> (Vec<Vec<usize>>, Vec<usize>, usize) {
        let seats = seats(&room(tracks));
        let (cells, count) = cells_for(&seats);
        (seats.into_iter().map(|seat| seat.tracks).collect(), cells, count)
    }

    #[test]
    fn a_rejoin_takes_the_same_seat() {
        let plan = plan(&[("alice", 0, 100), ("bob", 10, 40), ("bob", 50, 90)]);
        assert_eq!(plan, (vec![vec![0], vec![1, 2]], vec![0, 1], 2));
    }

    #[test]
    fn so_does_one_a_moment_too_early() {
        let plan = plan(&[("alice", 0, 9000), ("bob", 0, 3000), ("bob", 2100, 9000)]);
        assert_eq!(plan, (vec![vec![0], vec![1, 2]], vec![0, 1], 2));
    }

    #[test]
    fn a_screen_beside_the_camera_takes_another() {
        let plan = plan(&[("alice", 0, 100), ("alice", 20, 60)]);
        assert_eq!(plan, (vec![vec![0], vec![1]], vec![0, 1], 2));
    }

    #[test]
    fn short_stays_share_cells() {
        let stays: Vec<(String, i64, i64)> =
            (0..50).map(|i| (format!("p{i}"), i * 10, i * 10 + 15)).collect();
        let stays: Vec<(&str, i64, i64)> = stays.iter().map(|(who, a, b)| (who.as_str(), *a, *b)).collect();
        assert_eq!(plan(&stays).2, 2);
    }

    #[test]
    fn a_seat_is_kept_while_its_owner_is_away() {
        let plan = plan(&[("bob", 0, 10), ("bob", 50, 60), ("carol", 20, 30)]);
        assert_eq!(plan.2, 2);
    }
}
