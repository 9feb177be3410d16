//! The rooms: a number for each, and the least addition of its recordings.

use std::collections::HashMap;

/// One room, or the group of the records that name none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RoomId(u32);

impl RoomId {
    /// Its place among all rooms, the records that name none first.
    pub fn index(self) -> usize {
        self.0 as usize
    }

    /// The records that name no room.
    pub const NONE: Self = Self(0);
}

/// All rooms met so far.
#[derive(Debug)]
pub struct Rooms {
    ids: HashMap<Box<str>, RoomId>,
    references: Vec<Option<i64>>,
}

impl Default for Rooms {
    fn default() -> Self {
        Self { ids: HashMap::new(), references: vec![None] }
    }
}

impl Rooms {
    /// The room's number; a new one for a new room.
    pub fn id(&mut self, room: Option<&str>) -> RoomId {
        let Some(room) = room else { return RoomId::NONE };
        if let Some(&id) = self.ids.get(room) {
            return id;
        }
        // A line of a room takes more than a byte: memory ends before 32 bits do.
        let id = RoomId(u32::try_from(self.references.len()).unwrap_or(u32::MAX));
        self.ids.insert(room.into(), id);
        self.references.push(None);
        id
    }

    /// A recording of the room begins at this addition.
    pub fn count(&mut self, room: RoomId, addition: i64) {
        if let Some(reference) = self.references.get_mut(room.index()) {
            *reference = Some(reference.map_or(addition, |least| least.min(addition)));
        }
    }

    /// The least addition of the room, if any recording was counted.
    pub fn reference(&self, room: RoomId) -> Option<i64> {
        self.references.get(room.index()).copied().flatten()
    }

    /// Takes in the rooms of a part of the input; tells each by the number it had there.
    pub fn merge(&mut self, part: &Self) -> Vec<RoomId> {
        let names = std::iter::once(None).chain(part.names().into_iter().map(Some));
        let ids: Vec<RoomId> = names.map(|name| self.id(name)).collect();
        for (&id, reference) in ids.iter().zip(&part.references) {
            if let Some(reference) = reference {
                self.count(id, *reference);
            }
        }
        ids
    }

    /// How many rooms there are, the records that name none left out.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether no room was met.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// The rooms in the order in which they were met.
    pub fn names(&self) -> Vec<&str> {
        let mut names: Vec<_> = self.ids.iter().map(|(name, id)| (id, name.as_ref())).collect();
        names.sort_unstable();
        names.into_iter().map(|(_, name)| name).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_room_has_its_own_reference() {
        let mut rooms = Rooms::default();
        let (a, b) = (rooms.id(Some("RMa")), rooms.id(Some("RMb")));
        assert_ne!(a, b);
        assert_eq!(rooms.id(Some("RMa")), a);
        assert_eq!(rooms.id(None), RoomId::NONE);
        rooms.count(a, 5);
        rooms.count(a, -3);
        rooms.count(RoomId::NONE, 9);
        assert_eq!(rooms.reference(a), Some(-3));
        assert_eq!(rooms.reference(b), None);
        assert_eq!(rooms.reference(RoomId::NONE), Some(9));
        assert_eq!(rooms.names(), ["RMa", "RMb"]);
    }

    #[test]
    fn parts_are_taken_together() {
        let mut whole = Rooms::default();
        let a = whole.id(Some("RMa"));
        whole.count(a, 5);
        let mut part = Rooms::default();
        let (b, a_there) = (part.id(Some("RMb")), part.id(Some("RMa")));
        part.count(b, 1);
        part.count(a_there, 4);
        let ids = whole.merge(&part);
        assert_eq!(ids[a_there.index()], a);
        assert_eq!(whole.reference(a), Some(4));
        assert_eq!(whole.reference(ids[b.index()]), Some(1));
        assert_eq!(whole.reference(RoomId::NONE), None);
    }
}
