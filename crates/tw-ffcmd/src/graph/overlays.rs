//! What a picture is made of: who is seen in which frames, and which cells can be
//! drawn apart from the others.

use super::picture::{Gap, Scene};
use crate::layout::{Placement, Rect};
use crate::room::{Room, Span};
use crate::time::Millis;
use crate::timeline::Frames;

/// Placements of one track in one cell: one overlay, switched on now and then.
#[derive(Debug)]
pub struct Overlay<'a> {
    /// The first of them.
    pub placement: &'a Placement,
    /// When the first one begins, in the scene or before it: who came later lies on top,
    /// whichever part of the room is drawn.
    since: Millis,
    /// When it is seen, in frames of the output.
    pub shown: Vec<Frames>,
}

/// A cell that no other one overlaps, and who is seen in it.
#[derive(Debug)]
pub struct Cell {
    /// Where it lies.
    pub rect: Rect,
    /// Numbers of overlays, from the lowest to the highest.
    pub overlays: Vec<usize>,
    /// The overlay that is all that is seen here, without a pause: it needs no canvas
    /// to lie on, but to be [`paced`](super::source::paced).
    pub sole: Option<usize>,
}

impl Cell {
    /// Being paced shows the first frame also before its time, if need be. So it must be
    /// known that the file begins with a frame that can be decoded.
    fn find_sole(&mut self, overlays: &[Overlay<'_>], room: &Room) {
        self.sole = match self.overlays[..] {
            [i] => {
                let Overlay { placement, shown, .. } = &overlays[i];
                (shown.len() == 1 && room.tracks[placement.track].begins_with_key_frame).then_some(i)
            }
            _ => None,
        };
    }
}

/// The overlays of a scene, and how they lie.
#[derive(Debug)]
pub struct Overlays<'a> {
    /// All that are seen, from the lowest to the highest.
    pub all: Vec<Overlay<'a>>,
    /// The cells that no other one overlaps, if that is worth a canvas of their own.
    pub apart: Vec<Cell>,
    /// Numbers of the overlays that are in none of those cells.
    pub piled: Vec<usize>,
}

impl<'a> Overlays<'a> {
    /// Those of a scene.
    pub fn of(scene: Scene<'a>) -> Self {
        let all = seen(scene);
        let mut apart = cells_apart(&all);
        apart.iter_mut().for_each(|cell| cell.find_sole(&all, scene.room));
        if apart.len() < 2 && apart.iter().all(|cell| cell.sole.is_none()) {
            apart.clear();
        }
        let piled = (0..all.len()).filter(|i| apart.iter().all(|cell| !cell.overlays.contains(i))).collect();
        Self { all, apart, piled }
    }

    /// Whether an overlay is all that is seen in its cell.
    pub fn is_sole(&self, overlay: usize) -> bool {
        self.apart.iter().any(|cell| cell.sole == Some(overlay))
    }

    /// Whether an overlay lies on another one: then the rest of its cell must be background,
    /// and not what is below.
    pub fn covers(&self, overlay: usize) -> bool {
        let upper = &self.all[overlay];
        let at_once = |lower: &Overlay<'_>| {
            upper.shown.iter().any(|one| lower.shown.iter().any(|other| one.and(*other).is_some()))
        };
        self.all[..overlay]
            .iter()
            .any(|lower| lower.placement.cell.overlaps(upper.placement.cell) && at_once(lower))
    }

    /// For how many frames somebody is seen in a cell.
    pub fn frames_in(&self, cell: &Cell) -> i64 {
        cell.overlays.iter().flat_map(|&i| &self.all[i].shown).map(|frames| frames.count()).sum()
    }
}

fn seen(scene: Scene<'_>) -> Vec<Overlay<'_>> {
    let mut overlays: Vec<Overlay<'_>> = Vec::new();
    for placement in scene.placements {
        let shown: Vec<Frames> = spans_shown(placement, scene.room, scene.look.gap)
            .into_iter()
            .filter_map(|span| scene.timeline.frames_of(span)?.and(scene.slice))
            .collect();
        let since = placement.span.from;
        let same = |o: &&mut Overlay<'_>| {
            (o.placement.track, o.placement.cell, o.placement.z)
                == (placement.track, placement.cell, placement.z)
        };
        match overlays.iter_mut().find(same) {
            Some(overlay) => {
                overlay.since = overlay.since.min(since);
                overlay.shown.extend(shown);
            }
            None => overlays.push(Overlay { placement, since, shown }),
        }
    }
    overlays.retain(|overlay| !overlay.shown.is_empty());
    overlays.sort_by_key(|overlay| (overlay.placement.z, overlay.since));
    overlays
}

fn cells_apart(overlays: &[Overlay<'_>]) -> Vec<Cell> {
    let mut cells: Vec<Cell> = Vec::new();
    for (i, rect) in overlays.iter().map(|o| o.placement.cell).enumerate() {
        match cells.iter_mut().find(|cell| cell.rect == rect) {
            Some(cell) => cell.overlays.push(i),
            None => cells.push(Cell { rect, overlays: vec![i], sole: None }),
        }
    }
    let rects: Vec<Rect> = cells.iter().map(|cell| cell.rect).collect();
    cells.retain(|cell| rects.iter().all(|&rect| rect == cell.rect || !rect.overlaps(cell.rect)));
    cells
}

/// When something is seen of a placement.
pub fn spans_shown(placement: &Placement, room: &Room, gap: Gap) -> Vec<Span> {
    match gap {
        Gap::Hold => vec![placement.span],
        Gap::Background => without(placement.span, &room.tracks[placement.track].gaps),
    }
}

/// A span without the gaps in it.
pub fn without(span: Span, gaps: &[Span]) -> Vec<Span> {
    let mut left = Vec::new();
    let mut from = span.from;
    for gap in gaps.iter().filter(|gap| gap.overlaps(span)) {
        left.push(Span { from, to: gap.from });
        from = gap.to;
    }
    left.push(Span { from, to: span.to });
    left.retain(|span| span.from < span.to);
    left
}
