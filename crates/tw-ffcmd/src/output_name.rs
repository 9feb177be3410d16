//! Where each room's file goes.

use std::collections::HashSet;
use std::path::PathBuf;

use anyhow::bail;

use crate::rooms::Gathered;

/// The output of each room, from the template given with that flag.
///
/// # Errors
/// When two rooms would be written into one file, or the template names
/// something else than the room.
pub fn for_rooms(flag: &str, template: &str, rooms: &[Gathered]) -> anyhow::Result<Vec<PathBuf>> {
    let outputs: Vec<PathBuf> = rooms
        .iter()
        .map(|gathered| fill(flag, template, gathered.room.sid.as_deref()))
        .collect::<anyhow::Result<_>>()?;
    let mut seen = HashSet::new();
    match outputs.iter().find(|output| !seen.insert(*output)) {
        Some(output) => bail!(
            "{} rooms, but more than one of them would be written to {}: put {{room_sid}} into {flag}",
            rooms.len(),
            output.display()
        ),
        None => Ok(outputs),
    }
}

fn fill(flag: &str, template: &str, room_sid: Option<&str>) -> anyhow::Result<PathBuf> {
    // A SID is letters and digits; whatever else stands there must not choose the folder.
    let safe: String = room_sid
        .unwrap_or("room")
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || c == '_' { c } else { '_' })
        .collect();
    let filled = template.replace("{room_sid}", &safe);
    if let Some((_, rest)) = template.replace("{room_sid}", "").split_once('{')
        && let Some((field, _)) = rest.split_once('}')
    {
        bail!("{flag} {template}: there is no {{{field}}}; {{room_sid}} is the room's SID");
    }
    Ok(filled.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::room::Room;

    fn rooms(sids: &[Option<&str>]) -> Vec<Gathered> {
        let room = |sid: &Option<&str>| Room { sid: sid.map(str::to_owned), tracks: Vec::new() };
        sids.iter().map(|sid| Gathered { room: room(sid), ..Gathered::default() }).collect()
    }

    #[test]
    fn one_file_for_each_room() {
        let outputs = for_rooms("--output", "out/{room_sid}.webm", &rooms(&[Some("RM1"), None])).unwrap();
        assert_eq!(outputs, [PathBuf::from("out/RM1.webm"), PathBuf::from("out/room.webm")]);
    }

    #[test]
    fn two_rooms_never_share_a_file() {
        assert!(for_rooms("--output", "room.webm", &rooms(&[Some("RM1"), Some("RM2")])).is_err());
    }

    #[test]
    fn a_sid_cannot_choose_the_folder() {
        let outputs = for_rooms("--output", "{room_sid}.webm", &rooms(&[Some("../../etc/x")])).unwrap();
        assert_eq!(outputs, [PathBuf::from("______etc_x.webm")]);
        assert!(for_rooms("--output", "{date}.webm", &rooms(&[None])).is_err());
    }
}
